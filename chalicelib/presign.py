"""Presigned GET URLs that stay the same for a good part of their life, so that browsers cache.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API
Reference. The result is byte for byte what botocore would make at the same moment; it is our own
because botocore signs with the present second alone, which makes every URL a new one.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlsplit

from chalicelib.signing import hmac_sha256

_SAFE = "-_.~"


class Credentials(Protocol):
    """What is used of botocore's frozen credentials."""

    access_key: str
    secret_key: str
    token: str | None


class UrlSigner:
    """Signs URLs of one bucket.

    `base` is the bucket's URL without a slash at its end. `credentials` is asked for each URL, as
    a role's change while the container lives. `seconds` is how long a URL lives once it is signed.
    """

    def __init__(
        self,
        base: str,
        region: str,
        seconds: int,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base = base
        self._host, self._path = urlsplit(base).netloc, urlsplit(base).path
        self._region = region
        self._seconds = seconds
        self._credentials = credentials
        self._now = now
        self._day_key: tuple[str, str, bytes] = ("", "", b"")

    def url(self, key: str) -> str:
        """Return a URL to GET an object; it lives for at least half of `seconds` from now."""
        return self.url_signed_at(key, self._window_start())

    def url_signed_at(self, key: str, moment: datetime) -> str:
        """Return the URL that is signed at `moment`."""
        credentials = self._credentials()
        stamp = moment.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        token = credentials.token
        query = (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            f"&X-Amz-Credential={quote(f'{credentials.access_key}/{scope}', safe=_SAFE)}"
            f"&X-Amz-Date={stamp}&X-Amz-Expires={self._seconds}"
        )
        signed_headers = "&X-Amz-SignedHeaders=host"
        security = f"&X-Amz-Security-Token={quote(token, safe=_SAFE)}" if token else ""
        path = quote(key, safe="/" + _SAFE)
        # In the canonical request the parameters are sorted: the token comes before the headers.
        request = (
            f"GET\n{self._path}/{path}\n{query}{security}{signed_headers}\n"
            f"host:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        )
        digest = hashlib.sha256(request.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = hmac_sha256(self._signing_key(credentials.secret_key, stamp[:8]), to_sign)
        return (
            f"{self._base}/{path}?{query}{signed_headers}{security}"
            f"&X-Amz-Signature={signature.hex()}"
        )

    def _window_start(self) -> datetime:
        window = max(1, self._seconds // 2)
        now = int(self._now().timestamp())
        return datetime.fromtimestamp(now - now % window, UTC)

    def _signing_key(self, secret: str, day: str) -> bytes:
        """Return the day's key, which is the same for all URLs of a day."""
        if self._day_key[:2] != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac_sha256(key, part)
            self._day_key = (secret, day, key)
        return self._day_key[2]
