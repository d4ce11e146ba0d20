"""Malformed requests over a socket, which the local server rejects as API Gateway does."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib.api.error_table import BODY_LIMIT, TOO_LARGE
from infra.background import RunningStack
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("local-stack")

TIMEOUT_SECONDS = 10


def send(stack: RunningStack, *lines: str, body: bytes = b"", path: str = "/users/signin") -> bytes:
    """Send a request as it is, and return what arrives until the connection is closed."""
    url = urlsplit(stack.url)
    with socket.create_connection((url.hostname, url.port or 0), TIMEOUT_SECONDS) as connection:
        head = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        response = b""
        while part := connection.recv(65_536):
            response += part
        return response


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([f"Content-Length: {BODY_LIMIT + 1}"], 413),
        (["Content-Length: 99999999999999999999"], 413),
        ([f"Content-Length: {BODY_LIMIT + 1}", "Expect: 100-continue"], 413),
        (["Content-Length: -1"], 400),
        (["Content-Length: 1_0"], 400),
        (["Content-Length: ten"], 400),
        (["Content-Length: "], 400),
        (["Content-Length: 1", "Content-Length: 2"], 400),
        (["Transfer-Encoding: chunked"], 411),
    ],
    ids=str,
)
def test_invalid_content_length_is_rejected_without_reading_the_body(
    stack: RunningStack, lines: list[str], status: int
) -> None:
    response = send(stack, *lines)
    assert response.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in response
    body = json.loads(response.partition(b"\r\n\r\n")[2])
    assert set(body) == {"Code", "Message"}
    if status == 413:
        assert body["Message"] == TOO_LARGE


def test_client_that_sends_too_much_receives_the_response(stack: RunningStack) -> None:
    response = requests.post(
        f"{stack.url}/photos/file",
        data=b"x" * 20_000_000,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=30,
    )
    assert response.status_code == 413


def test_body_without_content_length_counts_as_empty(stack: RunningStack) -> None:
    response = send(stack, body=b'{"email": "a@example.com"}\r\n\r\n')
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"The request body must be a JSON object." in response


@pytest.mark.parametrize(
    ("lines", "path", "statuses"),
    [
        ([f"X-{number}: x" for number in range(200)], "/health", {431}),
        (["X-Long: " + "x" * 100_000], "/health", {400, 431}),
        ([], "/health?" + "x" * 100_000, {414}),
        (["Authorization: é"], "/users/signout", {403}),
    ],
    ids=["many headers", "long header", "long path", "not ASCII"],
)
def test_oversized_or_malformed_request_head_is_rejected(
    stack: RunningStack, lines: list[str], path: str, statuses: set[int]
) -> None:
    response = send(stack, *lines, "Connection: close", path=path)
    assert int(response.split()[1]) in statuses


def test_failure_of_the_authorizer_is_503_with_cors_headers(stack: RunningStack) -> None:
    person = Person.registered(stack.url, "serve@example.com")
    sub = person.profile()["user_id"]
    dynamodb = stack.make_client("dynamodb")
    item = dynamodb.get_item(TableName="User", Key={"sub": {"S": sub}})["Item"]
    # No authorizer can read this item.
    dynamodb.put_item(TableName="User", Item=item | {"signed_out_at": {"S": "never"}})
    response = person.get("/users/me")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json()["Code"] == "ServiceUnavailableError"
