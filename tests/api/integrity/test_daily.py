"""What the daily check finds on the same day, and what within thirty days."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.client import BaseClient

import app
from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.integrity import check as integrity
from chalicelib.integrity.check import IntegrityService
from chalicelib.integrity.lists import SHARES, is_due, share_of_today
from chalicelib.integrity.pace import Pace, TimeIsUp
from chalicelib.integrity.photos import PhotoCheck
from chalicelib.integrity.report import Finding, Issue, Summary
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, PhotoMetadata, PhotoState
from tests.support.album import set_parameters, store_photos, store_upload
from tests.support.integrity import IMAGE, begin_deletion, photo_bucket
from tests.support.people import Person

Break = Callable[[str, Photo], Any]


def daily(share: int) -> tuple[Summary, list[Finding]]:
    """Check the album as on a day of this share."""
    found: list[Finding] = []
    return app.services.integrity.check(found.append, share=share), found


def issues_about(sub: str, share: int) -> list[Issue]:
    """Return the issues of one user that a day of this share finds."""
    return [finding.issue for finding in daily(share)[1] if sub in finding.where]


def share_of(photo: Photo) -> int:
    """Return the share that has a photo."""
    [share] = [share for share in range(SHARES) if is_due(photo.id[:7], share)]
    return share


@pytest.fixture
def other_share(sub: str, photo: Photo) -> int:
    """Return a share that has neither the owner's photos nor the owner."""
    photos = list(Photo.query(sub, Photo.id < KEY_PREFIX))
    return next(
        share
        for share in range(SHARES)
        if not is_due(sub, share) and share not in map(share_of, photos)
    )


def key_of_original(photo: Photo) -> str:
    return f"photos/{photo.user_id}/{photo.filename}"


def key_of_thumbnail(photo: Photo) -> str:
    return f"photos/{photo.user_id}/thumbnails/{photo.id}.jpg"


def key_of_preview(photo: Photo) -> str:
    return f"photos/{photo.user_id}/previews/{photo.id}.jpg"


def put(key: str, body: bytes) -> None:
    photo_bucket().put_object(Key=key, Body=body, ChecksumAlgorithm="SHA256")


def begin_deletion_of_account(sub: str, photo: Photo) -> None:
    two_hours_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    User(sub).begin_deletion(int(two_hours_ago.timestamp()))


SAME_DAY: dict[str, tuple[Break, Issue]] = {
    "original missing": (
        lambda sub, photo: photo_bucket().Object(key_of_original(photo)).delete(),
        Issue.MISSING_ORIGINAL,
    ),
    "original with another size": (
        lambda sub, photo: put(key_of_original(photo), IMAGE + b"\0"),
        Issue.DIFFERENT_ORIGINAL,
    ),
    "thumbnail missing": (
        lambda sub, photo: photo_bucket().Object(key_of_thumbnail(photo)).delete(),
        Issue.THUMBNAIL,
    ),
    "thumbnail empty": (
        lambda sub, photo: put(key_of_thumbnail(photo), b""),
        Issue.THUMBNAIL,
    ),
    "preview missing": (
        lambda sub, photo: photo_bucket().Object(key_of_preview(photo)).delete(),
        Issue.PREVIEW,
    ),
    "preview empty": (
        lambda sub, photo: put(key_of_preview(photo), b""),
        Issue.PREVIEW,
    ),
    "orphaned original": (
        lambda sub, photo: put(f"photos/{sub}/{photo.id[:-4]}0000.jpg", b"x"),
        Issue.ORPHANED_OBJECT,
    ),
    "orphaned thumbnail": (
        lambda sub, photo: put(f"photos/{sub}/thumbnails/none.jpg", b"x"),
        Issue.ORPHANED_OBJECT,
    ),
    "orphaned preview": (
        lambda sub, photo: put(f"photos/{sub}/previews/none.jpg", b"x"),
        Issue.ORPHANED_OBJECT,
    ),
    "object in another folder": (
        lambda sub, photo: put(f"photos/{sub}/none/deep.jpg", b"x"),
        Issue.ORPHANED_OBJECT,
    ),
    "unfinished deletion": (
        lambda sub, photo: begin_deletion(photo),
        Issue.UNFINISHED_DELETION,
    ),
    "wrong counters": (
        lambda sub, photo: User(sub).update(actions=[User.photo_count.set(7)]),
        Issue.WRONG_COUNTERS,
    ),
    "unfinished account deletion": (
        begin_deletion_of_account,
        Issue.UNFINISHED_ACCOUNT_DELETION,
    ),
    "account deleted in the pool": (
        lambda sub, photo: boto3.client("cognito-idp").admin_delete_user(
            UserPoolId=app.services.settings.pool_id, Username=sub
        ),
        Issue.DELETED_ACCOUNT,
    ),
    "no user record": (lambda sub, photo: User(sub).delete(), Issue.NO_USER_RECORD),
}


@pytest.mark.parametrize(("broken", "issue"), SAME_DAY.values(), ids=SAME_DAY)
@pytest.mark.usefixtures("two_hours_later")
def test_issue_that_the_lists_show_is_found_on_the_same_day(
    sub: str, photo: Photo, other_share: int, broken: Break, issue: Issue
) -> None:
    assert issues_about(sub, other_share) == []
    broken(sub, photo)
    assert issues_about(sub, other_share) == [issue]


def test_stale_upload_is_found_on_the_same_day(
    owner: Person, sub: str, other_share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_upload(owner.begin_upload(filesize=len(IMAGE)), IMAGE)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2, minutes=1)
    monkeypatch.setattr(dates, "utc_now", lambda: later)
    assert issues_about(sub, other_share) == [Issue.STALE_UPLOAD] * 2


@pytest.mark.parametrize(
    ("key", "body", "issue"),
    [
        (key_of_original, IMAGE[:-1] + b"\0", Issue.DIFFERENT_ORIGINAL),
        (key_of_thumbnail, b"other", Issue.THUMBNAIL),
        (key_of_preview, b"other", Issue.PREVIEW),
    ],
    ids=["original", "thumbnail", "preview"],
)
def test_replaced_object_that_the_lists_do_not_show_is_found_on_one_day_of_thirty(
    sub: str, photo: Photo, key: Callable[[Photo], str], body: bytes, issue: Issue
) -> None:
    put(key(photo), body)
    found = {share: issues_about(sub, share) for share in range(SHARES)}
    assert {share: issues for share, issues in found.items() if issues} == {
        share_of(photo): [issue]
    }


def test_photo_of_an_earlier_version_is_reported_on_one_day_of_thirty_without_an_alarm(
    sub: str, photo: Photo
) -> None:
    photo.update(actions=[Photo.preview_sha256.remove(), Photo.thumbhash.remove()])
    photo_bucket().Object(key_of_preview(photo)).delete()
    found = {share: issues_about(sub, share) for share in range(SHARES)}
    assert {share: issues for share, issues in found.items() if issues} == {
        share_of(photo): [Issue.NO_PREVIEW]
    }
    summary, _ = daily(share_of(photo))
    assert not summary.is_healthy
    assert not summary.needs_attention


def test_items_without_user_record_and_objects_are_found_on_one_day_of_thirty(
    sub: str, photo: Photo
) -> None:
    item = Photo(**{**photo.attribute_values, "user_id": "nobody"})
    item.save()
    scans: list[Any] = []
    call = BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        if operation == "Scan" and arguments["TableName"] == "Photo":
            scans.append((arguments["Segment"], arguments["TotalSegments"]))
        return call(self, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", recorded):
        found = [issues_about("nobody", share) for share in range(SHARES)]
        app.services.integrity.check(lambda _: None)
    assert sum(Issue.MISSING_ORIGINAL in issues for issues in found) == 1
    assert scans == [*((share, SHARES) for share in range(SHARES)), (0, 1)]


def test_daily_check_reads_only_the_objects_of_its_share(
    sub: str, photo: Photo, other_share: int, aws_calls: list[str]
) -> None:
    summary, _ = daily(other_share)
    assert (summary.photos, summary.verified) == (2, 0)
    assert "s3.HeadObject" not in aws_calls
    summary, _ = daily(share_of(photo))
    photos = [
        one for one in Photo.query(sub, Photo.id < KEY_PREFIX) if share_of(one) == share_of(photo)
    ]
    assert summary.verified == len(photos)
    assert aws_calls.count("s3.HeadObject") == 3 * len(photos)


def test_operator_check_verifies_every_hash(sub: str, photo: Photo, aws_calls: list[str]) -> None:
    summary = app.services.integrity.check(print)
    assert (summary.photos, summary.verified) == (2, 2)
    assert aws_calls.count("s3.HeadObject") == 6


def test_only_suspects_are_read_again(
    sub: str, photo: Photo, other_share: int, aws_calls: list[str]
) -> None:
    photo_bucket().Object(key_of_thumbnail(photo)).delete()
    before = aws_calls.count("dynamodb.GetItem")
    daily(other_share)
    assert aws_calls.count("s3.HeadObject") == 3
    with mock.patch.object(PhotoCheck, "check_again", return_value=iter(())):
        middle = aws_calls.count("dynamodb.GetItem")
        daily(other_share)
    assert (middle - before) - (aws_calls.count("dynamodb.GetItem") - middle) == 1


def test_issue_of_a_photo_in_the_share_is_reported_once(sub: str, photo: Photo) -> None:
    photo_bucket().Object(key_of_original(photo)).delete()
    assert issues_about(sub, share_of(photo)) == [Issue.MISSING_ORIGINAL]


def test_photos_are_verified_although_their_originals_and_neighbors_are_missing(
    sub: str, photo: Photo
) -> None:
    for one in Photo.query(sub, Photo.id < KEY_PREFIX):
        photo_bucket().Object(key_of_original(one)).delete()
        photo_bucket().Object(key_of_thumbnail(one)).delete()
        photo_bucket().Object(key_of_preview(one)).delete()
    put(f"photos/{sub}/0000.jpg", b"x")  # the only object that is left
    with mock.patch.object(integrity._Check, "_compare_lists", side_effect=TimeIsUp):
        found = [issue for share in range(SHARES) for issue in issues_about(sub, share)]
    assert Counter(found) == {
        Issue.MISSING_ORIGINAL: 2,
        Issue.THUMBNAIL: 2,
        Issue.PREVIEW: 2,
    }


def test_account_that_is_being_deleted_is_not_verified(sub: str, photo: Photo) -> None:
    User(sub).begin_deletion(int(datetime.datetime.now(datetime.UTC).timestamp()))
    photo.update(actions=[Photo.state.set(PhotoState.DELETING)])
    assert issues_about(sub, share_of(photo)) == []


def test_users_of_the_share_are_checked_first(
    person: Callable[[str], Person], owner: Person, sub: str
) -> None:
    for number in range(5):
        person(f"guest-{number}")
    checked: list[str] = []
    user = integrity._Check.user

    def recorded(self: Any, sub: str) -> Iterator[Finding]:
        checked.append(sub)
        return user(self, sub)

    [share] = [share for share in range(SHARES) if is_due(sub, share)]
    with mock.patch.object(integrity._Check, "user", recorded):
        daily(share)
    due = sum(is_due(one, share) for one in checked)
    assert len(checked) == len(set(checked)) >= 6
    assert all(is_due(one, share) for one in checked[:due])


def test_every_photo_is_verified_within_thirty_days_although_no_run_is_complete(
    owner: Person, sub: str, photo: Photo
) -> None:
    photo_bucket().Object(key_of_original(photo)).delete()
    ids = {photo.id}
    for month in range(1, 7):
        moment = 1_700_000_000_000_000_000 + month * 30 * 86_400 * 10**9
        with mock.patch("chalicelib.photos.photo.time.time_ns", return_value=moment):
            uploaded = app.services.photos.upload(sub, IMAGE + bytes([month]), PhotoMetadata())
        put(f"photos/{sub}/{uploaded['id']}.jpg", IMAGE + bytes([0]))
        ids.add(uploaded["id"])
    with mock.patch.object(integrity._Check, "_compare_lists", side_effect=TimeIsUp):
        runs = [daily(share) for share in range(SHARES)]
    assert all(summary.is_behind for summary, _ in runs)
    found = [finding.where for _, findings in runs for finding in findings]
    assert len(found) == len(ids) == 7
    assert all(any(photo_id in where for where in found) for photo_id in ids)


def test_run_that_ends_after_its_share_says_so_and_needs_no_attention(
    sub: str, other_share: int, capsys: pytest.CaptureFixture[str]
) -> None:
    user = integrity._Check.user

    def end(self: Any, sub: str) -> Iterator[Finding]:
        if not is_due(sub, other_share):
            raise TimeIsUp
        return user(self, sub)

    with (
        mock.patch.object(integrity._Check, "user", end),
        mock.patch.object(integrity, "share_of_today", return_value=other_share),
    ):
        text = app.services.integrity.check_daily()
    assert text.endswith("(stopped early: time was up after the share of this day)")
    assert '"level": "WARNING"' in capsys.readouterr().out


def test_daily_check_has_the_share_of_its_day_and_a_time_limit(sub: str, photo: Photo) -> None:
    with mock.patch.object(IntegrityService, "check", return_value=Summary()) as checked:
        app.services.integrity.check_daily()
    assert checked.call_args.kwargs == {"seconds": 14 * 60, "share": share_of_today()}


def test_large_user_is_left_when_time_is_up(owner: Person, sub: str) -> None:
    # Not only between two users: Lambda would end the function in the middle.
    store_photos(owner, 30)
    waits = 0
    wait = Pace._wait_until

    def end(self: Pace, moment: float) -> None:
        nonlocal waits
        waits += 1
        if waits > 3:
            raise TimeIsUp
        wait(self, moment)

    with mock.patch.object(Pace, "_wait_until", end):
        summary = app.services.integrity.check(print, only=sub)
    assert not summary.is_complete


def test_check_of_provisioned_tables_reads_small_pages_at_half_of_their_speed(
    owner: Person, sub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_photos(owner, 50)
    set_parameters(DDB_RCU=10, DDB_WCU=10)
    slept: list[float] = []
    limits: list[int] = []
    monkeypatch.setattr(Pace.__init__, "__defaults__", (None, lambda: 0.0, slept.append))
    call = BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        if operation == "Query":
            limits.append(arguments["Limit"])
            assert arguments["ReturnConsumedCapacity"] == "TOTAL"
        return call(self, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", recorded):
        summary = app.services.integrity.check(lambda _: None, only=sub)
    assert summary.photos == 50
    assert limits[:3] == [20, 20, 20]
    # moto reports one unit for each page, which takes a fifth of a second at 5 units per second.
    assert slept[:3] == pytest.approx([0.2] * 3)
