"""Which requests the authorizer lets through, and what it costs."""

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
from tests.support.album import sub_of
from tests.support.aws_calls import failing_call
from tests.support.people import PASSWORD, Person


@pytest.mark.parametrize("header", ["Bearer nonsense", "nonsense", "Bearer ", "Bearer a.b.c"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/photos"), ("POST", "/photos/file/"), ("POST", "/users/signout")]
)
def test_request_with_an_invalid_token_is_rejected(
    http: Any, header: str, method: str, path: str
) -> None:
    response = http.request(method, path, headers={"Authorization": header})
    assert response.status_code == 403


def test_token_is_accepted_without_the_word_bearer(http: Any, mario: Person) -> None:
    assert http.get("/photos", headers={"Authorization": mario.token}).status_code == 200


def test_access_token_is_accepted_and_id_token_is_rejected(http: Any, mario: Person) -> None:
    pool = app.services.accounts._pool
    issued = boto3.client("cognito-idp").initiate_auth(
        ClientId=app.services.settings.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={
            "USERNAME": mario.email,
            "PASSWORD": PASSWORD,
            "SECRET_HASH": pool._secret_hash(mario.email),
        },
    )["AuthenticationResult"]
    for name, status in (("AccessToken", 200), ("IdToken", 403)):
        headers = {"Authorization": f"Bearer {issued[name]}"}
        assert http.get("/photos", headers=headers).status_code == status


def test_policy_allows_every_route_or_none(mario: Person) -> None:
    # API Gateway caches the policy of a token, and applies it to other routes.
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


def test_signing_keys_of_the_pool_are_fetched_once(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mario.get("/photos")
    monkeypatch.setattr(tokens, "fetch_keys", lambda url: pytest.fail("fetched again"))
    assert mario.get("/photos").status_code == 200


def test_token_of_a_deleted_account_is_rejected(mario: Person) -> None:
    User(sub_of(mario)).update(actions=[User.deleted_at.set(1_800_000_000)])
    assert mario.get("/photos").status_code == 403


def test_user_created_in_the_cognito_console_can_use_the_album_and_sign_out(http: Any) -> None:
    # Such a user has no item in the table of users.
    cognito, pool_id = boto3.client("cognito-idp"), app.services.settings.pool_id
    user = Person(http, "console@example.com")
    cognito.admin_create_user(UserPoolId=pool_id, Username=user.email)
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=user.email, Password=PASSWORD, Permanent=True
    )
    user.sign_in()
    assert user.get("/photos").status_code == 200
    assert user.sign_out().status_code == 200
    assert user.get("/photos").status_code == 403


# The gateway responds to an error of the authorizer with 503; `chalice.test` raises it instead.


def test_authorizer_fails_without_dynamodb_instead_of_rejecting_the_token(mario: Person) -> None:
    error = EndpointConnectionError(endpoint_url="https://dynamodb")
    with failing_call("GetItem", error), pytest.raises(EndpointConnectionError, match="dynamodb"):
        mario.get("/photos")


def test_authorizer_fails_without_signing_keys_instead_of_rejecting_the_token(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(url: str) -> None:
        raise Unavailable

    monkeypatch.setattr(tokens, "fetch_keys", unavailable)
    monkeypatch.setattr(app, "services", Container())
    with pytest.raises(Unavailable):
        mario.get("/photos")


def test_authorizer_reads_one_item_and_calls_nothing_else(
    mario: Person, aws_calls: list[str]
) -> None:
    mario.get("/photos")
    aws_calls.clear()
    # A malformed ID is rejected without another call.
    assert mario.get("/photos/nothing").status_code == 404
    assert aws_calls == ["dynamodb.GetItem"]
