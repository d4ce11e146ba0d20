"""The local runner: what it keeps, and what it leaves behind."""

import os
import pty
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from infra.background import free_port, running, start
from tests.support import images
from tests.support.people import HttpTransport, Person


def processes_mentioning(text: str) -> list[str]:
    """Return the command lines of this machine's processes that mention `text`."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listing.stdout.splitlines() if text in line and "ps -eo" not in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_accounts_and_photos_survive_a_restart_and_nothing_is_left_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    picture = images.jpeg()
    with running(tmp_path) as first:
        mario = Person.at(first.url, "mario@example.com")
        mario.sign_up()
        mario.sign_in()
        mario.upload(picture)
        first.stop(number)
        assert first.process.returncode == 0
        assert processes_mentioning(str(first.port)) == []
        for port in (first.port, first.aws_port):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0
    with running(tmp_path) as second:
        mario.transport = HttpTransport(second.url)
        assert mario.sign_in().status_code == 200
        [photo] = mario.get("/photos").json()["photos"]
        assert requests.get(photo["originalSrc"], timeout=30).content == picture


def test_it_saves_and_stops_when_its_terminal_is_closed(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    process = start(free_port(), free_port(), tmp_path, end)
    os.close(end)
    shown = b""
    while b"Try, in another terminal" not in shown:
        shown += os.read(terminal, 4096)
    assert b"\x1b" not in shown  # nothing has probed the terminal
    [url] = re.findall(rb"The album is at +(\S+)", shown)
    assert Person.at(url.decode(), "mario@example.com").sign_up().status_code == 200
    os.close(terminal)
    assert process.wait(40) == 0
    with running(tmp_path) as again:
        assert Person.at(again.url, "mario@example.com").sign_in().status_code == 200


@pytest.mark.parametrize("port", [0, 65536])
def test_what_is_no_port_is_one_line(tmp_path: Path, port: int) -> None:
    with (tmp_path / "output").open("w+") as log:
        assert start(port, free_port(), tmp_path, log).wait(30) == 1
        log.seek(0)
        assert log.read() == f"PORT={port} is no port: choose one from 1 to 65535.\n"


def test_the_env_file_is_plain_exports_for_the_clients_of_the_embedded_aws(tmp_path: Path) -> None:
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
def test_a_taken_port_is_one_line_that_names_the_way_out(tmp_path: Path, name: str) -> None:
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
