"""A bucket can only be deleted without any version of any object."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import destroy


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="photos")
        yield client


@pytest.mark.parametrize("status", ["Enabled", "Suspended", None])
def test_all_versions_and_markers_of_a_bucket_are_deleted(s3: Any, status: str | None) -> None:
    s3.put_object(Bucket="photos", Key="before", Body=b"1")
    if status:
        s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": status})
    for key in ("overwritten", "overwritten", "deleted", "before"):
        s3.put_object(Bucket="photos", Key=key, Body=b"2")
    s3.delete_object(Bucket="photos", Key="deleted")
    assert destroy._empty(s3, "photos")
    listed = s3.list_object_versions(Bucket="photos")
    assert not {"Versions", "DeleteMarkers"} & set(listed)
    s3.delete_bucket(Bucket="photos")
    assert not destroy._empty(s3, "photos")
