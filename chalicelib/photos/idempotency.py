"""Idempotency-Keys: an upload that is sent again gets the photo that it has already created."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from chalicelib.errors import AlreadyWritten, Conflict, IdempotencyMismatch, Unavailable
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoMetadata
from chalicelib.photos.reservations import usable_photo

T = TypeVar("T")


@dataclass(frozen=True)
class KeyedUpload:
    """An upload with a key: an image, or the announcement of one, and the client's metadata."""

    key: str
    filesize: int
    metadata: PhotoMetadata
    sha256: str | None = None  # of the image; an announcement need not have it
    is_announcement: bool = False
    on_duplicate: str = "keep"

    @property
    def digest(self) -> str:
        """Return a text that differs if the image, its announcement or the metadata differ."""
        given = msgspec.structs.asdict(self.metadata)
        defaults = msgspec.structs.asdict(PhotoMetadata())
        # Without defaults, it stays the same when a later version adds a field.
        given = {name: value for name, value in given.items() if value != defaults[name]}
        if self.on_duplicate != "keep":
            given["on_duplicate"] = self.on_duplicate
        content = msgspec.json.encode([self.filesize, self.sha256, given], order="sorted")
        return f"{self._route}:{hashlib.sha256(content).hexdigest()}"

    @property
    def _route(self) -> str:
        return "announcement" if self.is_announcement else "image"

    def require_same(self, used: UploadKey) -> None:
        """Raise IdempotencyMismatch if the key was used for another request of the same route."""
        # Keys of earlier versions do not have it.
        if used.request and self._route == _route(used) and used.request != self.digest:
            raise _mismatch()

    def require_same_file(self, used: UploadKey, photo: Photo) -> None:
        """Raise IdempotencyMismatch if the key was used on the other route, for another file."""
        if not used.request or self._route == _route(used):
            return
        other_bytes = self.sha256 and photo.sha256 and self.sha256 != photo.sha256
        if other_bytes or self.filesize != photo.filesize:
            raise _mismatch()


def once(
    user_id: str,
    upload: KeyedUpload | None,
    create: Callable[[], T],
    existing: Callable[[Photo, bool], T],
) -> T:
    """Return the result of `create`, or for a used key that of `existing` for its photo.

    `existing` also gets whether the photo is an earlier one with the same bytes. Raises
    IdempotencyMismatch if the key was used for another upload, and Conflict if its photo is gone.
    """
    if upload is None:
        return create()
    earlier = _earlier_photo(user_id, upload)
    if earlier is not None:
        return existing(*earlier)
    try:
        return create()
    except AlreadyWritten as error:
        earlier = _earlier_photo(user_id, upload)
        if earlier is None:  # The key has just expired.
            raise Unavailable from error
        return existing(*earlier)


def _earlier_photo(user_id: str, upload: KeyedUpload) -> tuple[Photo, bool] | None:
    """Return the photo that the same upload has created or found, None for a new key."""
    used = UploadKey.find(user_id, upload.key)
    if used is None:
        return None
    upload.require_same(used)
    photo = usable_photo(user_id, used.photo_id)
    if photo is None:
        raise Conflict(
            "The photo that this Idempotency-Key created has been deleted. To upload it again, use "
            "another key."
        )
    upload.require_same_file(used, photo)
    return photo, photo.id != used.photo_id


def _route(used: UploadKey) -> str:
    return str(used.request).partition(":")[0]


def _mismatch() -> IdempotencyMismatch:
    return IdempotencyMismatch(
        "This Idempotency-Key was used for another file or other metadata. Use another key."
    )
