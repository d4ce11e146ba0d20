"""Photos: stored, listed, shown and deleted, each by its owner alone."""

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError, UpdateError

from chalicelib import dates, ids
from chalicelib.aws import READ_SECONDS
from chalicelib.errors import NotFound, Throttled
from chalicelib.forms import PhotoMetadata, require_whole_position
from chalicelib.images import Picture, read_picture
from chalicelib.ledger import Ledger, was_cancelled
from chalicelib.models import KEY_PREFIX, Photo, PhotoState, condition_failed
from chalicelib.rows import SHOWN
from chalicelib.storage import (
    PhotoStorage,
    original_key,
    side_by_side,
    thumbnail_key,
    user_prefixes,
)
from chalicelib.text import folded, split_tags

Mode = Literal["thumbnail", "original"]

_EDIT_TRIES = 5
_DELETED_AT_ONCE = 500  # S3 removes 1,000 objects a call, and a photo has two
_MOST_COUNTED = 10_000
_DELETE_SECONDS = 20.0  # of the gateway's 29
_CAPACITY_PAUSE = 0.5  # seconds
NO_SUCH_PHOTO = "There is no such photo."


class PhotoService:
    """One person's photos; `user_id` is always the verified `sub` of who is asking."""

    def __init__(
        self,
        storage: PhotoStorage,
        ledger: Ledger,
        thumbnail_box: tuple[int, int],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._thumbnail_box = thumbnail_box
        self._sleep = sleep

    def upload(
        self, user_id: str, data: bytes, metadata: PhotoMetadata, key: str | None = None
    ) -> dict[str, Any]:
        """Store a picture and return the photo object.

        Raises UnsupportedImage, UndecodableImage, QuotaExceeded, or Overtaken when the
        Idempotency-Key was used.
        The row is written last: whatever breaks before it, nothing is listed.
        """
        self._ledger.require_room(user_id, len(data))
        picture = read_picture(data, self._thumbnail_box)
        photo = new_photo(user_id, ids.new_id(), dates.utc_now(), data, picture, metadata)
        self._store(photo, data, picture.thumbnail, key)
        return self.describe(photo)

    def get(self, user_id: str, photo_id: str) -> dict[str, Any]:
        """Return one photo object. Raises NotFound, also for somebody else's."""
        return self.describe(_ready_photo(user_id, photo_id))

    def url(self, user_id: str, photo_id: str, mode: Mode) -> str:
        """Return a presigned URL of the photo's bytes. Raises NotFound."""
        original, thumbnail = photo_keys(_ready_photo(user_id, photo_id))
        return self._storage.url(original if mode == "original" else thumbnail)

    def edit(self, user_id: str, photo_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change metadata, None clearing it, and return the photo object.

        Raises NotFound, InvalidInput when only half a position would be left, and Throttled when
        others change the same photo every time.
        """
        for _ in range(_EDIT_TRIES):
            photo = _ready_photo(user_id, photo_id)
            try:
                _change(photo, changes)
                return self.describe(photo)
            except UpdateError as error:
                if not condition_failed(error):
                    raise
        raise Throttled

    def delete(self, user_id: str, photo_id: str) -> None:
        """Remove original, thumbnail and row. Raises NotFound.

        The row is marked first, which takes it out of every list, and goes last: repeating a
        deletion that broke in between finishes it.
        """
        photo = _mark_deleting(user_id, photo_id)
        self._storage.delete(list(photo_keys(photo)))
        self._ledger.remove(photo)

    def delete_all(self, user_id: str, seconds: float = _DELETE_SECONDS) -> int:
        """Remove everything a user has stored; return how many photos are left when time is up.

        It counts no further than 10,000, as counting takes time as well.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            items = list(Photo.query(user_id, consistent_read=True, limit=_DELETED_AT_ONCE))
            if not items:
                # What no row names is left of uploads that broke.
                for prefix in user_prefixes(user_id):
                    self._storage.delete_below(prefix)
                return 0
            # Used Idempotency-Keys lie among the photos, and have no objects.
            photos = [item for item in items if not item.id.startswith(KEY_PREFIX)]
            if photos:
                self._storage.delete([key for photo in photos for key in photo_keys(photo)])
            if not _remove_rows(items):
                self._sleep(_CAPACITY_PAUSE)
        # Even without photos, what no row names is still to be looked for.
        left = Photo.count(
            user_id, Photo.id < KEY_PREFIX, consistent_read=True, limit=_MOST_COUNTED
        )
        return max(1, left)

    def _store(self, photo: Photo, data: bytes, thumbnail: bytes, key: str | None) -> None:
        """Store both objects of a photo and then its row, or nothing."""
        original, small = photo_keys(photo)
        began = time.monotonic()
        try:
            put, sha256 = self._storage.put, bytes.fromhex(photo.sha256)
            side_by_side(
                lambda: put(original, data, photo.content_type, sha256, photo.filename_orig),
                lambda: put(small, thumbnail, "image/jpeg", hashlib.sha256(thumbnail).digest()),
            )
            self._ledger.add(photo, key)
        except Exception as error:
            # A transaction that was not cancelled may have written the row, though no answer came:
            # then the objects must stay. That removing them may fail too changes nothing, but who
            # has waited in vain for S3 already is not to wait once more.
            is_silent = isinstance(error, BotoCoreError) and time.monotonic() - began > READ_SECONDS
            may_be_written = isinstance(error, TransactWriteError) and not was_cancelled(error)
            if not is_silent and not may_be_written:
                with contextlib.suppress(Exception):
                    self._storage.delete([original, small])
            raise

    def describe(self, photo: Photo) -> dict[str, Any]:
        """Return a row as the photo object of the API."""
        return self._storage.with_urls({name: getattr(photo, name) for name in SHOWN})


def _remove_rows(items: list[Photo]) -> bool:
    """Remove rows; return False if DynamoDB, which takes as many as it can, has left some."""
    try:
        with Photo.batch_write() as batch:
            for item in items:
                batch.delete(item)
    except PutError as error:
        if error.cause is None:  # PynamoDB has given up what was left
            return False
        raise
    return True


def photo_keys(photo: Photo) -> tuple[str, str]:
    """Return where the photo's original and thumbnail are."""
    return original_key(photo.user_id, photo.filename), thumbnail_key(photo.user_id, photo.id)


def new_photo(
    user_id: str,
    photo_id: str,
    uploaded: datetime,
    data: bytes,
    picture: Picture,
    metadata: PhotoMetadata,
) -> Photo:
    """Return the row of a photo: as measured, as its owner says, and where silent as EXIF says."""
    exif = picture.exif
    taken = metadata.taken_date or exif.taken
    has_position = metadata.geotag_lat is not None
    photo = Photo(
        user_id,
        photo_id,
        state=PhotoState.READY,
        taken_key=dates.local_sort_key(taken or uploaded, photo_id),
        filename=f"{photo_id}.{picture.extension}",
        filename_orig=metadata.filename_orig,
        filesize=len(data),
        content_type=picture.content_type,
        sha256=hashlib.sha256(data).hexdigest(),
        thumbnail_sha256=hashlib.sha256(picture.thumbnail).hexdigest(),
        width=picture.width,
        height=picture.height,
        tags=metadata.tags or "",
        tag_keys=[folded(tag) for tag in split_tags(metadata.tags or "")],
        desc=metadata.desc or "",
        make=metadata.make or exif.make,
        model=metadata.model or exif.model,
        city=metadata.city,
        nation=metadata.nation,
        address=metadata.address,
        geotag_lat=metadata.geotag_lat if has_position else exif.latitude,
        geotag_lng=metadata.geotag_lng if has_position else exif.longitude,
        taken_date=taken.isoformat() if taken else None,
        upload_date=uploaded.isoformat(timespec="milliseconds"),
    )
    photo.search_text = _search_text(photo)
    return photo


def _change(photo: Photo, changes: Mapping[str, Any]) -> None:
    """Write changes, and all that follows from them, if nobody has changed the row meanwhile."""
    unchanged = (
        (Photo.state == PhotoState.READY)
        & (Photo.search_text == photo.search_text)
        & (Photo.taken_key == photo.taken_key)
    )
    texts = {name: changes[name] or "" for name in ("tags", "desc") if name in changes}
    values = {**changes, **texts}
    if values.get("taken_date"):
        values["taken_date"] = values["taken_date"].isoformat()
    for name, value in values.items():
        setattr(photo, name, value)
    require_whole_position(photo.geotag_lat, photo.geotag_lng)
    moment = datetime.fromisoformat(photo.taken_date or photo.upload_date)
    values |= {
        "taken_key": dates.local_sort_key(moment, photo.id),
        "tag_keys": [folded(tag) for tag in split_tags(photo.tags)],
        "search_text": _search_text(photo),
    }
    actions = [
        getattr(Photo, name).remove() if value is None else getattr(Photo, name).set(value)
        for name, value in values.items()
    ]
    photo.update(actions=actions, condition=unchanged)


def _search_text(photo: Photo) -> str:
    """Return what a search looks through: tags, description, place and file name."""
    texts = (photo.tags, photo.desc, photo.city, photo.nation, photo.address, photo.filename_orig)
    return folded("\n".join(text for text in texts if text))


def _ready_photo(user_id: str, photo_id: str) -> Photo:
    if not ids.is_id(photo_id):
        raise NotFound(NO_SUCH_PHOTO)
    try:
        photo = Photo.get(user_id, photo_id, consistent_read=True)
    except DoesNotExist:
        raise NotFound(NO_SUCH_PHOTO) from None
    if photo.state != PhotoState.READY:
        raise NotFound(NO_SUCH_PHOTO)
    return photo


def _mark_deleting(user_id: str, photo_id: str) -> Photo:
    if not ids.is_id(photo_id):
        raise NotFound(NO_SUCH_PHOTO)
    photo = Photo(user_id, photo_id)
    try:
        photo.update(
            actions=[Photo.state.set(PhotoState.DELETING), Photo.taken_key.remove()],
            condition=Photo.id.exists() & (Photo.state != PhotoState.PENDING),
        )
    except UpdateError as error:
        if condition_failed(error):
            raise NotFound(NO_SUCH_PHOTO) from None
        raise
    return photo
