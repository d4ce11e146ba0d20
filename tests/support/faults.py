"""Faults of AWS, injected below boto3 and PynamoDB: what happens to one request to AWS."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError

from chalicelib.accounts import tokens
from chalicelib.errors import Unavailable

Send = Callable[[], Any]
KEYS = "cognito-idp.jwks.json"


class Killed(BaseException):
    """The end of the process, which no `except Exception` catches."""


class Wire:
    """Sends requests to AWS and records them; one of them, by its index, has a fault."""

    def __init__(self, index: int = -1, fault: "Fault | None" = None) -> None:
        self.calls: list[str] = []
        self.is_dead = False  # A killed process sends no more requests.
        self._index = index
        self._fault = fault

    def send(self, name: str, body: Any, send: Send) -> Any:
        if self.is_dead:
            raise Killed
        self.calls.append(name)
        if self._fault is None or len(self.calls) - 1 != self._index:
            return send()
        try:
            return self._fault(name, body, send)
        except Killed:
            self.is_dead = True
            raise

    @contextlib.contextmanager
    def connected(self) -> Iterator["Wire"]:
        """Send every request to AWS through this wire, below boto3 and PynamoDB."""
        make_request, fetch_keys = BaseClient._make_request, tokens.fetch_keys

        def request(client: Any, model: Any, request: Any, context: Any) -> Any:
            name = f"{model.service_model.service_name}.{model.name}"
            return self.send(
                name, request["body"], lambda: make_request(client, model, request, context)
            )

        def fetch(url: str) -> Any:
            try:
                return self.send(KEYS, None, lambda: fetch_keys(url))
            except ReadTimeoutError as error:
                raise Unavailable from error

        with (
            mock.patch.object(BaseClient, "_make_request", request),
            mock.patch.object(tokens, "fetch_keys", fetch),
        ):
            yield self


Fault = Callable[[str, Any, Send], Any]


def error_response(name: str, status: int, code: str) -> Any:
    """Return an error as a service of AWS responds with it."""
    if name == KEYS:
        raise ReadTimeoutError(endpoint_url="https://aws")
    error = {"Error": {"Code": code, "Message": "not now"}}
    parsed = error | {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    return AWSResponse("https://aws", status, {}, None), parsed


def fail_before(name: str, body: Any, send: Send) -> Any:
    return error_response(name, 500, "InternalServerError")


def fail_after(name: str, body: Any, send: Send) -> Any:
    send()
    return error_response(name, 500, "InternalServerError")


def time_out(name: str, body: Any, send: Send) -> Any:
    raise ReadTimeoutError(endpoint_url="https://aws")


def lose_response(name: str, body: Any, send: Send) -> Any:
    send()
    raise ReadTimeoutError(endpoint_url="https://aws")


THROTTLED = {
    "cognito-idp": (400, "TooManyRequestsException"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
    "ssm": (400, "ThrottlingException"),
}


def throttle(name: str, body: Any, send: Send) -> Any:
    if name == "dynamodb.BatchWriteItem":
        # DynamoDB writes what it can of a batch and returns the rest: here, all of it.
        left = {"UnprocessedItems": json.loads(body)["RequestItems"], "ResponseMetadata": {}}
        return AWSResponse("https://aws", 200, {}, None), left
    if name == "dynamodb.BatchGetItem":
        # The same for what it reads, in the form in which the lists' reader gets it.
        unread = {"Responses": {}, "UnprocessedKeys": json.loads(body)["RequestItems"]}
        parsed = {"Body": json.dumps(unread).encode(), "ResponseMetadata": {}}
        return AWSResponse("https://aws", 200, {}, None), parsed
    return error_response(name, *THROTTLED[name.split(".")[0]])


def kill_before(name: str, body: Any, send: Send) -> Any:
    raise Killed


def kill_after(name: str, body: Any, send: Send) -> Any:
    send()
    raise Killed


def send_twice(name: str, body: Any, send: Send) -> Any:
    """Retry as botocore does when the first response does not arrive in time."""
    first = send()
    if name == "dynamodb.TransactWriteItems":
        # DynamoDB recognizes the transaction by its token; moto would run it again.
        assert json.loads(body)["ClientRequestToken"]
        return first
    if hasattr(body, "seek"):
        body.seek(0)
    return send()


FAULTS: dict[str, Fault] = {
    "error before": fail_before,
    "error after": fail_after,
    "timeout": time_out,
    "response lost": lose_response,
    "throttled": throttle,
    "killed before": kill_before,
    "killed after": kill_after,
    "sent twice": send_twice,
}
