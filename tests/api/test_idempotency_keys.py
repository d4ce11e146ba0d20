"""Uploads that are sent again with the same Idempotency-Key."""

import base64
import datetime
from typing import Any

import pytest

import app
from chalicelib.errors import IdempotencyMismatch
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoMetadata
from tests.support import images
from tests.support.album import bucket_objects, start_upload, store_upload, sub_of
from tests.support.aws_calls import before_call, failing_call, isolate_transactions
from tests.support.derived import DERIVED
from tests.support.people import Person, Response, at_once

IMAGE = images.jpeg(40, 30)
OTHER_IMAGE = IMAGE[:-1] + b"\xda"  # The same size, and still decoded: its last byte is missing.
METADATA = {
    "tags": "sea",
    "geotag_lat": "1",
    "geotag_lng": "2",
    "taken_date": "2012:07:15 09:46:46",
}


def used_key() -> UploadKey:
    """Return the item of the only key that a photo was stored with."""
    [key] = [item for item in UploadKey.scan() if item.photo_id]
    return key


def test_same_key_stores_one_photo(mario: Person) -> None:
    first, again = (mario.upload(IMAGE, key="a!") for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert set(first.json()) == set(again.json())
    assert first.json()["photo_id"] == again.json()["photo_id"]
    assert first.json()["photo"]["sha256"] == again.json()["photo"]["sha256"]
    assert (len(mario.photos()), mario.counters()) == (1, (1, len(IMAGE)))
    assert len(bucket_objects()) == 3


def test_another_key_or_the_key_of_another_user_stores_another_photo(
    mario: Person, luigi: Person
) -> None:
    responses = [
        mario.upload(IMAGE, key="a!"),
        mario.upload(IMAGE, key="b"),
        mario.upload(IMAGE),
        luigi.upload(IMAGE, key="a!"),
    ]
    assert len({response.json()["photo_id"] for response in responses}) == 4


def test_same_key_begins_one_direct_upload(mario: Person) -> None:
    first, again = (mario.begin_upload(len(IMAGE), key="k") for _ in range(2))
    assert again.status_code == 200
    assert again.json()["photo_id"] == first.json()["photo_id"]
    assert again.json()["upload"]["fields"]["key"] == first.json()["upload"]["fields"]["key"]
    assert mario.upload(IMAGE, key="k").status_code == 409


def test_key_of_a_completed_upload_returns_its_photo(mario: Person) -> None:
    started = start_upload(mario, IMAGE, key="k")
    mario.complete(started)
    again = mario.begin_upload(len(IMAGE), key="k").json()
    assert (again["photo_id"], again["upload"]) == (started.json()["photo_id"], None)
    assert again["photo"]["id"] == again["photo_id"]
    assert mario.upload(IMAGE, key="k").json()["photo_id"] == again["photo_id"]
    assert mario.counters() == (1, len(IMAGE))


def test_key_of_a_deleted_photo_is_a_conflict(mario: Person) -> None:
    photo_id = mario.upload(IMAGE, key="k").json()["photo_id"]
    mario.delete(f"/photos/{photo_id}")
    for response in (mario.upload(IMAGE, key="k"), mario.begin_upload(len(IMAGE), key="k")):
        assert response.status_code == 409
        assert "deleted" in response.json()["Message"]
    assert mario.photos() == []


def test_key_can_be_used_again_after_a_day_even_if_its_item_still_exists(mario: Person) -> None:
    first = mario.upload(IMAGE, key="k").json()["photo_id"]
    item, day = used_key(), datetime.timedelta(days=1)
    assert item.expires_at - datetime.datetime.now(datetime.UTC) <= day
    item.expires_at -= day
    item.save()
    second = mario.upload(IMAGE, key="k").json()["photo_id"]
    assert second != first
    assert mario.upload(IMAGE, key="k").json()["photo_id"] == second


def test_upload_whose_response_was_lost_returns_the_photo_when_it_is_repeated(
    mario: Person,
) -> None:
    with failing_call("TransactWriteItems", response_lost=True):
        assert mario.upload(IMAGE, key="k").status_code == 503
    assert mario.upload(IMAGE, key="k").status_code == 200
    assert mario.counters() == (1, len(IMAGE))


def test_direct_upload_that_could_not_begin_can_be_repeated(mario: Person) -> None:
    with failing_call("TransactWriteItems"):
        assert mario.begin_upload(len(IMAGE), key="k").status_code == 503
    assert mario.begin_upload(len(IMAGE), key="k").status_code == 200


def test_keys_are_not_listed_among_the_photos(mario: Person) -> None:
    mario.upload(IMAGE, key="k")
    assert used_key().id.startswith("key#")
    assert len(mario.photos()) == 1


def test_twenty_simultaneous_requests_with_one_key_store_one_photo(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub, uploads = sub_of(mario), app.services.uploads
    isolate_transactions(monkeypatch)
    photos = at_once(*[lambda: uploads.upload(sub, IMAGE, PhotoMetadata(), "k")] * 20)
    assert len({stored.photo["id"] for stored in photos}) == 1
    assert mario.counters() == (1, len(IMAGE))
    assert len(bucket_objects()) == 3


def test_twenty_simultaneous_requests_with_one_key_begin_one_direct_upload(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub, uploads = sub_of(mario), app.services.uploads
    isolate_transactions(monkeypatch)
    begun = at_once(*[lambda: uploads.begin(sub, len(IMAGE), PhotoMetadata(), "k")] * 20)
    assert len({upload["photo_id"] for upload in begun}) == 1


def require_mismatch(response: Response) -> None:
    assert (response.status_code, response.json()["Code"]) == (422, "IdempotencyMismatchError")
    assert response.json()["Message"] == (
        "This Idempotency-Key was used for another file or other metadata. Use another key."
    )


def stored(person: Person) -> Any:
    """Return everything that is stored for the only user: items, objects and counters."""
    found = Photo.query(sub_of(person), consistent_read=True)
    items = sorted(item.id for item in found if not item.id.startswith(DERIVED))
    return items, sorted(bucket_objects()), person.counters()


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        (OTHER_IMAGE, {}),
        (images.jpeg(41, 30), {}),
        (b"no image", {}),
        (IMAGE, {"tags": "sun"}),
        (IMAGE, {"name": "other.jpg"}),
        (IMAGE, {"geotag_lat": "1.0000001"}),
        (IMAGE, {"taken_date": "2012-07-15T09:46:46Z"}),
        (IMAGE, {"desc": "more"}),
    ],
)
def test_key_of_an_upload_used_for_another_file_or_other_metadata_stores_nothing(
    mario: Person, image: bytes, fields: dict[str, str]
) -> None:
    first = mario.upload(IMAGE, key="k", **METADATA).json()["photo_id"]
    before = stored(mario)
    require_mismatch(mario.upload(image, key="k", **METADATA | fields))
    assert stored(mario) == before
    assert mario.upload(IMAGE, key="k", **METADATA).json()["photo_id"] == first


def test_key_of_an_upload_returns_its_photo_however_the_same_request_is_written(
    mario: Person,
) -> None:
    first = mario.upload(IMAGE, key="k", **METADATA).json()["photo_id"]
    again = {
        **METADATA,
        "base64_image": base64.b64encode(IMAGE).decode(),
        "filename_orig": "photo.jpg",
        "geotag_lat": "1.00000000001",
        "taken_date": " 2012-07-15T09:46:46 ",
        "city": "undefined",
        "width": "7",
    }
    assert mario.post_form("k", **again).json()["photo_id"] == first
    mario.send("PATCH", f"/photos/{first}", tags="edited", geotag_lat=None, geotag_lng=None)
    assert mario.upload(IMAGE, key="k", **METADATA).json()["photo_id"] == first


@pytest.mark.parametrize("is_complete", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {"filesize": len(IMAGE) + 1},
        {"filename_orig": "b.jpg"},
        {"tags": "sea"},
        {"geotag_lat": 0, "geotag_lng": 0},
    ],
)
def test_key_of_an_announcement_used_for_another_one_stores_nothing(
    mario: Person, is_complete: bool, changes: dict[str, Any]
) -> None:
    announced: dict[str, Any] = {"filesize": len(IMAGE), "filename_orig": "a.jpg"}
    started = mario.begin_upload(**announced, key="k")
    if is_complete:
        complete_with(mario, started, IMAGE)
    before = stored(mario)
    require_mismatch(mario.begin_upload(**announced | changes, key="k"))
    assert stored(mario) == before
    ignored: dict[str, Any] = {"tags": None, "city": "", "width": 9, "height": "x"}
    again = mario.begin_upload(**announced, **ignored, key="k")
    assert again.json()["photo_id"] == started.json()["photo_id"]


def complete_with(person: Person, started: Response, image: bytes) -> None:
    store_upload(started, image)
    assert person.complete(started).status_code == 200


def test_key_of_an_upload_is_that_of_its_file_when_it_is_announced(mario: Person) -> None:
    first = mario.upload(IMAGE, key="k").json()["photo_id"]
    before = stored(mario)
    require_mismatch(mario.begin_upload(len(IMAGE) + 1, key="k"))
    again = mario.begin_upload(len(IMAGE), key="k").json()
    assert (again["photo_id"], again["upload"]) == (first, None)
    assert stored(mario) == before


def test_key_of_an_announcement_is_that_of_its_file_when_it_is_uploaded(mario: Person) -> None:
    started = mario.begin_upload(len(IMAGE), key="k")
    before = stored(mario)
    require_mismatch(mario.upload(IMAGE + b"x", key="k"))
    assert mario.upload(IMAGE, key="k").status_code == 409  # It must be completed first.
    assert stored(mario) == before
    complete_with(mario, started, IMAGE)
    before = stored(mario)
    require_mismatch(mario.upload(OTHER_IMAGE, key="k"))
    assert mario.upload(IMAGE, key="k").json()["photo_id"] == started.json()["photo_id"]
    assert stored(mario) == before


def test_key_of_a_deleted_photo_used_for_another_file_is_a_mismatch(mario: Person) -> None:
    photo_id = mario.upload(IMAGE, key="k").json()["photo_id"]
    mario.delete(f"/photos/{photo_id}")
    require_mismatch(mario.upload(OTHER_IMAGE, key="k"))
    assert mario.upload(IMAGE, key="k").status_code == 409


def test_key_that_an_earlier_version_stored_returns_its_photo_for_any_request(
    mario: Person,
) -> None:
    first = mario.upload(IMAGE, key="k").json()["photo_id"]
    used_key().update(actions=[UploadKey.request.remove()])
    assert mario.upload(OTHER_IMAGE, key="k").json()["photo_id"] == first
    assert mario.begin_upload(7, key="k").json()["photo_id"] == first


@pytest.mark.parametrize("begins", [False, True])
def test_other_file_with_the_same_key_at_the_same_time_stores_nothing(
    mario: Person, begins: bool
) -> None:
    def first() -> Response:
        return mario.begin_upload(7, key="k") if begins else mario.upload(IMAGE, key="k")

    with before_call("TransactWriteItems", lambda: first().json()["photo_id"]):
        require_mismatch(mario.upload(OTHER_IMAGE, key="k"))
    assert len(stored(mario)[0]) == 2  # the photo, and its key
    assert len(bucket_objects()) == (0 if begins else 3)
    with before_call("TransactWriteItems", lambda: mario.upload(IMAGE, key="other")):
        require_mismatch(mario.begin_upload(8, key="other"))
    assert len(stored(mario)[0]) == 4


def test_twenty_simultaneous_requests_with_one_key_and_two_files_store_one_of_them(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub, uploads = sub_of(mario), app.services.uploads
    isolate_transactions(monkeypatch)

    def upload(image: bytes) -> str | None:
        try:
            photo_id: str = uploads.upload(sub, image, PhotoMetadata(), "k").photo["id"]
        except IdempotencyMismatch:
            return None
        return photo_id

    ids = at_once(*[lambda: upload(IMAGE), lambda: upload(OTHER_IMAGE)] * 10)
    assert sorted([set(ids[::2]) == {None}, set(ids[1::2]) == {None}]) == [False, True]
    assert len(set(ids)) == 2
    assert (len(mario.photos()), len(bucket_objects())) == (1, 3)
    assert mario.counters() == (1, len(IMAGE))
