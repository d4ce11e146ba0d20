"""Accounts: sign-up, sessions, passwords, the profile and deletion."""

import time
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib import dates
from chalicelib.accounts.cognito import WRONG_PASSWORD, Tokens, UserPool
from chalicelib.accounts.models import User
from chalicelib.accounts.sessions import SessionState
from chalicelib.errors import Conflict, NotFound, NotSignedIn, SignUpClosed, Unavailable
from chalicelib.settings import EVERYONE

# The longest lifetime that a Cognito client can give an access token.
_LONGEST_TOKEN = timedelta(days=1)
# The second one succeeds, unless the user signs out again or Cognito's clock is behind.
_SIGN_IN_ATTEMPTS = 3


class AccountService:
    """What users can do with their own account."""

    def __init__(
        self,
        pool: UserPool,
        signup_allowed: frozenset[str],
        confirms_by_email: bool,
        hosted_pages: str,
        callback_url: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pool = pool
        self._signup_allowed = signup_allowed
        self._sleep = sleep
        self._callback_url = callback_url
        self._confirms_by_email = confirms_by_email
        self._hosted_pages = hosted_pages

    def sign_up(self, email: str, password: str, username: str) -> dict[str, Any]:
        """Create an account, and return how to confirm it unless it can sign in immediately.

        Raises SignUpClosed unless the album allows the email address, which must be in lower case;
        Conflict if it is taken, InvalidInput for a weak password.
        """
        if self._signup_allowed.isdisjoint((EVERYONE, email, email[email.rfind("@") :])):
            raise SignUpClosed(
                "Sign-up is by invitation only. Ask the album's owner to invite your email address."
            )
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
        """Finish an interrupted sign-up; return whether it was the caller's."""
        sub = self._pool.find_unconfirmed(email)
        if sub is None:
            return False
        User.create(sub)
        self._pool.confirm(sub)
        return self._pool.verify_password(email, password)

    def confirm(self, email: str, code: str) -> None:
        """Confirm an account with the emailed code. Raises InvalidInput."""
        self._pool.confirm_by_code(email, code)

    def resend_code(self, email: str) -> None:
        """Email another code, without revealing whether the address is waiting for one."""
        self._pool.resend_code(email)

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange a password for tokens, in the second after a sign-out if it falls into that.

        Raises NotSignedIn.
        """
        for _ in range(_SIGN_IN_ATTEMPTS):
            tokens = self._pool.sign_in(email, password)
            sub, issued_at = tokens.claims()
            user = User.find(sub)
            state = SessionState.of(user.serialize() if user else {})
            if not state.revokes(issued_at):
                return tokens
            wait = (state.signed_out_at or 0) + 1 - dates.utc_now().timestamp()
            self._sleep(min(max(wait, 0.05), 1))
        raise Unavailable

    def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for a new access token. Raises NotSignedIn."""
        return self._pool.refresh(refresh_token)

    def sign_out(self, sub: str) -> None:
        """Revoke every access and refresh token of the user; safe to repeat."""
        # The item is written last: once it is, the authorizer rejects the token, and a request that
        # failed halfway could not be repeated.
        self._pool.end_sessions(sub)
        User(sub).record_sign_out(_now())

    def profile(self, sub: str) -> dict[str, Any]:
        """Return the user's profile. Raises NotFound if the account was deleted."""
        account = self._pool.find(sub)
        if account is None:
            raise NotFound("This account no longer exists.")
        user = User.find(sub) or User(sub)
        return {
            "user_id": sub,
            "email": account.email,
            "username": account.name,
            "photo_count": user.stored_count,
            "trash_count": max(0, int(user.trash_count or 0)),
            "storage_bytes": user.stored_bytes,
            "created_date": account.created.astimezone(UTC).isoformat(timespec="seconds"),
        }

    def rename(self, sub: str, username: str) -> None:
        """Change the user's display name."""
        self._pool.rename(sub, username)

    def change_password(self, sub: str, old: str, new: str) -> None:
        """Change a password and sign out every session; safe to repeat.

        Raises NotSignedIn for a wrong old password, InvalidInput for a weak new one.
        """
        try:
            self._pool.change_password(sub, old, new)
        except NotSignedIn:
            # A repeated request, whose first response was lost, finds the new password in place.
            if not self._pool.verify_password(sub, new):
                raise
        self.sign_out(sub)

    def forgot_password(self, email: str) -> None:
        """Email a code that resets the password, without revealing whether the address is known."""
        self._pool.forgot_password(email)

    def reset_password(self, email: str, code: str, new: str) -> None:
        """Set a new password with the emailed code, and sign out every session; safe to repeat.

        Raises InvalidInput for a wrong or expired code, and for a weak password.
        """
        self._pool.reset_password(email, code, new)
        account = self._pool.find(email)
        if account is not None:
            self.sign_out(account.sub)

    def links(self) -> dict[str, str]:
        """Return the URLs of the pool's hosted pages. Raises NotFound if it has none."""
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

        It needs the password, unless an earlier request has already deleted the pool's account. An
        account that was deleted otherwise proves nothing about the caller.
        """
        if not self._pool.verify_password(sub, password):
            user = User.find(sub)
            has_begun = user is not None and user.deleting_at is not None
            if not has_begun or self._pool.find(sub) is not None:
                raise NotSignedIn(WRONG_PASSWORD)
        User(sub).begin_deletion(_now())

    def finish_deletion(self, sub: str) -> None:
        """Delete an account without photos; its email address can then sign up again."""
        self._pool.delete(sub)
        User(sub).mark_deleted(_now(), dates.utc_now() + _LONGEST_TOKEN)


def _now() -> int:
    return int(dates.utc_now().timestamp())
