"""The app in `chalice.test.Client` on moto, with the resources of the real template."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.session import Session
from chalice.test import Client

import app
from tests.support.album import AppTransport, moto_album
from tests.support.people import Person


@pytest.fixture(autouse=True)
def _aws(no_sockets: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every test its own AWS with only the album's resources."""
    with moto_album(monkeypatch):
        yield


@pytest.fixture
def http() -> Iterator[AppTransport]:
    """Return a client without a token; every response must match the OpenAPI document."""
    with Client(app.app) as client:
        yield AppTransport(client.http)


@pytest.fixture
def person(http: AppTransport) -> Callable[[str], Person]:
    """Return a function that signs up a user with a name, and signs in."""

    def make(name: str) -> Person:
        made = Person(http, f"{name}@example.com")
        assert made.sign_up().status_code == 200
        assert made.sign_in().status_code == 200
        return made

    return make


@pytest.fixture
def mario(person: Callable[[str], Person]) -> Person:
    """Return a user who is signed in."""
    return person("mario")


@pytest.fixture
def luigi(person: Callable[[str], Person]) -> Person:
    """Return another user who is signed in."""
    return person("luigi")


@pytest.fixture
def aws_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which every AWS call and every new client is added."""
    calls: list[str] = []
    call, create = BaseClient._make_api_call, Session.create_client

    def recorded_call(self: Any, operation: str, arguments: Any) -> Any:
        calls.append(f"{self.meta.service_model.service_name}.{operation}")
        return call(self, operation, arguments)

    def recorded_create(self: Any, service: str, *arguments: Any, **options: Any) -> Any:
        calls.append(f"new {service} client")
        return create(self, service, *arguments, **options)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded_call)
    monkeypatch.setattr(Session, "create_client", recorded_create)
    return calls
