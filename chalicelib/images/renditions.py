"""The thumbnail of an image: upright, in sRGB, on white, without metadata."""

import contextlib
import io
from typing import Any

from PIL import Image, ImageCms

from chalicelib.images.exif import read_orientation
from chalicelib.images.limits import BITS_PER_SAMPLE, SCALED_DECODE

# One step over 85 makes up for what decoding at a reduced scale loses, up to half a decibel.
THUMBNAIL_QUALITY = 86

_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_MAX_STRIP_BYTES = 16 * 1024 * 1024

# TIFF 6.0
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0

# The transposition that makes an image upright, by its EXIF orientation (Exif 2.32, tag 274).
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}


def upright_thumbnail(image: Image.Image, box: tuple[int, int]) -> tuple[int, int, Image.Image]:
    """Return the upright image's width and height in pixels, and it as RGB that fits `box`."""
    profile = image.info.get("icc_profile")
    if image.format not in SCALED_DECODE:
        # Loading may rotate the image (TIFF does), so read the orientation afterwards.
        image.load()
        if image.format == "BMP" and image.mode == "RGBA" and image.getextrema()[3:] == ((0, 0),):
            image.putalpha(255)  # Many programs leave the fourth byte of a pixel at 0.
        # pi-heif keeps a file that has several images, and would decode it again at every use.
        image._heif_file = None  # type: ignore[attr-defined]
    orientation = read_orientation(image)
    width, height = image.size
    if orientation in _SIDEWAYS:
        width, height = height, width
        box = box[1], box[0]
    if image.format not in SCALED_DECODE:
        image = _reduce(image, box)
    # This decodes a JPEG at a reduced scale, which gains most of the speed: nothing before it may
    # convert the image.
    image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=1.5)
    small = _to_srgb_on_white(image, profile)
    if orientation in _TRANSPOSITIONS:
        small = small.transpose(_TRANSPOSITIONS[orientation])
    return width, height, small


def encode_thumbnail(thumbnail: Image.Image) -> bytes:
    """Return a thumbnail as a JPEG without metadata."""
    out = io.BytesIO()
    thumbnail.save(out, "JPEG", quality=THUMBNAIL_QUALITY, optimize=True)
    return out.getvalue()


def scale_transparent_color(image: Image.Image, depth: int) -> None:
    """Scale the transparent color of a PNG, in `depth` bits, as Pillow scales its pixels."""
    color = image.info.get("transparency")
    if image.mode == "L" and isinstance(color, int) and depth < 8:
        image.info["transparency"] = color * (255 // (2**depth - 1))
    elif image.mode == "RGB" and isinstance(color, tuple) and depth == 16:
        image.info["transparency"] = tuple(sample >> 8 for sample in color)


def _reduce(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return the image in a mode that can be resized smoothly, at least four times the box.

    A large image is converted in strips, since a converted copy could take four times its memory.
    """
    factor = max(1, min(image.width // (4 * box[0]), image.height // (4 * box[1])))
    white = _white_value(image)
    if factor == 1 and image.width * image.height * 4 < _MAX_STRIP_BYTES:
        return _to_resizable_mode(image, white)
    rows = max(1, _MAX_STRIP_BYTES // (image.width * 4 * factor)) * factor
    strips = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strips.append(_to_resizable_mode(strip, white).reduce(factor))
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def _white_value(image: Image.Image) -> float:
    """Return the value of white in a gray image of more than 8 bits; negative if 0 is white."""
    tags: dict[int, Any] = getattr(image, "tag_v2", {})
    if image.mode in ("I", "F"):
        # The file does not record it: assume the smallest common value that no pixel exceeds.
        brightest = float(image.getextrema()[1])  # type: ignore[arg-type]
        common = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        white = next((white for white in common if brightest <= white), brightest)
    else:
        white = float(2 ** min(16, tags.get(BITS_PER_SAMPLE, (16,))[0]) - 1)
    return -white if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else white


def _to_resizable_mode(image: Image.Image, white: float) -> Image.Image:
    """Return the image in a mode that can be resized smoothly."""
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return image.convert("RGBA")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        # Pillow would clip these values to 8 bits instead of scaling them.
        scale, offset = 255 / white, 255.0 if white < 0 else 0.0
        deep = image if image.mode == "F" else image.convert("I")
        gray = deep.convert("F").point(lambda value: value * scale + offset).convert("L")
        transparent = image.info.get("transparency")
        if not isinstance(transparent, int) or deep.mode == "F":
            return gray
        alpha = deep.point([255 * (value != transparent) for value in range(2**16)], "L")
        return Image.merge("LA", (gray, alpha))
    return image


def _to_srgb_on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image in sRGB, which browsers assume of an image without a profile."""
    if image.mode in ("LA", "PA", "RGBA"):
        mode = "L" if image.mode == "LA" else "RGB"
        alpha, colors = image.getchannel("A"), image.convert(mode)
        image = Image.new(mode, image.size, "white")
        image.paste(colors, mask=alpha)
    if profile and len(profile) <= _MAX_PROFILE_BYTES and image.mode in ("L", "RGB", "CMYK"):
        # A profile that is broken or does not fit only costs color accuracy.
        with contextlib.suppress(Exception):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            image = converted or image
    return image.convert("RGB")
