"""Stubs that respond as AWS does, where the emulators differ."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.stub import Stubber

from chalicelib.clients import create_client


@contextlib.contextmanager
def stubbed(service: str, **options: Any) -> Iterator[Stubber]:
    """Return a stubbed client of a service; every response added to it must be used."""
    client = boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        **options,
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class Body(bytes):
    """The body of a response, as urllib3 provides it."""

    def stream(self, *_: object, **__: object) -> Any:
        yield bytes(self)


class DynamoDB:
    """Sends its responses to reads in order, and records the requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.responses: list[tuple[int, str]] = []
        self.requests: list[dict[str, Any]] = []
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")

    def client(self) -> Any:
        """Return a client that is connected to nothing else."""
        client = create_client("dynamodb", "eu-west-1")
        for operation in ("Query", "BatchGetItem"):
            client.meta.events.register(f"before-send.dynamodb.{operation}", self.respond)
        return client

    def respond(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(json.loads(request.body))
        status, body = self.responses.pop(0)
        return AWSResponse(request.url, status, {}, Body(body.encode()))


def found(*items: Any, **more: Any) -> tuple[int, str]:
    """Return DynamoDB's response to a query that found these items."""
    return 200, json.dumps({"Items": items, "Count": len(items), **more}, ensure_ascii=False)


def got(*items: Any, left: list[Any] | None = None) -> tuple[int, str]:
    """Return DynamoDB's response to a batch, of which it has not read the keys in `left`."""
    unprocessed = {"Photo": {"Keys": left, "ConsistentRead": True}} if left else {}
    return 200, json.dumps({"Responses": {"Photo": items}, "UnprocessedKeys": unprocessed})


def failed(code: str) -> tuple[int, str]:
    """Return DynamoDB's response to a request that it rejects."""
    return 400, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"})
