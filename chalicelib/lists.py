"""Lists of photos: pages, filters, the map and the tags."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from chalicelib import dates
from chalicelib.cursors import Cursors
from chalicelib.forms import PhotoQuery
from chalicelib.row_reader import Row, RowQuery, RowReader, shown
from chalicelib.rows import PhotoState
from chalicelib.text import folded, split_tags

_PAGE_BYTES = 4_300_000  # of the 4.5 MB that a page may have; the rest is for what is around it
_PAGE_SECONDS = 5.0
_AROUND_URLS = 40  # bytes: the names of both, quotes and commas

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Page:
    """Some photos, newest or oldest first, and how to go on."""

    photos: list[dict[str, Any]]  # photo objects
    next_cursor: str | None


class PhotoLists:
    """Lists of one person's photos; `user_id` is always the verified `sub` of who is asking.

    `with_urls` makes the photo object of the API of what is shown of a row.
    """

    def __init__(
        self,
        rows: RowReader,
        with_urls: Callable[[dict[str, Any]], dict[str, Any]],
        cursors: Cursors,
    ) -> None:
        self._rows = rows
        self._with_urls = with_urls
        self._cursors = cursors

    def page(self, user_id: str, query: PhotoQuery) -> Page:
        """Return one page of the photos that match. Raises InvalidInput for a foreign cursor."""
        name = _name(query)
        start = query.cursor and self._cursors.read(user_id, name, query.cursor)
        photos: list[dict[str, Any]] = []
        size, position = 0, None
        deadline = time.monotonic() + _PAGE_SECONDS
        for rows, evaluated in self._pages(user_id, query, start):
            for row in rows:
                known = shown(row)
                size += _answer_bytes(known)
                photo = self._with_urls(known)
                size += len(photo["thumbSrc"]) + len(photo["originalSrc"])
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
        query = RowQuery(user_id, by_taken=True, ascending=False, attributes=("tags",))
        for rows, _ in self._rows.pages(query, None, None):
            for row in rows:
                for tag in split_tags(row.tags.S or ""):
                    key = folded(tag)
                    spelling.setdefault(key, tag)
                    counts[key] = counts.get(key, 0) + 1
        return [
            {"tag": spelling[key], "count": counts[key]}
            for key in sorted(counts, key=lambda key: (-counts[key], key))
        ]

    def _pages(
        self, user_id: str, query: PhotoQuery, start: str | None
    ) -> Iterator[tuple[list[Row], str | None]]:
        """Return what each call to DynamoDB finds, and the position up to which it has looked."""
        rows = _row_query(user_id, query)
        # One more than asked for tells whether there is a next page.
        limit = None if rows.filters else query.limit + 1
        key = _key(user_id, query, start) if start else None
        for page, last in self._rows.pages(rows, limit, key):
            yield page, last["taken_key" if rows.by_taken else "id"]["S"] if last else None


def _name(query: PhotoQuery) -> str:
    """Return what tells a query from others, whatever its page."""
    return repr(replace(query, cursor=None, limit=1))


def _position(row: Row, query: PhotoQuery) -> str:
    return str(row.taken_key.S if query.sort == "taken" else row.id.S)


def _key(user_id: str, query: PhotoQuery, position: str) -> dict[str, Any]:
    """Return the key of a position as DynamoDB wants it; the row itself may be gone by now."""
    key = {"user_id": {"S": user_id}}
    if query.sort == "taken":
        photo_id = dates.photo_id_of(position)
        return key | {"id": {"S": photo_id}, "taken_key": {"S": position}}
    return key | {"id": {"S": position}}


def _row_query(user_id: str, query: PhotoQuery) -> RowQuery:
    rows = RowQuery(user_id, by_taken=query.sort == "taken", ascending=query.order == "asc")
    taken = _taken_between(rows, query)
    if rows.by_taken:
        rows.taken = taken
    else:
        # The table itself, unlike the index, holds photos that are not ready, too.
        rows.filters.append(f"#state = {rows.text(PhotoState.READY)}")
        rows.filters += [taken] if taken else []
    rows.filters += [f"contains(#search_text, {rows.text(word)})" for word in query.words]
    if query.tag is not None:
        rows.filters.append(f"contains(#tag_keys, {rows.text(query.tag)})")
    if query.only_places:
        rows.filters.append("attribute_exists(#geotag_lat)")
    if query.bbox is not None:
        west, south, east, north = map(rows.number, query.bbox)
        rows.filters.append(f"#geotag_lat BETWEEN {south} AND {north}")
        if query.bbox[0] <= query.bbox[2]:
            rows.filters.append(f"#geotag_lng BETWEEN {west} AND {east}")
        else:  # across the antimeridian
            rows.filters.append(f"(#geotag_lng >= {west} OR #geotag_lng <= {east})")
    return rows


def _taken_between(rows: RowQuery, query: PhotoQuery) -> str | None:
    if query.first is not None and query.last is not None:
        return f"#taken_key BETWEEN {rows.text(query.first)} AND {rows.text(query.last)}"
    if query.first is not None:
        return f"#taken_key >= {rows.text(query.first)}"
    if query.last is not None:
        return f"#taken_key <= {rows.text(query.last)}"
    return None


def _answer_bytes(known: dict[str, Any]) -> int:
    """Return at most how much of Lambda's answer this takes, which is JSON within JSON.

    It is asked before there are URLs, which are long and need no escapes.
    """
    encoded = _encode(known)
    size = len(encoded) + encoded.count(b'"') + encoded.count(b"\\") + _AROUND_URLS
    if not encoded.isascii():
        # Lambda's Python writes six bytes for two or three of UTF-8, and twelve for four.
        size += 2 * (len(encoded) - len(encoded.decode("ascii", "ignore")))
    return size
