"""Errors as HTTP responses: the only place that knows the status of each of the album's errors."""

from chalice import Response

from chalicelib import errors

BODY_LIMIT = 4_500_000  # bytes; a Lambda call carries 6 MB, and a binary body is base64-encoded

TOO_LARGE = (
    f"Request too large (limit {BODY_LIMIT / 1e6} MB). Use POST /photos/uploads for larger files."
)

# Status and `Code` of each error. The codes are those of Chalice's own errors, where they exist.
STATUS_AND_CODE: dict[type[errors.AlbumError], tuple[int, str]] = {
    errors.InvalidInput: (400, "BadRequestError"),
    errors.NotSignedIn: (401, "UnauthorizedError"),
    errors.SignUpClosed: (403, "SignUpClosedError"),
    errors.NotFound: (404, "NotFoundError"),
    errors.Conflict: (409, "ConflictError"),
    errors.TooLarge: (413, "PayloadTooLargeError"),
    errors.QuotaExceeded: (413, "QuotaExceededError"),
    errors.UnsupportedImage: (415, "UnsupportedMediaType"),
    errors.UndecodableImage: (422, "UnprocessableEntityError"),
    errors.IdempotencyMismatch: (422, "IdempotencyMismatchError"),
    errors.Throttled: (429, "TooManyRequestsError"),
    errors.TooManyUploads: (429, "TooManyRequestsError"),
    errors.Unavailable: (503, "ServiceUnavailableError"),
}


def require_small_body(body: bytes) -> None:
    """Raise TooLarge for a body that would not reach a deployed album."""
    if len(body) > BODY_LIMIT:
        raise errors.TooLarge(TOO_LARGE)


def error_body(error: errors.AlbumError) -> dict[str, str]:
    """Return what a client reads about an error of the album."""
    _, code = STATUS_AND_CODE[type(error)]
    return {"Code": code, "Message": str(error)}


def error_response(error: errors.AlbumError) -> Response:
    """Return the response to an error of the album."""
    status, _ = STATUS_AND_CODE[type(error)]
    headers = {}
    if isinstance(error, errors.TryAgainLater):
        headers["Retry-After"] = str(error.retry_after)
    return Response(error_body(error), status_code=status, headers=headers)


def unexpected_error_response(error: Exception, request_id: str) -> Response:
    """Return the response to any other error, without revealing anything about it."""
    from chalicelib.clients import as_album_error

    album_error = as_album_error(error)
    if album_error:
        return error_response(album_error)
    message = f"Something went wrong. If it happens again, report request ID {request_id}."
    return Response({"Code": "InternalServerError", "Message": message}, status_code=500)
