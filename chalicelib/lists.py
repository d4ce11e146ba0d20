"""Lists of photos: pages, filters, the map and the tags."""

import functools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib import dates
from chalicelib.cursors import Cursors
from chalicelib.forms import PhotoQuery
from chalicelib.models import ByTaken, Photo, PhotoState
from chalicelib.text import folded, split_tags

_PAGE_BYTES = 4_300_000  # of the 4.5 MB that a page may have; the rest is for what is around it
_PAGE_SECONDS = 5.0


@dataclass(frozen=True)
class Page:
    """Some photos, newest or oldest first, and how to go on."""

    photos: list[dict[str, Any]]  # photo objects
    next_cursor: str | None


class PhotoLists:
    """Lists of one person's photos; `user_id` is always the verified `sub` of who is asking.

    `describe` turns a row into the photo object of the API.
    """

    def __init__(self, describe: Callable[[Photo], dict[str, Any]], cursors: Cursors) -> None:
        self._describe = describe
        self._cursors = cursors

    def page(self, user_id: str, query: PhotoQuery) -> Page:
        """Return one page of the photos that match. Raises InvalidInput for a foreign cursor."""
        name = _name(query)
        start = query.cursor and self._cursors.read(user_id, name, query.cursor)
        photos: list[dict[str, Any]] = []
        size, position = 0, None
        deadline = time.monotonic() + _PAGE_SECONDS
        for rows, evaluated in _pages(user_id, query, start):
            for row in rows:
                photo = self._describe(row)
                size += _json_bytes(photo)
                if len(photos) == query.limit or (photos and size > _PAGE_BYTES):
                    # `position` is that of the last photo taken, so this one begins the next page.
                    return Page(photos, self._cursors.make(user_id, name, str(position)))
                photos.append(photo)
                position = _position(row, query)
            position = evaluated
            if position and time.monotonic() > deadline:
                return Page(photos, self._cursors.make(user_id, name, position))
        return Page(photos, None)

    def map(self, user_id: str, query: PhotoQuery) -> dict[str, Any]:
        """Return the photos that have a position as a GeoJSON FeatureCollection (RFC 7946)."""
        page = self.page(user_id, replace(query, only_places=True))
        features = [
            {
                "type": "Feature",
                "geometry": {
                    "type": "Point",
                    "coordinates": [photo["geotag_lng"], photo["geotag_lat"]],
                },
                "properties": photo,
            }
            for photo in page.photos
        ]
        return {
            "type": "FeatureCollection",
            "features": features,
            "nextCursor": page.next_cursor,
        }

    def tags(self, user_id: str) -> list[dict[str, Any]]:
        """Return each tag, as its newest photo spells it, with how many photos have it."""
        spelling: dict[str, str] = {}
        counts: dict[str, int] = {}
        rows = Photo.by_taken.query(
            user_id,
            scan_index_forward=False,
            consistent_read=True,
            attributes_to_get=["tags"],
        )
        for row in rows:
            for tag in split_tags(row.tags):
                key = folded(tag)
                spelling.setdefault(key, tag)
                counts[key] = counts.get(key, 0) + 1
        return [
            {"tag": spelling[key], "count": counts[key]}
            for key in sorted(counts, key=lambda key: (-counts[key], key))
        ]


def _name(query: PhotoQuery) -> str:
    """Return what tells a query from others, whatever its page."""
    return repr(replace(query, cursor=None, limit=1))


def _pages(
    user_id: str, query: PhotoQuery, start: str | None
) -> Iterator[tuple[list[Photo], str | None]]:
    """Return what each call to DynamoDB finds, and the position up to which it has looked."""
    by_taken = query.sort == "taken"
    condition = _filter(query)
    # Consistent, so that a photo is listed as soon as its upload was answered.
    results = (Photo.by_taken if by_taken else Photo).query(
        user_id,
        range_key_condition=_taken_between(ByTaken.taken_key, query) if by_taken else None,
        filter_condition=condition,
        scan_index_forward=query.order == "asc",
        consistent_read=True,
        # One more than asked for tells whether there is a next page.
        page_size=None if condition is not None else query.limit + 1,
        last_evaluated_key=_key(user_id, query, start) if start else None,
    )
    for page in results.page_iter:
        last = page.get("LastEvaluatedKey")
        rows = [Photo.from_raw_data(item) for item in page["Items"]]
        yield rows, last and last["taken_key" if by_taken else "id"]["S"]


def _position(row: Photo, query: PhotoQuery) -> str:
    position: str = row.taken_key if query.sort == "taken" else row.id
    return position


def _key(user_id: str, query: PhotoQuery, position: str) -> dict[str, Any]:
    """Return the key of a position as DynamoDB wants it; the row itself may be gone by now."""
    key = {"user_id": {"S": user_id}}
    if query.sort == "taken":
        photo_id = dates.photo_id_of(position)
        return key | {"id": {"S": photo_id}, "taken_key": {"S": position}}
    return key | {"id": {"S": position}}


def _filter(query: PhotoQuery) -> Condition | None:
    conditions: list[Condition] = []
    if query.sort == "uploaded":
        # The table itself, unlike the index, holds photos that are not ready, too.
        conditions.append(Photo.state == PhotoState.READY)
        between = _taken_between(Photo.taken_key, query)
        if between is not None:
            conditions.append(between)
    conditions += [Photo.search_text.contains(word) for word in query.words]
    if query.tag is not None:
        conditions.append(Photo.tag_keys.contains(query.tag))
    if query.only_places:
        conditions.append(Photo.geotag_lat.exists())
    if query.bbox is not None:
        west, south, east, north = query.bbox
        conditions.append(Photo.geotag_lat.between(south, north))
        if west <= east:
            conditions.append(Photo.geotag_lng.between(west, east))
        else:  # across the antimeridian
            conditions.append((Photo.geotag_lng >= west) | (Photo.geotag_lng <= east))
    return functools.reduce(lambda one, other: one & other, conditions) if conditions else None


def _taken_between(attribute: UnicodeAttribute, query: PhotoQuery) -> Condition | None:
    if query.first is not None and query.last is not None:
        return attribute.between(query.first, query.last)
    if query.first is not None:
        return attribute >= query.first
    if query.last is not None:
        return attribute <= query.last
    return None


def _json_bytes(photo: dict[str, Any]) -> int:
    return len(json.dumps(photo, separators=(",", ":")))
