"""Pending uploads, which reserve room in the quota until they are completed or expire.

DynamoDB deletes expired items late and without counting, so an account's counters may include
uploads that have expired. They are counted again only when a limit is reached.
"""

from datetime import datetime, timedelta

from pynamodb.exceptions import UpdateError

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.clients import condition_failed
from chalicelib.photos.models import KEY_LIFE, Photo, UploadKey, is_still
from chalicelib.photos.photo import KEY_PREFIX, PhotoState, first_id

# Not less than an Idempotency-Key is remembered, and not more than S3 keeps what was sent (see the
# lifecycle rule in infra/data.yaml).
PENDING_LIFE = KEY_LIFE
# A request that has found an upload unexpired may still complete it for half a minute.
_MARGIN = timedelta(minutes=5)
# Counting reads all items of a day, so a caller at the limit must not cause it with each request.
_RECOUNT_PAUSE = timedelta(minutes=10)


def has_expired(pending: Photo) -> bool:
    """Return whether a pending upload can no longer be completed."""
    return pending.expires_at is None or pending.expires_at <= dates.utc_now()


def usable_photo(user_id: str, photo_id: str) -> Photo | None:
    """Return a photo that is stored, or that can still be completed; else None.

    If the upload brought an image that its owner already had, it is the photo that has it.
    """
    photo = Photo.find(user_id, photo_id)
    if photo is None:
        skipped = UploadKey.find_duplicate(user_id, photo_id)
        photo = Photo.find(user_id, skipped.photo_id) if skipped else None
    if photo is None or photo.state == PhotoState.DELETING:
        return None
    return None if photo.state == PhotoState.PENDING and has_expired(photo) else photo


def release_expired(user: User) -> User:
    """Stop counting the uploads that have expired; return the user's item after that.

    Nothing is read if none can have expired since they were last counted.
    """
    now = dates.utc_now()
    if not user.pending_count or int(user.recount_at or 0) > now.timestamp():
        return user
    pending = _pending(user.sub, now)
    count, size = len(pending), sum(int(photo.filesize) for photo in pending)
    oldest = min((photo.expires_at for photo in pending), default=now + PENDING_LIFE)
    recount_at = max(oldest + _MARGIN, now + _RECOUNT_PAUSE)
    try:
        user.update(
            actions=[
                User.photo_count.add(count - int(user.pending_count)),
                User.storage_bytes.add(size - int(user.pending_bytes or 0)),
                User.pending_count.set(count),
                User.pending_bytes.set(size),
                User.recount_at.set(int(recount_at.timestamp()) + 1),
            ],
            # No upload has begun or been completed since the item was read.
            condition=(User.pending_count == user.pending_count)
            & is_still(User.uploads_begun, user.uploads_begun),
        )
    except UpdateError as error:
        if not condition_failed(error):
            raise
        return User.find(user.sub) or user
    return user


def _pending(user_id: str, now: datetime) -> list[Photo]:
    """Return the uploads that are pending and have not expired."""
    since = now - PENDING_LIFE - _MARGIN
    found = Photo.query(
        user_id,
        Photo.id.between(first_id(since), KEY_PREFIX),
        filter_condition=(Photo.state == PhotoState.PENDING) & (Photo.expires_at > now - _MARGIN),
        consistent_read=True,
        attributes_to_get=["filesize", "expires_at"],
    )
    return list(found)
