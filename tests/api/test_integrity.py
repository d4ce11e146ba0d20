"""What the integrity check tells of each kind of damage, and what it makes of it."""

import datetime
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import boto3
import pytest
from chalice.test import Client

import app
from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.integrity.check import (
    GRACE,
    Finding,
    IntegrityError,
    IntegrityService,
    Issue,
    Summary,
)
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoMetadata, PhotoState
from tests.support import images
from tests.support.album import bucket_objects, find_issues, moto_album, snapshot, store_upload
from tests.support.people import PASSWORD, Person, post_json

PICTURE = images.jpeg(40, 30)
LATER = datetime.timedelta(hours=2)
_numbers = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    """Share one AWS, as each test has a person of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch, moto_album(monkeypatch):
        yield


@pytest.fixture
def somebody(person: Callable[[str], Person]) -> Iterator[Person]:
    """Return a person, who is gone after the test."""
    clear = snapshot()
    yield person(f"somebody-{next(_numbers)}")
    clear()


@pytest.fixture
def sub(somebody: Person) -> str:
    return app.services.sessions.authenticate(somebody.token).sub


@pytest.fixture
def photo(somebody: Person, sub: str) -> Photo:
    """Return the row of the first of somebody's two photos."""
    photo_id, _ = (somebody.upload(PICTURE).json()["photo_id"] for _ in range(2))
    return Photo.get(sub, photo_id)


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be two hours later for whoever checks."""
    monkeypatch.setattr(dates, "utc_now", lambda: datetime.datetime.now(datetime.UTC) + LATER)


def bucket() -> Any:
    return boto3.resource("s3").Bucket(app.services.settings.photo_bucket)


def keys(sub: str) -> list[str]:
    return [key for key in bucket_objects() if sub in key]


def check(sub: str) -> list[Issue]:
    """Return what is wrong, twice: looking changes nothing."""
    found = [finding.damage for finding in find_issues(sub)]
    assert found == [finding.damage for finding in find_issues(sub)]
    return found


def repair(sub: str) -> list[Finding]:
    return find_issues(sub, repair=True)


def mended(sub: str, *expected: Issue) -> bool:
    """Tell whether just this is wrong, all of it is mended at once, and stays so."""
    assert check(sub) == list(expected)
    found = repair(sub)
    assert all(finding.repaired for finding in found)
    assert [finding.damage for finding in found] == list(expected)
    return check(sub) == []


def test_an_album_that_is_well_is_left_alone(somebody: Person, sub: str, photo: Photo) -> None:
    store_upload(somebody.begin_upload(len(PICTURE)), PICTURE)
    asked = somebody.begin_upload(filesize=len(PICTURE), key="k")
    store_upload(asked, PICTURE)
    assert somebody.complete(asked).status_code == 200
    before = keys(sub), [row.attribute_values for row in Photo.query(sub)]
    assert repair(sub) == []
    assert (keys(sub), [row.attribute_values for row in Photo.query(sub)]) == before


def test_an_original_is_judged_without_reading_it(
    sub: str, photo: Photo, aws_calls: list[str]
) -> None:
    assert check(sub) == []
    assert aws_calls.count("s3.HeadObject") == 8  # two looks at two photos of two objects
    assert "s3.GetObject" not in aws_calls


def test_a_lost_original_is_told_and_never_its_row_removed(sub: str, photo: Photo) -> None:
    bucket().Object(f"photos/{sub}/{photo.filename}").delete()
    for found in (find_issues(sub), repair(sub)):
        [finding] = found
        assert (finding.damage, finding.repaired) == (Issue.NO_ORIGINAL, False)
        assert photo.id in str(finding)
    assert Photo.get(sub, photo.id).state == PhotoState.READY


@pytest.mark.parametrize("other", [PICTURE[:-1] + b"\0", PICTURE + b"\0"], ids=["hash", "size"])
def test_other_bytes_than_were_recorded_are_told_and_kept(
    sub: str, photo: Photo, other: bytes
) -> None:
    key = f"photos/{sub}/{photo.filename}"
    bucket().put_object(Key=key, Body=other, ChecksumAlgorithm="SHA256")
    [finding] = repair(sub)
    assert (finding.damage, finding.repaired) == (Issue.OTHER_ORIGINAL, False)
    assert bucket().Object(key).get()["Body"].read() == other


@pytest.mark.parametrize("body", [None, b"other", b""], ids=["gone", "other", "empty"])
def test_a_thumbnail_is_made_again_from_the_original(
    sub: str, photo: Photo, body: bytes | None
) -> None:
    thumbnail = bucket().Object(f"photos/{sub}/thumbnails/{photo.id}.jpg")
    good = thumbnail.get()["Body"].read()
    if body is None:
        thumbnail.delete()
    else:
        thumbnail.put(Body=body, ChecksumAlgorithm="SHA256")
    assert mended(sub, Issue.THUMBNAIL)
    assert thumbnail.get()["Body"].read() == good


def test_a_photo_of_an_earlier_version_has_no_hash_of_its_thumbnail(sub: str, photo: Photo) -> None:
    photo.update(actions=[Photo.thumbnail_sha256.remove()])
    assert check(sub) == []


def test_a_thumbnail_of_a_photo_that_is_deleted_meanwhile_does_not_stay(
    somebody: Person, sub: str, photo: Photo
) -> None:
    thumbnail = f"photos/{sub}/thumbnails/{photo.id}.jpg"
    bucket().Object(thumbnail).delete()
    fetch = app.services.storage.fetch

    def fetch_and_delete(key: str, size: int) -> Any:
        got = fetch(key, size)
        assert somebody.delete(f"/photos/{photo.id}").status_code == 200
        return got

    with mock.patch.object(app.services.storage, "fetch", fetch_and_delete):
        repair(sub)
    assert thumbnail not in keys(sub)
    assert check(sub) == []


ORPHANS = ("{}/0190-none.jpg", "{}/thumbnails/none.jpg", "{}/none/deep.jpg", "{}/thumbnails/a/b")


@pytest.mark.parametrize("name", ORPHANS)
@pytest.mark.usefixtures("_later")
def test_an_object_that_no_row_names_is_removed(sub: str, photo: Photo, name: str) -> None:
    bucket().put_object(Key="photos/" + name.format(sub), Body=b"x")
    assert mended(sub, Issue.ORPHAN)
    assert len(keys(sub)) == 4


@pytest.mark.usefixtures("_later")
def test_a_second_original_of_a_photo_is_removed_and_the_named_one_stays(
    sub: str, photo: Photo
) -> None:
    bucket().put_object(Key=f"photos/{sub}/{photo.id}.png", Body=b"x")
    assert mended(sub, Issue.ORPHAN)
    assert f"photos/{sub}/{photo.filename}" in keys(sub)


def test_an_upload_in_flight_is_not_touched(sub: str, photo: Photo) -> None:
    bucket().put_object(Key=f"photos/{sub}/{photo.id[:-4]}0000.jpg", Body=b"x")
    assert check(sub) == []
    assert repair(sub) == []
    assert len(keys(sub)) == 5


def test_what_a_row_names_is_never_removed_though_the_lists_have_missed_the_row(
    sub: str, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates, "utc_now", lambda: datetime.datetime.now(datetime.UTC) + LATER)
    with mock.patch("chalicelib.integrity._rows", return_value=iter(())):
        repair(sub)
    assert len(keys(sub)) == 4


@pytest.mark.parametrize("state", list(PhotoState))
@pytest.mark.usefixtures("_later")
def test_no_repair_removes_an_original_that_the_row_of_a_photo_names(
    sub: str, photo: Photo, state: PhotoState
) -> None:
    # Everything is broken at once but the original.
    photo.update(actions=[Photo.state.set(state), Photo.thumbnail_sha256.set("00")])
    bucket().Object(f"photos/{sub}/thumbnails/{photo.id}.jpg").delete()
    User(sub).delete()
    never = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    photo.update(actions=[Photo.expires_at.set(never)])
    repair(sub)
    repair(sub)
    is_there = f"photos/{sub}/{photo.filename}" in keys(sub)
    assert is_there == (state != PhotoState.DELETING)


def test_a_deletion_that_broke_is_finished(somebody: Person, sub: str, photo: Photo) -> None:
    photo.update(actions=[Photo.state.set(PhotoState.DELETING), Photo.taken_key.remove()])
    assert mended(sub, Issue.DELETION)
    assert len(keys(sub)) == 2
    assert somebody.get("/users/me").json()["user"]["photo_count"] == 1


def test_wrong_counters_are_corrected(somebody: Person, sub: str, photo: Photo) -> None:
    User(sub).update(actions=[User.photo_count.set(7), User.storage_bytes.remove()])
    assert mended(sub, Issue.COUNTERS)
    user = somebody.get("/users/me").json()["user"]
    assert (user["photo_count"], user["storage_bytes"]) == (2, 2 * len(PICTURE))


@pytest.mark.parametrize("moment", range(1, 9))
def test_counters_are_never_corrected_over_an_upload_in_flight(
    somebody: Person, sub: str, photo: Photo, moment: int
) -> None:
    User(sub).update(actions=[User.photo_count.set(7)])
    looked = 0
    get, query, update = User.get, Photo.query, User.update

    def meanwhile(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **options: Any) -> Any:
            nonlocal looked
            looked += 1
            if looked == moment:
                app.services.photos.upload(sub, PICTURE, PhotoMetadata())
            return act(*arguments, **options)

        return acting

    with (
        mock.patch.object(User, "get", meanwhile(get)),
        mock.patch.object(Photo, "query", meanwhile(query)),
        mock.patch.object(User, "update", lambda *a, **b: meanwhile(update)(*a, **b)),
    ):
        repair(sub)
    assert repair(sub) == []
    row = User.get(sub)
    assert (row.photo_count, row.storage_bytes) == (3, 3 * len(PICTURE))


def test_an_upload_older_than_two_days_goes_with_what_it_has_left(
    somebody: Person, sub: str, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = somebody.begin_upload(filesize=len(PICTURE))
    store_upload(asked, PICTURE)
    left = f"photos/{sub}/{asked.json()['photo_id']}.jpg"
    bucket().put_object(Key=left, Body=PICTURE, ChecksumAlgorithm="SHA256")
    assert check(sub) == []
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2, minutes=1)
    monkeypatch.setattr(dates, "utc_now", lambda: later)
    assert check(sub) == [Issue.UPLOAD] * 2
    assert {finding.damage for finding in repair(sub)} == {Issue.UPLOAD, Issue.ORPHAN}
    assert check(sub) == []
    assert len(keys(sub)) == 4


def leave(somebody: Person, sub: str, ago: datetime.timedelta) -> None:
    moment = datetime.datetime.now(datetime.UTC) - ago
    User(sub).begin_deletion(int(moment.timestamp()))


def test_an_account_that_is_being_left_is_removed(somebody: Person, sub: str, photo: Photo) -> None:
    leave(somebody, sub, LATER)
    assert mended(sub, Issue.LEAVING)
    assert keys(sub) == []
    assert User.get(sub).deleted_at is not None
    account = {"email": somebody.email, "password": PASSWORD, "username": "Again"}
    assert post_json(somebody.transport, "/users/signup", account).status_code == 200


def test_who_is_leaving_this_very_moment_is_left_alone(
    somebody: Person, sub: str, photo: Photo
) -> None:
    leave(somebody, sub, datetime.timedelta())
    assert repair(sub) == []
    assert len(keys(sub)) == 4


def test_photos_of_an_account_without_a_row_are_counted_again(
    somebody: Person, sub: str, photo: Photo
) -> None:
    User(sub).delete()
    assert check(sub) == [Issue.NO_ROW]
    assert {finding.damage for finding in repair(sub)} == {Issue.NO_ROW, Issue.COUNTERS}
    assert check(sub) == []
    assert somebody.get("/users/me").json()["user"]["photo_count"] == 2


@pytest.mark.parametrize("has_row", [True, False])
def test_photos_of_somebody_who_is_gone_from_the_pool_are_told_and_kept(
    sub: str, photo: Photo, has_row: bool
) -> None:
    boto3.client("cognito-idp").admin_delete_user(
        UserPoolId=app.services.settings.pool_id, Username=sub
    )
    if not has_row:
        User(sub).delete()
    [finding] = repair(sub)
    assert (finding.damage, finding.repaired) == (Issue.NO_ACCOUNT, False)
    assert len(keys(sub)) == 4


def everything(repair: bool = False) -> tuple[Summary, list[Finding]]:
    found: list[Finding] = []
    return app.services.integrity.check(found.append, repair), found


def test_everybody_is_looked_at_and_what_belongs_to_nobody(
    somebody: Person, sub: str, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(repair=True)
    before, _ = everything()
    User(sub).delete()
    nobodys = Photo(**{**photo.attribute_values, "user_id": "nobody"})
    nobodys.save()
    for key in ("photos/lost.jpg", "uploads/lost", "photos/no-row/1.jpg"):
        bucket().put_object(Key=key, Body=b"x")
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    monkeypatch.setattr(dates, "utc_now", lambda: later)
    summary, found = everything()
    assert summary.users == before.users + 2  # beside who has no row but has photos
    told = "\n".join(map(str, found))
    for where in (f"user {sub}", "nobody", "photos/lost.jpg", "uploads/lost", "photos/no-row/"):
        assert where in told
    assert summary.needs_attention
    nobodys.delete()
    summary, found = everything(repair=True)
    assert "mended" in str(summary)
    assert somebody.email not in told


@pytest.mark.usefixtures("somebody")
def test_time_that_is_up_is_told_and_uploads_that_come_late_alarm_nobody() -> None:
    summary = app.services.integrity.check(print, seconds=-1)
    assert (summary.complete, summary.needs_attention, summary.healthy) == (False, True, False)
    assert "time was up" in str(summary)
    late = Summary()
    late.left[Issue.UPLOAD] = 1
    assert (late.needs_attention, late.healthy) == (False, False)


def test_what_the_daily_check_finds_is_raised_and_logged_without_anybodys_data(
    somebody: Person, sub: str, photo: Photo, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(app.app) as client:
        event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
        everything(repair=True)
        boto3.client("cognito-idp").admin_delete_user(
            UserPoolId=app.services.settings.pool_id, Username=sub
        )
        with pytest.raises(IntegrityError, match="wrong"):
            client.lambda_.invoke("check_integrity", event)
        told = capsys.readouterr().out
        assert f"user {sub}" in told
        assert somebody.email not in told
        assert "picture.jpg" not in told
        app.services.photos.delete_all(sub)
        with mock.patch.object(Summary, "needs_attention", False):
            assert "users" in client.lambda_.invoke("check_integrity", event).payload


def test_the_grace_is_longer_than_any_request() -> None:
    assert datetime.timedelta(minutes=15) < GRACE
    assert IntegrityService.__init__.__defaults__ == (GRACE,)
