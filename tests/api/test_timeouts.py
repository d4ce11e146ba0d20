"""AWS that is dead or silent: an answer in time, and never a refusal."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

import app
from chalicelib import clients
from chalicelib.accounts.models import User
from chalicelib.clients import TableMeta
from chalicelib.container import Container
from chalicelib.photos.models import Photo, UploadKey
from tests.support import images
from tests.support.album import moto_album
from tests.support.people import PASSWORD, Person, post_json

PICTURE = images.jpeg(40, 30)
HEADERS_FIRST = 1  # seconds that botocore waits for S3's "100 Continue"
LONGEST_PAUSE = 1  # botocore's standard mode, before the second attempt
REQUESTS = {
    "s3": lambda person: person.upload(PICTURE),
    "dynamodb": lambda person: sign_up(person),
    "cognito-idp": lambda person: sign_up(person),
    "ssm": lambda person: sign_up(person),
}


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let sockets be opened: one of the services is behind a real one."""
    with moto_album(monkeypatch):
        yield


@pytest.fixture(params=["dead", "silent"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a server that refuses connections, or takes them and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "silent":
            server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def sign_up(person: Person) -> Any:
    account = {"email": "luigi@example.com", "password": PASSWORD, "username": "Luigi"}
    return post_json(person.transport, "/users/signup", account)


def lose(monkeypatch: pytest.MonkeyPatch, service: str, endpoint: str) -> None:
    """Let new clients of one service find `endpoint`, and all clients be new."""
    name = service.upper().replace("COGNITO-IDP", "COGNITO_IDENTITY_PROVIDER")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", endpoint)
    forget_clients(monkeypatch)


def forget_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "services", Container())
    for model in (Photo, UploadKey, User):
        monkeypatch.setattr(model, "_connection", None)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth of a second where the album waits seconds."""
    monkeypatch.setattr(clients, "READ_SECONDS", 0.1)
    monkeypatch.setattr(TableMeta, "read_timeout_seconds", 0.1)
    forget_clients(monkeypatch)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("service", REQUESTS)
def test_a_dead_or_silent_service_is_503_and_says_when_to_come_again(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str, service: str
) -> None:
    # Only S3 is asked behind the authorizer, which has its clients already.
    mario.get("/photos")
    lose(monkeypatch, service, endpoint)
    response = REQUESTS[service](mario)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in response.body.decode()


@pytest.mark.usefixtures("_impatient")
def test_an_authorizer_that_cannot_ask_fails_and_refuses_nobody(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    lose(monkeypatch, "dynamodb", endpoint)
    # The gateway answers this with 503; `chalice.test` raises it.
    with pytest.raises(BotoCoreError):
        mario.get("/photos")


@pytest.mark.parametrize("endpoint", ["silent"], indirect=True)
def test_an_upload_to_a_silent_s3_is_answered_within_ten_seconds(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    lose(monkeypatch, "s3", endpoint)
    assert app.services.uploads
    began = time.monotonic()
    assert mario.upload(PICTURE).status_code == 503
    assert clients.READ_SECONDS < time.monotonic() - began < 10


def test_no_service_can_make_anybody_wait_longer() -> None:
    attempt = max(clients.READ_SECONDS + HEADERS_FIRST, clients.CONNECT_SECONDS)
    assert clients.ATTEMPTS * attempt + LONGEST_PAUSE < 10


def test_every_client_has_the_same_limits(mario: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_clients(monkeypatch)
    mario.upload(PICTURE)
    assert app.services.user_pool
    created = [app.services.clients.get(service) for service in ("s3", "cognito-idp", "dynamodb")]
    created += [app.services.transactions._connection.client]
    created += [model._get_connection().connection.client for model in (Photo, User)]
    for client in created:
        config = client.meta.config
        assert config.connect_timeout == clients.CONNECT_SECONDS
        assert config.read_timeout == clients.READ_SECONDS
        assert config.retries["mode"] == "standard"
        assert config.retries["total_max_attempts"] == clients.ATTEMPTS
        assert config.max_pool_connections == clients.POOL_CONNECTIONS
