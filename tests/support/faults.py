"""Faults of AWS, put into the wire below every client: what was asked, and what comes back."""

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
    """Carries requests to AWS; the one at place `at` meets a fault."""

    def __init__(self, at: int = -1, fault: "Fault | None" = None) -> None:
        self.calls: list[str] = []
        self.is_cut = False  # whoever is dead asks for nothing more
        self._at = at
        self._fault = fault

    def carry(self, name: str, body: Any, send: Send) -> Any:
        if self.is_cut:
            raise Killed
        self.calls.append(name)
        if self._fault is None or len(self.calls) - 1 != self._at:
            return send()
        try:
            return self._fault(name, body, send)
        except Killed:
            self.is_cut = True
            raise

    @contextlib.contextmanager
    def tapped(self) -> Iterator["Wire"]:
        """Let every request to AWS go through this wire, below boto3 and PynamoDB alike."""
        real, fetch = BaseClient._make_request, tokens.fetch_keys

        def request(client: Any, model: Any, request: Any, context: Any) -> Any:
            name = f"{model.service_model.service_name}.{model.name}"
            return self.carry(name, request["body"], lambda: real(client, model, request, context))

        def fetched(url: str) -> Any:
            try:
                return self.carry(KEYS, None, lambda: fetch(url))
            except ReadTimeoutError as error:
                raise Unavailable from error

        with (
            mock.patch.object(BaseClient, "_make_request", request),
            mock.patch.object(tokens, "fetch_keys", fetched),
        ):
            yield self


Fault = Callable[[str, Any, Send], Any]


def answer(name: str, status: int, code: str) -> Any:
    """Return an answer of AWS that is an error."""
    if name == KEYS:
        raise ReadTimeoutError(endpoint_url="https://aws")
    error = {"Error": {"Code": code, "Message": "not now"}}
    parsed = error | {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    return AWSResponse("https://aws", status, {}, None), parsed


def fails_before(name: str, body: Any, send: Send) -> Any:
    return answer(name, 500, "InternalServerError")


def fails_after(name: str, body: Any, send: Send) -> Any:
    send()
    return answer(name, 500, "InternalServerError")


def times_out(name: str, body: Any, send: Send) -> Any:
    raise ReadTimeoutError(endpoint_url="https://aws")


def answer_is_lost(name: str, body: Any, send: Send) -> Any:
    send()
    raise ReadTimeoutError(endpoint_url="https://aws")


THROTTLED = {
    "cognito-idp": (400, "TooManyRequestsException"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
    "ssm": (400, "ThrottlingException"),
}


def is_throttled(name: str, body: Any, send: Send) -> Any:
    if name == "dynamodb.BatchWriteItem":
        # DynamoDB does what it can of a batch, and hands back the rest: here, all of it.
        left = {"UnprocessedItems": json.loads(body)["RequestItems"], "ResponseMetadata": {}}
        return AWSResponse("https://aws", 200, {}, None), left
    return answer(name, *THROTTLED[name.split(".")[0]])


def is_killed_before(name: str, body: Any, send: Send) -> Any:
    raise Killed


def is_killed_after(name: str, body: Any, send: Send) -> Any:
    send()
    raise Killed


def is_sent_twice(name: str, body: Any, send: Send) -> Any:
    """Do as botocore does when the first answer does not come in time."""
    first = send()
    if name == "dynamodb.TransactWriteItems":
        # DynamoDB knows the transaction by its token and answers again; moto would do it twice.
        assert json.loads(body)["ClientRequestToken"]
        return first
    if hasattr(body, "seek"):
        body.seek(0)
    return send()


FAULTS: dict[str, Fault] = {
    "error before": fails_before,
    "error after": fails_after,
    "timeout": times_out,
    "answer lost": answer_is_lost,
    "throttled": is_throttled,
    "killed before": is_killed_before,
    "killed after": is_killed_after,
    "sent twice": is_sent_twice,
}
