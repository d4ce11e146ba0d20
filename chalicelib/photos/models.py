"""The items of the table of photos. `docs/data-model.md` explains each attribute and index."""

import hashlib
from datetime import timedelta
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from chalicelib import dates
from chalicelib.clients import TableMeta
from chalicelib.photos.photo import (
    EMPTY_TEXTS,
    FLAGS,
    ID_LISTS,
    KEY_PREFIX,
    MEASURED,
    NUMBERS,
    OPTIONAL,
    SHOWN,
)
from chalicelib.photos.query import BY_TAKEN

KEY_LIFE = timedelta(days=1)


def _attribute(name: str) -> Attribute[Any]:
    if name in FLAGS:
        return BooleanAttribute(default=False)
    if name in ID_LISTS:
        return ListAttribute[UnicodeAttribute](of=UnicodeAttribute, default=list)
    kind = NumberAttribute if name in NUMBERS else UnicodeAttribute
    if name in EMPTY_TEXTS:
        return kind(default="")  # type: ignore[arg-type]
    return kind(null=name in OPTIONAL or name in MEASURED)


# The attributes of the fields that `photo` defines; mypy cannot see what is created at run time.
_ShownFields: Any = type(
    "_ShownFields",
    (),
    {name: _attribute(name) for name in SHOWN if name not in ("user_id", "id")},
)


class ByTaken(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Ready photos by the time they were taken; others have no `taken_key`, so are not in it."""

    class Meta:
        index_name = BY_TAKEN
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    taken_key = UnicodeAttribute(range_key=True)


class Photo(_ShownFields, Model):  # type: ignore[misc]
    """One photo: the fields that are shown, and what only the album itself uses."""

    class Meta(TableMeta):
        table_name = "Photo"

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute()
    taken_key = UnicodeAttribute(null=True)
    tag_keys = ListAttribute[UnicodeAttribute](of=UnicodeAttribute, default=list)
    search_text = UnicodeAttribute(default="")
    thumbnail_sha256 = UnicodeAttribute(null=True)
    preview_sha256 = UnicodeAttribute(null=True)
    on_duplicate = UnicodeAttribute(null=True)  # of a pending upload: "skip", else None
    expires_at = TTLAttribute(null=True)

    by_taken = ByTaken()

    @classmethod
    def find(cls, user_id: str, photo_id: str) -> "Photo | None":
        """Return a photo in any state, or None."""
        try:
            return cls.get(user_id, photo_id, consistent_read=True)
        except DoesNotExist:
            return None


class DerivedItem(Model):
    """An item that `derived` defines: counters, a member of a list, or the photos with one hash.

    The names of counters are not known in advance, so they are not declared here.
    """

    class Meta(TableMeta):
        table_name = "Photo"

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    photo_ids = UnicodeSetAttribute(null=True)  # only of a hash

    @classmethod
    def find(cls, user_id: str, item_id: str) -> "DerivedItem | None":
        """Return an item, or None."""
        try:
            return cls.get(user_id, item_id, consistent_read=True)
        except DoesNotExist:
            return None


class UploadKey(Model):
    """A used Idempotency-Key: an item of its own in the owner's partition of photos.

    Also an upload that was completed with an image that its owner already had.
    """

    class Meta(TableMeta):
        table_name = "Photo"

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    photo_id = UnicodeAttribute()
    request = UnicodeAttribute(null=True)  # what it was used for; earlier versions did not say
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, photo: Photo, key: str, request: str) -> "UploadKey":
        """Return the item that records which photo a key created, for which request."""
        # The key of an upload to S3 expires together with it.
        expires_at = photo.expires_at or dates.utc_now() + KEY_LIFE
        used = cls(photo.user_id, _key_id(key), photo_id=photo.id, expires_at=expires_at)
        used.request = request
        return used

    @classmethod
    def of_duplicate(cls, pending: Photo, photo_id: str) -> "UploadKey":
        """Return the item that records which photo has the bytes of an upload."""
        expires_at = dates.utc_now() + KEY_LIFE
        return cls(
            pending.user_id, _upload_id(pending.id), photo_id=photo_id, expires_at=expires_at
        )

    @classmethod
    def find(cls, user_id: str, key: str) -> "UploadKey | None":
        """Return what a key of this user was used for, or None."""
        return cls._find(user_id, _key_id(key))

    @classmethod
    def find_duplicate(cls, user_id: str, photo_id: str) -> "UploadKey | None":
        """Return what records the photo that has the bytes of a completed upload, or None."""
        return cls._find(user_id, _upload_id(photo_id))

    @classmethod
    def _find(cls, user_id: str, item_id: str) -> "UploadKey | None":
        try:
            used = cls.get(user_id, item_id, consistent_read=True)
        except DoesNotExist:
            return None
        return used if used.expires_at > dates.utc_now() else None

    @classmethod
    def is_unused(cls) -> Condition:
        """Return the condition that a key was not used lately; DynamoDB removes items lazily."""
        unused: Condition = cls.id.does_not_exist() | (cls.expires_at <= dates.utc_now())
        return unused


def is_still(attribute: Attribute[Any], value: Any) -> Condition:
    """Return the condition that an attribute has the value that was read, absent or empty ones too.

    An item of an earlier version may lack what reads as an empty text or list, or as false.
    """
    absent: Condition = attribute.does_not_exist()
    if value is None:
        return absent
    same: Condition = attribute == value
    return absent | same if value is False or value in ("", []) else same


def _upload_id(photo_id: str) -> str:
    return f"{KEY_PREFIX}upload#{photo_id}"


def _key_id(key: str) -> str:
    return KEY_PREFIX + hashlib.sha256(key.encode()).hexdigest()
