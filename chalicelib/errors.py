"""What the album refuses or fails to do, in its own terms.

`http_errors` alone knows which HTTP status each one becomes. The text of an `AlbumError` is shown
to people: it names what to do next, and never a bucket, a table, a pool or somebody's data.
"""

_LONGEST_FIELD = 60


class AlbumError(Exception):
    """Base of everything a client is told about."""


class InvalidInput(AlbumError):
    """A field of the request is missing, malformed or out of range."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{_shown(field)}: {expected}")


def _shown(field: str) -> str:
    """Return a field's name fit to be shown: it may be a client's own, of any length and bytes."""
    text = field.encode("utf-8", "replace").decode()
    return text if len(text) <= _LONGEST_FIELD else text[:_LONGEST_FIELD] + "..."


class NotSignedIn(AlbumError):
    """Credentials or a token that do not prove who is asking."""


class NotFound(AlbumError):
    """Nothing there, or it is somebody else's: strangers cannot tell which."""


class Conflict(AlbumError):
    """The request is fine, but what it wants is taken."""


class TooLarge(AlbumError):
    """More bytes than one request may carry."""


class QuotaExceeded(AlbumError):
    """More than an account may store."""


class UnsupportedImage(AlbumError):
    """Bytes that are not a picture of a known format."""


class UndecodableImage(AlbumError):
    """A picture of a known format that is broken, or too big to decode."""


class TryAgainLater(AlbumError):
    """The same request will succeed later; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttled(TryAgainLater):
    """Too many requests for AWS to take just now."""

    def __init__(self) -> None:
        super().__init__("Too many requests at once. Please try again in a few seconds.", 5)


class Unavailable(TryAgainLater):
    """AWS did not answer, or not in time."""

    def __init__(self) -> None:
        super().__init__("The album cannot be reached just now. Please try again shortly.", 5)


class Overtaken(Exception):
    """Another request has already written what this one was to write; this one wrote nothing.

    Services tell it to each other; no client is ever told.
    """


class ConfigurationError(Exception):
    """A setting is missing or malformed. For the operator's log, never for a client."""
