"""The number of photos and bytes that one account may store."""

import pytest

import app
from chalicelib.accounts.models import User
from chalicelib.images import decoding
from tests.support import images
from tests.support.album import bucket_objects, set_parameters, start_upload, sub_of
from tests.support.people import Person

IMAGE = images.jpeg()


def test_full_album_rejects_every_upload_until_a_photo_is_deleted(mario: Person) -> None:
    set_parameters(MAX_PHOTOS=2)
    photo_id = mario.upload(IMAGE).json()["photo_id"]
    assert mario.complete(start_upload(mario, IMAGE)).status_code == 200
    before = set(bucket_objects())
    for response in (mario.upload(IMAGE), mario.begin_upload(len(IMAGE))):
        assert (response.status_code, response.json()["Code"]) == (413, "QuotaExceededError")
        assert "This album is full (2 of 2 photos)" in response.json()["Message"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert set(bucket_objects()) == before
    assert len(mario.photos()) == 2
    mario.delete(f"/photos/{photo_id}")
    assert mario.upload(IMAGE).status_code == 200
    assert mario.upload(IMAGE).status_code == 413


def test_storage_limit_is_exact_and_applies_to_each_account(mario: Person, luigi: Person) -> None:
    set_parameters(MAX_STORAGE_BYTES=2 * len(IMAGE))
    assert mario.begin_upload(2 * len(IMAGE) + 1).status_code == 413
    assert mario.upload(IMAGE).status_code == 200
    assert mario.begin_upload(len(IMAGE) + 1).status_code == 413
    assert mario.complete(start_upload(mario, IMAGE)).status_code == 200
    rejected = mario.upload(IMAGE)
    assert rejected.status_code == 413
    assert "0 bytes of " in rejected.json()["Message"]
    assert luigi.upload(IMAGE).status_code == 200


def test_full_album_rejects_an_image_before_decoding_it(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameters(MAX_STORAGE_BYTES=len(IMAGE))
    assert mario.upload(IMAGE).status_code == 200
    monkeypatch.setattr(decoding, "decode", lambda *_: pytest.fail("decoded"))
    assert mario.upload(IMAGE).status_code == 413


def test_simultaneous_uploads_cannot_exceed_the_limit(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameters(MAX_PHOTOS=1)
    # All of them have checked the quota before the first one is recorded.
    monkeypatch.setattr(app.services.transactions, "require_room", lambda *_: None)
    assert mario.upload(IMAGE).status_code == 200
    before = set(bucket_objects())
    assert mario.upload(IMAGE).status_code == 413
    assert mario.begin_upload(len(IMAGE)).status_code == 413
    assert set(bucket_objects()) == before
    [photo] = mario.photos()
    assert mario.counters()[0] == 1
    mario.delete(f"/photos/{photo['id']}")
    assert mario.begin_upload(len(IMAGE)).status_code == 200
    assert mario.upload(IMAGE).status_code == 413


def test_repeated_upload_returns_its_photo_even_if_the_album_is_full(mario: Person) -> None:
    set_parameters(MAX_PHOTOS=1)
    first = mario.upload(IMAGE, "key-1")
    again = mario.upload(IMAGE, "key-1")
    assert again.status_code == 200
    assert again.json()["photo_id"] == first.json()["photo_id"]
    assert mario.upload(IMAGE, "key-2").status_code == 413


def test_limit_applies_to_an_account_without_counters(mario: Person) -> None:
    # An account from the Cognito console that has signed out, but not uploaded, has no counters.
    set_parameters(MAX_STORAGE_BYTES=len(IMAGE) - 1)
    User(sub_of(mario)).update(actions=[User.photo_count.remove(), User.storage_bytes.remove()])
    assert mario.begin_upload(len(IMAGE)).status_code == 413
    assert mario.upload(IMAGE).status_code == 413
    set_parameters(MAX_STORAGE_BYTES=len(IMAGE))
    assert mario.upload(IMAGE).status_code == 200


def test_upload_without_limits_does_not_read_the_counters(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.upload(IMAGE)
    aws_calls.clear()
    assert mario.upload(IMAGE).status_code == 200
    assert aws_calls.count("dynamodb.GetItem") == 1  # the authorizer's
