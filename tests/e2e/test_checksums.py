"""Checksums in S3, which moto does not verify."""

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.background import RunningStack
from tests.support import images
from tests.support.deployed import photo_bucket
from tests.support.people import Person


@pytest.fixture(scope="module")
def photo(stack: RunningStack) -> dict[str, Any]:
    person = Person.registered(stack.url, "checksums@example.com")
    uploaded: dict[str, Any] = person.upload(images.jpeg()).json()["photo"]
    return uploaded


def test_s3_stores_the_hash_of_each_original(stack: RunningStack, photo: dict[str, Any]) -> None:
    key = f"photos/{photo['user_id']}/{photo['filename']}"
    head = stack.make_client("s3").head_object(
        Bucket=photo_bucket(stack), Key=key, ChecksumMode="ENABLED"
    )
    assert base64.b64decode(head["ChecksumSHA256"]).hex() == photo["sha256"]


def test_s3_rejects_bytes_with_another_hash(stack: RunningStack) -> None:
    digest = base64.b64encode(hashlib.sha256(b"sent").digest()).decode()
    with pytest.raises(ClientError):
        stack.make_client("s3").put_object(
            Bucket=photo_bucket(stack),
            Key="photos/test",
            Body=b"what arrived",
            ChecksumSHA256=digest,
        )
