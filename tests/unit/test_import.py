"""Importing the app: every cold start pays for it, the authorizer's too."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Libraries and rooms that `import app` brings, and no others. What a route needs beside them is
# imported when it is first called; before adding something here, measure it with make bench.
LIBRARIES = {"chalice", "msgspec"}
MODULES = {
    "accounts.sessions",
    "api.error_table",
    "api.operations",
    "api.parsing",
    "api.requests",
    "api.responses",
    "container",
    "dates",
    "errors",
    "observability",
    "photos.photo",
    "settings",
}

NO_SOCKETS = """
import socket, sys

def refuse(*_):
    raise AssertionError("a socket was opened")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
before = set(sys.modules)
"""
APP = "import app\nassert '/photos' in app.app.routes\n"
FOUND = "print(*sorted(set(sys.modules) - before))\n"


def imported_by(code: str) -> set[str]:
    """Return the modules that code imports, in a process without credential, region or home."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", NO_SOCKETS + code + FOUND],
        cwd=ROOT,
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def libraries(modules: set[str]) -> set[str]:
    """Return the top-level packages that are neither Python's own nor the album's."""
    packages = {name.split(".")[0] for name in modules}
    return packages - set(sys.stdlib_module_names) - {"app", "chalicelib"}


def album_modules(modules: set[str]) -> set[str]:
    """Return the album's modules, without the packages they are in."""
    names = {name.removeprefix("chalicelib.") for name in modules if name.startswith("chalicelib.")}
    return {name for name in names if not (ROOT / "chalicelib" / name).is_dir()}


def test_importing_the_app_opens_no_socket_and_brings_exactly_these_modules() -> None:
    modules = imported_by(APP)
    # msgspec takes typing_extensions where it is installed, which it is not in the package.
    assert libraries(modules) - {"typing_extensions"} == LIBRARIES
    assert album_modules(modules) == MODULES


TOLD = """
import os
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", CLOUDALBUM_SETTINGS='''{
    "S3_PHOTO_BUCKET": "bucket", "S3_PRESIGNED_EXP": "3600", "COGNITO_POOL_ID": "eu-west-1_Pool",
    "COGNITO_CLIENT_ID": "client", "COGNITO_DOMAIN": "-", "THUMBNAIL_WIDTH": "300",
    "THUMBNAIL_HEIGHT": "200", "AWS_REGION": "eu-west-1", "DDB_RCU": "0", "DDB_WCU": "0"}''')
from chalicelib.container import Container
services = Container()
"""


HEAVY = {"PIL", "aws_parameter_store", "boto3", "pynamodb", "requests", "requests_toolbelt"}


@pytest.mark.parametrize(
    ("service", "never"), [("sessions", HEAVY | {"ecdsa", "rsa"}), ("storage", HEAVY | {"jose"})]
)
def test_what_a_deployment_tells_makes_a_first_call_light(service: str, never: set[str]) -> None:
    first_use = f"services.{service}\nassert not services.clients.is_created('s3')\n"
    brought = libraries(imported_by(APP + TOLD + first_use))
    assert "botocore" in brought
    assert not brought & never
