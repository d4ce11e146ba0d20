"""Restore the tables to one moment, from rescue tables that DynamoDB creates for it.

Tables are compared page by page, so that memory is bounded, and only what differs is written.
"""

import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.photos.photo import KEY_PREFIX, STORED_STATES
from chalicelib.photos.storage import original_key
from infra.errors import OperatorError

Item = dict[str, Any]

_WAIT = {"Delay": 15, "MaxAttempts": 480}  # two hours
_THREADS = 8  # no more than the connections that a client keeps open
_READ_BATCH = 100  # the most that DynamoDB returns by key in one call
_WRITE_BATCH = 25
_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 10
# The moment that ends the name; a stage's suffix is in lowercase, so no other table ends like it.
_RESCUE = r"{table}-restore-\d{{8}}T\d{{6}}Z"
# What remains of the item of a user who signed up after the moment; missing counters are zero.
_KEPT_OF_NEW_USER = {"sub", "created_date", "deleting_at", "deleted_at", "expires_at"}


@dataclass(frozen=True)
class Table:
    """A running table, the rescue table with its items of the moment, and their key."""

    name: str
    rescue: str
    key: tuple[str, ...]


def rescue_name(table: str, moment: datetime) -> str:
    """Return the name of a table's rescue table; a repeated restore finds it by this name."""
    return f"{table}-restore-{moment:%Y%m%dT%H%M%SZ}"


class TableRestore:
    """The changes that make the items of both tables those of one moment; safe to repeat."""

    def __init__(
        self, dynamodb: Any, photos: Table, users: Table, sleep: Callable[[float], None]
    ) -> None:
        self._dynamodb = dynamodb
        self._photos = photos
        self._users = users
        self._sleep = sleep

    def require_moment(self, moment: datetime) -> None:
        """Raise OperatorError unless both tables can be restored to a moment."""
        for table in (self._photos, self._users):
            described = self._dynamodb.describe_continuous_backups(TableName=table.name)
            recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
                raise OperatorError(
                    f"The table {table.name} has no point-in-time recovery. Run `make provision`."
                )
            earliest = recovery["EarliestRestorableDateTime"]
            latest = recovery["LatestRestorableDateTime"]
            if not earliest <= moment <= latest:
                raise OperatorError(
                    f"The table {table.name} can be restored to a moment from "
                    f"{readable(earliest)} to {readable(latest)}."
                )

    def create_rescue_tables(self, moment: datetime) -> None:
        """Create the rescue tables, or wait for those of an interrupted restore.

        Rescue tables of other moments are deleted.
        """
        for table in (self._photos, self._users):
            self._delete_rescue_tables(table, besides=table.rescue)
            if not self._exists(table.rescue):
                self._dynamodb.restore_table_to_point_in_time(
                    SourceTableName=table.name,
                    TargetTableName=table.rescue,
                    RestoreDateTime=moment,
                    BillingModeOverride="PAY_PER_REQUEST",
                    LocalSecondaryIndexOverride=[],
                )
        for table in (self._photos, self._users):
            waiter = self._dynamodb.get_waiter("table_exists")
            waiter.wait(TableName=table.rescue, WaiterConfig=_WAIT)

    def delete_rescue_tables(self) -> None:
        """Delete all rescue tables, which cost as much as any table."""
        for table in (self._photos, self._users):
            self._delete_rescue_tables(table)

    def plan(self) -> tuple[int, int, int]:
        """Return how many photo items have to be written and deleted, and how many users exist."""
        return (
            sum(1 for item in self._photos_to_write() if _is_photo(item)),
            sum(1 for key in self._photos_to_delete() if _is_photo(key)),
            sum(1 for _ in self._changed_users(0)),
        )

    def restore_users(self, signed_out_at: int) -> None:
        """Write the users' items of the moment, all of them signed out at `signed_out_at`.

        Otherwise sessions that were revoked after the moment would be valid again. For the same
        reason, the item of a user who signed up later is not deleted, but loses its counters.
        """
        users = self._changed_users(signed_out_at)
        self._write(self._users, ({"PutRequest": {"Item": item}} for item in users))

    def restore_photos(
        self, has_object: Callable[[str], bool], report: Callable[[str], None]
    ) -> None:
        """Write and delete photo items, until they are those of the moment.

        A photo whose original does not exist is left out and reported: nothing listed may fail to
        load.
        """

        items = self._photos_to_write()
        with ThreadPoolExecutor(_THREADS) as threads:
            while batch := list(itertools.islice(items, _READ_BATCH)):
                loads = threads.map(lambda item: _loads(item, has_object), batch)
                writes = []
                for item, item_loads in zip(batch, loads, strict=True):
                    if item_loads:
                        writes.append({"PutRequest": {"Item": item}})
                    else:
                        name = f"photo {item['id']['S']} of user {item['user_id']['S']}"
                        report(f"{name} left out: its original is gone")
                self._write(self._photos, writes)
        keys = self._photos_to_delete()
        self._write(self._photos, ({"DeleteRequest": {"Key": key}} for key in keys))

    def _photos_to_write(self) -> Iterator[Item]:
        for saved, current in self._pairs(self._photos.rescue, self._photos.name, self._photos.key):
            if not _has_expired(saved) and saved != current:
                yield saved

    def _photos_to_delete(self) -> Iterator[Item]:
        """Yield the key of each item that did not exist at the moment."""
        key = self._photos.key
        for current, saved in self._pairs(self._photos.name, self._photos.rescue, key):
            if saved is None or _has_expired(saved):
                yield {name: current[name] for name in key}

    def _changed_users(self, signed_out_at: int) -> Iterator[Item]:
        users = self._users
        for saved, current in self._pairs(users.rescue, users.name, users.key):
            if not _has_expired(saved):
                restored = {key: saved[key] for key in saved if key != "signed_out_sessions"}
                yield restored | _signed_out(current or {}, signed_out_at)
        for user, past in self._pairs(users.name, users.rescue, users.key):
            if past is None or _has_expired(past):
                kept = {key: user[key] for key in user if key in _KEPT_OF_NEW_USER}
                yield kept | _signed_out(user, signed_out_at)

    def _pairs(
        self, table: str, other: str, key: tuple[str, ...]
    ) -> Iterator[tuple[Item, Item | None]]:
        """Yield each item of a table with the one that has the same key in another table."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = itertools.chain.from_iterable(page["Items"] for page in pages)
        while batch := list(itertools.islice(items, _READ_BATCH)):
            keys = [{name: item[name] for name in key} for item in batch]
            found = {_key_of(one, key): one for one in self._read(other, keys)}
            yield from ((item, found.get(_key_of(item, key))) for item in batch)

    def _read(self, table: str, keys: list[Item]) -> Iterator[Item]:
        left: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in itertools.count():
            response = self._dynamodb.batch_get_item(RequestItems=left)
            yield from response["Responses"].get(table, [])
            left = response.get("UnprocessedKeys") or {}
            if not left:
                return
            self._pause(attempt)

    def _write(self, table: Table, requests: Iterable[dict[str, Any]]) -> None:
        requests = iter(requests)
        while batch := list(itertools.islice(requests, _WRITE_BATCH)):
            left: dict[str, Any] = {table.name: batch}
            for attempt in itertools.count():
                response = self._dynamodb.batch_write_item(RequestItems=left)
                left = response.get("UnprocessedItems") or {}
                if not left:
                    break
                self._pause(attempt)

    def _pause(self, attempt: int) -> None:
        self._sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))

    def _exists(self, table: str) -> bool:
        """Return whether a table exists, once a deletion that has begun is finished."""
        try:
            described = self._dynamodb.describe_table(TableName=table)["Table"]
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return False
        if described["TableStatus"] == "DELETING":
            waiter = self._dynamodb.get_waiter("table_not_exists")
            waiter.wait(TableName=table, WaiterConfig=_WAIT)
            return False
        return True

    def _delete_rescue_tables(self, table: Table, besides: str | None = None) -> None:
        pattern = re.compile(_RESCUE.format(table=re.escape(table.name)))
        pages = self._dynamodb.get_paginator("list_tables").paginate()
        for name in [name for page in pages for name in page["TableNames"]]:
            if pattern.fullmatch(name) and name != besides and self._exists(name):
                # A table that is still being created cannot be deleted yet.
                waiter = self._dynamodb.get_waiter("table_exists")
                waiter.wait(TableName=name, WaiterConfig=_WAIT)
                self._dynamodb.delete_table(TableName=name)


def readable(moment: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _is_photo(item: Item) -> bool:
    # Its counters, lists and used keys are restored with it.
    return not item["id"]["S"].startswith(KEY_PREFIX)


def _loads(item: Item, has_object: Callable[[str], bool]) -> bool:
    """Return whether an item can be listed, in the album or the trash, or is not a photo's."""
    if item.get("state", {}).get("S") not in STORED_STATES:
        return True
    return has_object(original_key(item["user_id"]["S"], item["filename"]["S"]))


def _signed_out(current: Item, moment: int) -> Item:
    """Return the attribute that revokes all sessions at a moment.

    What the current item has revoked stays so, even if the clock here is late.
    """
    revoked = (
        int(current[name]["N"]) for name in ("signed_out_at", "deleted_at") if name in current
    )
    return {"signed_out_at": {"N": str(max([moment, *(one + 1 for one in revoked)]))}}


def _has_expired(item: Item) -> bool:
    """Return whether TTL may have deleted an item already."""
    return "expires_at" in item and int(item["expires_at"]["N"]) <= time.time()


def _key_of(item: Item, key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in key)
