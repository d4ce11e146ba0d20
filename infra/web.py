"""The files of the web app with the headers that they have on every host."""

import functools
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chalicelib.settings import Settings
from infra.site import content_type, with_charset

FOLDER_VARIABLE = "WEB_APP_FOLDER"  # the environment variable that names the built web app

_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_COMPRESSED = (".css", ".html", ".js", ".json", ".svg", ".webmanifest")
_SMALLEST_COMPRESSED = 1_000  # bytes

# Scripts and styles come from files of the album's own. Images come from the bucket, and from what
# the page itself makes: placeholders and the previews of uploads. Uploads go to the bucket.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:{bucket}; "
    "connect-src 'self'{bucket}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


@dataclass
class File:
    """A response with status 200."""

    body: bytes
    headers: dict[str, str]


def security_headers(bucket_origin: str) -> dict[str, str]:
    """Return the headers of every file; `bucket_origin` is where signed URLs lead, or ""."""
    bucket = f" {bucket_origin}" if bucket_origin else ""
    return {
        "Content-Security-Policy": _POLICY.format(bucket=bucket),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def config(api: str, settings: Settings) -> dict[str, object]:
    """Return what `/config.json` has: the path of the API, and how people sign up."""
    return {
        "api": api,
        "signup": bool(settings.signup_allowed),
        "confirmation": settings.confirms_by_email,
    }


def cache_control(name: str) -> str:
    """Return the Cache-Control header of a file. Those in assets/ have a hash in their names."""
    return _IMMUTABLE if name.startswith("assets/") else _REVALIDATE


class WebApp:
    """The built web app in a folder, next to an API with the same origin."""

    def __init__(
        self, folder: Path, settings: Callable[[], Settings], bucket_origin: Callable[[], str]
    ) -> None:
        self._folder = folder.resolve()
        self._settings = settings
        self._bucket_origin = bucket_origin

    def find(self, path: str, accept_encoding: str = "") -> File | None:
        """Return the file at a path of the URL, or None."""
        name = path.partition("?")[0].removeprefix("/") or "index.html"
        if name == "config.json":
            return self._file(name, json.dumps(config("", self._settings())).encode(), "")
        file = (self._folder / name).resolve()
        if not (file.is_relative_to(self._folder) and file.is_file()):
            return None
        return self._file(name, file.read_bytes(), accept_encoding)

    def _file(self, name: str, body: bytes, accept_encoding: str) -> File:
        headers = security_headers(self._bucket_origin()) | {
            "Content-Type": with_charset(content_type(name)),
            "Cache-Control": cache_control(name),
        }
        if name.endswith(_COMPRESSED) and len(body) >= _SMALLEST_COMPRESSED:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in accept_encoding:
                headers["Content-Encoding"] = "gzip"
                body = _compressed(body)
        return File(body, headers)


@functools.lru_cache(maxsize=200)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)
