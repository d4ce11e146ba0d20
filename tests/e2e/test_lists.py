"""Lists of an album with ten thousand photos, over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.background import RunningStack
from tests.support import images
from tests.support.people import Person

COUNT = 10_000


@pytest.fixture(scope="module")
def collector(stack: RunningStack) -> Iterator[Person]:
    """Return a person with ten thousand photos, one in a thousand with the word `rare`."""
    person = Person.registered(stack.url, "collector@example.com")
    photo = person.upload(images.jpeg(16, 16)).json()["photo"]
    dynamodb = stack.make_client("dynamodb")
    first = dynamodb.get_item(TableName="Photo", Key=key_of(photo["user_id"], photo["id"]))["Item"]

    def item(number: int) -> dict[str, Any]:
        photo_id = f"{photo['id'][:-12]}{number:012x}"
        return {
            **first,
            **key_of(photo["user_id"], photo_id),
            "taken_key": {"S": f"2001-01-01T00:00:00#{photo_id}"},
            "search_text": {"S": "rare" if number % 1000 == 500 else "common"},
            "desc": {"S": "x" * 300},
        }

    items = [item(number) for number in range(1, COUNT)]
    write(dynamodb, [{"PutRequest": {"Item": one}} for one in items])
    yield person
    # These items have no objects, which the integrity check would report.
    keys = [{name: one[name] for name in ("user_id", "id")} for one in items]
    write(dynamodb, [{"DeleteRequest": {"Key": key}} for key in keys])


def key_of(user_id: str, photo_id: str) -> dict[str, Any]:
    return {"user_id": {"S": user_id}, "id": {"S": photo_id}}


def write(dynamodb: Any, requests: list[dict[str, Any]]) -> None:
    """Put or delete many items."""
    batches = [requests[start : start + 25] for start in range(0, len(requests), 25)]
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda batch: dynamodb.batch_write_item(RequestItems={"Photo": batch}), batches
            )
        )


def pages(person: Person, query: str) -> list[list[str]]:
    """Return the photos' IDs on each page of a list."""
    found: list[list[str]] = []
    cursor = ""
    while True:
        body = person.get(f"/photos?{query}{cursor}").json()
        found.append([photo["id"] for photo in body["photos"]])
        if body["nextCursor"] is None:
            return found
        cursor = f"&cursor={body['nextCursor']}"


def test_ten_thousand_photos_are_listed_in_ten_pages(collector: Person) -> None:
    found = pages(collector, "limit=1000")
    assert [len(page) for page in found] == [1000] * 10
    assert len({photo_id for page in found for photo_id in page}) == COUNT


def test_search_finds_ten_of_ten_thousand_photos(collector: Person) -> None:
    # On a busy machine, a page may end early, with a cursor.
    for query in ("q=rare&limit=4", "q=rare"):
        assert sum(len(page) for page in pages(collector, query)) == 10


def test_photos_without_tags_have_an_empty_list_of_tags(collector: Person) -> None:
    assert collector.get("/photos/tags").json() == {"ok": True, "tags": []}
