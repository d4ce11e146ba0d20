"""What each route takes and answers, told once, beside its view.

The same words check the requests, here, and make the API's document, in `openapi`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from chalice import Chalice, Response
from chalice.app import Request

from chalicelib import forms, schemas
from chalicelib.errors import AlbumError
from chalicelib.http_errors import problem, refuse_large_body, unexpected_problem
from chalicelib.logs import cause, request_logged

View = Callable[..., Any]
Shape = type[msgspec.Struct]

# No browser shall guess another type, and no cache keep what is somebody's own.
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Operation:
    """The shapes of one route; the view is given each one that is not None, by its name here."""

    answer: Any  # what a 200 carries
    body: Shape | None = None
    query: Shape | None = None
    headers: Shape | None = None
    refusals: Sequence[type[AlbumError]] = ()  # beside those that any route may have
    also: Mapping[int, Any] | None = None  # other successes by status; None has no body
    content_types: Sequence[str] = ("application/json",)  # of what a 200 carries

    def read(self, request: Request) -> dict[str, Any]:
        """Return the parts of a request for the view. Raises InvalidInput."""
        parts: dict[str, Any] = {}
        if self.headers:
            names = {name.lower(): name for name in self.headers.__struct_encode_fields__}
            given = {names[name]: request.headers[name] for name in names.keys() & request.headers}
            parts["headers"] = forms.texts(given, self.headers)
        if self.query:
            parts["query"] = forms.texts(dict(request.query_params or {}), self.query)
        if self.body is schemas.UploadForm:
            parts["body"] = forms.photo_form(request.raw_body, request.headers["content-type"])
        elif self.body:
            parts["body"] = forms.json_body(request.raw_body, self.body)
        return parts


def operations_of(app: Chalice) -> Callable[..., Callable[[View], View]]:
    """Return a decorator for the views of `app`; it takes what makes an Operation.

    It reads the request, encodes the answer, and answers what the view raises.
    """

    def operation(answer: Any, **shapes: Any) -> Callable[[View], View]:
        described = Operation(answer, **shapes)

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def answered(**path: str) -> Response:
                return _answered(app, described, view, path)

            answered.operation = described  # type: ignore[attr-defined]
            return answered

        return decorate

    return operation


def _answered(app: Chalice, operation: Operation, view: View, path: dict[str, str]) -> Response:
    request = app.current_request
    request_id = request.lambda_context.aws_request_id
    route = f"{request.method} {request.context['resourcePath']}"
    with request_logged(route) as line:
        line["request_id"] = request_id
        line["sub"] = request.context.get("authorizer", {}).get("sub")
        try:
            refuse_large_body(request.raw_body)
            response = _encoded(view(**path, **operation.read(request)), operation.content_types[0])
        except AlbumError as error:
            response = _encoded(problem(error))
            line["refusal"] = type(error).__name__
        except Exception as error:  # noqa: BLE001 (logged, and answered as our fault)
            line["error"] = cause(error)
            response = _encoded(unexpected_problem(error, request_id))
        line["status"] = response.status_code
    response.headers = {**_HEADERS, "X-Request-Id": request_id, **response.headers}
    return response


def _encoded(answer: Any, content_type: str = "application/json") -> Response:
    """Return what a view answered as a response with a text or bytes for its body."""
    response = answer if isinstance(answer, Response) else Response(answer)
    if not isinstance(response.body, str | bytes):
        response.body = msgspec.json.encode(response.body).decode()
        response.headers["Content-Type"] = content_type
    return response
