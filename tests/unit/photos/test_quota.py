"""How many photos and bytes one account may store."""

import pytest

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import QuotaExceeded, TooManyUploads
from chalicelib.photos.quota import Quota, require_upload_allowed


def test_quota_without_limits_has_room_for_everything() -> None:
    assert not Quota()
    assert Quota().has_room_for(10**12) is None
    Quota().require_room(User("sub-1", photo_count=10**9, storage_bytes=10**15), 10**12)


@pytest.mark.parametrize(
    ("quota", "size", "fits"),
    [
        (Quota(photos=3), 10**9, True),
        (Quota(photos=2), 1, False),
        (Quota(storage_bytes=150), 50, True),
        (Quota(storage_bytes=150), 51, False),
        (Quota(photos=3, storage_bytes=150), 50, True),
        (Quota(photos=3, storage_bytes=149), 50, False),
        (Quota(photos=2, storage_bytes=150), 50, False),
    ],
)
def test_photo_fits_up_to_the_last_photo_and_byte_of_the_quota(
    quota: Quota, size: int, fits: bool
) -> None:
    user = User("sub-1", photo_count=2, storage_bytes=100)
    if fits:
        quota.require_room(user, size)
        return
    with pytest.raises(QuotaExceeded):
        quota.require_room(user, size)


@pytest.mark.parametrize(
    ("quota", "size", "message"),
    [
        (Quota(photos=2), 1, "This album is full (2 of 2 photos). Delete photos to make room."),
        (Quota(photos=1), 1, "This album is full (2 of 1 photos). Delete photos to make room."),
        (
            Quota(photos=1_000, storage_bytes=5_000),
            4_001,
            "Not enough space: this photo has 4,001 bytes, and 4,000 bytes of 5,000 bytes are "
            "free. Delete photos to make room.",
        ),
        (
            Quota(storage_bytes=500),  # The limit was lowered after the uploads.
            3_560_000,
            "Not enough space: this photo has 3.6 MB, and 0 bytes of 500 bytes are free. Delete "
            "photos to make room.",
        ),
    ],
)
def test_full_album_says_what_is_used_and_what_to_do(quota: Quota, size: int, message: str) -> None:
    user = User("sub-1", photo_count=2, storage_bytes=1_000)
    with pytest.raises(QuotaExceeded) as raised:
        quota.require_room(user, size)
    assert str(raised.value) == message


def test_full_album_mentions_uploads_that_are_not_completed() -> None:
    user = User("sub-1", photo_count=2, storage_bytes=100, pending_count=1, pending_bytes=50)
    for quota in (Quota(photos=2), Quota(storage_bytes=100)):
        with pytest.raises(QuotaExceeded, match="Uploads that are not completed count for up to"):
            quota.require_room(user, 1)


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (-5, "a minute"),
        (60, "a minute"),
        (61, "2 minutes"),
        (7140, "119 minutes"),
        (7141, "2 hours"),
    ],
)
def test_too_many_uploads_say_when_to_try_again(
    monkeypatch: pytest.MonkeyPatch, seconds: int, wait: str
) -> None:
    now = dates.utc_now()
    monkeypatch.setattr(dates, "utc_now", lambda: now)
    user = User("sub-1", pending_count=1000, recount_at=int(now.timestamp()) + seconds)
    with pytest.raises(TooManyUploads, match=f"try again in {wait}") as raised:
        require_upload_allowed(user)
    assert raised.value.retry_after == max(1, seconds)
    require_upload_allowed(User("sub-1", pending_count=999))


def test_account_without_counters_has_room() -> None:
    Quota(photos=1, storage_bytes=10).require_room(User("sub-1"), 10)
    with pytest.raises(QuotaExceeded, match="10 bytes of 10 bytes are free"):
        Quota(storage_bytes=10).require_room(User("sub-1"), 11)
