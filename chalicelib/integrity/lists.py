"""The lists that the integrity check compares: a user's items and objects, in order of photo IDs.

A list of S3 has sizes but no hashes. Each day, the hashes of one share of all photos are verified.
"""

import heapq
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib import dates
from chalicelib.integrity.tables import FIRST_ID
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import KEY_PREFIX, PhotoState
from chalicelib.photos.service import photo_keys
from chalicelib.photos.storage import (
    PhotoStorage,
    StoredObject,
    preview_prefix,
    thumbnail_prefix,
    user_prefixes,
)

SHARES = 30
# Photos whose IDs begin with the same characters are verified on the same day, so that a share can
# be read without the rest. These have 28 bits of an ID's 48 bits of milliseconds: about 17 minutes.
_BLOCK_CHARACTERS = 7


@dataclass(frozen=True)
class Listed:
    """What the lists have for one photo ID."""

    photo_id: str
    photo: Photo | None
    objects: list[StoredObject]

    def seems_wrong(self, stale_before: datetime) -> bool:
        """Return whether the lists alone show an issue; objects without an item may be new."""
        photo, stored = self.photo, {one.key: one for one in self.objects}
        if photo is not None:
            if photo.state == PhotoState.DELETING:
                return True
            if photo.state == PhotoState.PENDING:
                return has_expired(photo)
            original, preview, thumbnail = (stored.pop(key, None) for key in photo_keys(photo))
            if original is None or original.size != photo.filesize:
                return True
            if thumbnail is None or not thumbnail.size:
                return True
            # Those of earlier versions are reported together with the hashes, on their day.
            if photo.preview_sha256 is not None and (preview is None or not preview.size):
                return True
        return any(one.modified <= stale_before for one in stored.values())


@dataclass(frozen=True)
class Block:
    """A range of photo IDs, from `first` to `before`, and the objects that the lists have there."""

    first: str
    before: str
    objects: list[StoredObject]


def share_of_today() -> int:
    """Return the number of the share whose turn it is today."""
    return dates.utc_now().date().toordinal() % SHARES


def is_due(name: str, share: int | None) -> bool:
    """Return whether a name belongs to a share; None stands for all of them."""
    return share is None or zlib.crc32(name.encode()) % SHARES == share


def has_expired(photo: Photo) -> bool:
    """Return whether a pending photo's upload can no longer be completed."""
    return photo.expires_at is None or photo.expires_at <= dates.utc_now()


def photo_objects(storage: PhotoStorage, sub: str) -> Iterator[StoredObject]:
    """Yield a user's originals, previews and thumbnails, in order of photo IDs.

    One page of each list is in memory. Objects where the album stores none may be out of order.
    """
    renditions = map(storage.list_keys, _rendition_prefixes(sub))
    return heapq.merge(_originals(storage, sub), *renditions, key=lambda one: photo_id_of(one.key))


def _rendition_prefixes(sub: str) -> tuple[str, str]:
    return preview_prefix(sub), thumbnail_prefix(sub)


def _originals(storage: PhotoStorage, sub: str) -> Iterator[StoredObject]:
    prefix, _ = user_prefixes(sub)
    for entry in storage.list_folder(prefix):
        if isinstance(entry, StoredObject):
            yield entry
        elif f"{prefix}{entry}/" not in _rendition_prefixes(sub):
            yield from storage.list_keys(f"{prefix}{entry}/")


def due_blocks(objects: Iterable[StoredObject], share: int) -> Iterator[Block]:
    """Yield the blocks of a share. Each ends where the next one begins, so nothing is between."""
    block, found = FIRST_ID, list[StoredObject]()
    for one in objects:
        name = photo_id_of(one.key)[:_BLOCK_CHARACTERS]
        if name > block:
            if is_due(block, share):
                yield Block(block, name, found)
            block, found = name, []
        if is_due(block, share):
            found.append(one)
    if is_due(block, share):
        yield Block(block, KEY_PREFIX, found)


def merged(photos: Iterable[Photo], objects: Iterable[StoredObject]) -> Iterator[Listed]:
    """Yield what items and objects, both in order of photo IDs, have for each ID."""
    items: Iterator[tuple[str, Photo | StoredObject]] = ((one.id, one) for one in photos)
    keys: Iterator[tuple[str, Photo | StoredObject]] = (
        (photo_id_of(one.key), one) for one in objects
    )
    in_order = heapq.merge(items, keys, key=lambda pair: pair[0])
    for photo_id, group in itertools.groupby(in_order, key=lambda pair: pair[0]):
        found = [one for _, one in group]
        photo = next((one for one in found if isinstance(one, Photo)), None)
        yield Listed(photo_id, photo, [one for one in found if isinstance(one, StoredObject)])


def photo_id_of(key: str) -> str:
    """Return the photo ID in the key of an original, a preview or a thumbnail."""
    return key.rpartition("/")[2].partition(".")[0]
