"""What the log tells of a request, and what it does not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import images
from tests.support.album import failing_call
from tests.support.people import PASSWORD, Person, post_json

Lines = list[dict[str, Any]]


def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_request_is_one_line_of_its_route_and_what_it_cost(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    photo_id = mario.upload(images.jpeg(20, 20)).json()["photo_id"]
    lines(capsys)
    response = mario.get(f"/photos/{photo_id}?mode=original")
    authorizer, line = lines(capsys)
    sub = line.pop("sub")
    assert (authorizer["route"], authorizer["sub"], authorizer["level"]) == (
        "authorizer",
        sub,
        "INFO",
    )
    assert authorizer["aws"] == {"dynamodb.GetItem": 1}
    assert 0 < line.pop("ms") < 60_000
    assert line == {
        "level": "INFO",
        "route": "GET /photos/{photo_id}",
        "request_id": response.headers["X-Request-Id"],
        "status": 302,
        "aws": {"dynamodb.GetItem": 1},
    }


def test_an_uploads_calls_are_counted_in_all_its_threads(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(capsys)
    mario.upload(images.jpeg(20, 20))
    assert lines(capsys)[-1]["aws"] == {"s3.PutObject": 2, "dynamodb.TransactWriteItems": 1}


def test_a_refusal_is_named(http: Any, mario: Person, capsys: pytest.CaptureFixture[str]) -> None:
    lines(capsys)
    mario.get("/photos/none")
    mario.token = "forged"
    mario.get("/photos")
    assert [line.get("refusal") for line in lines(capsys)] == [None, "NotFound", "NotSignedIn"]


def test_an_error_tells_its_cause_and_where_but_not_what_it_was_given(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    lines(capsys)
    answer = {"Error": {"Code": "AccessDenied", "Message": "mario@example.com may not"}}
    with failing_call("PutObject", ClientError(answer, "PutObject")):
        assert mario.upload(images.jpeg(20, 20)).status_code == 500
    line = lines(capsys)[-1]
    assert (line["level"], line["status"]) == ("ERROR", 500)
    assert "ClientError: AccessDenied in PutObject" in line["error"]
    assert any("storage.py" in place for place in line["error"])
    assert "mario@" not in json.dumps(line)


def test_nothing_personal_is_in_the_log(
    http: Any, mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    mario.upload(
        images.jpeg(20, 20), filename_orig="secret.jpg", geotag_lat="45.12345", geotag_lng="9.9"
    )
    mario.get("/photos?bbox=9.8,45.12,10,45.2&q=secret")
    post_json(http, "/users/signin", {"email": mario.email, "password": "Wrong-2026"})
    logged = capsys.readouterr().out
    assert logged
    for secret in (mario.email, PASSWORD, "Wrong-2026", mario.token, "secret.jpg", "45.12"):
        assert secret not in logged
