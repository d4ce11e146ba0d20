"""Requests that lie about their body, over a socket: what API Gateway refuses by itself."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib.api.error_table import BODY_LIMIT
from infra.background import RunningStack
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("local-stack")

SECONDS = 10


def told(stack: RunningStack, *lines: str, body: bytes = b"", path: str = "/users/signin") -> bytes:
    """Send a request as it is, and return all that comes before the connection is closed."""
    where = urlsplit(stack.url)
    with socket.create_connection((where.hostname, where.port or 0), SECONDS) as connection:
        head = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


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
def test_a_length_that_cannot_be_is_refused_without_reading_on(
    stack: RunningStack, lines: list[str], status: int
) -> None:
    answer = told(stack, *lines)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in answer
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert set(body) == {"Code", "Message"}
    if status == 413:
        assert "4,500,000 bytes" in body["Message"]
        assert "/photos/uploads" in body["Message"]


def test_who_sends_too_much_reads_the_answer_though_it_was_not_read(stack: RunningStack) -> None:
    answer = requests.post(
        f"{stack.url}/photos/file",
        data=b"x" * 20_000_000,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=30,
    )
    assert answer.status_code == 413


def test_a_body_without_a_length_is_no_body(stack: RunningStack) -> None:
    answer = told(stack, body=b'{"email": "a@example.com"}\r\n\r\n')
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"body: expected a JSON object" in answer


@pytest.mark.parametrize(
    ("lines", "path", "statuses"),
    [
        ([f"X-{number}: x" for number in range(200)], "/health", {431}),
        (["X-Long: " + "x" * 100_000], "/health", {400, 431}),
        ([], "/health?" + "x" * 100_000, {414}),
        (["Authorization: é"], "/users/signout", {403}),
    ],
    ids=["headers", "long header", "long line", "no ASCII"],
)
def test_an_oversized_head_is_answered(
    stack: RunningStack, lines: list[str], path: str, statuses: set[int]
) -> None:
    answer = told(stack, *lines, "Connection: close", path=path)
    assert int(answer.split()[1]) in statuses


def test_a_failed_authorizer_is_the_gateways_error_and_no_hang_up(
    stack: RunningStack,
) -> None:
    person = Person.at(stack.url, "serve@example.com")
    assert person.sign_up().status_code == 200
    assert person.sign_in().status_code == 200
    assert person.get("/users/me").status_code == 200
    tables = stack.make_client("dynamodb")
    rows = tables.scan(TableName="User")["Items"]
    [row] = [
        one for one in rows if one["sub"]["S"] == person.get("/users/me").json()["user"]["user_id"]
    ]
    # A row that no authorizer can read.
    tables.put_item(TableName="User", Item=row | {"signed_out_at": {"S": "never"}})
    answer = person.get("/users/me")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["Code"] == "ServiceUnavailableError"
