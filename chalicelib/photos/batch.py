"""One action on many photos: one after another, each on its own, within a time limit."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chalicelib.clients import as_album_error
from chalicelib.errors import AlbumError, NotSignedIn, TryAgainLater
from chalicelib.photos.changes import (
    deletable_photo,
    edited,
    existing_photo,
    marked_deleting,
    restored,
    tagged,
    trashed,
    untagged,
)
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import BatchAction
from chalicelib.photos.service import photo_keys
from chalicelib.photos.storage import PhotoStorage
from chalicelib.photos.transactions import PhotoTransactions

SECONDS = 20.0  # of the gateway's 29
_CHUNK = 100  # photos, whose objects are deleted in one call: S3 takes over a second for 1,000


@dataclass
class BatchResult:
    """What became of each photo."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, AlbumError] = field(default_factory=dict)
    remaining: list[str] = field(default_factory=list)  # not reached in time
    interruption: Exception | None = None  # why, if not for lack of time


class PhotoBatches:
    """Actions on many photos of one user; `user_id` is always the caller's verified `sub`."""

    def __init__(self, storage: PhotoStorage, transactions: PhotoTransactions) -> None:
        self._storage = storage
        self._transactions = transactions

    def run(
        self, user_id: str, ids: Iterable[str], action: BatchAction, tags: str = ""
    ) -> BatchResult:
        """Do the same with each photo; safe to repeat.

        If AWS fails or throttles, what was not done remains. Raises its error if nothing was done.
        """
        unique, deadline = list(dict.fromkeys(ids)), time.monotonic() + SECONDS
        if action == "delete":
            result = self.delete(user_id, unique, deadline)
        else:
            change = _change(action, tags)
            result = _each(
                unique,
                lambda one: self._transactions.apply(lambda: existing_photo(user_id, one), change),
                deadline,
            )
        if result.interruption and not result.done:
            raise result.interruption
        return result

    def delete(
        self,
        user_id: str,
        ids: list[str],
        deadline: float,
        find: Callable[[str, str], Photo] = deletable_photo,
    ) -> BatchResult:
        """Delete photos permanently, with one call to S3 for many of them.

        `find` returns a photo, or raises NotFound if it must not be deleted.
        """
        total = BatchResult()
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            if total.interruption:
                total.remaining += chunk
            else:
                self._delete(user_id, chunk, deadline, find, total)
        return total

    def _delete(
        self,
        user_id: str,
        ids: list[str],
        deadline: float,
        find: Callable[[str, str], Photo],
        total: BatchResult,
    ) -> None:
        marked: dict[str, Photo] = {}

        def mark(photo_id: str) -> None:
            marked[photo_id] = self._transactions.apply(
                lambda: find(user_id, photo_id), marked_deleting
            )

        def delete_objects(_: str) -> None:
            self._storage.delete([key for photo in marked.values() for key in photo_keys(photo)])

        # The other half of the time is for what then has to be removed.
        now = time.monotonic()
        marking = _each(ids, mark, now + (deadline - now) / 2)
        removal = BatchResult()
        if marked:
            removal = _each(["objects"], delete_objects, float("inf"))
            if removal.done:
                removal = _each(
                    list(marked), lambda one: self._transactions.remove(marked[one]), deadline
                )
            else:
                removal.remaining = list(marked)
        total.done += removal.done
        total.failed |= marking.failed
        total.remaining += removal.remaining + marking.remaining
        total.interruption = removal.interruption or marking.interruption


def _each(ids: list[str], act: Callable[[str], object], deadline: float) -> BatchResult:
    """Do something with each photo until the deadline, or until AWS fails."""
    result = BatchResult()
    for index, photo_id in enumerate(ids):
        if time.monotonic() >= deadline:
            result.remaining = ids[index:]
            break
        try:
            act(photo_id)
        except Exception as error:
            if isinstance(error, TryAgainLater) or as_album_error(error):
                result.remaining, result.interruption = ids[index:], error
                break
            if not isinstance(error, AlbumError) or isinstance(error, NotSignedIn):
                raise
            result.failed[photo_id] = error
        else:
            result.done.append(photo_id)
    return result


def _change(action: BatchAction, tags: str) -> Callable[[Photo], Photo]:
    if action == "trash":
        return trashed
    if action == "restore":
        return restored
    if action == "tag":
        return lambda photo: tagged(photo, tags)
    if action == "untag":
        return lambda photo: untagged(photo, tags)
    return lambda photo: edited(photo, {"favorite": action == "favorite"})
