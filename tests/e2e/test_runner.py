"""The local runner: its output, its state, and what is left after it stops."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from infra.background import ROOT, free_port, running, start
from tests.support import images
from tests.support.people import HttpTransport, Person


def processes_mentioning(text: str) -> list[str]:
    """Return the command lines of this machine's processes that mention `text`."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listing.stdout.splitlines() if text in line and "ps -eo" not in line]


def printed_commands(output: str) -> str:
    """Return the commands that the runner prints at the end of its welcome."""
    return output.partition("Try, in another terminal")[2].partition("\n")[2].strip()


def test_printed_commands_create_an_account_and_a_first_photo(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        assert f"{stack.url}/docs " in stack.log.read_text()
        run = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", printed_commands(stack.log.read_text())],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        mario = Person.at(stack.url, "mario@example.com")
        assert mario.sign_in().status_code == 200
        [photo] = mario.photos()
        assert (photo["filename_orig"], photo["tags"]) == ("first-photo.jpg", "first")
        assert photo["id"] in run.stdout


def test_requests_are_logged_to_a_file_and_not_to_the_terminal(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        before = stack.log.read_text()
        Person.at(stack.url, "mario@example.com").sign_in()
        Person.at(stack.url, "mario@example.com").get("/unknown?secret")
        assert stack.log.read_text() == before
        [line] = [one for one in stack.api_log.read_text().splitlines() if "signin" in one]
        assert json.loads(line)["route"] == "POST /users/signin"
        assert "GET /unknown: UnknownRouteError\n" in stack.api_log.read_text()


def test_requests_are_logged_to_the_terminal_if_verbose(tmp_path: Path) -> None:
    with running(tmp_path, "--verbose") as stack:
        Person.at(stack.url, "mario@example.com").sign_in()
        assert '{"level": "INFO", "route": "POST /users/signin"' in stack.log.read_text()
        assert not stack.api_log.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_restart_keeps_accounts_and_photos_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    image = images.jpeg()
    with running(tmp_path) as first:
        mario = Person.registered(first.url, "mario@example.com")
        mario.upload(image)
        first.stop(number)
        assert first.process.returncode == 0
        assert processes_mentioning(str(first.port)) == []
        for port in (first.port, first.aws_port):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0
    with running(tmp_path) as second:
        mario.transport = HttpTransport(second.url)
        assert mario.sign_in().status_code == 200
        [photo] = mario.photos()
        assert requests.get(photo["originalSrc"], timeout=30).content == image


def test_closing_the_terminal_saves_the_state_and_stops_everything(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    process = start(free_port(), free_port(), tmp_path, end)
    os.close(end)
    shown = b""
    while b"Try, in another terminal" not in shown:
        shown += os.read(terminal, 4096)
    assert b"\x1b" not in shown  # No process has sent control codes to the terminal.
    [url] = re.findall(rb"The album +(\S+)", shown)
    assert Person.at(url.decode(), "mario@example.com").sign_up().status_code == 200
    os.close(terminal)
    assert process.wait(40) == 0
    with running(tmp_path) as again:
        assert Person.at(again.url, "mario@example.com").sign_in().status_code == 200


@pytest.mark.parametrize("port", [0, 65536])
def test_invalid_port_is_reported_in_one_line(tmp_path: Path, port: int) -> None:
    with (tmp_path / "output").open("w+") as log:
        assert start(port, free_port(), tmp_path, log).wait(30) == 1
        log.seek(0)
        assert log.read() == f"PORT must be from 1 to 65535, not {port}.\n"


def test_env_file_exports_what_clients_of_the_embedded_aws_need(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        lines = (tmp_path / "env").read_text().splitlines()
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{stack.aws_port}" in lines
        assert {line.split("=")[0] for line in lines} == {
            "export AWS_ENDPOINT_URL",
            "export AWS_ACCESS_KEY_ID",
            "export AWS_SECRET_ACCESS_KEY",
            "export AWS_DEFAULT_REGION",
            "export AWS_REGION",
        }
        assert not any(quote in "".join(lines) for quote in "'\"")


@pytest.mark.parametrize("name", ["PORT", "AWS_PORT"])
def test_port_in_use_is_reported_in_one_line_with_the_alternative(
    tmp_path: Path, name: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        album, aws = (port, free_port()) if name == "PORT" else (free_port(), port)
        with (tmp_path / "output").open("w+") as log:
            assert start(album, aws, tmp_path, log).wait(30) == 1
            log.seek(0)
            output = log.read()
    assert output.count("\n") == 1
    assert output.startswith(f"Port {port} cannot be used")
    assert output.endswith(f"make run {name}=\n")
