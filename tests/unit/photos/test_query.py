"""Items read without botocore's parser, from DynamoDB's own responses."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.clients import client_config
from chalicelib.photos.photo import SHOWN
from chalicelib.photos.query import BY_TAKEN, ItemQuery, ItemReader, shown_fields
from tests.support.stubs import DynamoDB, found


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
