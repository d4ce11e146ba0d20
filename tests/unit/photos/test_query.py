"""Rows read past botocore's parser, with DynamoDB's own answers."""

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from chalicelib.clients import client_config, create_client
from chalicelib.photos.photo import SHOWN
from chalicelib.photos.query import BY_TAKEN, ItemQuery, ItemReader, shown_fields


def newest_first() -> ItemQuery:
    return ItemQuery("sub-1", BY_TAKEN, ascending=False)


class Body(bytes):
    """An answer's body, as urllib3 would give it."""

    def stream(self, *_: object, **__: object) -> Any:
        yield bytes(self)


class DynamoDB:
    """Answers in turn what it is told to, and keeps what it was asked."""

    def __init__(self, answers: list[tuple[int, str]]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.asked.append(json.loads(request.body))
        status, body = self.answers.pop(0)
        return AWSResponse(request.url, status, {}, Body(body.encode()))


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    return DynamoDB([])


@pytest.fixture
def reader(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> ItemReader:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    client = create_client("dynamodb", "eu-west-1")
    client.meta.events.register("before-send.dynamodb.Query", dynamodb.answer)
    return ItemReader(client, "Photo")


def answer(*items: Any, **more: Any) -> tuple[int, str]:
    return 200, json.dumps({"Items": items, "Count": len(items), **more}, ensure_ascii=False)


def read(reader: ItemReader, query: ItemQuery) -> list[Any]:
    return [row for rows, _ in reader.pages(query, None, None) for row in rows]


def test_texts_stay_texts_and_numbers_become_numbers(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
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
    dynamodb.answers = [answer(item, {"model": {"NULL": True}, "unknown": {"L": []}})]
    first, second = map(shown_fields, read(reader, newest_first()))
    values = {"filesize": 854996, "width": 0, "geotag_lat": -33.8583333, "geotag_lng": 1e-7}
    assert first == dict.fromkeys(SHOWN) | texts | values
    assert second == dict.fromkeys(SHOWN) | {"tags": "", "desc": ""}
    assert [type(first[name]) for name in values] == [int, int, float, float]


def test_what_is_left_is_asked_for_where_the_call_before_ended(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    key = {"user_id": {"S": "sub-1"}, "id": {"S": "1"}, "taken_key": {"S": "2019#1"}}
    dynamodb.answers = [
        answer({"id": {"S": "1"}}, LastEvaluatedKey=key),
        answer(LastEvaluatedKey=key),
        answer({"id": {"S": "2"}}),
    ]
    assert [row.id.S for row in read(reader, newest_first())] == ["1", "2"]
    assert [asked.get("ExclusiveStartKey") for asked in dynamodb.asked] == [None, key, key]


def test_every_placeholder_has_what_it_stands_for_and_nothing_else_is_named(
    reader: ItemReader, dynamodb: DynamoDB
) -> None:
    # DynamoDB refuses both what is missing and what is not used.
    query = ItemQuery("sub-1", None, ascending=True, attributes=("tags",))
    query.filters = [f"#state = {query.text('ready')}", f"#geotag_lat < {query.number(0.5)}"]
    dynamodb.answers = [answer()]
    list(reader.pages(query, 7, None))
    [asked] = dynamodb.asked
    assert asked == {
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
def test_errors_are_those_of_botocore_after_its_tries(
    reader: ItemReader, dynamodb: DynamoDB, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    failure = (status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}))
    tries = 1 if code == "AccessDenied" else client_config().retries["total_max_attempts"]
    dynamodb.answers = [failure] * tries
    with pytest.raises(ClientError, match=code):
        read(reader, newest_first())
    assert len(dynamodb.asked) == tries


def test_an_answer_after_a_failed_try_counts(
    reader: ItemReader, dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    dynamodb.answers = [(503, ""), answer({"id": {"S": "1"}})]
    assert [row.id.S for row in read(reader, newest_first())] == ["1"]
