"""The two ways to upload, both idempotent: in one request, or directly to S3 in two."""

import contextlib
import hashlib
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import UpdateError

from chalicelib import dates
from chalicelib.clients import condition_failed
from chalicelib.errors import (
    AlreadyWritten,
    Conflict,
    DuplicateImage,
    NotFound,
    NotSignedIn,
    TooLarge,
)
from chalicelib.images.decoding import DecodedImage, read_image
from chalicelib.images.sizes import Sizes
from chalicelib.photos.changes import NO_SUCH_PHOTO
from chalicelib.photos.duplicates import Stored, stored_photo
from chalicelib.photos.idempotency import KeyedUpload, once
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import (
    MAX_BYTES,
    METADATA,
    OnDuplicate,
    PhotoMetadata,
    PhotoState,
    is_id,
    new_id,
    readable_size,
)
from chalicelib.photos.reservations import PENDING_LIFE, usable_photo
from chalicelib.photos.service import PhotoService, new_photo, photo_keys
from chalicelib.photos.storage import PhotoStorage, in_parallel, upload_key
from chalicelib.photos.transactions import PhotoTransactions

_POST_SECONDS = 3600
_DUPLICATE_TRIES = 3
_OTHER_FILE = (
    "A different file was announced or already uploaded for this photo. Start a new upload."
)


class UploadService:
    """Uploads of one user; `user_id` is always the caller's verified `sub`."""

    def __init__(
        self,
        photos: PhotoService,
        storage: PhotoStorage,
        transactions: PhotoTransactions,
        sizes: Sizes,
    ) -> None:
        self._photos = photos
        self._storage = storage
        self._transactions = transactions
        self._sizes = sizes

    def upload(
        self,
        user_id: str,
        data: bytes,
        metadata: PhotoMetadata,
        key: str | None,
        on_duplicate: OnDuplicate = "keep",
    ) -> Stored:
        """Store an image and return its photo, or the one that its key has already created.

        To skip a duplicate is to return the photo that has the same bytes. Raises what
        `PhotoService.upload` does, Conflict for the key of a photo that has been deleted or is not
        completed yet, and IdempotencyMismatch for that of another upload.
        """
        skips = on_duplicate == "skip"
        sha256 = hashlib.sha256(data).hexdigest() if skips or key is not None else ""
        keyed = None
        if key is not None:
            keyed = KeyedUpload(key, len(data), metadata, sha256, on_duplicate=on_duplicate)

        def store(unique: bool = False) -> Stored:
            return Stored(self._photos.upload(user_id, data, metadata, keyed, unique=unique))

        def create() -> Stored:
            if not skips:
                return store()
            for _ in range(_DUPLICATE_TRIES):
                photo = stored_photo(user_id, sha256)
                if photo is not None:
                    return self._existing(photo, True)
                with contextlib.suppress(DuplicateImage):
                    return store(unique=True)
            # The photos that had the image are gone, and only the record of its hash is left.
            return store()

        return once(user_id, keyed, create, self._existing)

    def begin(
        self,
        user_id: str,
        filesize: int,
        metadata: PhotoMetadata,
        key: str | None,
        on_duplicate: OnDuplicate = "keep",
        sha256: str | None = None,
    ) -> dict[str, Any]:
        """Return the id of a future photo, and the form that sends its `filesize` bytes to S3.

        A used key returns the same id, and the photo if it is complete, and so does a duplicate
        that is to be skipped if its `sha256` is announced. Raises TooLarge, QuotaExceeded,
        TooManyUploads, and what a used key does in `upload`.
        """
        if filesize > MAX_BYTES:
            raise TooLarge(
                f"This file has {readable_size(filesize)}; the limit is {readable_size(MAX_BYTES)}."
            )

        keyed = None
        if key is not None:
            keyed = KeyedUpload(
                key, filesize, metadata, sha256, is_announcement=True, on_duplicate=on_duplicate
            )

        def reserve() -> dict[str, Any]:
            if on_duplicate == "skip" and sha256:
                photo = stored_photo(user_id, sha256)
                if photo is not None:
                    return self._form(photo, True)
            pending = _pending_photo(user_id, filesize, metadata)
            pending.sha256 = sha256
            pending.on_duplicate = None if on_duplicate == "keep" else on_duplicate
            self._transactions.reserve(pending, keyed)
            return self._form(pending)

        return once(user_id, keyed, reserve, self._form)

    def complete(self, user_id: str, photo_id: str) -> Stored:
        """Create the photo from what was uploaded, and return it; safe to repeat.

        Raises NotFound, UnsupportedImage, UndecodableImage, or Conflict if the bytes are not the
        ones that were announced.
        """
        photo = _open_upload(user_id, photo_id)
        if photo.state == PhotoState.PENDING:
            try:
                photo = self._record(photo)
            except (AlreadyWritten, Conflict, NotFound):
                # Another request may have completed it and deleted the upload.
                photo = _open_upload(user_id, photo_id)
                if photo.state == PhotoState.PENDING:
                    raise
        return Stored(self._photos.describe(photo), photo.id != photo_id)

    def _record(self, pending: Photo) -> Photo:
        """Check, copy and record an upload; nothing is listed before the last step.

        If it is a duplicate to be skipped, return the photo that has the same bytes.
        """
        source = upload_key(pending.user_id, pending.id)
        data, etag = self._storage.fetch(source, int(pending.filesize))
        skips = pending.on_duplicate == "skip"
        if skips or pending.sha256:
            digest = hashlib.sha256(data).hexdigest()
            if pending.sha256 not in (None, digest):
                raise Conflict(_OTHER_FILE)
            earlier = stored_photo(pending.user_id, digest) if skips else None
            if earlier is not None:
                return self._skip(pending, earlier, [source])
        image = read_image(data, self._sizes)
        photo = new_photo(
            pending.user_id,
            pending.id,
            datetime.fromisoformat(pending.upload_date),
            data,
            image,
            PhotoMetadata(**{name: getattr(pending, name) for name in METADATA}),
        )
        _claim(photo)
        self._store(photo, source, etag, image)
        try:
            self._complete(photo, unique=skips)
        except DuplicateImage:
            earlier = stored_photo(photo.user_id, photo.sha256)
            if earlier is not None:
                return self._skip(pending, earlier, [source, *photo_keys(photo)])
            self._complete(photo)
        # The bucket's lifecycle rule deletes what remains.
        with contextlib.suppress(Exception):
            self._storage.delete([source])
        return photo

    def _skip(self, pending: Photo, earlier: Photo, keys: list[str]) -> Photo:
        """End an upload whose image is that of an earlier photo, and return that one.

        Its objects are deleted last: until then, another request could complete the upload.
        """
        self._transactions.skip(pending, earlier.id)
        with contextlib.suppress(Exception):
            self._storage.delete(keys)
        return earlier

    def _store(self, photo: Photo, source: str, etag: str, image: DecodedImage) -> None:
        """Copy the upload to the original, and store the renditions."""
        original, preview, thumbnail = photo_keys(photo)
        storage, sha256 = self._storage, bytes.fromhex(photo.sha256)
        try:
            in_parallel(
                lambda: storage.copy(
                    source, etag, original, photo.content_type, sha256, photo.filename_orig
                ),
                lambda: storage.put_rendition(preview, image.preview),
                lambda: storage.put_rendition(thumbnail, image.thumbnail),
            )
        except (Conflict, NotFound):
            self._delete_unneeded(photo)
            raise

    def _complete(self, photo: Photo, unique: bool = False) -> None:
        """Write the item; if that fails without a decision, the objects stay for a retry."""
        try:
            self._transactions.complete(photo, unique=unique)
        except NotSignedIn:
            self._storage.delete(list(photo_keys(photo)))
            raise
        except AlreadyWritten:
            self._delete_unneeded(photo)
            raise

    def _delete_unneeded(self, photo: Photo) -> None:
        """Delete the objects of a photo that has been deleted.

        Otherwise, the request that was first, or the next one, needs the same objects.
        """
        usable = usable_photo(photo.user_id, photo.id)
        if usable is None or usable.id != photo.id:
            self._storage.delete(list(photo_keys(photo)))

    def _form(self, photo: Photo, is_duplicate: bool = False) -> dict[str, Any]:
        """Return the form that uploads a pending photo's bytes; a stored photo needs none."""
        if photo.state != PhotoState.PENDING:
            stored = {"photo_id": photo.id, "upload": None, "photo": self._photos.describe(photo)}
            return stored | ({"duplicate": True} if is_duplicate else {})
        now = dates.utc_now()
        seconds = min(_POST_SECONDS, max(1, int((photo.expires_at - now).total_seconds())))
        expires = now + timedelta(seconds=seconds)
        key = upload_key(photo.user_id, photo.id)
        form = self._storage.presigned_post(key, int(photo.filesize), seconds)
        return {
            "photo_id": photo.id,
            "upload": {
                "url": form["url"],
                "fields": form["fields"],
                "expires_date": expires.isoformat(timespec="seconds"),
            },
        }

    def _existing(self, photo: Photo, is_duplicate: bool) -> Stored:
        if photo.state == PhotoState.PENDING:
            raise Conflict(
                "This Idempotency-Key belongs to an upload that is not completed. Complete it, or "
                "use another key."
            )
        return Stored(self._photos.describe(photo), is_duplicate)


def _open_upload(user_id: str, photo_id: str) -> Photo:
    photo = usable_photo(user_id, photo_id) if is_id(photo_id) else None
    if photo is None:
        raise NotFound(NO_SUCH_PHOTO)
    return photo


def _pending_photo(user_id: str, filesize: int, metadata: PhotoMetadata) -> Photo:
    """Return the item that keeps the metadata until the image arrives."""
    photo_id, now = new_id(), dates.utc_now()
    return Photo(
        user_id,
        photo_id,
        state=PhotoState.PENDING,
        filename=photo_id,
        filesize=filesize,
        upload_date=now.isoformat(timespec="milliseconds"),
        expires_at=now + PENDING_LIFE,
        **{name: getattr(metadata, name) for name in METADATA},
    )


def _claim(photo: Photo) -> None:
    """Allow the pending item to be completed with these bytes only. Raises Conflict.

    The form can be sent more than once: without this, two simultaneous requests could each copy
    other bytes, and the item would describe one image and the object be the other.
    """
    is_same = Photo.sha256.does_not_exist() | (Photo.sha256 == photo.sha256)
    try:
        Photo(photo.user_id, photo.id).update(
            actions=[Photo.sha256.set(photo.sha256)],
            condition=(Photo.state == PhotoState.PENDING) & is_same,
        )
    except UpdateError as error:
        if condition_failed(error):
            raise Conflict(_OTHER_FILE) from None
        raise
