"""What the app and its first requests import: every cold start pays for it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# All libraries and modules of the album that `import app` imports. Everything else is imported
# where a route first needs it; before adding something here, measure it with `make bench`.
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
HEAVY = {"PIL", "aws_parameter_store", "boto3", "pynamodb", "requests", "requests_toolbelt"}

NO_CONNECTIONS = """
import socket, sys

def fail(*_):
    raise AssertionError("a connection was opened")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = fail
before = set(sys.modules)
"""
APP = "import app\nassert '/photos' in app.app.routes\n"
CONTAINER = """
import os
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", CLOUDALBUM_SETTINGS='''{
    "S3_PHOTO_BUCKET": "bucket", "S3_PRESIGNED_EXP": "3600", "COGNITO_POOL_ID": "eu-west-1_Pool",
    "COGNITO_CLIENT_ID": "client", "COGNITO_DOMAIN": "-", "THUMBNAIL_WIDTH": "300",
    "THUMBNAIL_HEIGHT": "200", "AWS_REGION": "eu-west-1"}''')
from chalicelib.container import Container
services = Container()
"""
LIST = """
import json
from botocore.awsrequest import AWSResponse
from chalicelib.photos.photo import PhotoQuery

class Body(bytes):
    def stream(self, *_, **__):
        yield bytes(self)

item = {"id": {"S": "1"}, "user_id": {"S": "sub-1"}, "filename": {"S": "1.jpg"}}
body = Body(json.dumps({"Items": [item]}).encode())
services.clients.get("dynamodb").meta.events.register(
    "before-send.dynamodb", lambda request, **_: AWSResponse(request.url, 200, {}, body)
)
[photo] = services.lists.page("sub-1", PhotoQuery()).photos
assert "/photos/sub-1/thumbnails/1.jpg?X-Amz-" in photo["thumbSrc"], photo
"""
IMPORTED = "print(*sorted(set(sys.modules) - before))\n"


def imported_by(code: str) -> set[str]:
    """Return the modules that code imports, in a process without credential, region or home."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", NO_CONNECTIONS + code + IMPORTED],
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


def test_import_of_the_app_opens_no_connection_and_imports_exactly_these_modules() -> None:
    modules = imported_by(APP)
    # msgspec imports typing_extensions if it is installed; the package does not contain it.
    assert libraries(modules) - {"typing_extensions"} == LIBRARIES
    assert album_modules(modules) == MODULES


@pytest.mark.parametrize(
    ("first_use", "unused"),
    [
        ("services.sessions", HEAVY | {"ecdsa", "rsa"}),
        ("services.storage", HEAVY | {"jose"}),
        (LIST, HEAVY | {"jose"}),
    ],
    ids=["sessions", "storage", "list"],
)
def test_first_use_of_a_deployed_service_imports_no_heavy_library(
    first_use: str, unused: set[str]
) -> None:
    no_s3_client = "\nassert not services.clients.is_created('s3')\n"
    imported = libraries(imported_by(APP + CONTAINER + first_use + no_s3_client))
    assert "botocore" in imported
    assert not imported & unused
