"""Photos' rows as lists read them, by the thousand: straight from DynamoDB's JSON.

PynamoDB and botocore's parser would take most of a list's time. botocore still signs, sends, tries
again and tells of errors; only the body of an answer that succeeded is read here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from chalicelib.rows import BY_TAKEN, SHOWN


class _Text(msgspec.Struct, frozen=True, gc=False):
    S: str | None = None  # as DynamoDB writes it


class _Number(msgspec.Struct, frozen=True, gc=False):
    N: int | float | None = None


_NO_TEXT, _EMPTY, _NO_NUMBER = _Text(), _Text(""), _Number()


class Row(msgspec.Struct, gc=False):
    """The attributes of one photo that were asked for."""

    id: _Text = _NO_TEXT
    user_id: _Text = _NO_TEXT
    taken_key: _Text = _NO_TEXT
    filename: _Text = _NO_TEXT
    filename_orig: _Text = _NO_TEXT
    filesize: _Number = _NO_NUMBER
    content_type: _Text = _NO_TEXT
    sha256: _Text = _NO_TEXT
    width: _Number = _NO_NUMBER
    height: _Number = _NO_NUMBER
    tags: _Text = _EMPTY
    desc: _Text = _EMPTY
    make: _Text = _NO_TEXT
    model: _Text = _NO_TEXT
    city: _Text = _NO_TEXT
    nation: _Text = _NO_TEXT
    address: _Text = _NO_TEXT
    geotag_lat: _Number = _NO_NUMBER
    geotag_lng: _Number = _NO_NUMBER
    taken_date: _Text = _NO_TEXT
    upload_date: _Text = _NO_TEXT


class _Answer(msgspec.Struct):
    Items: list[Row]
    LastEvaluatedKey: dict[str, dict[str, str]] | None = None


# Not strict, as DynamoDB writes numbers as texts.
_decode = msgspec.json.Decoder(_Answer, strict=False).decode

_values = attrgetter(
    *(f"{one}.{'N' if Row.__annotations__[one] is _Number else 'S'}" for one in SHOWN)
)
_PLACEHOLDER = re.compile(r"#(\w+)")


def shown(row: Row) -> dict[str, Any]:
    """Return what a row and the photo object of the API have in common."""
    return dict(zip(SHOWN, _values(row), strict=True))


@dataclass
class RowQuery:
    """Which rows of one user are read, and in which order.

    Conditions are DynamoDB's expressions, in which `#name` stands for an attribute, and what `text`
    and `number` return for a value.
    """

    user_id: str
    by_taken: bool  # in the index, else in the table itself
    ascending: bool
    taken: str | None = None  # a condition on `taken_key`, which the index is sorted by
    filters: list[str] = field(default_factory=list)
    attributes: tuple[str, ...] = (*SHOWN, "taken_key")
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return what stands for a text."""
        return self._placeholder({"S": value})

    def number(self, value: float) -> str:
        """Return what stands for a number."""
        return self._placeholder({"N": repr(value)})

    def _placeholder(self, value: dict[str, str]) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


class RowReader:
    """Reads rows of the table of photos. Queries of `client` are this reader's alone."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        client.meta.events.register("before-parse.dynamodb.Query", _leave_body)

    def pages(
        self, query: RowQuery, limit: int | None, start: dict[str, Any] | None
    ) -> Iterator[tuple[list[Row], dict[str, Any] | None]]:
        """Return what each call finds, and the key up to which it has looked, None at the end.

        A call looks at `limit` rows behind the key `start`. Rows have all of `query.attributes`.
        """
        arguments = self._arguments(query, limit)
        while True:
            if start:
                arguments["ExclusiveStartKey"] = start
            answer = _decode(self._client.query(**arguments)["Body"])
            yield answer.Items, answer.LastEvaluatedKey
            start = answer.LastEvaluatedKey
            if not start:
                return

    def _arguments(self, query: RowQuery, limit: int | None) -> dict[str, Any]:
        key = f"#user_id = {query.text(query.user_id)}"
        expressions = {
            "KeyConditionExpression": f"{key} AND {query.taken}" if query.taken else key,
            "ProjectionExpression": ",".join(f"#{name}" for name in query.attributes),
        }
        if query.filters:
            expressions["FilterExpression"] = " AND ".join(query.filters)
        names = dict.fromkeys(_PLACEHOLDER.findall(" ".join(expressions.values())))
        return {
            "TableName": self._table,
            **({"IndexName": BY_TAKEN} if query.by_taken else {}),
            **expressions,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": query.values,
            "ScanIndexForward": query.ascending,
            # So that a photo is listed as soon as its upload was answered.
            "ConsistentRead": True,
            **({"Limit": limit} if limit else {}),
        }


def _leave_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep the body of an answer from botocore's parser, unless it tells of an error."""
    if response_dict["status_code"] == 200:
        customized_response_dict["Body"] = response_dict["body"]
        response_dict["body"] = b"{}"
