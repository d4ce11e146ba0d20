"""Lists of photos: pages of the album, of its favorites and of its trash, and the map."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from chalicelib.clients import as_album_error
from chalicelib.errors import Throttled
from chalicelib.photos.cursors import Cursors
from chalicelib.photos.derived import FAVORITES, TRASH, list_prefix
from chalicelib.photos.filters import MATCHED, is_search, item_query, matches
from chalicelib.photos.photo import SHOWN, URLS, PhotoQuery, id_of_sort_key
from chalicelib.photos.query import MAX_BATCH, ItemQuery, ItemReader, shown_fields

_PAGE_BYTES = 4_300_000  # of the 4.5 MB that a page may have; the rest is for what surrounds it
_PAGE_SECONDS = 5.0
_URL_OVERHEAD = 21  # bytes: the name of a URL, its quotes, each escaped, and punctuation
_SEARCHED_MEMBERS = 1_000  # of one call, when most of them may not match

T = TypeVar("T")
# What one call finds, each photo with its position in the list, and the position up to which it has
# read, None at the end.
Found = tuple[list[tuple[str, Any]], str | None]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next one."""

    photos: list[dict[str, Any]]  # photo objects
    next_cursor: str | None


class PhotoLists:
    """Lists of one user's photos; `user_id` is always the caller's verified `sub`.

    `with_urls` makes the API's photo object from the shown fields of an item and names of URLs.
    """

    def __init__(
        self,
        items: ItemReader,
        with_urls: Callable[[dict[str, Any], tuple[str, ...]], dict[str, Any]],
        cursors: Cursors,
    ) -> None:
        self._items = items
        self._with_urls = with_urls
        self._cursors = cursors

    def page(self, user_id: str, query: PhotoQuery) -> Page:
        """Return one page of the photos that match. Raises InvalidInput for a foreign cursor.

        If DynamoDB throttles after the first call, the page ends with what has been read.
        """
        name = _name(query)
        start = query.cursor and self._cursors.read(user_id, name, query.cursor)
        photos: list[dict[str, Any]] = []
        size, position = 0, None
        urls = [URLS[name] for name in query.urls]
        deadline = time.monotonic() + _PAGE_SECONDS
        for found, evaluated in _until_throttled(self._found(user_id, query, start)):
            for place, item in found:
                fields = shown_fields(item)
                size += _response_bytes(fields)
                photo = self._with_urls(fields, query.urls)
                size += sum(len(photo[name]) for name in urls) + _URL_OVERHEAD * len(urls)
                if len(photos) == query.limit or (photos and size > _PAGE_BYTES):
                    # `position` is the last photo's on this page, so this photo begins the next.
                    return Page(photos, self._cursors.make(user_id, name, str(position)))
                photos.append(photo)
                position = place
            position = evaluated
            if time.monotonic() > deadline:
                break
        return Page(photos, self._cursors.make(user_id, name, position) if position else None)

    def map(self, user_id: str, query: PhotoQuery) -> dict[str, Any]:
        """Return the photos that have a position as a GeoJSON FeatureCollection (RFC 7946)."""
        page = self.page(user_id, replace(query, with_position=True))
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

    def _found(self, user_id: str, query: PhotoQuery, start: str | None) -> Iterator[Found]:
        prefix = _member_prefix(query)
        if prefix is None:
            return self._photos(user_id, query, start)
        return self._members(user_id, query, prefix, start)

    def _photos(self, user_id: str, query: PhotoQuery, start: str | None) -> Iterator[Found]:
        """Find photos in the table or its index."""
        items = item_query(user_id, query)
        # One more than asked for shows whether there is a next page.
        limit = None if is_search(query) else query.limit + 1
        name = "taken_key" if items.index else "id"
        key = _key(user_id, query, start) if start else None
        for page, last in self._items.pages(items, limit, key):
            found = [(getattr(item, name).S, item) for item in page]
            yield found, last[name]["S"] if last else None

    def _members(
        self, user_id: str, query: PhotoQuery, prefix: str, start: str | None
    ) -> Iterator[Found]:
        """Find the photos that the items of a list's members name; these are read first."""
        size = _SEARCHED_MEMBERS if is_search(query) else query.limit + 1
        missing = query.limit
        for members, last in self._member_pages(user_id, query, prefix, start, size):
            while members:
                count = min(MAX_BATCH, len(members) if is_search(query) else missing)
                batch, members = members[:count], members[count:]
                found = self._read_members(user_id, query, batch)
                missing -= len(found)
                has_more = bool(members or last)
                yield found, batch[-1] if has_more else None
                if missing <= 0 and has_more:
                    return

    def _member_pages(
        self, user_id: str, query: PhotoQuery, prefix: str, start: str | None, size: int
    ) -> Iterator[tuple[list[str], bool]]:
        """Yield the positions of a list's members, and whether there may be more, call by call."""
        members = ItemQuery(user_id, None, query.order == "asc", attributes=("id",), most=size)
        # The trash is not sorted by the time photos were taken.
        first, last = (None, None) if query.trashed else (query.first, query.last)
        low, high = members.text(prefix + (first or "")), members.text(prefix + (last or "~"))
        members.sort_range = f"#id BETWEEN {low} AND {high}"
        key = {"user_id": {"S": user_id}, "id": {"S": prefix + start}} if start else None
        for page, end in self._items.pages(members, None, key):
            yield [item.id.S.removeprefix(prefix) for item in page], end is not None

    def _read_members(
        self, user_id: str, query: PhotoQuery, positions: list[str]
    ) -> list[tuple[str, Any]]:
        """Return the photos at some positions of a list that are still members and match."""
        ids = {id_of_sort_key(position): position for position in positions}
        photos = self._items.get(user_id, list(ids), (*SHOWN, *MATCHED))
        return [
            (position, photos[photo_id])
            for photo_id, position in ids.items()
            if photo_id in photos and matches(photos[photo_id], query)
        ]


def _until_throttled(pages: Iterator[T]) -> Iterator[T]:
    """Yield all pages, or those before one that DynamoDB throttles, unless it is the first."""
    has_read = False
    try:
        for page in pages:
            yield page
            has_read = True
    except Exception as error:
        if not has_read or not isinstance(as_album_error(error) or error, Throttled):
            raise


def _name(query: PhotoQuery) -> str:
    """Return what distinguishes a query from others, whatever its page."""
    return repr(replace(query, cursor=None, limit=1, urls=()))


def _member_prefix(query: PhotoQuery) -> str | None:
    """Return how the IDs of a list's members begin; None if the photos themselves are searched."""
    if query.trashed:
        return list_prefix(TRASH)
    return list_prefix(FAVORITES) if query.favorite and query.sort == "taken" else None


def _key(user_id: str, query: PhotoQuery, position: str) -> dict[str, Any]:
    """Return a position's key in DynamoDB's form; the item itself may have been deleted."""
    key = {"user_id": {"S": user_id}}
    if query.sort == "taken":
        return key | {"id": {"S": id_of_sort_key(position)}, "taken_key": {"S": position}}
    return key | {"id": {"S": position}}


def _response_bytes(fields: dict[str, Any]) -> int:
    """Return the most that the shown fields take in Lambda's response, which is JSON in JSON.

    It is computed without the URLs, which are long and need no escapes.
    """
    encoded = _encode(fields)
    size = len(encoded) + encoded.count(b'"') + encoded.count(b"\\")
    if not encoded.isascii():
        # Lambda's Python writes six bytes for two or three of UTF-8, and twelve for four.
        size += 2 * (len(encoded) - len(encoded.decode("ascii", "ignore")))
    return size
