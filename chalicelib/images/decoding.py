"""Decode an image: its format, its size, what its EXIF says, and its renditions.

The format is detected from the bytes alone, never from a name or a content type sent with them.
"""

import io
import time
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images import limits
from chalicelib.images.exif import Exif, read_exif
from chalicelib.images.isobmff import is_rotated
from chalicelib.images.isolation import Picture, decode_in_process
from chalicelib.images.metadata import TIFF_SIGNATURES, jpeg_exif, without_metadata
from chalicelib.images.renditions import (
    PREVIEW_QUALITY,
    THUMBNAIL_QUALITY,
    fitted,
    make_thumbnail,
    scale_transparent_color,
    to_jpeg,
    upright_preview,
)
from chalicelib.images.sizes import Sizes
from chalicelib.images.thumbhash import thumbhash
from chalicelib.images.variants import unsupported_variant

# Content type, file extension and common name, by Pillow's name of the format.
_FORMATS = {
    "JPEG": ("image/jpeg", "jpg", "JPEG"),
    "MPO": ("image/jpeg", "jpg", "JPEG"),  # a JPEG followed by more images, as some cameras write
    "PNG": ("image/png", "png", "PNG"),
    "GIF": ("image/gif", "gif", "GIF"),
    "WEBP": ("image/webp", "webp", "WebP"),
    "BMP": ("image/bmp", "bmp", "BMP"),
    "TIFF": ("image/tiff", "tiff", "TIFF"),
    "AVIF": ("image/avif", "avif", "AVIF"),  # before HEIF: both claim the brand mif1
    "HEIF": ("image/heic", "heic", "HEIC"),
}
_NAMES = list(dict.fromkeys(name for _, _, name in _FORMATS.values()))
_OPENERS = [name for name in _FORMATS if name != "MPO"]  # Pillow opens MPO as JPEG.

# The brands of ISO 23008-12 and of AVIF 1.1. Both formats may have the two last ones.
_BRANDS = ("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "avif", "avis")
_ISOBMFF_SIGNATURES = {f"ftyp{brand}".encode() for brand in (*_BRANDS, "mif1", "msf1")}

_LIMITS = {limits.TOO_COMPLEX, limits.TOO_LARGE, limits.CORRUPT_METADATA}
_UNREADABLE = "This image is broken, or too large to open."


@dataclass(frozen=True)
class DecodedImage:
    """What the bytes of an image contain."""

    content_type: str
    extension: str
    width: int  # pixels, upright
    height: int
    exif: Exif
    # Upright RGB JPEGs without metadata
    preview: bytes
    thumbnail: bytes
    thumbhash: str  # base64


class _TimedBytes(io.BytesIO):
    """The bytes of an image, which Pillow can read only until its time is up."""

    def __init__(self, data: bytes, deadline: float) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        # Every loop that a file can make endless, over chunks, segments or runs, reads here.
        if time.monotonic() > self._deadline:
            raise UndecodableImage(limits.TOO_COMPLEX)
        return super().read(size)


def read_image(data: bytes, sizes: Sizes) -> DecodedImage:
    """Decode `data` and make its renditions, which have at most `sizes`.

    Raises UnsupportedImage or UndecodableImage, as `decode` does.
    """
    size = sizes.preview
    picture = decode_in_process(data, size) if _needs_process(data) else decode(data, size)
    return to_decoded_image(picture, sizes)


def to_decoded_image(picture: Picture, sizes: Sizes) -> DecodedImage:
    """Return a picture with the content type of its format, and its renditions."""
    content_type, extension, _ = _FORMATS[picture.format]
    box = sizes.thumbnail_width, sizes.thumbnail_height
    thumbnail = make_thumbnail(picture.preview, fitted((picture.width, picture.height), box))
    return DecodedImage(
        content_type,
        extension,
        picture.width,
        picture.height,
        picture.exif,
        to_jpeg(picture.preview, PREVIEW_QUALITY),
        to_jpeg(thumbnail, THUMBNAIL_QUALITY),
        thumbhash(thumbnail),
    )


def _needs_process(data: bytes) -> bool:
    """Return whether the decoder of the format may crash, write to the log, or not return.

    libheif, libavif and libtiff decode a file in one call, which nothing but the end of their
    process interrupts. All other decoders return to Pillow after each piece of a file, or have an
    upper bound of time by the number of pixels.
    """
    return data[4:12] in _ISOBMFF_SIGNATURES or data.startswith(TIFF_SIGNATURES)


def decode(data: bytes, size: int) -> Picture:
    """Decode `data` in this process, to sides of at most `size` pixels.

    Of several images, it is the primary or else the first one.
    Raises UnsupportedImage for bytes of no supported format, UndecodableImage for an image that is
    broken or would take too much memory or time.
    """
    if data[4:12] in _ISOBMFF_SIGNATURES:
        # pi-heif would not say whether an orientation is of EXIF or of XMP, which is ignored.
        data = data.replace(b"tiff:Orientation", b"tiff:orientation")
    deadline = time.monotonic() + limits.MAX_SECONDS
    with limits.bounded_memory(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow would write what it dislikes to the log.
        result = _outcome(data, size, deadline)
        if isinstance(result, Picture):
            return result
        if result.args != (limits.TOO_COMPLEX,):
            # Metadata never causes a rejection, so try once more without it.
            plain = without_metadata(data)
            if plain and plain[0] != data:
                again = _outcome(plain[0], size, deadline, plain[1], len(data))
                result = again if isinstance(again, Picture) else result
    if isinstance(result, Picture):
        return result
    name = None if str(result) in _LIMITS else unsupported_variant(data)
    raise UnsupportedImage(f"{name} is not supported. Save it as JPEG or PNG.") if name else result


def _outcome(
    data: bytes,
    size: int,
    deadline: float,
    exif: bytes | None = None,
    other_bytes: int = 0,
) -> Picture | UnsupportedImage | UndecodableImage:
    """Return the decoded image or the error, which then holds nothing of the image in memory."""
    try:
        return _decode(data, size, deadline, exif, other_bytes)
    except (UnsupportedImage, UndecodableImage) as error:
        return type(error)(*error.args)


def _decode(
    data: bytes, size: int, deadline: float, exif: bytes | None, other_bytes: int
) -> Picture:
    """Decode `data`; `exif` is what was removed from it."""
    # Opening a JPEG may read its EXIF.
    if not (limits.has_safe_tags(data) and limits.has_safe_tags(jpeg_exif(data))):
        raise UndecodableImage(limits.CORRUPT_METADATA)
    try:
        image = Image.open(_TimedBytes(data, deadline), formats=_openers())
    except UnidentifiedImageError:
        raise _unsupported_or_broken(data) from None
    except Exception as error:  # Hostile bytes can make Pillow raise anything.
        raise _undecodable(error, _UNREADABLE) from error
    with image:
        try:
            limits.require_decodable(image, data, other_bytes)
            if image.format == "PNG":
                _load_png(image, data)
            if image.format == "HEIF" and is_rotated(data):
                image.info["original_orientation"] = None
            found = _read_exif(image, exif)
            width, height, preview = upright_preview(image, size)
        except Exception as error:  # as above
            raise _undecodable(error, limits.BROKEN) from error
    return Picture(str(image.format), width, height, found, preview)


def _load_png(image: Image.Image, data: bytes) -> None:
    """Load a PNG, since its metadata may follow its pixels, whatever is wrong with it there."""
    scale_transparent_color(image, depth=data[24])
    try:
        image.load()
    except Exception:  # noqa: BLE001 (as above)
        image.load()  # The pixels are there now, or this fails again.
        plain = without_metadata(data)
        if plain and plain[1]:
            image.info["exif"] = plain[1]


def _read_exif(image: Image.Image, removed: bytes | None) -> Exif:
    """Return the values of an image's EXIF, from the bytes that were removed if there are any."""
    source = image
    if removed:
        # The orientation of a TIFF is one of its needed tags, and is still in the image.
        source = Image.new("1", (1, 1)) if image.format == "TIFF" else image
        source.info["exif"] = removed
    if not limits.has_safe_tags(source.info.get("exif") or b""):
        del source.info["exif"]
    return read_exif(source)


def _openers() -> list[str]:
    Image.init()
    # Only the decoder's own process registers an opener for HEIF.
    return [name for name in _OPENERS if name in Image.OPEN]


def _unsupported_or_broken(data: bytes) -> UnsupportedImage | UndecodableImage:
    """Return why Pillow cannot open the bytes: another format, or one of ours cut very short."""
    start = data[:32]
    if any(accept and accept(start) for accept in (Image.OPEN[name][1] for name in _openers())):
        return UndecodableImage(limits.BROKEN)
    supported = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"
    return UnsupportedImage(f"Unsupported image format. Use {supported}.")


def _undecodable(error: Exception, otherwise: str) -> UndecodableImage:
    if isinstance(error, UndecodableImage):
        return error
    return UndecodableImage(limits.TOO_LARGE if isinstance(error, MemoryError) else otherwise)
