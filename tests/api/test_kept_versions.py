"""What the bucket keeps of photos: everything, and what can be created again only briefly."""

from typing import Any

import boto3
import pytest

import app
from tests.support import images
from tests.support.album import find_issues, start_upload
from tests.support.people import Person

FOLDERS = {"previews": "preview", "thumbnails": "thumbnail"}
RENDITION = [{"Key": "kind", "Value": "rendition"}]


def tags() -> dict[str, list[dict[str, str]]]:
    """Return the tags of each object, by the last part of its folder."""
    s3, bucket = boto3.client("s3"), app.services.settings.photo_bucket
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {
        FOLDERS.get(key.split("/")[-2], "original"): s3.get_object_tagging(Bucket=bucket, Key=key)[
            "TagSet"
        ]
        for key in keys
    }


def versions() -> list[dict[str, Any]]:
    """Return all versions and markers that the bucket has."""
    listed = boto3.client("s3").list_object_versions(Bucket=app.services.settings.photo_bucket)
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]


def test_preview_and_thumbnail_of_an_upload_are_tagged_as_renditions_and_its_original_is_not(
    mario: Person,
) -> None:
    assert mario.upload(images.jpeg()).ok
    assert tags() == {"original": [], "preview": RENDITION, "thumbnail": RENDITION}


def test_preview_and_thumbnail_of_a_direct_upload_are_tagged_and_its_original_is_not(
    mario: Person,
) -> None:
    assert mario.complete(start_upload(mario, images.jpeg())).ok
    assert tags() == {"original": [], "preview": RENDITION, "thumbnail": RENDITION}


@pytest.mark.parametrize("folder", FOLDERS)
def test_rendition_that_a_repair_creates_is_tagged(mario: Person, folder: str) -> None:
    photo = mario.upload(images.jpeg()).json()["photo"]
    boto3.client("s3").delete_object(
        Bucket=app.services.settings.photo_bucket,
        Key=f"photos/{photo['user_id']}/{folder}/{photo['id']}.jpg",
    )
    assert len(find_issues(photo["user_id"], repair=True)) == 1
    assert tags() == {"original": [], "preview": RENDITION, "thumbnail": RENDITION}


@pytest.mark.parametrize("what", ["photo", "account"])
def test_deletion_leaves_versions_that_only_an_operator_can_read(mario: Person, what: str) -> None:
    boto3.client("s3").put_bucket_versioning(  # moto ignores it in the template.
        Bucket=app.services.settings.photo_bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    photo = mario.upload(images.jpeg()).json()["photo"]
    if what == "photo":
        assert mario.delete(f"/photos/{photo['id']}").ok
        assert mario.get(f"/photos/{photo['id']}").status_code == 404
    else:
        assert mario.send("DELETE", "/users/me", password=mario.password).ok
    assert sorted("Size" in version for version in versions()) == [False] * 3 + [True] * 3
    assert [version["IsLatest"] for version in versions() if "Size" in version] == [False] * 3
