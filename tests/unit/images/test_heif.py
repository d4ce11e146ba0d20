"""HEIC: what the file says of itself."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from PIL.ExifTags import Base

from chalicelib.images import decoding
from chalicelib.images.decoding import read_image
from chalicelib.images.isobmff import is_rotated
from chalicelib.images.renditions import _TRANSPOSITIONS as TRANSPOSITIONS
from tests.support.images import encoded, exif, full_exif, gradient
from tests.support.thumbnails import SIZES, thumbnail_of

ROOT = Path(__file__).parents[3]


def test_primary_image_of_heic_is_used() -> None:
    red, lime = Image.new("RGB", (900, 600), "red"), Image.new("RGB", (600, 900), "lime")
    data = encoded(red, "HEIF", save_all=True, append_images=[lime], primary_index=1)
    image = read_image(data, SIZES)
    assert (image.width, image.height) == (600, 900)
    assert thumbnail_of(data).getpixel((66, 100)) == pytest.approx((0, 255, 0), abs=12)


def heic_with(orientation: int, **options: Any) -> bytes:
    """Return a HEIC whose EXIF has an orientation that does not become its own rotation."""
    tags = exif({Base.Orientation: 9}).tobytes()
    data = encoded(gradient(400, 300), "HEIF", exif=tags, **options)
    entry = struct.pack(">HHL", Base.Orientation, 3, 1)
    place = data.index(entry) + len(entry)
    return data[:place] + struct.pack(">H", orientation) + data[place + 2 :]


@pytest.mark.parametrize("orientation", range(10))
def test_heic_without_a_rotation_of_its_own_is_rotated_by_its_exif(orientation: int) -> None:
    image = read_image(heic_with(orientation), SIZES)
    plain = gradient(400, 300)
    upright = (
        plain.transpose(TRANSPOSITIONS[orientation]) if orientation in TRANSPOSITIONS else plain
    )
    assert (image.width, image.height) == upright.size
    thumbnail = Image.open(io.BytesIO(image.thumbnail)).convert("L")
    expected = upright.resize(thumbnail.size).convert("L")
    assert ImageStat.Stat(ImageChops.difference(thumbnail, expected)).mean[0] < 3


@pytest.mark.parametrize("own", [3, 6])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_with_a_rotation_of_its_own_is_not_rotated_twice(own: int, orientation: int) -> None:
    data = encoded(gradient(400, 300), "HEIF", exif=exif({Base.Orientation: own}).tobytes())
    entry = struct.pack(">HHL", Base.Orientation, 3, 1)
    place = data.index(entry) + len(entry)
    turned = data[:place] + struct.pack(">H", orientation) + data[place + 2 :]
    image = read_image(turned, SIZES)
    assert (image.width, image.height) == ((300, 400) if own == 6 else (400, 300))
    assert image.thumbnail == read_image(data, SIZES).thumbnail


def test_rotation_of_another_item_of_a_heic_does_not_count() -> None:
    first = gradient(400, 300)
    several = {"save_all": True, "append_images": [first.copy()], "primary_index": 1}
    assert not is_rotated(encoded(first, "HEIF"))
    own = exif({Base.Orientation: 6}).tobytes()
    assert is_rotated(encoded(first, "HEIF", exif=own))
    first.info["exif"] = own
    assert not is_rotated(encoded(first, "HEIF", **several))


def box(kind: bytes, content: bytes, large: bool = False) -> bytes:
    """Return a box of ISO 14496-12, with a size of 32 or of 64 bits."""
    if large:
        return struct.pack(">L4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">L4s", len(content) + 8, kind) + content


def boxes_with(associations: bytes, flags: int = 0, version: int = 0, large: bool = False) -> bytes:
    """Return a file whose items 7 and 8 may have an `irot`, its second property."""
    pitm = box(b"pitm", bytes([version, 0, 0, 0]) + (7).to_bytes(4 if version else 2))
    ipco = box(b"ipco", box(b"ispe", bytes(12)) + box(b"irot", b"\1"))
    ipma = box(b"ipma", bytes([version, 0, 0, flags]) + associations)
    meta = box(b"meta", bytes(4) + pitm + box(b"iprp", ipco + ipma), large)
    return box(b"mdat", bytes(20), large) + meta


@pytest.mark.parametrize(
    ("data", "rotated"),
    [
        (boxes_with(struct.pack(">LHBBB", 1, 7, 2, 0x81, 2)), True),
        (boxes_with(struct.pack(">LHBBB", 1, 7, 2, 0x81, 2), large=True), True),
        (boxes_with(struct.pack(">LHBB", 1, 7, 1, 0x81)), False),
        (boxes_with(struct.pack(">LHBBHBB", 2, 8, 1, 2, 7, 1, 1)), False),
        (boxes_with(struct.pack(">LHBHHBH", 2, 8, 1, 1, 7, 1, 0x8002), flags=1), True),
        (boxes_with(struct.pack(">LLBB", 1, 7, 1, 2), version=1), True),
        (boxes_with(struct.pack(">LHBB", 1, 8, 1, 2)), False),
        (boxes_with(struct.pack(">LHBB", 1, 7, 1, 0)), False),
        (boxes_with(struct.pack(">LHBB", 1, 7, 1, 9)), True),
        (box(b"free", b"") * 10_000 + boxes_with(struct.pack(">LHBB", 1, 7, 1, 1)), True),
    ],
    ids=[
        *("32 bits", "64 bits", "no rotation", "of another item", "16 bits", "version 1"),
        *("no properties", "no property", "missing property", "too many boxes"),
    ],
)
def test_rotation_of_the_primary_item_is_found_in_its_boxes(data: bytes, rotated: bool) -> None:
    assert is_rotated(data) == rotated


def test_rotation_counts_in_the_process_that_decodes() -> None:
    tags = exif({Base.Orientation: 6}).tobytes()
    image = decoding.decode(encoded(gradient(400, 300), "HEIF", exif=tags), 640)
    assert (image.width, image.height) == (300, 400)


@pytest.mark.parametrize("length", [0, 7, 24, 60, 120, 200, 260, 320])
def test_heic_whose_boxes_are_cut_off_counts_as_rotated(length: int) -> None:
    data = encoded(gradient(400, 300), "HEIF")
    assert length < data.index(b"mdat")
    assert is_rotated(data[:length])


def test_exif_of_heic_is_read() -> None:
    found = read_image(encoded(gradient(), "HEIF", exif=full_exif().tobytes()), SIZES).exif
    assert (found.model, found.latitude, found.longitude) == ("DSLR-A300", -33.8583333, -70.5)
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+09:00"


@pytest.mark.parametrize("brand", [b"mif1", b"heix"])
def test_heic_of_another_brand_is_decoded(brand: bytes) -> None:
    data = encoded(gradient(), "HEIF").replace(b"heic", brand, 1)
    assert read_image(data, SIZES).content_type == "image/heic"
