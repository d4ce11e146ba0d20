"""Counters, lists and hashes that do not agree with the photos, and their repair."""

from typing import Any
from unittest import mock

import pytest

import app
from chalicelib.accounts.models import User
from chalicelib.integrity import derived as derived_check
from chalicelib.integrity.report import Issue
from chalicelib.photos.derived import month_counter, tag_counter
from chalicelib.photos.models import DerivedItem
from tests.support.album import moto_table
from tests.support.derived import WITH_TEXT, counters, members, upload
from tests.support.integrity import assert_repaired, check, repair
from tests.support.people import Person

ALL = [Issue.WRONG_MONTHS, Issue.WRONG_TAGS, Issue.WRONG_LISTS, Issue.WRONG_HASHES]


@pytest.fixture
def album(owner: Person, sub: str) -> list[str]:
    """Return the IDs of three photos: a favorite, another one, and one in the trash."""
    ids = [upload(owner, **WITH_TEXT) for _ in range(3)]
    owner.send("PATCH", f"/photos/{ids[0]}", favorite=True)
    owner.post(f"/photos/{ids[2]}/trash")
    return ids


def derived_items(sub: str) -> dict[str, Any]:
    """Return everything that follows from a user's photos, as it is stored."""
    items = [item.to_regular_json() for item in moto_table("Photo").all_items()]
    own = [one for one in items if one["user_id"] == sub and one["id"].startswith("key#")]
    return {one["id"]: {name: v for name, v in one.items() if v not in ("0", 0)} for one in own}


def test_album_of_the_previous_version_gets_everything_by_a_repair(
    sub: str, album: list[str]
) -> None:
    before = derived_items(sub)
    for item_id in before:
        DerivedItem(sub, item_id).delete()
    User(sub).update(actions=[User.trash_count.remove()])
    assert_repaired(sub, Issue.WRONG_COUNTERS, *ALL)
    assert derived_items(sub) == before
    assert User.get(sub).trash_count == 1


def test_counters_that_are_too_high_or_too_low_are_corrected(
    owner: Person, sub: str, album: list[str]
) -> None:
    right = counters(owner)
    numbers = {
        month_counter("2019-05"): 3,
        month_counter("1999-12"): 1,
        tag_counter("Sea"): -5,
        tag_counter("a.b[0]"): 2,
    }
    app.services.photos.correct_counter(sub, {month_counter("2019-05"): 3})
    for counter, number in numbers.items():
        app.services.photos.correct_counter(sub, {counter: number})
    assert counters(owner) != right
    assert_repaired(sub, Issue.WRONG_MONTHS, Issue.WRONG_TAGS)
    assert counters(owner) == right


def test_wrong_members_and_hashes_are_replaced(owner: Person, sub: str, album: list[str]) -> None:
    right, hashed = derived_items(sub), next(one for one in derived_items(sub) if "sha256" in one)
    favorite, trashed = members(owner)
    DerivedItem(sub, favorite).delete()
    DerivedItem(sub, trashed.replace("#20", "#19")).save()  # another date
    DerivedItem(sub, favorite[:-1] + "x").save()  # of no photo
    DerivedItem(sub, hashed, photo_ids={"x", *album[1:]}).save()
    DerivedItem(sub, "key#sha256#00", photo_ids={album[1]}).save()
    assert_repaired(sub, Issue.WRONG_LISTS, Issue.WRONG_HASHES)
    assert derived_items(sub) == right


def test_photo_that_changes_during_the_repair_is_repaired_by_the_next_attempt(
    owner: Person, sub: str, album: list[str]
) -> None:
    favorite, _ = members(owner)
    DerivedItem(sub, favorite).delete()
    correct = app.services.photos.rederive
    path = f"/photos/{album[0]}"

    def change_first(*arguments: Any) -> None:
        if not changed:
            changed.append(True)
            owner.send("PATCH", path, favorite=False)
            owner.send("PATCH", path, favorite=True, taken_date="2020-01-01")
        correct(*arguments)

    changed: list[bool] = []
    with mock.patch.object(app.services.photos, "rederive", change_first):
        repair(sub)
    repair(sub)
    assert check(sub) == []
    assert members(owner)[0].split("#")[3] == "2020-01-01T00:00:00"


def test_nothing_is_reported_while_the_user_changes_photos(
    owner: Person, sub: str, album: list[str]
) -> None:
    read = derived_check._stored_and_wanted
    numbers = iter(range(100))

    def read_and_change(*arguments: Any) -> Any:
        result = read(*arguments)
        # Each read finds one more wrong counter.
        app.services.photos.correct_counter(sub, {month_counter(f"{1900 + next(numbers)}-01"): 1})
        return result

    app.services.photos.correct_counter(sub, {month_counter("1800-01"): 1})
    with mock.patch.object(derived_check, "_stored_and_wanted", read_and_change):
        assert repair(sub) == []
