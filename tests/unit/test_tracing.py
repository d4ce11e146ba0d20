"""What X-Ray is told of AWS calls."""

import json
import socket
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from chalicelib import observability
from chalicelib.observability import request_logged

Sent = list[tuple[bytes, tuple[str, int]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Return what is sent to X-Ray's daemon."""
    datagrams: Sent = []

    class Socket:
        def __init__(self, *_: Any) -> None:
            pass

        def __enter__(self) -> "Socket":
            return self

        def __exit__(self, *_: Any) -> None:
            pass

        def sendto(self, data: bytes, address: tuple[str, int]) -> None:
            datagrams.append((data, address))

    monkeypatch.setattr(socket, "socket", Socket)
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000")
    return datagrams


def call(fails: bool = False) -> None:
    """Make one call of a client of a new session."""
    observability.count_aws_calls()
    observability.count_aws_calls()  # safe to repeat
    session = botocore.session.get_session()
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    once = Config(retries={"total_max_attempts": 1})
    client = session.create_client("dynamodb", "eu-west-1", config=once, **keys)
    if fails:
        client.meta.events.register("before-send", refuse)
        with pytest.raises(EndpointConnectionError):
            client.list_tables()
        return
    client.meta.events.register("before-send", answer)
    assert client.list_tables()["TableNames"] == []


def answer(request: Any, **_: Any) -> AWSResponse:
    response = AWSResponse(request.url, 200, {}, None)
    response._content = b'{"TableNames": []}'
    return response


def refuse(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb")


def test_each_call_of_a_traced_request_is_a_subsegment(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5e-aa;Parent=bb;Sampled=1;Lineage=c:0")
    call()
    [(datagram, address)] = sent
    header, _, body = datagram.partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    assert address == ("169.254.79.129", 2000)
    subsegment = json.loads(body)
    assert subsegment["trace_id"] == "1-5e-aa"
    assert subsegment["parent_id"] == "bb"
    assert (subsegment["name"], subsegment["aws"]) == ("dynamodb", {"operation": "ListTables"})
    assert subsegment["start_time"] <= subsegment["end_time"]
    assert subsegment["fault"] is False


def test_a_call_without_an_answer_is_a_fault(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5e-aa;Parent=bb;Sampled=1")
    call(fails=True)
    [(datagram, _)] = sent
    assert json.loads(datagram.partition(b"\n")[2])["fault"] is True


@pytest.mark.parametrize("trace", ["", "Root=1-5e-aa;Parent=bb;Sampled=0", "nonsense"])
def test_what_is_not_traced_is_not_told(
    sent: Sent, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    call()
    assert sent == []


def test_lines_of_the_same_request_have_the_same_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5e-aa;Parent=bb;Sampled=0")
    for route in ("authorizer", "GET /photos"):
        with request_logged(route):
            pass
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["trace"] for line in logged] == ["1-5e-aa", "1-5e-aa"]
