"""What the table of photos has besides photos: counters and members of lists."""

from collections import Counter
from typing import Any

from chalicelib import dates
from chalicelib.photos.derived import HASHES, LISTS, MONTHS, TAGS
from chalicelib.photos.models import DerivedItem
from tests.support import images
from tests.support.album import moto_table, sub_of
from tests.support.people import Person

DERIVED = (LISTS, MONTHS, HASHES, TAGS)  # how the IDs of these items begin
IMAGE = images.jpeg(40, 30)
WITH_TEXT = {"tags": "Sea,Sun", "taken_date": "2019-05-06T07:08:09"}


def counters(person: Person) -> dict[str, int]:
    """Return the user's counters of months and tags that are not 0."""
    found: dict[str, int] = {}
    for item in moto_table("Photo").all_items():
        values = item.to_regular_json()
        if values["user_id"] == sub_of(person) and values["id"].startswith((MONTHS, TAGS)):
            found |= {name: int(n) for name, n in values.items() if name not in ("user_id", "id")}
    return {name: number for name, number in found.items() if number}


def members(person: Person) -> list[str]:
    """Return the IDs of the items of all lists' members."""
    return [one.id for one in DerivedItem.query(sub_of(person), DerivedItem.id.startswith(LISTS))]


def upload(person: Person, **fields: Any) -> str:
    """Upload a photo, and return its ID."""
    photo_id: str = person.upload(IMAGE, **fields).json()["photo_id"]
    return photo_id


def expected_derived(photos: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what must be stored besides these photos, by the definition in the documents."""
    numbers: Counter[str] = Counter()
    members, hashes = set(), set()
    for photo in photos:
        if photo["state"] == "ready":
            taken = (photo.get("taken_date") or photo["upload_date"])[:23]
            local = dates.parse_date(photo.get("taken_date") or photo["upload_date"])
            sort_key = f"{local.replace(tzinfo=None).isoformat()}#{photo['id']}"
            numbers[taken[:7]] += 1
            numbers.update(f"tag:{tag}" for tag in _spelled(photo.get("tags", "")))
            if photo.get("favorite"):
                members.add(f"key#list#favorites#{sort_key}")
        if photo.get("trashed_date"):
            members.add(f"key#list#trash#{photo['trashed_date']}#{photo['id']}")
        if photo["state"] in ("ready", "trashed"):
            hashes.add((photo["sha256"], photo["id"]))
    return {"numbers": dict(numbers), "members": members, "hashes": hashes}


def _spelled(tags: str) -> list[str]:
    """Return the tags of a text, each once."""
    last = {tag.casefold(): tag for tag in tags.split(",") if tag}
    return list(last.values())


def stored_derived(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is stored, from the items of one user that are not photos."""
    numbers: dict[str, int] = {}
    members, hashes = set(), set()
    for item in items:
        _, kind, rest = item["id"].split("#", 2)
        if kind == "list":
            members.add(item["id"])
            assert set(item) == {"user_id", "id"}
        elif kind == "sha256":
            assert item["photo_ids"], "an item without photos is deleted"
            hashes |= {(rest, photo_id) for photo_id in item["photo_ids"]}
        else:
            numbers |= {name: int(n) for name, n in item.items() if name not in ("user_id", "id")}
    return {
        "numbers": {name: n for name, n in numbers.items() if n},
        "members": members,
        "hashes": hashes,
    }
