"""Transactions of a photo's item and what follows from it, and why DynamoDB cancels one."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action, AddAction
from pynamodb.expressions.util import get_value_placeholder
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.accounts.models import User
from chalicelib.errors import Conflict, DuplicateImage, Throttled
from chalicelib.photos.derived import MAX_SAME, Difference
from chalicelib.photos.models import DerivedItem, Photo

# The names under which items are reported.
PHOTO, KEY, OWNER, COUNTERS, MEMBER = "photo", "key", "owner", "counters", "member"
JOINED_HASH, LEFT_HASH = "hash of the new bytes", "hash of the old bytes"

TRIES = 12
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.8
# Reasons why DynamoDB cancels a transaction that would succeed a moment later.
_TRANSIENT = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_CONDITION_FAILED = "ConditionalCheckFailed"
_INVALID = "ValidationError"  # of a single item: it would become too large


class Writes:
    """The items that one transaction writes, each under a name."""

    def __init__(self, connection: Connection) -> None:
        self._transaction = TransactWrite(connection=connection)
        # In the order in which PynamoDB sends them.
        self._checked: list[str] = []
        self._deleted: list[str] = []
        self._put: list[str] = []
        self._updated: list[str] = []

    def require(
        self, name: str, model: type[Model], key: tuple[str, str | None], condition: Condition
    ) -> None:
        """Write nothing unless an item meets a condition."""
        self._transaction.condition_check(model, key[0], key[1], condition)
        self._checked.append(name)

    def delete(self, name: str, item: Model, condition: Condition | None = None) -> None:
        """Delete an item."""
        self._transaction.delete(item, condition)
        self._deleted.append(name)

    def put(self, name: str, item: Model, condition: Condition | None = None) -> None:
        """Write a whole item."""
        self._transaction.save(item, condition)
        self._put.append(name)

    def update(
        self, name: str, item: Model, actions: list[Action], condition: Condition | None = None
    ) -> None:
        """Change some of an item's attributes."""
        self._transaction.update(item, actions, condition)
        self._updated.append(name)

    def derive(
        self,
        user_id: str,
        photo_id: str,
        changes: Difference,
        is_shared: bool,
        unique: bool = False,
    ) -> None:
        """Write what follows from a change of a photo, except for its owner's counters.

        With `is_shared`, other photos have the same bytes as this one had; with `unique`, none may.
        """
        for member in changes.members_removed:
            self.delete(MEMBER, DerivedItem(user_id, member))
        for member in changes.members_added:
            self.put(MEMBER, DerivedItem(user_id, member))
        for item_id, numbers in changes.counters_by_item().items():
            actions: list[Action] = [_Add(*counter) for counter in numbers.items()]
            self.update(COUNTERS, DerivedItem(user_id, item_id), actions)
        ids = {photo_id}
        for hashed in changes.hashes_added:
            add = DerivedItem.photo_ids.add(ids)
            has_room = _fewer_than(1 if unique else MAX_SAME)
            self.update(JOINED_HASH, DerivedItem(user_id, hashed), [add], has_room)
        for hashed in changes.hashes_removed:
            # An update would leave an empty item if this were the only photo.
            is_last = DerivedItem.photo_ids == ids
            if is_shared:
                others = DerivedItem.photo_ids.exists() & ~is_last
                remove = DerivedItem.photo_ids.delete(ids)
                self.update(LEFT_HASH, DerivedItem(user_id, hashed), [remove], others)
            else:
                alone = DerivedItem.photo_ids.does_not_exist() | is_last
                self.delete(LEFT_HASH, DerivedItem(user_id, hashed), alone)

    def commit(self) -> "Cancellation | None":
        """Write everything, or nothing and return why. Raises TransactWriteError."""
        try:
            with self._transaction:
                pass
        except TransactWriteError as error:
            codes = [reason.code if reason else None for reason in error.cancellation_reasons]
            cancellation = Cancellation(
                [*self._checked, *self._deleted, *self._put, *self._updated], codes
            )
            if not cancellation.is_understood:
                raise
            return cancellation
        return None


class Cancellation:
    """Why DynamoDB cancelled a transaction."""

    def __init__(self, names: list[str], codes: list[Any]) -> None:
        self.is_transient = not _TRANSIENT.isdisjoint(codes)
        reasons = list(zip(names, codes, strict=False))
        self.failed = {name for name, code in reasons if code == _CONDITION_FAILED}
        self.too_large = {name for name, code in reasons if code == _INVALID}

    @property
    def is_understood(self) -> bool:
        """Whether a retry or a decision can follow."""
        return self.is_transient or bool(self.failed) or COUNTERS in self.too_large


class Writer:
    """Writes photos' items together with what follows from them.

    DynamoDB cancels transactions that meet on one of a user's items; these are retried after a
    pause with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    def __init__(self, connection: Connection, sleep: Callable[[float], None]) -> None:
        self._connection = connection
        self._sleep = sleep

    def write(
        self,
        photo: Photo,
        changes: Difference,
        write_photo: Callable[[Writes], None],
        on_conflict: Callable[[set[str]], bool],
        room: Condition | None = None,
        more: Sequence[Action] = (),
        unique: bool = False,
    ) -> None:
        """Write a photo's item together with the changes that follow from it.

        `room` and `more` are a condition and changes of the owner's item. It retries while DynamoDB
        cancels the transaction for a transient reason. When a condition failed, `on_conflict` gets
        the names of these items: it raises, or returns whether nothing is left to write. With
        `unique`, it raises DuplicateImage if another photo has the same bytes.
        """
        owner = [getattr(User, name).add(number) for name, number in changes.owner.items()]
        is_shared = False
        for attempt in range(TRIES):
            writes = Writes(self._connection)
            write_photo(writes)
            writes.derive(photo.user_id, photo.id, changes, is_shared, unique)
            if owner or more:
                # ADD creates a missing item, and would so restore a deleted account.
                is_writable = room & account_is_active()
                writes.update(OWNER, User(photo.user_id), [*owner, *more], is_writable)
            cancelled = writes.commit()
            if cancelled is None:
                return
            if cancelled.is_transient:
                self._pause(attempt)
            elif cancelled.too_large:
                raise Conflict("This album has too many different tags. Remove some of them.")
            elif unique and JOINED_HASH in cancelled.failed <= {JOINED_HASH, OWNER}:
                raise DuplicateImage
            elif cancelled.failed == {LEFT_HASH}:
                is_shared = not is_shared
            elif cancelled.failed <= {JOINED_HASH, LEFT_HASH}:
                raise Conflict(f"This album already has this image {MAX_SAME:,} times.")
            elif on_conflict(cancelled.failed):
                return
        raise Throttled

    def _pause(self, attempt: int) -> None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        self._sleep(random.uniform(0, longest))  # noqa: S311 (not a secret)


class _Add(AddAction):
    """ADD to a counter, whose name may have dots or brackets: it is no document path."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number

    def serialize(self, names: dict[str, str], values: dict[str, Any]) -> str:
        """Return the expression's part, and add its placeholders to `names` and `values`."""
        name = names.setdefault(self._name, f"#{len(names)}")
        return f"{name} {get_value_placeholder({'N': str(self._number)}, values)}"


def _fewer_than(most: int) -> Condition:
    """Return the condition that fewer than `most` photos have the bytes of an item's hash."""
    photo_ids = DerivedItem.photo_ids
    size_of: Any = size
    has_room: Condition = photo_ids.does_not_exist() | (size_of(photo_ids) < most)
    return has_room


def account_is_active() -> Condition:
    """Return the condition that an account exists and is not being deleted."""
    active: Condition = User.sub.exists() & User.deleting_at.does_not_exist()
    return active
