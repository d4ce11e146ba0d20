"""Photos: uploaded, shown, edited and deleted, each by its owner alone."""

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PutError, TransactWriteError

from chalicelib import dates
from chalicelib.clients import READ_SECONDS
from chalicelib.images.decoding import DecodedImage, read_image
from chalicelib.images.sizes import Sizes
from chalicelib.photos.changes import (
    deletable_photo,
    edited,
    existing_photo,
    marked_deleting,
    restored,
    trashed,
)
from chalicelib.photos.derived import Counter, Derived
from chalicelib.photos.idempotency import KeyedUpload
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import (
    KEY_PREFIX,
    SHOWN,
    PhotoMetadata,
    PhotoState,
    computed_fields,
    new_id,
    rounded,
)
from chalicelib.photos.storage import (
    PhotoStorage,
    in_parallel,
    original_key,
    preview_key,
    thumbnail_key,
    user_prefixes,
)
from chalicelib.photos.transactions import PhotoTransactions, was_cancelled

Mode = Literal["thumbnail", "preview", "original"]
_SOURCES = {"thumbnail": "thumbSrc", "preview": "previewSrc", "original": "originalSrc"}

_DELETE_BATCH = 100  # photos; S3 takes over a second for 1,000 objects
_MAX_COUNTED = 10_000
_DELETE_SECONDS = 20.0  # of the gateway's 29
_CAPACITY_PAUSE = 0.5  # seconds


class PhotoService:
    """One user's photos; `user_id` is always the caller's verified `sub`."""

    def __init__(
        self,
        storage: PhotoStorage,
        transactions: PhotoTransactions,
        sizes: Sizes,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage = storage
        self._transactions = transactions
        self._sizes = sizes
        self._sleep = sleep

    def upload(
        self,
        user_id: str,
        data: bytes,
        metadata: PhotoMetadata,
        keyed: KeyedUpload | None = None,
        *,
        unique: bool = False,
    ) -> dict[str, Any]:
        """Store an image and return the photo object.

        The item is written last: whatever fails before it, nothing is listed.
        Raises UnsupportedImage, UndecodableImage, QuotaExceeded, AlreadyWritten if the
        Idempotency-Key was used, or with `unique` DuplicateImage if the user already has the image.
        """
        self._transactions.require_room(user_id, len(data))
        image = read_image(data, self._sizes)
        photo = new_photo(user_id, new_id(), dates.utc_now(), data, image, metadata)
        self._store(photo, data, image, lambda: self._transactions.add(photo, keyed, unique=unique))
        return self.describe(photo)

    def get(self, user_id: str, photo_id: str) -> dict[str, Any]:
        """Return one photo object. Raises NotFound, also for another user's photo."""
        return self.describe(existing_photo(user_id, photo_id))

    def url(self, user_id: str, photo_id: str, mode: Mode) -> str:
        """Return a presigned URL of the photo's bytes. Raises NotFound."""
        return str(self.get(user_id, photo_id)[_SOURCES[mode]])

    def edit(self, user_id: str, photo_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change what its owner may change, None clearing a field, and return the photo object.

        Raises NotFound, InvalidInput if only half a position would remain, and Throttled if other
        requests change the same photo every time.
        """
        return self._change(user_id, photo_id, lambda photo: edited(photo, changes))

    def trash(self, user_id: str, photo_id: str) -> dict[str, Any]:
        """Remove a photo from every list but the trash; safe to repeat. Raises what `edit` does."""
        return self._change(user_id, photo_id, trashed)

    def restore(self, user_id: str, photo_id: str) -> dict[str, Any]:
        """Put a photo from the trash back to where it was; safe to repeat.

        Raises what `edit` does.
        """
        return self._change(user_id, photo_id, restored)

    def delete(self, user_id: str, photo_id: str) -> None:
        """Delete original, preview, thumbnail and item. Raises NotFound.

        The item is marked first, which removes it from every list, and deleted last: repeating an
        interrupted deletion finishes it.
        """
        photo = self._transactions.apply(
            lambda: deletable_photo(user_id, photo_id), marked_deleting
        )
        self._storage.delete(list(photo_keys(photo)))
        self._transactions.remove(photo)

    def rederive(self, user_id: str, photo_id: str, stored: Derived) -> None:
        """Repair the lists and the hash that follow from a photo. Raises AlreadyWritten."""
        self._transactions.rederive(user_id, photo_id, stored)

    def correct_counter(self, user_id: str, numbers: Mapping[Counter, int]) -> None:
        """Add numbers to counters of months and tags. Raises AlreadyWritten."""
        self._transactions.correct_counter(user_id, numbers)

    def delete_all(self, user_id: str, seconds: float = _DELETE_SECONDS) -> int:
        """Delete all that a user has stored; return how many photos remain when time is up.

        It counts only up to 10,000, since counting takes time as well.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            items = list(Photo.query(user_id, consistent_read=True, limit=_DELETE_BATCH))
            if not items:
                # Interrupted uploads leave objects that no item refers to.
                for prefix in user_prefixes(user_id):
                    self._storage.delete_prefix(prefix)
                return 0
            # Used Idempotency-Keys are among the photos, and have no objects.
            photos = [item for item in items if not item.id.startswith(KEY_PREFIX)]
            if photos:
                self._storage.delete([key for photo in photos for key in photo_keys(photo)])
            if not _delete_items(items):
                self._sleep(_CAPACITY_PAUSE)
        # Even without photos, orphaned objects may remain.
        remaining = Photo.count(
            user_id, Photo.id < KEY_PREFIX, consistent_read=True, limit=_MAX_COUNTED
        )
        return max(1, remaining)

    def describe(self, photo: Photo) -> dict[str, Any]:
        """Return an item as the API's photo object."""
        return self._storage.with_urls({name: getattr(photo, name) for name in SHOWN})

    def _change(
        self, user_id: str, photo_id: str, change: Callable[[Photo], Photo]
    ) -> dict[str, Any]:
        photo = self._transactions.apply(lambda: existing_photo(user_id, photo_id), change)
        return self.describe(photo)

    def _store(
        self, photo: Photo, data: bytes, image: DecodedImage, add: Callable[[], None]
    ) -> None:
        """Store the three objects of a photo and then its item with `add`, or nothing."""
        original, preview, thumbnail = photo_keys(photo)
        began = time.monotonic()
        try:
            storage, sha256 = self._storage, bytes.fromhex(photo.sha256)
            in_parallel(
                lambda: storage.put_original(
                    original, data, photo.content_type, sha256, photo.filename_orig
                ),
                lambda: storage.put_rendition(preview, image.preview),
                lambda: storage.put_rendition(thumbnail, image.thumbnail),
            )
            add()
        except Exception as error:
            # A transaction that was not cancelled may have written the item although its response
            # was lost: then the objects must stay. A failing cleanup changes nothing, but a caller
            # who has waited for S3 in vain must not wait again.
            timed_out = isinstance(error, BotoCoreError) and time.monotonic() - began > READ_SECONDS
            maybe_written = isinstance(error, TransactWriteError) and not was_cancelled(error)
            if not timed_out and not maybe_written:
                with contextlib.suppress(Exception):
                    self._storage.delete([original, preview, thumbnail])
            raise


def _delete_items(items: list[Photo]) -> bool:
    """Delete items; return False if DynamoDB, which accepts what it can, has left some."""
    try:
        with Photo.batch_write() as batch:
            for item in items:
                batch.delete(item)
    except PutError as error:
        if error.cause is None:  # PynamoDB has given up on the rest.
            return False
        raise
    return True


def photo_keys(photo: Photo) -> tuple[str, str, str]:
    """Return the keys of the photo's original, preview and thumbnail."""
    return (
        original_key(photo.user_id, photo.filename),
        preview_key(photo.user_id, photo.id),
        thumbnail_key(photo.user_id, photo.id),
    )


def new_photo(
    user_id: str,
    photo_id: str,
    uploaded: datetime,
    data: bytes,
    image: DecodedImage,
    metadata: PhotoMetadata,
) -> Photo:
    """Return the item of a photo: measured values, and its owner's metadata, else EXIF's."""
    exif = image.exif
    position = metadata.geotag_lat, metadata.geotag_lng
    if None in position:
        position = exif.latitude, exif.longitude
    latitude, longitude = (None if half is None else rounded(half) for half in position)
    photo = Photo(
        user_id,
        photo_id,
        state=PhotoState.READY,
        filename=f"{photo_id}.{image.extension}",
        filename_orig=metadata.filename_orig,
        filesize=len(data),
        content_type=image.content_type,
        sha256=hashlib.sha256(data).hexdigest(),
        preview_sha256=hashlib.sha256(image.preview).hexdigest(),
        thumbnail_sha256=hashlib.sha256(image.thumbnail).hexdigest(),
        thumbhash=image.thumbhash,
        width=image.width,
        height=image.height,
        tags=metadata.tags,
        desc=metadata.desc,
        make=metadata.make or exif.make,
        model=metadata.model or exif.model,
        city=metadata.city,
        nation=metadata.nation,
        address=metadata.address,
        geotag_lat=latitude,
        geotag_lng=longitude,
        taken_date=metadata.taken_date or (exif.taken.isoformat() if exif.taken else None),
        upload_date=uploaded.isoformat(timespec="milliseconds"),
    )
    for name, value in computed_fields(photo).items():
        setattr(photo, name, value)
    return photo
