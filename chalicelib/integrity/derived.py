"""The integrity check of what follows from a user's photos: counters, lists and known images."""

import collections
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.integrity.report import Issue
from chalicelib.integrity.tables import Tables
from chalicelib.photos.derived import HASHES, LISTS, MONTHS, Counter, Derived, derived, subtracted
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import id_of_sort_key

_TRIES = 5
_MOST_NUMBERS = 100  # DynamoDB limits the length of one update's expression to 4 kB


@dataclass
class DerivedData:
    """What follows from a user's photos, or what is stored of it."""

    counters: dict[Counter, int] = field(default_factory=dict)  # without zeros
    members: set[str] = field(default_factory=set)
    hashes: set[tuple[str, str]] = field(default_factory=set)  # ID of the item, and of a photo

    @classmethod
    def of_photos(cls, photos: Iterable[Photo]) -> "DerivedData":
        """Return what follows from photos."""
        data = cls()
        for photo in photos:
            data.add(photo)
        return data

    def add(self, photo: Photo) -> None:
        """Add what follows from a photo."""
        one = derived(photo)
        for counter, number in one.counters.items():
            self.counters[counter] = self.counters.get(counter, 0) + number
        self.members |= one.members
        self.hashes |= {(hashed, photo.id) for hashed in one.hashes}

    @classmethod
    def of_items(cls, items: Iterable[dict[str, Any]]) -> "DerivedData":
        """Return what is stored, from items in DynamoDB's JSON."""
        data = cls()
        for item in items:
            item_id = item["id"]["S"]
            if item_id.startswith(LISTS):
                data.members.add(item_id)
            elif item_id.startswith(HASHES):
                ids = item.get("photo_ids", {"SS": []})["SS"]
                data.hashes |= {(item_id, photo_id) for photo_id in ids}
            else:
                numbers = {name: int(one["N"]) for name, one in item.items() if "N" in one}
                data.counters |= {(item_id, name): n for name, n in numbers.items() if n}
        return data

    def issues(self, wanted: "DerivedData") -> list[Issue]:
        """Return in what this differs from what should be stored."""
        changed = subtracted(wanted.counters, self.counters)
        found = {
            Issue.WRONG_MONTHS: any(item.startswith(MONTHS) for item, _ in changed),
            Issue.WRONG_TAGS: not all(item.startswith(MONTHS) for item, _ in changed),
            Issue.WRONG_LISTS: self.members != wanted.members,
            Issue.WRONG_HASHES: self.hashes != wanted.hashes,
        }
        return [issue for issue, is_found in found.items() if is_found]

    def counters_to_add(self, wanted: "DerivedData") -> Iterator[dict[Counter, int]]:
        """Yield what to add to counters, at most 100 of one item at a time."""
        items = collections.defaultdict[str, list[tuple[Counter, int]]](list)
        for counter, number in subtracted(wanted.counters, self.counters).items():
            items[counter[0]].append((counter, number))
        for numbers in items.values():
            for start in range(0, len(numbers), _MOST_NUMBERS):
                yield dict(numbers[start : start + _MOST_NUMBERS])

    def photos_to_derive(self, wanted: "DerivedData") -> Iterator[tuple[str, Derived]]:
        """Yield the ID of each photo of which lists or hashes are wrong, and what it has now."""
        members, hashes = self.members ^ wanted.members, self.hashes ^ wanted.hashes
        wrong = {id_of_sort_key(member) for member in members} | {one for _, one in hashes}
        stored = {photo_id: (set[str](), set[str]()) for photo_id in wrong}
        for member in self.members:
            if (photo_id := id_of_sort_key(member)) in wrong:
                stored[photo_id][0].add(member)
        for hashed, photo_id in self.hashes:
            if photo_id in wrong:
                stored[photo_id][1].add(hashed)
        for photo_id, (own_members, own_hashes) in sorted(stored.items()):
            yield photo_id, Derived(members=frozenset(own_members), hashes=frozenset(own_hashes))


@dataclass
class DerivedSums:
    """What distinguishes one `DerivedData` from another; its size does not grow with the album."""

    counters: dict[Counter, int] = field(default_factory=dict)
    checksum: int = 0  # of lists and hashes, whatever their order

    def add(self, data: DerivedData) -> None:
        """Add what follows from a photo, or what an item has."""
        for counter, number in data.counters.items():
            self.counters[counter] = self.counters.get(counter, 0) + number
        self.checksum += sum(map(hash, data.members)) + sum(map(hash, data.hashes))


def sums_of_items(items: Iterable[dict[str, Any]]) -> DerivedSums:
    """Return the sums of what is stored."""
    sums = DerivedSums()
    for item in items:
        sums.add(DerivedData.of_items([item]))
    return sums


# Writes what is wanted instead of what is stored, and returns what it could not repair, or None if
# something has changed meanwhile.
Correct = Callable[[str, DerivedData, DerivedData], set[Issue] | None]


def check_again(tables: Tables, sub: str, correct: Correct | None) -> dict[Issue, bool]:
    """Return what is wrong for a user while nothing changes, and whether it was repaired.

    Raises TimeIsUp.
    """
    for _ in range(_TRIES):
        stored, wanted = _stored_and_wanted(tables, sub)
        issues = stored.issues(wanted)
        if not issues:
            break
        if _stored_and_wanted(tables, sub) != (stored, wanted):
            continue  # The user is changing photos.
        if correct is None:
            return dict.fromkeys(issues, False)
        left = correct(sub, stored, wanted)
        if left is not None:
            return {issue: issue not in left for issue in issues}
    return {}


def _stored_and_wanted(tables: Tables, sub: str) -> tuple[DerivedData, DerivedData]:
    photos = DerivedData.of_photos(tables.photos(sub, consistent=True))
    return DerivedData.of_items(tables.derived_items(sub, consistent=True)), photos
