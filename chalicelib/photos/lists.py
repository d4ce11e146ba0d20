"""Lists of photos: pages, cursors, filters, the map and the tags."""

import base64
import binascii
import functools
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from chalicelib.clients import as_album_error
from chalicelib.errors import InvalidInput, Throttled
from chalicelib.photos.photo import (
    KEY_PREFIX,
    LIMITS,
    PhotoQuery,
    PhotoState,
    folded,
    id_of_sort_key,
    split_tags,
)
from chalicelib.photos.query import BY_TAKEN, ItemQuery, ItemReader, shown_fields

_PAGE_BYTES = 4_300_000  # of the 4.5 MB that a page may have; the rest is for what surrounds it
_PAGE_SECONDS = 5.0
_URL_OVERHEAD = 60  # bytes: the names of the three URLs, quotes and commas
_MAC_BYTES = 16

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next one."""

    photos: list[dict[str, Any]]  # photo objects
    next_cursor: str | None


class Cursors:
    """Signs and reads cursors, each valid for one user and one query.

    `secret` is called when the first cursor is needed: a list that fits on one page needs none.
    """

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @functools.cached_property
    def _key(self) -> bytes:
        # A key of its own, so that a cursor is not valid for anything else that the secret signs.
        return hmac.digest(self._secret().encode(), b"cursor", "sha256")

    def make(self, user_id: str, query: str, position: str) -> str:
        """Return the cursor of a position, opaque and safe in a URL."""
        mac = self._mac(user_id, query, position)
        return base64.urlsafe_b64encode(mac + position.encode()).rstrip(b"=").decode()

    def read(self, user_id: str, query: str, cursor: str) -> str:
        """Return a cursor's position. Raises InvalidInput unless it was made for this query."""
        refusal = InvalidInput("cursor must be the nextCursor of the previous page, unchanged.")
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            position = raw[_MAC_BYTES:].decode()
        except (binascii.Error, UnicodeError):
            raise refusal from None
        # The whole cursor is compared, since base64 has several spellings for some bytes.
        if not position or not hmac.compare_digest(cursor, self.make(user_id, query, position)):
            raise refusal
        return position

    def _mac(self, user_id: str, query: str, position: str) -> bytes:
        lengths = f"{len(user_id)},{len(query)}"  # so that no two triples make the same text
        message = f"{lengths}\n{user_id}{query}{position}"
        return hmac.digest(self._key, message.encode(), "sha256")[:_MAC_BYTES]


class PhotoLists:
    """Lists of one user's photos; `user_id` is always the caller's verified `sub`.

    `with_urls` makes the API's photo object from the shown fields of an item.
    """

    def __init__(
        self,
        items: ItemReader,
        with_urls: Callable[[dict[str, Any]], dict[str, Any]],
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
        deadline = time.monotonic() + _PAGE_SECONDS
        for items, evaluated in self._pages(user_id, query, start):
            for item in items:
                fields = shown_fields(item)
                size += _response_bytes(fields)
                photo = self._with_urls(fields)
                size += sum(len(photo[name]) for name in ("thumbSrc", "previewSrc", "originalSrc"))
                if len(photos) == query.limit or (photos and size > _PAGE_BYTES):
                    # `position` is the last photo's on this page, so this photo begins the next.
                    return Page(photos, self._cursors.make(user_id, name, str(position)))
                photos.append(photo)
                position = _position(item, query)
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

    def tags(self, user_id: str) -> list[dict[str, Any]]:
        """Return each tag, as its newest photo spells it, with its number of photos."""
        spelling: dict[str, str] = {}
        counts: dict[str, int] = {}
        query = ItemQuery(user_id, BY_TAKEN, ascending=False, attributes=("tags",))
        for items, _ in self._items.pages(query, None, None):
            for item in items:
                for tag in split_tags(item.tags.S or ""):
                    key = folded(tag)
                    spelling.setdefault(key, tag)
                    counts[key] = counts.get(key, 0) + 1
        return [
            {"tag": spelling[key], "count": counts[key]}
            for key in sorted(counts, key=lambda key: (-counts[key], key))
        ]

    def _pages(
        self, user_id: str, query: PhotoQuery, start: str | None
    ) -> Iterator[tuple[list[Any], str | None]]:
        """Yield what each call to DynamoDB finds, and the position up to which it has read."""
        items = _item_query(user_id, query)
        # One more than asked for shows whether there is a next page.
        limit = None if _is_search(query) else query.limit + 1
        key = _key(user_id, query, start) if start else None
        for page, last in _until_throttled(self._items.pages(items, limit, key)):
            yield page, last["taken_key" if items.index else "id"]["S"] if last else None


def _until_throttled(pages: Iterator[T]) -> Iterator[T]:
    """Yield all pages, or those before one that DynamoDB throttles, unless it is the first."""
    has_read = False
    try:
        for page in pages:
            yield page
            has_read = True
    except Exception as error:
        if not has_read or not isinstance(as_album_error(error), Throttled):
            raise


def _name(query: PhotoQuery) -> str:
    """Return what distinguishes a query from others, whatever its page."""
    return repr(replace(query, cursor=None, limit=1))


def _position(item: Any, query: PhotoQuery) -> str:
    return str(item.taken_key.S if query.sort == "taken" else item.id.S)


def _key(user_id: str, query: PhotoQuery, position: str) -> dict[str, Any]:
    """Return a position's key in DynamoDB's form; the item itself may have been deleted."""
    key = {"user_id": {"S": user_id}}
    if query.sort == "taken":
        return key | {"id": {"S": id_of_sort_key(position)}, "taken_key": {"S": position}}
    return key | {"id": {"S": position}}


def _is_search(query: PhotoQuery) -> bool:
    """Return whether a page may have to read many more photos than it has."""
    has_dates = query.first is not None or query.last is not None
    return bool(
        query.words
        or query.tag is not None
        or query.bbox is not None
        or query.with_position
        or (has_dates and query.sort == "uploaded")
    )


def _item_query(user_id: str, query: PhotoQuery) -> ItemQuery:
    index = BY_TAKEN if query.sort == "taken" else None
    items = ItemQuery(user_id, index, ascending=query.order == "asc")
    taken = _taken_between(items, query)
    if index:
        items.sort_range = taken
    else:
        # The table itself, unlike the index, also has used keys and photos that are not ready.
        items.sort_range = f"#id < {items.text(KEY_PREFIX)}"
        items.filters.append(f"#state = {items.text(PhotoState.READY)}")
        items.filters += [taken] if taken else []
    items.filters += [f"contains(#search_text, {items.text(word)})" for word in query.words]
    if query.tag is not None:
        items.filters.append(f"contains(#tag_keys, {items.text(query.tag)})")
    if query.with_position:
        # Simultaneous edits in earlier versions could leave half a position.
        items.filters += [f"attribute_exists(#{name})" for name in LIMITS]
    if query.bbox is not None:
        west, south, east, north = map(items.number, query.bbox)
        items.filters.append(f"#geotag_lat BETWEEN {south} AND {north}")
        if query.bbox[0] <= query.bbox[2]:
            items.filters.append(f"#geotag_lng BETWEEN {west} AND {east}")
        else:  # across the antimeridian
            items.filters.append(f"(#geotag_lng >= {west} OR #geotag_lng <= {east})")
    return items


def _taken_between(items: ItemQuery, query: PhotoQuery) -> str | None:
    if query.first is not None and query.last is not None:
        return f"#taken_key BETWEEN {items.text(query.first)} AND {items.text(query.last)}"
    if query.first is not None:
        return f"#taken_key >= {items.text(query.first)}"
    if query.last is not None:
        return f"#taken_key <= {items.text(query.last)}"
    return None


def _response_bytes(fields: dict[str, Any]) -> int:
    """Return the most that the shown fields take in Lambda's response, which is JSON in JSON.

    It is computed without the URLs, which are long and need no escapes.
    """
    encoded = _encode(fields)
    size = len(encoded) + encoded.count(b'"') + encoded.count(b"\\") + _URL_OVERHEAD
    if not encoded.isascii():
        # Lambda's Python writes six bytes for two or three of UTF-8, and twelve for four.
        size += 2 * (len(encoded) - len(encoded.decode("ascii", "ignore")))
    return size
