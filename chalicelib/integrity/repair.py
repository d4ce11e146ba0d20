"""Repairs of what the integrity check finds: everything in this package that changes data."""

import contextlib
import hashlib
from collections.abc import Set
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.condition import Condition

from chalicelib.accounts.models import User
from chalicelib.accounts.service import AccountService
from chalicelib.clients import condition_failed
from chalicelib.errors import AlbumError, AlreadyWritten, Conflict, NotFound
from chalicelib.images.decoding import read_image
from chalicelib.images.sizes import Sizes
from chalicelib.integrity.derived import DerivedData
from chalicelib.integrity.report import Finding, Issue
from chalicelib.photos.derived import is_in_trash
from chalicelib.photos.models import Photo
from chalicelib.photos.photo import STORED_STATES, PhotoState
from chalicelib.photos.reservations import has_expired
from chalicelib.photos.service import PhotoService, photo_keys
from chalicelib.photos.storage import PhotoStorage, upload_key

_BAD_ORIGINAL = {Issue.MISSING_ORIGINAL, Issue.DIFFERENT_ORIGINAL}
_BAD_RENDITION = {Issue.THUMBNAIL, Issue.PREVIEW, Issue.NO_PREVIEW}


@dataclass(frozen=True)
class Counters:
    """How many photos and pending uploads a user has, and how many bytes they have."""

    photos: int = 0
    storage_bytes: int = 0
    pending: int = 0
    pending_bytes: int = 0
    trash: int = 0

    @classmethod
    def of_user(cls, user: User) -> "Counters":
        """Return the counters that are stored for a user."""
        pending, pending_bytes = int(user.pending_count or 0), int(user.pending_bytes or 0)
        trash = int(user.trash_count or 0)
        return cls(user.stored_count, user.stored_bytes, pending, pending_bytes, trash)

    @classmethod
    def of_photo(cls, photo: Photo) -> "Counters":
        """Return what one photo adds to its owner's counters."""
        if photo.state != PhotoState.PENDING:
            return cls(1, int(photo.filesize), trash=int(is_in_trash(photo)))
        return cls() if has_expired(photo) else cls(0, 0, 1, int(photo.filesize))

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(
            self.photos + other.photos,
            self.storage_bytes + other.storage_bytes,
            self.pending + other.pending,
            self.pending_bytes + other.pending_bytes,
            self.trash + other.trash,
        )

    def agree_with(self, counted: "Counters") -> bool:
        """Return whether stored counters are right; expired uploads may still be in them."""
        return (
            (self.photos, self.storage_bytes, self.trash)
            == (counted.photos, counted.storage_bytes, counted.trash)
            and self.pending >= counted.pending
            and self.pending_bytes >= counted.pending_bytes
        )


class Repairs:
    """Repairs what can be repaired without losing anything.

    An original that a photo's item refers to is never deleted, unless its owner has begun to.
    """

    def __init__(
        self,
        storage: PhotoStorage,
        photos: PhotoService,
        accounts: AccountService,
        sizes: Sizes,
    ) -> None:
        self._storage = storage
        self._photos = photos
        self._accounts = accounts
        self._sizes = sizes

    def repair(self, finding: Finding, photo: Photo | None, issues: Set[Issue]) -> bool:
        """Repair one of a photo's `issues`; return whether that was possible."""
        if finding.issue == Issue.ORPHANED_OBJECT:
            self.delete_object(finding.where)
            return True
        if photo is None:
            return False
        if finding.issue == Issue.UNFINISHED_DELETION:
            with contextlib.suppress(NotFound):  # Its owner has just finished it.
                self._photos.delete(photo.user_id, photo.id)
            return True
        if finding.issue == Issue.STALE_UPLOAD:
            _delete_pending(photo)
            self.delete_object(upload_key(photo.user_id, photo.id))
            return True
        if finding.issue in _BAD_RENDITION and not issues & _BAD_ORIGINAL:
            return self._create_rendition(photo, finding.where)
        return False

    def delete_object(self, key: str) -> None:
        """Delete an object that no item refers to."""
        self._storage.delete([key])

    def finish_account_deletion(self, user: User) -> None:
        """Finish the deletion of an account that its owner began."""
        while self._photos.delete_all(user.sub):
            pass
        if user.deleted_at is None:
            self._accounts.finish_deletion(user.sub)

    def create_user_record(self, sub: str) -> None:
        """Create the missing item of an account; its counters are corrected afterwards."""
        User.create(sub)

    def correct_counters(self, sub: str, before: Counters, counted: Counters) -> bool:
        """Set a user's counters, unless they have changed; return whether they were set."""
        try:
            User(sub).update(
                actions=[
                    User.photo_count.set(counted.photos + counted.pending),
                    User.storage_bytes.set(counted.storage_bytes + counted.pending_bytes),
                    User.pending_count.set(counted.pending),
                    User.pending_bytes.set(counted.pending_bytes),
                    User.trash_count.set(counted.trash),
                ],
                condition=User.sub.exists()
                & User.deleting_at.does_not_exist()
                & _is_still(User.photo_count, before.photos + before.pending)
                & _is_still(User.storage_bytes, before.storage_bytes + before.pending_bytes)
                & _is_still(User.pending_count, before.pending)
                & _is_still(User.pending_bytes, before.pending_bytes)
                & _is_still(User.trash_count, before.trash),
            )
        except UpdateError as error:
            if condition_failed(error):
                return False
            raise
        return True

    def correct_derived(
        self, sub: str, stored: DerivedData, wanted: DerivedData
    ) -> set[Issue] | None:
        """Write what follows from a user's photos instead of what is stored.

        Returns what cannot be repaired, or None if the user has changed a photo meanwhile.
        """
        left = set[Issue]()
        try:
            for numbers in stored.counters_to_add(wanted):
                self._photos.correct_counter(sub, numbers)
            for photo_id, one in stored.photos_to_derive(wanted):
                try:
                    self._photos.rederive(sub, photo_id, one)
                except Conflict:  # more photos with the same bytes than an item may name
                    left.add(Issue.WRONG_HASHES)
        except AlreadyWritten:
            return None
        return left

    def _create_rendition(self, photo: Photo, key: str) -> bool:
        """Create a photo's preview, with its thumbhash, or thumbnail again from its original.

        Return whether that was possible.
        """
        original, preview, _ = photo_keys(photo)
        try:
            data, _ = self._storage.fetch(original, int(photo.filesize))
            image = read_image(data, self._sizes)
        except AlbumError:
            return False
        if key == preview:
            content, digest = image.preview, Photo.preview_sha256
            actions = [Photo.thumbhash.set(image.thumbhash)]
        else:
            content, digest, actions = image.thumbnail, Photo.thumbnail_sha256, []
        self._storage.put_rendition(key, content)
        try:
            photo.update(
                actions=[*actions, digest.set(hashlib.sha256(content).hexdigest())],
                condition=Photo.state.is_in(*STORED_STATES) & (Photo.sha256 == photo.sha256),
            )
        except UpdateError as error:
            if not condition_failed(error):
                raise
            self.delete_object(key)  # The photo has just been deleted.
        return True


def _is_still(counter: NumberAttribute, value: int) -> Condition:
    """Return the condition that a counter has a value; a missing one counts as 0."""
    is_same: Condition = counter == value
    return is_same if value else is_same | counter.does_not_exist()


def _delete_pending(photo: Photo) -> None:
    """Delete the item of an upload, unless it was completed in the meantime."""
    try:
        photo.delete(condition=Photo.state == PhotoState.PENDING)
    except DeleteError as error:
        if not condition_failed(error):
            raise
