"""The request and response of each route, declared once next to its view.

The same declaration checks requests, here, and describes the route in the API's document, in
`openapi`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from chalice import Chalice, Response
from chalice.app import Request

from chalicelib.api.error_table import (
    error_response,
    require_small_body,
    unexpected_error_response,
)
from chalicelib.api.parsing import json_body, query_values, string_values
from chalicelib.api.requests import UploadForm
from chalicelib.errors import AlbumError
from chalicelib.observability import describe_error, request_logged

View = Callable[..., Any]
Shape = type[msgspec.Struct]

# Browsers must not guess another type, and no cache may store personal data.
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Operation:
    """The shapes of one route. The view receives `body`, `query` and `headers` if declared."""

    response: Any  # the shape of a 200
    body: Shape | None = None
    query: Shape | None = None
    headers: Shape | None = None
    errors: Sequence[type[AlbumError]] = ()  # besides those that any route can return
    other_responses: Mapping[int, Any] | None = None  # other successes by status; None: no body
    content_types: Sequence[str] = ("application/json",)  # of a 200

    def read(self, request: Request) -> dict[str, Any]:
        """Return the arguments of the view. Raises InvalidInput."""
        arguments: dict[str, Any] = {}
        if self.headers:
            names = {name.lower(): name for name in self.headers.__struct_encode_fields__}
            given = {names[name]: request.headers[name] for name in names.keys() & request.headers}
            arguments["headers"] = string_values(given, self.headers)
        if self.query:
            arguments["query"] = query_values(dict(request.query_params or {}), self.query)
        if self.body is UploadForm:
            from chalicelib.api.multipart import image_upload

            arguments["body"] = image_upload(request.raw_body, request.headers["content-type"])
        elif self.body:
            arguments["body"] = json_body(request.raw_body, self.body)
        return arguments


def operations_of(app: Chalice) -> Callable[..., Callable[[View], View]]:
    """Return a decorator for the views of `app`; its arguments are those of Operation.

    The decorated view reads the request, encodes the response, and handles what the view raises.
    """

    def operation(response: Any, **shapes: Any) -> Callable[[View], View]:
        declared = Operation(response, **shapes)

        def decorate(view: View) -> View:
            @functools.wraps(view)
            def handle(**path: str) -> Response:
                return _handle(app, declared, view, path)

            handle.operation = declared  # type: ignore[attr-defined]
            return handle

        return decorate

    return operation


def _handle(app: Chalice, operation: Operation, view: View, path: dict[str, str]) -> Response:
    request = app.current_request
    request_id = request.lambda_context.aws_request_id
    route = f"{request.method} {request.context['resourcePath']}"
    with request_logged(route) as line:
        line["request_id"] = request_id
        line["sub"] = request.context.get("authorizer", {}).get("sub")
        try:
            require_small_body(request.raw_body)
            result = view(**path, **operation.read(request))
            response = _encoded(result, operation.content_types[0])
        except AlbumError as error:
            response = _encoded(error_response(error))
            line["refusal"] = type(error).__name__
        except Exception as error:  # noqa: BLE001 (logged, and returned as 500 or 503)
            line["error"] = describe_error(error)
            response = _encoded(unexpected_error_response(error, request_id))
        line["status"] = response.status_code
    response.headers = {**_HEADERS, "X-Request-Id": request_id, **response.headers}
    return response


def _encoded(result: Any, content_type: str = "application/json") -> Response:
    """Return a view's result as a response whose body is text or bytes."""
    response = result if isinstance(result, Response) else Response(result)
    if not isinstance(response.body, str | bytes):
        response.body = msgspec.json.encode(response.body).decode()
        response.headers["Content-Type"] = content_type
    return response
