"""Who holds an access token, asked by the authorizer before every request.

A cold authorizer pays for whatever is imported on its way. So the one row that decides is read by
a plain client here; PynamoDB, which writes it (`models.User`), stays out.
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
    """Who holds a live access token."""

    sub: str
    origin_jti: str
    deletion_pending: bool  # the deletion of the account has begun: nothing else is allowed


@dataclass(frozen=True)
class SessionState:
    """What a user's row says about tokens; an account made in the console has no row."""

    signed_out_at: int | None = None  # seconds since the epoch, floored
    signed_out_sessions: frozenset[str] = frozenset()
    deletion_pending: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> SessionState:
        """Return the standing of an item as DynamoDB answers it, {} for one that is not there."""
        signed_out_at = item.get("signed_out_at")
        return cls(
            signed_out_at=None if signed_out_at is None else int(signed_out_at["N"]),
            signed_out_sessions=frozenset(item.get("signed_out_sessions", {}).get("SS", ())),
            deletion_pending="deleting_at" in item,
            deleted="deleted_at" in item,
        )

    def refuses(self, issued_at: int, origin_jti: str) -> bool:
        """Tell whether a token is dead, though its signature and expiry are good."""
        signed_out_before = self.signed_out_at is not None and issued_at < self.signed_out_at
        return self.deleted or signed_out_before or origin_jti in self.signed_out_sessions


class Sessions:
    """Tells whose live token it is, by a client of DynamoDB and the name of the users' table."""

    def __init__(self, verifier: TokenVerifier, dynamodb: Any, user_table: str) -> None:
        self._verifier = verifier
        self._dynamodb = dynamodb
        self._user_table = user_table

    def authenticate(self, token: str) -> Caller:
        """Return whose live token it is.

        Raises NotSignedIn for one that is forged, expired, signed out or of a deleted user;
        anything else that is raised says nothing about the token.
        """
        access = self._verifier.verify(token)
        answer = self._dynamodb.get_item(
            TableName=self._user_table, Key={"sub": {"S": access.sub}}, ConsistentRead=True
        )
        standing = SessionState.of(answer.get("Item", {}))
        if standing.refuses(access.issued_at, access.origin_jti):
            raise NotSignedIn("This session was signed out.")
        return Caller(access.sub, access.origin_jti, standing.deletion_pending)


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header (RFC 6750), which may also be the bare token."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization.strip()
