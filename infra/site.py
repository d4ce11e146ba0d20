"""The files of a website in a bucket: media types, order, and what happens to old ones."""

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.errors import OperatorError

# These are missing in the standard library's table on some systems.
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
# Until the page itself is there, the old page finds all of its files. A service worker comes after
# the page: a browser that installs it keeps the page that it finds.
_LAST = ("index.html", "sw.js")
_SUPERSEDED = {"Key": "superseded", "Value": "true"}  # The bucket's lifecycle removes these.

CacheControl = Callable[[str], str]


def content_type(name: str) -> str:
    """Return the media type of a file, by its name."""
    known = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0]
    return known or "application/octet-stream"


def with_charset(media_type: str) -> str:
    """Return a media type as a header, which says that text is UTF-8."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a built website by their names. Raises OperatorError without a page."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}
    if "index.html" not in files:
        raise OperatorError(f"{folder} has no index.html. Build the client first.")
    return files


def upload(s3: Any, bucket: str, files: dict[str, bytes], cache_control: CacheControl) -> None:
    """Store a build's files, and have those removed in 30 days that only earlier builds had."""
    for name in sorted(files, key=lambda name: (_LAST.index(name) if name in _LAST else -1, name)):
        put_file(s3, bucket, name, files[name], cache_control)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    stored = [one["Key"] for page in pages for one in page.get("Contents", [])]
    for name in stored:
        if name not in files:
            _supersede(s3, bucket, name, cache_control)


def put_file(s3: Any, bucket: str, name: str, content: bytes, cache_control: CacheControl) -> None:
    """Store one file with its headers."""
    s3.put_object(
        Bucket=bucket,
        Key=name,
        Body=content,
        ContentType=with_charset(content_type(name)),
        CacheControl=cache_control(name),
    )


def _supersede(s3: Any, bucket: str, name: str, cache_control: CacheControl) -> None:
    """Tag a file, unless it is already: a copy is new, so that its 30 days begin now."""
    if _SUPERSEDED in s3.get_object_tagging(Bucket=bucket, Key=name)["TagSet"]:
        return
    s3.copy_object(
        Bucket=bucket,
        Key=name,
        CopySource={"Bucket": bucket, "Key": name},
        ContentType=with_charset(content_type(name)),
        CacheControl=cache_control(name),
        MetadataDirective="REPLACE",
        TaggingDirective="REPLACE",
        Tagging=f"{_SUPERSEDED['Key']}={_SUPERSEDED['Value']}",
    )
