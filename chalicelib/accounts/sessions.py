"""Sessions: what the authorizer checks before every request.

An import costs time at every cold start, so the user's item is read with a plain client here and
not with PynamoDB, which writes it (`models.User`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.errors import NotSignedIn

if TYPE_CHECKING:
    from chalicelib.accounts.tokens import TokenVerifier


@dataclass(frozen=True)
class Caller:
    """The user of a valid access token."""

    sub: str
    deletion_pending: bool  # then nothing else is allowed


@dataclass(frozen=True)
class SessionState:
    """What a user's item says about tokens; an account from the Cognito console has no item."""

    signed_out_at: int | None = None  # seconds since the epoch, floored
    deletion_pending: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> SessionState:
        """Return the state in an item as DynamoDB returns it, or in {} if there is none."""
        signed_out_at = item.get("signed_out_at")
        return cls(
            signed_out_at=None if signed_out_at is None else int(signed_out_at["N"]),
            deletion_pending="deleting_at" in item,
            deleted="deleted_at" in item,
        )

    def revokes(self, issued_at: int) -> bool:
        """Return whether a token was revoked, although its signature and expiry are valid.

        `iat` has whole seconds: a token of the sign-out's own second may be older than it. No
        sign-in returns such a token (`AccountService.sign_in`).
        """
        signed_out = self.signed_out_at is not None and issued_at <= self.signed_out_at
        return self.deleted or signed_out


class Sessions:
    """Authenticates callers by their access token and their item in the table of users."""

    def __init__(self, verifier: TokenVerifier, dynamodb: Any, user_table: str) -> None:
        self._verifier = verifier
        self._dynamodb = dynamodb
        self._user_table = user_table

    def authenticate(self, token: str) -> Caller:
        """Return the caller of a valid access token.

        Raises NotSignedIn for a token that is forged, expired, revoked or of a deleted user. Any
        other error says nothing about the token.
        """
        access = self._verifier.verify(token)
        response = self._dynamodb.get_item(
            TableName=self._user_table, Key={"sub": {"S": access.sub}}, ConsistentRead=True
        )
        state = SessionState.of(response.get("Item", {}))
        if state.revokes(access.issued_at):
            raise NotSignedIn("This session was signed out. Please sign in again.")
        return Caller(access.sub, state.deletion_pending)


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header (RFC 6750), with or without `Bearer`."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization.strip()
