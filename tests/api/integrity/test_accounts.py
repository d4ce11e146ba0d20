"""The integrity check of accounts and counters, and of the whole album."""

import datetime
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.client import BaseClient
from chalice.test import Client
from pynamodb.expressions.update import Action

import app
from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.integrity.check import GRACE, IntegrityService
from chalicelib.integrity.repair import Counters
from chalicelib.integrity.report import Finding, IntegrityError, Issue, Summary
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoMetadata, PhotoState
from tests.support.integrity import IMAGE, assert_repaired, check, keys_of, photo_bucket, repair
from tests.support.people import Person


def test_wrong_counters_are_corrected(owner: Person, sub: str, photo: Photo) -> None:
    User(sub).update(actions=[User.photo_count.set(7), User.storage_bytes.remove()])
    assert_repaired(sub, Issue.WRONG_COUNTERS)
    assert owner.counters() == (2, 2 * len(IMAGE))


@pytest.mark.parametrize("moment", range(1, 9))
def test_counters_are_exact_if_a_photo_is_uploaded_during_the_repair(
    owner: Person, sub: str, photo: Photo, moment: int
) -> None:
    User(sub).update(actions=[User.photo_count.set(7)])
    calls, call = 0, BaseClient._make_api_call

    def call_after_upload(self: Any, operation: str, arguments: Any) -> Any:
        nonlocal calls
        if operation in ("GetItem", "Query", "UpdateItem"):
            calls += 1
            if calls == moment:
                app.services.photos.upload(sub, IMAGE, PhotoMetadata())
        return call(self, operation, arguments)

    with mock.patch.object(BaseClient, "_make_api_call", call_after_upload):
        repair(sub)
    assert calls >= moment
    assert repair(sub) == []
    assert owner.counters() == (3, 3 * len(IMAGE))


@pytest.mark.parametrize(
    "change",
    [
        User.photo_count.add(1),
        User.storage_bytes.add(1),
        User.pending_count.set(1),
        User.pending_bytes.set(1),
        User.deleting_at.set(1),
    ],
    ids=str,
)
def test_counters_that_have_changed_since_they_were_counted_are_not_corrected(
    sub: str, photo: Photo, change: Action
) -> None:
    repairs = app.services.integrity._repairs
    before = Counters.of_user(User.get(sub))
    User(sub).update(actions=[change])
    changed = User.get(sub).attribute_values
    assert not repairs.correct_counters(sub, before, Counters(7, 7, 7, 7))
    assert User.get(sub).attribute_values == changed


def test_counters_that_are_missing_count_as_zero(owner: Person, sub: str) -> None:
    names = ("photo_count", "storage_bytes", "pending_count", "pending_bytes")
    User(sub).update(actions=[getattr(User, name).remove() for name in names])
    assert app.services.integrity._repairs.correct_counters(sub, Counters(), Counters(5, 60, 7, 8))
    stored = User.get(sub).attribute_values
    assert [stored[name] for name in names] == [12, 68, 7, 8]
    assert owner.counters() == (5, 60)


def test_photo_whose_deletion_from_the_trash_was_interrupted_still_counts_as_trashed(
    sub: str, photo: Photo
) -> None:
    app.services.photos.trash(sub, photo.id)
    Photo(sub, photo.id).update(actions=[Photo.state.set(PhotoState.DELETING)])
    assert Issue.WRONG_COUNTERS not in check(sub)


def test_counters_of_an_account_that_is_gone_are_not_created(sub: str) -> None:
    User(sub).delete()
    assert not app.services.integrity._repairs.correct_counters(sub, Counters(), Counters(5))
    assert User.find(sub) is None


def begin_deletion(sub: str, ago: datetime.timedelta) -> None:
    """Begin the deletion of an account some time ago."""
    moment = datetime.datetime.now(datetime.UTC) - ago
    User(sub).begin_deletion(int(moment.timestamp()))


def test_unfinished_account_deletion_is_finished(owner: Person, sub: str, photo: Photo) -> None:
    begin_deletion(sub, datetime.timedelta(hours=2))
    assert_repaired(sub, Issue.UNFINISHED_ACCOUNT_DELETION)
    assert keys_of(sub) == []
    assert User.get(sub).deleted_at is not None
    assert owner.sign_up().status_code == 200


def test_account_deletion_that_has_just_begun_is_not_touched(sub: str, photo: Photo) -> None:
    begin_deletion(sub, datetime.timedelta())
    assert repair(sub) == []
    assert len(keys_of(sub)) == 6


def test_missing_user_record_is_created_and_its_photos_are_counted(
    owner: Person, sub: str, photo: Photo
) -> None:
    User(sub).delete()
    assert check(sub) == [Issue.NO_USER_RECORD]
    repaired = {finding.issue for finding in repair(sub)}
    assert repaired == {Issue.NO_USER_RECORD, Issue.WRONG_COUNTERS}
    assert check(sub) == []
    assert owner.counters() == (2, 2 * len(IMAGE))


def delete_from_pool(sub: str) -> None:
    pool_id = app.services.settings.pool_id
    boto3.client("cognito-idp").admin_delete_user(UserPoolId=pool_id, Username=sub)


@pytest.mark.parametrize("has_record", [True, False])
def test_photos_of_a_deleted_account_are_reported_and_kept(
    sub: str, photo: Photo, has_record: bool
) -> None:
    delete_from_pool(sub)
    if not has_record:
        User(sub).delete()
    [finding] = repair(sub)
    assert (finding.issue, finding.repaired) == (Issue.DELETED_ACCOUNT, False)
    assert len(keys_of(sub)) == 6


def check_all(repair: bool = False) -> tuple[Summary, list[Finding]]:
    found: list[Finding] = []
    return app.services.integrity.check(found.append, repair), found


def test_full_check_finds_users_without_a_record_and_objects_without_a_user(
    owner: Person, sub: str, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_all(repair=True)
    before, _ = check_all()
    User(sub).delete()
    item_without_user = Photo(**{**photo.attribute_values, "user_id": "nobody"})
    item_without_user.save()
    for key in ("photos/lost.jpg", "uploads/lost", "photos/no-item/1.jpg"):
        photo_bucket().put_object(Key=key, Body=b"x")
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    monkeypatch.setattr(dates, "utc_now", lambda: later)
    summary, found = check_all()
    # The owner still counts as a user, since there are photos.
    assert summary.users == before.users + 2
    reported = "\n".join(map(str, found))
    for where in (f"user {sub}", "nobody", "photos/lost.jpg", "uploads/lost", "photos/no-item/"):
        assert where in reported
    assert owner.email not in reported
    assert summary.needs_attention
    assert str(summary).endswith(f"{len(found)} issues, 0 repaired")
    item_without_user.delete()
    summary, found = check_all(repair=True)
    repaired = sum(finding.repaired for finding in found)
    assert repaired
    assert str(summary).endswith(f"{len(found)} issues, {repaired} repaired")


@pytest.mark.usefixtures("owner")
def test_incomplete_check_needs_attention() -> None:
    summary = app.services.integrity.check(print, seconds=-1)
    assert summary.needs_attention
    assert (summary.is_complete, summary.is_healthy) == (False, False)
    assert str(summary).endswith("(stopped early: time was up)")


def test_stale_upload_needs_no_attention() -> None:
    # TTL and lifecycle rules delete it later.
    summary = Summary()
    summary.add(Finding(Issue.STALE_UPLOAD, "uploads/sub/id"))
    assert (summary.needs_attention, summary.is_healthy) == (False, False)


def test_daily_check_logs_its_findings_without_personal_data_and_fails(
    owner: Person, sub: str, photo: Photo, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(app.app) as client:
        event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
        check_all(repair=True)
        delete_from_pool(sub)
        with pytest.raises(IntegrityError, match="1 issues, 0 repaired"):
            client.lambda_.invoke("check_integrity", event)
        output = capsys.readouterr().out
        assert f"{Issue.DELETED_ACCOUNT}: user {sub}" in output
        assert owner.email not in output
        assert photo.filename_orig not in output
        app.services.photos.delete_all(sub)
        with mock.patch.object(Summary, "needs_attention", False):
            assert "users" in client.lambda_.invoke("check_integrity", event).payload


def test_grace_period_is_longer_than_any_request() -> None:
    assert datetime.timedelta(minutes=15) < GRACE
    assert IntegrityService.__init__.__defaults__ == (GRACE,)
