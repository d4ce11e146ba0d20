"""Access tokens of the user pool, verified offline.

Sources: RFC 7519 (JWT), and Amazon Cognito's "Verifying JSON web tokens".
"""

import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jose import jwk, jwt
from jose.exceptions import JOSEError

from chalicelib.clients import READ_SECONDS
from chalicelib.errors import NotSignedIn, Unavailable

_ALGORITHM = "RS256"
_REFETCH_SECONDS = 60
_INVALID = "The access token is not valid. Please sign in again."

JsonWebKey = dict[str, Any]


@dataclass(frozen=True)
class AccessToken:
    """The claims of a verified token."""

    sub: str  # the user's id in the pool
    issued_at: int  # seconds since the epoch


def fetch_keys(url: str) -> list[JsonWebKey]:
    """Fetch a JSON Web Key Set (RFC 7517). Raises Unavailable for any failure."""
    # The URL comes from the settings: its scheme is https, or http on an emulator.
    try:
        with urllib.request.urlopen(url, timeout=READ_SECONDS) as response:  # noqa: S310
            keys: list[JsonWebKey] = json.load(response)["keys"]
            return keys
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise Unavailable from error


class KeySet:
    """The pool's public keys by their `kid`, fetched on first use and cached.

    An unknown `kid` makes it fetch them again, at most once a minute, as Cognito may have rotated
    its keys. While they cannot be fetched, it raises Unavailable: the key may exist.
    """

    def __init__(
        self,
        fetch: Callable[[], list[JsonWebKey]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, Any] | None = None
        self._fetched_at = 0.0
        self._failed = False

    def find(self, kid: str) -> Any | None:
        """Return the key named `kid`, or None if the pool has none. Raises Unavailable."""
        with self._lock:
            if self._keys is None or (kid not in self._keys and self._may_fetch_again()):
                self._keys = self._fetch_keys()
            return self._keys.get(kid)

    def _may_fetch_again(self) -> bool:
        if self._clock() - self._fetched_at >= _REFETCH_SECONDS:
            return True
        if self._failed:
            raise Unavailable
        return False

    def _fetch_keys(self) -> dict[str, Any]:
        self._fetched_at, self._failed = self._clock(), True
        fetched = [key for key in self._fetch() if key.get("kty") == "RSA"]
        try:
            keys = {key["kid"]: jwk.construct(key, _ALGORITHM) for key in fetched}
        except (JOSEError, KeyError, TypeError, ValueError) as error:
            raise Unavailable from error
        self._failed = False
        return keys


class TokenVerifier:
    """Verifies access tokens of one client of one pool."""

    def __init__(self, keys: KeySet, issuer: str, client_id: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id

    def verify(self, token: str) -> AccessToken:
        """Check signature, issuer, use, client and expiry, and return the token's claims.

        Raises NotSignedIn, also for a missing claim, and Unavailable if the pool's keys cannot be
        fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
                raise NotSignedIn(_INVALID)
            key = self._keys.find(kid)
            if key is None:
                raise NotSignedIn(_INVALID)
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"verify_aud": False})
        # The library fails on JSON nested deeper than the stack, and on times of another type.
        except (JOSEError, RecursionError, TypeError):
            raise NotSignedIn(_INVALID) from None
        return self._accept(claims)

    def _accept(self, claims: dict[str, Any]) -> AccessToken:
        sub, issued_at = claims.get("sub"), claims.get("iat")
        if (
            claims.get("iss") == self._issuer
            and claims.get("token_use") == "access"
            and claims.get("client_id") == self._client_id
            and isinstance(claims.get("exp"), int)  # the library checks it only if it exists
            and isinstance(issued_at, int)
            and isinstance(sub, str)
            and sub
        ):
            return AccessToken(sub, issued_at)
        raise NotSignedIn(_INVALID)
