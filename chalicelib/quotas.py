"""How much one account may store."""

from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.errors import QuotaExceeded
from chalicelib.models import User


@dataclass(frozen=True)
class Quota:
    """The most photos, and bytes of originals, of one account; 0 means no limit."""

    photos: int = 0
    storage_bytes: int = 0

    def __bool__(self) -> bool:
        """Tell whether there is any limit."""
        return bool(self.photos or self.storage_bytes)

    def has_room_for(self, size: int) -> Condition | None:
        """Return the condition of a User's row that such a photo fits, None if every one does."""
        condition: Condition | None = None
        if self.photos:
            condition = _absent_or_below(User.photo_count, self.photos - 1)
        if self.storage_bytes:
            fits = _absent_or_below(User.storage_bytes, self.storage_bytes - size)
            condition = fits if condition is None else condition & fits
        return condition

    def require_room(self, user: User, size: int) -> None:
        """Raise QuotaExceeded, telling what is left, unless a photo of `size` bytes fits."""
        photos = self.photos - (user.photo_count or 0)
        storage = self.storage_bytes - (user.storage_bytes or 0)
        limits, left = [], []
        if self.photos:
            limits.append(f"{self.photos:,} photos")
            left.append(f"{max(0, photos):,} photos")
        if self.storage_bytes:
            limits.append(f"{self.storage_bytes:,} bytes")
            left.append(f"{max(0, storage):,} bytes")
        if (self.photos and photos < 1) or (self.storage_bytes and storage < size):
            raise QuotaExceeded(
                f"An account may store {' and '.join(limits)}; {' and '.join(left)} are left, and "
                f"this photo has {size:,} bytes. Please delete photos, or send a smaller one."
            )


def _absent_or_below(counter: NumberAttribute, most: int) -> Condition:
    below: Condition = counter <= most
    # An account that has stored nothing yet may have a row without counters.
    return counter.does_not_exist() | below if most >= 0 else below
