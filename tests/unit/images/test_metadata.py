"""Good photos with odd metadata: it never causes a rejection."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from chalicelib.errors import UndecodableImage
from chalicelib.images import metadata
from chalicelib.images.decoding import read_image
from chalicelib.images.metadata import without_metadata
from tests.support.images import (
    big_tiff,
    encoded,
    exif,
    full_exif,
    gradient,
    jpeg,
    png_chunk,
    segment,
    with_app1,
    with_chunk,
)
from tests.support.memory import peak_memory
from tests.support.thumbnails import BOX, SIZES, thumbnail_of

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")

JPEG = jpeg()
PNG = encoded(gradient(), "PNG")
TIFF = encoded(gradient(), "TIFF")


def tiff_with(*entries: tuple[int, int, int, bytes], order: str = "<") -> bytes:
    """Return EXIF or a TIFF with entries of (tag, type, number of values, at most four bytes)."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}LH", 8, len(entries))
    packed = (
        struct.pack(f"{order}HHL", tag, kind, count) + value.ljust(4, b"\0")
        for tag, kind, count, value in entries
    )
    return head + b"".join(packed) + bytes(4)


ASCII, SHORT, LONG, UNDEFINED, FLOAT = 2, 3, 4, 7, 11
UNIT = (Base.ResolutionUnit, SHORT, 1, b"\3\0")
MAKE = (Base.Make, ASCII, 4, b"CAM\0")


@pytest.mark.parametrize(
    "resolution",
    [
        (Base.XResolution, ASCII, 3, b"72\0"),
        (Base.XResolution, ASCII, 2, b"7\0"),
        (Base.XResolution, UNDEFINED, 4, b"\0\0\0\x48"),
        (Base.XResolution, UNDEFINED, 1, b"\x48"),
        (Base.XResolution, SHORT, 2, b"\x48\0\1\0"),
        (Base.XResolution, SHORT, 2, b"\x48\0\0\0"),
        (Base.XResolution, FLOAT, 1, b"\0\0\xc0\x7f"),
    ],
    ids=["text", "digit", "bytes", "byte", "two numbers", "zero denominator", "NaN"],
)
def test_jpeg_is_accepted_with_a_resolution_of_another_type_and_keeps_its_exif(
    resolution: tuple[int, int, int, bytes],
) -> None:
    image = read_image(with_app1(JPEG, tiff_with(MAKE, resolution, UNIT)), SIZES)
    assert (image.width, image.height, image.exif.make) == (640, 480, "CAM")


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1, 2**63 - 1, 2**62])
@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiff_with_an_offset_beyond_memory_is_undecodable(offset: int, order: str) -> None:
    with pytest.raises(UndecodableImage):
        read_image(big_tiff(offset, order) + bytes(100), SIZES)


def big_tiff_with_value_at(offset: int) -> bytes:
    """Return a BigTIFF with one tag, whose value is at `offset`."""
    return big_tiff(16) + struct.pack("<QHHQQQ", 1, Base.Make, ASCII, 100, offset, 0)


@pytest.mark.parametrize("exif_bytes", [big_tiff(2**63), big_tiff_with_value_at(2**63)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("keep_jfif", [True, False])
def test_photo_is_accepted_with_the_offset_of_a_big_tiff_in_its_exif(
    exif_bytes: bytes, kind: str, keep_jfif: bool
) -> None:
    if kind == "JPEG":
        data = with_app1(JPEG, exif_bytes, keep_jfif)
    elif kind == "PNG":
        data = with_chunk(PNG, png_chunk(b"eXIf", exif_bytes))
    else:
        data = encoded(gradient(), kind, exif=b"Exif\0\0" + exif_bytes)
    assert read_image(data, SIZES).width == 640


def test_big_tiff_with_a_value_beyond_memory_is_accepted() -> None:
    small = Image.new("RGB", (8, 8), "red")
    data = encoded(small, "TIFF", big_tiff=True)
    entry = struct.pack("<HHQQ", Base.Make, ASCII, 100, 2**63)
    # In place of PlanarConfiguration, whose default is what the file has.
    planar = data.index(struct.pack("<HHQ", 284, SHORT, 1))
    broken = data[:planar] + entry + data[planar + 20 :]
    assert thumbnail_of(broken).getpixel((4, 4)) == pytest.approx((254, 0, 0), abs=2)


@pytest.mark.parametrize(
    "table",
    [
        ((0xB001, LONG, 1, b"\2"), (0xB002, UNDEFINED, 4, b"abcd")),
        ((0xB001, LONG, 1, b"\2"), (0xB002, LONG, 1, b"\5")),
        ((0xB001, ASCII, 2, b"2\0"), (0xB002, UNDEFINED, 4, b"abcd")),
        ((0xB001, LONG, 1, b"\0\0\0\x80"), (0xB002, UNDEFINED, 4, b"")),
        ((0xB001, LONG, 1, b"\2"), (0xB002, UNDEFINED, 4, b"\0\0\0\1")),
    ],
    ids=["too short", "number", "text", "too many", "short"],
)
def test_jpeg_is_accepted_with_a_broken_table_of_several_images(
    table: tuple[tuple[int, int, int, bytes], ...],
) -> None:
    data = JPEG[:2] + segment(0xE2, b"MPF\0" + tiff_with(*table)) + JPEG[2:]
    assert read_image(data, SIZES).width == 640


@pytest.mark.parametrize(
    "extra",
    [
        segment(0xE0, b"JFIF\0"),
        segment(0xEE, b"Adobe"),
        segment(0xE2, b"ICC_PROFILE\0"),
        segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"\xff" * 20),
    ],
    ids=["JFIF", "Adobe", "ICC", "Photoshop", "XMP"],
)
def test_jpeg_is_accepted_with_an_application_segment_that_is_too_short(extra: bytes) -> None:
    tags = exif({Base.Make: "CAM"})
    whole = jpeg(exif=tags)
    image = read_image(whole[:2] + extra + whole[2:], SIZES)
    assert (image.width, image.exif.make) == (640, "CAM")


DEFLATED_ZEROS = zlib.compress(bytes(70_000_000), 9)


@pytest.mark.parametrize("last", [False, True], ids=["before the pixels", "after the pixels"])
@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"sRGB", b"\0")[:-1] + b"x",
        png_chunk(b"tEXt", b"Author\0Me")[:-4] + bytes(4),
        png_chunk(b"sRGB", b""),
        png_chunk(b"pHYs", b"\0\0\1"),
        png_chunk(b"iCCP", b"name\0\1" + zlib.compress(b"profile")),
        png_chunk(b"iCCP", b""),
        png_chunk(b"iCCP", b"name\0\0garbage") + png_chunk(b"sRGB", b""),
        png_chunk(b"iCCP", b"name\0\0" + DEFLATED_ZEROS),
        png_chunk(b"zTXt", b"Author\0\1" + zlib.compress(b"Me")),
        png_chunk(b"zTXt", b"Author\0\0" + DEFLATED_ZEROS),
        png_chunk(b"iTXt", b"Author\0\1\0\0\0" + DEFLATED_ZEROS),
        png_chunk(b"gAMA", b"\0"),
        png_chunk(b"cHRM", b"\0\0\0\1\0"),
        png_chunk(b"tIME", b""),
        png_chunk(b"eXIf", b""),
        png_chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
        png_chunk(b"acTL", b"\0"),
        png_chunk(b"fcTL", b"\0" * 26),
        png_chunk(b"tRNS", b""),
        png_chunk(b"teXt", b""),
    ],
    ids=lambda chunk: chunk[4:8].decode(),
)
def test_png_is_accepted_with_a_bad_ancillary_chunk(chunk: bytes, last: bool) -> None:
    image = read_image(with_chunk(PNG, chunk, last), SIZES)
    assert (image.width, image.height) == (640, 480)


@pytest.mark.parametrize("exif_last", [False, True])
def test_png_with_a_bad_chunk_keeps_its_exif_and_orientation(exif_last: bool) -> None:
    tags = full_exif()
    tags[Base.Orientation] = 6
    found = png_chunk(b"eXIf", tags.tobytes()[6:])
    for last in (False, True):
        data = with_chunk(with_chunk(PNG, png_chunk(b"sRGB", b""), last), found, exif_last)
        image = read_image(data, SIZES)
        assert (image.width, image.exif.model) == (480, "DSLR-A300")


def swapped_profile() -> bytes:
    """Return a profile that exchanges the red primary of sRGB and the green one."""
    name = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = name.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ")
    return swapped.replace(b"....", b"gXYZ")


def test_colors_do_not_depend_on_bad_metadata() -> None:
    red = Image.new("RGB", BOX, "red")
    png = encoded(red, "PNG", icc_profile=swapped_profile())
    photo = encoded(red, "JPEG", icc_profile=swapped_profile())
    mpf = segment(0xE2, b"MPF\0" + tiff_with((0xB001, LONG, 1, b"\2"), (0xB002, LONG, 1, b"")))
    for data in (with_chunk(png, png_chunk(b"sRGB", b"")), photo[:2] + mpf + photo[2:]):
        assert thumbnail_of(data).getpixel((150, 100)) == pytest.approx((0, 255, 0), abs=12)


def test_transparent_color_does_not_depend_on_bad_metadata() -> None:
    data = encoded(Image.new("L", BOX, 7), "PNG", transparency=7)
    thumbnail = thumbnail_of(with_chunk(data, png_chunk(b"sRGB", b"")))
    assert thumbnail.getpixel((150, 100)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("tag", "kind", "count", "value"),
    [
        (Base.XResolution, ASCII, 3, b"72\0"),
        (700, ASCII, 4, b"xmp\0"),
        (700, SHORT, 2, b"\1\0\1\0"),
        (Base.InterColorProfile, ASCII, 4, b"icc\0"),
        (Base.InterColorProfile, SHORT, 2, b"\1\0\1\0"),
        (34665, LONG, 1, b"\xff\xff\xff\xff"),
        (34665, ASCII, 3, b"no\0"),
        (34853, SHORT, 2, b"\1\0\1\0"),
        (40965, LONG, 1, b"\1"),
        (700, UNDEFINED, 2**31, b"\1"),
    ],
)
def test_tiff_is_accepted_with_a_tag_of_another_type(
    tag: int, kind: int, count: int, value: bytes
) -> None:
    pixels = bytes(range(64)) * 3
    entries = [
        *((256, SHORT, 1, b"\x08\0"), (257, SHORT, 1, b"\x18\0"), (258, SHORT, 1, b"\x08\0")),
        *((259, SHORT, 1, b"\1\0"), (262, SHORT, 1, b"\1\0"), (271, ASCII, 4, b"CAM\0")),
        *((273, LONG, 1, b"\x08\1"), (277, SHORT, 1, b"\1\0"), (278, SHORT, 1, b"\x18\0")),
        *((279, LONG, 1, b"\xc0"), (283, ASCII, 3, b"72\0"), (296, SHORT, 1, b"\3\0")),
        (tag, kind, count, value),
    ]
    data = tiff_with(*sorted(entries)).ljust(264, b"\0") + pixels
    image = read_image(data, SIZES)
    assert (image.width, image.height, image.exif.make) == (8, 24, "CAM")


def test_tiff_keeps_its_orientation_without_its_metadata() -> None:
    tags = exif({Base.Orientation: 6, Base.XResolution: 72.0})
    data = encoded(gradient(), "TIFF", exif=tags)
    (start,) = struct.unpack_from("<L", data, 4)
    place = data.index(struct.pack("<HH", Base.XResolution, 5), start)
    broken = data[:place] + struct.pack("<HHL4s", 700, ASCII, 3, b"xm\0") + data[place + 12 :]
    assert read_image(broken, SIZES).width == 480


@pytest.mark.parametrize("name", [b"Exif", b"mime"])
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_image_is_accepted_with_broken_metadata_in_its_boxes(kind: str, name: bytes) -> None:
    data = encoded(gradient(), kind, exif=full_exif().tobytes(), xmp=b"<x:xmpmeta/>" * 9)
    payload = data.index(b"MM\0*" if name == b"Exif" else b"<x:xmpmeta/>")
    broken = data[: payload - 6] + b"\xff" * 40 + data[payload + 34 :]
    assert broken != data
    assert read_image(broken, SIZES).width == 640


def test_jpeg_whose_exif_would_take_gigabytes_takes_little_memory() -> None:
    setup = """
import struct
from chalicelib.images.decoding import read_image
from tests.support.images import jpeg, segment
from tests.support.thumbnails import SIZES
tags = b"".join(struct.pack("<HHLL", 30_000 + n, 1, 1_299_000, 0) for n in range(5_000))
exif = (b"II*\\0" + struct.pack("<LH", 8, 5_000) + tags).ljust(1_300_000, b"x")
parts = [exif[start : start + 65_000] for start in range(0, len(exif), 65_000)]
base = jpeg()
segments = b"".join(segment(0xE1, b"Exif\\0\\0" + part) for part in parts)
data = base[:2] + segments + base[2:]
"""
    decode = "assert read_image(data, SIZES).width == 640"
    assert peak_memory(setup, decode) < 60_000_000


def test_first_error_is_reported_if_the_image_is_broken_without_its_metadata() -> None:
    data = with_chunk(PNG, png_chunk(b"sRGB", b""))
    with pytest.raises(UndecodableImage, match="broken, or too large"):
        read_image(data[: len(data) // 2], SIZES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe1",
        b"II*\0",
        b"II+\0\x08\0\0\0" + b"\xff" * 8,
        b"MM\0*\xff\xff\xff\xff",
        b"\xff\xd8" + segment(0xE1, b"x") * 101,
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"tEXt", b"") * 101,
    ],
)
def test_bytes_without_a_structure_have_no_metadata_to_remove(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "_MAX_PARTS", 100)
    assert without_metadata(data) is None


def test_image_without_its_metadata_has_the_same_pixels() -> None:
    for kind in ("JPEG", "PNG", "TIFF"):
        data = encoded(gradient(), kind, exif=full_exif().tobytes())
        plain = without_metadata(data)
        assert plain
        assert plain[1] is not None
        with Image.open(io.BytesIO(plain[0])) as image, Image.open(io.BytesIO(data)) as whole:
            assert image.tobytes() == whole.tobytes()
            assert Base.Make not in image.getexif()
