"""Signing up, in and out."""

from typing import Any

import boto3
import pytest

import app
from chalicelib.accounts.models import User
from tests.support.album import sub_of
from tests.support.aws_calls import aws_error, failing_call
from tests.support.people import NEW_PASSWORD, WRONG_PASSWORD, Person, post_json

ACCOUNT = {"email": "super@mario.com", "password": "Super2019!", "username": "SuperMario"}


def pool_user(email: str) -> dict[str, Any]:
    """Return the attributes and the status of a user in Cognito."""
    pool_id = app.services.settings.pool_id
    user = boto3.client("cognito-idp").admin_get_user(UserPoolId=pool_id, Username=email)
    attributes = {attribute["Name"]: attribute["Value"] for attribute in user["UserAttributes"]}
    return attributes | {"status": user["UserStatus"]}


def test_sign_up_creates_a_confirmed_user_with_a_verified_email_address(http: Any) -> None:
    response = post_json(http, "/users/signup", ACCOUNT)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    user = pool_user("super@mario.com")
    assert user["status"] == "CONFIRMED"
    assert user["email_verified"] == "true"
    assert user["name"] == "SuperMario"
    item = User.get(user["sub"])
    assert (item.photo_count, item.storage_bytes) == (0, 0)


def test_sign_in_returns_both_tokens_and_ignores_the_case_of_the_email_address(http: Any) -> None:
    post_json(http, "/users/signup", ACCOUNT)
    response = post_json(http, "/users/signin", {**ACCOUNT, "email": "Super@Mario.com"})
    assert response.status_code == 200
    assert set(response.json()) == {"accessToken", "refreshToken", "expiresIn"}
    assert response.json()["expiresIn"] == 3600


def test_sign_up_with_a_registered_email_address_in_another_case_is_a_conflict(http: Any) -> None:
    post_json(http, "/users/signup", ACCOUNT)
    response = post_json(http, "/users/signup", {**ACCOUNT, "email": "SUPER@mario.com"})
    assert (response.status_code, response.json()["Code"]) == (409, "ConflictError")


def test_sign_up_with_a_weak_password_is_rejected(http: Any) -> None:
    response = post_json(http, "/users/signup", {**ACCOUNT, "password": "Short1!"})
    assert response.status_code == 400
    assert response.json()["Message"].startswith("The password is too weak")


def test_sign_in_does_not_reveal_whether_the_account_exists(http: Any, mario: Person) -> None:
    wrong, unknown = (
        post_json(http, "/users/signin", {"email": email, "password": WRONG_PASSWORD})
        for email in (mario.email, "unknown@example.com")
    )
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_sign_in_ignores_an_expired_token(http: Any, mario: Person) -> None:
    header = {"Authorization": "Bearer expired"}
    assert post_json(http, "/users/signin", mario.credentials, **header).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"any": "field"}', b"not JSON"])
def test_sign_out_accepts_any_body(mario: Person, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = mario.request("POST", "/users/signout", body, headers)
    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_sign_out_ends_the_session_immediately(mario: Person) -> None:
    assert mario.get("/photos").status_code == 200
    assert mario.sign_out().status_code == 200
    assert mario.get("/photos").status_code == 403


def test_sign_in_right_after_a_sign_out_is_accepted(mario: Person) -> None:
    mario.sign_out()
    mario.sign_in()
    assert mario.get("/photos").status_code == 200


def test_two_sessions_that_sign_out_in_the_same_second_are_both_revoked(mario: Person) -> None:
    other = mario.new_session()
    user = User(sub_of(mario))
    for origin_jti in [
        app.services.sessions.authenticate(session.token).origin_jti for session in (mario, other)
    ]:
        user.record_sign_out(1_000, {origin_jti})
    assert mario.get("/photos").status_code == 403
    assert other.get("/photos").status_code == 403


def test_interrupted_sign_up_can_be_repeated(http: Any) -> None:
    with failing_call("AdminConfirmSignUp"):
        assert post_json(http, "/users/signup", ACCOUNT).status_code == 503
    assert pool_user(ACCOUNT["email"])["status"] == "UNCONFIRMED"
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 200
    assert post_json(http, "/users/signin", ACCOUNT).status_code == 200
    assert User.count() == 1


def test_interrupted_sign_up_cannot_be_finished_with_another_password(http: Any) -> None:
    app.services.accounts._pool.sign_up(ACCOUNT["email"], ACCOUNT["password"], "SuperMario")
    other = ACCOUNT | {"password": NEW_PASSWORD}
    assert post_json(http, "/users/signup", other).status_code == 409
    assert post_json(http, "/users/signin", other).status_code == 401
    assert post_json(http, "/users/signin", ACCOUNT).status_code == 200


@pytest.mark.parametrize("operation", ["GlobalSignOut", "UpdateItem"])
def test_interrupted_sign_out_can_be_repeated(mario: Person, operation: str) -> None:
    with failing_call(operation):
        assert mario.sign_out().status_code == 503
    assert mario.get("/photos").status_code == 200  # else it could not be repeated
    assert mario.sign_out().status_code == 200
    assert mario.get("/photos").status_code == 403


def test_sign_out_revokes_the_token_in_cognito_before_the_authorizer_rejects_it(
    mario: Person, aws_calls: list[str]
) -> None:
    # In the other order, an interrupted sign-out could not be repeated.
    mario.get("/photos")
    aws_calls.clear()
    assert mario.sign_out().status_code == 200
    assert aws_calls == ["dynamodb.GetItem", "cognito-idp.GlobalSignOut", "dynamodb.UpdateItem"]


@pytest.mark.parametrize(
    ("path", "operation", "code", "message"),
    [
        ("signin", "InitiateAuth", "TooManyRequestsException", "Rate exceeded"),
        ("password/forgot", "ForgotPassword", "LimitExceededException", "Attempt limit exceeded"),
    ],
)
def test_throttling_by_cognito_is_429_with_the_time_to_wait(
    http: Any, path: str, operation: str, code: str, message: str
) -> None:
    with failing_call(operation, aws_error(code, operation, message)):
        response = post_json(http, f"/users/{path}", ACCOUNT)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert message not in response.text
