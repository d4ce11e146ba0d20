"""Edits of a photo's metadata."""

from typing import Any
from unittest import mock

import pytest
from pynamodb.expressions.update import Action

from chalicelib.photos.models import Photo
from chalicelib.photos.photo import PhotoState
from tests.support import images
from tests.support.album import sub_of
from tests.support.aws_calls import before_call
from tests.support.lists import get, ids_of, upload
from tests.support.people import Person, Response

IMAGE = images.jpeg(exif=images.full_exif())


def edit(person: Person, photo_id: str, **changes: Any) -> Response:
    return person.send("PATCH", f"/photos/{photo_id}", **changes)


def test_edit_changes_only_the_given_fields(mario: Person) -> None:
    before = mario.upload(IMAGE, tags="old", desc="kept").json()["photo"]
    changes = {"tags": "new,tags", "city": "Lima", "geotag_lat": -12, "geotag_lng": -77.1}
    response = edit(mario, before["id"], **changes)
    assert response.status_code == 200
    after = response.json()["photo"]
    assert after == {**before, **changes}
    assert mario.get(f"/photos/{before['id']}").json()["photo"] == after


def test_edit_to_null_clears_a_field(mario: Person) -> None:
    photo = mario.upload(IMAGE, tags="a", desc="b").json()["photo"]
    nullable = ("make", "geotag_lat", "geotag_lng", "taken_date", "filename_orig")
    cleared = edit(mario, photo["id"], **dict.fromkeys(("tags", "desc", *nullable)))
    after = cleared.json()["photo"]
    assert (after["tags"], after["desc"]) == ("", "")
    assert {after[name] for name in nullable} == {None}


def test_edit_changes_the_order_and_the_filters_of_lists(mario: Person) -> None:
    first = upload(mario, tags="old", desc="old", taken_date="2019-01-01")
    second = upload(mario, taken_date="2018-01-01")
    edit(mario, second, tags="NEW", desc="Fresh", taken_date="2020:02:02 02:02:02")
    assert ids_of(get(mario)) == [second, first]
    assert ids_of(get(mario, q="fresh")) == [second]
    assert ids_of(get(mario, tag="new")) == [second]
    assert ids_of(get(mario, **{"from": "2020-01-01", "to": "2020-12-31"})) == [second]
    edit(mario, second, tags=None, taken_date=None)
    assert ids_of(get(mario, tag="new")) == []
    assert ids_of(get(mario)) == [second, first]  # by the time of its upload, which was today


@pytest.mark.parametrize(
    ("mine", "others", "query"),
    [
        ({"desc": "mine"}, {"tags": "another"}, {"q": "another mine", "tag": "another"}),
        ({"taken_date": "2001-01-01"}, {"desc": "another"}, {"q": "another", "to": "2001-01-02"}),
        ({"desc": "mine"}, {"taken_date": "2001-01-01"}, {"q": "mine", "to": "2001-01-02"}),
        *(
            ({"desc": "mine"}, {name: "another"}, {"q": "another mine"})
            for name in ("city", "nation", "address", "filename_orig")
        ),
    ],
)
def test_simultaneous_edits_of_different_fields_are_both_kept(
    mario: Person, mine: dict[str, str], others: dict[str, str], query: dict[str, str]
) -> None:
    photo_id = upload(mario, tags="a", desc="b", taken_date="2020-01-01")
    get_item = Photo.get
    is_edited = False

    def get_item_before_another_edit(*arguments: Any, **options: Any) -> Photo:
        nonlocal is_edited
        item = get_item(*arguments, **options)
        if not is_edited:
            is_edited = True
            assert edit(mario, photo_id, **others).status_code == 200
        return item

    with mock.patch.object(Photo, "get", get_item_before_another_edit):
        assert edit(mario, photo_id, **mine).status_code == 200
    assert ids_of(get(mario, **query)) == [photo_id]


POSITION = {"geotag_lat": 1.5, "geotag_lng": 2.5}


@pytest.mark.parametrize(
    ("stored", "first", "second", "status"),
    [
        (POSITION, dict.fromkeys(POSITION), {"geotag_lng": 5}, 400),
        (POSITION, dict.fromkeys(POSITION), {"geotag_lat": 0}, 400),
        (POSITION, {"geotag_lat": 0}, dict.fromkeys(POSITION), 200),
        (POSITION, {"geotag_lat": 0}, {"geotag_lng": 0}, 200),
        ({}, POSITION, dict.fromkeys(POSITION), 200),
    ],
)
def test_simultaneous_edits_leave_no_half_of_a_position(
    mario: Person,
    stored: dict[str, float],
    first: dict[str, Any],
    second: dict[str, Any],
    status: int,
) -> None:
    photo_id = upload(mario, **{name: str(half) for name, half in stored.items()})
    with before_call("UpdateItem", lambda: edit(mario, photo_id, **first)):
        assert edit(mario, photo_id, **second).status_code == status
    expected = {**dict.fromkeys(POSITION), **stored, **first, **(second if status == 200 else {})}
    photo = mario.get(f"/photos/{photo_id}").json()["photo"]
    assert {name: photo[name] for name in POSITION} == expected
    on_map = [
        feature["geometry"]["coordinates"] for feature in get(mario, "/photos/map")["features"]
    ]
    whole = [[expected["geotag_lng"], expected["geotag_lat"]]]
    assert on_map == (whole if expected["geotag_lat"] is not None else [])


@pytest.mark.parametrize(("half", "other"), [tuple(POSITION), tuple(POSITION)[::-1]])
def test_simultaneous_edits_of_half_a_position_that_an_earlier_version_left_leave_none(
    mario: Person, half: str, other: str
) -> None:
    photo_id = upload(mario)
    Photo(sub_of(mario), photo_id).update([getattr(Photo, half).set(5)])
    with before_call("UpdateItem", lambda: edit(mario, photo_id, **{half: None})):
        assert edit(mario, photo_id, **{other: 1}).status_code == 400
    photo = mario.get(f"/photos/{photo_id}").json()["photo"]
    assert {photo[name] for name in POSITION} == {None}


def test_simultaneous_edits_that_leave_the_searched_text_unchanged_are_noticed(
    mario: Person,
) -> None:
    photo_id = upload(mario, tags="a", desc="b")
    with before_call("UpdateItem", lambda: edit(mario, photo_id, tags="a\nb", desc=None)):
        assert edit(mario, photo_id, city="Lima").status_code == 200
    assert ids_of(get(mario, tag="a\nb")) == [photo_id]
    assert ids_of(get(mario, tag="a")) == []


def test_edit_that_repeats_a_date_which_another_request_is_changing_sorts_by_its_own(
    mario: Person,
) -> None:
    photo_id = upload(mario, taken_date="2020-01-01")
    with before_call("UpdateItem", lambda: edit(mario, photo_id, taken_date="2001-01-01")):
        assert edit(mario, photo_id, taken_date="2020-01-01").status_code == 200
    assert ids_of(get(mario, **{"from": "2020-01-01"})) == [photo_id]
    assert ids_of(get(mario, to="2001-01-01")) == []


def test_edit_does_not_list_a_photo_again_whose_deletion_has_just_begun(mario: Person) -> None:
    photo_id, sub = upload(mario), sub_of(mario)
    actions: list[Action] = [Photo.state.set(PhotoState.DELETING), Photo.taken_key.remove()]
    with before_call("TransactWriteItems", lambda: Photo(sub, photo_id).update(actions)):
        assert edit(mario, photo_id, taken_date="2001-01-01").status_code == 404
    assert ids_of(get(mario)) == []


def test_half_a_position_that_an_earlier_version_left_is_on_no_map_and_can_be_completed(
    mario: Person,
) -> None:
    ids = [upload(mario, geotag_lat="1", geotag_lng="2") for _ in range(2)]
    for photo_id, half in zip(ids, (Photo.geotag_lat, Photo.geotag_lng), strict=True):
        Photo(sub_of(mario), photo_id).update(actions=[half.remove()])
    assert get(mario, "/photos/map")["features"] == []
    assert edit(mario, ids[0], desc="still editable").status_code == 200
    assert edit(mario, ids[0], geotag_lat=3).status_code == 200
    assert edit(mario, ids[1], geotag_lat=None).status_code == 200
    [feature] = get(mario, "/photos/map")["features"]
    assert feature["geometry"]["coordinates"] == [2, 3]


def test_photo_of_an_earlier_version_that_lacks_its_empty_texts_can_be_edited(
    mario: Person,
) -> None:
    photo_id = upload(mario)
    empty = [Photo.tags.remove(), Photo.desc.remove(), Photo.filename_orig.remove()]
    Photo(sub_of(mario), photo_id).update(actions=empty)
    assert edit(mario, photo_id, city="Lima").json()["photo"]["city"] == "Lima"
    assert ids_of(get(mario, q="lima")) == [photo_id]


def list_key(person: Person, photo_id: str) -> str:
    key: str = Photo.get(sub_of(person), photo_id).taken_key
    return key


def test_edit_of_undated_photo_keeps_its_place_in_the_list(mario: Person) -> None:
    photo_id = upload(mario)
    key = list_key(mario, photo_id)
    for changes in ({"desc": "edited"}, {"taken_date": None}, {"tags": "a"}):
        assert edit(mario, photo_id, **changes).status_code == 200
        assert list_key(mario, photo_id) == key
    assert edit(mario, photo_id, taken_date="2019-01-01").status_code == 200
    assert list_key(mario, photo_id).startswith("2019-01-01T00:00:00#")
    assert edit(mario, photo_id, taken_date=None).status_code == 200
    assert list_key(mario, photo_id) == key


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("changes", [{"desc": "edited"}, {"taken_date": None}])
def test_cursor_meets_an_undated_photo_once_though_it_is_edited_between_pages(
    mario: Person, order: str, changes: dict[str, Any]
) -> None:
    ids = [upload(mario) for _ in range(3)]
    # Earlier versions stored the time of an upload in the key to the microsecond.
    for number, photo_id in enumerate(ids):
        key = f"2026-11-25T12:00:00.123{number + 4}56#{photo_id}"
        date = Photo.upload_date.set("2026-11-25T12:00:00.123+00:00")
        actions = [Photo.taken_key.set(key), date]
        Photo(sub_of(mario), photo_id).update(actions=actions)
    expected = ids if order == "asc" else ids[::-1]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in ids:
        page = get(mario, limit=1, order=order, **cursor)
        seen += ids_of(page)
        for photo_id in ids:
            assert edit(mario, photo_id, **changes).status_code == 200
        cursor = {"cursor": page["nextCursor"]}
    assert (seen, page["nextCursor"]) == (expected, None)
