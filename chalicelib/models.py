"""The two DynamoDB tables. `docs/data-model.md` says what each attribute and index is for."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import DoesNotExist, PutError, PynamoDBException, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, LocalSecondaryIndex
from pynamodb.models import Model

from chalicelib import aws, dates
from chalicelib.rows import BY_TAKEN
from chalicelib.rows import PhotoState as PhotoState  # of the model, too

KEY_PREFIX = "key#"  # sorts behind the ids of photos, which are hexadecimal
_KEY_LIFE = timedelta(days=1)


def condition_failed(error: PynamoDBException) -> bool:
    """Tell whether DynamoDB refused a write because its condition does not hold."""
    # Not by `cause_response_code`, which fails on a time-out: that has a response, but None.
    return (
        isinstance(error.cause, ClientError)
        and error.cause.response["Error"]["Code"] == "ConditionalCheckFailedException"
    )


class TableMeta:
    """What both tables' connections share with every other client."""

    region: str | None = None  # set by `services` from the settings, as is `table_name`
    connect_timeout_seconds = aws.CONNECT_SECONDS
    read_timeout_seconds = aws.READ_SECONDS
    max_retry_attempts = aws.ATTEMPTS - 1
    max_pool_connections = aws.POOL


class ByTaken(LocalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Ready photos by when they were taken; others have no `taken_key`, so they are not in it."""

    class Meta:
        index_name = BY_TAKEN
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    taken_key = UnicodeAttribute(range_key=True)


class Photo(Model):
    """What is known about one picture."""

    class Meta(TableMeta):
        table_name = "Photo"

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute()
    taken_key = UnicodeAttribute(null=True)
    filename = UnicodeAttribute()
    filename_orig = UnicodeAttribute(null=True)
    filesize = NumberAttribute()
    content_type = UnicodeAttribute(null=True)  # this and the next four: not while it is pending
    sha256 = UnicodeAttribute(null=True)
    thumbnail_sha256 = UnicodeAttribute(null=True)
    width = NumberAttribute(null=True)
    height = NumberAttribute(null=True)
    tags = UnicodeAttribute(default="")
    tag_keys = ListAttribute[UnicodeAttribute](of=UnicodeAttribute, default=list)
    desc = UnicodeAttribute(default="")
    make = UnicodeAttribute(null=True)
    model = UnicodeAttribute(null=True)
    city = UnicodeAttribute(null=True)
    nation = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    geotag_lat = NumberAttribute(null=True)
    geotag_lng = NumberAttribute(null=True)
    taken_date = UnicodeAttribute(null=True)
    upload_date = UnicodeAttribute()
    search_text = UnicodeAttribute(default="")
    expires_at = TTLAttribute(null=True)

    by_taken = ByTaken()


class UploadKey(Model):
    """The use of an Idempotency-Key: an item of its own in the owner's partition of photos."""

    class Meta(TableMeta):
        table_name = "Photo"

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    photo_id = UnicodeAttribute()
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, photo: Photo, key: str) -> "UploadKey":
        """Return the item that says which photo a key has made."""
        expires_at = dates.utc_now() + _KEY_LIFE
        return cls(photo.user_id, _key_id(key), photo_id=photo.id, expires_at=expires_at)

    @classmethod
    def find(cls, user_id: str, key: str) -> "UploadKey | None":
        """Return what a key of this user was used for, or None."""
        try:
            used = cls.get(user_id, _key_id(key), consistent_read=True)
        except DoesNotExist:
            return None
        return used if used.expires_at > dates.utc_now() else None

    @classmethod
    def is_free(cls) -> Condition:
        """Return the condition that a key was not used lately; DynamoDB removes items lazily."""
        free: Condition = cls.id.does_not_exist() | (cls.expires_at <= dates.utc_now())
        return free


def _key_id(key: str) -> str:
    return KEY_PREFIX + hashlib.sha256(key.encode()).hexdigest()


class User(Model):
    """What the album keeps of an account beside Cognito; one made in the console has no row.

    `sessions.Standing` reads the same row for the authorizer, without this module.
    """

    class Meta(TableMeta):
        table_name = "User"

    sub = UnicodeAttribute(hash_key=True)
    created_date = UnicodeAttribute(null=True)
    photo_count = NumberAttribute(null=True)
    storage_bytes = NumberAttribute(null=True)
    signed_out_at = NumberAttribute(null=True)  # seconds since the epoch, floored
    signed_out_sessions = UnicodeSetAttribute(null=True)  # the origin_jti of who signed out then
    deleting_at = NumberAttribute(null=True)  # the deletion of the account began, in seconds
    deleted_at = NumberAttribute(null=True)  # and ended
    expires_at = TTLAttribute(null=True)

    @classmethod
    def create(cls, sub: str) -> None:
        """Make the row of a new account, unless it has one already."""
        created_date = dates.utc_now().isoformat(timespec="seconds")
        user = cls(sub, created_date=created_date, photo_count=0, storage_bytes=0)
        try:
            user.save(condition=cls.sub.does_not_exist())
        except PutError as error:
            if not condition_failed(error):
                raise

    def record_sign_out(self, moment: int, sessions: set[str]) -> None:
        """Refuse what was issued before `moment` (seconds since the epoch), and these sessions."""
        remembered = User.signed_out_sessions
        remember = remembered.set(sessions) if sessions else remembered.remove()
        try:
            self.update(
                actions=[User.signed_out_at.set(moment), remember],
                condition=User.signed_out_at.does_not_exist() | (User.signed_out_at < moment),
            )
        except UpdateError as error:
            if not condition_failed(error):
                raise
            # Another session signed out in this very second: refuse both.
            if sessions:
                self.update(actions=[User.signed_out_sessions.add(sessions)])

    def begin_deletion(self, moment: int) -> None:
        """Let the account do nothing any more but finish its own deletion."""
        self.update(actions=[User.deleting_at.set(moment)])

    def bury(self, moment: int, expires_at: datetime) -> None:
        """Keep nothing of the account but that its tokens are refused, until `expires_at`."""
        self.update(
            actions=[
                User.deleting_at.set(moment),
                User.deleted_at.set(moment),
                User.expires_at.set(expires_at),
                User.created_date.remove(),
                User.photo_count.remove(),
                User.storage_bytes.remove(),
            ]
        )
