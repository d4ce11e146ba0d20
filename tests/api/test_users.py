"""Signing up, in and out."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import app
from chalicelib.accounts.models import User
from tests.support.album import failing_call
from tests.support.people import PASSWORD, Person, post_json

ACCOUNT = {"email": "super@mario.com", "password": "Super2019!", "username": "SuperMario"}


def pool_user(email: str) -> dict[str, Any]:
    pool_id = app.services.settings.pool_id
    user = boto3.client("cognito-idp").admin_get_user(UserPoolId=pool_id, Username=email)
    attributes = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
    return attributes | {"status": user["UserStatus"]}


def test_signing_up_confirms_at_once_and_verifies_the_address(http: Any) -> None:
    response = post_json(http, "/users/signup", ACCOUNT)
    assert (response.status_code, response.json()) == (200, {"ok": True})
    user = pool_user("super@mario.com")
    assert user["status"] == "CONFIRMED"
    assert user["email_verified"] == "true"
    assert user["name"] == "SuperMario"
    row = User.get(user["sub"])
    assert (row.photo_count, row.storage_bytes) == (0, 0)


def test_signing_in_gives_both_tokens(http: Any) -> None:
    post_json(http, "/users/signup", ACCOUNT)
    response = post_json(http, "/users/signin", {**ACCOUNT, "email": "Super@Mario.com"})
    assert response.status_code == 200
    assert set(response.json()) == {"accessToken", "refreshToken", "expiresIn"}
    assert response.json()["expiresIn"] == 3600


def test_a_taken_address_is_a_conflict_in_any_spelling(http: Any) -> None:
    post_json(http, "/users/signup", ACCOUNT)
    response = post_json(http, "/users/signup", {**ACCOUNT, "email": "SUPER@mario.com"})
    assert response.status_code == 409
    assert response.json()["Code"] == "ConflictError"


def test_a_weak_password_is_refused(http: Any) -> None:
    response = post_json(http, "/users/signup", {**ACCOUNT, "password": "Short1!"})
    assert response.status_code == 400
    assert response.json()["Message"].startswith("password ")


def test_wrong_password_and_unknown_user_are_one_and_the_same_answer(
    http: Any, mario: Person
) -> None:
    wrong = post_json(http, "/users/signin", {"email": mario.email, "password": "Wrong-2026"})
    unknown = post_json(http, "/users/signin", {"email": "x@example.com", "password": "Wrong-2026"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_a_stale_token_does_not_keep_anybody_from_signing_in(http: Any, mario: Person) -> None:
    body = {"email": mario.email, "password": PASSWORD}
    response = post_json(http, "/users/signin", body, Authorization="Bearer stale")
    assert response.status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"any": "thing"}', b"not json"])
def test_signing_out_takes_any_body(http: Any, mario: Person, body: bytes) -> None:
    headers = mario.headers | {"Content-Type": "application/json"}
    response = http.post("/users/signout", headers=headers, body=body)
    assert (response.status_code, response.json()) == (200, {"ok": True})


def test_signing_out_ends_the_session_at_once(mario: Person) -> None:
    assert mario.get("/photos").status_code == 200
    assert mario.post("/users/signout").status_code == 200
    assert mario.get("/photos").status_code == 403


def test_a_sign_in_in_the_next_instant_is_accepted(mario: Person) -> None:
    mario.post("/users/signout")
    mario.sign_in()
    assert mario.get("/photos").status_code == 200


def test_two_sessions_signing_out_in_one_second_are_both_refused(mario: Person) -> None:
    other = Person(mario.transport, mario.email)
    other.sign_in()
    sub = User.scan().next().sub
    session, other_session = (
        app.services.sessions.authenticate(one.token).origin_jti for one in (mario, other)
    )
    User(sub).record_sign_out(1_000, {session})
    User(sub).record_sign_out(1_000, {other_session})
    assert mario.get("/photos").status_code == 403
    assert other.get("/photos").status_code == 403


def test_a_sign_up_that_broke_halfway_can_be_repeated(http: Any) -> None:
    with failing_call("AdminConfirmSignUp", ReadTimeoutError(endpoint_url="https://cognito")):
        assert post_json(http, "/users/signup", ACCOUNT).status_code == 503
    assert pool_user(ACCOUNT["email"])["status"] == "UNCONFIRMED"
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 200
    assert post_json(http, "/users/signin", ACCOUNT).status_code == 200
    assert User.count() == 1


def test_nobody_takes_over_an_account_that_another_one_is_signing_up(http: Any) -> None:
    app.services.accounts._pool.sign_up(ACCOUNT["email"], ACCOUNT["password"], "SuperMario")
    another = ACCOUNT | {"password": "Another-2026"}
    assert post_json(http, "/users/signup", another).status_code == 409
    assert post_json(http, "/users/signin", another).status_code == 401
    assert post_json(http, "/users/signin", ACCOUNT).status_code == 200


def test_a_token_is_not_revoked_for_the_authorizer_before_it_is_for_cognito(
    mario: Person, aws_calls: list[str]
) -> None:
    # Else a sign-out that broke in between could not be repeated: its own token would be refused.
    with failing_call("GlobalSignOut", ReadTimeoutError(endpoint_url="https://cognito")):
        assert mario.post("/users/signout").status_code == 503
    assert mario.get("/photos").status_code == 200
    aws_calls.clear()
    assert mario.post("/users/signout").status_code == 200
    assert aws_calls == ["dynamodb.GetItem", "cognito-idp.GlobalSignOut", "dynamodb.UpdateItem"]


def test_a_sign_out_that_broke_halfway_can_be_repeated(mario: Person) -> None:
    with failing_call("UpdateItem", ReadTimeoutError(endpoint_url="https://dynamodb")):
        assert mario.post("/users/signout").status_code == 503
    assert mario.post("/users/signout").status_code == 200
    assert mario.get("/photos").status_code == 403


def test_cognitos_throttling_is_429_with_the_time_to_wait(http: Any) -> None:
    error = {"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}
    with failing_call("InitiateAuth", ClientError(error, "InitiateAuth")):
        response = post_json(http, "/users/signin", ACCOUNT)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Rate exceeded" not in json.dumps(response.json())


def test_a_missing_parameter_is_told_to_the_log_and_not_to_the_client(
    http: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("ssm").delete_parameter(Name="/cloudalbum/COGNITO_CLIENT_ID")
    response = post_json(http, "/users/signin", ACCOUNT)
    assert response.status_code == 500
    assert "COGNITO" not in response.json()["Message"]
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "/cloudalbum/COGNITO_CLIENT_ID is missing" in line["error"][0]
    assert line["request_id"] in response.json()["Message"]


def test_settings_that_were_mended_are_read_without_a_restart(http: Any) -> None:
    ssm = boto3.client("ssm")
    name = "/cloudalbum/THUMBNAIL_WIDTH"
    ssm.delete_parameter(Name=name)
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 500
    ssm.put_parameter(Name=name, Value="300", Type="SecureString")
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 200
