"""What tests of the integrity check share."""

from typing import Any

import boto3

import app
from chalicelib.integrity.report import Finding, Issue
from chalicelib.photos.changes import marked_deleting
from chalicelib.photos.models import Photo
from tests.support import images
from tests.support.album import bucket_objects, find_issues

IMAGE = images.jpeg(40, 30)


def photo_bucket() -> Any:
    """Return boto3's resource of the photo bucket."""
    return boto3.resource("s3").Bucket(app.services.settings.photo_bucket)


def keys_of(sub: str) -> list[str]:
    """Return the keys of a user's objects."""
    return [key for key in bucket_objects() if sub in key]


def check(sub: str) -> list[Issue]:
    """Return one user's issues, found twice, as a check changes nothing."""
    issues = [finding.issue for finding in find_issues(sub)]
    assert issues == [finding.issue for finding in find_issues(sub)]
    return issues


def repair(sub: str) -> list[Finding]:
    """Repair one user's data, and return what was found."""
    return find_issues(sub, repair=True)


def assert_repaired(sub: str, *expected: Issue) -> None:
    """Fail unless exactly these issues are found, and one repair resolves them all."""
    assert check(sub) == list(expected)
    findings = repair(sub)
    assert all(finding.repaired for finding in findings)
    assert [finding.issue for finding in findings] == list(expected)
    assert check(sub) == []


def begin_deletion(photo: Photo) -> None:
    """Mark a photo as an interrupted deletion leaves it."""
    app.services.transactions.apply(lambda: photo, marked_deleting)
