"""Access tokens of the user pool, verified without asking Cognito.

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
_REFUSAL = "The access token is not valid. Please sign in again."

JsonWebKey = dict[str, Any]


@dataclass(frozen=True)
class AccessToken:
    """What a verified token says."""

    sub: str  # the user's id in the pool
    issued_at: int  # seconds since the epoch
    origin_jti: str  # the same for all tokens that came of one sign-in


def fetch_keys(url: str) -> list[JsonWebKey]:
    """Fetch a JSON Web Key Set (RFC 7517). Raises Unavailable when it cannot be had."""
    # The URL is that of an AWS client, so its scheme is https, or http on an emulator.
    try:
        with urllib.request.urlopen(url, timeout=READ_SECONDS) as response:  # noqa: S310
            keys: list[JsonWebKey] = json.load(response)["keys"]
            return keys
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise Unavailable from error


class KeySet:
    """The pool's public keys by their `kid`, fetched on first use and kept.

    A `kid` it does not know makes it fetch again, at most once a minute, since Cognito may have
    rotated its keys. A key set that cannot be fetched is Unavailable, never "no such key".
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
        self._asked_at = 0.0
        self._failed = False

    def find(self, kid: str) -> Any | None:
        """Return the key named `kid`, or None when the pool has none of that name."""
        with self._lock:
            if self._keys is None or (kid not in self._keys and self._may_ask_again()):
                self._keys = self._ask()
            return self._keys.get(kid)

    def _may_ask_again(self) -> bool:
        if self._clock() - self._asked_at >= _REFETCH_SECONDS:
            return True
        if self._failed:
            raise Unavailable
        return False

    def _ask(self) -> dict[str, Any]:
        self._asked_at, self._failed = self._clock(), True
        fetched = [key for key in self._fetch() if key.get("kty") == "RSA"]
        try:
            keys = {key["kid"]: jwk.construct(key, _ALGORITHM) for key in fetched}
        except (JOSEError, KeyError, TypeError, ValueError) as error:
            raise Unavailable from error
        self._failed = False
        return keys


class TokenVerifier:
    """Tells a live access token of one client of one pool from everything else."""

    def __init__(self, keys: KeySet, issuer: str, client_id: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._client_id = client_id

    def verify(self, token: str) -> AccessToken:
        """Check signature, issuer, use, client and expiry; a claim that is missing is a refusal.

        Raises NotSignedIn, or Unavailable when the pool's keys cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
                raise NotSignedIn(_REFUSAL)
            key = self._keys.find(kid)
            if key is None:
                raise NotSignedIn(_REFUSAL)
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"verify_aud": False})
        # JSON nested deeper than the stack is no token, nor is a time that the library cannot read.
        except (JOSEError, RecursionError, TypeError):
            raise NotSignedIn(_REFUSAL) from None
        return self._accept(claims)

    def _accept(self, claims: dict[str, Any]) -> AccessToken:
        sub, issued_at, origin_jti = (claims.get(name) for name in ("sub", "iat", "origin_jti"))
        if (
            claims.get("iss") == self._issuer
            and claims.get("token_use") == "access"
            and claims.get("client_id") == self._client_id
            and isinstance(claims.get("exp"), int)  # the library checks it only if it is there
            and isinstance(issued_at, int)
            and isinstance(sub, str)
            and isinstance(origin_jti, str)
            and sub
            and origin_jti
        ):
            return AccessToken(sub, issued_at, origin_jti)
        raise NotSignedIn(_REFUSAL)
