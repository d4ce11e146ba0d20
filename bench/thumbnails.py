"""Preview, thumbnail and thumbhash of generated images, and of photos of your own."""

import io
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy
import pyvips
import simplejpeg
from PIL import Image

from bench.images import encoded, photo_like, signal_to_noise
from bench.table import Row, compared, milliseconds
from chalicelib.images.decoding import read_image
from chalicelib.images.renditions import (
    PREVIEW_QUALITY,
    THUMBNAIL_QUALITY,
    fitted,
    make_thumbnail,
    to_jpeg,
    upright_preview,
)
from chalicelib.images.sizes import Sizes
from chalicelib.images.thumbhash import thumbhash

SIZES = Sizes(600, 400, 1920)
BOX = (600, 400)
_PLAIN, _VIPS = "full decode, then resize", "libvips, without thumbhash"
_LIMIT = "scaled decode and both JPEGs (simplejpeg)"
_WHOLE = "all of `read_image`: format, limits, EXIF"
_MAX_MEMORY = 80  # MB
_MAX_LOSS = {"preview": 0.6, "thumbnail": 0.3}  # dB
_TOLERANCE = 1.02  # Two measurements of the same speed differ by as much.
_TARGET = 1.35
_RESIZED = "the limit has no resizing, which this size needs after decoding"

# By how much each way raises the memory of its process, from the peak that Linux records.
_PEAK = """
import re, sys
from pathlib import Path
from bench.thumbnails import WAYS
data = Path(sys.argv[1]).read_bytes()
WAYS[sys.argv[2]](Path(sys.argv[3]).read_bytes())
Path("/proc/self/clear_refs").write_text("5")
status = Path("/proc/self/status")
before = int(re.search(r"VmRSS:\\s+(\\d+)", status.read_text())[1])
WAYS[sys.argv[2]](data)
print((int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) - before) / 1024)
"""


def _plain(data: bytes) -> object:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    preview = image.resize(fitted(image.size, (1920, 1920)), Image.Resampling.LANCZOS)
    thumbnail = image.resize(fitted(image.size, BOX), Image.Resampling.LANCZOS)
    return encoded(preview, "JPEG", quality=PREVIEW_QUALITY), encoded(
        thumbnail, "JPEG", quality=THUMBNAIL_QUALITY
    )


def _libvips(data: bytes) -> object:
    preview = pyvips.Image.thumbnail_buffer(data, 1920, height=1920).copy_memory()
    thumbnail = preview.thumbnail_image(BOX[0], height=BOX[1])
    return preview.jpegsave_buffer(Q=PREVIEW_QUALITY), thumbnail.jpegsave_buffer(
        Q=THUMBNAIL_QUALITY
    )


def _limit(data: bytes) -> object:
    """Decode at the scale of the preview, and encode as many pixels as both renditions have."""
    with Image.open(io.BytesIO(data)) as image:
        width, height = fitted(image.size, (1920, 1920))
        across, down = fitted(image.size, BOX)
    pixels = simplejpeg.decode_jpeg(data, min_width=width, min_height=height)
    preview = numpy.ascontiguousarray(pixels[:height, :width])
    thumbnail = numpy.ascontiguousarray(pixels[:down, :across])
    return simplejpeg.encode_jpeg(
        preview, PREVIEW_QUALITY, colorsubsampling="420"
    ), simplejpeg.encode_jpeg(thumbnail, THUMBNAIL_QUALITY, colorsubsampling="420")


def _ours(data: bytes) -> tuple[bytes, bytes, str]:
    width, height, preview = upright_preview(Image.open(io.BytesIO(data)), SIZES.preview)
    thumbnail = make_thumbnail(preview, fitted((width, height), BOX))
    return (
        to_jpeg(preview, PREVIEW_QUALITY),
        to_jpeg(thumbnail, THUMBNAIL_QUALITY),
        thumbhash(thumbnail),
    )


WAYS: dict[str, Callable[[bytes], object]] = {
    "ours": _ours,
    _PLAIN: _plain,
    _VIPS: _libvips,
    _LIMIT: _limit,
}


def rows(photos: Path | None) -> list[Row]:
    """Measure generated images, and the photos of a folder."""
    pyvips.cache_set_max(0)
    generated = [photo_like(2048, 1371, seed) for seed in range(6)]
    found = _speed("six photo-like images of 2.8 MP", generated, 9)
    found += _quality("six photo-like images", generated)
    if photos:
        own = [path.read_bytes() for path in sorted(photos.glob("*.[jJ][pP]*[gG]"))]
        megapixels = statistics.mean(_megapixels(one) for one in own)
        name = f"{len(own)} photos of a camera, {megapixels:.1f} MP"
        found += [*_speed(name, own, 9), *_quality(name, own)]
    for name, across in (("12 MP", 1), ("48 MP", 2), ("108 MP", 3)):
        large = _tiled(photo_like(4000, 3000, 7), across)
        found += _speed(f"{name}, {len(large) / 1e6:.1f} MB", [large], 5)
    return [*found, _memory("108 MP", large)]


def _speed(what: str, images: list[bytes], repeats: int) -> list[Row]:
    ways = WAYS | {_WHOLE: lambda data: read_image(data, SIZES)}
    each = [
        milliseconds({name: _bind(way, one) for name, way in ways.items()}, repeats)
        for one in images
    ]
    times = {name: statistics.mean(one[name] for one in each) for name in ways}
    ours, vips, whole, limit = (times[name] for name in ("ours", _VIPS, _WHOLE, _LIMIT))
    return [
        compared(f"renditions, {what}", times, "ms", _PLAIN, _LIMIT, _TARGET, _RESIZED),
        Row(
            "the same with libvips",
            f"{ours:.3g} ms",
            f"{_VIPS}: {vips:.3g} ms, {vips / ours:.2f}x ours",
            "",
            "at least as fast",
            ours <= vips * _TOLERANCE,
        ),
        Row(
            f"the same with {_WHOLE}",
            f"{whole:.3g} ms",
            f"{whole / ours:.2f}x the renditions",
            f"{whole / limit:.2f}x the limit",
        ),
    ]


def _bind(way: Callable[[bytes], object], data: bytes) -> Callable[[], object]:
    return lambda: way(data)


def _tiled(data: bytes, across: int) -> bytes:
    tile = Image.open(io.BytesIO(data))
    whole = Image.new("RGB", (tile.width * across, tile.height * across))
    for number in range(across * across):
        whole.paste(tile, (number % across * tile.width, number // across * tile.height))
    return encoded(whole, "JPEG", quality=85)


def _megapixels(data: bytes) -> float:
    image = Image.open(io.BytesIO(data))
    return image.width * image.height / 1e6


def _quality(what: str, images: list[bytes]) -> list[Row]:
    found = []
    for number, (name, quality) in enumerate(
        (("preview", PREVIEW_QUALITY), ("thumbnail", THUMBNAIL_QUALITY))
    ):
        losses = [_loss(one, number, quality) for one in images]
        found.append(
            Row(
                f"quality of the {name}, {what}",
                f"{statistics.mean(losses):+.2f} dB lost on average, {max(losses):+.2f} at worst",
                f"full resolution, Lanczos, JPEG of quality {quality}: 0 dB",
                "",
                f"at most {_MAX_LOSS[name]} dB for each",
                max(losses) <= _MAX_LOSS[name],
            )
        )
    return found


def _loss(data: bytes, number: int, quality: int) -> float:
    """Return by how many dB a rendition is farther from the ideal one than the plain way's JPEG."""
    small = Image.open(io.BytesIO(_ours(data)[:2][number]))
    with Image.open(io.BytesIO(data)) as whole:
        ideal = whole.convert("RGB").resize(small.size, Image.Resampling.LANCZOS)
    plain = Image.open(io.BytesIO(encoded(ideal, "JPEG", quality=quality)))
    return signal_to_noise(plain, ideal) - signal_to_noise(small, ideal)


def _memory(what: str, data: bytes) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.jpg", Path(folder) / "small.jpg"
        large.write_bytes(data)
        small.write_bytes(photo_like(400, 300))
        peaks = {}
        for name in WAYS:
            command = [sys.executable, "-c", _PEAK, str(large), name, str(small)]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            peaks[name] = float(run.stdout)
    return Row(
        f"memory, {what}",
        f"{peaks['ours']:.0f} MB more",
        f"{_PLAIN}: {peaks[_PLAIN]:.0f} MB",
        f"{_LIMIT}: {peaks[_LIMIT]:.0f} MB; {_VIPS}: {peaks[_VIPS]:.0f} MB",
        f"at most {_MAX_MEMORY} MB more",
        peaks["ours"] <= _MAX_MEMORY,
    )
