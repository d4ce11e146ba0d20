"""Big files straight to S3, and the same upload sent again."""

import contextlib
import datetime
import hashlib
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

import app
from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import Sessions
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoMetadata, PhotoState
from chalicelib.photos.service import PhotoService
from tests.support import images
from tests.support.album import bucket_objects, failing_call, store_upload
from tests.support.people import PASSWORD, Person, at_once

TIMEOUT = ReadTimeoutError(endpoint_url="https://aws")
NOBODYS = "01890a5d-ac96-774b-bcce-b302099a8057"
PICTURE = images.jpeg(exif=images.full_exif())


def test_a_picture_sent_straight_to_s3_becomes_the_same_photo(mario: Person) -> None:
    said = {"tags": "sea", "desc": "At the sea", "filename_orig": "Größe.jpg", "make": "Leica"}
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    asked = mario.begin_upload(
        len(PICTURE), **said, geotag_lat=0, geotag_lng="0.5", width=1, height=None, city="NaN"
    )
    assert asked.status_code == 200
    upload = asked.json()["upload"]
    expires = datetime.datetime.fromisoformat(upload["expires_date"])
    assert datetime.timedelta(0) <= expires - before - datetime.timedelta(hours=1)
    assert (mario.photos(), mario.counters()) == ([], (0, 0))
    store_upload(asked, PICTURE)
    response = mario.complete(asked)
    assert response.status_code == 200
    photo = response.json()["photo"]
    assert response.json()["photo_id"] == photo["id"] == asked.json()["photo_id"]
    assert mario.get(f"/photos/{photo['id']}").json()["photo"]["sha256"] == photo["sha256"]
    assert photo["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert {name: photo[name] for name in said} == said
    assert (photo["geotag_lat"], photo["geotag_lng"], photo["city"]) == (0, 0.5, None)
    assert photo["taken_date"] == "2019-05-06T07:08:09+09:00"
    assert (photo["model"], photo["width"], photo["height"]) == ("DSLR-A300", 640, 480)
    assert photo["filename"] == f"{photo['id']}.jpg"

    # Nothing tells it from a photo that came in one request, but for its id and its moment.
    other = mario.upload(PICTURE, **said, geotag_lat="0", geotag_lng="0.5").json()["photo"]
    differs = {"id", "filename", "upload_date", "thumbSrc", "originalSrc"}
    assert {name for name in photo if photo[name] != other[name]} == differs
    rows = [row.attribute_values for row in Photo.scan()]
    assert {name for name in rows[0] if rows[0][name] != rows[1].get(name)} <= differs | {
        "taken_key"
    }
    assert set(rows[0]) == set(rows[1])
    assert mario.counters() == (2, 2 * len(PICTURE))
    assert len(mario.photos()) == 2
    stored = bucket_objects()
    assert len(stored) == 4
    for one in (photo, other):
        original = stored[f"photos/{photo['user_id']}/{one['filename']}"]
        assert original["Body"].read() == PICTURE
        assert original["ContentType"] == "image/jpeg"
        assert original["CacheControl"] == "private, max-age=31536000, immutable"
        assert original["ContentDisposition"].endswith("filename*=UTF-8''Gr%C3%B6%C3%9Fe.jpg")


def test_a_date_of_the_client_waits_with_its_offset_or_without(mario: Person) -> None:
    for text, date in (
        ("2012:07:15 09:46:46", "2012-07-15T09:46:46"),
        ("2012-07-15T09:46:46.5+05:30", "2012-07-15T09:46:46.500000+05:30"),
    ):
        asked = mario.begin_upload(len(PICTURE), taken_date=text)
        store_upload(asked, PICTURE)
        assert mario.complete(asked).json()["photo"]["taken_date"] == date


def test_more_than_can_be_taken_names_the_limit(mario: Person) -> None:
    assert mario.begin_upload(filesize=100_000_000).status_code == 200
    for size in (100_000_001, 10**400):
        response = mario.begin_upload(filesize=size)
        assert (response.status_code, response.json()["Code"]) == (413, "PayloadTooLargeError")
        assert "the limit is 100 MB" in response.json()["Message"]


def test_a_body_too_large_names_the_way_around(mario: Person) -> None:
    assert "POST /photos/uploads" in mario.upload(b"x" * 4_500_000).json()["Message"]


@pytest.mark.parametrize("photo_id", [NOBODYS, "nothing", "..", "é"])
def test_an_upload_nobody_asked_for_is_not_found(mario: Person, photo_id: str) -> None:
    assert mario.post(f"/photos/uploads/{photo_id}/complete").status_code == 404


def test_somebody_elses_upload_is_not_found(mario: Person, luigi: Person) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    theirs = luigi.complete(asked)
    nobodys = luigi.post(f"/photos/uploads/{NOBODYS}/complete")
    assert (theirs.status_code, theirs.json()) == (404, nobodys.json())
    assert mario.complete(asked).status_code == 200
    assert luigi.complete(asked).status_code == 404


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_what_was_not_uploaded_yet_is_not_found_and_can_be_completed_later(
    mario: Person, code: str
) -> None:
    asked = mario.begin_upload(len(PICTURE))
    # Where the right to list is narrow, AWS denies access to what is not there.
    with failing_call("GetObject", ClientError({"Error": {"Code": code}}, "GetObject")):
        assert mario.complete(asked).status_code == 404
    store_upload(asked, PICTURE)
    assert mario.complete(asked).status_code == 200


def test_a_pending_photo_is_neither_shown_nor_deleted(mario: Person) -> None:
    path = f"/photos/{mario.begin_upload(len(PICTURE)).json()['photo_id']}"
    assert mario.get(path).status_code == 404
    assert mario.get(f"{path}?mode=original").status_code == 404
    assert mario.delete(path).status_code == 404
    row = Photo.scan().next()
    assert row.taken_key is None
    days_left = (row.expires_at - datetime.datetime.now(datetime.UTC)).total_seconds() / 86400
    assert 1.99 < days_left <= 2


def test_completing_again_is_harmless_and_a_deleted_photo_stays_deleted(mario: Person) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    first = mario.complete(asked)
    store_upload(asked, PICTURE)  # the form can still be posted
    again = mario.complete(asked)
    assert (again.status_code, again.json()["photo"]["sha256"]) == (
        200,
        first.json()["photo"]["sha256"],
    )
    assert mario.counters() == (1, len(PICTURE))
    assert mario.delete(f"/photos/{asked.json()['photo_id']}").status_code == 200
    assert mario.complete(asked).status_code == 404
    assert mario.counters() == (0, 0)


@pytest.mark.parametrize(
    ("picture", "status"),
    [(b"<svg/>", 415), (PICTURE[:2000], 422), (images.png_claiming(50_000, 50_000), 422)],
    ids=["no picture", "cut off", "bomb"],
)
def test_what_is_no_picture_stays_pending_and_is_not_listed(
    mario: Person, picture: bytes, status: int
) -> None:
    asked = mario.begin_upload(filesize=len(picture))
    store_upload(asked, picture)
    for _ in range(2):
        assert mario.complete(asked).status_code == status
    assert (mario.photos(), mario.counters()) == ([], (0, 0))
    assert Photo.scan().next().state == PhotoState.PENDING
    assert not any(key.startswith("photos/") for key in bucket_objects())


def test_a_picture_can_be_sent_after_something_that_was_none(mario: Person) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, b"x" * len(PICTURE))
    assert mario.complete(asked).status_code == 415
    store_upload(asked, PICTURE)
    assert mario.complete(asked).status_code == 200


def test_another_size_than_was_announced_is_refused(mario: Person) -> None:
    asked = mario.begin_upload(filesize=len(PICTURE) + 1)
    store_upload(asked, PICTURE)
    response = mario.complete(asked)
    assert response.status_code == 409
    assert "were announced" in response.json()["Message"]
    assert mario.photos() == []


CALLS = ["GetObject", "UpdateItem", "CopyObject", "PutObject", "TransactWriteItems"]


@pytest.mark.parametrize("response_lost", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", CALLS)
def test_whatever_breaks_a_repeat_completes_it(
    mario: Person, operation: str, response_lost: bool
) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    with failing_call(operation, TIMEOUT, response_lost=response_lost):
        assert mario.complete(asked).status_code == 503
    is_done = (operation, response_lost) == ("TransactWriteItems", True)
    assert len(mario.photos()) == int(is_done)
    assert mario.complete(asked).status_code == 200
    [photo] = mario.photos()
    stored = bucket_objects()
    assert stored[f"photos/{photo['user_id']}/{photo['filename']}"]["Body"].read() == PICTURE
    assert mario.counters() == (1, len(PICTURE))


@pytest.mark.parametrize("response_lost", [False, True], ids=["before", "after"])
def test_an_upload_that_cannot_be_removed_is_no_failure(mario: Person, response_lost: bool) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    with failing_call("DeleteObjects", TIMEOUT, response_lost=response_lost):
        assert mario.complete(asked).status_code == 200


def meanwhile(mario: Person, operation: str, act: Callable[[], Any]) -> Any:
    """Return a patch that lets something happen just before one AWS operation."""
    happened: list[bool] = []
    call = BaseClient._make_api_call

    def acting(self: Any, name: str, arguments: Any) -> Any:
        if name == operation and not happened:
            happened.append(True)
            act()
        return call(self, name, arguments)

    return mock.patch.object(BaseClient, "_make_api_call", acting)


@pytest.mark.parametrize("operation", CALLS)
def test_who_loses_a_race_answers_with_the_photo(mario: Person, operation: str) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    user_id, photo_id = Photo.scan().next().user_id, asked.json()["photo_id"]
    uploads = app.services.uploads
    with meanwhile(mario, operation, lambda: uploads.complete(user_id, photo_id)):
        late = uploads.complete(user_id, photo_id)
    assert late["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert mario.counters() == (1, len(PICTURE))
    assert len([key for key in bucket_objects() if key.startswith("photos/")]) == 2


@pytest.mark.parametrize("operation", CALLS)
def test_who_is_late_for_a_photo_that_was_deleted_leaves_nothing(
    mario: Person, operation: str
) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    user_id, photo_id = Photo.scan().next().user_id, asked.json()["photo_id"]
    uploads = app.services.uploads

    def complete_and_delete() -> None:
        uploads.complete(user_id, photo_id)
        app.services.photos.delete(user_id, photo_id)
        store_upload(asked, PICTURE)

    with (
        meanwhile(mario, operation, complete_and_delete),
        pytest.raises(Exception, match="This photo does not exist"),
    ):
        uploads.complete(user_id, photo_id)
    assert mario.counters() == (0, 0)
    assert [key for key in bucket_objects() if key.startswith("photos/")] == []


def test_bytes_that_replace_others_while_they_are_recorded_are_refused(mario: Person) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    other = PICTURE[:-3] + b"\0" + PICTURE[-2:]
    with failing_call("TransactWriteItems", TIMEOUT):
        mario.complete(asked)
    store_upload(asked, other)
    assert mario.complete(asked).status_code == 409
    store_upload(asked, PICTURE)
    assert mario.complete(asked).status_code == 200


def test_who_is_leaving_gets_neither_a_pending_photo_nor_a_completed_one(mario: Person) -> None:
    asked = mario.begin_upload(len(PICTURE))
    store_upload(asked, PICTURE)
    caller = app.services.sessions.authenticate(mario.token)
    User(caller.sub).begin_deletion(1)
    with mock.patch.object(Sessions, "authenticate", return_value=caller):
        assert mario.begin_upload(len(PICTURE)).status_code == 401
        assert mario.begin_upload(len(PICTURE), key="k").status_code == 401
        assert mario.complete(asked).status_code == 401
    assert Photo.count() == 1
    assert list(bucket_objects()) == [asked.json()["upload"]["fields"]["key"]]


@pytest.mark.parametrize("has_photos", [True, False])
def test_who_leaves_takes_pending_photos_and_keys_along(mario: Person, has_photos: bool) -> None:
    store_upload(mario.begin_upload(len(PICTURE), key="asked"), PICTURE)
    if has_photos:
        mario.upload(PICTURE, key="sent")
        assert UploadKey.count() == 4
    else:
        Photo.get(*next((row.user_id, row.id) for row in Photo.scan() if row.filename)).delete()
    body = {"password": PASSWORD}
    delete_all = PhotoService.delete_all
    with mock.patch.object(
        PhotoService, "delete_all", lambda self, user_id: delete_all(self, user_id, seconds=0)
    ):
        response = mario.send("DELETE", "/users/me", **body)
    assert (response.status_code, response.json()["remaining"]) == (202, 2 if has_photos else 1)
    assert mario.send("DELETE", "/users/me", **body).status_code == 200
    assert (Photo.count(), bucket_objects()) == (0, {})


def test_the_same_key_makes_one_photo(mario: Person, luigi: Person) -> None:
    first, again = (mario.upload(PICTURE, key="a!") for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert set(first.json()) == set(again.json())
    assert first.json()["photo_id"] == again.json()["photo_id"]
    assert first.json()["photo"]["sha256"] == again.json()["photo"]["sha256"]
    assert (len(mario.photos()), mario.counters()) == (1, (1, len(PICTURE)))
    assert len(bucket_objects()) == 2
    # Keys of different users never meet.
    assert luigi.upload(PICTURE, key="a!").json()["photo_id"] != first.json()["photo_id"]
    assert mario.upload(PICTURE, key="b").json()["photo_id"] != first.json()["photo_id"]
    assert mario.upload(PICTURE).json()["photo_id"] != first.json()["photo_id"]


def test_the_same_key_asks_for_one_upload(mario: Person) -> None:
    first, again = (
        mario.begin_upload(len(PICTURE), key="k"),
        mario.begin_upload(len(PICTURE), key="k"),
    )
    assert again.status_code == 200
    assert again.json()["photo_id"] == first.json()["photo_id"]
    assert again.json()["upload"]["fields"]["key"] == first.json()["upload"]["fields"]["key"]
    assert mario.upload(PICTURE, key="k").status_code == 409
    store_upload(again, PICTURE)
    mario.complete(first)
    late = mario.begin_upload(len(PICTURE), key="k").json()
    assert (late["photo_id"], late["upload"]) == (first.json()["photo_id"], None)
    assert late["photo"]["id"] == late["photo_id"]
    assert mario.upload(PICTURE, key="k").json()["photo_id"] == late["photo_id"]
    assert mario.counters() == (1, len(PICTURE))


def test_a_key_is_looked_up_before_the_work_and_only_if_there_is_one(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.upload(PICTURE, key="k")
    aws_calls.clear()
    mario.upload(PICTURE, key="k")
    # the authorizer's, the key's and the photo's
    assert aws_calls == ["dynamodb.GetItem"] * 3


def test_the_key_of_a_photo_that_was_deleted_says_so(mario: Person) -> None:
    photo_id = mario.upload(PICTURE, key="k").json()["photo_id"]
    mario.delete(f"/photos/{photo_id}")
    for response in (mario.upload(PICTURE, key="k"), mario.begin_upload(len(PICTURE), key="k")):
        assert response.status_code == 409
        assert "deleted" in response.json()["Message"]
    assert mario.photos() == []


def test_a_key_is_forgotten_after_a_day_even_if_it_is_still_there(mario: Person) -> None:
    first = mario.upload(PICTURE, key="k").json()["photo_id"]
    [used] = [row for row in UploadKey.scan() if row.photo_id]
    day = datetime.timedelta(days=1)
    assert used.expires_at - datetime.datetime.now(datetime.UTC) <= day
    used.expires_at -= day
    used.save()
    second = mario.upload(PICTURE, key="k").json()["photo_id"]
    assert second != first
    assert mario.upload(PICTURE, key="k").json()["photo_id"] == second


def test_a_key_whose_answer_was_lost_answers_with_the_photo(mario: Person) -> None:
    with failing_call("TransactWriteItems", TIMEOUT, response_lost=True):
        assert mario.upload(PICTURE, key="k").status_code == 503
    with failing_call("TransactWriteItems", TIMEOUT):
        assert mario.begin_upload(len(PICTURE), key="l").status_code == 503
    assert mario.upload(PICTURE, key="k").status_code == 200
    assert mario.begin_upload(len(PICTURE), key="l").status_code == 200
    assert mario.counters() == (1, len(PICTURE))


def test_keys_never_appear_beside_the_photos(mario: Person) -> None:
    mario.upload(PICTURE, key="k")
    [used] = [row for row in UploadKey.scan() if row.photo_id]
    assert used.id.startswith("key#")
    assert len(mario.photos()) == 1


def one_transaction_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transactions be atomic, which they are in DynamoDB and not in moto."""
    call, lock = BaseClient._make_api_call, threading.Lock()

    def locked(self: Any, name: str, arguments: Any) -> Any:
        with lock if name == "TransactWriteItems" else contextlib.nullcontext():
            return call(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", locked)


def test_twenty_requests_at_once_with_one_key_make_one_photo(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = app.services.sessions.authenticate(mario.token).sub
    uploads, picture = app.services.uploads, images.jpeg(20, 20)
    one_transaction_at_a_time(monkeypatch)
    made = at_once(*[lambda: uploads.upload(user_id, picture, PhotoMetadata(), "k")] * 20)
    assert len({photo["id"] for photo in made}) == 1
    assert mario.counters() == (1, len(picture))
    assert len(bucket_objects()) == 2
    asked = at_once(*[lambda: uploads.begin(user_id, len(picture), PhotoMetadata(), "l")] * 20)
    assert len({one["photo_id"] for one in asked}) == 1
