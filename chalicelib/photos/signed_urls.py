"""Presigned GET URLs that stay the same for much of their lifetime, so that browsers can cache.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API
Reference. The result equals botocore's at the same moment byte for byte; it is our own code because
botocore always signs with the current second, which makes every URL a new one.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote, urlsplit

_SAFE = "-_.~"


class Credentials(Protocol):
    """What is needed of botocore's frozen credentials."""

    access_key: str
    secret_key: str
    token: str | None


@dataclass(frozen=True)
class _Window:
    """What all URLs share that are signed at one moment with the same credentials."""

    credentials: Credentials
    moment: int  # seconds since the epoch
    request: str  # the canonical request, after its path
    to_sign: str  # the string to sign, up to the request's hash
    key: bytes  # the day's
    query: str


class UrlSigner:
    """Signs URLs of one bucket.

    `base` is the bucket's URL without a trailing slash. `credentials` is called for each URL, since
    a role's credentials change during a container's life. `seconds` is a signed URL's lifetime.
    """

    def __init__(
        self,
        base: str,
        region: str,
        seconds: int,
        credentials: Callable[[], Credentials],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._base = base
        self._host, self._path = urlsplit(base).netloc, urlsplit(base).path
        self._region = region
        self._seconds = seconds
        self._credentials = credentials
        self._now = now
        self._window: _Window | None = None

    def url(self, key: str) -> str:
        """Return a GET URL that is valid for at least half of `seconds` from now."""
        now = int(self._now())
        return self.url_signed_at(key, now - now % max(1, self._seconds // 2))

    def url_signed_at(self, key: str, moment: int) -> str:
        """Return the URL signed at `moment`, in seconds since the epoch."""
        credentials, window = self._credentials(), self._window
        if window is None or window.moment != moment or window.credentials != credentials:
            # A list has thousands of URLs, so what they share is computed once.
            window = self._window = self._new_window(credentials, moment)
        path = quote(key, safe="/" + _SAFE)
        request = f"GET\n{self._path}/{path}\n{window.request}"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = hmac.digest(window.key, (window.to_sign + digest).encode(), "sha256")
        return f"{self._base}/{path}?{window.query}&X-Amz-Signature={signature.hex()}"

    def _new_window(self, credentials: Credentials, moment: int) -> _Window:
        stamp = datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        token = credentials.token
        query = (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            f"&X-Amz-Credential={quote(f'{credentials.access_key}/{scope}', safe=_SAFE)}"
            f"&X-Amz-Date={stamp}&X-Amz-Expires={self._seconds}"
        )
        signed_headers = "&X-Amz-SignedHeaders=host"
        security = f"&X-Amz-Security-Token={quote(token, safe=_SAFE)}" if token else ""
        key = f"AWS4{credentials.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return _Window(
            credentials=credentials,
            moment=moment,
            # The canonical request sorts the parameters: the token comes before the headers.
            request=(
                f"{query}{security}{signed_headers}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
            ),
            to_sign=f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n",
            key=key,
            query=query + signed_headers + security,
        )
