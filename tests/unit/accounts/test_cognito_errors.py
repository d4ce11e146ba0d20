"""Cognito's errors, with the real codes and messages, as the emulators return others."""

import inspect
import re
from collections.abc import Callable
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from chalicelib.accounts import cognito, cognito_errors
from chalicelib.accounts.cognito import UserPool
from chalicelib.clients import as_album_error
from chalicelib.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotSignedIn,
    Throttled,
    Unavailable,
)
from infra.provision import TEMPLATE

CALLS: dict[str, Callable[[UserPool], object]] = {
    "sign_up": lambda pool: pool.sign_up("a@example.com", "Good-2026", "A"),
    "initiate_auth": lambda pool: pool.sign_in("a@example.com", "Good-2026"),
    "get_tokens_from_refresh_token": lambda pool: pool.refresh("r"),
    "forgot_password": lambda pool: pool.forgot_password("a@example.com"),
    "confirm_forgot_password": lambda pool: pool.reset_password("a@example.com", "1", "Good-2026"),
    "confirm_sign_up": lambda pool: pool.confirm_by_code("a@example.com", "1"),
    "resend_confirmation_code": lambda pool: pool.resend_code("a@example.com"),
}


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
def test_failed_sign_in_has_one_message_for_all_reasons(
    stub: Stubber, pool: UserPool, code: str, message: str
) -> None:
    stub.add_client_error("initiate_auth", code, message)
    with pytest.raises(NotSignedIn) as error:
        pool.sign_in("a@example.com", "p")
    assert str(error.value) == (
        "Sign-in failed: wrong password, unknown email address, or an account that is not "
        "confirmed yet."
    )


@pytest.mark.parametrize("operation", CALLS)
def test_wrong_client_secret_is_a_configuration_error(
    stub: Stubber, pool: UserPool, operation: str
) -> None:
    message = "Unable to verify secret hash for client client"
    stub.add_client_error(operation, "NotAuthorizedException", message)
    with pytest.raises(ConfigurationError, match="COGNITO_CLIENT_SECRET"):
        CALLS[operation](pool)


def change_password(pool: UserPool) -> None:
    """Change a password, once the old one is verified."""
    with mock.patch.object(pool, "verify_password", return_value=True):
        pool.change_password("sub-1", "Old-2026", "New-2026")


POLICY = "Password did not conform with policy: Password "
SETS_PASSWORD: dict[str, tuple[str, Callable[[UserPool], object]]] = {
    "sign_up": ("The password", CALLS["sign_up"]),
    "confirm_forgot_password": ("The password", CALLS["confirm_forgot_password"]),
    "admin_set_user_password": ("newPassword", change_password),
}


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (f"{POLICY}not long enough", "at least 8 characters"),
        (f"{POLICY}must have uppercase characters", "an uppercase letter"),
        (f"{POLICY}must have lowercase characters", "a lowercase letter"),
        (f"{POLICY}must have numeric characters", "a digit"),
        (f"{POLICY}must have symbol characters", "a symbol (such as - or !)"),
        ("something that only Cognito knows", "more characters, of more kinds"),
    ],
)
@pytest.mark.parametrize("operation", SETS_PASSWORD)
def test_weak_password_is_rejected_with_the_rule_that_it_breaks(
    stub: Stubber, pool: UserPool, operation: str, message: str, rule: str
) -> None:
    subject, call = SETS_PASSWORD[operation]
    stub.add_client_error(operation, "InvalidPasswordException", message)
    with pytest.raises(InvalidInput) as error:
        call(pool)
    assert str(error.value) == f"{subject} is too weak: it must have {rule}."


@pytest.mark.parametrize("operation", ["confirm_forgot_password", "admin_set_user_password"])
def test_password_that_was_used_before_is_rejected(
    stub: Stubber, pool: UserPool, operation: str
) -> None:
    subject, call = SETS_PASSWORD[operation]
    stub.add_client_error(operation, "PasswordHistoryPolicyViolationException", "used before")
    with pytest.raises(InvalidInput, match=f"^{subject} was used before"):
        call(pool)


def test_rule_about_length_is_that_of_the_pool() -> None:
    [length] = re.findall(r"MinimumLength: (\d+)", TEMPLATE.read_text())
    assert f"at least {length} characters" in cognito_errors.PASSWORD_RULES.values()


def test_sign_up_with_invalid_characters_is_rejected(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("sign_up", "InvalidParameterException", "1 validation error: regex")
    with pytest.raises(
        InvalidInput, match=r"^The email address or the password contains (?!.*regex)"
    ):
        pool.sign_up("a@example.com", " ", "A")


def test_sign_up_with_a_taken_email_address_is_a_conflict(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("sign_up", "UsernameExistsException", "User already exists")
    with pytest.raises(Conflict, match="account with this email address already exists"):
        pool.sign_up("a@example.com", "p", "A")


def test_unexpected_error_is_raised_unchanged(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("sign_up", "InternalErrorException")
    with pytest.raises(ClientError):
        pool.sign_up("a@example.com", "p", "A")


@pytest.mark.parametrize(
    "code",
    [
        "NotAuthorizedException",
        "UserNotFoundException",
        "InvalidParameterException",
        "RefreshTokenReuseException",
    ],
)
def test_invalid_refresh_token_is_rejected(stub: Stubber, pool: UserPool, code: str) -> None:
    stub.add_client_error("get_tokens_from_refresh_token", code, "Refresh Token has been revoked")
    with pytest.raises(NotSignedIn, match=r"^The refresh token is not valid"):
        pool.refresh("r")


@pytest.mark.parametrize(
    "code",
    [
        "UserNotFoundException",
        "UserNotConfirmedException",
        "NotAuthorizedException",
        "InvalidParameterException",
        "CodeDeliveryFailureException",
        "LimitExceededException",  # Cognito counts attempts only for users that exist.
    ],
)
@pytest.mark.parametrize("operation", ["forgot_password", "resend_confirmation_code"])
def test_request_for_an_email_reveals_nothing_about_the_address(
    stub: Stubber, pool: UserPool, operation: str, code: str
) -> None:
    stub.add_client_error(operation, code, "Cannot do that for this user")
    CALLS[operation](pool)


CODE_REJECTED = [
    "CodeMismatchException",
    "ExpiredCodeException",
    "LimitExceededException",
    "TooManyFailedAttemptsException",
    "UserNotFoundException",
    "NotAuthorizedException",
    "InvalidParameterException",
]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        *(("confirm_sign_up", code) for code in [*CODE_REJECTED, "AliasExistsException"]),
        *(
            ("confirm_forgot_password", code)
            for code in [*CODE_REJECTED, "UserNotConfirmedException"]
        ),
    ],
)
def test_wrong_code_has_one_message_for_all_reasons(
    stub: Stubber, pool: UserPool, operation: str, code: str
) -> None:
    stub.add_client_error(operation, code, "Current status of a@example.com is CONFIRMED")
    if operation == "confirm_forgot_password":
        stub.add_client_error("initiate_auth", "NotAuthorizedException")
    with pytest.raises(InvalidInput) as error:
        CALLS[operation](pool)
    assert str(error.value) == "The code is wrong or has expired. Request a new one."


def test_change_of_password_with_a_wrong_one_fails(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("initiate_auth", "NotAuthorizedException")
    with pytest.raises(NotSignedIn, match="password is wrong"):
        pool.change_password("sub-1", "old", "New-2026")


def test_change_of_the_password_of_an_account_deleted_meanwhile_fails(
    stub: Stubber, pool: UserPool
) -> None:
    stub.add_client_error("admin_set_user_password", "UserNotFoundException")
    with pytest.raises(NotSignedIn):
        change_password(pool)


def test_change_of_password_to_invalid_characters_is_rejected(
    stub: Stubber, pool: UserPool
) -> None:
    stub.add_client_error("admin_set_user_password", "InvalidParameterException", "regex")
    with pytest.raises(InvalidInput, match=r"^newPassword contains characters"):
        change_password(pool)


EVERY_CALL: dict[str, Callable[[UserPool], object]] = CALLS | {
    "admin_update_user_attributes": lambda pool: (pool.confirm("sub-1"), pool.rename("sub-1", "A")),
    "admin_get_user": lambda pool: (pool.find("sub-1"), pool.find_unconfirmed("a@example.com")),
    "admin_set_user_password": change_password,
    "admin_user_global_sign_out": lambda pool: pool.end_sessions("sub-1"),
    "admin_delete_user": lambda pool: pool.delete("sub-1"),
}


def test_every_call_is_throttled_below() -> None:
    source = inspect.getsource(cognito)
    called = set(re.findall(r"self\._client\.(?!exceptions)(\w+)\(", source))
    # Another call precedes it: it has a test of its own.
    assert called - {"admin_confirm_sign_up"} == set(EVERY_CALL)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException"])
@pytest.mark.parametrize("operation", EVERY_CALL)
def test_throttled_call_is_not_mistaken_for_a_rejection(
    stub: Stubber, pool: UserPool, operation: str, code: str
) -> None:
    stub.add_client_error(operation, code, "Rate exceeded for pool", 400)
    with pytest.raises(ClientError) as error:
        EVERY_CALL[operation](pool)
    assert isinstance(as_album_error(error.value), Throttled)


@pytest.mark.parametrize(
    ("code", "seconds", "message"),
    [
        ("TooManyRequestsException", 2, "Too many requests. Try again in 2 seconds."),
        ("LimitExceededException", 3600, "Too many requests. Try again in an hour."),
    ],
)
def test_throttled_sign_up_says_when_it_may_be_repeated(
    stub: Stubber, pool: UserPool, code: str, seconds: int, message: str
) -> None:
    stub.add_client_error("sign_up", code, "Exceeded daily email limit")
    with pytest.raises(ClientError) as error:
        CALLS["sign_up"](pool)
    throttled = as_album_error(error.value)
    assert isinstance(throttled, Throttled)
    assert (throttled.retry_after, str(throttled)) == (seconds, message)


@pytest.mark.parametrize(
    "code",
    [
        "UnexpectedLambdaException",
        "UserLambdaValidationException",
        "InvalidLambdaResponseException",
    ],
)
def test_sign_in_whose_trigger_fails_is_unavailable(
    stub: Stubber, pool: UserPool, code: str
) -> None:
    stub.add_client_error("initiate_auth", code, "PreTokenGeneration failed", 400)
    with pytest.raises(ClientError) as error:
        CALLS["initiate_auth"](pool)
    assert isinstance(as_album_error(error.value), Unavailable)


def test_throttled_confirmation_fails(stub: Stubber, pool: UserPool) -> None:
    stub.add_response("admin_update_user_attributes", {})
    stub.add_client_error("admin_confirm_sign_up", "TooManyRequestsException")
    with pytest.raises(ClientError, match="TooManyRequests"):
        pool.confirm("sub-1")


def test_throttled_sign_in_says_nothing_about_the_password(stub: Stubber, pool: UserPool) -> None:
    stub.add_client_error("initiate_auth", "TooManyRequestsException")
    with pytest.raises(ClientError, match="TooManyRequests"):
        pool.verify_password("sub-1", "Good-2026")
