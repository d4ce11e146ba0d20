"""Limits against hostile files."""

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base
from PIL.TiffTags import TAGS_V2

from chalicelib.errors import UndecodableImage
from chalicelib.images import limits
from chalicelib.images.decoding import read_image
from chalicelib.images.exif import Exif
from tests.support.images import deep_tiff, encoded, gradient, png_claiming
from tests.support.thumbnails import SIZES, read_here

ROOT = Path(__file__).parents[3]
MAX_DECODED = 512 * 1024 * 1024  # bytes


def jpeg_claiming(width: int, height: int, **options: Any) -> bytes:
    """Return a JPEG whose header promises a size that its few bytes do not have."""
    small = encoded(gradient(), "JPEG", **options)
    frame = b"\xff\xc2" if options.get("progressive") else b"\xff\xc0"
    start = small.index(frame) + 5
    return small[:start] + struct.pack(">HH", height, width) + small[start + 4 :]


def webp_claiming(width: int, height: int) -> bytes:
    """Return a lossless WebP whose header promises a size that its few bytes do not have."""
    data = bytearray(encoded(gradient(64, 64), "WEBP", lossless=True))
    # After a signature byte, the header has 14 bits each of width and height less one.
    start = data.index(b"VP8L") + 9
    data[start : start + 4] = (width - 1 | (height - 1) << 14).to_bytes(4, "little")
    return bytes(data)


def with_tag(tiff: bytes, replaced: int, tag: int, value: int) -> bytes:
    """Return a TIFF of `deep_tiff` with the tag `replaced` replaced by another one."""
    start = tiff.index(struct.pack("<HHL", replaced, 4, 1))
    return tiff[:start] + struct.pack("<HHLL", tag, 4, 1, value) + tiff[start + 12 :]


@pytest.mark.parametrize(
    "data",
    [
        png_claiming(30_000, 30_000),
        png_claiming(2_000_000_000, 2),
        webp_claiming(7_000, 7_000),
        webp_claiming(16_000, 16_000),  # Pillow cannot even open this one.
        jpeg_claiming(13_400, 13_400),
        # libjpeg would keep all of these 177 megapixels, in a gigabyte, until the last scan.
        jpeg_claiming(13_300, 13_300, progressive=True, subsampling=0),
        with_tag(with_tag(deep_tiff("<H", 65535), 277, 322, 100_000), 339, 323, 100_000),
    ],
    ids=["PNG", "wide PNG", "WebP", "larger WebP", "JPEG", "progressive JPEG", "tiles of a TIFF"],
)
def test_image_that_would_take_too_much_memory_is_rejected_before_decoding(data: bytes) -> None:
    with pytest.raises(UndecodableImage, match="too large to (decode|open)"):
        read_here(data)


def image_claiming(kind: str, mode: str, height: int, info: dict[str, Any]) -> Image.Image:
    """Return an image as Pillow opens it, 1,024 pixels wide and not yet decoded."""
    image = Image.new(mode, (1, 1))
    image.format = kind
    image.info.update(info)
    image._size = (1024, height)
    return image


@pytest.mark.parametrize(
    ("kind", "mode", "info", "bytes_per_pixel", "more_rows"),
    [
        ("PNG", "P", {}, 1, 0),
        ("PNG", "I;16", {}, 2, 0),
        ("PNG", "RGB", {}, 4, 0),
        ("GIF", "L", {}, 1, 0),
        ("WEBP", "RGB", {}, 16, 0),
        ("AVIF", "RGB", {}, 14, 0),
        ("HEIF", "RGB", {"bit_depth": 8, "chroma": 444}, 10, 0),
        ("HEIF", "RGB", {"bit_depth": 10, "chroma": 420}, 10, 0),
        ("HEIF", "RGB", {"bit_depth": 10, "chroma": 444}, 16, 0),
        ("HEIF", "RGB", {"bit_depth": 10}, 16, 0),
        ("HEIF", "RGBA", {"bit_depth": 8, "chroma": 444}, 16, 0),
        ("BMP", "P", {"compression": 0}, 1, 0),
        ("BMP", "P", {"compression": 1}, 8, 255),
    ],
)
def test_image_is_judged_by_what_its_decoder_keeps(
    kind: str, mode: str, info: dict[str, Any], bytes_per_pixel: int, more_rows: int
) -> None:
    height = MAX_DECODED // bytes_per_pixel // 1024 - more_rows
    limits.require_decodable(image_claiming(kind, mode, height, info), b"")
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(image_claiming(kind, mode, height + 1, info), b"")


def tiff_claiming(height: int, orientation: int = 1, **tags: int) -> Image.Image:
    """Return a TIFF as Pillow opens it, of gray pixels and 1,024 wide, with tags by their names."""
    image = image_claiming("TIFF", "L", height, {})
    image.getexif()[Base.Orientation] = orientation
    numbers = {one.name: number for number, one in TAGS_V2.items()}
    given = {numbers[name]: value for name, value in tags.items()}
    image.tag_v2 = {256: 1024, 257: height, 258: (8,)} | given  # type: ignore[attr-defined]
    return image


@pytest.mark.parametrize(
    ("orientation", "tags", "rows"),
    [
        # One strip of all rows: libtiff keeps four bytes of each of its pixels.
        (1, {}, MAX_DECODED // 5 // 1024),
        (1, {"RowsPerStrip": 1}, MAX_DECODED // 1024 - 4),
        # Pillow rotates a copy.
        (3, {"RowsPerStrip": 1}, (MAX_DECODED // 1024 - 4) // 2),
        (6, {"RowsPerStrip": 1}, (MAX_DECODED // 1024 - 4) // 2),
        # The tiles at the right are decoded whole, as if the image were 1,500 wide.
        (1, {"TileWidth": 1500, "TileLength": 1}, (MAX_DECODED - 6000) // 1500),
        (1, {"TileWidth": 600, "TileLength": 1}, (MAX_DECODED - 2400) // 1200),
    ],
    ids=["one strip", "strips", "upside down", "sideways", "one tile", "two tiles"],
)
def test_tiff_is_judged_by_its_tiles_and_by_its_rotation(
    orientation: int, tags: dict[str, int], rows: int
) -> None:
    limits.require_decodable(tiff_claiming(rows, orientation, **tags), b"")
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(tiff_claiming(rows + 1, orientation, **tags), b"")


def test_tiles_at_the_bottom_of_a_tiff_are_counted_whole() -> None:
    width, rows = 1024, 100_000  # The rows of one tile.
    tags = {"TileWidth": width, "TileLength": rows}
    limits.require_decodable(tiff_claiming(rows, **tags), b"")
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(tiff_claiming(rows + 1, **tags), b"")


def test_file_counts_toward_the_memory_of_its_image() -> None:
    image = image_claiming("PNG", "L", MAX_DECODED // 1024, {})
    limits.require_decodable(image, bytes(48 * 1024 * 1024))
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(image, bytes(48 * 1024 * 1024 + 1))
    # Without its metadata, a file is in memory twice.
    limits.require_decodable(image, bytes(24 * 1024 * 1024), 24 * 1024 * 1024)
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(image, bytes(24 * 1024 * 1024), 24 * 1024 * 1024 + 1)


def with_segments(jpeg: bytes, segments: bytes) -> bytes:
    """Return a JPEG with more segments before its first scan."""
    place = jpeg.index(b"\xff\xda")
    return jpeg[:place] + segments + jpeg[place:]


@pytest.mark.parametrize(
    "data",
    [
        with_segments(jpeg_claiming(6000, 6000, progressive=True), b"\xff\xda\0\2" * 200),
        with_segments(encoded(gradient(), "JPEG"), b"\xff\xfe\0\2" * 20_001),
    ],
    ids=["scans", "segments"],
)
def test_jpeg_with_too_many_parts_is_rejected(data: bytes) -> None:
    with pytest.raises(UndecodableImage, match="too complex"):
        read_image(data, SIZES)


def test_markers_inside_other_segments_of_a_jpeg_are_no_scans() -> None:
    # Such as those of a thumbnail in EXIF.
    comment = b"\xff\xda\0\2" * 200 + b"\xff\xd9"
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    data = with_segments(jpeg_claiming(6000, 6000, progressive=True), segment)
    limits.require_decodable(Image.open(io.BytesIO(data)), data)


def test_jpeg_is_kept_in_memory_until_its_last_scan_only_if_its_first_lacks_colors() -> None:
    data = jpeg_claiming(13_300, 13_300, subsampling=0)
    limits.require_decodable(Image.open(io.BytesIO(data)), data)
    data = with_segments(data, b"\xff\xda\0\3\1")
    with pytest.raises(UndecodableImage, match="too large to decode"):
        limits.require_decodable(Image.open(io.BytesIO(data)), data)


def test_tiff_with_strips_of_no_rows_is_rejected() -> None:
    with pytest.raises(UndecodableImage, match="broken"):
        read_here(with_tag(deep_tiff("<H", 65535), 278, 278, 0))


def test_each_type_of_tag_has_the_size_that_pillow_reads() -> None:
    dispatch = TiffImagePlugin.ImageFileDirectory_v2._load_dispatch
    assert {kind: size for kind, (size, _) in dispatch.items()} == limits._BYTES_OF_TAG_TYPE


def tiff_of_tags(count: int, kind: int, values: int, rest: int = 0) -> bytes:
    """Return a TIFF with tags of a type, whose values all begin at the start of the file."""
    directory = b"".join(
        struct.pack("<HHLL", 40_000 + number, kind, values, 0) for number in range(count)
    )
    return b"II*\0" + struct.pack("<LH", 8, count) + directory + bytes(4 + rest)


def big_tiff_of_entries(count: int) -> bytes:
    """Return the start of a BigTIFF that claims to have `count` tags."""
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, count)


BYTE, SHORT = 1, 3
OVERLAPPING = tiff_of_tags(50, BYTE, 600)


@pytest.mark.parametrize(
    "tiff",
    [OVERLAPPING, tiff_of_tags(1, SHORT, 600_000, 1_200_000), big_tiff_of_entries(65_536)],
    ids=["overlapping", "too many values", "too many tags"],
)
def test_tiff_with_unsafe_tags_is_rejected(tiff: bytes) -> None:
    with pytest.raises(UndecodableImage, match="metadata is corrupt"):
        read_here(tiff)


@pytest.mark.parametrize(
    "tiff",
    [
        tiff_of_tags(50, BYTE, 20),
        tiff_of_tags(1, BYTE, 600_000, 600_000),
        tiff_of_tags(50, BYTE, 10_000),
        big_tiff_of_entries(65_535),
        encoded(gradient(), "TIFF"),
        b"no TIFF",
    ],
    ids=["few", "one of many bytes", "cut off", "no tags", "valid", "other"],
)
def test_other_tags_are_safe(tiff: bytes) -> None:
    assert limits.has_safe_tags(tiff)


def test_unsafe_exif_is_ignored() -> None:
    image = read_image(encoded(gradient(), "JPEG", exif=b"Exif\0\0" + OVERLAPPING), SIZES)
    assert (image.width, image.exif) == (640, Exif())


def test_process_that_already_takes_much_memory_can_decode() -> None:
    script = """
from chalicelib.images.decoding import read_image
from tests.support.images import encoded, gradient
held = b"x" * 800_000_000
from chalicelib.images.sizes import Sizes
print(read_image(encoded(gradient(), "AVIF"), Sizes(300, 200, 640)).width)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "640\n"


def test_system_without_proc_can_decode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_STATM", tmp_path / "missing")
    assert read_image(encoded(gradient(), "PNG"), SIZES).width == 640
