"""Which photos match a query, as conditions of DynamoDB and as tests of items."""

from datetime import datetime
from typing import Any

from chalicelib.photos.photo import (
    KEY_PREFIX,
    LIMITS,
    PhotoQuery,
    PhotoState,
    sort_key,
)
from chalicelib.photos.query import BY_TAKEN, ItemQuery


def is_search(query: PhotoQuery) -> bool:
    """Return whether a page may have to read many more photos than it has."""
    has_dates = query.first is not None or query.last is not None
    # The sort key neither of the table nor of the trash is the time a photo was taken.
    is_unsorted = query.sort == "uploaded" or query.trashed
    return bool(
        query.words
        or query.tag is not None
        or query.bbox is not None
        or query.with_position
        or (is_unsorted and (has_dates or query.favorite))
    )


def item_query(user_id: str, query: PhotoQuery) -> ItemQuery:
    """Return the query of a user's photos that are in no trash, with its conditions."""
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
    if query.favorite:
        items.filters.append(f"#favorite = {items.flag(True)}")
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


# What `matches` needs of an item besides the fields that are shown.
MATCHED = ("state", "search_text", "tag_keys")


def matches(item: Any, query: PhotoQuery) -> bool:
    """Return whether a member of a list is still one, and what its query asks for."""
    state = PhotoState.TRASHED if query.trashed else PhotoState.READY
    return bool(
        state == item.state.S
        and (item.favorite.BOOL or not query.favorite)
        and all(word in item.search_text.S for word in query.words)
        and (query.tag is None or query.tag in item.tag_keys.texts)
        and _is_in_place(item.geotag_lat.N, item.geotag_lng.N, query)
        and _is_in_time(item, query)
    )


def _is_in_place(latitude: float | None, longitude: float | None, query: PhotoQuery) -> bool:
    if query.bbox is None and not query.with_position:
        return True
    if latitude is None or longitude is None:
        return False
    west, south, east, north = query.bbox or (-180, -90, 180, 90)
    if west <= east:
        return south <= latitude <= north and west <= longitude <= east
    return south <= latitude <= north and (longitude >= west or longitude <= east)


def _is_in_time(item: Any, query: PhotoQuery) -> bool:
    if query.first is None and query.last is None:
        return True
    # A photo in the trash has no `taken_key`.
    taken = datetime.fromisoformat(item.taken_date.S or item.upload_date.S)
    key = sort_key(taken, item.id.S)
    return (query.first or "") <= key <= (query.last or "~")
