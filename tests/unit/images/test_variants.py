"""Valid images that cannot be decoded: 415 with their name, and not "broken"."""

import struct

import pytest

from chalicelib.errors import UndecodableImage, UnsupportedImage
from chalicelib.images.decoding import read_image
from chalicelib.images.variants import unsupported_variant
from tests.support.images import (
    big_tiff,
    bmp_of,
    deep_tiff,
    encoded,
    gradient,
    jpeg,
    png_chunk,
)
from tests.support.thumbnails import SIZES

JPEG = jpeg()
FRAME = JPEG.index(b"\xff\xc0")


def jpeg_with_frame(kind: int, precision: int = 8, components: int = 3) -> bytes:
    """Return a JPEG whose header has another compression, precision or number of components."""
    size = JPEG[FRAME + 5 : FRAME + 9]
    rest = JPEG[FRAME + 2 + int.from_bytes(JPEG[FRAME + 2 : FRAME + 4], "big") :]
    content = bytes([precision]) + size + bytes([components]) + b"\1\x11\0" * components
    return JPEG[:FRAME] + struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content + rest


def tiff_with_tag(tag: int, value: int, kind: str = "<H") -> bytes:
    """Return a gray TIFF, one of whose tags has another value."""
    data = deep_tiff(kind, 255)
    place = data.index(struct.pack("<HHL", tag, 4, 1)) + 8
    return data[:place] + struct.pack("<L", value) + data[place + 4 :]


def big_endian_big_tiff() -> bytes:
    """Return a gray BigTIFF of 8 by 8 pixels in big-endian byte order."""
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 16), (277, 1), (279, 64)]
    entries = b"".join(struct.pack(">HHQQ", tag, 16, 1, value) for tag, value in tags)
    return big_tiff(80, ">") + bytes(range(64)) + struct.pack(">Q", len(tags)) + entries + bytes(8)


OS2 = {"depth": 8, "compression": 0, "pixels": bytes(64)}
VARIANTS = {
    "Big-endian BigTIFF": big_endian_big_tiff(),
    "TIFF with 32 bits per pixel and color space 6": tiff_with_tag(262, 6, "<L"),
    "TIFF with WebP compression": tiff_with_tag(259, 50001),
    "TIFF with compression 33003": tiff_with_tag(259, 33003),
    "BMP with 2 bits per pixel": bmp_of(2, 0, bytes(16), header=40),
    "BMP with 64 bits per pixel": bmp_of(64, 0, bytes(512), header=40),
    "BMP with JPEG inside": bmp_of(0, 4, JPEG, header=40),
    "BMP with PNG inside": bmp_of(0, 5, bytes(99), header=40),
    "BMP with CMYK colors": bmp_of(32, 11, bytes(256)),
    "BMP with unusual bit fields": bmp_of(32, 3, bytes(256), red=7, green=56, blue=192),
    "BMP with an OS/2 header of 16 bytes": bmp_of(8, 0, bytes(64), header=16),
    "Lossless JPEG": jpeg_with_frame(0xC3),
    "Hierarchical JPEG": jpeg_with_frame(0xC5),
    "JPEG with 12 bits per sample": jpeg_with_frame(0xC1, precision=12),
    "JPEG with 2 color components": jpeg_with_frame(0xC0, components=2),
    "Apple's CgBI variant of PNG": b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"CgBI", b"\x50\0\x20\2")
    + encoded(gradient(), "PNG")[8:].replace(b"IDAT", b"IDAt"),
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@pytest.mark.parametrize("name", VARIANTS)
def test_valid_image_that_is_not_decoded_is_unsupported_by_its_name(name: str) -> None:
    assert unsupported_variant(VARIANTS[name]) == name
    with pytest.raises(UnsupportedImage) as refusal:
        read_image(VARIANTS[name], SIZES)
    assert str(refusal.value) == f"{name} is not supported. Save it as JPEG or PNG."


# ITU-T T.81, table B.1, has these kinds of frames.
@pytest.mark.parametrize("kind", [0xC3, 0xC7, 0xCB, 0xCF])
def test_every_lossless_jpeg_is_named(kind: int) -> None:
    assert unsupported_variant(jpeg_with_frame(kind)) == "Lossless JPEG"


@pytest.mark.parametrize("kind", [0xC5, 0xC6, 0xCD, 0xCE])
def test_every_hierarchical_jpeg_is_named(kind: int) -> None:
    assert unsupported_variant(jpeg_with_frame(kind)) == "Hierarchical JPEG"


def test_bmp_with_too_many_colors_is_unsupported_by_its_name() -> None:
    data = bytearray(bmp_of(8, 0, bytes(64 + 1200), header=40))
    data[46:50] = struct.pack("<L", 300)
    with pytest.raises(UnsupportedImage, match="BMP with 300 colors"):
        read_image(bytes(data), SIZES)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
@pytest.mark.parametrize(
    "data",
    [
        tiff_with_tag(259, 50001)[:1000],
        tiff_with_tag(273, 10_000_000),
        tiff_with_tag(256, 0),
        big_tiff(10_000, ">"),
        bmp_of(30_000, 0, bytes(64), header=40),
        bmp_of(8, 0, bytes(64), header=66),
        bmp_of(24, 99, bytes(192), header=40),
        bmp_of(24, 0, bytes(20), header=40),
        bmp_of(24, 0, bytes(192))[:60],
        b"BM" + bytes(12) + struct.pack("<LHHHH", 12, 8, 8, 1, 24) + bytes(20),
        b"BM" + bytes(12) + struct.pack("<LHHHH", 12, 8, 8, 1, 8),
        tiff_with_tag(278, 0),
        tiff_with_tag(277, 1_000),
        jpeg_with_frame(0xC0, precision=7),
        JPEG[: FRAME + 3],
        encoded(gradient(), "BMP")[:20],
        encoded(gradient(), "TIFF")[:-300],
        encoded(gradient(), "PNG")[:60],
    ],
)
def test_broken_image_has_no_name(data: bytes) -> None:
    assert unsupported_variant(data) is None
    with pytest.raises(UndecodableImage):
        read_image(data, SIZES)
