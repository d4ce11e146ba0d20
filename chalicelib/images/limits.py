"""Limits against hostile files, checked against an image's header before it is decoded."""

import contextlib
import re
import resource
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD

from chalicelib.errors import UndecodableImage
from chalicelib.images.exif import read_orientation
from chalicelib.images.metadata import TIFF_SIGNATURES

# Pillow's own guard has one limit of pixels for all formats. `require_decodable` replaces it: it
# counts the bytes that each format really takes.
Image.MAX_IMAGE_PIXELS = None

SCALED_DECODE = {"JPEG", "MPO"}  # formats that can be decoded at a reduced scale

MAX_SECONDS = 10  # to decode an image

_MAX_JPEG_PIXELS = 179_000_000
_MAX_DECODED_BYTES = 512 * 1024 * 1024
_MAX_DECODED_AND_FILE_BYTES = 560 * 1024 * 1024
_MAX_ALLOCATED_BYTES = 600_000_000  # The API itself takes about 100 MB.
_MAX_JPEG_SEGMENTS = 20_000
_MAX_SCANNED_PIXELS = 6_000_000_000  # the pixels of a JPEG times its scans
_MAX_TAG_NUMBERS = 500_000  # Pillow makes an object of each number, but not of each byte.

# What Pillow keeps of a pixel, by mode; all other modes take 4 bytes.
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}

# These decoders keep several copies of the whole image; `make bench-memory` measures it.
_BYTES_PER_PIXEL_OF_DECODER = {"WEBP": 16, "AVIF": 14, "HEIF": 10}
_BYTES_PER_PIXEL_OF_DEEP_HEIF = 16  # more than 8 bits, without 4:2:0 subsampling
_BYTES_PER_PIXEL_OF_HEIF_ALPHA = 6
_BYTES_PER_PIXEL_OF_RLE = 8  # Pillow unpacks these BMPs in Python.

# TIFF 6.0
_TIFF_WIDTH, _TIFF_HEIGHT, BITS_PER_SAMPLE = 256, 257, 258
_SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 322, 323
_BYTES_OF_TAG_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_BYTES_OF_TAG_TYPE |= {13: 4, 16: 8}  # a directory, and BigTIFF's 64-bit integer
_BYTE_TAG_TYPES = {1, 2, 7}  # Pillow keeps their values as bytes.

# A marker of ITU-T T.81, except those within a scan (FF00, FFD0 to FFD7) and padding (FFFF).
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_STATM = Path("/proc/self/statm")
_one_decode = threading.Lock()

BROKEN = "This image is broken or incomplete."
CORRUPT_METADATA = "This image's metadata is corrupt."
TOO_COMPLEX = "This image is too complex to process."
TOO_LARGE = (
    f"This image is too large to decode. The limit is {_MAX_DECODED_BYTES // 1024**2} MB decoded, "
    f"or {_MAX_JPEG_PIXELS // 1_000_000} megapixels for JPEG."
)


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Raise MemoryError in the block before an image with a false header exhausts the memory.

    Only Linux can do this, with a limit on what a process may allocate (RLIMIT_DATA). It applies to
    the whole process, so a server with threads decodes one image at a time.
    """
    if not _STATM.exists():
        yield
        return
    with _one_decode:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = allocation_limit()
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def allocation_limit() -> int:
    """Return how many bytes this process may allocate in total to decode an image now.

    Only Linux shows what it has allocated already.
    """
    if not _STATM.exists():
        return resource.RLIM_INFINITY
    allocated = int(_STATM.read_text().split()[5])  # data and stack, in pages: proc(5)
    return allocated * resource.getpagesize() + _MAX_ALLOCATED_BYTES


def require_decodable(image: Image.Image, data: bytes, other_bytes: int = 0) -> None:
    """Raise UndecodableImage if decoding would take too much memory or time, by its header.

    `other_bytes` are in memory next to the file.
    """
    if image.format in SCALED_DECODE:
        scans = _buffered_scans(image, data)
        kept = _coefficient_bytes(image) if scans else 0.0
        if scans * image.width * image.height > _MAX_SCANNED_PIXELS:
            raise UndecodableImage(TOO_COMPLEX)
        too_large = image.width * image.height > _MAX_JPEG_PIXELS
    else:
        kept, too_large = _decoded_bytes(image), False
    too_large = too_large or kept > _MAX_DECODED_BYTES
    if too_large or kept + len(data) + other_bytes > _MAX_DECODED_AND_FILE_BYTES:
        raise UndecodableImage(TOO_LARGE)


def _decoded_bytes(image: Image.Image) -> float:
    """Return how many bytes the decoder and Pillow keep of an image."""
    pixels = image.width * image.height
    kept = _BYTES_PER_PIXEL.get(image.mode, 4)
    if image.format == "TIFF":
        return _tiff_bytes(image, kept)
    if image.format == "HEIF":
        kept = _BYTES_PER_PIXEL_OF_DECODER["HEIF"]
        if image.info["bit_depth"] > 8 and image.info.get("chroma", 444) != 420:
            kept = _BYTES_PER_PIXEL_OF_DEEP_HEIF
        if image.mode in ("LA", "RGBA"):
            kept += _BYTES_PER_PIXEL_OF_HEIF_ALPHA
    elif image.format == "BMP" and image.info.get("compression") in (1, 2):
        # One code of a run may skip 255 rows at once, even below the last one.
        pixels, kept = pixels + 255 * image.width, _BYTES_PER_PIXEL_OF_RLE
    else:
        kept = _BYTES_PER_PIXEL_OF_DECODER.get(str(image.format), kept)
    return pixels * kept


def _tiff_bytes(image: Image.Image, kept: int) -> float:
    """Return how many bytes a TIFF takes, including a whole tile or strip for libtiff."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    width, height = tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]
    across, down = tags.get(_TILE_WIDTH), tags.get(_TILE_HEIGHT)
    if not across or not down:
        across, down = width, min(height, tags.get(_ROWS_PER_STRIP, height))
    if min(width, height, across, down) < 1:
        raise UndecodableImage(BROKEN)
    # The tiles at the right and at the bottom are decoded whole, even if little of them is shown.
    padded = -(-width // across) * across * -(-height // down) * down
    samples = tags.get(_SAMPLES_PER_PIXEL, 1) * max(tags.get(BITS_PER_SAMPLE, (8,))) / 8
    if read_orientation(image) != 1:
        kept *= 2  # Pillow rotates a copy.
    return float(padded * kept + across * down * max(4, samples))


def has_safe_tags(tiff: bytes) -> bool:
    """Return whether the tags of a TIFF or of EXIF have few values that do not overlap.

    Pillow reads all values at once: if every tag points to the same kilobytes, it reads gigabytes.
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    if not tiff.startswith(TIFF_SIGNATURES):
        return True
    order = "<" if tiff[:2] == b"II" else ">"
    big = 43 in tiff[2:4]  # BigTIFF has 64 bits where TIFF has 32
    word, half, first = ("Q", "Q", 8) if big else ("L", "H", 4)
    entry = struct.Struct(f"{order}HH{word}{word}")
    total = numbers = 0
    try:
        directories = list(struct.unpack_from(f"{order}{word}", tiff, first))
        for start in directories:
            (entries,) = struct.unpack_from(f"{order}{half}", tiff, start)
            if entries > 0xFFFF:
                return False  # TIFF has only 65,536 tags.
            start += struct.calcsize(f"{order}{half}")
            for place in range(start, start + entries * entry.size, entry.size):
                tag, kind, count, value = entry.unpack_from(tiff, place)
                size = count * _BYTES_OF_TAG_TYPE.get(kind, 0)
                if value + size > len(tiff):
                    continue  # The value is cut off, or stored in the entry itself.
                total += size
                numbers += 0 if kind in _BYTE_TAG_TYPES else count
                if total > 2 * len(tiff) or numbers > _MAX_TAG_NUMBERS:
                    return False
                if tag in (IFD.Exif, IFD.GPSInfo) and len(directories) < 3:
                    directories.append(value)
    except (struct.error, OverflowError):  # BigTIFF has offsets that no memory has.
        pass  # The tags end here, and Pillow stops here as well.
    return True


def _layers(image: Image.Image) -> list[tuple[int, int, int, int]]:
    layers: list[tuple[int, int, int, int]] = image.layer  # type: ignore[attr-defined]
    return layers


def _buffered_scans(image: Image.Image, data: bytes) -> int:
    """Return how many scans libjpeg collects in memory; 0 if it decodes the image row by row.

    Nearly no image needs a search: a baseline JPEG whose first scan has all components has no
    other scan. The count stops at a number of segments that no camera writes.
    """
    scans = position = 0
    for _ in range(_MAX_JPEG_SEGMENTS):
        marker = _JPEG_MARKER.search(data, position)
        if not marker or marker[0] == b"\xff\xd9":
            return max(1, scans)
        position = marker.end()
        if marker[0] in (b"\xff\xd8", b"\xff\x01"):
            continue  # These two have no length.
        if marker[0] == b"\xff\xda":
            scans += 1
            components = int.from_bytes(data[position + 2 : position + 3])
            is_progressive = image.info.get("progressive")
            if scans == 1 and not is_progressive and components >= len(_layers(image)):
                return 0
        position += max(2, int.from_bytes(data[position : position + 2]))
    raise UndecodableImage(TOO_COMPLEX)


def _coefficient_bytes(image: Image.Image) -> float:
    """Return how many bytes libjpeg collects before the last scan: two a sample, unscaled."""
    samplings = [(across, down) for _, across, down, _ in _layers(image)]
    largest = max(across * down for across, down in samplings)
    samples = sum(across * down for across, down in samplings) / largest
    return float(2 * samples * image.width * image.height)
