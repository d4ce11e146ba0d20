"""The album's errors, in its own terms.

`api.error_table` alone maps them to HTTP. The text of an `AlbumError` is shown to people: it says
what is wrong and what to do, and never names a bucket, a table, a pool or somebody else's data.
"""


class AlbumError(Exception):
    """Base of every error that is reported to a client."""


class InvalidInput(AlbumError):
    """A field of the request is missing, malformed or out of range."""


class NotSignedIn(AlbumError):
    """The credentials or the token do not prove who the caller is."""


class SignUpClosed(AlbumError):
    """The album does not let this email address sign up; taken addresses get the same error."""


class NotFound(AlbumError):
    """It does not exist, or it belongs to another user: callers cannot tell which."""


class Conflict(AlbumError):
    """The request is valid, but conflicts with what already exists."""


class IdempotencyMismatch(AlbumError):
    """An Idempotency-Key that was used for another request."""


class TooLarge(AlbumError):
    """More bytes than one request or one photo may have."""


class QuotaExceeded(AlbumError):
    """More than an account may store."""


class UnsupportedImage(AlbumError):
    """Bytes that are not an image of a supported format."""


class UndecodableImage(AlbumError):
    """An image of a supported format that is broken, or too big to decode."""


class TryAgainLater(AlbumError):
    """The same request will succeed later; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttled(TryAgainLater):
    """More requests than AWS accepts at the moment; `retry_after` is in seconds."""

    def __init__(self, retry_after: int = 5) -> None:
        wait = "an hour" if retry_after == 3600 else f"{retry_after} seconds"
        super().__init__(f"Too many requests. Try again in {wait}.", retry_after)


class TooManyUploads(TryAgainLater):
    """More uploads have begun than one account may have at the same time."""


class Unavailable(TryAgainLater):
    """AWS did not answer, or not in time; `retry_after` is in seconds."""

    def __init__(
        self, problem: str = "Service temporarily unavailable.", retry_after: int = 5
    ) -> None:
        super().__init__(f"{problem} Try again in {retry_after} seconds.", retry_after)


class AlreadyWritten(Exception):
    """Another request has written the item first; this one wrote nothing.

    It passes between services only, and is never reported to a client.
    """


class DuplicateImage(Exception):
    """The user already has a photo with these bytes; nothing was written.

    It passes between services only, and is never reported to a client.
    """


class ConfigurationError(Exception):
    """A setting is missing or malformed. For the operator's log, never for a client."""
