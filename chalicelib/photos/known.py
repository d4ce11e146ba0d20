"""Which images a user already has, by the SHA-256 of their bytes."""

from dataclasses import dataclass

from chalicelib.photos.derived import hash_id
from chalicelib.photos.photo import PhotoState
from chalicelib.photos.query import ItemReader

# The photos of one image whose state is read: the oldest, in case some are in the trash.
MOST_READ = 10


@dataclass(frozen=True)
class KnownImage:
    """A photo that has the bytes of an image."""

    photo_id: str
    trashed: bool


class KnownImages:
    """Finds images that a user has stored; `user_id` is always the caller's verified `sub`."""

    def __init__(self, items: ItemReader) -> None:
        self._items = items

    def find(self, user_id: str, hashes: list[str]) -> dict[str, KnownImage]:
        """Return a photo of each known image, by its hash; one in the trash if there is no other.

        Of several photos, it is the oldest. Hashes are hexadecimal, in lower case.
        """
        photo_ids = self._photo_ids(user_id, hashes)
        states = self._states(user_id, [ids[0] for ids in photo_ids.values()])
        # An image usually has one photo; the others matter only if that one is not in the album.
        others = [
            one
            for ids in photo_ids.values()
            if states.get(ids[0]) != PhotoState.READY
            for one in ids[1:]
        ]
        states |= self._states(user_id, others)
        known: dict[str, KnownImage] = {}
        for state in (PhotoState.TRASHED, PhotoState.READY):
            for sha256, ids in photo_ids.items():
                stored = [one for one in ids if states.get(one) == state]
                if stored:
                    known[sha256] = KnownImage(stored[0], trashed=state == PhotoState.TRASHED)
        return known

    def _photo_ids(self, user_id: str, hashes: list[str]) -> dict[str, list[str]]:
        """Return the IDs of the oldest photos of each image that has any, by its hash."""
        by_id = {hash_id(sha256): sha256 for sha256 in hashes}
        items = self._items.get(user_id, list(by_id), ("photo_ids",))
        return {
            by_id[item_id]: sorted(item.photo_ids.SS)[:MOST_READ]
            for item_id, item in items.items()
            if item.photo_ids.SS
        }

    def _states(self, user_id: str, photo_ids: list[str]) -> dict[str, str]:
        items = self._items.get(user_id, photo_ids, ("state",))
        return {photo_id: item.state.S for photo_id, item in items.items()}
