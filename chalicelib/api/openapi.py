"""The API as an OpenAPI 3.1 document, derived from the app's routes and their shapes."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from chalice import Chalice

from chalicelib import __version__
from chalicelib.api import requests, responses
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

1. Create an account with `POST /users/signup`.
2. Exchange your password for tokens with `POST /users/signin`.
3. Send `Authorization: Bearer ACCESS_TOKEN` with every other request. On the page `/docs`, signing
   in does this for you: it also authorizes the requests that you try next.

A request may be up to {BODY_LIMIT / 1e6} MB. Send larger photos directly to S3 with
`POST /photos/uploads`.

Every error has a `Code` for programs and a `Message` for people."""
# What the summary of a view leaves open.
_DETAILS = {
    "sign_in": "On the page `/docs`, this also authorizes the requests that you try next.",
    "upload_photo": (
        "Only the image is required. The date, position and camera are read from its EXIF; a field "
        "that you fill in takes precedence. With `on_duplicate=skip`, an image that the album "
        "already has is not stored again: the response has `duplicate` and the photo."
    ),
    "begin_upload": (
        "Send the image as a form to the URL in the response, then call "
        "`POST /photos/uploads/{photo_id}/complete`. A field that you add takes precedence over "
        "the image's EXIF. With `on_duplicate` set to skip, an image that the album already has is "
        "not stored again. Its `sha256` reports that before the image is sent: `upload` is null."
    ),
    "edit_photo": "Fields that are absent keep their value; null clears them.",
}
# Sending the example of a body unchanged must not overwrite what EXIF says.
_EXAMPLES: dict[Any, dict[str, Any]] = {
    requests.UploadRequest: {"filesize": 12_345_678, "filename_orig": "IMG_1.jpg"},
    requests.PhotoEdit: {"desc": "At the sea"},
    requests.BatchRequest: {
        "ids": ["01890a5d-ac96-774b-bcce-b302099a8057"],
        "action": "tag",
        "tags": "sea, sun",
    },
    requests.UploadForm: {},
}
# What a status means, whatever the route.
_MEANINGS = {
    400: "A field is missing, malformed or out of range. `Message` names it.",
    401: "The token is missing, or the credentials are wrong.",
    403: "The token is invalid or has expired, or its session has been signed out.",
    404: "Not found.",
    409: "The request conflicts with what already exists.",
    413: "Too large. `Message` states the limit and what to do.",
    415: "Unsupported image format or content type.",
    422: (
        "The image is corrupt or too complex to process, or the Idempotency-Key was used for "
        "another upload."
    ),
    429: "Too many requests. Try again after `Retry-After` seconds.",
    500: "Something went wrong. `Message` has a request ID to report.",
    503: "The service is temporarily unavailable. Try again after `Retry-After` seconds.",
}
_PHOTO_NOT_FOUND = "This photo does not exist, or belongs to another user."


@functools.cache
def document(app: Chalice) -> dict[str, Any]:
    """Return the OpenAPI document of the routes of `app`, generated once."""
    routes = [route for methods in app.routes.values() for route in methods.values()]
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = paths.setdefault(route.uri_pattern, {})
        path[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CloudAlbum", "version": __version__, "description": _DESCRIPTION},
        # Relative to the document, so that it holds behind every stage and domain.
        "servers": [{"url": ".", "description": "this album"}],
        "tags": [{"name": name} for name in (*_TAGS, "service")],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `accessToken` from `POST /users/signin`.",
                }
            },
        },
    }


class _Schemas:
    """The schemas of all operations, which refer to each other by name."""

    def __init__(self, routes: list[RouteEntry]) -> None:
        self._types = [responses.Error, responses.GatewayError]
        for route in routes:
            self._types += _types_of(_operation_of(route))
        references, components = msgspec.json.schema_components(
            self._types, ref_template=_REFERENCE
        )
        self._references = list(references)
        self.components: dict[str, Any] = _with_enum_types(components)
        form = self.components[requests.UploadForm.__name__]
        fields = _form_fields(form["properties"])
        form["properties"] = dict(sorted(fields, key=lambda field: field[0] != "file"))

    def reference(self, shape: Any) -> dict[str, Any]:
        """Return a reference to the schema of a type."""
        return self._references[self._types.index(shape)]

    def fields(self, shape: type[msgspec.Struct]) -> dict[str, Any]:
        """Return the fields of a schema by name."""
        fields: dict[str, Any] = self.components[shape.__name__]["properties"]
        return fields


def _types_of(operation: Operation) -> list[Any]:
    shapes = (operation.response, operation.body, operation.query, operation.headers)
    others = (operation.other_responses or {}).values()
    return [shape for shape in (*shapes, *others) if shape is not None]


def _operation_of(route: RouteEntry) -> Operation:
    operation: Operation = route.view_function.operation
    return operation


def _with_enum_types(schema: Any) -> Any:
    """Return a schema whose enums have a type, which msgspec leaves out; all are of strings."""
    if isinstance(schema, list):
        return [_with_enum_types(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    typed = {name: _with_enum_types(value) for name, value in schema.items()}
    return {"type": "string", **typed} if isinstance(typed.get("enum"), list) else typed


def _form_fields(fields: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of a multipart form, whose values are texts and files."""
    for name, field in fields.items():
        choices = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
        if not any("type" in one for one in choices):
            continue  # accepted from old clients and ignored
        for choice in choices:
            if "pattern" in choice:
                choice.pop(
                    "maxLength", None
                )  # Texts of a form are trimmed before they are checked.
        if len(choices) == 1:
            yield name, choices[0]
        else:
            yield name, {"description": choices[0]["description"], **field}


def _operation(route: RouteEntry, schemas: _Schemas) -> dict[str, Any]:
    operation = _operation_of(route)
    summary = inspect.getdoc(route.view_function) or ""
    described: dict[str, Any] = {
        "operationId": re.sub(r"_(\w)", lambda match: match[1].upper(), route.view_name),
        "summary": summary.splitlines()[0].rstrip("."),
        "tags": [_tag(route.uri_pattern)],
        "responses": _responses(route, operation, schemas),
    }
    if route.view_name in _DETAILS:
        described["description"] = _DETAILS[route.view_name]
    parameters = list(_parameters(route, operation, schemas))
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = _request_body(route, operation.body, schemas)
    if route.authorizer:
        described["security"] = [{"accessToken": []}]
    return described


def _tag(path: str) -> str:
    first = path.split("/")[1]
    return first if first in _TAGS else "service"


def _parameters(
    route: RouteEntry, operation: Operation, schemas: _Schemas
) -> Iterator[dict[str, Any]]:
    for name in route.view_args:
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]}
    for place, shape in (("query", operation.query), ("header", operation.headers)):
        for name, field in schemas.fields(shape).items() if shape else ():
            yield {
                "name": name,
                "in": place,
                "required": False,
                "description": field.get("description", ""),
                "schema": {key: value for key, value in field.items() if key != "description"},
            }


def _request_body(
    route: RouteEntry, shape: type[msgspec.Struct], schemas: _Schemas
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schemas.reference(shape)}
    example = _EXAMPLES.get(shape, _example(schemas.fields(shape)))
    if example:
        content["example"] = example
    return {"required": True, "content": dict.fromkeys(route.content_types, content)}


def _example(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the example of a body, composed of its fields' examples."""
    return {name: field["examples"][0] for name, field in fields.items() if "examples" in field}


def _responses(route: RouteEntry, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    successes = {200: operation.response, **(operation.other_responses or {})}
    described = {
        str(status): _success(shape, operation, schemas) for status, shape in successes.items()
    }
    for status, shapes in sorted(_errors(route, operation).items()):
        described[str(status)] = _error(status, route, [schemas.reference(one) for one in shapes])
    return described


def _success(shape: Any, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    if shape is None:
        location = {"description": "A signed URL, which expires.", "schema": {"type": "string"}}
        return {"description": "A redirect to the file.", "headers": {"Location": location}}
    description = "The requested document."
    if issubclass(shape, msgspec.Struct):
        description = (inspect.getdoc(shape) or "").splitlines()[0]
    content = {key: {"schema": schemas.reference(shape)} for key in operation.content_types}
    return {"description": description, "content": content}


def _errors(route: RouteEntry, operation: Operation) -> dict[int, list[type[msgspec.Struct]]]:
    """Return the error statuses of a route, with the shapes that their bodies may have."""
    raised: list[type[AlbumError]] = [*operation.errors, Throttled, Unavailable]
    if operation.body or operation.query or operation.headers:
        raised.append(InvalidInput)
    if operation.body or "*/*" in route.content_types:
        raised.append(TooLarge)
    statuses = {500, *(STATUS_AND_CODE[error][0] for error in raised)}
    if operation.body:
        statuses.add(415)
    shapes: dict[int, list[type[msgspec.Struct]]]
    shapes = {status: [responses.Error] for status in statuses}
    if route.authorizer:
        for status in (401, 403):
            shapes.setdefault(status, []).append(responses.GatewayError)
    return shapes


def _error(status: int, route: RouteEntry, references: list[dict[str, Any]]) -> dict[str, Any]:
    is_photo = status == 404 and "photo_id" in route.view_args
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    error: dict[str, Any] = {
        "description": _PHOTO_NOT_FOUND if is_photo else _MEANINGS[status],
        "content": {"application/json": {"schema": schema}},
    }
    if status in (429, 503):
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        error["headers"] = {"Retry-After": seconds}
    return error
