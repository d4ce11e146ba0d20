"""The timeline and the list of tags, read from counters: the album's size makes no difference."""

from collections.abc import Iterator
from typing import Any

from chalicelib.photos.derived import MONTHS, TAG_PREFIX, TAGS
from chalicelib.photos.photo import folded
from chalicelib.photos.query import ItemReader


class PhotoCounts:
    """Numbers of one user's ready photos; `user_id` is always the caller's verified `sub`."""

    def __init__(self, items: ItemReader) -> None:
        self._items = items

    def months(self, user_id: str) -> list[dict[str, Any]]:
        """Return the number of photos of each month of local time, newest first."""
        counts = self._counts(user_id, MONTHS)
        return [{"month": month, "count": count} for month, count in sorted(counts, reverse=True)]

    def tags(self, user_id: str) -> list[dict[str, Any]]:
        """Return each tag, as most photos spell it, with its number of photos; most used first."""
        spellings: dict[str, list[tuple[int, str]]] = {}
        for name, count in self._counts(user_id, TAGS):
            tag = name.removeprefix(TAG_PREFIX)
            spellings.setdefault(folded(tag), []).append((-count, tag))
        counts = {key: -sum(count for count, _ in each) for key, each in spellings.items()}
        return [
            {"tag": min(spellings[key])[1], "count": counts[key]}
            for key in sorted(counts, key=lambda key: (-counts[key], key))
        ]

    def _counts(self, user_id: str, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the counters above zero: those of earlier versions may be missing or negative."""
        counters = self._items.counters(user_id, prefix)
        return ((name, count) for name, count in counters.items() if count > 0)
