"""The sizes that the tests of images use, and the renditions of these sizes."""

import io

from PIL import Image

from chalicelib.images import decoding
from chalicelib.images.decoding import DecodedImage
from chalicelib.images.sizes import Sizes

BOX = (300, 200)
SIZES = Sizes(*BOX, preview=640)


def read_here(data: bytes, sizes: Sizes = SIZES) -> DecodedImage:
    """Decode an image of any format in this process: faster, and its coverage is measured."""
    return decoding.to_decoded_image(decoding.decode(data, sizes.preview), sizes)


def read(data: bytes, sizes: Sizes = SIZES) -> DecodedImage:
    """Decode an image as `read_image` does, but a TIFF in this process."""
    is_tiff = data.startswith((b"II", b"MM"))
    return read_here(data, sizes) if is_tiff else decoding.read_image(data, sizes)


def thumbnail_of(data: bytes, sizes: Sizes = SIZES) -> Image.Image:
    """Return the thumbnail of an image's bytes."""
    return Image.open(io.BytesIO(read(data, sizes).thumbnail))


def preview_of(data: bytes, sizes: Sizes = SIZES) -> Image.Image:
    """Return the preview of an image's bytes."""
    return Image.open(io.BytesIO(read(data, sizes).preview))
