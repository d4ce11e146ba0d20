"""Edits of a photo's metadata."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.photos.models import Photo
from tests.support import images
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
