"""Pictures in S3: an original and a thumbnail each, under the user's own prefix."""

import base64
import contextlib
import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError, IncompleteReadError

from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.presign import UrlSigner

# A key's content never changes: what is stored under another one is another picture.
_CACHE_CONTROL = "private, max-age=31536000, immutable"
# S3 takes 8 kB of headers, and a character of a name may become 12 bytes.
_LONGEST_NAME = 200
_LONGEST_EXTENSION = 20
# Without the right to list, S3 says 403 of an object that is not there.
_MISSING = {"NoSuchKey", "404", "AccessDenied"}
# RFC 5987's attr-char, beside letters and digits
_UNENCODED = "!#$&+-.^_`|~"
_UNFIT_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


# What lies below these is in a folder of its owner's.
OWNERS = ("photos/", "uploads/")


@dataclass(frozen=True)
class Stored:
    """What S3 says of an object."""

    key: str
    size: int
    modified: datetime
    sha256: str | None = None  # hexadecimal; None in lists


def original_key(user_id: str, filename: str) -> str:
    """Return where an original is kept; `filename` is the stored one, ID.EXTENSION."""
    return f"photos/{user_id}/{filename}"


def thumbnail_key(user_id: str, photo_id: str) -> str:
    """Return where a thumbnail is kept."""
    return f"{thumbnail_prefix(user_id)}{photo_id}.jpg"


def thumbnail_prefix(user_id: str) -> str:
    """Return where a user's thumbnails are kept."""
    return f"photos/{user_id}/thumbnails/"


def upload_key(user_id: str, photo_id: str) -> str:
    """Return where a picture waits that was sent straight to S3, until it is complete."""
    return f"uploads/{user_id}/{photo_id}"


def user_prefixes(user_id: str) -> tuple[str, str]:
    """Return where everything is that a user has stored: photos, and uploads not completed yet."""
    return f"photos/{user_id}/", f"uploads/{user_id}/"


def content_disposition(name: str) -> str:
    """Return the header that gives a download its name (RFC 6266, RFC 5987)."""
    shown = "".join("_" if _is_unfit(character) else character for character in name)
    if len(shown) > _LONGEST_NAME:
        stem, dot, extension = shown.rpartition(".")
        kept = dot + extension if stem and len(extension) <= _LONGEST_EXTENSION else ""
        shown = shown[: _LONGEST_NAME - len(kept)] + kept
    ascii_name = "".join(_ascii(character) for character in shown)
    return f"inline; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(shown, safe=_UNENCODED)}"


def _is_unfit(character: str) -> bool:
    # Separators of paths and lines, controls, halves of pairs, and what turns text around.
    return character in "/\\" or unicodedata.category(character) in _UNFIT_CATEGORIES


def _ascii(character: str) -> str:
    # Old browsers would decode what follows a percent sign.
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if plain.isascii() and plain not in '"%' else "_"


def side_by_side(*acts: Callable[[], None]) -> None:
    """Do all at once, and wait for all. Raises what one of them has raised, the first in order."""
    with ThreadPoolExecutor(len(acts)) as pool:
        # In this context, so that the request's log counts the calls.
        done = [pool.submit(copy_context().run, act) for act in acts]
    for one in done:
        one.result()


class PhotoStorage:
    """One bucket of pictures."""

    def __init__(self, client: Any, bucket: str, signer: UrlSigner) -> None:
        self._client = client
        self._bucket = bucket
        self._signer = signer

    def put(
        self, key: str, data: bytes, content_type: str, sha256: bytes, name: str | None = None
    ) -> None:
        """Store an object, to be downloaded as `name`.

        S3 refuses it if what arrived has another hash, and keeps the hash.
        """
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(sha256).decode(),
            **_stored_as(content_type, name),
        )

    def presigned_post(self, key: str, size: int, seconds: int) -> dict[str, Any]:
        """Return `url` and `fields` of a form that can store `size` bytes under one key."""
        form: dict[str, Any] = self._client.generate_presigned_post(
            self._bucket,
            key,
            Conditions=[["content-length-range", size, size]],
            ExpiresIn=seconds,
        )
        return form

    def fetch(self, key: str, size: int) -> tuple[bytes, str]:
        """Return an object's bytes and its ETag.

        Raises NotFound, Conflict if it has not `size` bytes, Unavailable if they stop coming.
        """
        with _told_of_upload():
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        with contextlib.closing(answer["Body"]) as body:
            if answer["ContentLength"] != size:
                raise Conflict(
                    f"What was uploaded has {answer['ContentLength']:,} bytes instead of {size:,}."
                )
            try:
                return body.read(), answer["ETag"]
            except IncompleteReadError as error:
                raise Unavailable from error

    def copy(
        self,
        source: str,
        etag: str,
        target: str,
        content_type: str,
        sha256: bytes,
        name: str | None,
    ) -> None:
        """Copy an object that has not changed since it had this ETag, as `put` would store it.

        Raises NotFound, Conflict if it has changed, Unavailable if the copy has another hash.
        """
        with _told_of_upload():
            answer = self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                ChecksumAlgorithm="SHA256",
                **_stored_as(content_type, name),
            )
        kept = answer["CopyObjectResult"].get("ChecksumSHA256")
        if kept is not None and base64.b64decode(kept) != sha256:
            raise Unavailable

    def look(self, key: str) -> Stored | None:
        """Return what S3 knows of an object, or None when it is not there.

        It wants the right to list the whole bucket: without it, S3 tells nobody what is not there.
        """
        try:
            answer = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise
        kept = answer.get("ChecksumSHA256")
        sha256 = base64.b64decode(kept).hex() if kept else None
        return Stored(key, answer["ContentLength"], answer["LastModified"], sha256)

    def sha256(self, key: str) -> str:
        """Return the hash of an object's bytes, which are read piece by piece. Raises NotFound."""
        with _told_of_upload():
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        digest = hashlib.sha256()
        with contextlib.closing(answer["Body"]) as body:
            for piece in body.iter_chunks(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def below(self, prefix: str) -> Iterator[Stored]:
        """Return the objects whose keys begin with `prefix`, in their order, page by page."""
        for page in self._pages(Prefix=prefix):
            for one in page.get("Contents", []):
                yield Stored(one["Key"], one["Size"], one["LastModified"])

    def directly_below(self, prefix: str) -> Iterator[Stored | str]:
        """Return the objects in a folder, and the names of the folders in it."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            for one in page.get("Contents", []):
                yield Stored(one["Key"], one["Size"], one["LastModified"])
            for one in page.get("CommonPrefixes", []):
                yield one["Prefix"].removeprefix(prefix).removesuffix("/")

    def _pages(self, **where: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        return iter(pages.paginate(Bucket=self._bucket, **where))

    def delete(self, keys: list[str]) -> None:
        """Remove objects; one that is not there is fine. Raises Unavailable if any remains."""
        answer = self._client.delete_objects(
            Bucket=self._bucket,
            Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
        )
        if answer.get("Errors"):
            raise Unavailable

    def delete_below(self, prefix: str) -> None:
        """Remove every object whose key begins with `prefix`. Raises Unavailable if any remains."""
        for page in self._pages(Prefix=prefix):
            keys = [one["Key"] for one in page.get("Contents", [])]
            if keys:
                self.delete(keys)

    def url(self, key: str) -> str:
        """Return a presigned URL to GET one object, the same for a good part of its life."""
        return self._signer.url(key)

    def with_urls(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Return the photo object of the API: what is shown of a row, and where its bytes are."""
        user_id = shown["user_id"]
        shown["thumbSrc"] = self.url(thumbnail_key(user_id, shown["id"]))
        shown["originalSrc"] = self.url(original_key(user_id, shown["filename"]))
        return shown


def _stored_as(content_type: str, name: str | None) -> dict[str, str]:
    """Return the headers that S3 keeps with an object, and sends with every download."""
    headers = {"ContentType": content_type, "CacheControl": _CACHE_CONTROL}
    if name:
        headers["ContentDisposition"] = content_disposition(name)
    return headers


@contextlib.contextmanager
def _told_of_upload() -> Iterator[None]:
    """Raise what S3 says about an object that was uploaded in the album's terms."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _MISSING:
            raise NotFound("Nothing was uploaded for this photo yet.") from error
        if code == "PreconditionFailed":
            raise Conflict("The upload was replaced meanwhile: complete it again.") from error
        raise
