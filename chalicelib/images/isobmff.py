"""The boxes of a HEIC file (ISO 14496-12 and ISO 23008-12), as far as orientation needs them."""

import struct
from collections.abc import Iterator

_ROTATIONS = {b"irot", b"imir"}
_MAX_BOXES = 10_000


def is_rotated(data: bytes) -> bool:
    """Return whether the primary image has a rotation or a mirroring of its own.

    The decoder applies it, and the orientation of EXIF is then void. Also True for a file whose
    boxes are broken.
    """
    try:
        meta = dict(_boxes(dict(_boxes(memoryview(data)))[b"meta"][4:]))
        properties = list(_boxes(meta[b"iprp"]))
        kinds = [kind for kind, _ in _boxes(dict(properties)[b"ipco"])]
        primary = _primary_item(meta[b"pitm"])
        indexes = [
            index
            for kind, content in properties
            if kind == b"ipma"
            for index in _associated(content, primary)
        ]
        return any(kinds[index - 1] in _ROTATIONS for index in indexes if index)
    except (KeyError, IndexError, struct.error):
        return True


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the type and the content of each box, in order."""
    place = 0
    for _ in range(_MAX_BOXES):
        if place + 8 > len(data):
            return
        size, kind = struct.unpack_from(">L4s", data, place)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        size = size or len(data) - place
        if size < head or place + size > len(data):
            raise struct.error("cut off")
        yield kind, data[place + head : place + size]
        place += size


def _primary_item(pitm: memoryview) -> int:
    number: int = struct.unpack_from(">L" if pitm[0] else ">H", pitm, 4)[0]
    return number


def _associated(ipma: memoryview, item: int) -> list[int]:
    """Return the positions, from 1, of an item's properties."""
    identifier = ">LB" if ipma[0] else ">HB"
    wide = ipma[3] & 1
    (entries,) = struct.unpack_from(">L", ipma, 4)
    place = 8
    for _ in range(entries):
        found, count = struct.unpack_from(identifier, ipma, place)
        place += struct.calcsize(identifier)
        indexes = struct.unpack_from(f">{count}{'H' if wide else 'B'}", ipma, place)
        if found == item:
            return [index & (0x7FFF if wide else 0x7F) for index in indexes]
        place += count * (2 if wide else 1)
    return []
