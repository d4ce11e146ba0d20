"""Uploads that have begun: how they count, how many there may be, and when they expire."""

import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

import app
from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import TooManyUploads
from chalicelib.integrity.report import Issue
from chalicelib.photos import photo as photos
from chalicelib.photos import quota
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoMetadata, PhotoState, new_id
from tests.support import images
from tests.support.album import (
    bucket_objects,
    find_issues,
    photo_items,
    set_parameters,
    start_upload,
    store_upload,
    sub_of,
)
from tests.support.aws_calls import before_call, failing_call, isolate_transactions
from tests.support.people import PASSWORD, Person, at_once

IMAGE = images.jpeg(40, 30)
SIZE = len(IMAGE)
MINUTE, HOUR, DAY = (datetime.timedelta(minutes=count) for count in (1, 60, 24 * 60))
Travel = Callable[[datetime.timedelta], None]


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Travel:
    """Return a function that moves the album's clock forward."""
    passed = datetime.timedelta()
    now = datetime.datetime.now

    def forward(by: datetime.timedelta) -> None:
        nonlocal passed
        passed += by

    def utc_now() -> datetime.datetime:
        return now(datetime.UTC) + passed

    clock = SimpleNamespace(time_ns=lambda: int(utc_now().timestamp() * 1e9))
    monkeypatch.setattr(dates, "utc_now", utc_now)
    monkeypatch.setattr(photos, "time", clock)
    return forward


@pytest.fixture
def _three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow three pending uploads instead of a thousand."""
    monkeypatch.setattr(quota, "MAX_PENDING", 3)


def item_of(person: Person) -> User:
    return User.get(sub_of(person))


def pending_counters(person: Person) -> tuple[int, int]:
    user = item_of(person)
    return int(user.pending_count or 0), int(user.pending_bytes or 0)


def store_pending(sub: str, count: int) -> None:
    """Store pending uploads of one byte, counted as if each had been requested."""
    now = dates.utc_now()
    with Photo.batch_write() as batch:
        for _ in range(count):
            photo_id = new_id()
            batch.save(
                Photo(
                    sub,
                    photo_id,
                    state=PhotoState.PENDING,
                    filename=photo_id,
                    filesize=1,
                    upload_date=now.isoformat(),
                    expires_at=now + DAY,
                )
            )
    User(sub).update(
        actions=[
            User.photo_count.add(count),
            User.storage_bytes.add(count),
            User.pending_count.add(count),
            User.pending_bytes.add(count),
            User.uploads_begun.add(count),
        ]
    )


def test_pending_upload_counts_against_the_quota_but_not_in_the_profile(mario: Person) -> None:
    set_parameters(MAX_PHOTOS=1)
    started = start_upload(mario, IMAGE)
    assert mario.counters() == (0, 0)
    for response in (mario.upload(IMAGE), mario.begin_upload(1)):
        assert (response.status_code, response.json()["Code"]) == (413, "QuotaExceededError")
        assert "Uploads that are not completed count for up to a day" in response.json()["Message"]
    assert mario.complete(started).status_code == 200
    assert mario.counters() == (1, SIZE)


def test_bytes_of_pending_uploads_count_against_the_quota(mario: Person) -> None:
    set_parameters(MAX_STORAGE_BYTES=3 * SIZE)
    started = [start_upload(mario, IMAGE) for _ in range(2)]
    assert mario.begin_upload(SIZE + 1).status_code == 413
    assert mario.upload(IMAGE).status_code == 200
    assert mario.upload(IMAGE).status_code == 413
    assert [mario.complete(one).status_code for one in started] == [200, 200]
    assert mario.counters() == (3, 3 * SIZE)
    assert pending_counters(mario) == (0, 0)


def test_thousand_and_first_pending_upload_is_rejected_until_one_is_completed(
    mario: Person,
) -> None:
    store_pending(sub_of(mario), 999)
    started = start_upload(mario, IMAGE)
    assert started.status_code == 200
    rejected = mario.begin_upload(SIZE)
    assert (rejected.status_code, rejected.json()["Code"]) == (429, "TooManyRequestsError")
    assert rejected.json()["Message"] == (
        "1,000 uploads are not completed, which is the limit. Complete some of them, or try again "
        "in 25 hours."
    )
    assert 86_400 < int(rejected.headers["Retry-After"]) <= 86_400 + 301
    assert Photo.count(sub_of(mario)) == 1000
    assert mario.upload(IMAGE).status_code == 200
    assert mario.complete(started).status_code == 200
    assert mario.begin_upload(SIZE).status_code == 200
    assert mario.begin_upload(SIZE).status_code == 429


@pytest.mark.usefixtures("_three_at_once")
def test_limit_of_pending_uploads_applies_to_each_account(mario: Person, luigi: Person) -> None:
    statuses = [mario.begin_upload(SIZE).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert luigi.begin_upload(SIZE).status_code == 200


@pytest.mark.usefixtures("_three_at_once")
def test_upload_can_begin_again_when_the_time_to_wait_is_over_and_not_before(
    mario: Person, travel: Travel
) -> None:
    for _ in range(3):
        assert mario.begin_upload(SIZE).status_code == 200
        travel(HOUR)
    wait = int(mario.begin_upload(SIZE).headers["Retry-After"])
    travel(datetime.timedelta(seconds=wait - 60))
    rejected = mario.begin_upload(SIZE)
    assert rejected.status_code == 429
    assert int(rejected.headers["Retry-After"]) <= 60
    assert "a minute" in rejected.json()["Message"]
    travel(MINUTE)
    assert mario.begin_upload(SIZE).status_code == 200
    assert pending_counters(mario) == (3, 3 * SIZE)
    assert mario.begin_upload(SIZE).status_code == 429


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted by TTL", "not deleted yet"])
def test_expired_upload_no_longer_counts_against_the_quota(
    mario: Person, travel: Travel, is_deleted: bool
) -> None:
    set_parameters(MAX_PHOTOS=2, MAX_STORAGE_BYTES=2 * SIZE)
    expired = mario.begin_upload(SIZE)
    travel(2 * HOUR)
    later = mario.begin_upload(SIZE)
    assert mario.upload(IMAGE).status_code == 413
    travel(DAY - HOUR)
    if is_deleted:
        Photo(sub_of(mario), expired.json()["photo_id"]).delete()
    assert mario.upload(IMAGE).status_code == 200
    assert mario.counters() == (1, SIZE)
    assert pending_counters(mario) == (1, SIZE)
    store_upload(later, IMAGE)
    assert mario.complete(later).status_code == 200
    assert mario.counters() == (2, 2 * SIZE)


def test_expired_upload_cannot_be_completed(mario: Person, travel: Travel) -> None:
    started = start_upload(mario, IMAGE)
    travel(DAY - MINUTE)
    assert photo_items()[0].state == PhotoState.PENDING
    travel(2 * MINUTE)
    assert mario.complete(started).status_code == 404
    assert (mario.photos(), mario.counters()) == ([], (0, 0))


def test_upload_that_expires_while_it_is_completed_leaves_no_objects(
    mario: Person, travel: Travel
) -> None:
    started = start_upload(mario, IMAGE)
    travel(DAY - MINUTE)
    with before_call("PutObject", lambda: travel(2 * MINUTE)):
        assert mario.complete(started).status_code == 404
    assert [key for key in bucket_objects() if key.startswith("photos/")] == []
    assert (mario.photos(), mario.counters()) == ([], (0, 0))


def test_repeated_request_gets_a_form_that_expires_together_with_its_upload(
    mario: Person, travel: Travel
) -> None:
    first = mario.begin_upload(SIZE, key="k").json()
    travel(DAY - 10 * MINUTE)
    again = mario.begin_upload(SIZE, key="k").json()
    assert again["photo_id"] == first["photo_id"]
    left = datetime.datetime.fromisoformat(again["upload"]["expires_date"]) - dates.utc_now()
    assert 9 * MINUTE < left <= 10 * MINUTE
    travel(11 * MINUTE)
    assert mario.begin_upload(SIZE, key="k").json()["photo_id"] != first["photo_id"]


@pytest.mark.usefixtures("_three_at_once")
def test_repeated_request_returns_its_upload_even_at_the_limit(mario: Person) -> None:
    started = [mario.begin_upload(SIZE, key=f"key-{number}").json() for number in range(3)]
    again = mario.begin_upload(SIZE, key="key-1")
    assert again.status_code == 200
    assert again.json()["photo_id"] == started[1]["photo_id"]
    assert pending_counters(mario) == (3, 3 * SIZE)


@pytest.mark.usefixtures("_three_at_once")
def test_caller_at_the_limit_does_not_cause_a_count_with_each_request(
    mario: Person, travel: Travel, aws_calls: list[str]
) -> None:
    for _ in range(3):
        mario.begin_upload(SIZE)
        travel(MINUTE)
    travel(DAY)
    for _ in range(3):  # One after the other expires, a minute apart.
        assert mario.begin_upload(SIZE).status_code in (200, 429)
        travel(MINUTE)
    mario.begin_upload(SIZE)
    aws_calls.clear()
    for _ in range(5):
        assert mario.begin_upload(SIZE).status_code == 429
    assert "dynamodb.Query" not in aws_calls


@pytest.mark.parametrize("operation", ["Query", "UpdateItem"])
@pytest.mark.parametrize("change", ["begun", "completed", "both"])
def test_counters_are_exact_if_uploads_change_while_expired_ones_are_released(
    mario: Person, travel: Travel, monkeypatch: pytest.MonkeyPatch, operation: str, change: str
) -> None:
    monkeypatch.setattr(quota, "MAX_PENDING", 3)
    mario.begin_upload(SIZE)
    travel(HOUR)
    started = [start_upload(mario, IMAGE) for _ in range(2)]
    travel(DAY - HOUR + 10 * MINUTE)
    sub, uploads = sub_of(mario), app.services.uploads

    def interfere() -> None:
        if change != "begun":
            uploads.complete(sub, started[0].json()["photo_id"])
        if change != "completed":
            with mock.patch.object(quota, "MAX_PENDING", 9):
                uploads.begin(sub, SIZE, PhotoMetadata(), None)

    with before_call(operation, interfere):
        rejected = None
        try:
            uploads.begin(sub, SIZE, PhotoMetadata(), None)
        except TooManyUploads as error:
            rejected = error.retry_after
    # If another upload began meanwhile, nothing was released, and the caller tries again.
    assert rejected in ((None,) if change == "completed" else (None, 1))
    assert {finding.issue for finding in find_issues(sub)} == {Issue.STALE_UPLOAD}
    assert mario.counters() == (len(mario.photos()), len(mario.photos()) * SIZE)
    travel(DAY + HOUR)
    assert mario.begin_upload(SIZE).status_code == 200
    for _ in range(2):
        assert mario.begin_upload(SIZE).status_code == 200
    assert mario.begin_upload(SIZE).status_code == 429
    assert pending_counters(mario) == (3, 3 * SIZE)


def test_simultaneous_requests_cannot_begin_more_uploads_than_the_limit(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MAX_PENDING", 5)
    isolate_transactions(monkeypatch)
    sub, uploads = sub_of(mario), app.services.uploads

    def begin() -> bool:
        try:
            return bool(uploads.begin(sub, SIZE, PhotoMetadata(), None))
        except TooManyUploads:
            return False

    assert sum(at_once(*[begin] * 12)) == 5
    assert pending_counters(mario) == (5, 5 * SIZE)


@pytest.mark.usefixtures("_three_at_once")
@pytest.mark.parametrize("operation", ["Query", "UpdateItem"])
def test_upload_at_the_limit_is_503_if_expired_ones_cannot_be_released(
    mario: Person, travel: Travel, operation: str
) -> None:
    for _ in range(3):
        mario.begin_upload(SIZE)
    travel(DAY + HOUR)
    with failing_call(operation):
        assert mario.begin_upload(SIZE).status_code == 503
    assert mario.begin_upload(SIZE).status_code == 200
    assert pending_counters(mario) == (1, SIZE)


def test_upload_that_could_not_begin_does_not_count(mario: Person) -> None:
    with failing_call("TransactWriteItems"):
        assert mario.begin_upload(SIZE).status_code == 503
    assert pending_counters(mario) == (0, 0)


def test_rejected_image_counts_until_its_upload_expires(mario: Person, travel: Travel) -> None:
    set_parameters(MAX_PHOTOS=1)
    started = mario.begin_upload(6)
    store_upload(started, b"<svg/>")
    assert mario.complete(started).status_code == 415
    assert mario.upload(IMAGE).status_code == 413
    travel(DAY + 6 * MINUTE)
    assert mario.upload(IMAGE).status_code == 200


def test_deleted_account_keeps_no_counters_of_pending_uploads(mario: Person) -> None:
    sub = sub_of(mario)
    mario.begin_upload(SIZE)
    assert mario.send("DELETE", "/users/me", password=PASSWORD).status_code == 200
    left = User.get(sub).attribute_values
    assert not [name for name in left if "pending" in name or "count" in name or "begun" in name]


def test_upload_begun_by_an_earlier_version_is_completed_and_counted(mario: Person) -> None:
    # It was not counted while it was pending.
    set_parameters(MAX_PHOTOS=3)
    started = start_upload(mario, IMAGE)
    counters = (User.photo_count, User.storage_bytes)
    others = (User.pending_count, User.pending_bytes, User.uploads_begun)
    User(sub_of(mario)).update(
        actions=[*(one.set(0) for one in counters), *(one.remove() for one in others)]
    )
    assert mario.complete(started).status_code == 200
    assert mario.counters() == (1, SIZE)
    for _ in range(3):  # The limit may be exceeded by as many as there were; then it holds again.
        assert mario.upload(IMAGE).status_code == 200
    assert mario.upload(IMAGE).status_code == 413
    assert mario.counters() == (4, 4 * SIZE)
    assert pending_counters(mario) == (0, 0)


def test_check_finds_and_repairs_pending_uploads_that_are_not_counted(mario: Person) -> None:
    sub = sub_of(mario)
    start_upload(mario, IMAGE)
    mario.upload(IMAGE)
    assert find_issues(sub) == []
    User(sub).update(actions=[User.pending_count.set(0), User.photo_count.set(1)])
    [finding] = find_issues(sub, repair=True)
    assert (finding.issue, finding.repaired) == (Issue.WRONG_COUNTERS, True)
    assert find_issues(sub) == []
    assert mario.counters() == (1, SIZE)
    assert pending_counters(mario) == (1, SIZE)


def test_check_ignores_expired_uploads_that_are_still_counted(
    mario: Person, travel: Travel
) -> None:
    sub = sub_of(mario)
    pending: Any = mario.begin_upload(SIZE).json()
    travel(DAY + MINUTE)
    assert [finding.issue for finding in find_issues(sub)] == [Issue.STALE_UPLOAD]
    Photo(sub, pending["photo_id"]).delete()
    assert find_issues(sub) == []
    assert mario.counters() == (0, 0)
