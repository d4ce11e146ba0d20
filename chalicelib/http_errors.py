"""Errors as HTTP answers: the one place that knows which status each error of the album becomes."""

from chalice import Response

from chalicelib import errors

BODY_LIMIT = 4_500_000  # bytes; a Lambda call carries 6 MB, and a binary body travels as base64

TOO_LARGE = (
    f"A request may have {BODY_LIMIT:,} bytes. Please send the picture as `file`, since base64 "
    "adds a third, or straight to S3: ask with POST /photos/uploads."
)

# status and `Code` by error; the codes are those of Chalice's own errors, where it has one
ANSWERS: dict[type[errors.AlbumError], tuple[int, str]] = {
    errors.InvalidInput: (400, "BadRequestError"),
    errors.NotSignedIn: (401, "UnauthorizedError"),
    errors.NotFound: (404, "NotFoundError"),
    errors.Conflict: (409, "ConflictError"),
    errors.TooLarge: (413, "PayloadTooLargeError"),
    errors.QuotaExceeded: (413, "QuotaExceededError"),
    errors.UnsupportedImage: (415, "UnsupportedMediaType"),
    errors.UndecodableImage: (422, "UnprocessableEntityError"),
    errors.Throttled: (429, "TooManyRequestsError"),
    errors.Unavailable: (503, "ServiceUnavailableError"),
}


def refuse_large_body(body: bytes) -> None:
    """Raise TooLarge for a body that would not reach a deployed album."""
    if len(body) > BODY_LIMIT:
        raise errors.TooLarge(TOO_LARGE)


def problem(error: errors.AlbumError) -> Response:
    """Return an error of the album as an answer."""
    status, code = ANSWERS[type(error)]
    headers = {}
    if isinstance(error, errors.TryAgainLater):
        headers["Retry-After"] = str(error.retry_after)
    return Response({"Code": code, "Message": str(error)}, status_code=status, headers=headers)


def unexpected_problem(error: Exception, request_id: str) -> Response:
    """Return an answer to what a view could not cope with, without giving anything away."""
    from chalicelib.aws import as_album_error

    album_error = as_album_error(error)
    if album_error:
        return problem(album_error)
    message = f"Something went wrong on our side. If it stays so, quote request {request_id}."
    return Response({"Code": "InternalServerError", "Message": message}, status_code=500)
