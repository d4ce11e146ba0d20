"""The API as OpenAPI 3.1, made of the app's own routes and the shapes beside them."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from chalice import Chalice

from chalicelib import __version__
from chalicelib.api import responses
from chalicelib.api.error_table import BODY_LIMIT, STATUS_AND_CODE
from chalicelib.errors import AlbumError, InvalidInput, Throttled, TooLarge, Unavailable

if TYPE_CHECKING:
    from chalice.app import RouteEntry

    from chalicelib.api.operations import Operation

_REFERENCE = "#/components/schemas/{name}"
_TAGS = ("users", "photos")
_PATH_PARAMETERS = {
    "photo_id": {"type": "string", "format": "uuid"},
    "asset": {"type": "string", "examples": ["swagger-ui.css"]},
}
_DESCRIPTION = f"""A private photo album.

Make an account with `POST /users/signup`, exchange the password for tokens with
`POST /users/signin`, and send `Authorization: Bearer ACCESS_TOKEN` with every other request. A
request may have {BODY_LIMIT:,} bytes; larger pictures go straight to S3 by `POST /photos/uploads`.

Every error carries `Code` and `Message`, a sentence to show."""
# What a status means, whatever the route.
_MEANINGS = {
    400: "A field is missing, malformed or out of range; `Message` begins with its name.",
    401: "The credentials do not prove who is asking.",
    403: "The token does not verify: it is forged, expired or signed out.",
    404: "There is no such thing, or it is somebody else's.",
    409: "What the request wants is taken.",
    413: "Too large; `Message` names the limit and the way around it.",
    415: "Not a picture of a known format, or not the content type of this route.",
    422: "The picture is broken, or too big to be decoded.",
    429: "Too many requests; send it again after `Retry-After` seconds.",
    500: "A fault of the album's. `Message` has an id to quote.",
    503: "AWS is slow or down; send it again after `Retry-After` seconds.",
}


@functools.cache
def document(app: Chalice) -> dict[str, Any]:
    """Return the OpenAPI document of the routes of `app`, made once."""
    routes = [route for methods in app.routes.values() for route in methods.values()]
    shapes = _Shapes(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = paths.setdefault(route.uri_pattern, {})
        path[route.method.lower()] = _operation(route, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CloudAlbum", "version": __version__, "description": _DESCRIPTION},
        # Relative to the document, so that it holds behind every stage and domain.
        "servers": [{"url": "."}],
        "tags": [{"name": name} for name in (*_TAGS, "service")],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The accessToken of POST /users/signin.",
                }
            },
        },
    }


class _Shapes:
    """The schemas of all operations, which refer to each other by name."""

    def __init__(self, routes: list[RouteEntry]) -> None:
        self._types = [responses.Error, responses.GatewayError]
        for route in routes:
            self._types += _types_of(operation_of(route))
        references, self.components = msgspec.json.schema_components(
            self._types, ref_template=_REFERENCE
        )
        self._references = list(references)

    def reference(self, shape: Any) -> dict[str, Any]:
        """Return what refers to the schema of a type."""
        return self._references[self._types.index(shape)]

    def fields(self, shape: type[msgspec.Struct]) -> dict[str, Any]:
        """Return the fields of a schema by name."""
        fields: dict[str, Any] = self.components[shape.__name__]["properties"]
        return fields


def operation_of(route: RouteEntry) -> Operation:
    """Return the shapes that stand beside the view of a route."""
    operation: Operation = route.view_function.operation
    return operation


def _types_of(operation: Operation) -> list[Any]:
    shapes = (operation.response, operation.body, operation.query, operation.headers)
    others = (operation.other_responses or {}).values()
    return [shape for shape in (*shapes, *others) if shape is not None]


def _operation(route: RouteEntry, shapes: _Shapes) -> dict[str, Any]:
    operation = operation_of(route)
    summary = inspect.getdoc(route.view_function) or ""
    described: dict[str, Any] = {
        "operationId": re.sub(r"_(\w)", lambda match: match[1].upper(), route.view_name),
        "summary": summary.splitlines()[0].rstrip("."),
        "tags": [_tag(route.uri_pattern)],
        "responses": _responses(route, operation, shapes),
    }
    parameters = list(_parameters(route, operation, shapes))
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = _request_body(route, operation.body, shapes)
    if route.authorizer:
        described["security"] = [{"accessToken": []}]
    return described


def _tag(path: str) -> str:
    room = path.split("/")[1]
    return room if room in _TAGS else "service"


def _parameters(
    route: RouteEntry, operation: Operation, shapes: _Shapes
) -> Iterator[dict[str, Any]]:
    for name in route.view_args:
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]}
    for place, shape in (("query", operation.query), ("header", operation.headers)):
        for name, field in shapes.fields(shape).items() if shape else ():
            # Absence is what null would say, and a query has no null.
            described = next(iter(field.get("anyOf", [field])))
            schema = {key: value for key, value in described.items() if key != "description"}
            yield {
                "name": name,
                "in": place,
                "required": False,
                "description": described.get("description", ""),
                "schema": schema,
            }


def _request_body(
    route: RouteEntry, shape: type[msgspec.Struct], shapes: _Shapes
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": shapes.reference(shape)}
    example = example_of(shapes.fields(shape))
    if example:
        content["example"] = example
    return {"required": True, "content": dict.fromkeys(route.content_types, content)}


def example_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the example of a body, made of those of its fields."""
    choices = {name: [field, *field.get("anyOf", [])] for name, field in fields.items()}
    return {
        name: next(one["examples"][0] for one in choice if "examples" in one)
        for name, choice in choices.items()
        if any("examples" in one for one in choice)
    }


def _responses(route: RouteEntry, operation: Operation, shapes: _Shapes) -> dict[str, Any]:
    successes = {200: operation.response, **(operation.other_responses or {})}
    described = {
        str(status): _success(shape, operation, shapes) for status, shape in successes.items()
    }
    codes = dict(_problems(route, operation))
    for status in sorted(codes):
        described[str(status)] = _problem(status, codes[status], shapes)
    return described


def _success(shape: Any, operation: Operation, shapes: _Shapes) -> dict[str, Any]:
    if shape is None:
        location = {"description": "a presigned URL", "schema": {"type": "string"}}
        return {"description": "See there.", "headers": {"Location": location}}
    is_described = issubclass(shape, msgspec.Struct)
    description = (inspect.getdoc(shape) or "").splitlines()[0] if is_described else "It is here."
    content = {key: {"schema": shapes.reference(shape)} for key in operation.content_types}
    return {"description": description, "content": content}


def _problems(route: RouteEntry, operation: Operation) -> Iterator[tuple[int, set[str]]]:
    """Yield the statuses that a route may answer, with the shapes of their bodies."""
    refusals: list[type[AlbumError]] = [*operation.errors, Throttled, Unavailable]
    if operation.body or operation.query or operation.headers:
        refusals.append(InvalidInput)
    if operation.body or "*/*" in route.content_types:
        refusals.append(TooLarge)
    shapes = {500: {"Error"}}
    for refusal in refusals:
        shapes.setdefault(STATUS_AND_CODE[refusal][0], set()).add("Error")
    if operation.body:
        shapes.setdefault(415, set()).add("Error")
    if route.authorizer:
        shapes.setdefault(401, set()).add("GatewayError")
        shapes.setdefault(403, set()).add("GatewayError")
    yield from shapes.items()


def _problem(status: int, names: set[str], shapes: _Shapes) -> dict[str, Any]:
    kinds = {"Error": responses.Error, "GatewayError": responses.GatewayError}
    references = [shapes.reference(kinds[name]) for name in sorted(names)]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    problem: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {"application/json": {"schema": schema}},
    }
    if status in (429, 503):
        seconds = {"description": "seconds to wait", "schema": {"type": "integer"}}
        problem["headers"] = {"Retry-After": seconds}
    return problem
