"""Decompression bombs: what a picture would take, judged from its header before it is decoded."""

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

# Pillow's guard against decompression bombs knows one number of pixels for all formats; ours is
# `refuse_too_much`, which counts what Pillow would really keep of each.
Image.MAX_IMAGE_PIXELS = None

SCALED_DECODE = {"JPEG", "MPO"}  # these are decoded at a reduced scale

_JPEG_PIXELS = 179_000_000
_DECODED_BYTES = 512 * 1024 * 1024
_DECODED_AND_FILE_BYTES = 560 * 1024 * 1024
_MOST_BYTES_OF_A_DECODE = 600_000_000  # the API without a picture has about 100 MB
_MOST_SEGMENTS = 20_000
_SCANNED_PIXELS = 6_000_000_000
_MOST_TAG_NUMBERS = 500_000  # Pillow makes an object of each; a byte is none

# What Pillow keeps for a pixel; every mode that is not here takes 4 bytes.
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}

# These decoders keep several copies of the whole picture; `make bench-memory` measures it.
_BYTES_PER_PIXEL_OF_DECODER = {"WEBP": 16, "AVIF": 14, "HEIF": 10}
_BYTES_PER_PIXEL_OF_DEEP_HEIF = 16  # more than 8 bits, and not 4:2:0
_BYTES_PER_PIXEL_OF_HEIF_ALPHA = 6
_BYTES_PER_PIXEL_OF_RLE = 8  # Pillow unpacks these BMPs in Python

# TIFF 6.0
_TIFF_WIDTH, _TIFF_HEIGHT, BITS_PER_SAMPLE = 256, 257, 258
_SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 277, 278, 322, 323
_BYTES_OF_TAG_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_BYTES_OF_TAG_TYPE |= {13: 4, 16: 8}  # a directory, and BigTIFF's long
_BYTES_AS_THEY_ARE = {1, 2, 7}

# A marker of ITU-T T.81 that is neither data of a scan (FF00, FFD0 to FFD7) nor padding (FFFF).
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_SOFT_LIMIT, _HARD_LIMIT = resource.getrlimit(resource.RLIMIT_DATA)

_STATM = Path("/proc/self/statm")
_one_decode = threading.Lock()

BROKEN = "The picture is broken or cut off."
TOO_LONG = "The picture takes too long to decode."
TOO_BIG = (
    "The picture has too many pixels: JPEG may have 179 million, and no picture may take more than "
    "512 MB when decoded."
)


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Let a header that lies about its picture run into a MemoryError, not the process out of it.

    Linux alone can do that, by the memory a process has asked for (RLIMIT_DATA). The limit is the
    whole process's, so a server with threads decodes one picture at a time.
    """
    if not _STATM.exists():
        yield
        return
    with _one_decode:
        asked_for = int(_STATM.read_text().split()[5])  # data and stack, in pages: proc(5)
        most = asked_for * resource.getpagesize() + _MOST_BYTES_OF_A_DECODE
        resource.setrlimit(resource.RLIMIT_DATA, (most, _HARD_LIMIT))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (_SOFT_LIMIT, _HARD_LIMIT))


def refuse_too_much(image: Image.Image, data: bytes) -> None:
    """Raise UndecodableImage, judging by the header, if decoding would take too much."""
    if image.format in SCALED_DECODE:
        scans = _jpeg_scans_kept(image, data)
        kept = _coefficient_bytes(image) if scans else 0.0
        if scans * image.width * image.height > _SCANNED_PIXELS:
            raise UndecodableImage(TOO_LONG)
        too_big = image.width * image.height > _JPEG_PIXELS
    else:
        kept, too_big = _decoded_bytes(image), False
    too_big = too_big or kept > _DECODED_BYTES or kept + len(data) > _DECODED_AND_FILE_BYTES
    if too_big:
        raise UndecodableImage(TOO_BIG)


def _decoded_bytes(image: Image.Image) -> float:
    """Return what the decoder and Pillow keep of a picture."""
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
        # One escape of a run may leave out 255 rows at once, also below the last.
        pixels, kept = pixels + 255 * image.width, _BYTES_PER_PIXEL_OF_RLE
    else:
        kept = _BYTES_PER_PIXEL_OF_DECODER.get(str(image.format), kept)
    return pixels * kept


def _tiff_bytes(image: Image.Image, kept: int) -> float:
    """Return what a TIFF keeps: libtiff also needs room for a whole tile or strip of it."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    width, height = tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]
    across, down = tags.get(_TILE_WIDTH), tags.get(_TILE_HEIGHT)
    if not across or not down:
        across, down = width, min(height, tags.get(_ROWS_PER_STRIP, height))
    if min(width, height, across, down) < 1:
        raise UndecodableImage(BROKEN)
    # The tiles at the right and the bottom are decoded whole, however little of them is shown.
    padded = -(-width // across) * across * -(-height // down) * down
    samples = tags.get(_SAMPLES_PER_PIXEL, 1) * max(tags.get(BITS_PER_SAMPLE, (8,))) / 8
    if read_orientation(image) != 1:
        kept *= 2  # Pillow turns it in a copy
    return float(padded * kept + across * down * max(4, samples))


def tags_are_modest(tiff: bytes) -> bool:
    """Return whether the values of a TIFF's or of EXIF's tags are few, and no byte is in many.

    Pillow reads them all at once: some kilobytes that every tag points to would become gigabytes.
    """
    tiff = tiff.removeprefix(b"Exif\0\0")
    if tiff[:2] not in (b"II", b"MM"):
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
                return False  # more than there are tags
            start += struct.calcsize(f"{order}{half}")
            for place in range(start, start + entries * entry.size, entry.size):
                tag, kind, count, value = entry.unpack_from(tiff, place)
                size = count * _BYTES_OF_TAG_TYPE.get(kind, 0)
                if value + size > len(tiff):
                    continue  # cut off, or the value itself
                total += size
                numbers += 0 if kind in _BYTES_AS_THEY_ARE else count
                if total > 2 * len(tiff) or numbers > _MOST_TAG_NUMBERS:
                    return False
                if tag in (IFD.Exif, IFD.GPSInfo) and len(directories) < 3:
                    directories.append(value)
    except struct.error:
        pass  # It ends here, for Pillow, too.
    return True


def _layers(image: Image.Image) -> list[tuple[int, int, int, int]]:
    layers: list[tuple[int, int, int, int]] = image.layer  # type: ignore[attr-defined]
    return layers


def _jpeg_scans_kept(image: Image.Image, data: bytes) -> int:
    """Return how often libjpeg goes over the whole picture, keeping it; 0 if it keeps no more.

    It counts the scans as libjpeg would meet them, up to a number no camera writes. Nearly all
    pictures need no search: a first scan that has all colours is the whole of a baseline JPEG.
    """
    count = position = 0
    for _ in range(_MOST_SEGMENTS):
        marker = _JPEG_MARKER.search(data, position)
        if not marker or marker[0] == b"\xff\xd9":
            return max(1, count)
        position = marker.end()
        if marker[0] in (b"\xff\xd8", b"\xff\x01"):
            continue  # these two have no length
        if marker[0] == b"\xff\xda":
            count += 1
            colours = int.from_bytes(data[position + 2 : position + 3])
            if count == 1 and not image.info.get("progressive") and colours >= len(_layers(image)):
                return 0
        position += max(2, int.from_bytes(data[position : position + 2]))
    raise UndecodableImage("The picture has more parts than can be decoded in time.")


def _coefficient_bytes(image: Image.Image) -> float:
    """Return what a progressive JPEG keeps until its last scan: two bytes a sample, unscaled."""
    samplings = [(across, down) for _, across, down, _ in _layers(image)]
    most = max(across * down for across, down in samplings)
    samples = sum(across * down for across, down in samplings) / most
    return float(2 * samples * image.width * image.height)
