"""What the table of photos has besides photos: counters and members of lists."""

from typing import Any

from chalicelib.photos.derived import LISTS, MONTHS, TAGS
from chalicelib.photos.models import DerivedItem
from tests.support import images
from tests.support.album import moto_table, sub_of
from tests.support.people import Person

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
