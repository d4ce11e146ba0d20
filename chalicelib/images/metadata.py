"""Remove the metadata from the bytes of an image that Pillow cannot open with it.

Browsers and other programs ignore what is wrong with metadata, and Pillow does not. What is kept
is what the pixels and their colors need.
"""

import re
import struct
import zlib
from collections.abc import Collection, Iterator

JPEG_SIGNATURE = b"\xff\xd8"
TIFF_SIGNATURES = (b"II", b"MM")  # the byte order; no other format begins like this

_MAX_PARTS = 100_000  # segments, chunks or tags
_MAX_PROFILE_BYTES = 4 * 1024 * 1024

# ITU-T T.81, annex B: the markers of a segment that has a length, up to the first scan.
_JPEG_MARKER = re.compile(rb"\xff([\xc0-\xcf\xda-\xfe])")
_START_OF_SCAN, _APP0, _APP1, _COMMENT = 0xDA, 0xE0, 0xE1, 0xFE
_EXIF = b"Exif\0\0"

# The fewest bytes of the application segments that JPEG decoders need, by how they begin.
_NEEDED_SEGMENTS = {(0xE0, b"JFIF\0"): 14, (0xEE, b"Adobe"): 12, (0xE2, b"ICC_PROFILE\0"): 15}

# PNG (ISO 15948)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ANCILLARY = 0x20  # a bit of a chunk's name
_TRANSPARENCY_SIZES: dict[int, Collection[int]] = {
    0: (2,),
    2: (6,),
    3: range(1, 257),
}  # by color type

# TIFF 6.0 and its supplements: the tags of the pixels and their orientation.
_NEEDED_TAGS = {
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320),
    *(322, 323, 324, 325, 332, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521),
    *(529, 530, 531, 532),
}

_PROFILE = (34675, 7)  # the tag and its type


def without_metadata(data: bytes) -> tuple[bytes, bytes | None] | None:
    """Return the image without most metadata, and its EXIF; None if there is nothing to remove."""
    try:
        if data.startswith(JPEG_SIGNATURE):
            return _jpeg(data)
        if data.startswith(_PNG_SIGNATURE):
            return _png(data)
        if data.startswith(TIFF_SIGNATURES):
            return _tiff(data), data
        if data[4:8] == b"ftyp":
            return _heif(data), None
    except (struct.error, OverflowError):
        pass  # What has no valid structure is broken without its metadata, too.
    return None


class _Parts:
    """The parts of a file that are kept, without a copy of each."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._ranges: list[tuple[int, int]] = []

    def keep(self, start: int, end: int) -> None:
        if self._ranges and self._ranges[-1][1] == start:
            start = self._ranges.pop()[0]
        self._ranges.append((start, end))

    def joined(self) -> bytes:
        return b"".join(self._data[start:end] for start, end in self._ranges)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the end of each segment, up to the one of the first scan."""
    place = 2
    for _ in range(_MAX_PARTS):
        marker = _JPEG_MARKER.search(data, place)
        if not marker:
            return
        place = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
        yield marker[1][0], marker.start(), place
        if marker[1][0] == _START_OF_SCAN:
            return


def jpeg_exif(data: bytes) -> bytes:
    """Return the content of all EXIF segments of a JPEG, joined as Pillow joins them."""
    if not data.startswith(JPEG_SIGNATURE):
        return b""
    contents = (data[start + 4 : end] for kind, start, end in jpeg_segments(data) if kind == _APP1)
    return b"".join(one.removeprefix(_EXIF) for one in contents if one.startswith(_EXIF))


def _jpeg(data: bytes) -> tuple[bytes, bytes | None] | None:
    parts, exif = _Parts(data), None
    parts.keep(0, 2)
    for kind, start, end in jpeg_segments(data):
        if kind == _START_OF_SCAN:
            parts.keep(start, len(data))
            return parts.joined(), exif
        content = data[start + 4 : end]
        if exif is None and kind == _APP1 and content.startswith(_EXIF):
            exif = content
        if not _APP0 <= kind <= _COMMENT or any(
            kind == needed and content.startswith(name) and len(content) >= least
            for (needed, name), least in _NEEDED_SEGMENTS.items()
        ):
            parts.keep(start, end)
    return None


def _png(data: bytes) -> tuple[bytes, bytes | None] | None:
    parts, exif, place = _Parts(data), None, len(_PNG_SIGNATURE)
    parts.keep(0, place)
    for _ in range(_MAX_PARTS):
        if place + 8 > len(data):
            return parts.joined(), exif
        size, name = struct.unpack_from(">L4s", data, place)
        start, place = place, place + size + 12
        if name[0] & _ANCILLARY:
            content = data[start + 8 : place - 4]
            if name == b"eXIf" and exif is None:
                exif = _EXIF + content
            if zlib.crc32(name + content).to_bytes(4) != data[place - 4 : place]:
                continue
            if not (
                (name == b"tRNS" and len(content) in _TRANSPARENCY_SIZES.get(data[25], ()))
                or (name == b"iCCP" and _is_profile(content))
            ):
                continue
        parts.keep(start, place)
    return None


def _is_profile(content: bytes) -> bool:
    _, _, compressed = content.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(compressed[1:], _MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return compressed[:1] == b"\0" and not inflate.unconsumed_tail


def _tiff(data: bytes) -> bytes:
    """Return the TIFF with only the first directory, which has only the tags that are needed."""
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    offset, count, entry, first = ("Q", "Q", 20, 8) if big else ("L", "H", 12, 4)
    (start,) = struct.unpack_from(order + offset, data, first)
    (entries,) = struct.unpack_from(order + count, data, start)
    begin = start + struct.calcsize(order + count)
    kept = []
    for place in range(begin, begin + min(entries, _MAX_PARTS) * entry, entry):
        tag, kind = struct.unpack_from(order + "HH", data, place)
        if tag in _NEEDED_TAGS or (tag, kind) == _PROFILE:
            kept.append(data[place : place + entry])
    directory = struct.pack(order + count, len(kept)) + b"".join(kept)
    directory += struct.pack(order + offset, 0)  # no next directory
    return b"".join((data[:start], directory, memoryview(data)[start + len(directory) :]))


def _heif(data: bytes) -> bytes:
    """Return the HEIC or AVIF with its metadata items hidden (ISO 23008-12, annex A)."""
    end = data.find(b"mdat") + 1 or len(data)
    head = data[:end]
    for name in (b"Exif", b"mime", b"cdsc"):
        head = head.replace(name, b"free")
    return b"".join((head, memoryview(data)[end:]))
