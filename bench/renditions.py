"""Thumbnails compared with those of libvips, for every mode, orientation and profile."""

import io
import itertools
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pyvips
from PIL import Image, ImageChops, ImageFilter, ImageStat
from PIL.ExifTags import Base

from bench.images import encoded, photo_like
from chalicelib.images.decoding import read_image
from chalicelib.images.renditions import THUMBNAIL_QUALITY
from chalicelib.images.sizes import Sizes

_BOX = (300, 200)
_SIZES = Sizes(*_BOX, preview=960)
_MAX_DIFFERENCE = 2  # of 255, on average
_MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "GIF": ("1", "L", "P", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B"),
    "AVIF": ("L", "RGB", "RGBA"),
}
_PROFILES = {"srgb": ("RGB", "RGBA"), "p3": ("RGB", "RGBA"), "cmyk": ("CMYK",)}
_REASONS = {
    "JPEG, CMYK": "no profile: libvips assumes one, and browsers do not",
    "TIFF, CMYK": "no profile: libvips assumes one, and browsers do not",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95},
    "JPEG": {"quality": 95},
}


def main() -> None:
    """Print the mean difference of each image, and exit with 1 if one is too large."""
    warnings.simplefilter("ignore")
    worst = 0.0
    print("| image | mean difference, of 255 | reason |\n|---|---|---|")
    for name, data in _images():
        difference = _difference(data)
        reason = _REASONS.get(name, "")
        worst = max(worst, 0 if reason else difference)
        print(f"| {name} | {difference:.2f} | {reason} |", flush=True)
    sys.exit(worst >= _MAX_DIFFERENCE)


def _images() -> Iterator[tuple[str, bytes]]:
    sharp = Image.open(io.BytesIO(photo_like(1200, 800)))
    photo = sharp.filter(ImageFilter.GaussianBlur(8))  # JPEG would enlarge tiny differences
    for kind, modes in _MODES.items():
        for mode in modes:
            yield f"{kind}, {mode}", encoded(_in_mode(photo, mode), kind, **_OPTIONS.get(kind, {}))
    for kind, orientation in itertools.product(("JPEG", "PNG", "TIFF", "WEBP"), range(1, 9)):
        tags = Image.Exif()
        tags[Base.Orientation] = orientation
        options = _OPTIONS.get(kind, {}) | {"exif": tags}
        yield f"{kind}, orientation {orientation}", encoded(photo, kind, **options)
    for kind, (profile, modes) in itertools.product(("JPEG", "PNG", "TIFF"), _PROFILES.items()):
        icc = pyvips.Image.profile_load(profile)
        for mode in sorted({*modes} & {*_MODES[kind]}):
            options = _OPTIONS.get(kind, {}) | {"icc_profile": icc}
            yield (
                f"{kind}, {mode}, profile {profile}",
                encoded(_in_mode(photo, mode), kind, **options),
            )


def _in_mode(photo: Image.Image, mode: str) -> Image.Image:
    """Return the photo in a mode; one with alpha is the more transparent the farther right."""
    if mode.startswith("I;16"):
        deep = photo.convert("L").convert("I").point(lambda value: value * 257)
        return deep.convert("I;16").convert(mode) if mode == "I;16" else deep.convert(mode)
    if mode == "1":
        return photo.convert("L").point(lambda value: 255 * (value > 127)).convert("1")
    if mode == "P":
        return photo.quantize(64)
    if mode in ("LA", "RGBA"):
        alpha = Image.linear_gradient("L").rotate(90).resize(photo.size)
        photo = photo.convert(mode)
        photo.putalpha(alpha)
        return photo
    return photo.convert(mode)


def _difference(data: bytes) -> float:
    """Return the mean difference of both thumbnails, after the same JPEG step."""
    ours = Image.open(io.BytesIO(read_image(data, _SIZES).thumbnail))
    whole = pyvips.Image.new_from_buffer(data, "")
    other = whole.thumbnail_image(
        _BOX[0], height=_BOX[1], size="down", export_profile="srgb", intent="perceptual"
    )
    if other.hasalpha():
        other = other.flatten(background=255)
    png = other.colourspace("srgb").cast("uchar").pngsave_buffer(keep="none")
    theirs = Image.open(io.BytesIO(png)).convert("RGB")
    if theirs.size != ours.size:  # The two round differently.
        theirs = theirs.resize(ours.size)
    step = encoded(theirs, "JPEG", quality=THUMBNAIL_QUALITY)
    difference = ImageChops.difference(ours, Image.open(io.BytesIO(step)))
    return sum(ImageStat.Stat(difference).mean) / len(difference.getbands())


if __name__ == "__main__":
    main()
