"""The box that the tests of images use, and the thumbnail that fits it."""

import io

from PIL import Image

from chalicelib.images.decoding import read_image

BOX = (300, 200)


def thumbnail_of(data: bytes) -> Image.Image:
    """Return the thumbnail of an image's bytes."""
    return Image.open(io.BytesIO(read_image(data, BOX).thumbnail))
