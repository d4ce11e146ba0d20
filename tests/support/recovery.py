"""A stage whose tables can be restored to a moment, as in AWS: the embedded one has no history."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.background import RunningStack

# The calls that change something.
WRITES = {
    "batch_write_item",
    "copy_object",
    "delete_objects",
    "delete_table",
    "put_function_concurrency",
    "restore_table_to_point_in_time",
    "tag_resource",
    "untag_resource",
}


class InterruptedCallError(Exception):
    """What a test raises in the place of a call."""


class Recording:
    """A client whose `before` is called with the name of each of its methods that changes data."""

    def __init__(self, client: Any, before: Callable[[str], None]) -> None:
        self._client = client
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name not in WRITES:
            return method

        def call(**parameters: Any) -> Any:
            self._before(name)
            return method(**parameters)

        return call


class RestorableTables:
    """A DynamoDB client that restores tables to the items that they have now."""

    def __init__(self, dynamodb: Any, moment: datetime, tables: list[str]) -> None:
        self._dynamodb = dynamodb
        self._moment = moment
        self._items = {table: scan(dynamodb, table) for table in tables}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def describe_continuous_backups(self, TableName: str) -> dict[str, Any]:  # noqa: N803
        assert TableName in self._items
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "EarliestRestorableDateTime": self._moment - timedelta(days=1),
            "LatestRestorableDateTime": self._moment,
        }
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}

    def restore_table_to_point_in_time(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["RestoreDateTime"] == self._moment
        self._dynamodb.restore_table_to_point_in_time(**parameters)
        source, target = parameters["SourceTableName"], parameters["TargetTableName"]
        schema = self._dynamodb.describe_table(TableName=source)["Table"]["KeySchema"]
        for item in scan(self._dynamodb, target):
            key = {one["AttributeName"]: item[one["AttributeName"]] for one in schema}
            self._dynamodb.delete_item(TableName=target, Key=key)
        for item in self._items[source]:
            self._dynamodb.put_item(TableName=target, Item=item)
        return {}


class Recovery:
    """Makes the clients of a restore, the tables of which have the items of a moment."""

    def __init__(self, stack: RunningStack, moment: datetime, tables: list[str]) -> None:
        self._stack = stack
        self._dynamodb = RestorableTables(stack.make_client("dynamodb"), moment, tables)
        self.calls: list[str] = []
        self.fails_at: tuple[str, int] | None = None  # the name of a call, and which of them
        self.on_call: Callable[[str], None] = lambda name: None

    def make_client(self, service: str) -> Any:
        """Return a client of the embedded AWS."""
        real = self._dynamodb if service == "dynamodb" else self._stack.make_client(service)
        return Recording(real, self._before)

    def _before(self, name: str) -> None:
        self.calls.append(name)
        self.on_call(name)
        if (name, self.calls.count(name)) == self.fails_at:
            raise InterruptedCallError


def scan(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    """Return all items of a table, in no order."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]
