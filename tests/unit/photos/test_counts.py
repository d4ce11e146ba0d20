"""The timeline and the list of tags, from counters."""

from typing import Any

import pytest

from chalicelib.photos.counts import PhotoCounts
from chalicelib.photos.query import ItemReader
from tests.support.stubs import DynamoDB, found


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    return DynamoDB(monkeypatch)


@pytest.fixture
def counts(dynamodb: DynamoDB) -> PhotoCounts:
    return PhotoCounts(ItemReader(dynamodb.client(), "Photo"))


def counters(item_id: str, **numbers: int) -> dict[str, Any]:
    item = {"user_id": {"S": "sub-1"}, "id": {"S": item_id}}
    return item | {name: {"N": str(number)} for name, number in numbers.items()}


def test_months_are_listed_newest_first_and_only_those_with_photos(
    counts: PhotoCounts, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [
        found(
            counters("key#months#2019", **{"2019-02": 3, "2019-12": 1, "2019-03": 0}),
            counters("key#months#2020", **{"2020-01": -1, "2020-02": 7}),
            counters("key#months#0999", **{"0999-01": 2}),
        )
    ]
    assert counts.months("sub-1") == [
        {"month": "2020-02", "count": 7},
        {"month": "2019-12", "count": 1},
        {"month": "2019-02", "count": 3},
        {"month": "0999-01", "count": 2},
    ]


def test_tags_are_summed_over_their_spellings_and_listed_by_use(
    counts: PhotoCounts, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [
        found(
            counters("key#tags#0", **{"tag:Sea": 2, "tag:sea": 3, "tag:SEA": 1, "tag:none": 0}),
            counters("key#tags#7", **{"tag:tag:": 6, "tag:user_id": 1, "tag:id": 1}),
            counters("key#tags#f", **{"tag:a.b[0]": 2, "tag:한": 9}),
        )
    ]
    assert counts.tags("sub-1") == [
        {"tag": "한", "count": 9},
        {"tag": "sea", "count": 6},
        {"tag": "tag:", "count": 6},
        {"tag": "a.b[0]", "count": 2},
        {"tag": "id", "count": 1},
        {"tag": "user_id", "count": 1},
    ]


def test_first_of_equally_used_spellings_is_shown(counts: PhotoCounts, dynamodb: DynamoDB) -> None:
    dynamodb.responses = [found(counters("key#tags#0", **{"tag:sea": 2, "tag:SEA": 2}))]
    assert counts.tags("sub-1") == [{"tag": "SEA", "count": 4}]


def test_negative_counter_of_one_spelling_takes_nothing_from_another(
    counts: PhotoCounts, dynamodb: DynamoDB
) -> None:
    # A photo of an earlier version was never counted, and then lost its tag.
    dynamodb.responses = [found(counters("key#tags#0", **{"tag:sea": 2, "tag:Sea": -1}))]
    assert counts.tags("sub-1") == [{"tag": "sea", "count": 2}]


@pytest.mark.parametrize("read", ["months", "tags"])
def test_counters_are_read_with_one_query_of_their_own_items(
    counts: PhotoCounts, dynamodb: DynamoDB, read: str
) -> None:
    dynamodb.responses = [found()]
    assert getattr(counts, read)("sub-1") == []
    [request] = dynamodb.requests
    assert "begins_with(#id, :v0)" in request["KeyConditionExpression"]
    assert request["ExpressionAttributeValues"][":v0"] == {"S": f"key#{read}#"}
    assert request["ConsistentRead"] is True
