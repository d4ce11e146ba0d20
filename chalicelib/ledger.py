"""A photo's row and its owner's counters, always written in one transaction."""

import random
import time
from collections.abc import Callable
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.errors import NotSignedIn, Overtaken, Throttled
from chalicelib.models import Photo, PhotoState, UploadKey, User
from chalicelib.quotas import Quota

_TRIES = 12
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.8
# Why DynamoDB cancels a transaction that would succeed a moment later.
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_FAILED = "ConditionalCheckFailed"

# Where an item is among the reasons of a cancelled transaction: PynamoDB sends conditions first,
# then what is deleted, put and updated.
_CHECKED = 0
_DELETED = 0
_UPDATED = -1


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
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo)
            _remember(transaction, photo, key)
            _count(transaction, photo, 1, room)

        self._write(write, lambda reasons: self._insist(photo, reasons, _UPDATED))

    def reserve(self, photo: Photo, key: str | None = None) -> None:
        """Write the row of a photo that is still to be uploaded, and do not count it yet.

        Raises what `add` does.
        """
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            transaction.condition_check(User, photo.user_id, condition=room & _stays())
            transaction.save(photo)
            _remember(transaction, photo, key)

        self._write(write, lambda reasons: self._insist(photo, reasons, _CHECKED))

    def complete(self, photo: Photo) -> None:
        """Write the row of a photo that was pending, and count it.

        Raises what `add` does; Overtaken when the photo is not pending any more.
        """
        room = self._quota.has_room_for(int(photo.filesize))

        def write(transaction: TransactWrite) -> None:
            transaction.save(photo, condition=Photo.state == PhotoState.PENDING)
            _count(transaction, photo, 1, room)

        self._write(write, lambda reasons: self._insist(photo, reasons, _UPDATED))

    def remove(self, photo: Photo) -> None:
        """Remove the row of a photo that is being deleted, and count it no more; safe to repeat."""

        def write(transaction: TransactWrite) -> None:
            transaction.delete(photo, condition=Photo.state == PhotoState.DELETING)
            _count(transaction, photo, -1)

        def settle(reasons: list[Any]) -> bool:
            # Either another request has removed and discounted it, or the account is going, and its
            # counters with it.
            if reasons[_DELETED] != _FAILED:
                photo.delete()
            return True

        self._write(write, settle)

    def _write(
        self, write: Callable[[TransactWrite], None], settle: Callable[[list[Any]], bool]
    ) -> None:
        """Write until DynamoDB does not cancel it for what passes.

        When a condition failed, `settle` is told the reasons: it raises, or returns whether nothing
        is left to be written.
        """
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
                elif settle(reasons):
                    return
        raise Throttled

    def _insist(self, photo: Photo, reasons: list[Any], owner: int) -> bool:
        """Make another try worthwhile, if the owner's row is why a transaction was cancelled.

        Raises NotSignedIn for a deleted account, QuotaExceeded for a full one, Overtaken if
        something else is a reason: who comes second hears of what is there, even if the album is
        full by now.
        """
        if reasons.count(_FAILED) > 1 or reasons[owner] != _FAILED:
            raise Overtaken from None
        self._make_row_if_missing(photo)
        return False

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
