"""What the integrity check reads from the tables, page by page and at its own pace."""

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.accounts.models import User
from chalicelib.integrity.pace import Pace
from chalicelib.photos.derived import LISTS, TAGS
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX

# Sorts before every photo ID; the keys of DynamoDB have at least one character.
FIRST_ID = " "
# What one read unit returns at least, unless an item has more than 2 kB: most have about 1 kB. A
# page may then consume what a second allows, however small that is.
_ITEMS_PER_UNIT = 4


class Tables:
    """The tables of photos and users, each with its own pace.

    Lists are eventually consistent, for half the units, as whatever seems wrong is read again.
    """

    def __init__(
        self,
        client: Any,
        names: tuple[str, str],
        make_pace: Callable[[], Pace],
    ) -> None:
        self._client = client
        self._photo_table, self._user_table = names
        self._photo_pace, self._user_pace = make_pace(), make_pace()

    def check_time(self) -> None:
        """Raise TimeIsUp after the deadline, as every other method does."""
        self._photo_pace.check_time()

    def user(self, sub: str) -> User | None:
        """Return the item of an account, or None."""
        return self._user_pace.read(lambda: User.find(sub), _one_unit)

    def photo(self, sub: str, photo_id: str) -> Photo | None:
        """Return a photo in any state, or None."""
        return self._photo_pace.read(lambda: Photo.find(sub, photo_id), _one_unit)

    def user_ids(self) -> Iterator[str]:
        """Yield the `sub` of every user who has an item."""
        request = {"TableName": self._user_table, "ProjectionExpression": "#sub"}
        names = {"#sub": "sub"}
        for item in self._items(self._user_pace, "scan", request, names):
            yield item["sub"]["S"]

    def owners(self, segment: int, segments: int) -> Iterator[str]:
        """Yield the owner of each item of photos in one of equal segments of the table."""
        request = {
            "TableName": self._photo_table,
            "ProjectionExpression": "#owner",
            "Segment": segment,
            "TotalSegments": segments,
        }
        for item in self._items(self._photo_pace, "scan", request, {"#owner": "user_id"}):
            yield item["user_id"]["S"]

    def photos(
        self, sub: str, first: str = FIRST_ID, before: str = KEY_PREFIX, consistent: bool = False
    ) -> Iterator[Photo]:
        """Yield a user's photos in any state, in order of their IDs, from `first` to `before`.

        Used Idempotency-Keys, whose items are in the same partition, are left out.
        """
        before = min(before, KEY_PREFIX)
        if first >= before:
            return
        request = {
            "TableName": self._photo_table,
            "KeyConditionExpression": "#owner = :owner AND #id BETWEEN :first AND :before",
            "ExpressionAttributeValues": {
                ":owner": {"S": sub},
                ":first": {"S": first},
                ":before": {"S": before},
            },
            "ConsistentRead": consistent,
        }
        names = {"#owner": "user_id", "#id": "id"}
        for item in self._items(self._photo_pace, "query", request, names):
            yield Photo.from_raw_data(item)

    def derived_items(self, sub: str, consistent: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the items that `derived` defines, of one user, in DynamoDB's JSON."""
        names = {"#owner": "user_id", "#id": "id"}
        values = {":owner": {"S": sub}, ":first": {"S": LISTS}, ":last": {"S": f"{TAGS}~"}}
        request = {
            "TableName": self._photo_table,
            # Used Idempotency-Keys sort before them, as their hashes are hexadecimal.
            "KeyConditionExpression": "#owner = :owner AND #id BETWEEN :first AND :last",
            "ExpressionAttributeValues": values,
            "ConsistentRead": consistent,
        }
        yield from self._items(self._photo_pace, "query", request, names)

    def _items(
        self, pace: Pace, operation: str, request: dict[str, Any], names: dict[str, str]
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a query or a scan, in DynamoDB's JSON."""
        request |= {"ExpressionAttributeNames": names, "ReturnConsumedCapacity": "TOTAL"}
        if pace.rate is not None:
            request["Limit"] = max(1, int(pace.rate * _ITEMS_PER_UNIT))
        call = getattr(self._client, operation)
        while True:
            page = pace.read(lambda: call(**request), _consumed)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _consumed(page: dict[str, Any]) -> float:
    return float(page["ConsumedCapacity"]["CapacityUnits"])


def _one_unit(_: object) -> float:
    """Return what a consistent read of one item of at most 4 kB consumes."""
    return 1.0
