"""Items read without botocore's parser, from DynamoDB's own responses."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.clients import client_config
from chalicelib.errors import Throttled
from chalicelib.photos.photo import SHOWN
from chalicelib.photos.query import BY_TAKEN, ItemQuery, ItemReader, shown_fields
from tests.support.stubs import DynamoDB, found, got


def newest_first() -> ItemQuery:
    return ItemQuery("sub-1", BY_TAKEN, ascending=False)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    return DynamoDB(monkeypatch)


@pytest.fixture
def reader(dynamodb: DynamoDB) -> ItemReader:
    return ItemReader(dynamodb.client(), "Photo")


def read(reader: ItemReader, query: ItemQuery) -> list[Any]:
    return [item for items, _ in reader.pages(query, None, None) for item in items]


def test_strings_and_numbers_keep_their_types(reader: ItemReader, dynamodb: DynamoDB) -> None:
    texts = {
        "id": "null",
        "tags": "12",
        "desc": '"\\\u00e9\ud55c\U0001f600',
        "city": "",
        "make": "true",
    }
    numbers = {
        "filesize": "854996",
        "width": "0",
        "geotag_lat": "-33.8583333",
        "geotag_lng": "1E-7",
    }
    item = {name: {"S": text} for name, text in texts.items()}
    item |= {name: {"N": number} for name, number in numbers.items()}
    dynamodb.responses = [found(item, {"model": {"NULL": True}, "unknown": {"L": []}})]
    first, second = map(shown_fields, read(reader, newest_first()))
    values = {"filesize": 854996, "width": 0, "geotag_lat": -33.8583333, "geotag_lng": 1e-7}
    absent: dict[str, Any] = {"favorite": False, "albums": []}
    assert first == dict.fromkeys(SHOWN) | absent | texts | values
    assert second == dict.fromkeys(SHOWN) | absent | {"tags": "", "desc": ""}
    assert [type(first[name]) for name in values] == [int, int, float, float]


def test_each_call_starts_where_the_previous_one_ended(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    key = {"user_id": {"S": "sub-1"}, "id": {"S": "1"}, "taken_key": {"S": "2019#1"}}
    dynamodb.responses = [
        found({"id": {"S": "1"}}, LastEvaluatedKey=key),
        found(LastEvaluatedKey=key),
        found({"id": {"S": "2"}}),
    ]
    assert [item.id.S for item in read(reader, newest_first())] == ["1", "2"]
    assert [one.get("ExclusiveStartKey") for one in dynamodb.requests] == [None, key, key]


def test_request_defines_exactly_the_placeholders_that_it_uses(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    # DynamoDB rejects both missing and unused placeholders.
    query = ItemQuery("sub-1", None, ascending=True, attributes=("tags",))
    query.filters = [f"#state = {query.text('ready')}", f"#geotag_lat < {query.number(0.5)}"]
    dynamodb.responses = [found()]
    list(reader.pages(query, 7, None))
    [request] = dynamodb.requests
    assert request == {
        "TableName": "Photo",
        "KeyConditionExpression": "#user_id = :v2",
        "FilterExpression": "#state = :v0 AND #geotag_lat < :v1",
        "ProjectionExpression": "#tags",
        "ExpressionAttributeNames": {
            f"#{name}": name for name in ("user_id", "state", "geotag_lat", "tags")
        },
        "ExpressionAttributeValues": {
            ":v0": {"S": "ready"},
            ":v1": {"N": "0.5"},
            ":v2": {"S": "sub-1"},
        },
        "ScanIndexForward": True,
        "ConsistentRead": True,
        "Limit": 7,
    }


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "AccessDenied"),
        (500, "InternalServerError"),
    ],
)
def test_error_is_raised_after_the_attempts_of_botocore(
    reader: ItemReader, dynamodb: DynamoDB, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    failure = (status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}))
    attempts = 1 if code == "AccessDenied" else client_config().retries["total_max_attempts"]
    dynamodb.responses = [failure] * attempts
    with pytest.raises(ClientError, match=code):
        read(reader, newest_first())
    assert len(dynamodb.requests) == attempts


def test_response_to_a_retry_is_read(
    reader: ItemReader, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    dynamodb.responses = [(503, ""), found({"id": {"S": "1"}})]
    assert [item.id.S for item in read(reader, newest_first())] == ["1"]


def key(number: int) -> dict[str, Any]:
    return {"user_id": {"S": "sub-1"}, "id": {"S": str(number)}}


def test_batch_reads_consistently_and_only_what_is_asked_for(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [got({"id": {"S": "2"}, "favorite": {"BOOL": True}})]
    [(item_id, item)] = reader.get("sub-1", ["1", "2"], ("favorite", "state")).items()
    assert (item_id, item.favorite.BOOL, item.state.S) == ("2", True, None)
    [request] = dynamodb.requests
    assert request["RequestItems"] == {
        "Photo": {
            "Keys": [key(1), key(2)],
            "ProjectionExpression": "#id,#favorite,#state",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("id", "favorite", "state")},
            "ConsistentRead": True,
        }
    }


def test_lists_and_sets_of_texts_are_read(reader: ItemReader, dynamodb: DynamoDB) -> None:
    albums = {"L": [{"S": "a"}, {"S": "b"}]}
    dynamodb.responses = [got({"id": {"S": "1"}, "albums": albums, "photo_ids": {"SS": ["x"]}})]
    item = reader.get("sub-1", ["1"], ("albums", "photo_ids"))["1"]
    assert (shown_fields(item)["albums"], item.photo_ids.SS) == (["a", "b"], ("x",))
    assert shown_fields(item)["favorite"] is False


def test_large_batch_takes_a_call_for_each_hundred_items(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    dynamodb.responses = [got({"id": {"S": "7"}}), got({"id": {"S": "150"}}), got()]
    found = reader.get("sub-1", [str(number) for number in range(201)], ("state",))
    assert set(found) == {"7", "150"}
    sizes = [len(one["RequestItems"]["Photo"]["Keys"]) for one in dynamodb.requests]
    assert sizes == [100, 100, 1]


def test_keys_that_dynamodb_has_not_read_are_read_again(dynamodb: DynamoDB) -> None:
    pauses: list[float] = []
    reader = ItemReader(dynamodb.client(), "Photo", pauses.append)
    dynamodb.responses = [
        got(left=[key(1), key(2)]),
        got({"id": {"S": "1"}}, left=[key(2)]),
        got(left=[key(2)]),
        got({"id": {"S": "2"}}),
    ]
    assert set(reader.get("sub-1", ["1", "2"], ("state",))) == {"1", "2"}
    keys = [one["RequestItems"]["Photo"]["Keys"] for one in dynamodb.requests]
    assert keys == [[key(1), key(2)], [key(1), key(2)], [key(2)], [key(2)]]
    assert all(one["RequestItems"]["Photo"]["ConsistentRead"] for one in dynamodb.requests)
    # It pauses only when a call has read nothing.
    assert len(pauses) == 2
    assert all(0 <= pause <= 0.05 for pause in pauses)


def test_batch_that_dynamodb_never_reads_is_throttled_within_two_seconds(
    dynamodb: DynamoDB,
) -> None:
    pauses: list[float] = []
    reader = ItemReader(dynamodb.client(), "Photo", pauses.append)
    dynamodb.responses = [got(left=[key(1)])] * 6
    with pytest.raises(Throttled):
        reader.get("sub-1", ["1"], ("state",))
    assert dynamodb.responses == []
    assert sum(pauses) < 2


def test_counters_of_all_items_and_calls_are_summed(reader: ItemReader, dynamodb: DynamoDB) -> None:
    first = {"id": {"S": "key#tags#0"}, "user_id": {"S": "sub-1"}, "tag:a": {"N": "2"}}
    dynamodb.responses = [
        found(first, {"id": {"S": "key#tags#1"}, "tag:b": {"N": "-1"}}, LastEvaluatedKey=key(1)),
        found({"id": {"S": "key#tags#2"}, "tag:a": {"N": "3"}, "tag:user_id": {"N": "1"}}),
    ]
    assert reader.counters("sub-1", "key#tags#") == {"tag:a": 5, "tag:b": -1, "tag:user_id": 1}
    first_request, second_request = dynamodb.requests
    assert second_request == first_request | {"ExclusiveStartKey": key(1)}
    assert first_request == {
        "TableName": "Photo",
        "KeyConditionExpression": "#user_id = :v1 AND begins_with(#id, :v0)",
        "ExpressionAttributeNames": {"#user_id": "user_id", "#id": "id"},
        "ExpressionAttributeValues": {":v0": {"S": "key#tags#"}, ":v1": {"S": "sub-1"}},
        "ScanIndexForward": True,
        "ConsistentRead": True,
    }
