"""Preflights and checksums, which only the local server and the embedded AWS support."""

import base64
import hashlib
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from infra.background import RunningStack
from tests.support import images
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("local-stack")


@pytest.mark.parametrize("path", ["/photos/", "/photos", "/photos/file", "/users/signin"])
def test_preflight_of_the_web_client_succeeds(stack: RunningStack, path: str) -> None:
    requested = "authorization,content-type,datatype,headers,idempotency-key"
    response = requests.options(
        stack.url + path,
        headers={
            "Origin": "http://localhost:8080",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": requested,
        },
        timeout=30,
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert set(requested.split(",")) <= set(allowed)


@pytest.fixture
def stored(stack: RunningStack) -> dict[str, Any]:
    """Return a photo that is stored in the embedded AWS."""
    person = Person.at(stack.url, "stored@example.com")
    person.sign_up()
    person.sign_in()
    photo: dict[str, Any] = person.upload(images.jpeg()).json()["photo"]
    return photo


def test_s3_stores_the_hash_of_each_original(stack: RunningStack, stored: dict[str, Any]) -> None:
    bucket = stored["originalSrc"].split("/")[3]
    key = f"photos/{stored['user_id']}/{stored['filename']}"
    head = stack.make_client("s3").head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]).hex() == stored["sha256"]


def test_s3_rejects_bytes_that_do_not_match_the_hash(
    stack: RunningStack, stored: dict[str, Any]
) -> None:
    digest = base64.b64encode(hashlib.sha256(b"sent").digest()).decode()
    with pytest.raises(ClientError):
        stack.make_client("s3").put_object(
            Bucket=stored["originalSrc"].split("/")[3],
            Key="photos/test",
            Body=b"received",
            ChecksumSHA256=digest,
        )
