"""The user pool: what is sent to Cognito, and what is returned."""

from typing import Any

import pytest
from botocore.stub import Stubber

from chalicelib.accounts.cognito import UserPool
from chalicelib.errors import NotSignedIn, Unavailable

# HMAC-SHA256 of "a@example.comclient" with the client secret, by openssl dgst -hmac.
SECRET_HASH = "h/cbMPooTnPBfJwLW9zODSUxb3nPABuNVauoymf16c0="


def test_sign_in_sends_the_secret_hash_and_returns_tokens(stub: Stubber, pool: UserPool) -> None:
    result = {"AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600}
    stub.add_response(
        "initiate_auth",
        {"AuthenticationResult": result},
        {
            "ClientId": "client",
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {
                "USERNAME": "a@example.com",
                "PASSWORD": "p",
                "SECRET_HASH": SECRET_HASH,
            },
        },
    )
    tokens = pool.sign_in("a@example.com", "p")
    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == ("a", "r", 3600)


def test_sign_in_that_ends_in_a_challenge_fails(stub: Stubber, pool: UserPool) -> None:
    stub.add_response(
        "initiate_auth", {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s" * 20}
    )
    with pytest.raises(NotSignedIn):
        pool.sign_in("a@example.com", "p")


def test_confirmation_verifies_the_email_address_first(stub: Stubber, pool: UserPool) -> None:
    user: dict[str, Any] = {"UserPoolId": "eu-west-1_Pool", "Username": "sub-1"}
    verified = [{"Name": "email_verified", "Value": "true"}]
    stub.add_response("admin_update_user_attributes", {}, user | {"UserAttributes": verified})
    stub.add_response("admin_confirm_sign_up", {}, user)
    pool.confirm("sub-1")


def test_confirmation_can_be_repeated(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_update_user_attributes", {})
    message = "User cannot be confirmed. Current status is CONFIRMED"
    stub.add_client_error("admin_confirm_sign_up", "NotAuthorizedException", message)
    pool.confirm("sub-1")


def test_find_unconfirmed_finds_no_confirmed_account(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_get_user", {"Username": "sub-1", "UserStatus": "UNCONFIRMED"})
    assert pool.find_unconfirmed("a@example.com") == "sub-1"
    stub.add_response("admin_get_user", {"Username": "sub-1", "UserStatus": "CONFIRMED"})
    assert pool.find_unconfirmed("a@example.com") is None
    stub.add_client_error("admin_get_user", "UserNotFoundException")
    assert pool.find_unconfirmed("a@example.com") is None


def test_change_of_password_needs_no_scope_of_the_token(stub: Stubber, pool: UserPool) -> None:
    result = {"AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600}
    stub.add_response("initiate_auth", {"AuthenticationResult": result})
    stub.add_response(
        "admin_set_user_password",
        {},
        {
            "UserPoolId": "eu-west-1_Pool",
            "Username": "sub-1",
            "Password": "New-2026",
            "Permanent": True,
        },
    )
    pool.change_password("sub-1", "Old-2026", "New-2026")


def test_sign_up_is_marked_for_the_trigger_of_the_pool(stub: Stubber, pool: UserPool) -> None:
    email, name = {"Name": "email", "Value": "a@example.com"}, {"Name": "name", "Value": "A"}
    stub.add_response(
        "sign_up",
        {"UserConfirmed": False, "UserSub": "sub-1"},
        {
            "ClientId": "client",
            "SecretHash": SECRET_HASH,
            "Username": "a@example.com",
            "Password": "Good-2026",
            "UserAttributes": [email, name],
            "ClientMetadata": {"source": "cloudalbum-api"},
        },
    )
    assert pool.sign_up("a@example.com", "Good-2026", "A") == "sub-1"


@pytest.mark.parametrize("status", ["UNCONFIRMED", "CONFIRMED"])
def test_account_whose_code_could_not_be_emailed_is_removed_unless_it_is_confirmed(
    stub: Stubber, pool: UserPool, status: str
) -> None:
    stub.add_client_error("sign_up", "CodeDeliveryFailureException", "Not delivered")
    stub.add_response("admin_get_user", {"Username": "sub-1", "UserStatus": status})
    if status == "UNCONFIRMED":
        user = {"UserPoolId": "eu-west-1_Pool", "Username": "sub-1"}
        stub.add_response("admin_delete_user", {}, user)
    with pytest.raises(Unavailable) as error:
        pool.sign_up("a@example.com", "Good-2026", "A")
    assert str(error.value) == (
        "The confirmation email could not be sent. Try again in 60 seconds."
    )


def test_refresh_sends_the_token_and_the_client_secret(stub: Stubber, pool: UserPool) -> None:
    stub.add_response(
        "get_tokens_from_refresh_token",
        {"AuthenticationResult": {"AccessToken": "new", "ExpiresIn": 3600}},
        {"ClientId": "client", "ClientSecret": "secret-of-the-client-24chars", "RefreshToken": "r"},
    )
    tokens = pool.refresh("r")
    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == ("new", "r", 3600)


def test_refresh_returns_a_rotated_refresh_token(stub: Stubber, pool: UserPool) -> None:
    result = {"AccessToken": "new", "RefreshToken": "next", "ExpiresIn": 3600}
    stub.add_response("get_tokens_from_refresh_token", {"AuthenticationResult": result})
    assert pool.refresh("r").refresh_token == "next"


def test_password_reset_can_be_repeated(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("confirm_forgot_password", "ExpiredCodeException")
    result = {"AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600}
    stub.add_response("initiate_auth", {"AuthenticationResult": result})
    pool.reset_password("a@example.com", "123456", "New-2026")


def test_deleted_account_has_no_sessions_and_can_be_deleted_again(
    stub: Stubber, pool: UserPool
) -> None:
    stub.add_client_error("admin_user_global_sign_out", "UserNotFoundException")
    pool.end_sessions("sub-1")
    stub.add_client_error("admin_delete_user", "UserNotFoundException")
    pool.delete("sub-1")
    stub.add_client_error("admin_get_user", "UserNotFoundException")
    assert pool.find("sub-1") is None
