"""Name the valid variants of the supported formats that cannot be decoded."""

import struct

from PIL import TiffImagePlugin

# ITU-T T.81, table B.1: what the start of a frame says of its compression.
_LOSSLESS_JPEG = {0xC3, 0xC7, 0xCB, 0xCF}
_HIERARCHICAL_JPEG = {0xC5, 0xC6, 0xCD, 0xCE}
_JPEG_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

# Microsoft's BITMAPINFOHEADER and IBM's OS/2 bitmaps
_BMP_HEADERS = {12, *range(16, 68, 4), 108, 124}
_BMP_COMPRESSIONS = {0: "no", 1: "RLE", 2: "RLE", 3: "bit field", 4: "JPEG", 5: "PNG"}
_BMP_COMPRESSIONS |= {6: "bit field", 11: "CMYK", 12: "CMYK", 13: "CMYK"}
_BMP_DEPTHS = {0, 1, 2, 4, 8, 16, 24, 32, 64}

# TIFF 6.0
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_OFFSETS, _TILE_OFFSETS = 273, 324


def unsupported_variant(data: bytes) -> str | None:
    """Return what to call an image that Pillow could not decode; None if it seems to be broken."""
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data[:2] in (b"II", b"MM"):
            return _tiff(data)
    except Exception:  # noqa: BLE001 (hostile bytes can make Pillow raise anything)
        return None
    return "Apple's CgBI variant of PNG" if data[12:16] == b"CgBI" else None


def _jpeg(data: bytes) -> str | None:
    return None


def _bmp(data: bytes) -> str | None:
    return None


def _tiff(data: bytes) -> str | None:
    return None
