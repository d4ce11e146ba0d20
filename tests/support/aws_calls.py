"""Single calls to AWS that fail, or that something else happens before."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

TIMEOUT = ReadTimeoutError(endpoint_url="https://aws")


def aws_error(code: str, operation: str, message: str = "") -> ClientError:
    """Return an error as AWS responds with it to an operation."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@contextlib.contextmanager
def failing_call(
    operation: str, error: Exception = TIMEOUT, after: int = 0, response_lost: bool = False
) -> Iterator[None]:
    """Make one AWS operation fail, after its first `after` calls.

    With `response_lost`, AWS does what was requested, and only its response does not arrive.
    """
    call = BaseClient._make_api_call
    succeeded = 0

    def failing(self: Any, name: str, arguments: Any) -> Any:
        nonlocal succeeded
        if name == operation:
            if succeeded == after:
                if response_lost:
                    call(self, name, arguments)
                raise error
            succeeded += 1
        return call(self, name, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", failing):
        yield


@contextlib.contextmanager
def before_call(operation: str, action: Callable[[], Any]) -> Iterator[None]:
    """Run an action just before the first call of one AWS operation."""
    call = BaseClient._make_api_call
    has_run = False

    def acting(self: Any, name: str, arguments: Any) -> Any:
        nonlocal has_run
        if name == operation and not has_run:
            has_run = True
            action()
        return call(self, name, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", acting):
        yield


def isolate_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one call of DynamoDB at a time: its transactions are atomic, and moto's are not.

    In moto, even a read could see what a transaction has written that will be canceled.
    """
    call, lock = BaseClient._make_api_call, threading.Lock()

    def locked(self: Any, name: str, arguments: Any) -> Any:
        is_dynamodb = self.meta.service_model.service_name == "dynamodb"
        with lock if is_dynamodb else contextlib.nullcontext():
            return call(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", locked)
