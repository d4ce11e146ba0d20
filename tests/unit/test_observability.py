"""What the log says about a request."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from chalicelib.observability import count_aws_calls, request_logged


@pytest.fixture
def dynamodb() -> Any:
    """Return a client of a new session, which answers that there are no tables."""
    count_aws_calls()
    count_aws_calls()  # safe to repeat
    client = botocore.session.get_session().create_client(
        "dynamodb",
        "eu-west-1",
        config=Config(retries={"total_max_attempts": 1}),
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.meta.events.register("before-send", answer)
    return client


def answer(request: Any, **_: Any) -> AWSResponse:
    response = AWSResponse(request.url, 200, {}, None)
    response._content = b'{"TableNames": []}'
    return response


def refuse(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_line_counts_each_aws_call_of_the_request_once(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb.list_tables()  # outside of any request
    with request_logged("GET /photos"):
        dynamodb.list_tables()
        dynamodb.list_tables()
    [line] = logged(capsys)
    assert line["aws"] == {"dynamodb.ListTables": 2}


def test_failed_aws_call_is_counted_too(dynamodb: Any, capsys: pytest.CaptureFixture[str]) -> None:
    dynamodb.meta.events.register_first("before-send", refuse)
    with pytest.raises(EndpointConnectionError), request_logged("GET /photos"):
        dynamodb.list_tables()
    [line] = logged(capsys)
    assert line["aws"] == {"dynamodb.ListTables": 1}
    assert line["level"] == "ERROR"


def test_lines_of_the_same_request_have_the_same_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5e-aa;Parent=bb;Sampled=0")
    for route in ("authorizer", "GET /photos"):
        with request_logged(route):
            pass
    assert [line["trace"] for line in logged(capsys)] == ["1-5e-aa", "1-5e-aa"]
