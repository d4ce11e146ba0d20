"""The trash: emptied by its owner, or once a day of what has been in it for long enough."""

import time
from datetime import timedelta

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import NotFound
from chalicelib.observability import describe_error, write_line
from chalicelib.photos.batch import SECONDS, PhotoBatches
from chalicelib.photos.changes import NO_SUCH_PHOTO, deletable_photo
from chalicelib.photos.derived import TRASH, derived, list_prefix
from chalicelib.photos.models import DerivedItem, Photo
from chalicelib.photos.photo import id_of_sort_key

DAILY_SECONDS = 14 * 60.0  # of the 15 minutes that a function may run
_PAGE = 100
_AFTER_ALL = "~"  # sorts after every date


class Trash:
    """Deletes photos from the trash, in the order in which they were trashed."""

    def __init__(self, batches: PhotoBatches, days: int) -> None:
        self._batches = batches
        self._days = days

    def empty(self, user_id: str, seconds: float = SECONDS) -> int:
        """Delete what a user has trashed, and return how many photos remain.

        None remain unless time is up, or AWS fails when something has been deleted. It raises AWS's
        error if nothing has been. Repeating it finishes an interrupted deletion.
        """
        if self._delete(user_id, _AFTER_ALL, time.monotonic() + seconds):
            return 0
        user = User.find(user_id)
        return max(1, int(user.trash_count or 0) if user else 0)

    def empty_old(self, seconds: float = DAILY_SECONDS) -> str:
        """Delete everyone's photos that have been in the trash for the days of the settings.

        Returns a summary. An error about one user does not stop the rest: the first is raised last.
        """
        if not self._days:
            return "Photos stay in the trash until their owner empties it."
        deadline, errors, users = time.monotonic() + seconds, list[Exception](), 0
        oldest = dates.utc_now() - timedelta(days=self._days)
        for sub in _users_with_trash():
            if time.monotonic() >= deadline:
                break
            users += 1
            try:
                self._delete(sub, oldest.isoformat(timespec="milliseconds"), deadline)
            except Exception as error:  # noqa: BLE001 (logged, and raised at the end)
                write_line("ERROR", trash=f"user {sub}", error=describe_error(error))
                errors.append(error)
        if errors:
            raise errors[0]
        summary = f"{users} users with a trash, older than {self._days} days deleted"
        write_line("INFO", trash=summary)
        return summary

    def _delete(self, user_id: str, before: str, deadline: float) -> bool:
        """Delete what a user has trashed `before` a date; return whether nothing of it remains."""
        last, has_begun = list_prefix(TRASH), False
        while members := _members(user_id, last, before):
            ids = {id_of_sort_key(member): member for member in members}

            def find(user_id: str, photo_id: str, ids: dict[str, str] = ids) -> Photo:
                return _trashed_photo(user_id, photo_id, ids[photo_id])

            result = self._batches.delete(user_id, list(ids), deadline, find)
            has_begun = has_begun or bool(result.done)
            if result.interruption and not has_begun:
                raise result.interruption
            if result.remaining:
                return False
            if len(members) < _PAGE:
                break
            last = members[-1]
        return True


def _users_with_trash() -> list[str]:
    has_trash = (User.trash_count > 0) & User.deleting_at.does_not_exist()
    return [user.sub for user in User.scan(has_trash, attributes_to_get=["sub"])]


def _members(user_id: str, last: str, before: str) -> list[str]:
    """Return the next members of a user's trash, the oldest first."""
    until = list_prefix(TRASH) + before
    found = DerivedItem.query(
        user_id, DerivedItem.id.between(f"{last} ", until), consistent_read=True, limit=_PAGE
    )
    return [member.id for member in found]


def _trashed_photo(user_id: str, photo_id: str, member: str) -> Photo:
    """Return a photo that is in the trash because of this member, or is being deleted from there.

    Raises NotFound: its owner may have just restored it.
    """
    photo = deletable_photo(user_id, photo_id)
    if member not in derived(photo).members:
        raise NotFound(NO_SUCH_PHOTO)
    return photo
