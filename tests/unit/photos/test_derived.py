"""What follows from a photo's item."""

from typing import Any

import pytest

from chalicelib.photos.derived import Derived, derived, difference, tag_counter
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, PhotoState

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
KEY = f"2026-11-03T12:00:00#{ID}"
TRASHED_DATE = "2026-12-01T08:00:00.000+00:00"


def photo(state: PhotoState = PhotoState.READY, **fields: Any) -> Photo:
    item = Photo("sub", ID, state=state, filesize=10, sha256="5a", tags="Sea, Sun")
    item.taken_key = KEY if state == PhotoState.READY else None
    item.trashed_date = TRASHED_DATE if state == PhotoState.TRASHED else None
    for name, value in fields.items():
        setattr(item, name, value)
    return item


def test_listed_photo_is_counted_in_its_month_and_by_its_tags_as_they_are_written() -> None:
    assert derived(photo()).counters == {
        ("key#months#2026", "2026-11"): 1,
        tag_counter("Sea"): 1,
        tag_counter("Sun"): 1,
    }
    assert tag_counter("Sea")[1] == "tag:Sea"


def test_all_spellings_of_a_tag_are_in_the_same_item_and_all_tags_in_16() -> None:
    assert tag_counter("SEA")[0] == tag_counter("sea")[0]
    assert len({tag_counter(str(number))[0] for number in range(1_000)}) == 16


@pytest.mark.parametrize("state", [PhotoState.PENDING, PhotoState.TRASHED, PhotoState.DELETING])
def test_photo_that_is_not_listed_is_in_no_month_tag_or_favorites(state: PhotoState) -> None:
    result = derived(photo(state, favorite=True, albums=["a"]))
    assert result.counters == {}
    assert not [member for member in result.members if "#trash#" not in member]


def test_favorite_and_albums_are_sorted_by_local_time() -> None:
    assert derived(photo(favorite=True, albums=["7"])).members == {
        f"key#list#favorites#{KEY}",
        f"key#list#album-7#{KEY}",
    }


def test_trash_is_sorted_by_the_date_of_trashing_until_the_photo_is_deleted() -> None:
    member = f"key#list#trash#{TRASHED_DATE}#{ID}"
    assert derived(photo(PhotoState.TRASHED)).members == {member}
    deleting = photo(PhotoState.DELETING, trashed_date=TRASHED_DATE)
    assert derived(deleting).members == {member}


@pytest.mark.parametrize(
    ("state", "counters", "has_hash"),
    [
        (PhotoState.PENDING, {"pending_count": 1, "pending_bytes": 10}, False),
        (PhotoState.READY, {}, True),
        (PhotoState.TRASHED, {"trash_count": 1}, True),
        (PhotoState.DELETING, {}, False),
    ],
)
def test_every_photo_counts_in_its_owners_item_but_only_a_stored_one_is_known_by_its_hash(
    state: PhotoState, counters: dict[str, int], has_hash: bool
) -> None:
    result = derived(photo(state))
    assert result.owner == {"photo_count": 1, "storage_bytes": 10} | counters
    assert result.hashes == ({"key#sha256#5a"} if has_hash else set())


def test_earlier_versions_take_every_item_for_a_used_key() -> None:
    result = derived(photo(favorite=True))
    items = {item for item, _ in result.counters} | result.members | result.hashes
    assert all(item.startswith(KEY_PREFIX) for item in items)


def test_difference_adds_and_removes_only_what_changes() -> None:
    moved = f"2026-10-01T00:00:00#{ID}"
    changes = difference(photo(favorite=True), photo(favorite=True, taken_key=moved, tags="sun"))
    assert changes.counters_by_item() == {
        "key#months#2026": {"2026-10": 1, "2026-11": -1},
        tag_counter("Sea")[0]: {"tag:Sea": -1},
        tag_counter("Sun")[0]: {"tag:Sun": -1, "tag:sun": 1},
    }
    assert changes.members_added == [f"key#list#favorites#{moved}"]
    assert changes.members_removed == [f"key#list#favorites#{KEY}"]
    assert (changes.owner, changes.hashes_added, changes.hashes_removed) == ({}, [], [])
    assert not difference(photo(), photo(desc="Sea"))


def test_trashing_and_restoring_change_back_what_they_changed() -> None:
    there = difference(photo(favorite=True), photo(PhotoState.TRASHED, favorite=True))
    back = difference(photo(PhotoState.TRASHED, favorite=True), photo(favorite=True))
    assert {name: -number for name, number in there.counters.items()} == back.counters
    assert there.members_removed == back.members_added
    assert (there.owner, back.owner) == ({"trash_count": 1}, {"trash_count": -1})


def test_photo_that_does_not_exist_has_nothing() -> None:
    assert derived(None) == Derived()
    assert difference(None, photo()).owner == {"photo_count": 1, "storage_bytes": 10}
    gone = difference(photo(PhotoState.DELETING), None)
    assert gone.owner == {"photo_count": -1, "storage_bytes": -10}
