"""Errors as HTTP answers: the one place that knows which status each error of the album becomes."""

import functools
from collections.abc import Callable
from typing import Any

from chalice import Chalice, Response

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
    errors.UnsupportedImage: (415, "UnsupportedMediaType"),
    errors.UndecodableImage: (422, "UnprocessableEntityError"),
    errors.Throttled: (429, "TooManyRequestsError"),
    errors.Unavailable: (503, "ServiceUnavailableError"),
}

View = Callable[..., Any]


def errors_answered(app: Chalice) -> Callable[[View], View]:
    """Return a decorator for the views of `app` that turns what they raise into an HTTP answer."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def answered(*args: Any, **kwargs: Any) -> Any:
            request = app.current_request
            try:
                _refuse_large_body(request.raw_body)
                return view(*args, **kwargs)
            except errors.AlbumError as error:
                return _answer(error)
            except Exception as error:  # noqa: BLE001 (logged, and answered as our fault)
                return _failed(app, request.lambda_context.aws_request_id, error)

        return answered

    return decorate


def _refuse_large_body(body: bytes) -> None:
    if len(body) > BODY_LIMIT:
        raise errors.TooLarge(TOO_LARGE)


def _failed(app: Chalice, request_id: str, error: Exception) -> Response:
    """Log what a view could not cope with, and answer without giving anything away."""
    from chalicelib.aws import as_album_error

    app.log.error("Request %s failed", request_id, exc_info=error)
    album_error = as_album_error(error)
    if album_error:
        return _answer(album_error)
    message = f"Something went wrong on our side. If it stays so, quote request {request_id}."
    return Response({"Code": "InternalServerError", "Message": message}, status_code=500)


def _answer(error: errors.AlbumError) -> Response:
    status, code = ANSWERS[type(error)]
    headers = {}
    if isinstance(error, errors.TryAgainLater):
        headers["Retry-After"] = str(error.retry_after)
    return Response({"Code": code, "Message": str(error)}, status_code=status, headers=headers)
