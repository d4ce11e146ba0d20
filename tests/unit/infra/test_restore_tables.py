"""Which items a restore writes and deletes, and which tables it leaves alone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import restore_tables
from infra.errors import OperatorError
from infra.restore_tables import Table, TableRestore, rescue_name
from tests.support.recovery import scan

MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHOTO, USER = "Photo", "User"
RESCUED_PHOTO, RESCUED_USER = rescue_name(PHOTO, MOMENT), rescue_name(USER, MOMENT)
NOW = 2_000_000_000
SECRET_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a client of tables that are empty, with their rescue tables."""
    for name in SECRET_KEYS:
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        for table in (PHOTO, RESCUED_PHOTO):
            create(client, table, "user_id", "id")
        for table in (USER, RESCUED_USER):
            create(client, table, "sub")
        yield client


def create(client: Any, name: str, *key: str) -> None:
    kinds = dict(zip(key, ("HASH", "RANGE"), strict=False))
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": one, "KeyType": kinds[one]} for one in key],
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in key],
        BillingMode="PAY_PER_REQUEST",
    )


def tables_of(client: Any) -> TableRestore:
    photos = Table(PHOTO, RESCUED_PHOTO, ("user_id", "id"))
    return TableRestore(client, photos, Table(USER, RESCUED_USER, ("sub",)), lambda seconds: None)


def put(client: Any, table: str, **item: str | int) -> None:
    client.put_item(TableName=table, Item=typed(item))


def typed(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in item.items()
    }


def photo(number: int, **more: str | int) -> dict[str, Any]:
    fields = {"user_id": "mario", "id": f"{number:04}", "filename": f"{number:04}.jpg"}
    return {**fields, "state": "ready", **more}


def contents(client: Any, table: str) -> list[dict[str, Any]]:
    return sorted(scan(client, table), key=str)


def restore_photos(client: Any, missing: frozenset[str] = frozenset()) -> list[str]:
    """Restore the photos' items, twice; return what was reported the first time."""
    reported: list[str] = []
    tables_of(client).restore_photos(lambda key: key not in missing, reported.append)
    tables_of(client).restore_photos(lambda key: key not in missing, lambda line: None)
    return reported


def restore_users(client: Any) -> dict[str, dict[str, Any]]:
    """Restore the users' items, and return them by `sub`."""
    tables_of(client).restore_users(NOW)
    return {item["sub"]["S"]: item for item in scan(client, USER)}


def test_photos_are_those_of_the_moment_in_tables_of_several_pages(dynamodb: Any) -> None:
    for number in range(105):
        put(dynamodb, RESCUED_PHOTO, **photo(number, desc="then"))
        if number % 3:
            put(dynamodb, PHOTO, **photo(number, desc="then" if number % 2 else "now"))
        if number < 30:
            put(dynamodb, PHOTO, **photo(number + 1_000))
    put(dynamodb, RESCUED_PHOTO, user_id="mario", id="key#1", photo_id="1")
    put(dynamodb, RESCUED_PHOTO, user_id="mario", id="key#list#favorites#1")
    for table, number in ((RESCUED_PHOTO, 105), (PHOTO, 100)):
        month: dict[str, Any] = {"2026-11": number}
        put(dynamodb, table, user_id="mario", id="key#months#2026", **month)
    assert tables_of(dynamodb).plan() == (70, 30, 0)
    assert restore_photos(dynamodb) == []
    assert contents(dynamodb, PHOTO) == contents(dynamodb, RESCUED_PHOTO)
    assert tables_of(dynamodb).plan() == (0, 0, 0)


def test_photo_whose_original_is_gone_is_left_out_and_reported(dynamodb: Any) -> None:
    put(dynamodb, RESCUED_PHOTO, **photo(1))
    put(dynamodb, RESCUED_PHOTO, **photo(2))
    put(dynamodb, RESCUED_PHOTO, **photo(3) | {"state": "pending"})
    put(dynamodb, RESCUED_PHOTO, **photo(4) | {"state": "trashed"})
    missing = frozenset(f"photos/mario/000{number}.jpg" for number in (2, 3, 4))
    reported = restore_photos(dynamodb, missing)
    assert reported == [
        f"photo 000{number} of user mario left out: its original is gone" for number in (2, 4)
    ]
    restored = [item["id"]["S"] for item in contents(dynamodb, PHOTO)]
    assert restored == ["0001", "0003"]


def test_items_that_have_expired_since_are_not_restored(dynamodb: Any) -> None:
    expired, pending = int(time.time()) - 1, int(time.time()) + 3600
    for table in (PHOTO, RESCUED_PHOTO):
        put(dynamodb, table, **photo(1, expires_at=expired))
    put(dynamodb, RESCUED_PHOTO, **photo(2, expires_at=expired))
    put(dynamodb, RESCUED_PHOTO, **photo(3, expires_at=pending))
    put(dynamodb, RESCUED_USER, sub="deleted", deleted_at=1, expires_at=expired)
    restore_photos(dynamodb)
    assert [item["id"]["S"] for item in contents(dynamodb, PHOTO)] == ["0003"]
    assert restore_users(dynamodb) == {}


def test_all_users_of_the_moment_are_signed_out(dynamodb: Any) -> None:
    put(dynamodb, RESCUED_USER, sub="mario", photo_count=7, storage_bytes=70, signed_out_at=5)
    dynamodb.put_item(
        TableName=RESCUED_USER,
        Item=typed({"sub": "luigi"}) | {"signed_out_sessions": {"SS": ["a"]}},
    )
    put(dynamodb, USER, sub="mario", photo_count=9, storage_bytes=90, signed_out_at=8)
    assert restore_users(dynamodb) == {
        "mario": typed(
            {"sub": "mario", "photo_count": 7, "storage_bytes": 70, "signed_out_at": NOW}
        ),
        "luigi": typed({"sub": "luigi", "signed_out_at": NOW}),
    }


@pytest.mark.parametrize("revoked", ["signed_out_at", "deleted_at"])
def test_sessions_that_were_revoked_stay_revoked_although_the_operators_clock_is_late(
    dynamodb: Any, revoked: str
) -> None:
    put(dynamodb, RESCUED_USER, sub="mario", signed_out_at=5)
    for sub in ("mario", "newcomer"):
        put(dynamodb, USER, **{"sub": sub, revoked: NOW + 60})
    for user in restore_users(dynamodb).values():
        assert user["signed_out_at"] == {"N": str(NOW + 61)}


def test_user_who_signed_up_later_keeps_what_revokes_sessions_and_loses_counters(
    dynamodb: Any,
) -> None:
    put(dynamodb, USER, sub="new", created_date="2026", photo_count=3, storage_bytes=30, other=1)
    put(dynamodb, USER, sub="left", deleting_at=5, deleted_at=6, expires_at=NOW)
    assert restore_users(dynamodb) == {
        "new": typed({"sub": "new", "created_date": "2026", "signed_out_at": NOW}),
        "left": typed(
            {
                "sub": "left",
                "deleting_at": 5,
                "deleted_at": 6,
                "expires_at": NOW,
                "signed_out_at": NOW,
            }
        ),
    }


class Throttled:
    """A client whose batches are accepted only in part, as AWS does under load."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        [(table, request)] = RequestItems.items()
        first, left = request["Keys"][:40], request["Keys"][40:]
        response: dict[str, Any] = self._client.batch_get_item(
            RequestItems={table: request | {"Keys": first}}
        )
        if left:
            response["UnprocessedKeys"] = {table: request | {"Keys": left}}
        return response

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        [(table, requests)] = RequestItems.items()
        self._client.batch_write_item(RequestItems={table: requests[:10]})
        return {"UnprocessedItems": {table: requests[10:]} if requests[10:] else {}}


def test_what_dynamodb_leaves_unprocessed_is_read_and_written_again(dynamodb: Any) -> None:
    for number in range(120):
        put(dynamodb, RESCUED_PHOTO, **photo(number))
    restore_photos(Throttled(dynamodb))
    assert contents(dynamodb, PHOTO) == contents(dynamodb, RESCUED_PHOTO)


def test_rescue_tables_of_other_moments_and_no_other_tables_are_deleted(dynamodb: Any) -> None:
    other = rescue_name(PHOTO, MOMENT + timedelta(hours=1))
    kept = ["Photo-restore-x", "Photo-prod", f"{RESCUED_PHOTO}x", "User-restore-20261120t120000z"]
    for table in (other, *kept):
        create(dynamodb, table, "id")
    tables = tables_of(dynamodb)
    tables.create_rescue_tables(MOMENT)
    existing = {PHOTO, USER, *kept}
    names = set(dynamodb.list_tables()["TableNames"])
    assert names == existing | {RESCUED_PHOTO, RESCUED_USER}
    tables.delete_rescue_tables()
    assert set(dynamodb.list_tables()["TableNames"]) == existing


class Deleting:
    """A client whose rescue tables are still being deleted until somebody waits for it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.restored: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803
        described: dict[str, Any] = self._client.describe_table(TableName=TableName)
        described["Table"]["TableStatus"] = "DELETING"
        return described

    def get_waiter(self, name: str) -> Any:
        class Waiter:
            @staticmethod
            def wait(TableName: str, WaiterConfig: dict[str, int]) -> None:  # noqa: N803
                if name == "table_not_exists":
                    self._client.delete_table(TableName=TableName)

        return Waiter

    def restore_table_to_point_in_time(self, **parameters: Any) -> None:
        self.restored.append(parameters["TargetTableName"])


def test_rescue_table_that_is_being_deleted_is_created_again(dynamodb: Any) -> None:
    client = Deleting(dynamodb)
    tables_of(client).create_rescue_tables(MOMENT)
    assert client.restored == [RESCUED_PHOTO, RESCUED_USER]


class WithRecovery:
    """A client that describes the recovery of tables as AWS does."""

    def __init__(self, **described: Any) -> None:
        self._described = described

    def describe_continuous_backups(self, TableName: str) -> dict[str, Any]:  # noqa: N803
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": self._described}}


@pytest.mark.parametrize(
    ("earliest", "latest", "accepted"),
    [(0, 0, True), (-1, 1, True), (1, 2, False), (-2, -1, False)],
)
def test_moment_must_be_one_that_the_tables_can_be_restored_to(
    earliest: int, latest: int, accepted: bool
) -> None:
    client = WithRecovery(
        PointInTimeRecoveryStatus="ENABLED",
        EarliestRestorableDateTime=MOMENT + timedelta(seconds=earliest),
        LatestRestorableDateTime=MOMENT + timedelta(seconds=latest),
    )
    tables = tables_of(client)
    if accepted:
        tables.require_moment(MOMENT)
        return
    with pytest.raises(OperatorError, match=r"The table Photo can be restored .* from 2026-11-20"):
        tables.require_moment(MOMENT)


def test_table_without_point_in_time_recovery_cannot_be_restored() -> None:
    with pytest.raises(OperatorError, match="The table Photo has no point-in-time recovery"):
        tables_of(WithRecovery(PointInTimeRecoveryStatus="DISABLED")).require_moment(MOMENT)


def test_pause_between_attempts_grows_up_to_ten_seconds(dynamodb: Any) -> None:
    pauses: list[float] = []

    class Busy(WithRecovery):
        def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            return {"UnprocessedItems": RequestItems if len(pauses) < 9 else {}}

        def get_paginator(self, name: str) -> Any:
            return dynamodb.get_paginator(name)

        def batch_get_item(self, **parameters: Any) -> Any:
            return dynamodb.batch_get_item(**parameters)

    put(dynamodb, RESCUED_USER, sub="mario")
    users = Table(USER, RESCUED_USER, ("sub",))
    photos = Table(PHOTO, RESCUED_PHOTO, ("user_id", "id"))
    TableRestore(Busy(), photos, users, pauses.append).restore_users(NOW)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, restore_tables._LONGEST_PAUSE)
