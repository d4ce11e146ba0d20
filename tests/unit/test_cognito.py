"""The user pool, with Cognito's real answers where the emulators have others."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from chalicelib.accounts import cognito
from chalicelib.accounts.cognito import UserPool
from chalicelib.clients import as_album_error
from chalicelib.errors import ConfigurationError, Conflict, InvalidInput, NotSignedIn, Throttled
from tests.support.stubs import stubbed

SECRET = "secret-of-the-client-24chars"
# HMAC-SHA256 of "a@example.comclient" with that key, by openssl dgst -hmac.
SECRET_HASH = "h/cbMPooTnPBfJwLW9zODSUxb3nPABuNVauoymf16c0="


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with stubbed("cognito-idp") as stubber:
        yield stubber


@pytest.fixture
def pool(stub: Stubber) -> UserPool:
    return UserPool(stub.client, "eu-west-1_Pool", "client", SECRET)


def test_signing_in_sends_the_secret_hash_and_returns_the_tokens(
    stub: Stubber, pool: UserPool
) -> None:
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


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NotAuthorizedException", "Incorrect username or password."),
        ("NotAuthorizedException", "Password attempts exceeded"),
        ("UserNotFoundException", "User does not exist."),
        ("UserNotConfirmedException", "User is not confirmed."),
        ("PasswordResetRequiredException", "Password reset required for the user"),
    ],
)
def test_every_refused_sign_in_gives_one_and_the_same_answer(
    stub: Stubber, pool: UserPool, code: str, message: str
) -> None:
    stub.add_client_error("initiate_auth", code, message)
    with pytest.raises(NotSignedIn) as error:
        pool.sign_in("a@example.com", "p")
    text = str(error.value)
    assert all(word in text for word in ("password is wrong", "unknown", "not confirmed"))
    assert message not in text


def test_a_challenge_is_no_sign_in(stub: Stubber, pool: UserPool) -> None:
    stub.add_response(
        "initiate_auth", {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "s" * 20}
    )
    with pytest.raises(NotSignedIn):
        pool.sign_in("a@example.com", "p")


CALLS: dict[str, Callable[[UserPool], object]] = {
    "sign_up": lambda pool: pool.sign_up("a@example.com", "Good-2026", "A"),
    "initiate_auth": lambda pool: pool.sign_in("a@example.com", "Good-2026"),
    "get_tokens_from_refresh_token": lambda pool: pool.refresh("r"),
    "forgot_password": lambda pool: pool.forgot_password("a@example.com"),
    "confirm_forgot_password": lambda pool: pool.reset_password("a@example.com", "1", "Good-2026"),
    "confirm_sign_up": lambda pool: pool.confirm_by_code("a@example.com", "1"),
    "resend_confirmation_code": lambda pool: pool.resend_code("a@example.com"),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_wrong_client_secret_is_our_fault_and_not_the_users(
    stub: Stubber, pool: UserPool, operation: str
) -> None:
    message = "Unable to verify secret hash for client client"
    stub.add_client_error(operation, "NotAuthorizedException", message)
    with pytest.raises(ConfigurationError, match="COGNITO_CLIENT_SECRET"):
        CALLS[operation](pool)


def test_a_weak_password_is_refused_with_the_rule_it_broke(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error(
        "sign_up",
        "InvalidPasswordException",
        "Password did not conform with policy: Password must have uppercase characters",
    )
    with pytest.raises(InvalidInput) as error:
        pool.sign_up("a@example.com", "weak", "A")
    assert str(error.value) == "password: Password must have uppercase characters"


def test_what_the_pool_does_not_take_is_refused_without_its_words(
    stub: Stubber, pool: UserPool
) -> None:
    stub.add_client_error("sign_up", "InvalidParameterException", "1 validation error: regex")
    with pytest.raises(InvalidInput, match=r"^email or password: (?!.*regex)"):
        pool.sign_up("a@example.com", " ", "A")


def test_a_taken_address_is_a_conflict(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("sign_up", "UsernameExistsException", "User already exists")
    with pytest.raises(Conflict):
        pool.sign_up("a@example.com", "p", "A")


def test_other_errors_pass_through(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("sign_up", "InternalErrorException")
    with pytest.raises(ClientError):
        pool.sign_up("a@example.com", "p", "A")


def test_confirming_verifies_the_address_first_and_by_the_users_own_id(
    stub: Stubber, pool: UserPool
) -> None:
    user: dict[str, Any] = {"UserPoolId": "eu-west-1_Pool", "Username": "sub-1"}
    verified = [{"Name": "email_verified", "Value": "true"}]
    stub.add_response("admin_update_user_attributes", {}, user | {"UserAttributes": verified})
    stub.add_response("admin_confirm_sign_up", {}, user)
    pool.confirm("sub-1")


def test_an_account_confirmed_already_is_confirmed(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_update_user_attributes", {})
    message = "User cannot be confirmed. Current status is CONFIRMED"
    stub.add_client_error("admin_confirm_sign_up", "NotAuthorizedException", message)
    pool.confirm("sub-1")


def test_only_an_account_that_is_not_confirmed_is_found(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_get_user", {"Username": "sub-1", "UserStatus": "UNCONFIRMED"})
    assert pool.find_unconfirmed("a@example.com") == "sub-1"
    stub.add_response("admin_get_user", {"Username": "sub-1", "UserStatus": "CONFIRMED"})
    assert pool.find_unconfirmed("a@example.com") is None
    stub.add_client_error("admin_get_user", "UserNotFoundException")
    assert pool.find_unconfirmed("a@example.com") is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NotAuthorizedException", "Access Token has been revoked"),
        ("UserNotFoundException", "User does not exist."),
    ],
)
def test_signing_out_of_what_is_gone_already_is_done(
    stub: Stubber, pool: UserPool, code: str, message: str
) -> None:
    stub.add_client_error("global_sign_out", code, message)
    pool.sign_out("token")


def test_refreshing_takes_the_token_and_the_clients_secret_alone(
    stub: Stubber, pool: UserPool
) -> None:
    stub.add_response(
        "get_tokens_from_refresh_token",
        {"AuthenticationResult": {"AccessToken": "new", "ExpiresIn": 3600}},
        {"ClientId": "client", "ClientSecret": SECRET, "RefreshToken": "r"},
    )
    tokens = pool.refresh("r")
    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == ("new", "r", 3600)


def test_a_pool_that_rotates_refresh_tokens_gives_the_next_one(
    stub: Stubber, pool: UserPool
) -> None:
    result = {"AccessToken": "new", "RefreshToken": "next", "ExpiresIn": 3600}
    stub.add_response("get_tokens_from_refresh_token", {"AuthenticationResult": result})
    assert pool.refresh("r").refresh_token == "next"


@pytest.mark.parametrize(
    "code",
    [
        "NotAuthorizedException",
        "UserNotFoundException",
        "InvalidParameterException",
        "RefreshTokenReuseException",
    ],
)
def test_a_dead_refresh_token_is_refused(stub: Stubber, pool: UserPool, code: str) -> None:
    stub.add_client_error("get_tokens_from_refresh_token", code, "Refresh Token has been revoked")
    with pytest.raises(NotSignedIn, match=r"^The refresh token is not valid"):
        pool.refresh("r")


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        (
            "forgot_password",
            [
                "UserNotFoundException",
                "UserNotConfirmedException",
                "NotAuthorizedException",
                "InvalidParameterException",
                "CodeDeliveryFailureException",
            ],
        ),
        (
            "resend_confirmation_code",
            [
                "UserNotFoundException",
                "NotAuthorizedException",
                "InvalidParameterException",
                "CodeDeliveryFailureException",
            ],
        ),
    ],
)
def test_asking_for_a_mail_tells_nothing_of_the_address(
    stub: Stubber, pool: UserPool, operation: str, codes: list[str]
) -> None:
    ask = pool.forgot_password if operation == "forgot_password" else pool.resend_code
    for code in codes:
        stub.add_client_error(operation, code, "Cannot do that for this user")
        ask("a@example.com")


def test_too_many_mails_are_told_as_such(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("forgot_password", "LimitExceededException", "Attempt limit exceeded")
    with pytest.raises(ClientError):
        pool.forgot_password("a@example.com")


@pytest.mark.parametrize(
    "code",
    [
        "CodeMismatchException",
        "ExpiredCodeException",
        "TooManyFailedAttemptsException",
        "UserNotFoundException",
        "NotAuthorizedException",
        "InvalidParameterException",
    ],
)
def test_a_code_is_refused_in_one_and_the_same_way(
    stub: Stubber, pool: UserPool, code: str
) -> None:
    texts = set()
    stub.add_client_error("confirm_sign_up", code, "Current status is CONFIRMED")
    with pytest.raises(InvalidInput) as refusal:
        pool.confirm_by_code("a@example.com", "123456")
    texts.add(str(refusal.value))
    stub.add_client_error("confirm_forgot_password", code, "Invalid code for a@example.com")
    stub.add_client_error("initiate_auth", "NotAuthorizedException")
    with pytest.raises(InvalidInput) as refusal:
        pool.reset_password("a@example.com", "123456", "New-2026")
    texts.add(str(refusal.value))
    assert len(texts) == 1
    assert texts.pop().startswith("code: expected the code of the newest mail")


def test_a_reset_whose_answer_was_lost_can_be_repeated(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("confirm_forgot_password", "ExpiredCodeException")
    result = {"AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600}
    stub.add_response("initiate_auth", {"AuthenticationResult": result})
    pool.reset_password("a@example.com", "123456", "New-2026")


@pytest.mark.parametrize(
    "code", ["InvalidPasswordException", "PasswordHistoryPolicyViolationException"]
)
def test_a_weak_new_password_is_refused_by_its_field(
    stub: Stubber, pool: UserPool, code: str
) -> None:
    message = "Password did not conform with policy: Password not long enough"
    stub.add_client_error("change_password", code, message)
    with pytest.raises(InvalidInput, match=r"^newPassword: Password not long enough$"):
        pool.change_password("token", "old", "new")
    stub.add_client_error("confirm_forgot_password", code, "something of Cognito's own")
    with pytest.raises(InvalidInput, match=r"^password: expected another password"):
        pool.reset_password("a@example.com", "123456", "new")


def test_a_wrong_old_password_is_told(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("change_password", "NotAuthorizedException")
    with pytest.raises(NotSignedIn):
        pool.change_password("token", "old", "New-2026")


def test_ending_and_deleting_what_is_gone_is_done(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("admin_user_global_sign_out", "UserNotFoundException")
    pool.end_sessions("sub-1")
    stub.add_client_error("admin_delete_user", "UserNotFoundException")
    pool.delete("sub-1")
    stub.add_client_error("admin_get_user", "UserNotFoundException")
    assert pool.describe("sub-1") is None


EVERY_CALL: dict[str, Callable[[UserPool], object]] = CALLS | {
    "admin_update_user_attributes": lambda pool: (pool.confirm("sub-1"), pool.rename("sub-1", "A")),
    "admin_get_user": lambda pool: (pool.describe("sub-1"), pool.find_unconfirmed("a@example.com")),
    "global_sign_out": lambda pool: pool.sign_out("token"),
    "change_password": lambda pool: pool.change_password("token", "Old-2026", "New-2026"),
    "admin_user_global_sign_out": lambda pool: pool.end_sessions("sub-1"),
    "admin_delete_user": lambda pool: pool.delete("sub-1"),
}


def test_every_call_to_the_pool_is_tried_below() -> None:
    source = inspect.getsource(cognito)
    called = set(re.findall(r"self\._client\.(?!exceptions)(\w+)\(", source))
    # Its only way in is behind another call.
    assert called - {"admin_confirm_sign_up"} == set(EVERY_CALL)


@pytest.mark.parametrize(
    "code", ["TooManyRequestsException", "LimitExceededException", "ThrottlingException"]
)
@pytest.mark.parametrize("operation", EVERY_CALL)
def test_a_throttled_call_says_nothing_about_passwords_codes_or_accounts(
    stub: Stubber, pool: UserPool, operation: str, code: str
) -> None:
    stub.add_client_error(operation, code, "Rate exceeded for pool", 400)
    with pytest.raises(ClientError) as error:
        EVERY_CALL[operation](pool)
    assert isinstance(as_album_error(error.value), Throttled)


def test_who_is_throttled_while_confirming_is_not_confirmed(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_update_user_attributes", {})
    stub.add_client_error("admin_confirm_sign_up", "TooManyRequestsException")
    with pytest.raises(ClientError, match="TooManyRequests"):
        pool.confirm("sub-1")
    stub.add_client_error("initiate_auth", "TooManyRequestsException")
    with pytest.raises(ClientError, match="TooManyRequests"):
        pool.knows("sub-1", "Good-2026")  # neither yes nor no
