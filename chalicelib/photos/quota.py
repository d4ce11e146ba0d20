"""How much one account may store, and how many uploads it may have begun."""

from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition

from chalicelib import dates
from chalicelib.accounts.models import User
from chalicelib.errors import QuotaExceeded, TooManyUploads
from chalicelib.photos.photo import readable_size

MAX_PENDING = 1_000


@dataclass(frozen=True)
class Quota:
    """The most photos, and bytes of originals, of one account; 0 means no limit.

    Pending uploads count, so that there is room for each of them when it is completed.
    """

    photos: int = 0
    storage_bytes: int = 0

    def __bool__(self) -> bool:
        """Return whether there is any limit."""
        return bool(self.photos or self.storage_bytes)

    def has_room_for(self, size: int) -> Condition | None:
        """Return the condition of a User item that a photo of `size` bytes fits, None for any."""
        condition: Condition | None = None
        if self.photos:
            condition = _absent_or_at_most(User.photo_count, self.photos - 1)
        if self.storage_bytes:
            fits = _absent_or_at_most(User.storage_bytes, self.storage_bytes - size)
            condition = fits if condition is None else condition & fits
        return condition

    def require_room(self, user: User, size: int) -> None:
        """Raise QuotaExceeded, with the limits, unless a photo of `size` bytes fits."""
        photos, stored = int(user.photo_count or 0), int(user.storage_bytes or 0)
        pending = int(user.pending_count or 0)
        note = " Uploads that are not completed count for up to a day." if pending > 0 else ""
        if self.photos and photos >= self.photos:
            raise QuotaExceeded(
                f"This album is full ({photos:,} of {self.photos:,} photos). "
                f"Delete photos to make room.{note}"
            )
        free = max(0, self.storage_bytes - stored)
        if self.storage_bytes and size > free:
            raise QuotaExceeded(
                f"Not enough space: this photo has {readable_size(size)}, and "
                f"{readable_size(free)} of {readable_size(self.storage_bytes)} are free. "
                f"Delete photos to make room.{note}"
            )


UNLIMITED = Quota()


def may_begin_upload() -> Condition:
    """Return the condition of a User item that another upload may begin."""
    return _absent_or_at_most(User.pending_count, MAX_PENDING - 1)


def require_upload_allowed(user: User) -> None:
    """Raise TooManyUploads, with the time until the oldest one may expire, at the limit."""
    if int(user.pending_count or 0) < MAX_PENDING:
        return
    seconds = max(1, int(user.recount_at or 0) - int(dates.utc_now().timestamp()))
    minutes = -(-seconds // 60)
    wait = f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"
    wait = "a minute" if minutes == 1 else wait
    raise TooManyUploads(
        f"{MAX_PENDING:,} uploads are not completed, which is the limit. Complete some of them, or "
        f"try again in {wait}.",
        seconds,
    )


def _absent_or_at_most(counter: NumberAttribute, most: int) -> Condition:
    at_most: Condition = counter <= most
    # An account that has stored nothing yet may have an item without counters.
    return counter.does_not_exist() | at_most if most >= 0 else at_most
