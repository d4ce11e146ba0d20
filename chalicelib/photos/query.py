"""Photos' items as lists read them, by the thousand: straight from DynamoDB's JSON.

PynamoDB and botocore's parser would take most of a list's time. botocore still signs, sends,
retries and reports errors; only the body of a successful response is read here.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from chalicelib.errors import Throttled
from chalicelib.photos.photo import EMPTY_TEXTS, FLAGS, ID_LISTS, NUMBERS, SHOWN

BY_TAKEN = "by_taken"  # the index of ready photos by the time they were taken
MAX_BATCH = 100  # items that one call can get

_TRIES = 6  # in a row that get nothing
_FIRST_PAUSE = 0.05  # seconds


class _Text(msgspec.Struct, frozen=True, gc=False):
    S: str | None = None  # as DynamoDB writes it


class _Number(msgspec.Struct, frozen=True, gc=False):
    N: int | float | None = None


class _Flag(msgspec.Struct, frozen=True, gc=False):
    BOOL: bool = False


class _TextList(msgspec.Struct, frozen=True, gc=False):
    L: tuple[_Text, ...] = ()

    @property
    def texts(self) -> list[str | None]:
        return [one.S for one in self.L]


class _Set(msgspec.Struct, frozen=True, gc=False):
    SS: tuple[str, ...] = ()


_NO_TEXT, _EMPTY, _NO_NUMBER = _Text(), _Text(""), _Number()
_NO_FLAG, _NO_TEXTS = _Flag(), _TextList()
# Attributes that are not shown.
_OTHERS = {
    "taken_key": _NO_TEXT,
    "state": _NO_TEXT,
    "search_text": _EMPTY,
    "tag_keys": _NO_TEXTS,
    "photo_ids": _Set(),
}


def _attribute(name: str) -> tuple[str, type, Any]:
    if name in _OTHERS:
        return name, type(_OTHERS[name]), _OTHERS[name]
    if name in FLAGS:
        return name, _Flag, _NO_FLAG
    if name in ID_LISTS:
        return name, _TextList, _NO_TEXTS
    if name in NUMBERS:
        return name, _Number, _NO_NUMBER
    return name, _Text, _EMPTY if name in EMPTY_TEXTS else _NO_TEXT


# One photo's attributes, those that were asked for; mypy cannot see what is created at run time.
Item: Any = msgspec.defstruct("Item", [_attribute(name) for name in (*SHOWN, *_OTHERS)], gc=False)


class _Response(msgspec.Struct):
    Items: list[Item]
    ScannedCount: int = 0  # with those that the filter excluded
    LastEvaluatedKey: dict[str, dict[str, str]] | None = None


class _Counters(msgspec.Struct):
    Items: list[dict[str, _Number]]  # with the key's texts, which have no number
    LastEvaluatedKey: dict[str, dict[str, str]] | None = None


class _Batch(msgspec.Struct):
    Responses: dict[str, list[Item]]
    UnprocessedKeys: dict[str, Any] = {}


# Not strict, as DynamoDB writes numbers as strings.
_decode = msgspec.json.Decoder(_Response, strict=False).decode
_decode_counters = msgspec.json.Decoder(_Counters, strict=False).decode
_decode_batch = msgspec.json.Decoder(_Batch, strict=False).decode


def _value(name: str) -> str:
    """Return the path of a shown field's value in an item."""
    if name in FLAGS:
        return f"{name}.BOOL"
    if name in ID_LISTS:
        return f"{name}.texts"
    return f"{name}.N" if name in NUMBERS else f"{name}.S"


_values = attrgetter(*map(_value, SHOWN))
_PLACEHOLDER = re.compile(r"#(\w+)")


def shown_fields(item: Item) -> dict[str, Any]:
    """Return the fields that an item and the API's photo object have in common."""
    return dict(zip(SHOWN, _values(item), strict=True))


@dataclass
class ItemQuery:
    """Which items of one user are read, and in which order.

    Conditions are DynamoDB's expressions, in which `#name` stands for an attribute, and the result
    of `text` or `number` for a value.
    """

    user_id: str
    index: str | None  # else the table itself
    ascending: bool
    sort_range: str | None = None  # a condition on the sort key: `taken_key` in the index, or `id`
    filters: list[str] = field(default_factory=list)
    attributes: tuple[str, ...] = (*SHOWN, "taken_key")  # all of them if there are none
    most: int | None = None  # items that one call reads
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return the placeholder of a text."""
        return self._placeholder({"S": value})

    def number(self, value: float) -> str:
        """Return the placeholder of a number."""
        return self._placeholder({"N": repr(value)})

    def flag(self, value: bool) -> str:
        """Return the placeholder of a boolean."""
        return self._placeholder({"BOOL": value})

    def _placeholder(self, value: dict[str, Any]) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


class ItemReader:
    """Reads items of the table of photos. No other code may read with `client`."""

    def __init__(
        self, client: Any, table: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep
        for operation in ("Query", "BatchGetItem"):
            client.meta.events.register(f"before-parse.dynamodb.{operation}", _keep_body)

    def pages(
        self, query: ItemQuery, limit: int | None, start: dict[str, Any] | None
    ) -> Iterator[tuple[list[Any], dict[str, Any] | None]]:
        """Yield what each call finds, and the key up to which it has read, None at the end.

        The calls together read `limit` items after the key `start`, and as many again as a filter
        has excluded. Items have all of `query.attributes`.
        """
        arguments = self._arguments(query)
        if query.most:
            arguments["Limit"] = query.most
        found = excluded = 0
        while True:
            if limit:
                arguments["Limit"] = max(1, limit - found) + excluded
            if start:
                arguments["ExclusiveStartKey"] = start
            response = _decode(self._client.query(**arguments)["Body"])
            found += len(response.Items)
            excluded += max(0, response.ScannedCount - len(response.Items))
            yield response.Items, response.LastEvaluatedKey
            start = response.LastEvaluatedKey
            if not start:
                return

    def counters(self, user_id: str, prefix: str) -> dict[str, int]:
        """Return all numbers of the items whose IDs begin with a prefix, by their names."""
        query = ItemQuery(user_id, None, ascending=True, attributes=())
        query.sort_range = f"begins_with(#id, {query.text(prefix)})"
        arguments = self._arguments(query)
        counters: dict[str, int] = {}
        while True:
            response = _decode_counters(self._client.query(**arguments)["Body"])
            for item in response.Items:
                for name, value in item.items():
                    if value.N is not None:
                        counters[name] = counters.get(name, 0) + int(value.N)
            if not response.LastEvaluatedKey:
                return counters
            arguments["ExclusiveStartKey"] = response.LastEvaluatedKey

    def get(self, user_id: str, ids: list[str], attributes: tuple[str, ...]) -> dict[str, Any]:
        """Return those items that exist, by ID. Raises Throttled.

        DynamoDB returns at most 16 MB at once, and what its capacity allows.
        """
        found: dict[str, Any] = {}
        names = {f"#{name}": name for name in dict.fromkeys(("id", *attributes))}
        expressions = {
            "ProjectionExpression": ",".join(names),
            "ExpressionAttributeNames": names,
            # A change is visible as soon as it was acknowledged.
            "ConsistentRead": True,
        }
        keys = [{"user_id": {"S": user_id}, "id": {"S": one}} for one in dict.fromkeys(ids)]
        failures = 0
        while keys:
            batch, keys = keys[:MAX_BATCH], keys[MAX_BATCH:]
            request = {self._table: {"Keys": batch, **expressions}}
            response = _decode_batch(self._client.batch_get_item(RequestItems=request)["Body"])
            found |= {item.id.S: item for item in response.Responses.get(self._table, [])}
            left = response.UnprocessedKeys.get(self._table, {}).get("Keys", [])
            keys = left + keys
            failures = failures + 1 if len(left) == len(batch) else 0
            if failures == _TRIES:
                raise Throttled
            if failures:
                longest = _FIRST_PAUSE * 2 ** (failures - 1)
                self._sleep(random.uniform(0, longest))  # noqa: S311 (not a secret)
        return found

    def _arguments(self, query: ItemQuery) -> dict[str, Any]:
        key = f"#user_id = {query.text(query.user_id)}"
        expressions = {
            "KeyConditionExpression": f"{key} AND {query.sort_range}" if query.sort_range else key,
        }
        if query.attributes:
            expressions["ProjectionExpression"] = ",".join(f"#{name}" for name in query.attributes)
        if query.filters:
            expressions["FilterExpression"] = " AND ".join(query.filters)
        names = dict.fromkeys(_PLACEHOLDER.findall(" ".join(expressions.values())))
        return {
            "TableName": self._table,
            **({"IndexName": query.index} if query.index else {}),
            **expressions,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": query.values,
            "ScanIndexForward": query.ascending,
            # A photo is listed as soon as its upload was acknowledged.
            "ConsistentRead": True,
        }


def _keep_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep the body of a response from botocore's parser, unless it reports an error."""
    if response_dict["status_code"] == 200:
        customized_response_dict["Body"] = response_dict["body"]
        response_dict["body"] = b"{}"
