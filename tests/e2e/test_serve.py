"""What the local server rejects itself, as API Gateway does."""

import http.client
import json
import socket

import pytest
import requests

from chalicelib.api.error_table import BODY_LIMIT, TOO_LARGE
from infra.background import RunningStack
from infra.gateway import RESPONSES
from tests.support.people import Person

TIMEOUT_SECONDS = 10


def exchange(
    stack: RunningStack,
    *lines: str,
    body: bytes = b"",
    path: str = "/users/signin",
    method: str = "POST",
) -> bytes:
    """Send a raw request, and return everything until the connection is closed."""
    with socket.create_connection(("127.0.0.1", stack.port), TIMEOUT_SECONDS) as connection:
        head = [f"{method} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
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
def test_bad_content_length_is_rejected_before_the_body_is_read(
    stack: RunningStack, lines: list[str], status: int
) -> None:
    response = exchange(stack, *lines)
    assert response.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in response
    body = json.loads(response.partition(b"\r\n\r\n")[2])
    assert set(body) == {"Code", "Message"}
    if status == 413:
        assert body["Message"] == TOO_LARGE


def test_client_that_sends_too_much_receives_the_413(stack: RunningStack) -> None:
    response = requests.post(
        f"{stack.url}/photos/file",
        data=b"x" * (BODY_LIMIT + 1),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=30,
    )
    assert response.status_code == 413


def test_body_without_content_length_is_ignored(stack: RunningStack) -> None:
    response = exchange(stack, body=b'{"email": "a@example.com"}\r\n\r\n')
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
    ids=["headers", "long header", "long line", "non-ASCII token"],
)
def test_oversized_head_is_rejected(
    stack: RunningStack, lines: list[str], path: str, statuses: set[int]
) -> None:
    response = exchange(stack, *lines, "Connection: close", path=path)
    assert int(response.split()[1]) in statuses


@pytest.mark.parametrize(
    ("method", "path", "token", "kind"),
    [
        ("GET", "/photos", None, "UNAUTHORIZED"),
        ("GET", "/photos", "Bearer invalid", "ACCESS_DENIED"),
        ("GET", "/unknown", None, "MISSING_AUTHENTICATION_TOKEN"),
        ("GET", "/unknown?a=b", "Bearer invalid", "MISSING_AUTHENTICATION_TOKEN"),
        ("POST", "/photos/a/unknown", "Bearer \xe9", "MISSING_AUTHENTICATION_TOKEN"),
        ("OPTIONS", "/unknown", None, "MISSING_AUTHENTICATION_TOKEN"),
    ],
)
def test_local_server_responds_as_the_gateway_does(
    stack: RunningStack, method: str, path: str, token: str | None, kind: str
) -> None:
    headers = {"Authorization": token} if token else {}
    body = b"{}" if method == "POST" else None
    with requests.Session() as session:
        for _ in range(2):  # on the same connection, which must stay open
            response = session.request(
                method, stack.url + path, headers=headers, data=body, timeout=30
            )
            expected = RESPONSES[kind]
            assert response.status_code == expected.status
            assert response.json() == {"Code": expected.code, "Message": expected.message}
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/health", "/photos", "/photos/file?a=b", "/unknown"])
@pytest.mark.parametrize(
    "method", ["TRACE", "PROPFIND", "PUT", "HEAD", "LINK", "get", "post", "Get", "M-SEARCH", "_"]
)
@pytest.mark.parametrize("body", [b"", b"TRACE / HTTP/1.1\r\n\r\n"])
def test_method_that_a_path_lacks_is_an_unknown_route(
    stack: RunningStack, method: str, path: str, body: bytes
) -> None:
    expected = RESPONSES["MISSING_AUTHENTICATION_TOKEN"]
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=TIMEOUT_SECONDS)
    for _ in range(2):  # on the same connection, which must stay open
        connection.request(method, path, body, {"Authorization": "Bearer invalid"})
        response = connection.getresponse()
        assert response.status == expected.status
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        content = response.read()
        if method != "HEAD":
            assert json.loads(content) == {"Code": expected.code, "Message": expected.message}
    connection.request("GET", "/health")
    assert json.load(connection.getresponse())["ok"]
    connection.close()


def test_request_to_be_a_proxy_is_an_unknown_route(stack: RunningStack) -> None:
    response = exchange(stack, "Connection: close", path="example.com:443", method="CONNECT")
    assert response.startswith(b"HTTP/1.1 403 ")
    assert b'"UnknownRouteError"' in response


def test_body_of_an_unknown_method_is_limited_like_any_other(stack: RunningStack) -> None:
    response = exchange(stack, f"Content-Length: {BODY_LIMIT + 1}", method="TRACE")
    assert response.startswith(b"HTTP/1.1 413 ")


def test_failed_authorizer_is_a_503_with_cors_headers(stack: RunningStack) -> None:
    person = Person.registered(stack.url, "serve@example.com")
    key = {"sub": {"S": person.profile()["user_id"]}}
    dynamodb = stack.make_client("dynamodb")
    item = dynamodb.get_item(TableName="User", Key=key)["Item"]
    # The authorizer cannot read this item.
    dynamodb.put_item(TableName="User", Item=item | {"signed_out_at": {"S": "never"}})
    response = person.get("/users/me")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.json()["Code"] == "ServiceUnavailableError"


def test_album_without_the_web_app_says_where_to_find_the_reason(stack: RunningStack) -> None:
    response = requests.get(f"{stack.url}/", timeout=TIMEOUT_SECONDS)
    assert response.status_code == 503
    assert "`make run` says why" in response.text
    assert requests.get(f"{stack.url}/config.json", timeout=TIMEOUT_SECONDS).status_code == 403
