"""A photo's item and what follows from it, always written in one transaction, within the quota."""

import contextlib
import time
from collections.abc import Callable, Mapping

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.clients import condition_failed
from chalicelib.errors import (
    AlreadyWritten,
    NotSignedIn,
    QuotaExceeded,
    Throttled,
    TooManyUploads,
)
from chalicelib.photos.derived import (
    Counter,
    Derived,
    Difference,
    between,
    derived,
    difference,
)
from chalicelib.photos.idempotency import KeyedUpload
from chalicelib.photos.models import Photo, UploadKey, is_still
from chalicelib.photos.photo import INTERDEPENDENT, PhotoState
from chalicelib.photos.quota import UNLIMITED, Quota, may_begin_upload, require_upload_allowed
from chalicelib.photos.reservations import release_expired
from chalicelib.photos.writes import (
    JOINED_HASH,
    KEY,
    LEFT_HASH,
    OWNER,
    PHOTO,
    Writer,
    Writes,
    account_is_active,
)

_CHANGE_TRIES = 5


class PhotoTransactions:
    """Adds, changes and removes photos; counters, lists and hashes always agree with them."""

    def __init__(
        self,
        connection: Connection,
        quota: Quota = UNLIMITED,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._writer = Writer(connection, sleep)
        self._quota = quota

    def require_room(self, user_id: str, size: int) -> None:
        """Raise QuotaExceeded if a photo of `size` bytes does not fit, before work is done for it.

        The transaction decides whether it still fits when it is written.
        """
        if self._quota:
            user = User.find(user_id) or User(user_id)
            self._require(user, lambda user: self._quota.require_room(user, size))

    def add(self, photo: Photo, keyed: KeyedUpload | None = None, *, unique: bool = False) -> None:
        """Write the item of a new photo, and what follows from it.

        Raises NotSignedIn if the account has been deleted, QuotaExceeded if it is full, Conflict at
        a limit of the album, Throttled if others are faster every time, AlreadyWritten if the
        Idempotency-Key was used, and with `unique` DuplicateImage if another photo has the same
        bytes. Then nothing is written.
        """
        size = int(photo.filesize)

        def require_room(user: User) -> None:
            self._quota.require_room(user, size)

        self._writer.write(
            photo,
            difference(None, photo),
            lambda writes: _put_new(writes, photo, keyed),
            lambda failed: self._retry_on_conflict(photo, failed, require_room),
            room=self._quota.has_room_for(size),
            unique=unique,
        )

    def reserve(self, photo: Photo, keyed: KeyedUpload | None = None) -> None:
        """Write the item of a photo that is still to be uploaded, and count it as pending.

        Raises what `add` does, and TooManyUploads.
        """
        size = int(photo.filesize)

        def require_room(user: User) -> None:
            self._quota.require_room(user, size)
            require_upload_allowed(user)

        self._writer.write(
            photo,
            difference(None, photo),
            lambda writes: _put_new(writes, photo, keyed),
            lambda failed: self._retry_on_conflict(photo, failed, require_room),
            room=self._quota.has_room_for(size) & may_begin_upload(),
            more=[User.uploads_begun.add(1)],
        )

    def complete(self, photo: Photo, *, unique: bool = False) -> None:
        """Write the item of a photo that was pending; its room in the quota is already reserved.

        Raises what `add` does except QuotaExceeded; AlreadyWritten if the photo is no longer
        pending, or has expired.
        """
        pending = Photo(photo.user_id, photo.id, state=PhotoState.PENDING, filesize=photo.filesize)
        self._writer.write(
            photo,
            difference(pending, photo),
            lambda writes: writes.put(PHOTO, photo, _is_pending()),
            lambda failed: self._retry_on_conflict(photo, failed),
            unique=unique,
        )

    def skip(self, pending: Photo, photo_id: str) -> None:
        """Remove the item of a pending upload, and record which photo already has its bytes.

        Raises what `complete` does.
        """

        def write(writes: Writes) -> None:
            writes.delete(PHOTO, pending, _is_pending())
            writes.put(KEY, UploadKey.of_duplicate(pending, photo_id))

        self._writer.write(
            pending,
            difference(pending, None),
            write,
            lambda failed: self._retry_on_conflict(pending, failed),
        )

    def change(self, old: Photo, new: Photo) -> None:
        """Write what differs between two versions of a photo's item, and what follows from it.

        Raises AlreadyWritten if what the change depends on is no longer as it was read, NotSignedIn
        if the account has been deleted, Conflict at a limit of the album, and Throttled.
        """
        actions = _actions(old, new)
        if not actions:
            return
        is_as_read, changes = _is_as_read(old), difference(old, new)
        if changes:
            self._writer.write(
                new,
                changes,
                lambda writes: writes.update(
                    PHOTO, Photo(old.user_id, old.id), actions, is_as_read
                ),
                lambda failed: self._retry_on_conflict(new, failed),
            )
            return
        try:
            new.update(actions=actions, condition=is_as_read)
        except UpdateError as error:
            if condition_failed(error):
                raise AlreadyWritten from error
            raise

    def apply(self, find: Callable[[], Photo], change: Callable[[Photo], Photo]) -> Photo:
        """Write what `change` makes of the photo that `find` returns; return its new version.

        Raises what these two do, and Throttled if other requests change the same photo every time.
        """
        for _ in range(_CHANGE_TRIES):
            old = find()
            new = change(old)
            with contextlib.suppress(AlreadyWritten):
                self.change(old, new)
                return new
        raise Throttled

    def remove(self, photo: Photo) -> None:
        """Remove the item of a photo that is being deleted, and discount it; safe to repeat."""

        def on_conflict(failed: set[str]) -> bool:
            # Either another request has removed and discounted it, or the account is being
            # deleted together with its counters.
            if PHOTO not in failed:
                photo.delete()
            return True

        is_deleting = Photo.state == PhotoState.DELETING
        self._writer.write(
            photo,
            difference(photo, None),
            lambda writes: writes.delete(PHOTO, photo, is_deleting),
            on_conflict,
        )

    def rederive(self, user_id: str, photo_id: str, stored: Derived) -> None:
        """Write the lists and the hash that follow from a photo, instead of those that are stored.

        It changes no counters. Raises AlreadyWritten if the photo has just changed.
        """
        photo, key = Photo.find(user_id, photo_id), (user_id, photo_id)
        wanted = derived(photo)
        changes = between(
            Derived(members=stored.members, hashes=stored.hashes),
            Derived(members=wanted.members, hashes=wanted.hashes),
        )
        is_as_read = Photo.id.does_not_exist() if photo is None else _is_as_read(photo)
        if changes:
            self._writer.write(
                photo or Photo(user_id, photo_id),
                changes,
                lambda writes: writes.require(PHOTO, Photo, key, is_as_read),
                lambda failed: self._retry_on_conflict(Photo(user_id, photo_id), failed),
            )

    def correct_counter(self, user_id: str, numbers: Mapping[Counter, int]) -> None:
        """Add numbers to counters of months and tags, at most 100 of one item.

        Raises AlreadyWritten if the account is being deleted.
        """

        def on_conflict(failed: set[str]) -> bool:
            raise AlreadyWritten

        self._writer.write(
            Photo(user_id, ""),
            Difference(counters=numbers),
            lambda writes: writes.require(OWNER, User, (user_id, None), account_is_active()),
            on_conflict,
        )

    def _retry_on_conflict(
        self,
        photo: Photo,
        failed: set[str],
        require_room: Callable[[User], None] = lambda user: None,
    ) -> bool:
        """Prepare a retry if only the owner's item is the reason.

        Raises NotSignedIn for a deleted account, what `require_room` does for a full one, and
        AlreadyWritten for any other reason: a repeated request gets the existing photo even from a
        full album.
        """
        if failed - {OWNER, JOINED_HASH, LEFT_HASH}:
            raise AlreadyWritten
        user = User.find(photo.user_id)
        if user is None:  # an account from the Cognito console
            User.create(photo.user_id)
            return False
        if user.deleting_at is not None:
            raise NotSignedIn("This account was deleted.")
        self._require(user, require_room)
        return False

    def _require(self, user: User, require_room: Callable[[User], None]) -> None:
        """Raise what `require_room` does, if releasing expired uploads makes no room either."""
        try:
            require_room(user)
        except (QuotaExceeded, TooManyUploads):
            require_room(release_expired(user))


def was_cancelled(error: TransactWriteError) -> bool:
    """Return whether DynamoDB cancelled a transaction, so that none of it was written."""
    return bool(error.cancellation_reasons)


def _put_new(writes: Writes, photo: Photo, keyed: KeyedUpload | None) -> None:
    writes.put(PHOTO, photo)
    if keyed is not None:
        used = UploadKey.of(photo, keyed.key, keyed.digest)
        writes.put(KEY, used, UploadKey.is_unused())


def _is_pending() -> Condition:
    """Return the condition that an upload can still be completed."""
    pending: Condition = (Photo.state == PhotoState.PENDING) & (Photo.expires_at > dates.utc_now())
    return pending


def _is_as_read(photo: Photo) -> Condition:
    """Return the condition that what a change of a photo depends on has not changed."""
    unchanged = Photo.id.exists()
    for name in INTERDEPENDENT:
        unchanged &= is_still(getattr(Photo, name), getattr(photo, name))
    return unchanged


def _actions(old: Photo, new: Photo) -> list[Action]:
    """Return what changes one version of an item into another."""
    names = [name for name in Photo.get_attributes() if getattr(old, name) != getattr(new, name)]
    changed = [(getattr(Photo, name), getattr(new, name)) for name in names]
    return [one.remove() if value is None else one.set(value) for one, value in changed]
