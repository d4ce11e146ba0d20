"""Lists, pages, filters, the map, tags and edits."""

import json
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest

from chalicelib.photos import lists
from chalicelib.photos.models import Photo
from chalicelib.photos.query import ItemReader
from tests.support import images
from tests.support.people import Person

PICTURE = images.jpeg(16, 16)


def upload(person: Person, **fields: str) -> str:
    photo_id: str = person.upload(PICTURE, **fields).json()["photo_id"]
    return photo_id


def album(person: Person, count: int) -> list[str]:
    """Store that many photos, a day apart, and return their ids, newest first."""
    user_id = person.upload(PICTURE, taken_date="1990-01-01").json()["photo"]["user_id"]
    row = Photo.query(user_id).next()
    ids = [row.id]
    with Photo.batch_write() as batch:
        for number in range(1, count):
            row.id = f"{row.id[:-6]}{number:06x}"
            date = f"20{number // 336:02}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T00:00:00"
            row.taken_key, row.taken_date = f"{date}#{row.id}", date
            row.search_text = f"photo {number}" + (" rare" if number % 50 == 7 else "")
            batch.save(Photo(**row.attribute_values))
            ids.append(row.id)
    return ids[::-1]


def get(person: Person, path: str = "/photos", **query: Any) -> Any:
    response = person.get(f"{path}?{urlencode(query)}")
    assert response.status_code == 200, response.json()
    return response.json()


def ids_of(body: Any) -> list[str]:
    return [photo["id"] for photo in body["photos"]]


def all_pages(person: Person, **query: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        body = get(person, **query, **cursor)
        pages.append(ids_of(body))
        if body["nextCursor"] is None:
            return pages
        cursor = {"cursor": body["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 7, 10, 52, 53, 54, 1000])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_follow_each_other_without_gaps_or_repeats(
    mario: Person, limit: int, order: str
) -> None:
    ids = album(mario, 53)
    pages = all_pages(mario, limit=limit, order=order)
    expected = ids if order == "desc" else ids[::-1]
    assert [photo_id for page in pages for photo_id in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


def test_a_photo_is_the_same_in_a_list_as_by_itself(mario: Person) -> None:
    odd = {"tags": "null,12", "desc": '"\\ \u00e9\ud55c\U0001f600', "city": "true", "make": "1e5"}
    place = {"geotag_lat": "-1e-7", "geotag_lng": "0", "taken_date": "2019-05-06T07:08:09.5+09:00"}
    for fields in ({}, odd, place):
        upload(mario, **fields)
    for query in ({}, {"sort": "uploaded"}):
        listed = get(mario, **query)["photos"]
        assert len(listed) == 3
        for photo in listed:
            alone = mario.get(f"/photos/{photo['id']}").json()["photo"]
            assert list(photo.items()) == list(alone.items())
            assert list(map(type, photo.values())) == list(map(type, alone.values()))


def test_nothing_is_missed_or_seen_twice_while_photos_come_and_go(mario: Person) -> None:
    ids = album(mario, 53)
    first = get(mario, limit=10)
    last_seen = ids_of(first)[-1]
    mario.delete(f"/photos/{last_seen}")  # the very photo the cursor stands on
    mario.delete(f"/photos/{ids[40]}")
    upload(mario, taken_date="2030-01-01")  # before where we are
    added = upload(mario, taken_date="1980-01-01")  # after it
    rest, cursor = [], first["nextCursor"]
    while cursor:
        page = get(mario, limit=10, cursor=cursor)
        rest += ids_of(page)
        cursor = page["nextCursor"]
    assert ids_of(first) + rest == [*ids[:40], *ids[41:], added]


def test_photos_can_be_listed_by_when_they_were_uploaded(mario: Person) -> None:
    ids = [upload(mario, taken_date=date) for date in ("2020-01-01", "2010-01-01", "2015-01-01")]
    Photo.get(Photo.scan().next().user_id, ids[1]).update(actions=[Photo.state.set("deleting")])
    assert all_pages(mario, sort="uploaded", limit=1) == [[ids[2]], [ids[0]]]
    assert all_pages(mario, sort="uploaded", order="asc") == [[ids[0], ids[2]]]
    assert all_pages(mario, sort="uploaded", **{"from": "2016-01-01"}) == [[ids[0]]]


def test_a_page_is_filled_though_the_filter_discards_most(mario: Person) -> None:
    ids = album(mario, 400)
    rare = [photo_id for number, photo_id in zip(range(399, -1, -1), ids, strict=True)
            if number % 50 == 7 and number]  # fmt: skip
    assert all_pages(mario, q="rare", limit=3) == [rare[:3], rare[3:6], rare[6:]]


def test_a_page_ends_before_it_is_too_large_for_lambda(mario: Person) -> None:
    ids = album(mario, 20)
    with mock.patch.object(lists, "_PAGE_BYTES", 5000):
        pages = all_pages(mario)
    assert len(pages) > 3
    assert [photo_id for page in pages for photo_id in page] == ids


def test_a_page_ends_before_it_takes_too_long(mario: Person) -> None:
    ids = album(mario, 20)
    with (
        mock.patch.object(lists, "_PAGE_SECONDS", -1.0),
        mock.patch.object(ItemReader, "pages", _two_rows_a_call()),
    ):
        pages = all_pages(mario, q="rare")
    assert [photo_id for page in pages for photo_id in page] == [ids[12]]
    assert len(pages) > 5  # most of them empty, each with a cursor


def _two_rows_a_call() -> Any:
    pages = ItemReader.pages
    return lambda self, query, _, start: pages(self, query, 2, start)


@pytest.mark.parametrize("parameter", ["q", "tag", "from", "sort", "order"])
def test_a_cursor_is_good_for_its_own_query_alone(mario: Person, parameter: str) -> None:
    album(mario, 3)
    cursor = get(mario, limit=1)["nextCursor"]
    other = {"q": "x", "tag": "x", "from": "1980-01-01", "sort": "uploaded", "order": "asc"}
    query = urlencode({"cursor": cursor, parameter: other[parameter]})
    response = mario.get(f"/photos?{query}")
    assert response.status_code == 400
    assert response.json()["Message"].startswith("cursor must be the nextCursor")
    assert len(ids_of(get(mario, cursor=cursor, limit=2))) == 2  # any page size will do


def test_a_cursor_of_somebody_else_is_refused(mario: Person, luigi: Person) -> None:
    album(mario, 3)
    cursor = get(mario, limit=1)["nextCursor"]
    assert luigi.get(f"/photos?cursor={cursor}").status_code == 400
    assert luigi.get("/photos?cursor=made-up").status_code == 400


def test_words_are_found_in_tags_description_place_and_name(mario: Person) -> None:
    sea = upload(mario, tags="Sea,Sun", desc="At the LIDO", city="Venezia", filename_orig="a.jpg")
    upload(mario, tags="mountain", nation="Österreich", filename_orig="b.jpg")
    for query in ("sea", "SUN", "lido", "venez", "A.JPG", "sun at venezia", "  sea  "):
        assert ids_of(get(mario, q=query)) == [sea], query
    assert len(ids_of(get(mario, q="ÖSTERREICH"))) == 1
    assert len(ids_of(get(mario, q=".jpg"))) == 2
    assert ids_of(get(mario, q="sea mountain")) == []


def test_a_tag_is_found_whole_and_in_any_case(mario: Person) -> None:
    sea = upload(mario, tags="Sea, Sun")
    upload(mario, tags="seaside")
    assert ids_of(get(mario, tag="sea")) == [sea]
    assert ids_of(get(mario, tag=" SUN ")) == [sea]
    assert ids_of(get(mario, tag="se")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "2019-05-06"}, "bcd"),
        ({"to": "2019-05-06"}, "abc"),
        ({"from": "2019-05-06", "to": "2019-05-06"}, "bc"),
        ({"from": "2019-05-06T12:00:00"}, "cd"),
        ({"to": "2019-05-06T12:00:00"}, "abc"),
        ({"to": "2019-05-06T11:59:59"}, "ab"),
        ({"from": "2019-05-06T12:00:00Z", "to": "2019-05-06T12:00:00+09:00"}, "c"),
        ({"from": "2019:05:06 12:00:00"}, "cd"),
    ],
)
def test_dates_are_inclusive_and_compared_with_the_photos_own_local_time(
    mario: Person, query: dict[str, str], found: str
) -> None:
    moments = {
        "a": "2019-05-05T23:59:59-12:00",
        "b": "2019-05-06T00:00:00+14:00",
        "c": "2019-05-06T12:00:00",
        "d": "2019-05-07T00:00:00Z",
    }
    names = {upload(mario, taken_date=date): name for name, date in moments.items()}
    assert "".join(sorted(names[one] for one in ids_of(get(mario, **query)))) == found


def test_a_plus_that_became_a_space_is_understood(mario: Person) -> None:
    photo_id = upload(mario, taken_date="2019-05-06T12:00:00")
    body = mario.get("/photos?from=2019-05-06T12:00:00+09:00").json()
    assert ids_of(body) == [photo_id]


PLACES = {
    "null island": (0, 0),
    "Sydney": (-33.86, 151.2),
    "Fiji": (-17.7, 178.0),
    "Samoa": (-13.8, -171.7),
    "Quito": (-0.18, -78.47),
}


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("-180,-90,180,90", set(PLACES)),
        ("0,0,0,0", {"null island"}),
        ("170,-20,-170,-10", {"Fiji", "Samoa"}),
        ("-180,-90,0,0", {"Samoa", "Quito", "null island"}),
        ("100, -40, 160, -30", {"Sydney"}),
    ],
)
def test_a_box_finds_what_is_in_it_also_across_the_antimeridian(
    mario: Person, bbox: str, found: set[str]
) -> None:
    for name, (latitude, longitude) in PLACES.items():
        upload(mario, desc=name, geotag_lat=str(latitude), geotag_lng=str(longitude))
    upload(mario, desc="nowhere")
    assert {photo["desc"] for photo in get(mario, bbox=bbox)["photos"]} == found


def test_filters_work_together(mario: Person) -> None:
    wanted = upload(
        mario, tags="sea", desc="blue", geotag_lat="1", geotag_lng="1", taken_date="2019-05-06"
    )
    upload(mario, tags="sea", desc="red", geotag_lat="1", geotag_lng="1", taken_date="2019-05-06")
    upload(mario, tags="sea", desc="blue", geotag_lat="9", geotag_lng="1", taken_date="2019-05-06")
    upload(mario, tags="sea", desc="blue", geotag_lat="1", geotag_lng="1", taken_date="2018-05-06")
    query = {"tag": "sea", "q": "blue", "bbox": "0,0,2,2", "from": "2019-01-01", "to": "2019-12-31"}
    assert ids_of(get(mario, **query)) == [wanted]
    assert ids_of(get(mario, **query, sort="uploaded")) == [wanted]


def test_the_map_is_geojson_of_the_photos_that_have_a_position(mario: Person) -> None:
    sydney = upload(mario, geotag_lat="-33.86", geotag_lng="151.2", tags="city")
    island = upload(mario, geotag_lat="0", geotag_lng="0")
    upload(mario)
    response = mario.get("/photos/map")
    assert response.headers["Content-Type"] == "application/geo+json"
    body = json.loads(response.body)
    assert (body["type"], body["nextCursor"]) == ("FeatureCollection", None)
    found = {one["properties"]["id"]: one["geometry"] for one in body["features"]}
    assert found == {
        sydney: {"type": "Point", "coordinates": [151.2, -33.86]},
        island: {"type": "Point", "coordinates": [0, 0]},
    }
    assert {one["type"] for one in body["features"]} == {"Feature"}
    first = json.loads(mario.get("/photos/map?limit=1").body)
    second = json.loads(mario.get(f"/photos/map?limit=1&cursor={first['nextCursor']}").body)
    assert [one["properties"]["id"] for one in first["features"] + second["features"]] == [
        island,
        sydney,
    ]
    assert len(json.loads(mario.get("/photos/map?tag=city").body)["features"]) == 1
    # A map's page is no list's page.
    assert mario.get(f"/photos?cursor={first['nextCursor']}").status_code == 400


def test_tags_are_counted_in_the_newest_spelling(mario: Person, luigi: Person) -> None:
    upload(mario, tags="SEA,sun", taken_date="2018-01-01")
    upload(mario, tags="Sea, sea ,Ski", taken_date="2019-01-01")
    upload(mario)
    gone = upload(mario, tags="gone")
    mario.delete(f"/photos/{gone}")
    upload(luigi, tags="other")
    assert get(mario, "/photos/tags")["tags"] == [
        {"tag": "sea", "count": 2},
        {"tag": "Ski", "count": 1},
        {"tag": "sun", "count": 1},
    ]


def patch(person: Person, photo_id: str, **changes: Any) -> Any:
    return person.send("PATCH", f"/photos/{photo_id}", **changes)


def test_an_edit_changes_what_it_names_and_nothing_else(mario: Person) -> None:
    picture = images.jpeg(exif=images.full_exif())
    before = mario.upload(picture, tags="old", desc="kept").json()["photo"]
    response = patch(
        mario, before["id"], tags="new,tags", city="Lima", geotag_lat=-12, geotag_lng=-77.1
    )
    assert response.status_code == 200
    after = response.json()["photo"]
    changed = {"tags": "new,tags", "city": "Lima", "geotag_lat": -12, "geotag_lng": -77.1}
    assert after == {**before, **changed}
    assert mario.get(f"/photos/{before['id']}").json()["photo"] == after


def test_null_clears_a_field(mario: Person) -> None:
    picture = images.jpeg(exif=images.full_exif())
    photo = mario.upload(picture, tags="a", desc="b").json()["photo"]
    cleared = dict.fromkeys(
        ("tags", "desc", "make", "geotag_lat", "geotag_lng", "taken_date", "filename_orig")
    )
    after = patch(mario, photo["id"], **cleared).json()["photo"]
    assert (after["tags"], after["desc"]) == ("", "")
    assert {after[name] for name in cleared if name not in ("tags", "desc")} == {None}


def test_search_order_tags_and_map_follow_an_edit(mario: Person) -> None:
    first = upload(mario, tags="old", desc="old", taken_date="2019-01-01")
    second = upload(mario, taken_date="2018-01-01")
    patch(mario, second, tags="NEW", desc="Fresh", taken_date="2020:02:02 02:02:02")
    assert ids_of(get(mario)) == [second, first]
    assert ids_of(get(mario, q="fresh")) == [second]
    assert ids_of(get(mario, tag="new")) == [second]
    assert ids_of(get(mario, **{"from": "2020-01-01", "to": "2020-12-31"})) == [second]
    patch(mario, second, tags=None, taken_date=None)
    assert ids_of(get(mario, tag="new")) == []
    assert ids_of(get(mario)) == [second, first]  # by its upload now, which is today


def test_nobody_edits_what_is_somebody_elses(mario: Person, luigi: Person) -> None:
    photo_id = upload(mario)
    assert patch(luigi, photo_id, desc="mine").status_code == 404
    assert patch(mario, "nothing", desc="x").status_code == 404


def test_two_edits_at_once_both_count(mario: Person) -> None:
    photo_id = upload(mario, tags="a", desc="b")
    get_row = Photo.get
    edited: list[bool] = []

    def row_and_another_edit(*arguments: Any, **options: Any) -> Photo:
        row = get_row(*arguments, **options)
        if not edited:
            edited.append(True)
            assert patch(mario, photo_id, tags="another").status_code == 200
        return row

    with mock.patch.object(Photo, "get", row_and_another_edit):
        assert patch(mario, photo_id, desc="mine").status_code == 200
    assert ids_of(get(mario, q="another mine")) == [photo_id]


def test_a_list_fetched_twice_has_the_same_urls(mario: Person) -> None:
    upload(mario)
    first, second = get(mario)["photos"], get(mario)["photos"]
    assert first == second


def test_a_page_costs_one_query_whatever_the_album_holds(
    mario: Person, aws_calls: list[str]
) -> None:
    album(mario, 300)
    get(mario)
    aws_calls.clear()
    get(mario, limit=50)
    assert sorted(aws_calls) == ["dynamodb.GetItem", "dynamodb.Query"]
