"""What a person expects after signing up."""

from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import app
from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import Sessions
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from chalicelib.photos.service import PhotoService
from tests.support import images
from tests.support.album import bucket_objects, failing_call
from tests.support.people import PASSWORD, Person, post_json

TIMEOUT = ReadTimeoutError(endpoint_url="https://aws")
NEW = "Another-2026"


def test_a_profile_tells_who_and_how_much(mario: Person) -> None:
    picture = images.jpeg()
    mario.upload(picture)
    user = mario.get("/users/me").json()["user"]
    created = user.pop("created_date")
    assert user == {
        "user_id": User.scan().next().sub,
        "email": "mario@example.com",
        "username": "Somebody",
        "photo_count": 1,
        "storage_bytes": len(picture),
    }
    assert created.endswith("+00:00")


def test_a_name_can_be_changed(mario: Person) -> None:
    response = mario.send("PATCH", "/users/me", username="Super Mario")
    assert response.status_code == 200
    assert response.json()["user"]["username"] == "Super Mario"
    assert mario.send("PATCH", "/users/me", username="").status_code == 400


def counters(person: Person) -> tuple[int, int]:
    user = person.get("/users/me").json()["user"]
    return user["photo_count"], user["storage_bytes"]


def test_counters_follow_the_photos(mario: Person, luigi: Person) -> None:
    first, second = images.jpeg(), images.jpeg(100, 100)
    photo_id = mario.upload(first).json()["photo_id"]
    mario.upload(second)
    assert counters(mario) == (2, len(first) + len(second))
    mario.delete(f"/photos/{photo_id}")
    assert counters(mario) == (1, len(second))
    assert counters(luigi) == (0, 0)


def test_a_deletion_that_broke_is_discounted_once_by_its_repeat(mario: Person) -> None:
    photo_id = mario.upload(images.jpeg()).json()["photo_id"]
    with failing_call("TransactWriteItems", TIMEOUT):
        assert mario.delete(f"/photos/{photo_id}").status_code == 503
    assert mario.delete(f"/photos/{photo_id}").status_code == 200
    assert mario.delete(f"/photos/{photo_id}").status_code == 404
    assert counters(mario) == (0, 0)


def test_an_account_of_the_console_is_counted_too(mario: Person) -> None:
    User.scan().next().delete()
    assert counters(mario) == (0, 0)
    picture = images.jpeg()
    assert mario.upload(picture).status_code == 200
    assert counters(mario) == (1, len(picture))


def test_a_new_password_ends_every_session(mario: Person, aws_calls: list[str]) -> None:
    response = mario.send("PUT", "/users/me/password", oldPassword=PASSWORD, newPassword=NEW)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert "cognito-idp.AdminUserGlobalSignOut" in aws_calls
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 401
    assert mario.sign_in(NEW).status_code == 200
    assert mario.get("/photos").status_code == 200


def test_a_wrong_old_password_changes_nothing(mario: Person) -> None:
    response = mario.send("PUT", "/users/me/password", oldPassword="Wrong-2026", newPassword=NEW)
    assert response.status_code == 401
    assert mario.get("/photos").status_code == 200
    assert mario.sign_in().status_code == 200


def test_a_change_that_broke_before_the_sessions_ended_can_be_repeated(mario: Person) -> None:
    body = {"oldPassword": PASSWORD, "newPassword": NEW}
    with failing_call("AdminUserGlobalSignOut", TIMEOUT):
        assert mario.send("PUT", "/users/me/password", **body).status_code == 503
    assert mario.send("PUT", "/users/me/password", **body).status_code == 200
    assert mario.get("/photos").status_code == 403


def test_a_limit_of_cognitos_is_429(http: Any) -> None:
    error = {"Error": {"Code": "LimitExceededException", "Message": "Attempt limit exceeded"}}
    with failing_call("ForgotPassword", ClientError(error, "ForgotPassword")):
        response = post_json(http, "/users/password/forgot", {"email": "a@example.com"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_pool_without_hosted_pages_has_no_links(http: Any) -> None:
    assert http.get("/users/links").status_code == 404


def test_links_lead_to_the_pools_hosted_pages(http: Any) -> None:
    boto3.client("ssm").put_parameter(
        Name="/cloudalbum/COGNITO_DOMAIN", Value="album.example.com", Overwrite=True
    )
    links = http.get("/users/links").json()
    query = (
        f"?client_id={app.services.settings.client_id}&response_type=code"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F"
    )
    assert links == {
        "ok": True,
        "signIn": f"https://album.example.com/login{query}",
        "forgotPassword": f"https://album.example.com/forgotPassword{query}",
    }


def leave(person: Person, password: str = PASSWORD) -> Any:
    return person.send("DELETE", "/users/me", password=password)


def test_who_leaves_takes_everything_along(mario: Person, luigi: Person) -> None:
    kept = luigi.upload(images.jpeg()).json()["photo"]
    mario.upload(images.jpeg())
    user_id = mario.photos()[0]["user_id"]
    bucket = app.services.settings.photo_bucket
    for key in (f"photos/{user_id}/orphan.jpg", f"uploads/{user_id}/unfinished"):
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"left")
    assert leave(mario, "Wrong-2026").status_code == 401
    assert len(mario.photos()) == 1
    response = leave(mario)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert {key.split("/")[1] for key in bucket_objects()} == {kept["user_id"]}
    assert Photo.count(user_id) == 0
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 401
    tombstone = User.get(user_id)
    assert tombstone.deleted_at is not None
    assert tombstone.expires_at is not None
    assert {"photo_count", "created_date"}.isdisjoint(tombstone.attribute_values)
    assert len(luigi.photos()) == 1


def test_the_address_of_who_left_can_sign_up_again(mario: Person) -> None:
    mario.upload(images.jpeg())
    leave(mario)
    account = {"email": mario.email, "password": NEW, "username": "Mario II"}
    assert post_json(mario.transport, "/users/signup", account).status_code == 200
    assert mario.sign_in(NEW).status_code == 200
    assert mario.photos() == []


@pytest.mark.parametrize(
    "operation", ["DeleteObjects", "BatchWriteItem", "ListObjectsV2", "AdminDeleteUser"]
)
def test_a_departure_that_broke_is_finished_by_its_repeat(mario: Person, operation: str) -> None:
    mario.upload(images.jpeg())
    with failing_call(operation, TIMEOUT):
        assert leave(mario).status_code == 503
    # Until then the token is good for nothing else.
    assert mario.get("/photos").status_code == 403
    assert mario.upload(images.jpeg()).status_code == 403
    slashed = mario.send("DELETE", "/users/me/", password=PASSWORD)
    assert slashed.status_code == 200
    assert (Photo.count(), bucket_objects()) == (0, {})


def test_a_departure_that_broke_at_the_very_end_is_finished_by_its_repeat(mario: Person) -> None:
    with failing_call("UpdateItem", TIMEOUT, after=1):
        assert leave(mario).status_code == 503
    # The pool's account, and with it the password, is gone by now.
    assert leave(mario).status_code == 200
    assert User.scan().next().deleted_at is not None


def test_a_huge_album_takes_another_call(mario: Person) -> None:
    mario.upload(images.jpeg())
    delete_all = PhotoService.delete_all
    with mock.patch.object(
        PhotoService, "delete_all", lambda self, user_id: delete_all(self, user_id, seconds=0)
    ):
        response = leave(mario)
    assert (response.status_code, response.json()) == (202, {"ok": True, "remaining": 1})
    assert leave(mario).status_code == 200


def test_photos_on_their_way_in_or_out_go_as_well(mario: Person) -> None:
    for state in (PhotoState.PENDING, PhotoState.DELETING):
        photo = mario.upload(images.jpeg()).json()["photo"]
        row = Photo.get(photo["user_id"], photo["id"])
        row.update(actions=[Photo.state.set(state), Photo.taken_key.remove()])
    assert leave(mario).status_code == 200
    assert (Photo.count(), bucket_objects()) == (0, {})


def test_an_upload_that_comes_too_late_leaves_nothing(mario: Person) -> None:
    caller = app.services.sessions.authenticate(mario.token)
    User(caller.sub).begin_deletion(1)
    # The authorizer had let it in just before the account began to leave.
    with mock.patch.object(Sessions, "authenticate", return_value=caller):
        response = mario.upload(images.jpeg())
    assert response.status_code == 401
    assert (Photo.count(), bucket_objects()) == (0, {})
