"""Uploads that go directly to S3 and are then completed."""

import datetime
import hashlib

import pytest

from chalicelib import dates
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import bucket_objects, photo_items, start_upload, store_upload
from tests.support.aws_calls import aws_error, failing_call
from tests.support.people import Person, Response

IMAGE = images.jpeg(exif=images.full_exif())
METADATA = {"tags": "sea", "desc": "At the sea", "filename_orig": "Größe.jpg", "make": "Leica"}


@pytest.fixture
def stored(mario: Person) -> Response:
    """Return the response that began an upload, whose image is in S3 by now."""
    return start_upload(mario, IMAGE)


def test_upload_form_is_valid_for_an_hour_and_its_photo_is_not_listed(mario: Person) -> None:
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    started = mario.begin_upload(len(IMAGE))
    assert started.status_code == 200
    expires = datetime.datetime.fromisoformat(started.json()["upload"]["expires_date"])
    assert expires - before >= datetime.timedelta(hours=1)
    assert (mario.photos(), mario.counters()) == ([], (0, 0))


def test_completed_upload_has_the_given_metadata_and_the_rest_from_exif(mario: Person) -> None:
    started = mario.begin_upload(
        len(IMAGE), **METADATA, geotag_lat=0, geotag_lng="0.5", width=1, height=None, city="NaN"
    )
    store_upload(started, IMAGE)
    response = mario.complete(started)
    assert response.status_code == 200
    photo = response.json()["photo"]
    assert response.json()["photo_id"] == photo["id"] == started.json()["photo_id"]
    assert mario.get(f"/photos/{photo['id']}").json()["photo"]["sha256"] == photo["sha256"]
    assert photo["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert {name: photo[name] for name in METADATA} == METADATA
    assert (photo["geotag_lat"], photo["geotag_lng"], photo["city"]) == (0, 0.5, None)
    assert photo["taken_date"] == "2019-05-06T07:08:09+09:00"
    assert (photo["model"], photo["width"], photo["height"]) == ("DSLR-A300", 640, 480)
    assert photo["filename"] == f"{photo['id']}.jpg"


def test_both_kinds_of_upload_store_the_same(mario: Person) -> None:
    started = mario.begin_upload(len(IMAGE), **METADATA)
    store_upload(started, IMAGE)
    direct = mario.complete(started).json()["photo"]
    other = mario.upload(IMAGE, **METADATA).json()["photo"]
    unique = {"id", "filename", "upload_date", "thumbSrc", "previewSrc", "originalSrc"}
    assert {name for name in direct if direct[name] != other[name]} == unique
    items = [item.attribute_values for item in photo_items()]
    assert set(items[0]) == set(items[1])
    different = {name for name in items[0] if items[0][name] != items[1][name]}
    assert different <= unique | {"taken_key"}
    assert mario.counters() == (2, 2 * len(IMAGE))
    assert len(mario.photos()) == 2
    objects = bucket_objects()
    assert len(objects) == 6
    for photo in (direct, other):
        original = objects[f"photos/{photo['user_id']}/{photo['filename']}"]
        assert original["Body"].read() == IMAGE
        assert original["ContentType"] == "image/jpeg"
        assert original["CacheControl"] == "private, max-age=31536000, immutable"
        assert original["ContentDisposition"].endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe.jpg")


def test_completed_upload_has_the_date_of_its_beginning(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    earlier -= datetime.timedelta(hours=3)
    with monkeypatch.context() as patched:
        patched.setattr(dates, "utc_now", lambda: earlier)
        started = mario.begin_upload(len(IMAGE))
    store_upload(started, IMAGE)
    photo = mario.complete(started).json()["photo"]
    assert datetime.datetime.fromisoformat(photo["upload_date"]) == earlier


@pytest.mark.parametrize(
    ("given", "stored_date"),
    [
        ("2012:07:15 09:46:46", "2012-07-15T09:46:46"),
        ("2012-07-15T09:46:46.5+05:30", "2012-07-15T09:46:46.500000+05:30"),
    ],
)
def test_given_date_is_kept_until_the_upload_is_completed(
    mario: Person, given: str, stored_date: str
) -> None:
    started = mario.begin_upload(len(IMAGE), taken_date=given)
    store_upload(started, IMAGE)
    assert mario.complete(started).json()["photo"]["taken_date"] == stored_date


def test_largest_file_is_accepted(mario: Person) -> None:
    assert mario.begin_upload(100_000_000).status_code == 200


@pytest.mark.parametrize("size", [100_000_001, 10**400], ids=["by a byte", "by far"])
def test_file_that_is_too_large_is_rejected_with_the_limit(mario: Person, size: int) -> None:
    response = mario.begin_upload(size)
    assert (response.status_code, response.json()["Code"]) == (413, "PayloadTooLargeError")
    assert "the limit is 100 MB" in response.json()["Message"]


# Without the right to list the bucket, AWS denies access to a missing object.
@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_upload_cannot_be_completed_before_its_image_is_stored(mario: Person, code: str) -> None:
    started = mario.begin_upload(len(IMAGE))
    with failing_call("GetObject", aws_error(code, "GetObject")):
        assert mario.complete(started).status_code == 404
    store_upload(started, IMAGE)
    assert mario.complete(started).status_code == 200


def test_pending_photo_cannot_be_seen_or_deleted_and_expires_after_a_day(mario: Person) -> None:
    path = f"/photos/{mario.begin_upload(len(IMAGE)).json()['photo_id']}"
    assert mario.photos() == []
    assert mario.get(path).status_code == 404
    assert mario.get(f"{path}?mode=original").status_code == 404
    assert mario.delete(path).status_code == 404
    item = photo_items()[0]
    assert item.taken_key is None
    days_left = (item.expires_at - datetime.datetime.now(datetime.UTC)).total_seconds() / 86400
    assert 0.99 < days_left <= 1


def test_completing_an_upload_again_returns_the_photo_and_counts_it_once(
    mario: Person, stored: Response
) -> None:
    first = mario.complete(stored)
    store_upload(stored, IMAGE)  # The form can still be used.
    again = mario.complete(stored)
    assert again.status_code == 200
    assert again.json()["photo"]["sha256"] == first.json()["photo"]["sha256"]
    assert mario.counters() == (1, len(IMAGE))


def test_completing_the_upload_of_a_deleted_photo_does_not_restore_it(
    mario: Person, stored: Response
) -> None:
    mario.complete(stored)
    store_upload(stored, IMAGE)
    assert mario.delete(f"/photos/{stored.json()['photo_id']}").status_code == 200
    assert mario.complete(stored).status_code == 404
    assert mario.counters() == (0, 0)


def test_upload_of_a_photo_that_is_being_deleted_cannot_be_completed_or_repeated(
    mario: Person,
) -> None:
    started = start_upload(mario, IMAGE, key="begun")
    photo_id = mario.complete(started).json()["photo_id"]
    with failing_call("DeleteObjects"):
        assert mario.delete(f"/photos/{photo_id}").status_code == 503
    assert mario.complete(started).status_code == 404
    assert mario.get(f"/photos/{photo_id}").status_code == 404
    assert mario.begin_upload(len(IMAGE), "begun").status_code == 409
    assert mario.delete(f"/photos/{photo_id}").status_code == 200
    assert mario.counters() == (0, 0)


@pytest.mark.parametrize(
    ("image", "status"),
    [(b"<svg/>", 415), (IMAGE[:2000], 422), (images.png_claiming(50_000, 50_000), 422)],
    ids=["not an image", "truncated", "decompression bomb"],
)
def test_invalid_image_stays_pending_and_is_not_listed(
    mario: Person, image: bytes, status: int
) -> None:
    started = mario.begin_upload(len(image))
    store_upload(started, image)
    for _ in range(2):
        assert mario.complete(started).status_code == status
    assert (mario.photos(), mario.counters()) == ([], (0, 0))
    assert photo_items()[0].state == PhotoState.PENDING
    assert not any(key.startswith("photos/") for key in bucket_objects())


def test_invalid_image_can_be_replaced_and_then_completed(mario: Person) -> None:
    started = mario.begin_upload(len(IMAGE))
    store_upload(started, b"x" * len(IMAGE))
    assert mario.complete(started).status_code == 415
    store_upload(started, IMAGE)
    assert mario.complete(started).status_code == 200


def test_image_of_another_size_than_announced_is_rejected(mario: Person) -> None:
    started = mario.begin_upload(len(IMAGE) + 1)
    store_upload(started, IMAGE)
    response = mario.complete(started)
    assert response.status_code == 409
    assert "were announced" in response.json()["Message"]
    assert mario.photos() == []
