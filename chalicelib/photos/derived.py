"""What follows from a photo's item: counters, members of lists, and hashes, in items of their own.

Pure functions: code that writes a photo's item writes the difference in the same transaction, and
the integrity check compares the sums. `docs/data-model.md` explains the items.

All their IDs begin with KEY_PREFIX, so earlier versions take them for used Idempotency-Keys.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.photos.photo import KEY_PREFIX, STORED_STATES, PhotoState, folded, split_tags

# The beginnings of IDs. All items of a kind are read with one query.
MONTHS = f"{KEY_PREFIX}months#"  # and a year
TAGS = f"{KEY_PREFIX}tags#"  # and a hexadecimal digit
LISTS = f"{KEY_PREFIX}list#"  # the list's name, and the member's sort key
HASHES = f"{KEY_PREFIX}sha256#"  # and the SHA-256 of originals
# The lists that every user has.
FAVORITES, TRASH = "favorites", "trash"
# The attributes of tags' counters begin with it, as a tag could have any attribute's name.
TAG_PREFIX = "tag:"
# The most photos of one user that may have the same bytes: their IDs are in one item.
MAX_SAME = 1_000

# A counter's item and attribute.
Counter = tuple[str, str]


@dataclass(frozen=True)
class Derived:
    """What exists because of one photo, or of several."""

    owner: Mapping[str, int] = field(default_factory=dict)  # counters in the owner's item
    counters: Mapping[Counter, int] = field(default_factory=dict)
    members: frozenset[str] = frozenset()  # the IDs of items that have no other attributes
    hashes: frozenset[str] = frozenset()  # the IDs of items that name the photo


@dataclass(frozen=True)
class Difference:
    """What a change of a photo's item adds and removes."""

    owner: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[Counter, int] = field(default_factory=dict)
    members_added: list[str] = field(default_factory=list)
    members_removed: list[str] = field(default_factory=list)
    hashes_added: list[str] = field(default_factory=list)
    hashes_removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return any(vars(self).values())

    def counters_by_item(self) -> dict[str, dict[str, int]]:
        """Return what to add to each attribute of each item of counters."""
        items: dict[str, dict[str, int]] = {}
        for (item_id, attribute), number in sorted(self.counters.items()):
            items.setdefault(item_id, {})[attribute] = number
        return items


def derived(photo: Any | None) -> Derived:
    """Return what exists because of a photo; None stands for one that does not exist.

    `photo` is a model instance.
    """
    if photo is None:
        return Derived()
    has_hash = photo.state in STORED_STATES and photo.sha256
    return Derived(
        _owners_counters(photo),
        _counters(photo),
        frozenset(_members(photo)),
        frozenset([hash_id(photo.sha256)] if has_hash else []),
    )


def difference(old: Any | None, new: Any | None) -> Difference:
    """Return what changes if a photo's item changes from `old` to `new`."""
    return between(derived(old), derived(new))


def between(before: Derived, after: Derived) -> Difference:
    """Return what to add and remove so that `after` exists instead of `before`."""
    return Difference(
        subtracted(after.owner, before.owner),
        subtracted(after.counters, before.counters),
        sorted(after.members - before.members),
        sorted(before.members - after.members),
        sorted(after.hashes - before.hashes),
        sorted(before.hashes - after.hashes),
    )


def subtracted(new: Mapping[Any, int], old: Mapping[Any, int]) -> dict[Any, int]:
    """Return what changes from old to new numbers, without zeros and sorted; absent ones are 0."""
    changes = {name: new.get(name, 0) - old.get(name, 0) for name in old.keys() | new.keys()}
    return {name: number for name, number in sorted(changes.items()) if number}


def month_counter(month: str) -> Counter:
    """Return the counter of a month such as `2026-11`."""
    return MONTHS + month.partition("-")[0], month


def tag_counter(tag: str) -> Counter:
    """Return the counter of a tag as it is written.

    All spellings of a tag are counted in the same one of 16 items.
    """
    return TAGS + hashlib.sha256(folded(tag).encode()).hexdigest()[0], TAG_PREFIX + tag


def list_prefix(name: str) -> str:
    """Return how the IDs of all members of a list begin; the photo's sort key in it follows."""
    return f"{LISTS}{name}#"


def hash_id(sha256: str) -> str:
    """Return the ID of the item that names the photos with one hash, in hexadecimal."""
    return HASHES + sha256


def is_in_trash(photo: Any) -> bool:
    """Return whether a photo is counted and listed in the trash."""
    # While a photo is being deleted, it stays there: emptying the trash again finishes that.
    is_there = photo.state in (PhotoState.TRASHED, PhotoState.DELETING)
    return is_there and photo.trashed_date is not None


def _owners_counters(photo: Any) -> dict[str, int]:
    size = int(photo.filesize)
    counters = {"photo_count": 1, "storage_bytes": size}
    if photo.state == PhotoState.PENDING:
        counters |= {"pending_count": 1, "pending_bytes": size}
    elif is_in_trash(photo):
        counters["trash_count"] = 1
    return counters


def _counters(photo: Any) -> dict[Counter, int]:
    if not _is_listed(photo):
        return {}
    month = photo.taken_key[: len("2026-11")]
    return dict.fromkeys([month_counter(month), *map(tag_counter, split_tags(photo.tags))], 1)


def _members(photo: Any) -> list[str]:
    if is_in_trash(photo):
        return [f"{list_prefix(TRASH)}{photo.trashed_date}#{photo.id}"]
    if not _is_listed(photo):
        return []
    lists = ([FAVORITES] if photo.favorite else []) + [f"album-{one}" for one in photo.albums]
    return [list_prefix(name) + photo.taken_key for name in lists]


def _is_listed(photo: Any) -> bool:
    return photo.state == PhotoState.READY and photo.taken_key is not None
