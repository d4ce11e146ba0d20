"""The lists of favorites and of the trash, with all other parameters of lists."""

from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib import dates
from tests.support.album import sub_of
from tests.support.aws_calls import before_call
from tests.support.lists import all_pages, get, ids_of, photos_of, upload
from tests.support.people import Person

PLACE = {"geotag_lat": "-17.7", "geotag_lng": "178"}
# A photo that all of QUERIES find, and others that some of them do not.
WANTED = {"tags": "Sea", "desc": "blue bird", "taken_date": "2019-05-06T12:00:00", **PLACE}
OTHERS: list[dict[str, str]] = [
    {"tags": "seaside"},
    {"desc": "bluebird"},
    {"taken_date": "2018-05-06"},
    {"geotag_lat": "0", "geotag_lng": "0"},
    {"geotag_lng": "-179"},
]
QUERIES: list[dict[str, Any]] = [
    {},
    {"q": "BIRD blue"},
    {"tag": "SEA"},
    {"from": "2019-05-06", "to": "2019-05-06"},
    {"from": "2019-05-06T12:00:00"},
    {"to": "2018-12-31"},
    {"bbox": "170,-20,-170,-10"},
    {"bbox": "170,-20,179,-10"},
    {"q": "bird", "tag": "sea", "bbox": "170,-20,-170,-10", "from": "2019-01-01"},
]


def make_favorite(person: Person, photo_id: str, favorite: bool = True) -> None:
    app.services.photos.edit(sub_of(person), photo_id, {"favorite": favorite})


def trash(person: Person, photo_id: str) -> None:
    app.services.photos.trash(sub_of(person), photo_id)


def test_favorites_are_listed_by_the_time_they_were_taken(mario: Person, luigi: Person) -> None:
    taken = ["2012-07-15T10:00:00", "2019-01-01T00:00:00+09:00", "", "1999-12-31"]
    ids = [upload(mario, taken_date=date) for date in taken]
    upload(mario)
    make_favorite(luigi, upload(luigi))
    for photo_id in ids:
        make_favorite(mario, photo_id)
    listed = get(mario, favorite="true")
    assert ids_of(listed) == [ids[2], ids[1], ids[0], ids[3]]
    assert [photo["favorite"] for photo in photos_of(listed)] == [True] * 4
    assert ids_of(get(mario, favorite="true", order="asc")) == [ids[3], ids[0], ids[1], ids[2]]
    assert ids_of(get(mario, favorite="true", sort="uploaded")) == ids[::-1]
    for limit in (1, 2, 3, 4):
        expected = [ids[2], ids[1], ids[0], ids[3]]
        pages = all_pages(mario, favorite="true", limit=limit)
        assert pages == [expected[start : start + limit] for start in range(0, 4, limit)]
    assert len(ids_of(get(mario, favorite="false"))) == 5


def test_favorite_is_the_same_in_its_list_as_on_its_own(mario: Person) -> None:
    photo_id = upload(mario, **WANTED)
    make_favorite(mario, photo_id)
    [listed] = photos_of(get(mario, favorite="true"))
    alone = mario.get(f"/photos/{photo_id}").json()["photo"]
    assert list(listed.items()) == list(alone.items())
    assert photos_of(get(mario)) == [listed]


def test_photo_that_is_no_favorite_any_more_is_not_listed(mario: Person) -> None:
    kept, unmarked, trashed, deleted = (upload(mario) for _ in range(4))
    for photo_id in (kept, unmarked, trashed, deleted):
        make_favorite(mario, photo_id)
    make_favorite(mario, unmarked, favorite=False)
    trash(mario, trashed)
    assert mario.delete(f"/photos/{deleted}").status_code == 200
    for sort in ("taken", "uploaded"):
        assert ids_of(get(mario, favorite="true", sort=sort)) == [kept]
    assert ids_of(get(mario, favorite="true", trashed="true")) == [trashed]


def test_favorite_moves_in_its_list_when_its_date_changes(mario: Person) -> None:
    first, second = (upload(mario, taken_date=f"2019-01-0{day}") for day in (1, 2))
    for photo_id in (first, second):
        make_favorite(mario, photo_id)
    mario.send("PATCH", f"/photos/{first}", taken_date="2020-01-01")
    assert ids_of(get(mario, favorite="true")) == [first, second]
    assert ids_of(get(mario, favorite="true", to="2019-12-31")) == [second]


def test_photo_that_becomes_a_favorite_while_its_date_changes_is_listed_by_the_new_date(
    mario: Person,
) -> None:
    photo_id = upload(mario, taken_date="2020-01-01")
    with before_call("TransactWriteItems", lambda: make_favorite(mario, photo_id)):
        changed = mario.send("PATCH", f"/photos/{photo_id}", taken_date="2001-01-01")
    assert changed.status_code == 200
    assert ids_of(get(mario, favorite="true", to="2001-01-01")) == [photo_id]
    assert ids_of(get(mario, favorite="true", **{"from": "2020-01-01"})) == []


@pytest.mark.parametrize("path", ["/photos", "/photos/map"])
def test_every_filter_finds_the_same_among_favorites_and_in_the_trash(
    mario: Person, path: str
) -> None:
    ids = [upload(mario, **WANTED), *(upload(mario, **WANTED | other) for other in OTHERS)]
    without_place = {name: text for name, text in WANTED.items() if name not in PLACE}
    ids.append(upload(mario, **without_place))
    expected = [found(mario, path, query) for query in QUERIES]
    assert all(0 < len(one) <= len(ids) for one in expected)
    assert len({len(one) for one in expected}) > 3
    for photo_id in ids:
        make_favorite(mario, photo_id)
    upload(mario, **WANTED)
    assert [found(mario, path, query, favorite="true") for query in QUERIES] == expected
    for photo_id in ids:
        trash(mario, photo_id)
    in_trash = [found(mario, path, query, trashed="true") for query in QUERIES]
    assert list(map(set, in_trash)) == list(map(set, expected))


def found(person: Person, path: str, query: dict[str, Any], **more: str) -> list[str]:
    return [photo["id"] for photo in photos_of(get(person, path, **query, **more))]


def test_trash_is_listed_with_the_last_trashed_photo_first(
    mario: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [upload(mario, taken_date=f"2019-01-0{day}") for day in (1, 2, 3)]
    now = dates.utc_now()
    for number, photo_id in enumerate((ids[1], ids[0], ids[2])):
        with monkeypatch.context() as patched:
            patched.setattr(dates, "utc_now", lambda moment=now + timedelta(number): moment)
            trash(mario, photo_id)
    kept = upload(mario)
    for sort in ("taken", "uploaded"):
        assert ids_of(get(mario, trashed="true", sort=sort)) == [ids[2], ids[0], ids[1]]
        assert ids_of(get(mario, sort=sort)) == [kept]
    assert ids_of(get(mario, trashed="true", order="asc")) == [ids[1], ids[0], ids[2]]
    shown = [photo["trashed_date"] for photo in photos_of(get(mario, trashed="true"))]
    assert shown == sorted(shown, reverse=True)
    assert all_pages(mario, trashed="true", limit=2) == [[ids[2], ids[0]], [ids[1]]]
    assert mario.get("/photos/map?trashed=true").json()["features"] == []


@pytest.mark.parametrize("parameter", ["favorite", "trashed"])
def test_choice_of_a_list_must_be_true_or_false(mario: Person, parameter: str) -> None:
    for value in ("yes", "1", "True"):
        response = mario.get(f"/photos?{parameter}={value}")
        assert response.status_code == 400
        assert response.json()["Message"] == f"{parameter} must be true or false."


def test_cursor_of_favorites_is_valid_for_no_other_list(mario: Person) -> None:
    for _ in range(2):
        make_favorite(mario, upload(mario))
    cursor = get(mario, favorite="true", limit=1)["nextCursor"]
    for query in ("", "&trashed=true", "&favorite=true&sort=uploaded", "&favorite=true&order=asc"):
        assert mario.get(f"/photos?cursor={cursor}{query}").status_code == 400
    assert len(ids_of(get(mario, favorite="true", cursor=cursor))) == 1


def test_page_of_favorites_costs_two_calls(mario: Person, aws_calls: list[str]) -> None:
    for _ in range(3):
        make_favorite(mario, upload(mario))
    get(mario)
    aws_calls.clear()
    get(mario, favorite="true", limit=2)
    read = ["dynamodb.GetItem", "dynamodb.Query", "dynamodb.BatchGetItem"]
    assert aws_calls == read  # The first is the authorizer's.
