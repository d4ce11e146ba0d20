"""The two ways to upload: in one request, or straight to S3 and then completed; each made once."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError

from chalicelib import dates, ids
from chalicelib.errors import Conflict, NotFound, NotSignedIn, Overtaken, Unavailable
from chalicelib.forms import PhotoMetadata, UploadRequest
from chalicelib.images import read_picture
from chalicelib.ledger import Ledger
from chalicelib.models import Photo, PhotoState, UploadKey, condition_failed
from chalicelib.photos import NO_SUCH_PHOTO, PhotoService, new_photo, photo_keys
from chalicelib.storage import PhotoStorage, upload_key

_POST_SECONDS = 3600
# As long as the bucket's lifecycle rule lets an upload lie that is never completed.
_PENDING_LIFE = timedelta(days=2)


class UploadService:
    """Makes one person's photos; `user_id` is always the verified `sub` of who is asking."""

    def __init__(
        self,
        photos: PhotoService,
        storage: PhotoStorage,
        ledger: Ledger,
        thumbnail_box: tuple[int, int],
    ) -> None:
        self._photos = photos
        self._storage = storage
        self._ledger = ledger
        self._thumbnail_box = thumbnail_box

    def upload(
        self, user_id: str, data: bytes, metadata: PhotoMetadata, key: str | None
    ) -> dict[str, Any]:
        """Store a picture and return the photo object, or the one its key has made already.

        Raises Conflict for the key of a photo that is gone or not completed yet.
        """
        return _once(
            user_id,
            key,
            lambda: self._photos.upload(user_id, data, metadata, key),
            self._made_before,
        )

    def begin(self, user_id: str, request: UploadRequest, key: str | None) -> dict[str, Any]:
        """Return the id of a photo to be, and the form that sends its bytes to S3.

        A key that was used answers with the same id, and with the photo if it is complete. Raises
        QuotaExceeded.
        """

        def make() -> dict[str, Any]:
            pending = _pending_photo(user_id, request)
            self._ledger.reserve(pending, key)
            return self._form(pending)

        return _once(user_id, key, make, self._form)

    def complete(self, user_id: str, photo_id: str) -> dict[str, Any]:
        """Make a photo of what was uploaded, and return the photo object; safe to repeat.

        Raises NotFound, UnsupportedImage, UndecodableImage, QuotaExceeded, or Conflict when the
        bytes are not the ones that were announced.
        """
        photo = _photo(user_id, photo_id)
        if photo.state == PhotoState.PENDING:
            try:
                return self._photos.describe(self._record(photo))
            except (Overtaken, Conflict, NotFound):
                # Another request may have completed it, and removed what was uploaded.
                photo = _photo(user_id, photo_id)
                if photo.state == PhotoState.PENDING:
                    raise
        return self._photos.describe(photo)

    def _record(self, pending: Photo) -> Photo:
        """Check, copy and record what was uploaded; until the last step, nothing is listed."""
        self._ledger.require_room(pending.user_id, int(pending.filesize))
        source = upload_key(pending.user_id, pending.id)
        data, etag = self._storage.fetch(source, int(pending.filesize))
        picture = read_picture(data, self._thumbnail_box)
        photo = new_photo(
            pending.user_id,
            pending.id,
            datetime.fromisoformat(pending.upload_date),
            data,
            picture,
            _metadata(pending),
        )
        _claim(photo)
        original, small = photo_keys(photo)
        sha256 = bytes.fromhex(photo.sha256)
        self._storage.copy(source, etag, original, photo.content_type, sha256, photo.filename_orig)
        thumbnail = picture.thumbnail
        self._storage.put(small, thumbnail, "image/jpeg", hashlib.sha256(thumbnail).digest())
        self._complete(photo)
        # The bucket's lifecycle rule removes what stays.
        with contextlib.suppress(Exception):
            self._storage.delete([source])
        return photo

    def _complete(self, photo: Photo) -> None:
        """Write the row; when the album is full by now, objects stay for another try."""
        try:
            self._ledger.complete(photo)
        except NotSignedIn:
            self._storage.delete(list(photo_keys(photo)))
            raise
        except Overtaken:
            # Whoever was first has the same objects, unless it has deleted the photo since.
            if _find(photo.user_id, photo.id) is None:
                self._storage.delete(list(photo_keys(photo)))
            raise

    def _form(self, photo: Photo) -> dict[str, Any]:
        """Return where the bytes of a pending photo go; a ready one needs none any more."""
        if photo.state == PhotoState.READY:
            made = self._photos.describe(photo)
            return {"photo_id": photo.id, "upload": None, "photo": made}
        expires = dates.utc_now() + timedelta(seconds=_POST_SECONDS)
        key = upload_key(photo.user_id, photo.id)
        form = self._storage.presigned_post(key, int(photo.filesize), _POST_SECONDS)
        return {
            "photo_id": photo.id,
            "upload": {
                "url": form["url"],
                "fields": form["fields"],
                "expires_date": expires.isoformat(timespec="seconds"),
            },
        }

    def _made_before(self, photo: Photo) -> dict[str, Any]:
        if photo.state == PhotoState.PENDING:
            raise Conflict(
                "This Idempotency-Key belongs to an upload that is not complete: complete it, "
                "or use another key."
            )
        return self._photos.describe(photo)


def _once(
    user_id: str,
    key: str | None,
    make: Callable[[], dict[str, Any]],
    again: Callable[[Photo], dict[str, Any]],
) -> dict[str, Any]:
    """Return what `make` makes, or for a key that was used what `again` says of its photo."""
    if key is None:
        return make()
    earlier = _photo_of_key(user_id, key)
    if earlier is not None:
        return again(earlier)
    try:
        return make()
    except Overtaken as error:
        earlier = _photo_of_key(user_id, key)
        if earlier is None:  # the key has expired in this very moment
            raise Unavailable from error
        return again(earlier)


def _photo_of_key(user_id: str, key: str) -> Photo | None:
    """Return the photo that a key has made, None for a new key. Raises Conflict if it is gone."""
    used = UploadKey.find(user_id, key)
    if used is None:
        return None
    photo = _find(user_id, used.photo_id)
    if photo is None:
        raise Conflict(
            "The photo that this Idempotency-Key made has been deleted since. To upload it again, "
            "use another key."
        )
    return photo


def _find(user_id: str, photo_id: str) -> Photo | None:
    """Return the row of a photo, pending or ready."""
    try:
        photo = Photo.get(user_id, photo_id, consistent_read=True)
    except DoesNotExist:
        return None
    return None if photo.state == PhotoState.DELETING else photo


def _photo(user_id: str, photo_id: str) -> Photo:
    photo = _find(user_id, photo_id) if ids.is_id(photo_id) else None
    if photo is None:
        raise NotFound(NO_SUCH_PHOTO)
    return photo


def _pending_photo(user_id: str, request: UploadRequest) -> Photo:
    """Return the row in which the metadata waits for the picture."""
    photo_id, asked = ids.new_id(), dates.utc_now()
    said = dataclasses.asdict(request.metadata)
    if request.metadata.taken_date:
        said["taken_date"] = request.metadata.taken_date.isoformat()
    return Photo(
        user_id,
        photo_id,
        state=PhotoState.PENDING,
        filename=photo_id,
        filesize=request.filesize,
        upload_date=asked.isoformat(timespec="milliseconds"),
        expires_at=asked + _PENDING_LIFE,
        **{name: value for name, value in said.items() if value is not None},
    )


def _metadata(pending: Photo) -> PhotoMetadata:
    """Return what the client said when it asked for the upload."""
    names = [field.name for field in dataclasses.fields(PhotoMetadata)]
    said = {name: getattr(pending, name) for name in names}
    if said["taken_date"] is not None:
        said["taken_date"] = datetime.fromisoformat(said["taken_date"])
    return PhotoMetadata(**said)


def _claim(photo: Photo) -> None:
    """Let the pending row be completed with these bytes only.

    The form can be sent more than once: without this, two requests at once could each copy other
    bytes, and the row tell of one and the object be the other. Raises Conflict.
    """
    is_same = Photo.sha256.does_not_exist() | (Photo.sha256 == photo.sha256)
    try:
        Photo(photo.user_id, photo.id).update(
            actions=[Photo.sha256.set(photo.sha256)],
            condition=(Photo.state == PhotoState.PENDING) & is_same,
        )
    except UpdateError as error:
        if condition_failed(error):
            raise Conflict(
                "Other bytes were sent for this photo before. Please ask for another upload."
            ) from None
        raise
