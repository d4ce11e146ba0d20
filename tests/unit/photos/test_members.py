"""Favorites and the trash: members of a list, and then the photos that they name."""

from typing import Any

import pytest

from chalicelib.errors import Throttled
from chalicelib.photos.cursors import Cursors
from chalicelib.photos.lists import Page, PhotoLists
from chalicelib.photos.photo import URLS, PhotoQuery
from chalicelib.photos.query import ItemReader
from tests.support.stubs import DynamoDB, failed, found, got

FAVORITES = "key#list#favorites#"
TRASH = "key#list#trash#"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return DynamoDB(monkeypatch)


@pytest.fixture
def lists(dynamodb: DynamoDB) -> PhotoLists:
    urls = dict.fromkeys(URLS.values(), "https://u")
    reader = ItemReader(dynamodb.client(), "Photo", lambda _: None)
    return PhotoLists(reader, lambda fields, _: fields | urls, Cursors(lambda: "secret"))


def member(number: int, prefix: str = FAVORITES) -> dict[str, Any]:
    return {"id": {"S": f"{prefix}2019#{number:04}"}}


def members(*numbers: int, last: bool = False, prefix: str = FAVORITES) -> tuple[int, str]:
    """Return DynamoDB's response with these members, after which there may be more."""
    end = {"LastEvaluatedKey": {"user_id": {"S": "sub-1"}, **member(numbers[-1])}} if last else {}
    return found(*(member(number, prefix) for number in numbers), **end)


def favorite(number: int, **changes: Any) -> dict[str, Any]:
    item = {"id": {"S": f"{number:04}"}, "state": {"S": "ready"}, "favorite": {"BOOL": True}}
    return item | changes


def favorites(*numbers: int, **more: Any) -> tuple[int, str]:
    # DynamoDB does not keep the order of the keys.
    return got(*(favorite(number) for number in reversed(numbers)), **more)


def ids(page: Page) -> list[int]:
    return [int(photo["id"]) for photo in page.photos]


def keys_of(request: dict[str, Any]) -> list[int]:
    return [int(key["id"]["S"]) for key in request["RequestItems"]["Photo"]["Keys"]]


def test_page_of_fifty_takes_two_calls_and_reads_no_photo_but_its_own(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [members(*range(51), last=True), favorites(*range(50))]
    page = lists.page("sub-1", PhotoQuery(favorite=True, limit=50))
    assert (ids(page), bool(page.next_cursor)) == (list(range(50)), True)
    query, batch = dynamodb.requests
    assert (query["Limit"], query["ConsistentRead"], query["ScanIndexForward"]) == (51, True, False)
    assert "IndexName" not in query
    assert query["KeyConditionExpression"] == "#user_id = :v2 AND #id BETWEEN :v0 AND :v1"
    bounds = {":v0": {"S": FAVORITES}, ":v1": {"S": f"{FAVORITES}~"}, ":v2": {"S": "sub-1"}}
    assert query["ExpressionAttributeValues"] == bounds
    assert query["ProjectionExpression"] == "#id"
    assert keys_of(batch) == list(range(50))
    assert batch["RequestItems"]["Photo"]["ConsistentRead"] is True


def test_next_page_begins_after_the_last_photo_whether_or_not_it_is_still_a_member(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [members(1, 2, 3, last=True), favorites(1, 2)]
    first = lists.page("sub-1", PhotoQuery(favorite=True, limit=2))
    dynamodb.responses = [members(3), favorites(3)]
    second = lists.page("sub-1", PhotoQuery(favorite=True, limit=2, cursor=first.next_cursor))
    assert (ids(second), second.next_cursor) == ([3], None)
    start = dynamodb.requests[2]["ExclusiveStartKey"]
    assert start == {"user_id": {"S": "sub-1"}, **member(2)}


@pytest.mark.parametrize(
    "gone",
    [
        [],
        [favorite(2, favorite={"BOOL": False})],
        [favorite(2, state={"S": "trashed"})],
        [favorite(2, state={"S": "deleting"})],
        [{"id": {"S": "0002"}, "state": {"S": "ready"}}],
    ],
)
def test_photo_that_is_no_longer_a_favorite_is_replaced_by_the_next_one(
    lists: PhotoLists, dynamodb: DynamoDB, gone: list[Any]
) -> None:
    dynamodb.responses = [
        members(1, 2, 3, 4, last=True),
        got(favorite(1), *gone, favorite(3)),
        favorites(4),
        members(5),
        favorites(5),
    ]
    page = lists.page("sub-1", PhotoQuery(favorite=True, limit=3))
    assert (ids(page), bool(page.next_cursor)) == ([1, 3, 4], True)
    dynamodb.responses = [members(5), favorites(5)]
    query = PhotoQuery(favorite=True, limit=3, cursor=page.next_cursor)
    assert ids(lists.page("sub-1", query)) == [5]


def test_last_page_has_no_cursor(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [members(1, 2), favorites(1, 2)]
    page = lists.page("sub-1", PhotoQuery(favorite=True, limit=2))
    assert (ids(page), page.next_cursor) == ([1, 2], None)
    dynamodb.responses = [found()]
    page = lists.page("sub-1", PhotoQuery(favorite=True))
    assert (ids(page), page.next_cursor) == ([], None)


def test_large_page_reads_a_hundred_photos_at_once(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [
        members(*range(251), last=True),
        favorites(*range(100)),
        favorites(*range(100, 200)),
        favorites(*range(200, 250)),
    ]
    page = lists.page("sub-1", PhotoQuery(favorite=True, limit=250))
    assert (ids(page), bool(page.next_cursor)) == (list(range(250)), True)


def test_page_ends_before_it_is_too_large(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    long = [favorite(number, desc={"S": "x" * 2_000_000}) for number in range(3)]
    dynamodb.responses = [members(0, 1, 2), got(*long)]
    page = lists.page("sub-1", PhotoQuery(favorite=True))
    assert ids(page) == [0, 1]
    dynamodb.responses = [members(2), got(long[2])]
    page = lists.page("sub-1", PhotoQuery(favorite=True, cursor=page.next_cursor))
    assert ids(page) == [2]
    assert dynamodb.requests[2]["ExclusiveStartKey"]["id"] == member(1)["id"]


def test_photos_that_dynamodb_leaves_unread_are_read_in_the_same_page(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    left = [{"user_id": {"S": "sub-1"}, "id": {"S": f"{number:04}"}} for number in (2, 3)]
    dynamodb.responses = [members(1, 2, 3), favorites(1, left=left), favorites(2, 3)]
    assert ids(lists.page("sub-1", PhotoQuery(favorite=True))) == [1, 2, 3]


def test_page_whose_photos_are_throttled_has_what_was_read_before_and_a_cursor(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    left = [{"user_id": {"S": "sub-1"}, "id": {"S": "0100"}}]
    dynamodb.responses = [members(*range(101)), favorites(*range(100)), *[got(left=left)] * 6]
    page = lists.page("sub-1", PhotoQuery(favorite=True))
    assert ids(page) == list(range(100))
    dynamodb.responses = [members(100), favorites(100)]
    page = lists.page("sub-1", PhotoQuery(favorite=True, cursor=page.next_cursor))
    assert (ids(page), page.next_cursor) == ([100], None)
    dynamodb.responses = [members(100), *[got(left=left)] * 6]
    with pytest.raises(Throttled):
        lists.page("sub-1", PhotoQuery(favorite=True))


def test_search_in_a_list_reads_a_thousand_members_and_a_hundred_photos_at_once(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    rare = [favorite(number, search_text={"S": "a rare bird"}) for number in (7, 150)]
    dynamodb.responses = [members(*range(200)), got(rare[0], favorite(8)), got(rare[1])]
    page = lists.page("sub-1", PhotoQuery(favorite=True, words=("rare",), limit=10))
    assert (ids(page), page.next_cursor) == ([7, 150], None)
    assert [request.get("Limit") for request in dynamodb.requests] == [1000, None, None]


def test_search_stops_reading_when_its_page_is_full(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    text = {"S": "rare"}
    dynamodb.responses = [
        members(*range(200)),
        got(*(favorite(number, search_text=text) for number in (3, 4, 5))),
    ]
    page = lists.page("sub-1", PhotoQuery(favorite=True, words=("rare",), limit=2))
    assert ids(page) == [3, 4]
    dynamodb.responses = [members(5), got(favorite(5, search_text=text))]
    query = PhotoQuery(favorite=True, words=("rare",), limit=2, cursor=page.next_cursor)
    assert ids(lists.page("sub-1", query)) == [5]
    assert dynamodb.requests[2]["ExclusiveStartKey"]["id"] == member(4)["id"]


def test_search_that_takes_long_ends_after_five_seconds_with_a_cursor(
    lists: PhotoLists, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0, 2.5, 5.5])  # seconds: when the page begins, and after each hundred photos
    monkeypatch.setattr("chalicelib.photos.lists.time.monotonic", lambda: next(moments))
    dynamodb.responses = [members(*range(500)), favorites(1), favorites(101)]
    page = lists.page("sub-1", PhotoQuery(favorite=True, words=("rare",)))
    assert (ids(page), bool(page.next_cursor)) == ([], True)
    monkeypatch.undo()
    dynamodb.responses = [found()]
    lists.page("sub-1", PhotoQuery(favorite=True, words=("rare",), cursor=page.next_cursor))
    assert dynamodb.requests[-1]["ExclusiveStartKey"]["id"] == member(199)["id"]


def test_throttled_first_call_is_an_error(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [failed("ProvisionedThroughputExceededException")] * 2
    with pytest.raises(Exception, match="ProvisionedThroughputExceeded"):
        lists.page("sub-1", PhotoQuery(favorite=True))


def test_dates_of_favorites_are_bounds_of_their_keys(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [found()]
    lists.page("sub-1", PhotoQuery(favorite=True, first="2019", last="2020~", order="asc", limit=5))
    [query] = dynamodb.requests
    values = query["ExpressionAttributeValues"]
    assert (values[":v0"], values[":v1"]) == ({"S": f"{FAVORITES}2019"}, {"S": f"{FAVORITES}2020~"})
    assert (query["ScanIndexForward"], query["Limit"]) == (True, 6)


@pytest.mark.parametrize("sort", ["taken", "uploaded"])
def test_trash_is_listed_by_the_time_it_was_filled(
    lists: PhotoLists, dynamodb: DynamoDB, sort: str
) -> None:
    trashed = {"state": {"S": "trashed"}}
    restored = favorite(2)
    dynamodb.responses = [members(1, 2, prefix=TRASH), got(favorite(1, **trashed), restored)]
    page = lists.page("sub-1", PhotoQuery(trashed=True, sort=sort, limit=2))
    assert ids(page) == [1]
    query = dynamodb.requests[0]
    assert query["ExpressionAttributeValues"][":v0"] == {"S": TRASH}
    assert (query["ScanIndexForward"], query["Limit"]) == (False, 3)


def test_dates_of_the_trash_are_compared_with_the_time_each_photo_was_taken(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dates = ["2018-12-31T23:59:59+14:00", "2019-01-01T00:00:00", "2019-12-31T23:59:59-12:00"]
    trashed = [
        favorite(number, state={"S": "trashed"}, taken_date={"S": date})
        for number, date in enumerate(dates)
    ]
    undated = {"state": {"S": "trashed"}, "upload_date": {"S": "2019-06-01T00:00:00.000+00:00"}}
    dynamodb.responses = [
        members(*range(5), prefix=TRASH),
        got(
            *trashed,
            favorite(3, **undated),
            favorite(4, **undated | {"upload_date": {"S": "2020-01-01"}}),
        ),
    ]
    query = PhotoQuery(trashed=True, first="2019-01-01", last="2019-12-31~")
    assert ids(lists.page("sub-1", query)) == [1, 2, 3]
    values = dynamodb.requests[0]["ExpressionAttributeValues"]
    assert (values[":v0"], values[":v1"]) == ({"S": TRASH}, {"S": f"{TRASH}~"})
    assert dynamodb.requests[0]["Limit"] == 1000  # Most of them may be of other dates.


def test_favorites_by_upload_are_a_search_in_the_table(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [found()]
    lists.page("sub-1", PhotoQuery(favorite=True, sort="uploaded", limit=5))
    [query] = dynamodb.requests
    assert query["FilterExpression"] == "#state = :v1 AND #favorite = :v2"
    assert query["ExpressionAttributeValues"][":v2"] == {"BOOL": True}
    assert "Limit" not in query
