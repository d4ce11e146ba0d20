"""Accounts: everything a person expects around signing up."""

from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib import dates
from chalicelib.accounts.cognito import Tokens, UserPool
from chalicelib.accounts.models import User
from chalicelib.errors import Conflict, NotFound, NotSignedIn

# The longest an access token of a Cognito client can be set to live.
_LONGEST_TOKEN = timedelta(days=1)


class AccountService:
    """What a person can do with an account of the album."""

    def __init__(
        self, pool: UserPool, confirms_by_email: bool, hosted_pages: str, callback_url: str
    ) -> None:
        self._pool = pool
        self._callback_url = callback_url
        self._confirms_by_email = confirms_by_email
        self._hosted_pages = hosted_pages

    def sign_up(self, email: str, password: str, username: str) -> dict[str, Any]:
        """Make an account, and tell how it is confirmed if it cannot sign in at once.

        Raises Conflict for an address that is taken, InvalidInput for a weak password.
        """
        try:
            sub = self._pool.sign_up(email, password, username)
        except Conflict:
            if self._confirms_by_email or not self._finish_sign_up(email, password):
                raise
            return {}
        User.create(sub)
        if self._confirms_by_email:
            return {"confirm": "email"}
        self._pool.confirm(sub)
        return {}

    def _finish_sign_up(self, email: str, password: str) -> bool:
        """Finish a sign-up that broke halfway; return whether it was the one of who is asking."""
        sub = self._pool.find_unconfirmed(email)
        if sub is None:
            return False
        User.create(sub)
        self._pool.confirm(sub)
        return self._pool.knows(email, password)

    def confirm(self, email: str, code: str) -> None:
        """Confirm an account with the code that was mailed. Raises InvalidInput."""
        self._pool.confirm_by_code(email, code)

    def resend_code(self, email: str) -> None:
        """Mail another code, if the address waits for one; nothing tells whether it does."""
        self._pool.resend_code(email)

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange a password for tokens. Raises NotSignedIn."""
        return self._pool.sign_in(email, password)

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for a new access token. Raises NotSignedIn."""
        return self._pool.refresh(refresh_token)

    def sign_out(self, sub: str, origin_jti: str, access_token: str) -> None:
        """Refuse from now on every access and refresh token the user has; safe to repeat."""
        # The row comes last: it makes the authorizer refuse the token that a repeat would need.
        self._pool.sign_out(access_token)
        User(sub).record_sign_out(_now(), {origin_jti})

    def profile(self, sub: str) -> dict[str, Any]:
        """Return what a person may know of the own account. Raises NotFound if it is gone."""
        account = self._pool.describe(sub)
        if account is None:
            raise NotFound("This account does not exist any more.")
        user = User.find(sub) or User(sub)
        return {
            "user_id": sub,
            "email": account.email,
            "username": account.name,
            "photo_count": user.photo_count or 0,
            "storage_bytes": user.storage_bytes or 0,
            "created_date": account.created.astimezone(UTC).isoformat(timespec="seconds"),
        }

    def rename(self, sub: str, username: str) -> None:
        """Change the name a person is shown by."""
        self._pool.rename(sub, username)

    def change_password(
        self, sub: str, origin_jti: str, access_token: str, old: str, new: str
    ) -> None:
        """Change a password and sign out every session; safe to repeat.

        Raises NotSignedIn for a wrong old password, InvalidInput for a weak new one.
        """
        try:
            self._pool.change_password(access_token, old, new)
        except NotSignedIn:
            # A repeat, whose first answer was lost, finds the new password in place.
            if not self._pool.knows(sub, new):
                raise
        self._end_sessions(sub, {origin_jti})

    def forgot_password(self, email: str) -> None:
        """Mail a code that resets the password, if the address is known; nothing tells whether."""
        self._pool.forgot_password(email)

    def reset_password(self, email: str, code: str, new: str) -> None:
        """Set a new password with the code that was mailed, and sign out every session.

        Raises InvalidInput for a wrong or expired code, and for a weak password. Safe to repeat.
        """
        self._pool.reset_password(email, code, new)
        account = self._pool.describe(email)
        if account is not None:
            self._end_sessions(account.sub, set())

    def links(self) -> dict[str, str]:
        """Return the pool's hosted pages. Raises NotFound where there are none."""
        if not self._hosted_pages:
            raise NotFound("This album has no hosted pages.")
        query = "?" + urlencode(
            {
                "client_id": self._pool.client_id,
                "response_type": "code",
                "redirect_uri": self._callback_url,
            }
        )
        return {
            "signIn": f"https://{self._hosted_pages}/login{query}",
            "forgotPassword": f"https://{self._hosted_pages}/forgotPassword{query}",
        }

    def begin_deletion(self, sub: str, password: str) -> None:
        """Close the account to everything but its own deletion. Raises NotSignedIn.

        The password is asked again; a repeat after the pool's account is gone needs none.
        """
        if not self._pool.knows(sub, password) and self._pool.describe(sub) is not None:
            raise NotSignedIn("The password is wrong.")
        User(sub).begin_deletion(_now())

    def finish_deletion(self, sub: str) -> None:
        """Delete the account of a person whose photos are gone; the address can sign up again."""
        self._pool.delete(sub)
        User(sub).mark_deleted(_now(), dates.utc_now() + _LONGEST_TOKEN)

    def _end_sessions(self, sub: str, sessions: set[str]) -> None:
        self._pool.end_sessions(sub)
        User(sub).record_sign_out(_now(), sessions)


def _now() -> int:
    return int(dates.utc_now().timestamp())
