"""An album at full size, over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.background import RunningStack
from tests.support import images
from tests.support.people import Person

pytestmark = pytest.mark.xdist_group("local-stack")

COUNT = 10_000


@pytest.fixture(scope="module")
def collector(stack: RunningStack) -> Iterator[Person]:
    """Return somebody with ten thousand photos, one in a thousand of them rare."""
    person = Person.at(stack.url, "collector@example.com")
    person.sign_up()
    person.sign_in()
    photo = person.upload(images.jpeg(16, 16)).json()["photo"]
    dynamodb = stack.make_client("dynamodb")
    row = dynamodb.get_item(TableName="Photo", Key=key_of(photo["user_id"], photo["id"]))["Item"]

    def item(number: int) -> dict[str, Any]:
        photo_id = f"{photo['id'][:-12]}{number:012x}"
        return {
            **row,
            **key_of(photo["user_id"], photo_id),
            "taken_key": {"S": f"2001-01-01T00:00:00#{photo_id}"},
            "search_text": {"S": "rare" if number % 1000 == 500 else "common"},
            "desc": {"S": "x" * 300},
        }

    items = [item(number) for number in range(1, COUNT)]
    write(dynamodb, [{"PutRequest": {"Item": one}} for one in items])
    yield person
    # Whoever looks at the whole stack afterwards shall not find rows without objects.
    keys = [{name: one[name] for name in ("user_id", "id")} for one in items]
    write(dynamodb, [{"DeleteRequest": {"Key": key}} for key in keys])


def key_of(user_id: str, photo_id: str) -> dict[str, Any]:
    return {"user_id": {"S": user_id}, "id": {"S": photo_id}}


def write(dynamodb: Any, requests: list[dict[str, Any]]) -> None:
    """Put or delete many rows."""
    batches = [requests[start : start + 25] for start in range(0, len(requests), 25)]
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda batch: dynamodb.batch_write_item(RequestItems={"Photo": batch}), batches
            )
        )


def pages(person: Person, query: str) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = ""
    while True:
        body = person.get(f"/photos?{query}{cursor}").json()
        found.append([photo["id"] for photo in body["photos"]])
        if body["nextCursor"] is None:
            return found
        cursor = f"&cursor={body['nextCursor']}"


def test_ten_thousand_photos_are_listed_page_by_page(collector: Person) -> None:
    found = pages(collector, "limit=1000")
    assert [len(page) for page in found] == [1000] * 10
    assert len({photo_id for page in found for photo_id in page}) == COUNT


def test_the_few_among_ten_thousand_are_found(collector: Person) -> None:
    # On a busy machine a page may end by its time, with a cursor.
    for query in ("q=rare&limit=4", "q=rare"):
        assert sum(len(page) for page in pages(collector, query)) == 10


def test_their_tags_are_counted(collector: Person) -> None:
    assert collector.get("/photos/tags").json() == {"ok": True, "tags": []}
