"""Uploads for lists, and requests of lists and their pages."""

from typing import Any
from urllib.parse import urlencode

from tests.support import images
from tests.support.people import Person

_IMAGE = images.jpeg(16, 16)


def upload(person: Person, **fields: str) -> str:
    """Upload a photo with metadata; return its ID."""
    photo_id: str = person.upload(_IMAGE, **fields).json()["photo_id"]
    return photo_id


def get(person: Person, path: str = "/photos", **query: Any) -> Any:
    """Return a list with the given query parameters."""
    response = person.get(f"{path}?{urlencode(query)}")
    assert response.status_code == 200, response.json()
    return response.json()


def photos_of(listed: Any) -> list[dict[str, Any]]:
    """Return the photos of a list or a map."""
    photos: list[dict[str, Any]] = listed.get("photos") or [
        feature["properties"] for feature in listed["features"]
    ]
    return photos


def ids_of(listed: Any) -> list[str]:
    """Return the IDs of the photos of a list."""
    return [photo["id"] for photo in listed["photos"]]


def all_pages(person: Person, **query: Any) -> list[list[str]]:
    """Return the IDs of the photos of each page."""
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(person, **query, **cursor)
        pages.append(ids_of(page))
        if page["nextCursor"] is None:
            return pages
        cursor = {"cursor": page["nextCursor"]}
