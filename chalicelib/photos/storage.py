"""Photos in S3: an original, a preview and a thumbnail each, under the owner's own prefix."""

import base64
import contextlib
import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError, IncompleteReadError

from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.photos.photo import URLS
from chalicelib.photos.signed_urls import UrlSigner

# The content of a key never changes: another image gets another key.
_CACHE_CONTROL = "private, max-age=31536000, immutable"
# S3 accepts 8 kB of headers, and a character of a name may become 12 bytes.
_MAX_NAME = 200
_MAX_EXTENSION = 20
# Without the right to list, S3 returns 403 for a missing object.
_MISSING = {"NoSuchKey", "404", "AccessDenied"}
# RFC 5987's attr-char, besides letters and digits
_UNENCODED = "!#$&+-.^_`|~"
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# By this tag, a lifecycle rule finds what can be created again: a prefix cannot name it.
_RENDITION = {"Tagging": "kind=rendition"}

# Everything below these is in a folder of its owner.
OWNER_FOLDERS = ("photos/", "uploads/")


@dataclass(frozen=True)
class StoredObject:
    """What S3 knows about an object."""

    key: str
    size: int
    modified: datetime
    sha256: str | None = None  # hexadecimal; None in lists


def original_key(user_id: str, filename: str) -> str:
    """Return the key of an original; `filename` is the stored one, ID.EXTENSION."""
    return f"photos/{user_id}/{filename}"


def thumbnail_key(user_id: str, photo_id: str) -> str:
    """Return the key of a thumbnail."""
    return f"{thumbnail_prefix(user_id)}{photo_id}.jpg"


def preview_key(user_id: str, photo_id: str) -> str:
    """Return the key of a preview."""
    return f"{preview_prefix(user_id)}{photo_id}.jpg"


def thumbnail_prefix(user_id: str) -> str:
    """Return the prefix of a user's thumbnails."""
    return f"photos/{user_id}/thumbnails/"


def preview_prefix(user_id: str) -> str:
    """Return the prefix of a user's previews."""
    return f"photos/{user_id}/previews/"


def _shown_preview_key(fields: dict[str, Any]) -> str:
    # Photos of earlier versions have neither a hash nor a preview.
    if fields["thumbhash"] is None:
        return original_key(fields["user_id"], fields["filename"])
    return preview_key(fields["user_id"], fields["id"])


# The key of each object that a photo object has a URL of, from the shown fields.
KEYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "thumb": lambda fields: thumbnail_key(fields["user_id"], fields["id"]),
    "preview": _shown_preview_key,
    "original": lambda fields: original_key(fields["user_id"], fields["filename"]),
}


def upload_key(user_id: str, photo_id: str) -> str:
    """Return the key of a direct upload until it is completed."""
    return f"uploads/{user_id}/{photo_id}"


def user_prefixes(user_id: str) -> tuple[str, str]:
    """Return the prefixes of all that a user has stored: photos and uncompleted uploads."""
    return f"photos/{user_id}/", f"uploads/{user_id}/"


def content_disposition(name: str) -> str:
    """Return the header that gives a download its name (RFC 6266, RFC 5987)."""
    shown = "".join("_" if _is_unsafe(character) else character for character in name)
    if len(shown) > _MAX_NAME:
        stem, dot, extension = shown.rpartition(".")
        kept = dot + extension if stem and len(extension) <= _MAX_EXTENSION else ""
        shown = shown[: _MAX_NAME - len(kept)] + kept
    ascii_name = "".join(_ascii(character) for character in shown)
    return f"inline; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(shown, safe=_UNENCODED)}"


def _is_unsafe(character: str) -> bool:
    # Path and line separators, control characters, lone surrogates, and text direction marks.
    return character in "/\\" or unicodedata.category(character) in _UNSAFE_CATEGORIES


def _ascii(character: str) -> str:
    # Old browsers would decode a percent sign and what follows.
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if plain.isascii() and plain not in '"%' else "_"


def in_parallel(*actions: Callable[[], None]) -> None:
    """Run all actions at once and wait for all of them. Raises the first error, in their order."""
    with ThreadPoolExecutor(len(actions)) as pool:
        # In this context, so that the request's log counts the calls.
        futures = [pool.submit(copy_context().run, action) for action in actions]
    for future in futures:
        future.result()


class PhotoStorage:
    """One bucket of photos.

    `copy_client` waits longer for a response, as large copies need; without it, `client` copies.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        signer: UrlSigner,
        *,
        copy_client: Any = None,
        originals_class: str = "STANDARD",
    ) -> None:
        self._client = client
        self._copy_client = client if copy_client is None else copy_client
        self._bucket = bucket
        self._signer = signer
        self._originals_class = originals_class

    def put_original(
        self, key: str, data: bytes, content_type: str, sha256: bytes, name: str | None
    ) -> None:
        """Store an original, in its storage class, that is downloaded as `name`.

        S3 rejects it if what arrived has another hash, and stores the hash.
        """
        self._put(key, data, sha256, self._original_headers(content_type, name))

    def put_rendition(self, key: str, jpeg: bytes) -> None:
        """Store a preview or a thumbnail, with its hash as for an original."""
        headers = _download_headers("image/jpeg") | _RENDITION
        self._put(key, jpeg, hashlib.sha256(jpeg).digest(), headers)

    def _put(self, key: str, data: bytes, sha256: bytes, headers: dict[str, str]) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(sha256).decode(),
            **headers,
        )

    def presigned_post(self, key: str, size: int, seconds: int) -> dict[str, Any]:
        """Return `url` and `fields` of a form that can store exactly `size` bytes under one key."""
        form: dict[str, Any] = self._client.generate_presigned_post(
            self._bucket,
            key,
            Conditions=[["content-length-range", size, size]],
            ExpiresIn=seconds,
        )
        return form

    def fetch(self, key: str, size: int) -> tuple[bytes, str]:
        """Return an object's bytes and its ETag.

        Raises NotFound, Conflict unless it has `size` bytes, Unavailable if the download breaks.
        """
        with _translate_errors():
            response = self._client.get_object(Bucket=self._bucket, Key=key)
        with contextlib.closing(response["Body"]) as body:
            if response["ContentLength"] != size:
                raise Conflict(
                    f"The uploaded file has {response['ContentLength']:,} bytes, but {size:,} were "
                    "announced. Start a new upload."
                )
            try:
                return body.read(), response["ETag"]
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
        """Copy an upload that still has this ETag to an original, as `put_original` stores it.

        Raises NotFound, Conflict if it has changed, Unavailable if the copy has another hash.
        """
        with _translate_errors():
            response = self._copy_client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                ChecksumAlgorithm="SHA256",
                **self._original_headers(content_type, name),
            )
        stored = response["CopyObjectResult"].get("ChecksumSHA256")
        if stored is not None and base64.b64decode(stored) != sha256:
            raise Unavailable

    def head(self, key: str) -> StoredObject | None:
        """Return what S3 knows about an object, or None if it does not exist.

        It needs the right to list the bucket: without it, S3 does not reveal what is missing.
        """
        try:
            response = self._client.head_object(
                Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise
        checksum = response.get("ChecksumSHA256")
        sha256 = base64.b64decode(checksum).hex() if checksum else None
        return StoredObject(key, response["ContentLength"], response["LastModified"], sha256)

    def sha256(self, key: str) -> str:
        """Return the hash of an object's bytes, read in chunks. Raises NotFound."""
        with _translate_errors():
            response = self._client.get_object(Bucket=self._bucket, Key=key)
        digest = hashlib.sha256()
        with contextlib.closing(response["Body"]) as body:
            for chunk in body.iter_chunks(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()

    def list_keys(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with `prefix`, in key order, page by page."""
        for page in self._pages(Prefix=prefix):
            for one in page.get("Contents", []):
                yield StoredObject(one["Key"], one["Size"], one["LastModified"])

    def list_folder(self, prefix: str) -> Iterator[StoredObject | str]:
        """Yield the objects in a folder, and the names of its subfolders."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            for one in page.get("Contents", []):
                yield StoredObject(one["Key"], one["Size"], one["LastModified"])
            for one in page.get("CommonPrefixes", []):
                yield one["Prefix"].removeprefix(prefix).removesuffix("/")

    def _pages(self, **where: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        return iter(pages.paginate(Bucket=self._bucket, **where))

    def delete(self, keys: list[str]) -> None:
        """Delete objects; missing ones are fine. Raises Unavailable if any remains."""
        response = self._client.delete_objects(
            Bucket=self._bucket,
            Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
        )
        if response.get("Errors"):
            raise Unavailable

    def delete_prefix(self, prefix: str) -> None:
        """Delete every object whose key begins with `prefix`. Raises Unavailable if any remains."""
        for page in self._pages(Prefix=prefix):
            keys = [one["Key"] for one in page.get("Contents", [])]
            if keys:
                self.delete(keys)

    def url(self, key: str) -> str:
        """Return a presigned GET URL, which stays the same for much of its lifetime."""
        return self._signer.url(key)

    def with_urls(self, fields: dict[str, Any], urls: Iterable[str] = URLS) -> dict[str, Any]:
        """Return the API's photo object: the shown fields of an item, and signed URLs."""
        for name in urls:
            fields[URLS[name]] = self.url(KEYS[name](fields))
        return fields

    def _original_headers(self, content_type: str, name: str | None) -> dict[str, str]:
        return _download_headers(content_type, name) | {"StorageClass": self._originals_class}


def _download_headers(content_type: str, name: str | None = None) -> dict[str, str]:
    """Return the headers that S3 stores with an object and sends with every download."""
    headers = {"ContentType": content_type, "CacheControl": _CACHE_CONTROL}
    if name:
        headers["ContentDisposition"] = content_disposition(name)
    return headers


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate S3's errors about a direct upload into the album's."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _MISSING:
            raise NotFound("Nothing has been uploaded for this photo yet.") from error
        if code == "PreconditionFailed":
            raise Conflict("The upload was replaced in the meantime. Complete it again.") from error
        raise
