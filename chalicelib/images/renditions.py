"""The preview and the thumbnail of an image: upright, in sRGB, on white, without metadata.

An image is decoded once, to the preview's size. The thumbnail is made from the preview's pixels.
"""

import contextlib
import io
from typing import Any

from PIL import Image, ImageCms

from chalicelib.images.exif import read_orientation
from chalicelib.images.limits import BITS_PER_SAMPLE, SCALED_DECODE
from chalicelib.images.resizing import GAP, resize

# One step over 85 makes up for what decoding at a reduced scale loses, up to half a decibel.
THUMBNAIL_QUALITY = 86
# Twice enlarged, photos of a camera show blocks around saturated colors at 75, but not at 80.
PREVIEW_QUALITY = 80

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


def upright_preview(image: Image.Image, size: int) -> tuple[int, int, Image.Image]:
    """Return the upright image's width and height, and it as RGB with sides of at most `size`."""
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
    target = fitted(image.size, (size, size))
    if image.format in SCALED_DECODE:
        # This decodes a JPEG at a reduced scale, which gains most of the speed: nothing before it
        # may convert the image.
        image.draft(None, target)
        image.load()
    else:
        image = _reduce(image, target)
    if image.size != target:
        image = resize(image, target, sharply=False)
    preview = _to_srgb_on_white(image, profile)
    if orientation in _TRANSPOSITIONS:
        preview = preview.transpose(_TRANSPOSITIONS[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    return width, height, preview


def make_thumbnail(preview: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a thumbnail of `size`, (width, height) in pixels, but not larger than the preview."""
    width, height = min(size[0], preview.width), min(size[1], preview.height)
    if (width, height) == preview.size:
        return preview
    return resize(preview, (width, height))


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return the size with the same proportions that fits a box, never enlarged."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    width, height = (max(1, int(side * scale + 0.5)) for side in size)
    return width, height


def to_jpeg(image: Image.Image, quality: int) -> bytes:
    """Return a rendition as a JPEG without metadata."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def scale_transparent_color(image: Image.Image, depth: int) -> None:
    """Scale the transparent color of a PNG, in `depth` bits, as Pillow scales its pixels."""
    color = image.info.get("transparency")
    if image.mode == "L" and isinstance(color, int) and depth < 8:
        image.info["transparency"] = color * (255 // (2**depth - 1))
    elif image.mode == "RGB" and isinstance(color, tuple) and depth == 16:
        image.info["transparency"] = tuple(sample >> 8 for sample in color)


def _reduce(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    """Return the image in a mode that can be resized smoothly, not much larger than the target.

    A large image is converted in strips, since a converted copy could take four times its memory.
    """
    white = _white_value(image)
    if image.width * image.height * 4 < _MAX_STRIP_BYTES:
        return _to_resizable_mode(image, white)
    across, down = (
        max(1, int(side / new / GAP)) for side, new in zip(image.size, target, strict=True)
    )
    rows = max(1, _MAX_STRIP_BYTES // (image.width * 4 * down)) * down
    whole = None
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        reduced = _to_resizable_mode(strip, white).reduce((across, down))
        if whole is None:
            whole = Image.new(reduced.mode, (reduced.width, -(-image.height // down)))
        whole.paste(reduced, (0, top // down))
    return whole or image


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
    return image if image.mode == "RGB" else image.convert("RGB")
