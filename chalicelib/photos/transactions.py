"""A photo's item and its owner's counters, always written in one transaction, within the quota."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import NumberAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.accounts.models import User
from chalicelib.errors import AlreadyWritten, NotSignedIn, QuotaExceeded, Throttled
from chalicelib.photos.models import Photo, UploadKey
from chalicelib.photos.photo import PhotoState, readable_size

_TRIES = 12
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.8
# Reasons why DynamoDB cancels a transaction that would succeed a moment later.
_TRANSIENT = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_CONDITION_FAILED = "ConditionalCheckFailed"

# The position of an item among the reasons of a cancelled transaction: PynamoDB sends condition
# checks first, then deletions, puts and updates.
_CHECKED = 0
_DELETED = 0
_UPDATED = -1


@dataclass(frozen=True)
class Quota:
    """The most photos, and bytes of originals, of one account; 0 means no limit."""

    photos: int = 0
    storage_bytes: int = 0

    def __bool__(self) -> bool:
        """Return whether there is any limit."""
        return bool(self.photos or self.storage_bytes)

    def has_room_for(self, size: int) -> Condition | None:
        """Return the condition of a User item that a photo of `size` bytes fits, None for any."""
        condition: Condition | None = None
        if self.photos:
            condition = _absent_or_at_most(User.photo_count, self.photos - 1)
        if self.storage_bytes:
            fits = _absent_or_at_most(User.storage_bytes, self.storage_bytes - size)
            condition = fits if condition is None else condition & fits
        return condition

    def require_room(self, user: User, size: int) -> None:
        """Raise QuotaExceeded, with the limits, unless a photo of `size` bytes fits."""
        photos, stored = int(user.photo_count or 0), int(user.storage_bytes or 0)
        if self.photos and photos >= self.photos:
            raise QuotaExceeded(
                f"This album is full ({photos:,} of {self.photos:,} photos). "
                "Delete photos to make room."
            )
        free = max(0, self.storage_bytes - stored)
        if self.storage_bytes and size > free:
            raise QuotaExceeded(
                f"Not enough space: this photo has {readable_size(size)}, and "
                f"{readable_size(free)} of {readable_size(self.storage_bytes)} are free. "
                "Delete photos to make room."
            )


class PhotoTransactions:
    """Adds and removes photos so that `photo_count` and `storage_bytes` are always exact.

    DynamoDB cancels transactions that meet on one user's item; these are retried after a pause
    with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    def __init__(
        self,
        connection: Connection,
        quota: Quota = Quota(),
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
            self._quota.require_room(User.find(user_id) or User(user_id), size)

    def add(self, photo: Photo, key: str | None = None) -> None:
        """Write the item of a new photo and count it.

        Raises NotSignedIn if the account has been deleted, QuotaExceeded if it is full, Throttled
        if others are faster every time, AlreadyWritten if the Idempotency-Key was used. Then
        nothing is written.
        """
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo)
            _record_key(transaction, photo, key)
            _count(transaction, photo, 1, room)

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons, _UPDATED))

    def reserve(self, photo: Photo, key: str | None = None) -> None:
        """Write the item of a photo that is still to be uploaded, without counting it yet.

        Raises what `add` does.
        """
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            condition = room & _account_is_active()
            transaction.condition_check(User, photo.user_id, condition=condition)
            transaction.save(photo)
            _record_key(transaction, photo, key)

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons, _CHECKED))

    def complete(self, photo: Photo) -> None:
        """Write the item of a photo that was pending, and count it.

        Raises what `add` does; AlreadyWritten if the photo is no longer pending.
        """
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo, condition=Photo.state == PhotoState.PENDING)
            _count(transaction, photo, 1, room)

        self._write(write, lambda reasons: self._retry_on_conflict(photo, reasons, _UPDATED))

    def remove(self, photo: Photo) -> None:
        """Remove the item of a photo that is being deleted, and discount it; safe to repeat."""

        def write(transaction: TransactWrite) -> None:
            transaction.delete(photo, condition=Photo.state == PhotoState.DELETING)
            _count(transaction, photo, -1)

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

    def _retry_on_conflict(self, photo: Photo, reasons: list[Any], owner: int) -> bool:
        """Prepare a retry if only the owner's item, at position `owner`, is the reason.

        Raises NotSignedIn for a deleted account, QuotaExceeded for a full one, and AlreadyWritten
        for any other reason: a repeated request gets the existing photo even from a full album.
        """
        if reasons.count(_CONDITION_FAILED) > 1 or reasons[owner] != _CONDITION_FAILED:
            raise AlreadyWritten from None
        user = User.find(photo.user_id)
        if user is None:  # an account from the Cognito console
            User.create(photo.user_id)
            return False
        if user.deleting_at is not None:
            raise NotSignedIn("This account was deleted.")
        self._quota.require_room(user, int(photo.filesize))
        return False

    def _pause(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311 (not a secret)


def was_cancelled(error: TransactWriteError) -> bool:
    """Return whether DynamoDB cancelled a transaction, so that none of it was written."""
    return bool(error.cancellation_reasons)


def _record_key(transaction: TransactWrite, photo: Photo, key: str | None) -> None:
    if key is not None:
        transaction.save(UploadKey.of(photo, key), condition=UploadKey.is_unused())


def _account_is_active() -> Condition:
    """Return the condition that an account exists and is not being deleted."""
    active: Condition = User.sub.exists() & User.deleting_at.does_not_exist()
    return active


def _count(
    transaction: TransactWrite, photo: Photo, sign: int, room: Condition | None = None
) -> None:
    transaction.update(
        User(photo.user_id),
        actions=[
            User.photo_count.add(sign),
            User.storage_bytes.add(sign * photo.filesize),
        ],
        # ADD creates a missing item, and would so restore a deleted account.
        condition=room & _account_is_active(),
    )


def _absent_or_at_most(counter: NumberAttribute, most: int) -> Condition:
    at_most: Condition = counter <= most
    # An account that has stored nothing yet may have an item without counters.
    return counter.does_not_exist() | at_most if most >= 0 else at_most


def _reasons(error: TransactWriteError) -> list[Any]:
    """Return why each item of the transaction was cancelled, None where it was not the reason."""
    return [reason.code if reason else None for reason in error.cancellation_reasons]
