"""Deleting an account with everything it has stored."""

import datetime
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.client import BaseClient

import app
from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import Sessions
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import bucket_objects, no_time_to_delete, photo_items, start_upload, sub_of
from tests.support.aws_calls import failing_call
from tests.support.people import (
    NEW_PASSWORD,
    PASSWORD,
    WRONG_PASSWORD,
    Person,
    Response,
    post_json,
)

IMAGE = images.jpeg(40, 30)


def delete_account(person: Person, password: str = PASSWORD) -> Response:
    return person.send("DELETE", "/users/me", password=password)


def assert_nothing_is_stored() -> None:
    assert (Photo.count(), bucket_objects()) == (0, {})


def test_deletion_needs_the_password(mario: Person) -> None:
    mario.upload(IMAGE)
    assert delete_account(mario, WRONG_PASSWORD).status_code == 401
    assert len(mario.photos()) == 1


def test_deletion_removes_everything_of_the_user_and_nothing_of_others(
    mario: Person, luigi: Person
) -> None:
    luigi.upload(IMAGE)
    mario.upload(IMAGE)
    sub = sub_of(mario)
    bucket = app.services.settings.photo_bucket
    for key in (f"photos/{sub}/orphan.jpg", f"uploads/{sub}/unfinished"):
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"orphaned")
    response = delete_account(mario)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert {key.split("/")[1] for key in bucket_objects()} == {sub_of(luigi)}
    assert Photo.count(sub) == 0
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 401
    item = User.get(sub)
    assert item.deleted_at is not None
    assert item.expires_at is not None
    assert {"photo_count", "created_date"}.isdisjoint(item.attribute_values)
    assert len(luigi.photos()) == 1


def test_record_of_a_deleted_account_outlives_every_token_of_it(mario: Person) -> None:
    sub = sub_of(mario)
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    assert delete_account(mario).status_code == 200
    # An access token of Cognito is valid for at most a day.
    assert User.get(sub).expires_at - before >= datetime.timedelta(days=1)


def test_photo_deleted_while_its_account_is_being_deleted_leaves_no_item(mario: Person) -> None:
    photo_id = mario.upload(IMAGE).json()["photo_id"]
    sub = sub_of(mario)
    User(sub).begin_deletion(1)
    app.services.photos.delete(sub, photo_id)
    assert (photo_items(), bucket_objects()) == ([], {})


def test_email_address_of_a_deleted_account_can_sign_up_again(mario: Person) -> None:
    mario.upload(IMAGE)
    delete_account(mario)
    account = {"email": mario.email, "password": NEW_PASSWORD, "username": "Mario II"}
    assert post_json(mario.transport, "/users/signup", account).status_code == 200
    assert mario.sign_in(NEW_PASSWORD).status_code == 200
    assert mario.photos() == []


@pytest.mark.parametrize(
    "operation", ["DeleteObjects", "BatchWriteItem", "ListObjectsV2", "AdminDeleteUser"]
)
def test_interrupted_deletion_is_finished_by_a_retry(mario: Person, operation: str) -> None:
    mario.upload(IMAGE)
    with failing_call(operation):
        assert delete_account(mario).status_code == 503
    # Until then, the token is valid for nothing but the deletion.
    assert mario.get("/photos").status_code == 403
    assert mario.upload(IMAGE).status_code == 403
    slashed = mario.send("DELETE", "/users/me/", password=PASSWORD)
    assert slashed.status_code == 200
    assert_nothing_is_stored()


def test_deletion_without_a_final_record_is_finished_by_a_retry(mario: Person) -> None:
    sub = sub_of(mario)
    with failing_call("UpdateItem", after=1):
        assert delete_account(mario).status_code == 503
    # Cognito has deleted the user by now, so the password can no longer be checked.
    assert delete_account(mario).status_code == 200
    assert User.get(sub).deleted_at is not None


def test_account_deleted_at_cognito_is_no_proof_of_the_password(mario: Person) -> None:
    mario.upload(IMAGE)
    pool_id = app.services.settings.pool_id
    boto3.client("cognito-idp").admin_delete_user(UserPoolId=pool_id, Username=mario.email)
    for password in (PASSWORD, WRONG_PASSWORD):
        assert delete_account(mario, password).status_code == 401
    assert len(mario.photos()) == 1
    assert User.get(sub_of(mario)).deleting_at is None


def test_deletion_that_has_begun_still_needs_the_password(mario: Person) -> None:
    mario.upload(IMAGE)
    with no_time_to_delete():
        assert delete_account(mario).status_code == 202
    assert delete_account(mario, WRONG_PASSWORD).status_code == 401
    assert delete_account(mario).status_code == 200


def test_deletion_of_a_large_album_takes_more_than_one_request(mario: Person) -> None:
    mario.upload(IMAGE)
    with no_time_to_delete():
        response = delete_account(mario)
    assert (response.status_code, response.json()) == (202, {"ok": True, "remaining": 1})
    assert delete_account(mario).status_code == 200


def test_deletion_includes_photos_that_are_pending_or_being_deleted(mario: Person) -> None:
    for state in (PhotoState.PENDING, PhotoState.DELETING):
        photo = mario.upload(IMAGE).json()["photo"]
        item = Photo.get(photo["user_id"], photo["id"])
        item.update(actions=[Photo.state.set(state), Photo.taken_key.remove()])
    assert delete_account(mario).status_code == 200
    assert_nothing_is_stored()


@pytest.mark.parametrize("has_photos", [True, False])
def test_deletion_includes_pending_photos_and_idempotency_keys(
    mario: Person, has_photos: bool
) -> None:
    started = start_upload(mario, IMAGE, key="begun")
    if has_photos:
        mario.upload(IMAGE, key="uploaded")
        assert len(photo_items()) == 2
    else:
        Photo.get(sub_of(mario), started.json()["photo_id"]).delete()
    with no_time_to_delete():
        response = delete_account(mario)
    assert (response.status_code, response.json()["remaining"]) == (202, 2 if has_photos else 1)
    assert delete_account(mario).status_code == 200
    assert_nothing_is_stored()


def test_upload_during_the_deletion_stores_nothing(mario: Person) -> None:
    started = start_upload(mario, IMAGE)
    caller = app.services.sessions.authenticate(mario.token)
    User(caller.sub).begin_deletion(1)
    # The authorizer accepted the token just before the deletion began.
    with mock.patch.object(Sessions, "authenticate", return_value=caller):
        for response in (
            mario.upload(IMAGE),
            mario.begin_upload(len(IMAGE)),
            mario.begin_upload(len(IMAGE), key="k"),
            mario.complete(started),
        ):
            assert response.status_code == 401
    assert Photo.count() == 1
    assert list(bucket_objects()) == [started.json()["upload"]["fields"]["key"]]


@pytest.mark.parametrize("unprocessed", [1, 3])
def test_deletion_continues_with_items_that_dynamodb_left_unprocessed(
    mario: Person, monkeypatch: pytest.MonkeyPatch, unprocessed: int
) -> None:
    for _ in range(3):
        mario.upload(IMAGE)
    call = BaseClient._make_api_call
    batches = 0

    def without_capacity(self: Any, operation: str, arguments: Any) -> Any:
        nonlocal batches
        if operation != "BatchWriteItem" or batches == 6:
            return call(self, operation, arguments)
        batches += 1
        [(table, items)] = arguments["RequestItems"].items()
        if written := items[unprocessed:]:
            call(self, operation, arguments | {"RequestItems": {table: written}})
        left = items[:unprocessed]
        return {"UnprocessedItems": {table: left} if left else {}}

    pauses: list[float] = []
    monkeypatch.setattr(app.services.photos, "_sleep", pauses.append)
    monkeypatch.setattr(BaseClient, "_make_api_call", without_capacity)
    response = delete_account(mario)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert pauses
    assert Photo.count() == 0
