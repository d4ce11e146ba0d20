"""HEIC: what the file says of itself."""

import pytest
from PIL import Image
from PIL.ExifTags import Base

from chalicelib.images.decoding import read_image
from tests.support.images import encoded, exif, full_exif, gradient
from tests.support.thumbnails import BOX, thumbnail_of


def test_primary_image_of_heic_is_used() -> None:
    red, lime = Image.new("RGB", (900, 600), "red"), Image.new("RGB", (600, 900), "lime")
    data = encoded(red, "HEIF", save_all=True, append_images=[lime], primary_index=1)
    image = read_image(data, BOX)
    assert (image.width, image.height) == (600, 900)
    assert thumbnail_of(data).getpixel((66, 100)) == pytest.approx((0, 255, 0), abs=12)


def test_rotation_of_heic_counts_and_orientation_of_its_exif_does_not() -> None:
    tags = exif({Base.Orientation: 6}).tobytes()
    data = encoded(gradient(400, 300), "HEIF", exif=tags)
    unrotated = data.replace(b"irot", b"skip")
    assert unrotated != data
    assert read_image(data, BOX).height == 400
    assert read_image(unrotated, BOX).height == 300


def test_exif_of_heic_is_read() -> None:
    found = read_image(encoded(gradient(), "HEIF", exif=full_exif().tobytes()), BOX).exif
    assert (found.model, found.latitude, found.longitude) == ("DSLR-A300", -33.8583333, -70.5)
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+09:00"


@pytest.mark.parametrize("brand", [b"mif1", b"heix"])
def test_heic_of_another_brand_is_decoded(brand: bytes) -> None:
    data = encoded(gradient(), "HEIF").replace(b"heic", brand, 1)
    assert read_image(data, BOX).content_type == "image/heic"
