"""How much one account may store, whichever way it is uploaded."""

from typing import Any

import boto3
import pytest

import app
from chalicelib.accounts.models import User
from chalicelib.container import Container
from chalicelib.images import decoding
from tests import pictures
from tests.api.conftest import Person

PICTURE = pictures.jpeg()
PHOTOS = 2


def limited(**limits: int) -> None:
    """Give the album limits, which it reads at its next start."""
    ssm = boto3.client("ssm")
    for name, value in limits.items():
        ssm.put_parameter(
            Name=f"/cloudalbum/{name}", Value=str(value), Type="SecureString", Overwrite=True
        )
    app.services = Container()


def asked(person: Person, size: int = len(PICTURE)) -> Any:
    return person.send("POST", "/photos/uploads", filesize=size)


def sent(answer: Any) -> str:
    """Send a picture to where the answer says, and return the path that completes it."""
    form = answer.json_body["upload"]
    key = form["fields"]["key"]
    boto3.client("s3").put_object(Bucket=app.services.settings.photo_bucket, Key=key, Body=PICTURE)
    return f"/photos/uploads/{answer.json_body['photo_id']}/complete"


def objects() -> list[str]:
    pages = boto3.client("s3").list_objects_v2(Bucket=app.services.settings.photo_bucket)
    return [one["Key"] for one in pages.get("Contents", [])]


def test_a_full_album_takes_no_photo_either_way_until_one_is_deleted(mario: Person) -> None:
    limited(MAX_PHOTOS=PHOTOS)
    first = mario.upload(PICTURE)
    pending = sent(asked(mario))
    late = sent(asked(mario))
    assert mario.post(pending).status_code == 200
    before = objects()
    for refused in (mario.upload(PICTURE), asked(mario), mario.post(late)):
        assert (refused.status_code, refused.json_body["Code"]) == (413, "QuotaExceededError")
        assert "0 photos are left" in refused.json_body["Message"]
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert objects() == before
    assert len(mario.photos()) == PHOTOS
    mario.delete(f"/photos/{first.json_body['photo_id']}")
    assert mario.post(late).status_code == 200
    assert mario.upload(PICTURE).status_code == 413


def test_bytes_are_limited_to_the_last_one(mario: Person, luigi: Person) -> None:
    limited(MAX_STORAGE_BYTES=2 * len(PICTURE))
    assert asked(mario, 2 * len(PICTURE) + 1).status_code == 413
    assert mario.upload(PICTURE).status_code == 200
    assert asked(mario, len(PICTURE) + 1).status_code == 413
    assert mario.post(sent(asked(mario))).status_code == 200
    refused = mario.upload(PICTURE)
    assert refused.status_code == 413
    assert "0 bytes are left" in refused.json_body["Message"]
    assert luigi.upload(PICTURE).status_code == 200


def test_a_full_album_is_refused_before_the_picture_is_decoded(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(MAX_STORAGE_BYTES=len(PICTURE))
    late = sent(asked(mario))
    assert mario.upload(PICTURE).status_code == 200
    monkeypatch.setattr(decoding, "decode", lambda *_: pytest.fail("decoded"))
    assert mario.upload(PICTURE).status_code == 413
    assert mario.post(late).status_code == 413


def test_the_last_place_is_given_once_though_all_saw_it_free(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(MAX_PHOTOS=1)
    late = sent(asked(mario))
    # Both have looked before the first one wrote.
    monkeypatch.setattr(app.services.transactions, "require_room", lambda *_: None)
    assert mario.upload(PICTURE).status_code == 200
    before = objects()
    assert mario.upload(PICTURE).status_code == 413
    assert objects() == before
    assert mario.post(late).status_code == 413
    assert len(mario.photos()) == 1
    assert mario.get("/users/me").json_body["user"]["photo_count"] == 1
    [photo] = mario.photos()
    mario.delete(f"/photos/{photo['id']}")
    assert mario.post(late).status_code == 200


def test_an_upload_that_is_sent_again_answers_though_the_album_is_full_by_now(
    mario: Person,
) -> None:
    limited(MAX_PHOTOS=1)
    first = mario.upload(PICTURE, "key-1")
    again = mario.upload(PICTURE, "key-1")
    assert again.status_code == 200
    assert again.json_body["photo_id"] == first.json_body["photo_id"]
    assert mario.upload(PICTURE, "key-2").status_code == 413


def test_who_has_signed_out_before_the_first_photo_is_limited_too(mario: Person) -> None:
    limited(MAX_STORAGE_BYTES=len(PICTURE) - 1)
    row = User.scan().next()
    row.update(actions=[User.photo_count.remove(), User.storage_bytes.remove()])
    assert asked(mario).status_code == 413
    assert mario.upload(PICTURE).status_code == 413
    limited(MAX_STORAGE_BYTES=len(PICTURE))
    assert mario.upload(PICTURE).status_code == 200


def test_an_album_without_limits_asks_for_nothing_more(mario: Person, aws_calls: list[str]) -> None:
    mario.upload(PICTURE)
    aws_calls.clear()
    assert mario.upload(PICTURE).status_code == 200
    assert aws_calls.count("dynamodb.GetItem") == 1  # the authorizer's
