"""How much one account may store, whichever way it is uploaded."""

import pytest

import app
from chalicelib.accounts.models import User
from chalicelib.images import decoding
from tests.support import images
from tests.support.album import bucket_objects, set_parameters, store_upload
from tests.support.people import Person, Response

PICTURE = images.jpeg()
PHOTOS = 2


def sent(person: Person) -> Response:
    """Send an image to S3, ready to be completed."""
    started = person.begin_upload(len(PICTURE))
    store_upload(started, PICTURE)
    return started


def test_a_full_album_takes_no_photo_either_way_until_one_is_deleted(mario: Person) -> None:
    set_parameters(MAX_PHOTOS=PHOTOS)
    first = mario.upload(PICTURE)
    pending = sent(mario)
    late = sent(mario)
    assert mario.complete(pending).status_code == 200
    before = set(bucket_objects())
    for refused in (mario.upload(PICTURE), mario.begin_upload(len(PICTURE)), mario.complete(late)):
        assert (refused.status_code, refused.json()["Code"]) == (413, "QuotaExceededError")
        assert "This album is full (2 of 2 photos)" in refused.json()["Message"]
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert set(bucket_objects()) == before
    assert len(mario.photos()) == PHOTOS
    mario.delete(f"/photos/{first.json()['photo_id']}")
    assert mario.complete(late).status_code == 200
    assert mario.upload(PICTURE).status_code == 413


def test_bytes_are_limited_to_the_last_one(mario: Person, luigi: Person) -> None:
    set_parameters(MAX_STORAGE_BYTES=2 * len(PICTURE))
    assert mario.begin_upload(2 * len(PICTURE) + 1).status_code == 413
    assert mario.upload(PICTURE).status_code == 200
    assert mario.begin_upload(len(PICTURE) + 1).status_code == 413
    assert mario.complete(sent(mario)).status_code == 200
    refused = mario.upload(PICTURE)
    assert refused.status_code == 413
    assert "0 bytes of " in refused.json()["Message"]
    assert luigi.upload(PICTURE).status_code == 200


def test_a_full_album_is_refused_before_the_picture_is_decoded(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameters(MAX_STORAGE_BYTES=len(PICTURE))
    late = sent(mario)
    assert mario.upload(PICTURE).status_code == 200
    monkeypatch.setattr(decoding, "decode", lambda *_: pytest.fail("decoded"))
    assert mario.upload(PICTURE).status_code == 413
    assert mario.complete(late).status_code == 413


def test_the_last_place_is_given_once_though_all_saw_it_free(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameters(MAX_PHOTOS=1)
    late = sent(mario)
    # Both have looked before the first one wrote.
    monkeypatch.setattr(app.services.transactions, "require_room", lambda *_: None)
    assert mario.upload(PICTURE).status_code == 200
    before = set(bucket_objects())
    assert mario.upload(PICTURE).status_code == 413
    assert set(bucket_objects()) == before
    assert mario.complete(late).status_code == 413
    assert len(mario.photos()) == 1
    assert mario.counters()[0] == 1
    [photo] = mario.photos()
    mario.delete(f"/photos/{photo['id']}")
    assert mario.complete(late).status_code == 200


def test_an_upload_that_is_sent_again_answers_though_the_album_is_full_by_now(
    mario: Person,
) -> None:
    set_parameters(MAX_PHOTOS=1)
    first = mario.upload(PICTURE, "key-1")
    again = mario.upload(PICTURE, "key-1")
    assert again.status_code == 200
    assert again.json()["photo_id"] == first.json()["photo_id"]
    assert mario.upload(PICTURE, "key-2").status_code == 413


def test_who_has_signed_out_before_the_first_photo_is_limited_too(mario: Person) -> None:
    set_parameters(MAX_STORAGE_BYTES=len(PICTURE) - 1)
    row = User.scan().next()
    row.update(actions=[User.photo_count.remove(), User.storage_bytes.remove()])
    assert mario.begin_upload(len(PICTURE)).status_code == 413
    assert mario.upload(PICTURE).status_code == 413
    set_parameters(MAX_STORAGE_BYTES=len(PICTURE))
    assert mario.upload(PICTURE).status_code == 200


def test_an_album_without_limits_asks_for_nothing_more(mario: Person, aws_calls: list[str]) -> None:
    mario.upload(PICTURE)
    aws_calls.clear()
    assert mario.upload(PICTURE).status_code == 200
    assert aws_calls.count("dynamodb.GetItem") == 1  # the authorizer's
