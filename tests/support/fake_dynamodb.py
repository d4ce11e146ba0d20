"""DynamoDB in a dictionary, below PynamoDB: for tests with thousands of transactions.

It evaluates the expressions that PynamoDB writes, which have parentheses around every AND, OR and
NOT, and placeholders for every name and value.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, VerboseClientError

Item = dict[str, dict[str, Any]]
_TOKEN = re.compile(r"[(),]|[#:]\d+|<>|<=|>=|[=<>]|\w+")
_CLAUSE = re.compile(r"(SET|REMOVE|ADD|DELETE) (.*?)(?= (?:SET|REMOVE|ADD|DELETE) |$)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}
_KEYS = {"Photo": ("user_id", "id"), "User": ("sub",)}


def plain(value: dict[str, Any]) -> Any:
    """Return an attribute's value as Python has it."""
    [(kind, content)] = value.items()
    if kind == "N":
        return Decimal(content)
    if kind == "L":
        return [plain(one) for one in content]
    return set(content) if kind == "SS" else content


class _Condition:
    def __init__(self, item: Item, request: dict[str, Any], expression: str) -> None:
        self._item = item
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._tokens = _TOKEN.findall(expression)[::-1]

    def holds(self) -> bool:
        token = self._tokens.pop()
        if token == "(":
            return self._parenthesis()
        if token in ("attribute_exists", "attribute_not_exists"):
            is_absent: bool = self._in_parentheses() is None
            return is_absent is (token == "attribute_not_exists")
        return self._comparison(token)

    def _parenthesis(self) -> bool:
        if self._tokens[-1] == "NOT":
            self._tokens.pop()
            result = not self.holds()
        else:
            result = self.holds()
            operator = self._tokens[-1]
            if operator in ("AND", "OR"):
                self._tokens.pop()
                other = self.holds()
                result = (result and other) if operator == "AND" else (result or other)
        assert self._tokens.pop() == ")"
        return result

    def _comparison(self, token: str) -> bool:
        left = self._operand(token)
        operator = self._tokens.pop()
        right = self._operand(self._tokens.pop())
        if operator == "BETWEEN":
            assert self._tokens.pop() == "AND"
            last = self._operand(self._tokens.pop())
            return left is not None and bool(right <= left <= last)
        return left is not None and _COMPARE[operator](left, right)

    def _operand(self, token: str) -> Any:
        if token == "size":
            content = self._in_parentheses()
            return None if content is None else len(content)
        if token.startswith(":"):
            return plain(self._values[token])
        value = self._item.get(self._names[token])
        return None if value is None else plain(value)

    def _in_parentheses(self) -> Any:
        assert self._tokens.pop() == "("
        value = self._operand(self._tokens.pop())
        assert self._tokens.pop() == ")"
        return value


def _updated(item: Item, request: dict[str, Any]) -> Item:
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    new = dict(item)
    for keyword, clause in _CLAUSE.findall(request["UpdateExpression"]):
        for part in clause.split(", "):
            place, *rest = part.replace(" = ", " ").split(" ")
            name = names[place]
            value: Any = values[rest[0]] if rest else None
            if keyword == "SET":
                new[name] = value
            elif keyword == "REMOVE":
                new.pop(name, None)
            elif "N" in value:
                new[name] = {"N": str(plain(new.get(name, {"N": "0"})) + plain(value))}
            else:
                old = plain(new.get(name, {"SS": []}))
                ids = old | plain(value) if keyword == "ADD" else old - plain(value)
                new[name] = {"SS": sorted(ids)}
                if not ids:
                    del new[name]
    return new


class FakeDynamoDB:
    """The tables of the album. `before_transaction` may raise in the place of a transaction."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[str, ...], Item]] = {"Photo": {}, "User": {}}
        self.transactions = 0
        self.before_transaction: Callable[[], None] = lambda: None
        self.after_transaction: Callable[[], None] = lambda: None

    def call(self, _: Connection, operation: str, request: dict[str, Any]) -> Any:
        """Respond to what PynamoDB sends."""
        return getattr(self, operation)(request)

    def GetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self._item(request)
        return {"Item": dict(item)} if item else {}

    def PutItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write("Put", request)

    def UpdateItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write("Update", request)

    def DeleteItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write("Delete", request)

    def Query(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.tables[request["TableName"]]
        found = [
            item
            for _, item in sorted(table.items())
            if _Condition(item, request, request["KeyConditionExpression"]).holds()
        ]
        found = found[: request.get("Limit")]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def TransactWriteItems(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.before_transaction()
        writes = [next(iter(one.items())) for one in request["TransactItems"]]
        places = [(one["TableName"], self._key(one)) for _, one in writes]
        assert len(set(places)) == len(places) <= 100, "one operation per item, 100 in all"
        reasons = [None if self._may(one) else failed() for _, one in writes]
        if any(reasons):
            raise cancelled(reasons)
        for kind, one in writes:
            self._apply(kind, one)
        self.transactions += 1
        self.after_transaction()
        return {}

    def _write(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        if not self._may(request):
            error = {"Code": "ConditionalCheckFailedException", "Message": "failed"}
            raise VerboseClientError({"Error": error}, f"{kind}Item")
        self._apply(kind, request)
        return {"Attributes": dict(self._item(request))}

    def _apply(self, kind: str, request: dict[str, Any]) -> None:
        table, key = self.tables[request["TableName"]], self._key(request)
        if kind == "Put":
            table[key] = request["Item"]
        elif kind == "Delete":
            table.pop(key, None)
        elif kind == "Update":
            table[key] = _updated(table.get(key, dict(request["Key"])), request)

    def _may(self, request: dict[str, Any]) -> bool:
        expression = request.get("ConditionExpression")
        return not expression or _Condition(self._item(request), request, expression).holds()

    def _item(self, request: dict[str, Any]) -> Item:
        return self.tables[request["TableName"]].get(self._key(request), {})

    def _key(self, request: dict[str, Any]) -> tuple[str, ...]:
        given = request["Key"] if "Key" in request else request["Item"]
        return tuple(given[name]["S"] for name in _KEYS[request["TableName"]])


def failed() -> CancellationReason:
    return CancellationReason(code="ConditionalCheckFailed", message="failed")


def cancelled(reasons: list[CancellationReason | None]) -> VerboseClientError:
    """Return the error of a transaction that DynamoDB cancels."""
    error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
    return VerboseClientError({"Error": error}, "TransactWriteItems", cancellation_reasons=reasons)
