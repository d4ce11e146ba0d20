"""Who is let in."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from chalice.test import Client

import app
from chalicelib.accounts import tokens
from chalicelib.accounts.models import User
from chalicelib.container import Container
from chalicelib.errors import Unavailable
from tests.support.album import failing_call
from tests.support.people import PASSWORD, Person, post_json

PROTECTED = [
    ("GET", "/photos"),
    ("GET", "/photos/"),
    ("POST", "/photos/file"),
    ("POST", "/photos/file/"),
    ("GET", "/photos/01890a5d-ac96-774b-bcce-b302099a8057"),
    ("DELETE", "/photos/01890a5d-ac96-774b-bcce-b302099a8057/"),
    ("POST", "/users/signout"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_without_a_token_it_is_401_and_with_a_bad_one_403(
    http: Any, method: str, path: str
) -> None:
    assert http.request(method, path).status_code == 401
    for header in ("Bearer nonsense", "nonsense", "Bearer ", "Bearer a.b.c"):
        response = http.request(method, path, headers={"Authorization": header})
        assert response.status_code == 403


def test_the_bare_token_is_taken_too(http: Any, mario: Person) -> None:
    assert http.get("/photos", headers={"Authorization": mario.token}).status_code == 200


def test_an_id_token_is_refused(http: Any, mario: Person) -> None:
    settings = app.services.settings
    pool = app.services.accounts._pool
    answer = boto3.client("cognito-idp").initiate_auth(
        ClientId=settings.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={
            "USERNAME": mario.email,
            "PASSWORD": PASSWORD,
            "SECRET_HASH": pool._secret_hash(mario.email),
        },
    )["AuthenticationResult"]
    for name, status in (("AccessToken", 200), ("IdToken", 403)):
        headers = {"Authorization": f"Bearer {answer[name]}"}
        assert http.get("/photos", headers=headers).status_code == status


def test_what_lets_in_is_good_for_every_route_and_what_refuses_for_none(mario: Person) -> None:
    # API Gateway remembers the answer for a token and uses it on other routes.
    arn = "arn:aws:execute-api:eu-west-1:123456789012:api-id/api/GET/photos"
    event = {"type": "TOKEN", "methodArn": arn}
    with Client(app.app) as client:
        allowed, denied = (
            client.lambda_.invoke("jwt_auth", event | {"authorizationToken": token}).payload
            for token in (mario.token, "nonsense")
        )
    [statement] = allowed["policyDocument"]["Statement"]
    assert statement["Resource"] == [arn.replace("GET/photos", "*/*")]
    assert denied["policyDocument"]["Statement"][0]["Resource"] == []


def test_the_pools_keys_are_fetched_once_for_all_requests(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mario.get("/photos")
    monkeypatch.setattr(tokens, "fetch_keys", lambda url: pytest.fail("fetched again"))
    assert mario.get("/photos").status_code == 200


def test_a_deleted_user_is_refused(mario: Person) -> None:
    row = User.scan().next()
    row.update(actions=[User.deleted_at.set(1_800_000_000)])
    assert mario.get("/photos").status_code == 403


def test_an_account_made_in_the_console_works_without_a_row(http: Any) -> None:
    cognito, pool_id = boto3.client("cognito-idp"), app.services.settings.pool_id
    cognito.admin_create_user(UserPoolId=pool_id, Username="c@example.com")
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username="c@example.com", Password=PASSWORD, Permanent=True
    )
    body = {"email": "c@example.com", "password": PASSWORD}
    token = post_json(http, "/users/signin", body).json()["accessToken"]
    somebody = Person(http, "c@example.com", token=token)
    assert somebody.get("/photos").status_code == 200
    assert somebody.post("/users/signout").status_code == 200
    assert somebody.get("/photos").status_code == 403


def test_a_table_out_of_reach_fails_and_refuses_nobody(mario: Person) -> None:
    error = EndpointConnectionError(endpoint_url="https://dynamodb")
    # Under `chalice.test` the gateway's error is the exception itself.
    with failing_call("GetItem", error), pytest.raises(EndpointConnectionError, match="dynamodb"):
        mario.get("/photos")


def test_a_key_set_out_of_reach_fails_and_refuses_nobody(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(url: str) -> None:
        raise Unavailable

    monkeypatch.setattr(tokens, "fetch_keys", down)
    monkeypatch.setattr(app, "services", Container())
    with pytest.raises(Unavailable):
        mario.get("/photos")


def test_the_authorizer_reads_one_row_and_asks_cognito_nothing(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.get("/photos/nothing")
    aws_calls.clear()
    assert mario.get("/photos/nothing").status_code == 404
    assert aws_calls == ["dynamodb.GetItem"]
