"""Which photos are verified on which day, and in which lists they are."""

import datetime
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import dates
from chalicelib.integrity import lists
from chalicelib.integrity.lists import (
    SHARES,
    Listed,
    due_blocks,
    is_due,
    merged,
    share_of_today,
)
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, PhotoState, new_id
from chalicelib.photos.storage import StoredObject

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)

ids = st.lists(st.text("0123456789abcdefghz-", min_size=1, max_size=12), unique=True).map(sorted)


def stored(*photo_ids: str) -> list[StoredObject]:
    return [StoredObject(f"photos/sub/{photo_id}.jpg", 1, NOON) for photo_id in photo_ids]


def listed(
    state: PhotoState, sizes: dict[str, int], expires_at: datetime.datetime | None = None
) -> Listed:
    """Return what the lists have for a photo of 10 bytes, with objects by their names."""
    photo = Photo("sub", "1", state=state, filename="1.jpg", filesize=10, expires_at=expires_at)
    photo.preview_sha256 = "00"
    objects = [StoredObject(f"photos/sub/{name}", size, NOON) for name, size in sizes.items()]
    return Listed("1", photo, objects)


GOOD = {"1.jpg": 10, "thumbnails/1.jpg": 1, "previews/1.jpg": 1}


@pytest.mark.parametrize(
    ("sizes", "is_wrong"),
    [
        (GOOD, False),
        (GOOD | {"1.jpg": 9}, True),
        (GOOD | {"thumbnails/1.jpg": 0}, True),
        (GOOD | {"previews/1.jpg": 0}, True),
        ({"1.jpg": 10, "previews/1.jpg": 1}, True),
        ({"1.jpg": 10, "thumbnails/1.jpg": 1}, True),
        ({"thumbnails/1.jpg": 1, "previews/1.jpg": 1}, True),
    ],
    ids=[
        *("good", "another size", "empty thumbnail", "empty preview"),
        *("no thumbnail", "no preview", "no original"),
    ],
)
def test_lists_show_what_is_wrong_with_a_photo(sizes: dict[str, int], is_wrong: bool) -> None:
    assert listed(PhotoState.READY, sizes).seems_wrong(NOON - SECOND) is is_wrong


def test_lists_do_not_show_that_a_photo_of_an_earlier_version_has_no_preview() -> None:
    one = listed(PhotoState.READY, {"1.jpg": 10, "thumbnails/1.jpg": 1})
    assert one.photo is not None
    one.photo.preview_sha256 = None
    assert not one.seems_wrong(NOON)


def test_lists_show_an_unfinished_deletion_and_an_expired_upload() -> None:
    assert listed(PhotoState.DELETING, {}).seems_wrong(NOON)
    now = dates.utc_now()
    assert listed(PhotoState.PENDING, {}, now - SECOND).seems_wrong(NOON)
    assert not listed(PhotoState.PENDING, {}, now + 60 * SECOND).seems_wrong(NOON)


def test_object_without_an_item_seems_wrong_only_after_the_grace_period() -> None:
    for photo in (listed(PhotoState.READY, GOOD | {"1.png": 1}), Listed("1", None, stored("1"))):
        assert not photo.seems_wrong(NOON - SECOND)
        assert photo.seems_wrong(NOON)


@given(ids, ids)
def test_every_photo_is_in_a_block_of_exactly_one_of_thirty_shares(
    with_object: list[str], without: list[str]
) -> None:
    found = Counter[str]()
    keys = Counter[str]()
    for share in range(SHARES):
        for block in due_blocks(stored(*with_object), share):
            assert block.first < block.before or block.first >= KEY_PREFIX
            known = {*with_object, *without}
            found.update(one for one in known if block.first <= one < block.before)
            keys.update(one.key for one in block.objects)
    # Items that sort after every photo ID are not photos.
    assert all(found[one] == 1 for one in {*with_object, *without} if one < KEY_PREFIX)
    assert keys == Counter(one.key for one in stored(*with_object))


@given(ids, st.text("0123456789abcdef", min_size=8, max_size=8))
def test_share_of_a_photo_does_not_depend_on_other_photos(others: list[str], photo: str) -> None:
    def share_of(*photo_ids: str) -> int:
        key = stored(photo)[0]
        [share] = [
            share
            for share in range(SHARES)
            if any(key in block.objects for block in due_blocks(stored(*photo_ids), share))
        ]
        return share

    assert share_of(photo) == share_of(*sorted({photo, *others}))


def test_shares_of_photos_that_are_uploaded_over_a_month_are_about_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = itertools.count(1_795_000_000_000_000_000, 60 * 10**9)  # a photo a minute
    monkeypatch.setattr("chalicelib.photos.photo.time.time_ns", lambda: next(moments))
    photos = stored(*(new_id() for _ in range(43_200)))
    sizes = [
        sum(len(block.objects) for block in due_blocks(photos, share)) for share in range(SHARES)
    ]
    assert sum(sizes) == 43_200
    assert max(sizes) < 2 * 43_200 / SHARES


def test_objects_in_unexpected_folders_do_not_reverse_a_block() -> None:
    objects = [*stored("0190-a", "0191-a"), *stored("0000-late")]
    for share in range(SHARES):
        assert all(one.first < one.before for one in due_blocks(objects, share))


def test_each_day_of_thirty_has_another_share(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for day in range(SHARES + 1):
        moment = NOON + datetime.timedelta(days=day)
        monkeypatch.setattr(dates, "utc_now", lambda moment=moment: moment)
        shares.append(share_of_today())
    assert set(shares) == set(range(SHARES))
    assert shares[0] == shares[-1]


def test_all_names_are_due_without_a_share() -> None:
    assert is_due("any", None)
    assert sum(is_due("any", share) for share in range(SHARES)) == 1


def test_items_and_objects_with_one_id_are_listed_together() -> None:
    photo = Photo("sub", "2")
    objects = [*stored("1", "2"), StoredObject("photos/sub/thumbnails/2.jpg", 1, NOON)]
    first, second = merged(iter([photo]), objects)
    assert (first.photo_id, first.photo, len(first.objects)) == ("1", None, 1)
    assert (second.photo_id, second.photo, len(second.objects)) == ("2", photo, 2)
    assert lists.photo_id_of("photos/sub/thumbnails/2.jpg") == "2"
