"""The lab's first app: its four routes respond as its README says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from chalice.test import Client

from infra.background import ROOT, RunningStack, free_port
from infra.processes import answers, program
from tests.examples.conftest import MYAPP

README = (MYAPP / "README.md").read_text()
# Each command with the response that is printed below it.
CURL = re.findall(r"```sh\n(curl [^\n]*)\n```\n\n```\n(.*?)\n```", README, re.DOTALL)
HTTPIE = re.findall(r"^http .*", README, re.MULTILINE)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of the app under `chalice local`, without any AWS."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [program("chalice"), "local", "--no-autoreload", "--port", str(port)]
    log = tmp_path_factory.mktemp("myapp") / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(command, cwd=MYAPP, env=env, stdout=output, stderr=output) as process,
    ):
        try:
            deadline = time.monotonic() + 30
            while not answers(f"http://127.0.0.1:{port}/"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield port
        finally:
            process.kill()


def assert_matches(response: str, printed: str, port: int) -> None:
    """Compare a response with the README's, in which `...` matches anything."""
    parts = map(re.escape, printed.replace(":8000", f":{port}").split("..."))
    assert re.fullmatch(".+".join(parts), response), response


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("command", "printed"), CURL)
def test_documented_curl_command_prints_the_documented_response(
    port: int, command: str, printed: str
) -> None:
    command = command.replace("curl", "curl --silent --show-error --noproxy '*'", 1)
    done = subprocess.run(
        command.replace(":8000", f":{port}"), shell=True, capture_output=True, text=True, check=True
    )
    assert_matches(done.stdout, printed, port)


@pytest.mark.parametrize(
    ("command", "printed"),
    [(command, printed) for command, (_, printed) in zip(HTTPIE, CURL, strict=True)],
)
def test_documented_httpie_command_gets_the_documented_response(
    port: int, command: str, printed: str
) -> None:
    response = requests.request(**httpie(command.replace(":8000", f":{port}")), timeout=30)
    assert_matches(response.text, printed, port)


def httpie(command: str) -> dict[str, Any]:
    """Return what HTTPie sends, as arguments of `requests.request`."""
    words = shlex.split(command)[1:]
    method = words.pop(0) if words[0].isupper() else "GET"
    url, *items = words
    request: dict[str, Any] = {"method": method, "url": f"http://{url}"}
    if "--raw" in items:
        return request | {"data": items[1], "headers": JSON}
    pairs = [re.split("(==?)", item, maxsplit=1) for item in items]
    query = {name: value for name, sign, value in pairs if sign == "=="}
    fields = {name: value for name, sign, value in pairs if sign == "="}
    return request | {"params": query, "json": fields or None}


def test_every_route_is_documented(myapp: ModuleType) -> None:
    patterns = [re.sub(r"\{.*?\}", "[^/ ]+", route) for route in myapp.app.routes]
    assert len(patterns) == 4
    for pattern in patterns:
        assert any(re.search(rf":8000{pattern}[ ?']", command + " ") for command, _ in CURL)


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Mario", "Mario"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<b>", "&lt;b&gt;"),
        ("%22%27%26", "&quot;&#x27;&amp;"),
        ("%253C", "%3C"),  # decoded once only
        ("J%C3%B8rgen", "Jørgen"),
    ],
)
def test_page_greets_the_user_and_escapes_the_name(
    myapp: ModuleType, name: str, greeted: str
) -> None:
    response = Client(myapp.app, project_dir=str(MYAPP)).http.get(f"/users/{name}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.body.decode() == f"<h1>Hello, {greeted}!</h1>"


@pytest.mark.parametrize("user", [{"name": "Jørgen", "age": 7}, [], "Mario", 0, {"user": None}])
def test_json_user_is_echoed(myapp: ModuleType, user: Any) -> None:
    http = Client(myapp.app, project_dir=str(MYAPP)).http
    response = http.post("/users", headers=JSON, body=json.dumps(user).encode())
    assert (response.status_code, response.json_body) == (200, {"user": user})


@pytest.mark.parametrize("body", [b"", b"Mario", b'{"name": "Mario"', b"\xff", b"null"])
def test_body_that_is_not_json_is_a_bad_request(myapp: ModuleType, body: bytes) -> None:
    http = Client(myapp.app, project_dir=str(MYAPP)).http
    response = http.post("/users", headers=JSON, body=body)
    assert (response.status_code, response.json_body["Code"]) == (400, "BadRequestError")
    assert "JSON" in response.json_body["Message"]


def test_json_without_content_type_is_a_bad_request(myapp: ModuleType) -> None:
    response = Client(myapp.app, project_dir=str(MYAPP)).http.post("/users", body=b"{}")
    assert response.status_code == 400
    assert "Content-Type: application/json" in response.json_body["Message"]


def local_aws(stack: RunningStack, action: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the README's command with the variables of `.local/env`."""
    return subprocess.run(
        [sys.executable, "-m", "examples.myapp.local_aws", action],
        cwd=ROOT,
        env=os.environ | stack.env | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_routes_are_deployed_to_the_local_aws_and_deleted(stack: RunningStack) -> None:
    gateway, buckets = stack.make_client("apigateway"), stack.make_client("s3").list_buckets
    functions = stack.make_client("lambda").list_functions
    before = [one["Name"] for one in buckets()["Buckets"]]
    album = [one["FunctionName"] for one in functions()["Functions"]]
    for _ in range(2):  # safe to repeat
        done = local_aws(stack, "deploy")
        assert done.returncode == 0, done.stderr
    url = done.stdout.splitlines()[-1]

    assert requests.get(f"{url}/", timeout=30).json() == {"hello": "world"}
    page = requests.get(f"{url}/users/%3Cscript%3E", timeout=30)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text == "<h1>Hello, &lt;script&gt;!</h1>"
    echo = requests.post(f"{url}/users", json={"name": "Mario"}, timeout=30)
    assert echo.json() == {"user": {"name": "Mario"}}
    assert requests.post(f"{url}/users", data="Mario", headers=JSON, timeout=30).status_code == 400
    shown = requests.get(f"{url}/introspect", params={"lab": "1"}, timeout=30).json()
    assert shown["query_params"] == {"lab": "1"}

    for _ in range(2):
        done = local_aws(stack, "delete")
        assert (done.returncode, done.stdout) == (0, "The routes are deleted.\n"), done.stderr
    assert gateway.get_rest_apis()["items"] == []
    assert [one["FunctionName"] for one in functions()["Functions"]] == album
    assert [one["Name"] for one in buckets()["Buckets"]] == before
    assert not requests.get(f"{url}/", timeout=30).ok


def test_without_the_local_aws_nothing_is_deployed_or_deleted(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    for action in ("deploy", "delete"):
        done = subprocess.run(
            [sys.executable, "-m", "examples.myapp.local_aws", action],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("This is not the local AWS.")
