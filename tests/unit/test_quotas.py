"""How much one account may store."""

import pytest

from chalicelib.accounts.models import User
from chalicelib.errors import QuotaExceeded
from chalicelib.photos.transactions import Quota


def test_without_limits_everything_fits() -> None:
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
def test_a_photo_fits_up_to_the_last_byte_and_the_last_photo(
    quota: Quota, size: int, fits: bool
) -> None:
    user = User("sub-1", photo_count=2, storage_bytes=100)
    if fits:
        quota.require_room(user, size)
        return
    with pytest.raises(QuotaExceeded):
        quota.require_room(user, size)


def test_a_refusal_tells_the_limits_and_what_is_left() -> None:
    user = User("sub-1", photo_count=2, storage_bytes=1_000)
    with pytest.raises(QuotaExceeded) as refusal:
        Quota(photos=1_000, storage_bytes=5_000).require_room(user, 4_001)
    assert "1,000 photos and 5,000 bytes" in str(refusal.value)
    assert "998 photos and 4,000 bytes are left" in str(refusal.value)
    assert "this photo has 4,001 bytes" in str(refusal.value)
    with pytest.raises(QuotaExceeded, match="; 0 photos are left"):
        Quota(photos=1).require_room(user, 1)  # a limit that was lowered since


def test_an_account_that_has_stored_nothing_has_room() -> None:
    Quota(photos=1, storage_bytes=10).require_room(User("sub-1"), 10)
    with pytest.raises(QuotaExceeded, match="10 bytes are left"):
        Quota(storage_bytes=10).require_room(User("sub-1"), 11)
