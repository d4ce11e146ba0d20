"""The profile, its counters, passwords, and the links to Cognito's hosted pages."""

from typing import Any

import app
from chalicelib.accounts.models import User
from tests.support import images
from tests.support.album import set_parameters, sub_of
from tests.support.aws_calls import failing_call
from tests.support.people import NEW_PASSWORD, PASSWORD, WRONG_PASSWORD, Person, Response

IMAGE = images.jpeg()


def test_profile_has_the_account_and_its_storage(mario: Person) -> None:
    mario.upload(IMAGE)
    renamed = mario.send("PATCH", "/users/me", username="Super Mario")
    assert renamed.status_code == 200
    profile = mario.profile()
    assert renamed.json()["user"] == profile
    assert profile.pop("created_date").endswith("+00:00")
    assert profile == {
        "user_id": sub_of(mario),
        "email": "mario@example.com",
        "username": "Super Mario",
        "photo_count": 1,
        "trash_count": 0,
        "storage_bytes": len(IMAGE),
    }


def test_counters_follow_uploads_and_deletions(mario: Person, luigi: Person) -> None:
    first, second = IMAGE, images.jpeg(100, 100)
    photo_id = mario.upload(first).json()["photo_id"]
    mario.upload(second)
    assert mario.counters() == (2, len(first) + len(second))
    mario.delete(f"/photos/{photo_id}")
    assert mario.counters() == (1, len(second))
    assert luigi.counters() == (0, 0)


def test_account_without_an_item_gets_one_with_the_first_upload(mario: Person) -> None:
    # An account that was created in the Cognito console has no item.
    User(sub_of(mario)).delete()
    assert mario.counters() == (0, 0)
    assert mario.upload(IMAGE).status_code == 200
    assert mario.counters() == (1, len(IMAGE))


def change_password(person: Person, old: str = PASSWORD) -> Response:
    body = {"oldPassword": old, "newPassword": NEW_PASSWORD}
    return person.send("PUT", "/users/me/password", **body)


def test_password_change_ends_every_session(mario: Person, aws_calls: list[str]) -> None:
    response = change_password(mario)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert "cognito-idp.AdminUserGlobalSignOut" in aws_calls
    assert mario.get("/photos").status_code == 403
    assert mario.sign_in().status_code == 401
    assert mario.sign_in(NEW_PASSWORD).status_code == 200
    assert mario.get("/photos").status_code == 200


def test_password_change_with_a_wrong_password_changes_nothing(mario: Person) -> None:
    assert change_password(mario, WRONG_PASSWORD).status_code == 401
    assert mario.get("/photos").status_code == 200
    assert mario.sign_in().status_code == 200


def test_interrupted_password_change_can_be_repeated(mario: Person) -> None:
    with failing_call("AdminUserGlobalSignOut"):
        assert change_password(mario).status_code == 503
    assert change_password(mario).status_code == 200
    assert mario.get("/photos").status_code == 403


def test_links_are_not_found_without_hosted_pages(http: Any) -> None:
    assert http.get("/users/links").status_code == 404


def test_links_lead_to_the_hosted_pages(http: Any) -> None:
    set_parameters(COGNITO_DOMAIN="album.example.com")
    query = (
        f"?client_id={app.services.settings.client_id}&response_type=code"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F"
    )
    assert http.get("/users/links").json() == {
        "ok": True,
        "signIn": f"https://album.example.com/login{query}",
        "forgotPassword": f"https://album.example.com/forgotPassword{query}",
    }
