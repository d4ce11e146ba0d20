"""A photo's row and its owner's counters, always written in one transaction."""

import random
import time
from collections.abc import Callable
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.errors import NotSignedIn, Throttled
from chalicelib.models import Photo, PhotoState, UploadKey, User
from chalicelib.quotas import Quota

_TRIES = 12
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.8
# Why DynamoDB cancels a transaction that would succeed a moment later.
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_FAILED = "ConditionalCheckFailed"

# Where the owner is among the reasons of a cancelled transaction: PynamoDB sends conditions first,
# then what is deleted, put and updated.
_CHECKED = 0
_UPDATED = -1


class Overtaken(Exception):
    """Another request has already written what this one was to write; this one wrote nothing."""


class Ledger:
    """Adds and removes photos so that `photo_count` and `storage_bytes` equal what is there.

    DynamoDB cancels transactions that meet on one user's row; such are tried again after a pause
    with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    def __init__(
        self,
        connection: Connection,
        quota: Quota = Quota(),  # noqa: B008 (frozen)
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._quota = quota
        self._sleep = sleep

    def require_room(self, user_id: str, size: int) -> None:
        """Raise QuotaExceeded if a photo of `size` bytes does not fit, before work is done for it.

        Whether it still fits when it is written, the transaction decides.
        """
        if self._quota:
            try:
                user = User.get(user_id, consistent_read=True)
            except DoesNotExist:
                user = User(user_id)
            self._quota.require_room(user, size)

    def add(self, photo: Photo, key: str | None = None) -> None:
        """Write the row of a new photo and count it.

        Raises NotSignedIn when the account is deleted meanwhile, QuotaExceeded when it is full,
        Throttled when others are faster every time, Overtaken when the Idempotency-Key was used.
        After each, nothing was written.
        """

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo)
            _remember(transaction, photo, key)
            _count(transaction, photo, 1, room)

        room = self._quota.has_room_for(int(photo.filesize))
        self._write(photo, _UPDATED, write)

    def reserve(self, photo: Photo, key: str | None = None) -> None:
        """Write the row of a photo that is still to be uploaded, and do not count it yet.

        Raises what `add` does.
        """

        def write(transaction: TransactWrite) -> None:
            transaction.condition_check(User, photo.user_id, condition=room & _stays())
            transaction.save(photo)
            _remember(transaction, photo, key)

        room = self._quota.has_room_for(int(photo.filesize))
        self._write(photo, _CHECKED, write)

    def complete(self, photo: Photo) -> None:
        """Write the row of a photo that was pending, and count it.

        Raises what `add` does; Overtaken when the photo is not pending any more.
        """

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo, condition=Photo.state == PhotoState.PENDING)
            _count(transaction, photo, 1, room)

        room = self._quota.has_room_for(int(photo.filesize))
        self._write(photo, _UPDATED, write)

    def _write(self, photo: Photo, owner: int, write: Callable[[TransactWrite], None]) -> None:
        """Write for an owner whose reason to cancel is the one at `owner`."""
        for attempt in range(_TRIES):
            try:
                with TransactWrite(connection=self._connection) as transaction:
                    write(transaction)
                return
            except TransactWriteError as error:
                reasons = _reasons(error)
                if _PASSING.intersection(reasons):
                    self._pause(attempt)
                elif _FAILED not in reasons:
                    raise
                elif reasons.count(_FAILED) == 1 and reasons[owner] == _FAILED:
                    self._make_row_if_missing(photo)
                else:
                    # Who comes second hears of what is there, even if the album is full by now.
                    raise Overtaken from None
        raise Throttled

    def remove(self, photo: Photo) -> None:
        """Remove the row of a photo that is being deleted, and count it no more; safe to repeat."""
        for attempt in range(_TRIES):
            try:
                with TransactWrite(connection=self._connection) as transaction:
                    transaction.delete(photo, condition=Photo.state == PhotoState.DELETING)
                    _count(transaction, photo, -1)
                return
            except TransactWriteError as error:
                reasons = _reasons(error)
                if reasons[:1] == [_FAILED]:
                    return  # Another request has removed and discounted it.
                if reasons == [None, _FAILED]:
                    photo.delete()  # The account is going, and its counters with it.
                    return
                if not _PASSING.intersection(reasons):
                    raise
                self._pause(attempt)
        raise Throttled

    def _make_row_if_missing(self, photo: Photo) -> None:
        """Make the row of an account of Cognito's console, or raise why there is no photo in it."""
        try:
            user = User.get(photo.user_id, consistent_read=True)
        except DoesNotExist:
            User.create(photo.user_id)
            return
        if user.deleting_at is not None:
            raise NotSignedIn("This account was deleted.")
        self._quota.require_room(user, int(photo.filesize))

    def _pause(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311 (no secret)


def was_cancelled(error: TransactWriteError) -> bool:
    """Tell whether DynamoDB has refused a transaction, so that nothing of it was written."""
    return bool(error.cancellation_reasons)


def _remember(transaction: TransactWrite, photo: Photo, key: str | None) -> None:
    if key is not None:
        transaction.save(UploadKey.of(photo, key), condition=UploadKey.is_free())


def _stays() -> Condition:
    """Return the condition that an account exists and is not being deleted."""
    stays: Condition = User.sub.exists() & User.deleting_at.does_not_exist()
    return stays


def _count(
    transaction: TransactWrite, photo: Photo, sign: int, room: Condition | None = None
) -> None:
    transaction.update(
        User(photo.user_id),
        actions=[
            User.photo_count.add(sign),
            User.storage_bytes.add(sign * photo.filesize),
        ],
        # ADD would make a row of its own, and so bring a deleted account's back.
        condition=room & _stays(),
    )


def _reasons(error: TransactWriteError) -> list[Any]:
    """Return why each item of the transaction was cancelled, None where it was not the reason."""
    return [reason.code if reason else None for reason in error.cancellation_reasons]
