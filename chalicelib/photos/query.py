"""Photos' items as lists read them, by the thousand: straight from DynamoDB's JSON.

PynamoDB and botocore's parser would take most of a list's time. botocore still signs, sends,
retries and reports errors; only the body of a successful response is read here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from chalicelib.photos.photo import EMPTY_TEXTS, FLAGS, ID_LISTS, NUMBERS, SHOWN

BY_TAKEN = "by_taken"  # the index of ready photos by the time they were taken


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


_NO_TEXT, _EMPTY, _NO_NUMBER = _Text(), _Text(""), _Number()
_NO_FLAG, _NO_TEXTS = _Flag(), _TextList()


def _attribute(name: str) -> tuple[str, type, Any]:
    if name in FLAGS:
        return name, _Flag, _NO_FLAG
    if name in ID_LISTS:
        return name, _TextList, _NO_TEXTS
    if name in NUMBERS:
        return name, _Number, _NO_NUMBER
    return name, _Text, _EMPTY if name in EMPTY_TEXTS else _NO_TEXT


# One photo's attributes, those that were asked for; mypy cannot see what is created at run time.
Item: Any = msgspec.defstruct(
    "Item", [_attribute(name) for name in (*SHOWN, "taken_key")], gc=False
)


class _Response(msgspec.Struct):
    Items: list[Item]
    ScannedCount: int = 0  # with those that the filter excluded
    LastEvaluatedKey: dict[str, dict[str, str]] | None = None


# Not strict, as DynamoDB writes numbers as strings.
_decode = msgspec.json.Decoder(_Response, strict=False).decode


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
    attributes: tuple[str, ...] = (*SHOWN, "taken_key")
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return the placeholder of a text."""
        return self._placeholder({"S": value})

    def number(self, value: float) -> str:
        """Return the placeholder of a number."""
        return self._placeholder({"N": repr(value)})

    def _placeholder(self, value: dict[str, str]) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


class ItemReader:
    """Reads items of the table of photos. No other code may send queries with `client`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        client.meta.events.register("before-parse.dynamodb.Query", _keep_body)

    def pages(
        self, query: ItemQuery, limit: int | None, start: dict[str, Any] | None
    ) -> Iterator[tuple[list[Any], dict[str, Any] | None]]:
        """Yield what each call finds, and the key up to which it has read, None at the end.

        The calls together read `limit` items after the key `start`, and as many again as a filter
        has excluded. Items have all of `query.attributes`.
        """
        arguments = self._arguments(query)
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

    def _arguments(self, query: ItemQuery) -> dict[str, Any]:
        key = f"#user_id = {query.text(query.user_id)}"
        expressions = {
            "KeyConditionExpression": f"{key} AND {query.sort_range}" if query.sort_range else key,
            "ProjectionExpression": ",".join(f"#{name}" for name in query.attributes),
        }
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
