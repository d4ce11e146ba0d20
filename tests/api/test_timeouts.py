"""An AWS service that refuses connections or never responds: a 503 in time, and no rejection."""

import socket
import time
from collections.abc import Callable, Iterator

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
from tests.support.people import PASSWORD, Person, Response, post_json

IMAGE = images.jpeg(40, 30)
CONTINUE_SECONDS = 1  # how long botocore waits for S3's "100 Continue"
LONGEST_PAUSE = 1  # seconds before the second attempt, in botocore's standard mode


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow connections, as one of the services has a real socket."""
    with moto_album(monkeypatch):
        yield


@pytest.fixture(params=["refusing", "silent"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a server that refuses connections, or accepts them and sends nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "silent":
            server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def sign_up(person: Person) -> Response:
    account = {"email": "luigi@example.com", "password": PASSWORD, "username": "Luigi"}
    return post_json(person.transport, "/users/signup", account)


REQUESTS: dict[str, Callable[[Person], Response]] = {
    "s3": lambda person: person.upload(IMAGE),
    "dynamodb": sign_up,
    "cognito-idp": sign_up,
    "ssm": sign_up,
}


def use_endpoint(monkeypatch: pytest.MonkeyPatch, service: str, endpoint: str) -> None:
    """Create all clients again, with another endpoint for one service."""
    name = service.upper().replace("COGNITO-IDP", "COGNITO_IDENTITY_PROVIDER")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", endpoint)
    discard_clients(monkeypatch)


def discard_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "services", Container())
    for model in (Photo, UploadKey, User):
        monkeypatch.setattr(model, "_connection", None)


@pytest.fixture
def _short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth of a second where the album waits seconds."""
    monkeypatch.setattr(clients, "READ_SECONDS", 0.1)
    monkeypatch.setattr(TableMeta, "read_timeout_seconds", 0.1)
    discard_clients(monkeypatch)


@pytest.mark.usefixtures("_short_timeouts")
@pytest.mark.parametrize("service", REQUESTS)
def test_service_that_does_not_respond_is_503_with_the_time_to_wait(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str, service: str
) -> None:
    mario.get("/photos")  # Only the authorizer's clients exist before the endpoint changes.
    use_endpoint(monkeypatch, service, endpoint)
    response = REQUESTS[service](mario)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in response.text


@pytest.mark.usefixtures("_short_timeouts")
def test_authorizer_without_dynamodb_fails_instead_of_rejecting_the_token(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    use_endpoint(monkeypatch, "dynamodb", endpoint)
    # The gateway responds to this with 503; `chalice.test` raises it.
    with pytest.raises(BotoCoreError):
        mario.get("/photos")


@pytest.mark.parametrize("endpoint", ["silent"], indirect=True)
def test_upload_to_a_silent_s3_fails_within_ten_seconds(
    mario: Person, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    use_endpoint(monkeypatch, "s3", endpoint)
    assert app.services.uploads
    began = time.monotonic()
    assert mario.upload(IMAGE).status_code == 503
    assert clients.READ_SECONDS < time.monotonic() - began < 10


def test_all_attempts_of_a_call_take_less_than_ten_seconds() -> None:
    attempt = max(clients.READ_SECONDS + CONTINUE_SECONDS, clients.CONNECT_SECONDS)
    assert clients.ATTEMPTS * attempt + LONGEST_PAUSE < 10


def test_all_clients_have_the_same_timeouts(mario: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    discard_clients(monkeypatch)
    mario.upload(IMAGE)
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
