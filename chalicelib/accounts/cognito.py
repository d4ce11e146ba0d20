"""The user pool in Cognito."""

import base64
import contextlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.errors import ConfigurationError, Conflict, InvalidInput, NotSignedIn

_SIGN_IN_REFUSED = (
    "Signing in failed: the password is wrong, the address is unknown, or it is not confirmed yet."
)
_WRONG_CODE = "The code is wrong or has expired. Request a new one."


@dataclass(frozen=True)
class Account:
    """What the pool knows of a person."""

    sub: str
    email: str
    name: str
    created: datetime


@dataclass(frozen=True)
class Tokens:
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    expires_in: int  # seconds


class UserPool:
    """One app client, with a secret, of one user pool; people sign in with their e-mail address."""

    def __init__(self, client: Any, pool_id: str, client_id: str, client_secret: str) -> None:
        self._client = client
        self._pool_id = pool_id
        self.client_id = client_id
        self._client_secret = client_secret

    def sign_up(self, email: str, password: str, name: str) -> str:
        """Register an account that is not confirmed yet, and return its `sub`.

        Raises Conflict for an address that is taken, InvalidInput for a password that is too weak.
        """
        try:
            with self._secret_checked():
                answer = self._client.sign_up(
                    ClientId=self.client_id,
                    SecretHash=self._secret_hash(email),
                    Username=email,
                    Password=password,
                    UserAttributes=[
                        {"Name": "email", "Value": email},
                        {"Name": "name", "Value": name},
                    ],
                )
        except self._client.exceptions.UsernameExistsException:
            raise Conflict("An account with this e-mail address exists already.") from None
        except self._client.exceptions.InvalidPasswordException as error:
            raise _weak("password", error) from None
        except self._client.exceptions.InvalidParameterException:
            raise InvalidInput(
                "The email address or the password contains characters that are not allowed."
            ) from None
        sub: str = answer["UserSub"]
        return sub

    def confirm(self, sub: str) -> None:
        """Let the account sign in, and mark its address verified so that it can be recovered.

        Safe to repeat.
        """
        self._client.admin_update_user_attributes(
            UserPoolId=self._pool_id,
            Username=sub,
            UserAttributes=[{"Name": "email_verified", "Value": "true"}],
        )
        try:
            self._client.admin_confirm_sign_up(UserPoolId=self._pool_id, Username=sub)
        except self._client.exceptions.NotAuthorizedException:
            pass  # It is confirmed already: this very sign-up was sent twice.

    def find_unconfirmed(self, email: str) -> str | None:
        """Return the `sub` of an account that is not confirmed yet, or None."""
        try:
            user = self._client.admin_get_user(UserPoolId=self._pool_id, Username=email)
        except self._client.exceptions.UserNotFoundException:
            return None
        return user["Username"] if user["UserStatus"] == "UNCONFIRMED" else None

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange a password for tokens. Raises NotSignedIn, the same for whatever was wrong."""
        refusals = self._client.exceptions
        try:
            with self._secret_checked():
                answer = self._client.initiate_auth(
                    ClientId=self.client_id,
                    AuthFlow="USER_PASSWORD_AUTH",
                    AuthParameters={
                        "USERNAME": email,
                        "PASSWORD": password,
                        "SECRET_HASH": self._secret_hash(email),
                    },
                )
        except (
            refusals.NotAuthorizedException,
            refusals.UserNotFoundException,
            refusals.UserNotConfirmedException,
            refusals.PasswordResetRequiredException,
        ):
            raise NotSignedIn(_SIGN_IN_REFUSED) from None
        if "AuthenticationResult" not in answer:  # a challenge, such as a temporary password's
            raise NotSignedIn(_SIGN_IN_REFUSED)
        result = answer["AuthenticationResult"]
        return Tokens(result["AccessToken"], result["RefreshToken"], result["ExpiresIn"])

    def sign_out(self, access_token: str) -> None:
        """Revoke every token of the user; safe to repeat with a token that is revoked already."""
        try:
            self._client.global_sign_out(AccessToken=access_token)
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.UserNotFoundException,
        ):
            pass  # The authorizer has verified it: it is revoked already, or its user is gone.

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for a new access token. Raises NotSignedIn.

        GetTokensFromRefreshToken takes the client's secret as it is. REFRESH_TOKEN_AUTH would want
        the secret hash of the user's `sub`, which an opaque refresh token does not tell.
        """
        try:
            with self._secret_checked():
                result = self._client.get_tokens_from_refresh_token(
                    ClientId=self.client_id,
                    ClientSecret=self._client_secret,
                    RefreshToken=refresh_token,
                )["AuthenticationResult"]
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.UserNotFoundException,
            self._client.exceptions.InvalidParameterException,
            self._client.exceptions.RefreshTokenReuseException,
        ):
            raise NotSignedIn("The refresh token is not valid. Please sign in again.") from None
        # A pool that does not rotate refresh tokens gives none: the old one stays good.
        return Tokens(
            result["AccessToken"], result.get("RefreshToken", refresh_token), result["ExpiresIn"]
        )

    def knows(self, username: str, password: str) -> bool:
        """Tell whether this is the password of an account, named by e-mail address or `sub`."""
        try:
            self.sign_in(username, password)
        except NotSignedIn:
            return False
        return True

    def describe(self, username: str) -> Account | None:
        """Return an account, named by e-mail address or `sub`; None when there is none."""
        try:
            user = self._client.admin_get_user(UserPoolId=self._pool_id, Username=username)
        except self._client.exceptions.UserNotFoundException:
            return None
        attributes = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
        return Account(
            attributes["sub"],
            attributes.get("email", ""),
            attributes.get("name", ""),
            user["UserCreateDate"],
        )

    def rename(self, sub: str, name: str) -> None:
        """Change the name a person is shown by."""
        self._client.admin_update_user_attributes(
            UserPoolId=self._pool_id,
            Username=sub,
            UserAttributes=[{"Name": "name", "Value": name}],
        )

    def change_password(self, access_token: str, old: str, new: str) -> None:
        """Change a password. Raises NotSignedIn for a wrong one, InvalidInput for a weak one."""
        try:
            self._client.change_password(
                AccessToken=access_token, PreviousPassword=old, ProposedPassword=new
            )
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.InvalidParameterException,  # it cannot be anybody's
        ):
            raise NotSignedIn("The password is wrong.") from None
        except (
            self._client.exceptions.InvalidPasswordException,
            self._client.exceptions.PasswordHistoryPolicyViolationException,
        ) as error:
            raise _weak("newPassword", error) from None

    def forgot_password(self, email: str) -> None:
        """Mail a code that resets the password; an address that cannot get one looks the same."""
        silent = self._client.exceptions
        try:
            with self._secret_checked():
                self._client.forgot_password(
                    ClientId=self.client_id, SecretHash=self._secret_hash(email), Username=email
                )
        except (
            silent.UserNotFoundException,
            silent.UserNotConfirmedException,
            silent.NotAuthorizedException,  # disabled, or waiting for its first password
            silent.InvalidParameterException,  # no verified address
            silent.CodeDeliveryFailureException,  # only an address that is known can fail
        ):
            pass

    def reset_password(self, email: str, code: str, new: str) -> None:
        """Set a new password with a mailed code; safe to repeat. Raises InvalidInput."""
        refused = self._client.exceptions
        try:
            with self._secret_checked():
                self._client.confirm_forgot_password(
                    ClientId=self.client_id,
                    SecretHash=self._secret_hash(email),
                    Username=email,
                    ConfirmationCode=code,
                    Password=new,
                )
        except (
            refused.InvalidPasswordException,
            refused.PasswordHistoryPolicyViolationException,
        ) as error:
            raise _weak("password", error) from None
        except (*self._code_refusals(), refused.UserNotConfirmedException):
            # A code is good once: a repeat, whose first answer was lost, finds the password set.
            if not self.knows(email, new):
                raise InvalidInput(_WRONG_CODE) from None

    def confirm_by_code(self, email: str, code: str) -> None:
        """Confirm an account with a mailed code. Raises InvalidInput."""
        refused = self._client.exceptions
        try:
            with self._secret_checked():
                self._client.confirm_sign_up(
                    ClientId=self.client_id,
                    SecretHash=self._secret_hash(email),
                    Username=email,
                    ConfirmationCode=code,
                )
        except (*self._code_refusals(), refused.AliasExistsException):
            raise InvalidInput(_WRONG_CODE) from None

    def resend_code(self, email: str) -> None:
        """Mail another code; an address that waits for none looks the same."""
        try:
            with self._secret_checked():
                self._client.resend_confirmation_code(
                    ClientId=self.client_id, SecretHash=self._secret_hash(email), Username=email
                )
        except (
            self._client.exceptions.UserNotFoundException,
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.InvalidParameterException,  # confirmed already
            self._client.exceptions.CodeDeliveryFailureException,
        ):
            pass

    def end_sessions(self, sub: str) -> None:
        """Revoke every token of a user, without needing one of them; safe to repeat."""
        try:
            self._client.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=sub)
        except self._client.exceptions.UserNotFoundException:
            pass  # Who is gone has no sessions.

    def delete(self, sub: str) -> None:
        """Delete an account; one that is gone already is fine."""
        try:
            self._client.admin_delete_user(UserPoolId=self._pool_id, Username=sub)
        except self._client.exceptions.UserNotFoundException:
            pass  # An earlier try came this far.

    def _code_refusals(self) -> tuple[type[Exception], ...]:
        """Return how Cognito refuses a mailed code; why is nobody's business."""
        refused = self._client.exceptions
        return (
            refused.CodeMismatchException,
            refused.ExpiredCodeException,
            refused.TooManyFailedAttemptsException,
            refused.UserNotFoundException,
            refused.NotAuthorizedException,  # disabled, or confirmed already
            refused.InvalidParameterException,
        )

    @contextlib.contextmanager
    def _secret_checked(self) -> Iterator[None]:
        """Tell a wrong client secret, which is our fault, from what a person did wrong."""
        try:
            yield
        except self._client.exceptions.NotAuthorizedException as error:
            if "secret" in error.response["Error"]["Message"].lower():
                raise ConfigurationError("COGNITO_CLIENT_SECRET is not this client's") from error
            raise

    def _secret_hash(self, username: str) -> str:
        """Return Cognito's SECRET_HASH: base64 of HMAC-SHA256 over user name and client id."""
        message = (username + self.client_id).encode()
        digest = hmac.digest(self._client_secret.encode(), message, "sha256")
        return base64.b64encode(digest).decode()


def _weak(field: str, error: Any) -> InvalidInput:
    """Return Cognito's refusal of a password with the rule that it breaks, and nothing else."""
    # "Password did not conform with policy: Password not long enough"
    message: str = error.response["Error"]["Message"]
    rule = message.partition("policy: ")[2]
    return InvalidInput(f"{field} is too weak: {rule or 'choose a longer one'}.")
