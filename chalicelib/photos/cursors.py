"""Cursors of lists: opaque to clients, and each valid for one user and one query."""

import base64
import binascii
import functools
import hmac
from collections.abc import Callable

from chalicelib.errors import InvalidInput

_MAC_BYTES = 16


class Cursors:
    """Signs and reads cursors, each valid for one user and one query.

    `secret` is called when the first cursor is needed: a list that fits on one page needs none.
    """

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @functools.cached_property
    def _key(self) -> bytes:
        # A key of its own, so that a cursor is not valid for anything else that the secret signs.
        return hmac.digest(self._secret().encode(), b"cursor", "sha256")

    def make(self, user_id: str, query: str, position: str) -> str:
        """Return the cursor of a position, opaque and safe in a URL."""
        mac = self._mac(user_id, query, position)
        return base64.urlsafe_b64encode(mac + position.encode()).rstrip(b"=").decode()

    def read(self, user_id: str, query: str, cursor: str) -> str:
        """Return a cursor's position. Raises InvalidInput unless it was made for this query."""
        refusal = InvalidInput("cursor must be the nextCursor of the previous page, unchanged.")
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            position = raw[_MAC_BYTES:].decode()
        except (binascii.Error, UnicodeError):
            raise refusal from None
        # The whole cursor is compared, since base64 has several spellings for some bytes.
        if not position or not hmac.compare_digest(cursor, self.make(user_id, query, position)):
            raise refusal
        return position

    def _mac(self, user_id: str, query: str, position: str) -> bytes:
        lengths = f"{len(user_id)},{len(query)}"  # so that no two triples make the same text
        message = f"{lengths}\n{user_id}{query}{position}"
        return hmac.digest(self._key, message.encode(), "sha256")[:_MAC_BYTES]
