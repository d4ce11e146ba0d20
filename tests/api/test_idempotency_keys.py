"""Uploads that are sent again with the same Idempotency-Key."""

import datetime

import pytest

import app
from chalicelib.photos.models import UploadKey
from chalicelib.photos.photo import PhotoMetadata
from tests.support import images
from tests.support.album import bucket_objects, start_upload, sub_of
from tests.support.aws_calls import failing_call, isolate_transactions
from tests.support.people import Person, at_once

IMAGE = images.jpeg(40, 30)


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
    assert len(bucket_objects()) == 2


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
    assert len({photo["id"] for photo in photos}) == 1
    assert mario.counters() == (1, len(IMAGE))
    assert len(bucket_objects()) == 2


def test_twenty_simultaneous_requests_with_one_key_begin_one_direct_upload(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub, uploads = sub_of(mario), app.services.uploads
    isolate_transactions(monkeypatch)
    begun = at_once(*[lambda: uploads.begin(sub, len(IMAGE), PhotoMetadata(), "k")] * 20)
    assert len({upload["photo_id"] for upload in begun}) == 1
