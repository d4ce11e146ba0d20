"""What is logged for a request, and what is kept out of the log."""

import json
from typing import Any

import pytest

from tests.support import images
from tests.support.album import sub_of
from tests.support.aws_calls import aws_error, failing_call
from tests.support.people import PASSWORD, WRONG_PASSWORD, Person, post_json

IMAGE = images.jpeg(20, 20)


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged since the last time."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_request_is_logged_in_one_line_with_its_route_and_aws_calls(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    photo_id = mario.upload(IMAGE).json()["photo_id"]
    log_lines(capsys)
    response = mario.get(f"/photos/{photo_id}?mode=original")
    authorizer, line = log_lines(capsys)
    assert authorizer["route"] == "authorizer"
    assert authorizer["level"] == "INFO"
    assert authorizer["sub"] == sub_of(mario)
    assert authorizer["aws"] == {"dynamodb.GetItem": 1}
    assert 0 < line.pop("ms") < 60_000
    assert line == {
        "level": "INFO",
        "route": "GET /photos/{photo_id}",
        "request_id": response.headers["X-Request-Id"],
        "sub": sub_of(mario),
        "status": 302,
        "aws": {"dynamodb.GetItem": 1},
    }


def test_aws_calls_of_an_upload_are_counted_in_all_threads(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    mario.upload(IMAGE)
    assert log_lines(capsys)[-1]["aws"] == {"s3.PutObject": 3, "dynamodb.TransactWriteItems": 1}


def test_rejection_is_logged_with_its_reason(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    log_lines(capsys)
    mario.get("/photos/none")
    mario.token = "forged"
    mario.get("/photos")
    assert [line.get("refusal") for line in log_lines(capsys)] == [None, "NotFound", "NotSignedIn"]


def test_unexpected_error_is_logged_with_its_cause_and_not_shown_to_the_client(
    mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "mario@example.com may not s3:PutObject on arn:aws:s3:::bucket"
    with failing_call("PutObject", aws_error("AccessDenied", "PutObject", message)):
        response = mario.upload(IMAGE)
    assert (response.status_code, response.json()["Code"]) == (500, "InternalServerError")
    assert "arn:" not in response.text
    line = log_lines(capsys)[-1]
    assert (line["level"], line["status"]) == ("ERROR", 500)
    assert "ClientError: AccessDenied in PutObject" in line["error"]
    assert any("storage.py" in place for place in line["error"])
    assert "mario@" not in json.dumps(line)


def test_log_has_no_personal_data(
    http: Any, mario: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    mario.upload(IMAGE, filename_orig="secret.jpg", geotag_lat="45.12345", geotag_lng="9.9")
    mario.get("/photos?bbox=9.8,45.12,10,45.2&q=secret")
    post_json(http, "/users/signin", {"email": mario.email, "password": WRONG_PASSWORD})
    log = capsys.readouterr().out
    assert log
    for secret in (mario.email, PASSWORD, WRONG_PASSWORD, mario.token, "secret.jpg", "45.12"):
        assert secret not in log
