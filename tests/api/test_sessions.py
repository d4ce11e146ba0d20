"""Signing up, in and out."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import boto3
import pytest
from jose import jwt

import app
from chalicelib.accounts.models import User
from chalicelib.container import Container
from tests.support.album import set_parameters, sub_of
from tests.support.aws_calls import aws_error, failing_call
from tests.support.clock import Clock
from tests.support.people import NEW_PASSWORD, WRONG_PASSWORD, Person, Response, post_json

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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def issued_at(person: Person) -> int:
    return int(jwt.get_unverified_claims(person.token)["iat"])


def sign_out(person: Person) -> None:
    assert person.sign_out().status_code == 200


def change_password(person: Person) -> None:
    passwords = {"oldPassword": person.password, "newPassword": person.password + "!"}
    assert person.send("PUT", "/users/me/password", **passwords).status_code == 200
    person.password += "!"


def reset_password(person: Person) -> None:
    body = {"email": person.email}
    assert person.send("POST", "/users/password/forgot", **body).status_code == 200
    body |= {"code": "000000", "password": person.password + "!"}
    with mock.patch.object(app.services.user_pool, "reset_password"):
        assert person.send("POST", "/users/password/reset", **body).status_code == 200


@pytest.mark.parametrize("end", [sign_out, change_password, reset_password])
def test_two_sessions_of_the_second_of_a_sign_out_are_both_rejected(
    mario: Person, clock: Clock, end: Callable[[Person], None]
) -> None:
    for _ in range(20):
        clock.now = clock.now // 1 + 1
        mario.sign_in()
        phone = mario.new_session()
        clock.now += 0.9
        assert issued_at(mario) == issued_at(phone) == int(clock.now)
        end(mario)
        assert mario.get("/photos").status_code == 403
        assert phone.get("/photos").status_code == 403


def test_sign_in_in_the_second_of_a_sign_out_succeeds_at_most_a_second_later(
    mario: Person, clock: Clock
) -> None:
    for fraction in (0.0, 0.5, 0.99):
        clock.now = clock.now // 1 + 1 + fraction
        mario.sign_in()
        mario.sign_out()
        clock.waits.clear()
        assert mario.sign_in().status_code == 200
        assert sum(clock.waits) <= 1
        assert len(clock.waits) == 1
        assert mario.get("/photos").status_code == 200
        clock.waits.clear()
        assert mario.sign_in().status_code == 200
        assert clock.waits == []


def test_sign_in_while_the_clock_of_cognito_is_behind_is_unavailable(
    mario: Person, clock: Clock
) -> None:
    User(sub_of(mario)).record_sign_out(int(clock.now) + 60)
    response = mario.sign_in()
    assert (response.status_code, len(clock.waits)) == (503, 3)
    assert max(clock.waits) == 1


def test_earlier_sign_out_does_not_replace_a_later_one(mario: Person) -> None:
    user = User(sub_of(mario))
    for moment in (1_000, 2_000, 1_500, 2_000):
        user.record_sign_out(moment)
    assert User.get(user.sub).signed_out_at == 2_000


CLOSED = (403, "SignUpClosedError")


@pytest.mark.parametrize(
    ("allowed", "email", "is_open"),
    [
        ("*", "anybody@example.org", True),
        ("-", "mario@example.com", False),
        ("mario@example.com", "MARIO@example.com", True),
        ("Mario@Example.COM, luigi@example.com", "mario@example.com", True),
        ("mario@example.com", "mario+two@example.com", False),
        ("mario@example.com", "m.ario@example.com", False),
        ("mario@example.com", "supermario@example.com", False),
        ("mario@example.com", "mario@example.com.evil.org", False),
        ("@example.com", "peach@example.com", True),
        ("@example.com", "peach@mail.example.com", False),
        ("@example.com", "peach@badexample.com", False),
        ("@example.com", "peach@example.com.evil.org", False),
        ("@example.com", "peach@example.co", False),
        ("@example.com", "@example.com", None),
        ("@example.com", "peach@example.com.", None),
        ("@example.com", "peach@ex\u0430mple.com", None),  # a Cyrillic letter
        ("@k.com", "peach@\u212a.com", None),  # the Kelvin sign, whose lower case is k
        ("@example.com", '"a@evil.org"@example.com', None),
        ("@example.com", "a@evil.org@example.com", None),
        ("@example.com", "a@evil.org,b@example.com", None),
    ],
)
def test_only_allowed_addresses_can_sign_up(
    http: Any, aws_calls: list[str], allowed: str, email: str, is_open: bool | None
) -> None:
    set_parameters(SIGNUP_ALLOWED=allowed)
    response = post_json(http, "/users/signup", ACCOUNT | {"email": email})
    if is_open:
        assert response.status_code == 200
        return
    expected = (400, "BadRequestError") if is_open is None else CLOSED
    assert (response.status_code, response.json()["Code"]) == expected
    assert not [call for call in aws_calls if call.startswith("cognito-idp.")]


def test_closed_sign_up_does_not_reveal_whether_an_address_is_taken(
    http: Any, mario: Person, aws_calls: list[str]
) -> None:
    set_parameters(SIGNUP_ALLOWED="@invited.example.com")
    taken, free = (
        post_json(http, "/users/signup", ACCOUNT | {"email": email})
        for email in (mario.email, "unknown@example.com")
    )
    assert (taken.status_code, taken.json()["Code"]) == CLOSED
    assert (free.status_code, free.json()) == (taken.status_code, taken.json())
    assert free.json()["Message"] == (
        "Sign-up is by invitation only. Ask the album's owner to invite your email address."
    )
    # Those who have an account can still use it.
    assert mario.sign_in().status_code == 200


def test_stage_that_does_not_say_who_may_sign_up_is_closed(http: Any) -> None:
    boto3.client("ssm").delete_parameter(Name="/cloudalbum/SIGNUP_ALLOWED")
    app.services = Container()
    response = post_json(http, "/users/signup", ACCOUNT)
    assert (response.status_code, response.json()["Code"]) == CLOSED


def test_sign_up_whose_code_could_not_be_emailed_can_be_repeated(http: Any) -> None:
    set_parameters(SIGNUP_CONFIRMATION="email")
    undelivered = aws_error("CodeDeliveryFailureException", "SignUp", "SES rejected it")
    # Cognito creates the account, and then reports that its code was not delivered.
    with failing_call("SignUp", undelivered, response_lost=True):
        failed = post_json(http, "/users/signup", ACCOUNT)
    assert failed.status_code == 503
    assert failed.headers["Retry-After"] == "60"
    assert failed.json()["Message"] == (
        "The confirmation email could not be sent. Try again in 60 seconds."
    )
    assert User.count() == 0
    repeated = post_json(http, "/users/signup", ACCOUNT)
    assert (repeated.status_code, repeated.json()) == (200, {"ok": True, "confirm": "email"})
    # Nobody else can take over the account that is waiting for its code.
    other = post_json(http, "/users/signup", ACCOUNT | {"password": NEW_PASSWORD})
    assert other.status_code == 409


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


@pytest.mark.parametrize("operation", ["AdminUserGlobalSignOut", "UpdateItem"])
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
    assert aws_calls == [
        "dynamodb.GetItem",
        "cognito-idp.AdminUserGlobalSignOut",
        "dynamodb.UpdateItem",
    ]


@pytest.mark.parametrize(
    ("path", "operation", "code", "seconds"),
    [
        ("signin", "InitiateAuth", "TooManyRequestsException", 2),
        ("password/forgot", "ForgotPassword", "TooManyRequestsException", 2),
        ("signup", "SignUp", "LimitExceededException", 3600),
    ],
)
def test_throttling_by_cognito_is_429_with_the_time_to_wait(
    http: Any, path: str, operation: str, code: str, seconds: int
) -> None:
    with failing_call(operation, aws_error(code, operation, "Rate exceeded")):
        response = post_json(http, f"/users/{path}", ACCOUNT)
    assert response.status_code == 429
    assert response.headers["Retry-After"] == str(seconds)
    wait = "an hour" if seconds == 3600 else f"{seconds} seconds"
    assert response.json()["Message"] == f"Too many requests. Try again in {wait}."


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("password/forgot", "ForgotPassword"),
        ("password/reset", "ConfirmForgotPassword"),
        ("confirm", "ConfirmSignUp"),
        ("confirm/resend", "ResendConfirmationCode"),
    ],
)
def test_limit_of_attempts_does_not_reveal_that_an_address_has_an_account(
    http: Any, mario: Person, path: str, operation: str
) -> None:
    # Cognito counts the attempts of users, and so never limits those for an unknown address.
    def send(email: str) -> Response:
        body = {"email": email, "code": "000000", "password": NEW_PASSWORD}
        return post_json(http, f"/users/{path}", body)

    limited = aws_error("LimitExceededException", operation, "Attempt limit exceeded")
    with failing_call(operation, limited):
        known = send(mario.email)
    unknown_user = aws_error("UserNotFoundException", operation, "User does not exist.")
    with failing_call(operation, unknown_user):
        unknown = send("unknown@example.com")
    assert known.status_code in (200, 400)
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
