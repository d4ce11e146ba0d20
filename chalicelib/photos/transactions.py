"""A photo's item and its owner's counters, always written in one transaction, within the quota."""

import random
import time
from collections.abc import Callable
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import (
    AlreadyWritten,
    NotSignedIn,
    QuotaExceeded,
    Throttled,
    TooManyUploads,
)
from chalicelib.photos.idempotency import KeyedUpload
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoState
from chalicelib.photos.quota import UNLIMITED, Quota, may_begin_upload, require_upload_allowed
from chalicelib.photos.reservations import release_expired

_TRIES = 12
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.8
# Reasons why DynamoDB cancels a transaction that would succeed a moment later.
_TRANSIENT = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_CONDITION_FAILED = "ConditionalCheckFailed"

# The position of an item among the reasons of a cancelled transaction: PynamoDB sends deletions
# first, then puts and updates.
_DELETED = 0
_OWNER = -1


class PhotoTransactions:
    """Adds and removes photos and pending uploads so that their owner's counters are always exact.

    DynamoDB cancels transactions that meet on one user's item; these are retried after a pause
    with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    def __init__(
        self,
        connection: Connection,
        quota: Quota = UNLIMITED,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._quota = quota
        self._sleep = sleep

    def require_room(self, user_id: str, size: int) -> None:
        """Raise QuotaExceeded if a photo of `size` bytes does not fit, before work is done for it.

        The transaction decides whether it still fits when it is written.
        """
        if self._quota:
            user = User.find(user_id) or User(user_id)
            self._require(user, lambda user: self._quota.require_room(user, size))

    def add(self, photo: Photo, keyed: KeyedUpload | None = None) -> None:
        """Write the item of a new photo and count it.

        Raises NotSignedIn if the account has been deleted, QuotaExceeded if it is full, Throttled
        if others are faster every time, AlreadyWritten if the Idempotency-Key was used. Then
        nothing is written.
        """
        size = int(photo.filesize)
        room = self._quota.has_room_for(size)

        def require_room(user: User) -> None:
            self._quota.require_room(user, size)

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo)
            _record_key(transaction, photo, keyed)
            _update_owner(transaction, photo, _counted(photo, 1), room)

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons, require_room))

    def reserve(self, photo: Photo, keyed: KeyedUpload | None = None) -> None:
        """Write the item of a photo that is still to be uploaded, and count it as pending.

        Raises what `add` does, and TooManyUploads.
        """
        size = int(photo.filesize)
        room = self._quota.has_room_for(size) & may_begin_upload()
        actions = [*_counted(photo, 1), *_pending(photo, 1), User.uploads_begun.add(1)]

        def require_room(user: User) -> None:
            self._quota.require_room(user, size)
            require_upload_allowed(user)

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo)
            _record_key(transaction, photo, keyed)
            _update_owner(transaction, photo, actions, room)

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons, require_room))

    def complete(self, photo: Photo) -> None:
        """Write the item of a photo that was pending; its room in the quota is already reserved.

        Raises what `add` does except QuotaExceeded; AlreadyWritten if the photo is no longer
        pending, or has expired.
        """
        is_pending = (Photo.state == PhotoState.PENDING) & (Photo.expires_at > dates.utc_now())

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo, condition=is_pending)
            _update_owner(transaction, photo, _pending(photo, -1))

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons))

    def remove(self, photo: Photo) -> None:
        """Remove the item of a photo that is being deleted, and discount it; safe to repeat."""

        def write(transaction: TransactWrite) -> None:
            transaction.delete(photo, condition=Photo.state == PhotoState.DELETING)
            _update_owner(transaction, photo, _counted(photo, -1))

        def on_conflict(reasons: list[Any]) -> bool:
            # Either another request has removed and discounted it, or the account is being
            # deleted together with its counters.
            if reasons[_DELETED] != _CONDITION_FAILED:
                photo.delete()
            return True

        self._write(write, on_conflict)

    def _write(
        self, write: Callable[[TransactWrite], None], on_conflict: Callable[[list[Any]], bool]
    ) -> None:
        """Write, and retry while DynamoDB cancels the transaction for a transient reason.

        When a condition failed, `on_conflict` gets the reasons: it raises, or returns whether
        nothing is left to write.
        """
        for attempt in range(_TRIES):
            try:
                with TransactWrite(connection=self._connection) as transaction:
                    write(transaction)
                return
            except TransactWriteError as error:
                reasons = _reasons(error)
                if _TRANSIENT.intersection(reasons):
                    self._pause(attempt)
                elif _CONDITION_FAILED not in reasons:
                    raise
                elif on_conflict(reasons):
                    return
        raise Throttled

    def _retry_on_conflict(
        self,
        photo: Photo,
        reasons: list[Any],
        require_room: Callable[[User], None] = lambda user: None,
    ) -> bool:
        """Prepare a retry if only the owner's item is the reason.

        Raises NotSignedIn for a deleted account, what `require_room` does for a full one, and
        AlreadyWritten for any other reason: a repeated request gets the existing photo even from a
        full album.
        """
        if reasons.count(_CONDITION_FAILED) > 1 or reasons[_OWNER] != _CONDITION_FAILED:
            raise AlreadyWritten from None
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

    def _pause(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311 (not a secret)


def was_cancelled(error: TransactWriteError) -> bool:
    """Return whether DynamoDB cancelled a transaction, so that none of it was written."""
    return bool(error.cancellation_reasons)


def _record_key(transaction: TransactWrite, photo: Photo, keyed: KeyedUpload | None) -> None:
    if keyed is not None:
        used = UploadKey.of(photo, keyed.key, keyed.digest)
        transaction.save(used, condition=UploadKey.is_unused())


def _account_is_active() -> Condition:
    """Return the condition that an account exists and is not being deleted."""
    active: Condition = User.sub.exists() & User.deleting_at.does_not_exist()
    return active


def _counted(photo: Photo, sign: int) -> list[Action]:
    return [User.photo_count.add(sign), User.storage_bytes.add(sign * photo.filesize)]


def _pending(photo: Photo, sign: int) -> list[Action]:
    return [User.pending_count.add(sign), User.pending_bytes.add(sign * photo.filesize)]


def _update_owner(
    transaction: TransactWrite,
    photo: Photo,
    actions: list[Action],
    room: Condition | None = None,
) -> None:
    transaction.update(
        User(photo.user_id),
        actions=actions,
        # ADD creates a missing item, and would so restore a deleted account.
        condition=room & _account_is_active(),
    )


def _reasons(error: TransactWriteError) -> list[Any]:
    """Return why each item of the transaction was cancelled, None where it was not the reason."""
    return [reason.code if reason else None for reason in error.cancellation_reasons]
