"""The comparison of what follows from photos with what is stored."""

from typing import Any

from chalicelib.integrity.derived import DerivedData
from chalicelib.integrity.report import Issue
from chalicelib.photos.derived import Derived
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState

KEY = "2026-11-03T12:00:00#1"


def ready(photo_id: str = "1") -> Photo:
    key = KEY[:-1] + photo_id
    photo = Photo("sub", photo_id, state=PhotoState.READY, filesize=1, sha256="5a", taken_key=key)
    photo.tags, photo.favorite = "Sea", True
    return photo


def item(item_id: str, **attributes: Any) -> dict[str, Any]:
    return {"user_id": {"S": "sub"}, "id": {"S": item_id}, **attributes}


def stored(*items: dict[str, Any]) -> DerivedData:
    return DerivedData.of_items(items)


def test_stored_items_that_agree_with_the_photos_are_equal_to_what_follows_from_them() -> None:
    wanted = DerivedData.of_photos([ready("1"), ready("2")])
    [tags] = {counter[0] for counter in wanted.counters if "tags" in counter[0]}
    same = stored(
        item("key#list#favorites#2026-11-03T12:00:00#1"),
        item("key#list#favorites#2026-11-03T12:00:00#2"),
        item("key#months#2026", **{"2026-11": {"N": "2"}, "2026-10": {"N": "0"}}),
        item("key#sha256#5a", photo_ids={"SS": ["1", "2"]}),
        item("key#sha256#00"),  # whose photos are all deleted
        item(tags, **{"tag:Sea": {"N": "2"}}),
    )
    assert same == wanted
    assert same.issues(wanted) == []


def test_each_kind_of_difference_is_an_issue_of_its_own() -> None:
    wanted = DerivedData.of_photos([ready()])
    assert stored().issues(wanted) == [
        *(Issue.WRONG_MONTHS, Issue.WRONG_TAGS),
        *(Issue.WRONG_LISTS, Issue.WRONG_HASHES),
    ]
    negative = item("key#months#2026", **{"2026-10": {"N": "-1"}})
    assert stored(negative).issues(DerivedData()) == [Issue.WRONG_MONTHS]


def test_counters_are_corrected_in_updates_that_dynamodb_accepts() -> None:
    wanted = DerivedData(counters={("key#tags#0", f"tag:{n}"): 1 for n in range(250)})
    wanted.counters["key#tags#1", "tag:x"] = 2
    updates = list(stored().counters_to_add(wanted))
    assert sorted(map(len, updates)) == [1, 50, 100, 100]
    assert {one: n for numbers in updates for one, n in numbers.items()} == wanted.counters


def test_only_photos_with_wrong_lists_or_hashes_are_derived_again() -> None:
    wanted = DerivedData.of_photos([ready("1"), ready("2")])
    have = DerivedData(members=set(wanted.members), hashes={("key#sha256#5a", "1")})
    have.members.add("key#list#trash#2026#3")
    assert dict(have.photos_to_derive(wanted)) == {
        "2": Derived(members=frozenset({f"key#list#favorites#{KEY[:-1]}2"})),
        "3": Derived(members=frozenset({"key#list#trash#2026#3"})),
    }
