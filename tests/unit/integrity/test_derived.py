"""The comparison of what follows from photos with what is stored."""

from typing import Any
from unittest import mock

from chalicelib.errors import Conflict
from chalicelib.integrity.derived import DerivedData, check_again
from chalicelib.integrity.repair import Repairs
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


class FakeTables:
    """The photos and the derived items of a user, as they are read one time after the other."""

    def __init__(self, *photos: list[Photo]) -> None:
        self.reads = list(photos)

    def photos(self, sub: str, consistent: bool) -> list[Photo]:
        assert consistent
        return self.reads.pop(0)

    def derived_items(self, sub: str, consistent: bool) -> list[dict[str, Any]]:
        assert consistent
        return []


def check(*photos: list[Photo], repairs: Repairs | None = None) -> dict[Issue, bool]:
    tables: Any = FakeTables(*photos)
    return check_again(tables, "sub", repairs.correct_derived if repairs else None)


def test_difference_that_a_consistent_read_does_not_show_is_no_issue() -> None:
    assert check([]) == {}


def test_issue_of_a_user_who_changes_photos_is_found_when_that_ends() -> None:
    photo = ready()
    assert list(check([photo], [], [], [])) == []
    assert Issue.WRONG_MONTHS in check([photo], [], [photo], [photo])


def test_more_photos_with_the_same_bytes_than_an_item_may_name_remain_an_issue() -> None:
    photos: Any = mock.Mock(rederive=mock.Mock(side_effect=Conflict("1,000 times")))
    nothing: Any = None
    found = check([ready()], [ready()], repairs=Repairs(nothing, photos, nothing, nothing))
    assert found == {
        Issue.WRONG_MONTHS: True,
        Issue.WRONG_TAGS: True,
        Issue.WRONG_LISTS: True,
        Issue.WRONG_HASHES: False,
    }
    photos.correct_counter.assert_called()
