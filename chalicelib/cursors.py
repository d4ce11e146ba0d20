"""Cursors: where the next page of a list begins, signed so that only we can make one."""

import base64
import binascii
import functools
import hmac
from collections.abc import Callable

from chalicelib.errors import InvalidInput
from chalicelib.signing import hmac_sha256

_MAC_BYTES = 16


class Cursors:
    """Makes and reads cursors that are good for one user and one query alone.

    `secret` is asked for when the first cursor is: a list that fits one page needs none.
    """

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @functools.cached_property
    def _key(self) -> bytes:
        # A key of its own, so that a cursor is good for nothing else that the secret signs.
        return hmac_sha256(self._secret().encode(), "cursor")

    def make(self, user_id: str, query: str, position: str) -> str:
        """Return the cursor of a position, opaque and fit for a URL."""
        mac = self._mac(user_id, query, position)
        return base64.urlsafe_b64encode(mac + position.encode()).rstrip(b"=").decode()

    def read(self, user_id: str, query: str, cursor: str) -> str:
        """Return the position of a cursor. Raises InvalidInput unless we made it for this."""
        refusal = InvalidInput("cursor", "expected the nextCursor of the page before, unchanged")
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            position = raw[_MAC_BYTES:].decode()
        except (binascii.Error, UnicodeError):
            raise refusal from None
        # What the cursor would have to be decides: base64 has several spellings for some bytes.
        if not position or not hmac.compare_digest(cursor, self.make(user_id, query, position)):
            raise refusal
        return position

    def _mac(self, user_id: str, query: str, position: str) -> bytes:
        lengths = f"{len(user_id)},{len(query)}"  # so that no two triples make the same text
        return hmac_sha256(self._key, f"{lengths}\n{user_id}{query}{position}")[:_MAC_BYTES]
