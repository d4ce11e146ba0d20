"""Hostile images, good photos with odd metadata, and valid images that are not decoded."""

import hashlib
from datetime import datetime
from typing import Any

import pytest
from PIL.ExifTags import Base

from tests.support.album import bucket_objects, store_upload
from tests.support.images import (
    big_tiff,
    bmp_of,
    encoded,
    exif,
    gradient,
    jpeg,
    png_chunk,
    with_app1,
    with_chunk,
)
from tests.support.people import Person, Response

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")


def sent(person: Person, image: bytes, way: str) -> Response:
    """Upload an image in one request, or directly to S3."""
    if way == "one request":
        return person.upload(image)
    started = person.begin_upload(len(image))
    store_upload(started, image)
    return person.complete(started)


WAYS = ["one request", "directly to S3"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiff_with_an_offset_beyond_memory_is_422(mario: Person, way: str, order: str) -> None:
    response = sent(mario, big_tiff(2**63, order) + bytes(100), way)
    assert (response.status_code, response.json()["Code"]) == (422, "UnprocessableEntityError")
    assert mario.photos() == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "image",
    [
        with_app1(jpeg(), big_tiff(2**63)),
        with_chunk(encoded(gradient(), "PNG"), png_chunk(b"sRGB", b"")),
    ],
    ids=["JPEG", "PNG"],
)
def test_photo_with_odd_metadata_is_accepted_and_stored_unchanged(
    mario: Person, way: str, image: bytes
) -> None:
    response = sent(mario, image, way)
    assert response.status_code == 200
    photo = response.json()["photo"]
    assert (photo["width"], photo["filesize"]) == (640, len(image))
    assert photo["sha256"] == hashlib.sha256(image).hexdigest()
    assert image in [stored["Body"].read() for stored in bucket_objects().values()]


@pytest.mark.parametrize("way", WAYS)
def test_valid_image_that_is_not_decoded_is_415_with_its_name(mario: Person, way: str) -> None:
    response = sent(mario, bmp_of(2, 0, bytes(16), header=40), way)
    assert (response.status_code, response.json()["Code"]) == (415, "UnsupportedMediaType")
    assert response.json()["Message"].startswith("BMP with 2 bits per pixel is not supported.")


def test_burst_is_listed_by_the_fraction_of_its_second_and_an_edit_keeps_it(mario: Person) -> None:
    names = {}
    for fraction in ("5", "05", "95", "123"):
        tags: dict[int, Any] = {
            Base.DateTimeOriginal: "2019:05:06 07:08:09",
            Base.SubsecTimeOriginal: fraction,
        }
        photo = mario.upload(jpeg(exif=exif(camera=tags))).json()["photo"]
        assert datetime.fromisoformat(photo["taken_date"]).microsecond
        names[photo["id"]] = fraction
    expected = ["95", "5", "123", "05"]
    assert [names[photo["id"]] for photo in mario.photos()] == expected
    for photo in mario.photos():
        mario.send("PATCH", f"/photos/{photo['id']}", taken_date=photo["taken_date"], desc="new")
    assert [names[photo["id"]] for photo in mario.photos()] == expected
