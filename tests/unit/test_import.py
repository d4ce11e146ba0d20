"""Importing the app."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
import socket, sys

def refuse(*_):
    raise AssertionError("a socket was opened")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import app
heavy = {"PIL", "boto3", "botocore", "pynamodb", "requests"} & set(sys.modules)
print(sorted(app.app.routes), heavy or "nothing heavy")
"""


def test_importing_the_app_needs_no_socket_no_credentials_no_pillow() -> None:
    # An empty environment: no credential, no region, no home with a profile in it.
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=ROOT,
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "'/photos'" in run.stdout
    assert "nothing heavy" in run.stdout
