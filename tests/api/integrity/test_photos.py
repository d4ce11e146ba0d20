"""The integrity check of photos and their objects: what it finds, and how that is repaired."""

import datetime
import hashlib
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from botocore.client import BaseClient
from pynamodb.exceptions import DeleteError, UpdateError

import app
from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.integrity.repair import Counters
from chalicelib.integrity.report import Finding, Issue
from chalicelib.integrity.tables import Tables
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from chalicelib.photos.service import photo_keys
from tests.support import images
from tests.support.album import find_issues, store_upload
from tests.support.faults import error_response
from tests.support.integrity import (
    IMAGE,
    assert_repaired,
    begin_deletion,
    check,
    keys_of,
    photo_bucket,
    repair,
)
from tests.support.people import Person


def test_healthy_album_is_not_changed(owner: Person, sub: str, photo: Photo) -> None:
    store_upload(owner.begin_upload(len(IMAGE)), IMAGE)
    started = owner.begin_upload(filesize=len(IMAGE), key="k")
    store_upload(started, IMAGE)
    assert owner.complete(started).status_code == 200
    before = keys_of(sub), [item.attribute_values for item in Photo.query(sub)]
    assert repair(sub) == []
    assert (keys_of(sub), [item.attribute_values for item in Photo.query(sub)]) == before


def test_original_is_checked_without_downloading_it(
    sub: str, photo: Photo, aws_calls: list[str]
) -> None:
    assert check(sub) == []
    assert (
        aws_calls.count("s3.HeadObject") == 12
    )  # two checks of two photos with three objects each
    assert "s3.GetObject" not in aws_calls


def test_missing_original_is_reported_and_its_item_is_kept(sub: str, photo: Photo) -> None:
    photo_bucket().Object(f"photos/{sub}/{photo.filename}").delete()
    for found in (find_issues(sub), repair(sub)):
        [finding] = found
        assert (finding.issue, finding.repaired) == (Issue.MISSING_ORIGINAL, False)
        assert photo.id in str(finding)
    assert Photo.get(sub, photo.id).state == PhotoState.READY


@pytest.mark.parametrize("other", [IMAGE[:-1] + b"\0", IMAGE + b"\0"], ids=["hash", "size"])
def test_replaced_original_is_reported_and_kept(sub: str, photo: Photo, other: bytes) -> None:
    key = f"photos/{sub}/{photo.filename}"
    photo_bucket().put_object(Key=key, Body=other, ChecksumAlgorithm="SHA256")
    [finding] = repair(sub)
    assert (finding.issue, finding.repaired) == (Issue.DIFFERENT_ORIGINAL, False)
    assert photo_bucket().Object(key).get()["Body"].read() == other


RENDITIONS = {"thumbnails": Issue.THUMBNAIL, "previews": Issue.PREVIEW}


@pytest.mark.parametrize("folder", RENDITIONS)
@pytest.mark.parametrize("body", [None, b"other", b""], ids=["missing", "different", "empty"])
def test_bad_rendition_is_created_again_from_the_original(
    sub: str, photo: Photo, folder: str, body: bytes | None
) -> None:
    rendition = photo_bucket().Object(f"photos/{sub}/{folder}/{photo.id}.jpg")
    good = rendition.get()["Body"].read()
    if body is None:
        rendition.delete()
    else:
        rendition.put(Body=body, ChecksumAlgorithm="SHA256")
    assert_repaired(sub, RENDITIONS[folder])
    assert rendition.get()["Body"].read() == good


def make_older(photo: Photo) -> None:
    """Turn a photo into one of an earlier version, which had neither previews nor thumbhashes."""
    photo.update(actions=[Photo.preview_sha256.remove(), Photo.thumbhash.remove()])
    photo_bucket().Object(f"photos/{photo.user_id}/previews/{photo.id}.jpg").delete()


def test_repair_gives_a_photo_of_an_earlier_version_its_preview_and_thumbhash(
    owner: Person, sub: str, photo: Photo
) -> None:
    before = owner.get(f"/photos/{photo.id}").json()["photo"]
    make_older(photo)
    assert owner.get(f"/photos/{photo.id}").json()["photo"]["thumbhash"] is None
    assert_repaired(sub, Issue.NO_PREVIEW)
    after = owner.get(f"/photos/{photo.id}").json()["photo"]
    assert after["thumbhash"] == before["thumbhash"] is not None
    assert urlsplit(after["previewSrc"]).path == urlsplit(before["previewSrc"]).path
    preview = photo_bucket().Object(f"photos/{sub}/previews/{photo.id}.jpg")
    digest = hashlib.sha256(preview.get()["Body"].read()).hexdigest()
    assert Photo.get(sub, photo.id).preview_sha256 == digest


def test_repair_that_was_interrupted_before_it_recorded_the_preview_is_finished(
    sub: str, photo: Photo
) -> None:
    photo.update(actions=[Photo.preview_sha256.remove(), Photo.thumbhash.remove()])
    assert_repaired(sub, Issue.NO_PREVIEW)


def test_thumbnail_of_another_photo_is_replaced(owner: Person, sub: str, photo: Photo) -> None:
    other = owner.upload(images.jpeg(30, 40)).json()["photo_id"]
    bucket = photo_bucket()
    thumbnail, another = (
        bucket.Object(f"photos/{sub}/thumbnails/{photo_id}.jpg") for photo_id in (photo.id, other)
    )
    good, wrong = thumbnail.get()["Body"].read(), another.get()["Body"].read()
    thumbnail.put(Body=wrong, ChecksumAlgorithm="SHA256")
    assert_repaired(sub, Issue.THUMBNAIL)
    assert thumbnail.get()["Body"].read() == good


def test_thumbnail_cannot_be_repaired_without_the_original(sub: str, photo: Photo) -> None:
    for key in (photo.filename, f"thumbnails/{photo.id}.jpg"):
        photo_bucket().Object(f"photos/{sub}/{key}").delete()
    findings = [(finding.issue, finding.repaired) for finding in repair(sub)]
    assert findings == [(Issue.MISSING_ORIGINAL, False), (Issue.THUMBNAIL, False)]


def test_thumbnail_cannot_be_repaired_if_the_original_cannot_be_decoded(
    sub: str, photo: Photo
) -> None:
    other = b"x" * len(IMAGE)
    key = f"photos/{sub}/{photo.filename}"
    photo_bucket().put_object(Key=key, Body=other, ChecksumAlgorithm="SHA256")
    photo.update(actions=[Photo.sha256.set(hashlib.sha256(other).hexdigest())])
    photo_bucket().Object(f"photos/{sub}/thumbnails/{photo.id}.jpg").delete()
    findings = [(finding.issue, finding.repaired) for finding in repair(sub)]
    assert findings == [(Issue.THUMBNAIL, False), (Issue.WRONG_HASHES, True)]


def test_original_is_downloaded_only_if_s3_has_no_hash_of_it(
    sub: str, photo: Photo, aws_calls: list[str]
) -> None:
    photo_bucket().put_object(Key=f"photos/{sub}/{photo.filename}", Body=IMAGE)
    assert find_issues(sub) == []
    assert aws_calls.count("s3.GetObject") == 1


def test_photo_without_a_hash_of_its_thumbnail_has_no_issue(sub: str, photo: Photo) -> None:
    photo.update(actions=[Photo.thumbnail_sha256.remove()])
    assert check(sub) == []


@pytest.mark.parametrize("folder", RENDITIONS)
def test_rendition_is_not_kept_if_its_photo_is_deleted_during_the_repair(
    owner: Person, sub: str, photo: Photo, folder: str
) -> None:
    rendition = f"photos/{sub}/{folder}/{photo.id}.jpg"
    photo_bucket().Object(rendition).delete()
    fetch = app.services.storage.fetch

    def fetch_and_delete(key: str, size: int) -> Any:
        got = fetch(key, size)
        assert owner.delete(f"/photos/{photo.id}").status_code == 200
        return got

    with mock.patch.object(app.services.storage, "fetch", fetch_and_delete):
        repair(sub)
    assert rendition not in keys_of(sub)
    assert check(sub) == []


ORPHANS = (
    "{}/0190-none.jpg",
    "{}/thumbnails/none.jpg",
    "{}/none/deep.jpg",
    "{}/thumbnails/a/b",
    "{}/previews/none.jpg",
)


@pytest.mark.parametrize("name", ORPHANS)
@pytest.mark.usefixtures("two_hours_later")
def test_orphaned_object_is_deleted(sub: str, photo: Photo, name: str) -> None:
    photo_bucket().put_object(Key="photos/" + name.format(sub), Body=b"x")
    assert_repaired(sub, Issue.ORPHANED_OBJECT)
    assert len(keys_of(sub)) == 6


@pytest.mark.usefixtures("two_hours_later")
def test_second_original_of_a_photo_is_deleted_and_the_first_is_kept(
    sub: str, photo: Photo
) -> None:
    photo_bucket().put_object(Key=f"photos/{sub}/{photo.id}.png", Body=b"x")
    assert_repaired(sub, Issue.ORPHANED_OBJECT)
    assert f"photos/{sub}/{photo.filename}" in keys_of(sub)


def test_new_object_without_an_item_is_kept(sub: str, photo: Photo) -> None:
    photo_bucket().put_object(Key=f"photos/{sub}/{photo.id[:-4]}0000.jpg", Body=b"x")
    assert check(sub) == []
    assert repair(sub) == []
    assert len(keys_of(sub)) == 7


@pytest.mark.parametrize("key", ["photos/{}/{}.png", "photos/{}/{}/deep.jpg", "photos/new.jpg"])
def test_new_object_is_kept_wherever_it_is(sub: str, photo: Photo, key: str) -> None:
    key = key.format(sub, photo.id)
    photo_bucket().put_object(Key=key, Body=b"x")
    # Another issue of the same photo lets the check read all of its objects again.
    photo_bucket().Object(f"photos/{sub}/thumbnails/{photo.id}.jpg").delete()
    found: list[Finding] = []
    app.services.integrity.check(found.append, repair=True)
    assert [one.issue for one in found if sub in one.where] == [Issue.THUMBNAIL]
    assert key in {one.key for one in photo_bucket().objects.all()}


def test_upload_completed_after_it_was_listed_is_kept(owner: Person, sub: str) -> None:
    started = owner.begin_upload(filesize=len(IMAGE))
    store_upload(started, IMAGE)
    pending = Photo.get(sub, started.json()["photo_id"])
    pending.expires_at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert owner.complete(started).status_code == 200
    consistent = Tables.photos

    def stale(tables: Tables, *arguments: Any, **options: Any) -> Iterator[Photo]:
        if options.get("consistent"):
            return consistent(tables, *arguments, **options)
        return iter([pending])

    with mock.patch.object(Tables, "photos", stale):
        assert repair(sub) == []
    assert owner.counters() == (1, len(IMAGE))
    assert Photo.get(sub, pending.id).state == PhotoState.READY
    assert check(sub) == []


@pytest.mark.usefixtures("two_hours_later")
def test_object_is_kept_if_only_the_list_has_missed_its_item(sub: str, photo: Photo) -> None:
    with mock.patch.object(Tables, "photos", return_value=iter(())):
        repair(sub)
    assert len(keys_of(sub)) == 6


@pytest.mark.parametrize("state", list(PhotoState))
@pytest.mark.usefixtures("two_hours_later")
def test_repair_never_deletes_the_original_of_a_photo(
    sub: str, photo: Photo, state: PhotoState
) -> None:
    # Everything but the original is broken at once.
    photo.update(actions=[Photo.state.set(state), Photo.thumbnail_sha256.set("00")])
    photo_bucket().Object(f"photos/{sub}/thumbnails/{photo.id}.jpg").delete()
    User(sub).delete()
    never = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    photo.update(actions=[Photo.expires_at.set(never)])
    repair(sub)
    repair(sub)
    is_there = f"photos/{sub}/{photo.filename}" in keys_of(sub)
    assert is_there == (state != PhotoState.DELETING)


@pytest.mark.usefixtures("two_hours_later")
def test_repair_never_deletes_the_original_of_an_item_with_another_kind_of_id(
    sub: str, photo: Photo
) -> None:
    other = Photo(**{**photo.attribute_values, "id": "IMG_0001", "filename": "IMG_0001.jpg"})
    other.save()
    original = f"photos/{sub}/{other.filename}"
    photo_bucket().put_object(Key=original, Body=IMAGE, ChecksumAlgorithm="SHA256")
    assert {finding.issue for finding in repair(sub)} == {
        *RENDITIONS.values(),
        *(Issue.WRONG_COUNTERS, Issue.WRONG_MONTHS, Issue.WRONG_HASHES),
    }
    assert original in keys_of(sub)


def test_unfinished_deletion_is_finished(owner: Person, sub: str, photo: Photo) -> None:
    begin_deletion(photo)
    assert_repaired(sub, Issue.UNFINISHED_DELETION)
    assert len(keys_of(sub)) == 3
    assert owner.counters() == (1, len(IMAGE))


def test_stale_upload_is_deleted_with_its_objects(
    owner: Person, sub: str, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = owner.begin_upload(filesize=len(IMAGE))
    store_upload(started, IMAGE)
    key = f"photos/{sub}/{started.json()['photo_id']}.jpg"
    photo_bucket().put_object(Key=key, Body=IMAGE, ChecksumAlgorithm="SHA256")
    assert check(sub) == []
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2, minutes=1)
    monkeypatch.setattr(dates, "utc_now", lambda: later)
    assert check(sub) == [Issue.STALE_UPLOAD] * 2
    assert {finding.issue for finding in repair(sub)} == {Issue.STALE_UPLOAD, Issue.ORPHANED_OBJECT}
    assert check(sub) == []
    assert len(keys_of(sub)) == 6


def test_stale_upload_is_kept_if_it_is_completed_during_the_repair(
    owner: Person, sub: str, photo: Photo
) -> None:
    started = owner.begin_upload(filesize=len(IMAGE))
    pending = Photo.get(sub, started.json()["photo_id"])
    store_upload(started, IMAGE)
    assert owner.complete(started).status_code == 200
    finding = Finding(Issue.STALE_UPLOAD, f"photo {pending.id} of user {sub}")
    app.services.integrity._repairs.repair(finding, pending, {Issue.STALE_UPLOAD})
    assert len(owner.photos()) == 3
    assert check(sub) == []


@pytest.mark.parametrize("repaired", [Issue.THUMBNAIL, Issue.STALE_UPLOAD, Issue.WRONG_COUNTERS])
def test_repair_that_dynamodb_rejects_for_another_reason_raises_its_error(
    sub: str, photo: Photo, repaired: Issue
) -> None:
    repairs = app.services.integrity._repairs
    counters = Counters.of_user(User.get(sub))
    make_request = BaseClient._make_request

    def reject(client: Any, model: Any, request: Any, context: Any) -> Any:
        if model.name in ("UpdateItem", "DeleteItem"):
            return error_response(model.name, 400, "ValidationException")
        return make_request(client, model, request, context)

    def repair_one() -> None:
        if repaired == Issue.WRONG_COUNTERS:
            repairs.correct_counters(sub, counters, counters)
        else:
            repairs.repair(Finding(repaired, photo_keys(photo)[-1]), photo, {repaired})

    with (
        mock.patch.object(BaseClient, "_make_request", reject),
        pytest.raises((UpdateError, DeleteError), match="ValidationException"),
    ):
        repair_one()


def test_issue_of_a_photo_that_is_gone_cannot_be_repaired(sub: str, photo: Photo) -> None:
    repairs = app.services.integrity._repairs
    assert not repairs.repair(Finding(Issue.THUMBNAIL, ""), None, {Issue.THUMBNAIL})
    # Its owner finishes the deletion before the repair does.
    photo.delete()
    issue = Issue.UNFINISHED_DELETION
    assert repairs.repair(Finding(issue, ""), photo, {issue})
