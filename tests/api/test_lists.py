"""Lists of photos: order, pages and cursors."""

from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest

from chalicelib.photos import lists
from chalicelib.photos import query as queries
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import URLS, PhotoState
from chalicelib.photos.query import ItemReader
from tests.support import images
from tests.support.album import store_photos, sub_of
from tests.support.lists import all_pages, get, ids_of, photos_of, upload
from tests.support.people import Person

IMAGE = images.jpeg(16, 16)


def test_photos_are_listed_newest_first_by_the_time_they_were_taken(mario: Person) -> None:
    dates = ["2012-07-15T10:00:00", "2019-01-01T00:00:00+09:00", "", "1999-12-31"]
    ids = [upload(mario, taken_date=date) for date in dates]
    # A photo without a date is listed by its upload, which was today.
    listed = get(mario)
    assert ids_of(listed) == [ids[2], ids[1], ids[0], ids[3]]
    assert listed["nextCursor"] is None


def test_photos_can_be_listed_by_the_time_they_were_uploaded(mario: Person) -> None:
    ids = [upload(mario, taken_date=date) for date in ("2020-01-01", "2010-01-01", "2015-01-01")]
    Photo.get(sub_of(mario), ids[1]).update(actions=[Photo.state.set(PhotoState.DELETING)])
    assert all_pages(mario, sort="uploaded", limit=1) == [[ids[2]], [ids[0]]]
    assert all_pages(mario, sort="uploaded", order="asc") == [[ids[0], ids[2]]]
    assert all_pages(mario, sort="uploaded", **{"from": "2016-01-01"}) == [[ids[0]]]


def test_photo_is_the_same_in_a_list_as_on_its_own(mario: Person) -> None:
    unusual = {"tags": "null,12", "desc": '"\\ é한😀', "city": "true", "make": "1e5"}
    place = {"geotag_lat": "-1e-7", "geotag_lng": "0", "taken_date": "2019-05-06T07:08:09.5+09:00"}
    for fields in ({}, unusual, place):
        upload(mario, **fields)
    for query in ({}, {"sort": "uploaded"}):
        listed = get(mario, **query)["photos"]
        assert len(listed) == 3
        for photo in listed:
            alone = mario.get(f"/photos/{photo['id']}").json()["photo"]
            assert list(photo.items()) == list(alone.items())
            assert list(map(type, photo.values())) == list(map(type, alone.values()))


@pytest.mark.parametrize("path", ["/photos", "/photos/map"])
@pytest.mark.parametrize(
    ("requested", "named"),
    [
        *((name, {name}) for name in URLS),
        (" original , thumb", {"thumb", "original"}),
        ("thumb,thumb", {"thumb"}),
        (",".join(URLS), set(URLS)),
        ("", set(URLS)),
    ],
)
def test_list_has_only_the_requested_urls(
    mario: Person, path: str, requested: str, named: set[str]
) -> None:
    upload(mario, geotag_lat="1", geotag_lng="2")
    [whole] = photos_of(get(mario, path))
    [photo] = photos_of(get(mario, path, urls=requested))
    absent = {URLS[name] for name in URLS.keys() - named}
    assert photo == {name: value for name, value in whole.items() if name not in absent}
    assert absent.isdisjoint(photo)


@pytest.mark.parametrize("path", ["/photos", "/photos/map"])
@pytest.mark.parametrize("value", ["thumbnail", "thumb;original", "thumb,", ",", "THUMB", "true"])
def test_unknown_url_of_a_list_is_rejected_with_the_known_ones(
    mario: Person, path: str, value: str
) -> None:
    response = mario.get(f"{path}?{urlencode({'urls': value})}")
    assert response.status_code == 400
    expected = f"urls must be one or more of {', '.join(URLS)}, separated by commas."
    assert response.json()["Message"] == expected


def test_next_page_may_have_other_urls(mario: Person) -> None:
    ids = store_photos(mario, 3)
    cursor = get(mario, limit=1, urls="thumb")["nextCursor"]
    assert ids_of(get(mario, cursor=cursor, urls="original")) == ids[1:]


def test_page_has_more_photos_if_it_has_fewer_urls(mario: Person) -> None:
    store_photos(mario, 20)
    with mock.patch.object(lists, "_PAGE_BYTES", 5000):
        assert len(all_pages(mario, urls="thumb")) < len(all_pages(mario))


def test_list_has_the_same_urls_when_it_is_requested_again(mario: Person) -> None:
    upload(mario)
    assert get(mario)["photos"] == get(mario)["photos"]


def test_list_has_at_most_a_thousand_photos(mario: Person) -> None:
    store_photos(mario, 1001)
    listed = get(mario)
    assert len(listed["photos"]) == 1000
    assert listed["nextCursor"] is not None


@pytest.mark.parametrize("limit", [1, 7, 10, 52, 53, 54, 1000])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_have_every_photo_once_and_in_order(mario: Person, limit: int, order: str) -> None:
    ids = store_photos(mario, 53)
    pages = all_pages(mario, limit=limit, order=order)
    expected = ids if order == "desc" else ids[::-1]
    assert [photo_id for page in pages for photo_id in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


def test_pages_have_every_photo_once_while_photos_are_uploaded_and_deleted(mario: Person) -> None:
    ids = store_photos(mario, 53)
    first = get(mario, limit=10)
    mario.delete(f"/photos/{ids_of(first)[-1]}")  # the photo that the cursor refers to
    mario.delete(f"/photos/{ids[40]}")
    upload(mario, taken_date="2030-01-01")  # before the first page
    added = upload(mario, taken_date="1980-01-01")  # after the last one
    seen, cursor = ids_of(first), first["nextCursor"]
    while cursor:
        page = get(mario, limit=10, cursor=cursor)
        seen += ids_of(page)
        cursor = page["nextCursor"]
    assert seen == [*ids[:40], *ids[41:], added]


def test_page_is_full_even_if_the_filter_excludes_most_photos(mario: Person) -> None:
    ids = store_photos(mario, 400)
    rare = [ids[-1 - number] for number in range(400) if number % 50 == 7][::-1]
    assert all_pages(mario, q="rare", limit=3) == [rare[:3], rare[3:6], rare[6:]]


def test_page_ends_before_it_is_too_large_for_lambda(mario: Person) -> None:
    ids = store_photos(mario, 20)
    with mock.patch.object(lists, "_PAGE_BYTES", 5000):
        pages = all_pages(mario)
    assert len(pages) > 3
    assert [photo_id for page in pages for photo_id in page] == ids


def test_page_ends_before_it_takes_too_long(mario: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = store_photos(mario, 20)
    read_pages = ItemReader.pages

    def two_items_per_call(self: ItemReader, query: Any, _: int, start: Any) -> Any:
        return read_pages(self, query, 2, start)

    monkeypatch.setattr(lists, "_PAGE_SECONDS", -1.0)
    monkeypatch.setattr(ItemReader, "pages", two_items_per_call)
    pages = all_pages(mario, q="rare")
    assert [photo_id for page in pages for photo_id in page] == [ids[12]]
    assert len(pages) > 5  # Most of them are empty, but have a cursor.


def test_page_costs_one_query_however_many_photos_the_album_has(
    mario: Person, aws_calls: list[str]
) -> None:
    store_photos(mario, 300)
    get(mario)
    aws_calls.clear()
    get(mario, limit=50)
    assert sorted(aws_calls) == ["dynamodb.GetItem", "dynamodb.Query"]


@pytest.fixture
def items_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which the number of items that each query reads is added."""
    numbers: list[int] = []
    decode = queries._decode

    def counting_decode(body: bytes) -> Any:
        response = decode(body)
        numbers.append(response.ScannedCount)
        return response

    monkeypatch.setattr(queries, "_decode", counting_decode)
    return numbers


def test_list_by_upload_reads_only_its_page(mario: Person, items_read: list[int]) -> None:
    ids = store_photos(mario, 100)
    keyed = [mario.upload(IMAGE, key=f"key-{number}").json()["photo_id"] for number in range(9)]
    get(mario, sort="uploaded", order="asc", limit=10)
    get(mario, sort="uploaded", limit=10)
    assert items_read == [11, 11]  # Not the keys, which come after all photos.
    pending = [mario.begin_upload(10).json()["photo_id"] for _ in range(5)]
    items_read.clear()
    assert ids_of(get(mario, sort="uploaded", limit=8)) == keyed[:0:-1]
    assert sum(items_read) == 9 + len(pending) + 5  # What is missing, and as many again.
    listed = [one for page in all_pages(mario, sort="uploaded", limit=20) for one in page]
    assert listed == sorted([*keyed, *ids], reverse=True)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("q", "x"), ("tag", "x"), ("from", "1980-01-01"), ("sort", "uploaded"), ("order", "asc")],
)
def test_cursor_is_valid_only_for_its_own_query(mario: Person, parameter: str, value: str) -> None:
    store_photos(mario, 3)
    cursor = get(mario, limit=1)["nextCursor"]
    response = mario.get(f"/photos?cursor={cursor}&{parameter}={value}")
    assert response.status_code == 400
    assert response.json()["Message"].startswith("cursor must be the nextCursor")
    assert len(ids_of(get(mario, cursor=cursor, limit=2))) == 2  # The limit may change.


def test_cursor_of_another_user_or_of_the_map_is_rejected(mario: Person, luigi: Person) -> None:
    for _ in range(2):
        upload(mario, geotag_lat="0", geotag_lng="0")
    of_list, of_map = (
        get(mario, path, limit=1)["nextCursor"] for path in ("/photos", "/photos/map")
    )
    for person, cursor in ((luigi, of_list), (mario, of_map), (luigi, "made-up")):
        assert person.get(f"/photos?cursor={cursor}").status_code == 400
    assert mario.get(f"/photos?cursor={of_list}").status_code == 200
