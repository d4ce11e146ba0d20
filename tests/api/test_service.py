"""What all routes have in common: health, CORS, and settings from Parameter Store."""

import json
from typing import Any

import boto3
import pytest

from chalicelib import __version__, package_id
from tests.support.people import PASSWORD, Person, post_json

ACCOUNT = {"email": "super@mario.com", "password": PASSWORD, "username": "Mario"}


def test_health_check_needs_no_aws(http: Any, aws_calls: list[str]) -> None:
    response = http.get("/health")
    assert (response.status_code, response.json()) == (200, {"ok": True, "version": __version__})
    assert aws_calls == []


def test_health_of_a_deployed_package_has_its_id(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_id, "package_id", lambda: "0" * 64)
    assert http.get("/health").json()["package"] == "0" * 64


def test_every_response_has_cors_headers(http: Any, mario: Person) -> None:
    responses = [
        http.get("/health"),
        http.post("/users/signin", body=b"nonsense", headers={"Content-Type": "application/json"}),
        mario.get("/photos"),
        mario.get("/photos/nothing"),
        http.post("/users/signin", body=b"a=b", headers={"Content-Type": "text/plain"}),
    ]
    assert [response.status_code for response in responses] == [200, 400, 200, 404, 415]
    assert {response.headers["Access-Control-Allow-Origin"] for response in responses} == {"*"}


def test_browsers_can_read_when_to_try_again_and_the_request_id(http: Any) -> None:
    exposed = http.get("/health").headers["Access-Control-Expose-Headers"].split(",")
    assert {"Retry-After", "X-Request-Id"} <= {name.strip() for name in exposed}


def test_missing_setting_is_named_in_the_log_but_not_in_the_response(
    http: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("ssm").delete_parameter(Name="/cloudalbum/COGNITO_CLIENT_ID")
    response = post_json(http, "/users/signin", ACCOUNT)
    assert response.status_code == 500
    assert "COGNITO" not in response.json()["Message"]
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "/cloudalbum/COGNITO_CLIENT_ID is missing" in line["error"][0]
    assert line["request_id"] in response.json()["Message"]


def test_corrected_setting_is_read_without_a_restart(http: Any) -> None:
    ssm, name = boto3.client("ssm"), "/cloudalbum/THUMBNAIL_WIDTH"
    ssm.delete_parameter(Name=name)
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 500
    # The same container reads it: `set_parameters` would create another one.
    ssm.put_parameter(Name=name, Value="300", Type="SecureString")
    assert post_json(http, "/users/signup", ACCOUNT).status_code == 200
