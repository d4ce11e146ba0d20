"""An AWS service that refuses connections or never responds: a 503 in time, and no rejection."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import BotoCoreError

import app
from chalicelib import clients
from chalicelib.accounts.models import User
from chalicelib.clients import Clients, TableMeta
from chalicelib.container import Container
from chalicelib.photos.models import Photo, UploadKey
from tests.support import images
from tests.support.album import REGION, moto_album, start_upload
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


class SlowS3:
    """An S3 that copies slowly: it keeps the connection alive, and responds when it has finished.

    Source: CopyObject, Amazon S3 API Reference ("S3 periodically sends white space characters").
    """

    def __init__(self, result: str, pauses: list[float]) -> None:
        self.requests = 0
        self._result = result
        self._pauses = pauses
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # It was closed.
                return
            with connection:
                self._respond(connection)

    def _respond(self, connection: socket.socket) -> None:
        connection.recv(65536)
        self.requests += 1
        first, *pauses = self._pauses
        time.sleep(first)
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n"
        head += '<?xml version="1.0" encoding="UTF-8"?>\n'
        parts = [head, *("\n" for _ in pauses), self._result]
        with contextlib.suppress(OSError):  # The client no longer waits.
            for part, pause in itertools.zip_longest(parts, pauses, fillvalue=0.0):
                connection.sendall(str(part).encode())
                time.sleep(float(pause))


COPIED = "<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>"
COPY_FAILED = "<Error><Code>InternalError</Code><Message>Please try again.</Message></Error>"


@pytest.fixture
def slow_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SlowS3]]:
    """Return a function that makes a slow server copy what the album stores in moto.

    Its pauses are a tenth of S3's, and so are the timeouts of the album.
    """
    with contextlib.ExitStack() as servers:

        def serve(result: str, *pauses: float) -> SlowS3:
            server = servers.enter_context(contextlib.closing(SlowS3(result, list(pauses))))
            monkeypatch.setattr(clients, "READ_SECONDS", 0.25)
            monkeypatch.setattr(clients, "COPY_SECONDS", 2.0)
            with monkeypatch.context() as context:
                context.setenv("AWS_ENDPOINT_URL_S3", server.url)
                copying = Clients(lambda: REGION).for_copies()
            monkeypatch.setattr(app.services.storage, "_copy_client", copying)
            return server

        yield serve


@pytest.mark.parametrize("pauses", [(0.8,), (0.1, 0.4, 0.4)], ids=["silent", "with white space"])
def test_upload_is_completed_although_s3_copies_slowly(
    mario: Person, slow_s3: Callable[..., SlowS3], pauses: tuple[float, ...]
) -> None:
    started = start_upload(mario, IMAGE)
    server = slow_s3(COPIED, *pauses)
    response = mario.complete(started)
    assert response.status_code == 200, response.text
    assert server.requests == 1
    assert len(mario.photos()) == 1


@pytest.mark.parametrize(
    ("result", "pause"), [(COPIED, 2.5), (COPY_FAILED, 0.1)], ids=["too slow", "failed"]
)
def test_copy_that_fails_is_503_after_one_attempt_and_can_be_repeated(
    mario: Person, slow_s3: Callable[..., SlowS3], result: str, pause: float
) -> None:
    started = start_upload(mario, IMAGE)
    server = slow_s3(result, pause)
    response = mario.complete(started)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert server.requests == 1
    assert mario.photos() == []
    slow_s3(COPIED, 0.1)
    assert mario.complete(started).status_code == 200


def test_copy_leaves_time_to_respond_before_the_gateway_gives_up(mario: Person) -> None:
    config = app.services.clients.for_copies().meta.config
    assert config.read_timeout == clients.COPY_SECONDS == 20
    assert config.retries["total_max_attempts"] == 1
    assert config.connect_timeout + config.read_timeout < 29
    s3 = app.services.clients.get("s3")
    assert s3.meta.config.read_timeout == clients.READ_SECONDS
    assert app.services.clients.for_copies() is not s3


def test_all_attempts_of_a_call_take_less_than_ten_seconds() -> None:
    attempt = max(clients.READ_SECONDS + CONTINUE_SECONDS, clients.CONNECT_SECONDS)
    assert clients.ATTEMPTS * attempt + LONGEST_PAUSE < 10


def test_all_clients_but_the_one_that_copies_have_the_same_timeouts(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    discard_clients(monkeypatch)
    mario.upload(IMAGE)
    assert app.services.user_pool
    created = [app.services.clients.get(service) for service in ("s3", "cognito-idp", "dynamodb")]
    created += [app.services.transactions._writer._connection.client]
    created += [model._get_connection().connection.client for model in (Photo, User)]
    for client in created:
        config = client.meta.config
        assert config.connect_timeout == clients.CONNECT_SECONDS
        assert config.read_timeout == clients.READ_SECONDS
        assert config.retries["mode"] == "standard"
        assert config.retries["total_max_attempts"] == clients.ATTEMPTS
        assert config.max_pool_connections == clients.POOL_CONNECTIONS
