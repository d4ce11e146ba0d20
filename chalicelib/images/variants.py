"""Name the valid variants of the supported formats that cannot be decoded."""

import io
import struct

from PIL import BmpImagePlugin, TiffImagePlugin

from chalicelib.images.metadata import JPEG_SIGNATURE, TIFF_SIGNATURES, jpeg_segments

# ITU-T T.81, table B.1
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_LOSSLESS_JPEG = {0xC3, 0xC7, 0xCB, 0xCF}
_HIERARCHICAL_JPEG = {0xC5, 0xC6, 0xCD, 0xCE}

# Microsoft's BITMAPCOREHEADER to BITMAPV5HEADER, and IBM's OS/2 2.0 bitmaps, which may end early
_CORE_HEADER, _INFO_HEADER = 12, 40
_BMP_HEADERS = {_CORE_HEADER, *range(16, 68, 4), 108, 124}
_PILLOW_BMP_HEADERS = {_CORE_HEADER, _INFO_HEADER, 52, 56, 64, 108, 124}
_MAX_BMP_COLORS = 256
_BMP_COMPRESSIONS = {3: "unusual bit fields", 4: "JPEG inside", 5: "PNG inside"}
_BMP_COMPRESSIONS |= {6: "unusual bit fields", 11: "CMYK colors", 12: "CMYK colors"}
_CMYK_RLE4 = 13  # the last compression
_BMP_DEPTHS = {0, 1, 2, 4, 8, 16, 24, 32, 64}

# TIFF 6.0, and the compressions that the libtiff of Pillow lacks
_BIG_ENDIAN_BIG_TIFF = b"MM\0+\0\x08\0\0"  # Pillow reads only the little-endian kind.
_BIG = 43
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES = 273, 279, 324, 325
_UNDECODED_COMPRESSIONS = {50001: "WebP"}


def unsupported_variant(data: bytes) -> str | None:
    """Return what to call an image that Pillow could not decode; None if it seems to be broken."""
    try:
        if data.startswith(JPEG_SIGNATURE):
            return _jpeg(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if data.startswith(TIFF_SIGNATURES):
            return _tiff(data)
    except Exception:  # noqa: BLE001 (hostile bytes can make Pillow raise anything)
        return None
    return "Apple's CgBI variant of PNG" if data[12:16] == b"CgBI" else None


def _jpeg(data: bytes) -> str | None:
    frames = (one for one in jpeg_segments(data) if one[0] in _JPEG_FRAMES)
    kind, start, _ = next(frames)
    precision, components = data[start + 4], data[start + 9]
    if kind in _LOSSLESS_JPEG:
        return "Lossless JPEG"
    if kind in _HIERARCHICAL_JPEG:
        return "Hierarchical JPEG"
    if precision in range(9, 17):
        return f"JPEG with {precision} bits per sample"
    return None if components in (1, 3, 4) else f"JPEG with {components} color components"


def _bmp(data: bytes) -> str | None:
    """Name a BMP that Pillow does not open, although its header is valid."""
    (header,) = struct.unpack_from("<L", data, 14)
    colors = compression = 0
    if header == _CORE_HEADER:
        (depth,) = struct.unpack_from("<H", data, 24)
    else:
        (depth,) = struct.unpack_from("<H", data, 28)
        if header >= _INFO_HEADER:
            (compression,) = struct.unpack_from("<L", data, 30)
            (colors,) = struct.unpack_from("<L", data, 46)
    if header not in _BMP_HEADERS or depth not in _BMP_DEPTHS or compression > _CMYK_RLE4:
        return None
    if depth <= 8 and colors > _MAX_BMP_COLORS:
        return f"BMP with {colors} colors" if colors <= 2**16 else None
    if header not in _PILLOW_BMP_HEADERS:
        return f"BMP with an OS/2 header of {header} bytes"
    try:
        BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    except OSError as error:
        if not str(error).startswith("Unsupported BMP"):
            return None
        named = _BMP_COMPRESSIONS.get(compression)
        return f"BMP with {named}" if named else f"BMP with {depth} bits per pixel"
    return None


def _tiff(data: bytes) -> str | None:
    """Name a TIFF whose tags and pixels are complete."""
    if data.startswith(_BIG_ENDIAN_BIG_TIFF):
        (directory,) = struct.unpack_from(">Q", data, 8)
        return "Big-endian BigTIFF" if directory < len(data) else None
    tags = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if data[2] == _BIG else 8])
    file = io.BytesIO(data)
    file.seek(tags.next)
    tags.load(file)
    starts = tags.get(_STRIP_OFFSETS) or tags[_TILE_OFFSETS]
    sizes = tags.get(_STRIP_SIZES) or tags[_TILE_SIZES]
    is_complete = all(start + size <= len(data) for start, size in zip(starts, sizes, strict=True))
    if not is_complete or min(tags[_WIDTH], tags[_HEIGHT]) < 1:
        return None
    compression = tags.get(_COMPRESSION, 1)
    if compression in _UNDECODED_COMPRESSIONS:
        return f"TIFF with {_UNDECODED_COMPRESSIONS[compression]} compression"
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return f"TIFF with compression {compression}"
    try:
        TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except SyntaxError as error:
        if "unknown pixel mode" not in str(error):
            return None
        bits = "+".join(str(depth) for depth in tags.get(_BITS, (1,)))
        return f"TIFF with {bits} bits per pixel and color space {tags.get(_PHOTOMETRIC, 0)}"
    return None
