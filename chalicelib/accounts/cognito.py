"""The Cognito user pool."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.accounts.cognito_errors import ignore, translate, translate_password_errors
from chalicelib.errors import Conflict, InvalidInput, NotSignedIn, Unavailable

WRONG_PASSWORD = "The password is wrong."  # noqa: S105 (a message)
_SIGN_IN_FAILED = (
    "Sign-in failed: wrong password, unknown email address, or an account that is not confirmed "
    "yet."
)
_WRONG_CODE = "The code is wrong or has expired. Request a new one."
# By this mark, the pool's trigger knows a sign-up of the API from one on a hosted page, which can
# send no metadata. It is no secret: the client's secret is what keeps everybody else out.
_SIGN_UP_MARK = {"source": "cloudalbum-api"}
# Cognito's errors about an emailed code; clients must not learn which of these it was.
_CODE_REJECTED = (
    "CodeMismatchException",
    "ExpiredCodeException",
    "LimitExceededException",  # too many attempts for this user, so there is one
    "TooManyFailedAttemptsException",
    "UserNotFoundException",
    "NotAuthorizedException",  # disabled, or already confirmed
    "InvalidParameterException",
)
# Why Cognito emails no code; clients must not learn this either.
_NO_EMAIL = (
    "UserNotFoundException",
    "UserNotConfirmedException",
    "NotAuthorizedException",  # disabled, or still with a temporary password
    "InvalidParameterException",  # no verified email address, or nothing left to confirm
    "CodeDeliveryFailureException",  # which only a known address can cause
    "LimitExceededException",  # too many emails to this user, so there is one
)


@dataclass(frozen=True)
class Account:
    """What the pool stores of an account."""

    sub: str
    email: str
    name: str
    created: datetime


@dataclass(frozen=True)
class Tokens:
    """What a sign-in returns."""

    access_token: str
    refresh_token: str
    expires_in: int  # seconds

    def claims(self) -> tuple[str, int]:
        """Return the access token's `sub` and `iat`, in seconds since the epoch.

        Its signature is not checked: Cognito itself has just sent it, over TLS.
        """
        payload = self.access_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims["sub"], claims["iat"]


class UserPool:
    """One app client, with a secret, of one user pool; users sign in with their email address.

    `client_secret` is called by what needs it: a function that only finds users may not read it.
    """

    def __init__(
        self, client: Any, pool_id: str, client_id: str, client_secret: Callable[[], str]
    ) -> None:
        self._client = client
        self._pool_id = pool_id
        self.client_id = client_id
        self._client_secret = client_secret

    def sign_up(self, email: str, password: str, name: str) -> str:
        """Create an account that is not confirmed yet, and return its `sub`.

        Raises Conflict if the email address is taken, InvalidInput for a weak password, and
        Unavailable if the code cannot be emailed; then the account is not created.
        """
        taken = Conflict("An account with this email address already exists.")
        not_allowed = InvalidInput(
            "The email address or the password contains characters that are not allowed."
        )
        undelivered = Unavailable("The confirmation email could not be sent.", 60)
        try:
            with (
                translate(taken, "UsernameExistsException"),
                translate(not_allowed, "InvalidParameterException"),
                translate(undelivered, "CodeDeliveryFailureException"),
                translate_password_errors("The password"),
            ):
                response = self._client.sign_up(
                    **self._signed(email),
                    Password=password,
                    UserAttributes=[
                        {"Name": "email", "Value": email},
                        {"Name": "name", "Value": name},
                    ],
                    ClientMetadata=_SIGN_UP_MARK,
                )
        except Unavailable:
            # Cognito has created the account nevertheless: another attempt would be a conflict.
            created = self.find_unconfirmed(email)
            if created is not None:
                self.delete(created)
            raise
        sub: str = response["UserSub"]
        return sub

    def confirm(self, sub: str) -> None:
        """Let the account sign in, and verify its email address, as a password reset needs it.

        Safe to repeat.
        """
        self._change_attribute(sub, "email_verified", "true")
        # A repeated sign-up finds the account confirmed already.
        with ignore("NotAuthorizedException"):
            self._client.admin_confirm_sign_up(UserPoolId=self._pool_id, Username=sub)

    def find_unconfirmed(self, email: str) -> str | None:
        """Return the `sub` of an account that is not confirmed yet, or None."""
        user = self._get_user(email)
        return user["Username"] if user and user["UserStatus"] == "UNCONFIRMED" else None

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange a password for tokens. Raises the same NotSignedIn whatever was wrong."""
        with translate(
            NotSignedIn(_SIGN_IN_FAILED),
            "NotAuthorizedException",
            "UserNotFoundException",
            "UserNotConfirmedException",
            "PasswordResetRequiredException",
        ):
            response = self._client.initiate_auth(
                ClientId=self.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={
                    "USERNAME": email,
                    "PASSWORD": password,
                    "SECRET_HASH": self._secret_hash(email),
                },
            )
        if "AuthenticationResult" not in response:  # a challenge, as for a temporary password
            raise NotSignedIn(_SIGN_IN_FAILED)
        result = response["AuthenticationResult"]
        return Tokens(result["AccessToken"], result["RefreshToken"], result["ExpiresIn"])

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for a new access token. Raises NotSignedIn.

        GetTokensFromRefreshToken takes the client secret itself. REFRESH_TOKEN_AUTH would need a
        hash over the user's `sub`, which an opaque refresh token does not reveal.
        """
        with translate(
            NotSignedIn("The refresh token is not valid. Please sign in again."),
            "NotAuthorizedException",
            "UserNotFoundException",
            "InvalidParameterException",
            "RefreshTokenReuseException",
        ):
            result = self._client.get_tokens_from_refresh_token(
                ClientId=self.client_id,
                ClientSecret=self._client_secret(),
                RefreshToken=refresh_token,
            )["AuthenticationResult"]
        # A pool that does not rotate refresh tokens returns none: the old one stays valid.
        valid_token = result.get("RefreshToken", refresh_token)
        return Tokens(result["AccessToken"], valid_token, result["ExpiresIn"])

    def verify_password(self, username: str, password: str) -> bool:
        """Return whether this is the password of the account with this email address or `sub`."""
        try:
            self.sign_in(username, password)
        except NotSignedIn:
            return False
        return True

    def find(self, username: str) -> Account | None:
        """Return the account with this email address or `sub`, or None."""
        user = self._get_user(username)
        if user is None:
            return None
        values = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
        email, name = values.get("email", ""), values.get("name", "")
        return Account(values["sub"], email, name, user["UserCreateDate"])

    def rename(self, sub: str, name: str) -> None:
        """Change the user's display name."""
        self._change_attribute(sub, "name", name)

    def change_password(self, sub: str, old: str, new: str) -> None:
        """Change a password. Raises NotSignedIn for a wrong one, InvalidInput for a weak one."""
        if not self.verify_password(sub, old):
            raise NotSignedIn(WRONG_PASSWORD)
        not_allowed = InvalidInput("newPassword contains characters that are not allowed.")
        with (
            translate(NotSignedIn(WRONG_PASSWORD), "UserNotFoundException"),  # deleted meanwhile
            translate(not_allowed, "InvalidParameterException"),
            translate_password_errors("newPassword"),
        ):
            self._client.admin_set_user_password(
                UserPoolId=self._pool_id, Username=sub, Password=new, Permanent=True
            )

    def forgot_password(self, email: str) -> None:
        """Email a code that resets the password, without revealing whether the address is known."""
        with ignore(*_NO_EMAIL):
            self._client.forgot_password(**self._signed(email))

    def reset_password(self, email: str, code: str, new: str) -> None:
        """Set a new password with an emailed code; safe to repeat. Raises InvalidInput."""
        wrong_code = InvalidInput(_WRONG_CODE)
        with translate_password_errors("The password"):
            try:
                with translate(wrong_code, *_CODE_REJECTED, "UserNotConfirmedException"):
                    self._client.confirm_forgot_password(
                        **self._signed(email), ConfirmationCode=code, Password=new
                    )
            except InvalidInput:
                # A code works once: a repeated request finds the new password in place.
                if not self.verify_password(email, new):
                    raise

    def confirm_by_code(self, email: str, code: str) -> None:
        """Confirm an account with an emailed code. Raises InvalidInput."""
        with translate(InvalidInput(_WRONG_CODE), *_CODE_REJECTED, "AliasExistsException"):
            self._client.confirm_sign_up(**self._signed(email), ConfirmationCode=code)

    def resend_code(self, email: str) -> None:
        """Email another code, without revealing whether the address is waiting for one."""
        with ignore(*_NO_EMAIL):
            self._client.resend_confirmation_code(**self._signed(email))

    def end_sessions(self, sub: str) -> None:
        """Revoke every refresh token of a user; safe to repeat."""
        with ignore("UserNotFoundException"):  # A deleted user has no sessions.
            self._client.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=sub)

    def delete(self, sub: str) -> None:
        """Delete an account; safe to repeat."""
        with ignore("UserNotFoundException"):
            self._client.admin_delete_user(UserPoolId=self._pool_id, Username=sub)

    def _get_user(self, username: str) -> Any:
        """Return what Cognito knows about a user, or None."""
        with ignore("UserNotFoundException"):
            return self._client.admin_get_user(UserPoolId=self._pool_id, Username=username)

    def _change_attribute(self, sub: str, name: str, value: str) -> None:
        attribute = {"Name": name, "Value": value}
        self._client.admin_update_user_attributes(
            UserPoolId=self._pool_id, Username=sub, UserAttributes=[attribute]
        )

    def _signed(self, username: str) -> dict[str, str]:
        """Return the parameters of a call about one user that prove the client's secret."""
        secret_hash = self._secret_hash(username)
        return {"ClientId": self.client_id, "SecretHash": secret_hash, "Username": username}

    def _secret_hash(self, username: str) -> str:
        """Return Cognito's SECRET_HASH: base64 of HMAC-SHA256 over user name and client ID."""
        message = (username + self.client_id).encode()
        digest = hmac.digest(self._client_secret().encode(), message, "sha256")
        return base64.b64encode(digest).decode()
