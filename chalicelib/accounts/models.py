"""The items of the table of users. `docs/data-model.md` explains each attribute."""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.models import Model

from chalicelib import dates
from chalicelib.clients import TableMeta, condition_failed


class User(Model):
    """What the album stores of an account besides Cognito.

    An account that was created in the Cognito console has no item until its first upload.
    `sessions.SessionState` reads the same item for the authorizer, without this module.
    """

    class Meta(TableMeta):
        table_name = "User"

    sub = UnicodeAttribute(hash_key=True)
    created_date = UnicodeAttribute(null=True)
    photo_count = NumberAttribute(null=True)  # including pending uploads
    storage_bytes = NumberAttribute(null=True)  # including theirs
    trash_count = NumberAttribute(null=True)
    pending_count = NumberAttribute(null=True)  # uploads that are not completed
    pending_bytes = NumberAttribute(null=True)
    uploads_begun = NumberAttribute(null=True)  # since the account exists
    recount_at = NumberAttribute(null=True)  # when an upload may have expired, in seconds
    signed_out_at = NumberAttribute(null=True)  # seconds since the epoch, floored
    deleting_at = NumberAttribute(null=True)  # when the account's deletion began, in seconds
    deleted_at = NumberAttribute(null=True)  # and when it ended
    expires_at = TTLAttribute(null=True)

    @property
    def stored_count(self) -> int:
        """The number of photos, without pending uploads."""
        return int(self.photo_count or 0) - int(self.pending_count or 0)

    @property
    def stored_bytes(self) -> int:
        """The bytes of the photos' originals, without pending uploads."""
        return int(self.storage_bytes or 0) - int(self.pending_bytes or 0)

    @classmethod
    def find(cls, sub: str) -> "User | None":
        """Return the item of an account, or None."""
        try:
            return cls.get(sub, consistent_read=True)
        except DoesNotExist:
            return None

    @classmethod
    def create(cls, sub: str) -> None:
        """Create the item of a new account, unless it exists."""
        created_date = dates.utc_now().isoformat(timespec="seconds")
        user = cls(sub, created_date=created_date, photo_count=0, storage_bytes=0)
        try:
            user.save(condition=cls.sub.does_not_exist())
        except PutError as error:
            if not condition_failed(error):
                raise

    def record_sign_out(self, moment: int) -> None:
        """Revoke every token that was issued until `moment`, in seconds since the epoch."""
        try:
            self.update(
                actions=[User.signed_out_at.set(moment)],
                condition=User.signed_out_at.does_not_exist() | (User.signed_out_at < moment),
            )
        except UpdateError as error:
            # Another session has signed out in the same second, or later.
            if not condition_failed(error):
                raise

    def begin_deletion(self, moment: int) -> None:
        """Close the account to everything but its own deletion."""
        self.update(actions=[User.deleting_at.set(moment)])

    def mark_deleted(self, moment: int, expires_at: datetime) -> None:
        """Keep only what revokes the account's tokens, until `expires_at`."""
        self.update(
            actions=[
                User.deleting_at.set(moment),
                User.deleted_at.set(moment),
                User.expires_at.set(expires_at),
                User.created_date.remove(),
                User.photo_count.remove(),
                User.storage_bytes.remove(),
                User.trash_count.remove(),
                User.pending_count.remove(),
                User.pending_bytes.remove(),
                User.uploads_begun.remove(),
                User.recount_at.remove(),
            ]
        )
