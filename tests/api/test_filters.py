"""Search and filters of lists, the map, and the list of tags."""

import pytest

import app
from tests.support.album import sub_of
from tests.support.lists import get, ids_of, upload
from tests.support.people import Person


def test_search_finds_words_in_tags_description_place_and_file_name(mario: Person) -> None:
    sea = upload(mario, tags="Sea,Sun", desc="At the LIDO", city="Venezia", filename_orig="a.jpg")
    upload(mario, tags="mountain", nation="Österreich", filename_orig="b.jpg")
    for words in ("sea", "SUN", "lido", "venez", "A.JPG", "sun at venezia", "  sea  "):
        assert ids_of(get(mario, q=words)) == [sea], words
    assert len(ids_of(get(mario, q="ÖSTERREICH"))) == 1
    assert len(ids_of(get(mario, q=".jpg"))) == 2
    assert ids_of(get(mario, q="sea mountain")) == []


def test_tag_filter_finds_whole_tags_in_any_case(mario: Person) -> None:
    sea = upload(mario, tags="Sea, Sun")
    upload(mario, tags="seaside")
    assert ids_of(get(mario, tag="sea")) == [sea]
    assert ids_of(get(mario, tag=" SUN ")) == [sea]
    assert ids_of(get(mario, tag="se")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "2019-05-06"}, "bcde"),
        ({"to": "2019-05-06"}, "abc"),
        ({"from": "2019-05-06", "to": "2019-05-06"}, "bc"),
        ({"from": "2019-05-06T12:00:00"}, "cde"),
        ({"to": "2019-05-06T12:00:00"}, "abc"),
        ({"to": "2019-05-06T11:59:59"}, "ab"),
        ({"to": "2019-05-07T00:00:00"}, "abcd"),
        ({"to": "2019-05-07T00:00:00.5"}, "abcde"),
        ({"from": "2019-05-07T00:00:00.5", "to": "2019-05-07T00:00:00.5"}, "e"),
        ({"from": "2019-05-06T12:00:00Z", "to": "2019-05-06T12:00:00+09:00"}, "c"),
        ({"from": "2019:05:06 12:00:00"}, "cde"),
    ],
)
def test_date_filter_is_inclusive_and_uses_the_local_time_of_each_photo(
    mario: Person, query: dict[str, str], found: str
) -> None:
    dates = {
        "a": "2019-05-05T23:59:59-12:00",
        "b": "2019-05-06T00:00:00+14:00",
        "c": "2019-05-06T12:00:00",
        "d": "2019-05-07T00:00:00Z",
        "e": "2019-05-07T00:00:00.5",
    }
    names = {upload(mario, taken_date=date): name for name, date in dates.items()}
    assert "".join(sorted(names[photo_id] for photo_id in ids_of(get(mario, **query)))) == found


def test_date_filter_accepts_an_unencoded_plus_sign(mario: Person) -> None:
    photo_id = upload(mario, taken_date="2019-05-06T12:00:00")
    # In a query string, it means a space.
    listed = mario.get("/photos?from=2019-05-06T12:00:00+09:00").json()
    assert ids_of(listed) == [photo_id]


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
        ("178,-90,178,90", {"Fiji"}),
        ("178,-90,-171.7,90", {"Fiji", "Samoa"}),
    ],
)
def test_bounding_box_finds_photos_even_across_the_antimeridian(
    mario: Person, bbox: str, found: set[str]
) -> None:
    for name, (latitude, longitude) in PLACES.items():
        upload(mario, desc=name, geotag_lat=str(latitude), geotag_lng=str(longitude))
    upload(mario, desc="no position")
    assert {photo["desc"] for photo in get(mario, bbox=bbox)["photos"]} == found


def test_bounding_box_of_a_tiny_number_finds_the_photos_at_zero(mario: Person) -> None:
    island = upload(mario, geotag_lat="1e-200", geotag_lng="-1e-131")
    assert ids_of(get(mario, bbox="1e-200,0,1,1")) == [island]
    assert ids_of(get(mario, "/photos", bbox="-1e-200,-1e-126,1e-300,1e-8")) == [island]
    assert len(get(mario, "/photos/map", bbox="0,-1e-200,1,1")["features"]) == 1


@pytest.mark.parametrize("path", ["/photos", "/photos/map"])
def test_undefined_parameters_of_a_list_are_absent(mario: Person, path: str) -> None:
    upload(mario, geotag_lat="1", geotag_lng="1")
    names = ("limit", "cursor", "sort", "order", "q", "tag", "from", "to", "bbox")
    for absent in ("", "undefined", "null", "NaN", " "):
        assert get(mario, path, **dict.fromkeys(names, absent)) == get(mario, path)


def test_words_are_found_however_the_case_of_their_letters_is_written(mario: Person) -> None:
    small = upload(mario, desc="τα\u0390ζω", tags="μ\u03b0ς")
    capital = upload(mario, desc="ΤΑ\u03aa\u0301ΖΩ", tags="Μ\u03ab\u0301Σ")
    for word in ("τα\u0390ζω", "ΤΑ\u03aa\u0301ΖΩ", "τα\u03ca\u0301ζω", "ΤΑΙ\u0308\u0301ΖΩ"):
        assert ids_of(get(mario, q=word)) == [capital, small], word
    for tag in ("μ\u03b0ς", "Μ\u03ab\u0301Σ", "Μ\u03a5\u0308\u0301Σ"):
        assert ids_of(get(mario, tag=tag)) == [capital, small], tag
    [counted] = get(mario, "/photos/tags")["tags"]
    assert counted["count"] == 2


def test_filters_are_combined(mario: Person) -> None:
    wanted = {
        "tags": "sea",
        "desc": "blue",
        "geotag_lat": "1",
        "geotag_lng": "1",
        "taken_date": "2019-05-06",
    }
    photo_id = upload(mario, **wanted)
    for other in ({"desc": "red"}, {"geotag_lat": "9"}, {"taken_date": "2018-05-06"}):
        upload(mario, **wanted | other)
    query = {"tag": "sea", "q": "blue", "bbox": "0,0,2,2", "from": "2019-01-01", "to": "2019-12-31"}
    assert ids_of(get(mario, **query)) == [photo_id]
    assert ids_of(get(mario, **query, sort="uploaded")) == [photo_id]


def test_map_is_geojson_of_the_photos_with_a_position(mario: Person) -> None:
    sydney = upload(mario, geotag_lat="-33.86", geotag_lng="151.2", tags="city")
    island = upload(mario, geotag_lat="0", geotag_lng="0")
    upload(mario)
    assert mario.get("/photos/map").headers["Content-Type"] == "application/geo+json"
    collection = get(mario, "/photos/map")
    assert (collection["type"], collection["nextCursor"]) == ("FeatureCollection", None)
    features = collection["features"]
    assert {feature["type"] for feature in features} == {"Feature"}
    assert {feature["properties"]["id"]: feature["geometry"] for feature in features} == {
        sydney: {"type": "Point", "coordinates": [151.2, -33.86]},
        island: {"type": "Point", "coordinates": [0, 0]},
    }
    assert len(get(mario, "/photos/map", tag="city")["features"]) == 1


def test_map_has_pages(mario: Person) -> None:
    ids = [upload(mario, geotag_lat="0", geotag_lng="0") for _ in range(2)]
    first = get(mario, "/photos/map", limit=1)
    second = get(mario, "/photos/map", limit=1, cursor=first["nextCursor"])
    shown = [feature["properties"]["id"] for feature in first["features"] + second["features"]]
    assert shown == ids[::-1]


def test_tags_are_counted_in_any_case_and_shown_as_most_photos_spell_them(
    mario: Person, luigi: Person
) -> None:
    edited = upload(mario, tags="SEA,sun", taken_date="2018-01-01")
    upload(mario, tags="Sea, sea ,Ski", taken_date="2019-01-01")
    upload(mario)
    deleted = upload(mario, tags="deleted")
    mario.delete(f"/photos/{deleted}")
    upload(luigi, tags="other")
    trashed = upload(mario, tags="sea,trashed")
    app.services.photos.trash(sub_of(mario), trashed)
    assert get(mario, "/photos/tags")["tags"] == [
        {"tag": "SEA", "count": 2},
        {"tag": "Ski", "count": 1},
        {"tag": "sun", "count": 1},
    ]
    app.services.photos.restore(sub_of(mario), trashed)
    mario.send("PATCH", f"/photos/{edited}", tags="SEA, moon.[0]")
    assert get(mario, "/photos/tags")["tags"] == [
        {"tag": "sea", "count": 3},
        {"tag": "moon.[0]", "count": 1},
        {"tag": "Ski", "count": 1},
        {"tag": "trashed", "count": 1},
    ]


def test_timeline_counts_the_photos_of_each_month_of_their_local_time(
    mario: Person, luigi: Person
) -> None:
    empty = {"ok": True, "photo_count": 0, "months": []}
    assert get(mario, "/photos/timeline") == empty
    upload(luigi, taken_date="2019-12-31")
    taken = ["2019-12-31T23:59:59-12:00", "2020-01-01T00:00:00+14:00", "2020-01-31", "2018-05-05"]
    ids = [upload(mario, taken_date=date) for date in taken]
    undated = mario.get(f"/photos/{upload(mario)}").json()["photo"]
    month = undated["upload_date"][:7]
    assert get(mario, "/photos/timeline") == {
        "ok": True,
        "photo_count": 5,
        "months": [
            {"month": month, "count": 1},
            {"month": "2020-01", "count": 2},
            {"month": "2019-12", "count": 1},
            {"month": "2018-05", "count": 1},
        ],
    }
    mario.send("PATCH", f"/photos/{ids[0]}", taken_date="2020-02-01")
    app.services.photos.trash(sub_of(mario), ids[1])
    for photo_id in (ids[3], undated["id"]):
        mario.delete(f"/photos/{photo_id}")
    assert get(mario, "/photos/timeline") == {
        "ok": True,
        "photo_count": 2,
        "months": [{"month": "2020-02", "count": 1}, {"month": "2020-01", "count": 1}],
    }
