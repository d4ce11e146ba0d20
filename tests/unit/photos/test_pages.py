"""Pages of lists as DynamoDB provides them: in several calls, some of which it throttles."""

import json
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from chalicelib.clients import ATTEMPTS, as_album_error
from chalicelib.errors import Throttled
from chalicelib.photos.cursors import Cursors
from chalicelib.photos.lists import _URL_OVERHEAD, Page, PhotoLists, _response_bytes
from chalicelib.photos.photo import URLS, PhotoQuery
from chalicelib.photos.query import ItemReader
from tests.support.stubs import DynamoDB, failed, found

THROTTLED = [failed("ProvisionedThroughputExceededException")] * ATTEMPTS
SEARCH = PhotoQuery(words=("sea",))
UPLOADED = PhotoQuery(sort="uploaded", limit=3)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return DynamoDB(monkeypatch)


@pytest.fixture
def lists(dynamodb: DynamoDB) -> PhotoLists:
    return lists_with_urls(dynamodb, dict.fromkeys(URLS.values(), "https://u"))


def lists_with_urls(dynamodb: DynamoDB, urls: dict[str, str]) -> PhotoLists:
    """Return lists whose photos have these URLs, if they are requested."""

    def with_urls(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return fields | {URLS[name]: urls[URLS[name]] for name in names}

    return PhotoLists(ItemReader(dynamodb.client(), "Photo"), with_urls, Cursors(lambda: "secret"))


def item(number: int) -> dict[str, Any]:
    return {"id": {"S": str(number)}, "taken_key": {"S": f"2019#{number}"}}


def page(*numbers: int, last: int | None = None, scanned: int | None = None) -> tuple[int, str]:
    """Return DynamoDB's response with these photos, of which `last` was the last one it read."""
    more: dict[str, Any] = {"ScannedCount": len(numbers) if scanned is None else scanned}
    if last is not None:
        more["LastEvaluatedKey"] = {"user_id": {"S": "sub-1"}, **item(last)}
    return found(*map(item, numbers), **more)


def ids(page: Page) -> list[str]:
    return [photo["id"] for photo in page.photos]


def test_throttled_page_has_what_was_read_before_and_a_cursor(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [page(1, 2, last=500), page(3, last=900), *THROTTLED]
    first = lists.page("sub-1", SEARCH)
    assert ids(first) == ["1", "2", "3"]
    dynamodb.responses = [page(4, last=950), page(5)]
    second = lists.page("sub-1", PhotoQuery(words=("sea",), cursor=first.next_cursor))
    assert (ids(second), second.next_cursor) == (["4", "5"], None)
    # It begins after the last item that was read, though that one did not match.
    assert dynamodb.requests[-2]["ExclusiveStartKey"]["id"] == {"S": "900"}


def test_throttled_page_that_found_nothing_yet_still_has_a_cursor(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [page(last=500), *THROTTLED]
    first = lists.page("sub-1", SEARCH)
    assert (ids(first), bool(first.next_cursor)) == ([], True)
    dynamodb.responses = [page(last=900), *THROTTLED]
    second = lists.page("sub-1", PhotoQuery(words=("sea",), cursor=first.next_cursor))
    assert second.next_cursor not in (None, first.next_cursor)


def test_page_is_throttled_if_nothing_could_be_read(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = list(THROTTLED)
    with pytest.raises(ClientError) as raised:
        lists.page("sub-1", SEARCH)
    assert isinstance(as_album_error(raised.value), Throttled)


def test_other_error_after_the_first_call_is_raised(lists: PhotoLists, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [page(1, last=500), failed("AccessDeniedException")]
    with pytest.raises(ClientError, match="AccessDenied"):
        lists.page("sub-1", SEARCH)


@pytest.mark.parametrize("sort", ["taken", "uploaded"])
def test_page_reads_one_photo_more_than_it_has(
    lists: PhotoLists, dynamodb: DynamoDB, sort: str
) -> None:
    dynamodb.responses = [page(1, 2, 3, 4, last=4)]
    listed = lists.page("sub-1", PhotoQuery(sort=sort, limit=3))
    assert (ids(listed), bool(listed.next_cursor)) == (["1", "2", "3"], True)
    [request] = dynamodb.requests
    assert request["Limit"] == 4


def test_next_call_reads_only_what_the_page_still_needs(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    # DynamoDB returns at most 1 MB for each call.
    dynamodb.responses = [page(1, 2, last=2), page(3, 4, last=4)]
    lists.page("sub-1", PhotoQuery(limit=3))
    assert [request["Limit"] for request in dynamodb.requests] == [4, 2]


def test_page_that_is_found_slowly_ends_after_five_seconds_with_a_cursor(
    lists: PhotoLists, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0, 2.5, 5, 5.5, 8])  # seconds: when the page begins, and after each call
    monkeypatch.setattr("chalicelib.photos.lists.time.monotonic", lambda: next(moments))
    dynamodb.responses = [page(number, last=number * 100) for number in range(1, 9)]
    listed = lists.page("sub-1", SEARCH)
    assert (ids(listed), bool(listed.next_cursor)) == (["1", "2", "3"], True)


@pytest.mark.parametrize("long", URLS)
def test_page_counts_the_length_of_each_requested_url(dynamodb: DynamoDB, long: str) -> None:
    urls = dict.fromkeys(URLS.values(), "https://u") | {URLS[long]: "h" * 2_000_000}
    lists = lists_with_urls(dynamodb, urls)
    for requested, listed in ((tuple(URLS), ["1", "2"]), ((long,), ["1", "2"])):
        dynamodb.responses = [page(1, 2, 3)]
        found = lists.page("sub-1", PhotoQuery(urls=requested))
        assert (ids(found), bool(found.next_cursor)) == (listed, True)
    dynamodb.responses = [page(1, 2, 3)]
    others = tuple(name for name in URLS if name != long)
    assert ids(lists.page("sub-1", PhotoQuery(urls=others))) == ["1", "2", "3"]


def test_list_by_upload_does_not_read_used_idempotency_keys(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [page()]
    lists.page("sub-1", UPLOADED)
    [request] = dynamodb.requests
    condition, values = request["KeyConditionExpression"], request["ExpressionAttributeValues"]
    assert condition.startswith("#user_id = ")
    [bound] = [place for place, value in values.items() if value == {"S": "key#"}]
    assert condition.endswith(f" AND #id < {bound}")


def test_list_by_upload_reads_as_many_more_items_as_were_not_ready(
    lists: PhotoLists, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [
        page(last=10, scanned=4),
        page(1, last=20, scanned=8),
        page(2, 3, 4, last=30, scanned=14),
    ]
    assert ids(lists.page("sub-1", UPLOADED)) == ["1", "2", "3"]
    # What is missing, and as many again as were not ready, so that the number of calls is small.
    assert [request["Limit"] for request in dynamodb.requests] == [4, 8, 14]


@pytest.mark.parametrize(
    "text", ["plain", '"', "\\", "\n", "\0", "é", "한", "\U0001f600", 'a é"\\']
)
def test_estimated_size_of_a_photo_is_never_too_small(text: str) -> None:
    fields = {"id": "1", "desc": text * 1000, "geotag_lat": None, "width": 12}
    with_urls = fields | dict.fromkeys(URLS.values(), "")
    # Lambda encodes the body, which is JSON, as a JSON string once more, in ASCII.
    response = json.dumps(msgspec.json.encode(with_urls).decode())[1:-1]
    size = _response_bytes(fields) + _URL_OVERHEAD * len(URLS)
    assert len(response) <= size <= 1.5 * len(response) + 100
