"""Request bodies, queries and headers: checked against their shapes, and read as domain values.

Every function raises InvalidInput with the field's name and what is wrong with it.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import fields

from chalicelib import dates
from chalicelib.api.requests import (
    ABSENT,
    BBOX,
    DATE_BOUND,
    DEGREES,
    BatchRequest,
    ListParameters,
    PhotoChanges,
    PhotoEdit,
)
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import (
    FLAGS,
    LIMITS,
    METADATA,
    URLS,
    PhotoMetadata,
    PhotoQuery,
    first_sort_key,
    folded,
    last_sort_key,
    require_searchable,
    require_tags,
    require_whole_position,
    rounded,
    split_tags,
)

T = TypeVar("T", bound=Struct)

_DEGREES = re.compile(DEGREES, re.ASCII)
_MAX_SHOWN_NAME = 60
_MAX_JSON = 500_000  # bytes; all texts of a photo at their limits, fully escaped, have 320,000


def json_body(body: bytes, shape: type[T]) -> T:
    """Read a body that must be a JSON object of the given shape."""
    if len(body) > _MAX_JSON:  # A million empty lists would take seconds.
        raise InvalidInput(f"A JSON body must have at most {_MAX_JSON:,} bytes.")
    try:
        value = json.loads(body, parse_constant=_javascript_number)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("The request body must be a JSON object.")
    for name, field in value.items():
        _require_unicode(name, field)
    return _convert(value, shape, strict=True)


def string_values(given: Mapping[str, str], shape: type[T]) -> T:
    """Read headers or form fields; unknown ones are ignored."""
    return _convert(given, shape, strict=False)


def query_values(given: Mapping[str, str], shape: type[T]) -> T:
    """Read query parameters; unknown ones are ignored, and so is what stands for no value."""
    present = {name: value for name, value in given.items() if value.strip() not in ABSENT}
    return string_values(present, shape)


def _javascript_number(constant: str) -> float | None:
    """Return the value of NaN or Infinity, which Python and JavaScript write but JSON lacks."""
    return None if constant == "NaN" else float(constant)


def _require_unicode(name: str, value: Any) -> None:
    try:
        name.encode()
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair.
        raise InvalidInput(f"{printable_name(name)} must be valid Unicode.") from None


def printable_name(name: str) -> str:
    """Return a field name that a client chose, of any length and bytes, fit for a message."""
    text = name.encode("utf-8", "replace").decode()
    return text if len(text) <= _MAX_SHOWN_NAME else text[:_MAX_SHOWN_NAME] + "..."


def _convert(given: Mapping[str, Any], shape: type[T], strict: bool) -> T:
    try:
        return msgspec.convert(given, shape, strict=strict)
    except msgspec.ValidationError:
        raise _rejection(given, shape, strict) from None


@dataclass(frozen=True)
class _Field:
    """What a rejection needs to know about one field of a shape."""

    type: Any
    required: bool
    expected: str  # continues "must be"


def _rejection(given: Mapping[str, Any], shape: type[Struct], strict: bool) -> InvalidInput:
    """Return the error of the first field that is missing or malformed, else unknown."""
    known = _described_fields(shape)
    for name, field in known.items():
        if name not in given:
            if field.required:
                return InvalidInput(f"{name} is required.")
            continue
        try:
            msgspec.convert(given[name], field.type, strict=strict)
        except msgspec.ValidationError:
            return InvalidInput(f"{name} must be {field.expected}.")
    unknown = next(name for name in given if name not in known)
    return InvalidInput(
        f"{printable_name(unknown)} is not a known field. Use {', '.join(sorted(known))}."
    )


@functools.cache
def _described_fields(shape: type[Struct]) -> dict[str, _Field]:
    """Return the fields of a shape by the name that clients use."""
    schema = msgspec.json.schema(shape)["$defs"][shape.__name__]["properties"]
    described = {}
    for field in fields(shape):
        name = field.encode_name
        choices = [schema[name], *schema[name].get("anyOf", [])]
        expected = next((one["description"] for one in choices if "description" in one), "valid")
        or_null = ", or null" if {"type": "null"} in choices else ""
        described[name] = _Field(field.type, field.required, expected + or_null)
    return described


def photo_query(parameters: ListParameters) -> PhotoQuery:
    """Return which photos the query parameters of a list ask for."""
    first, last = _sort_key("from", parameters.first), _sort_key("to", parameters.last)
    if first and last and first > last:
        raise InvalidInput("to must not be before from.")
    return PhotoQuery(
        limit=parameters.limit,
        cursor=parameters.cursor or None,
        sort=parameters.sort,
        order=parameters.order,
        words=tuple(dict.fromkeys(folded(parameters.q).split())),
        tag=folded(parameters.tag) or None,
        first=first,
        last=last,
        bbox=_bbox(parameters.bbox),
        favorite=parameters.favorite == "true",
        trashed=parameters.trashed == "true",
        urls=_urls(parameters.urls),
    )


def _urls(text: str) -> tuple[str, ...]:
    """Return the names of the URLs to sign, in the order of the photo object."""
    named = {name.strip() for name in text.split(",")}
    return tuple(name for name in URLS if name in named)


def _sort_key(name: str, text: str) -> str | None:
    if not text:
        return None
    # A plus that was not percent-encoded arrives as a space.
    text = re.sub(r"(T[\d:.]+) (?=\d)", r"\1+", text.strip())
    bound = first_sort_key if name == "from" else last_sort_key
    try:
        return bound(text)
    except ValueError:
        raise InvalidInput(f"{name} must be {DATE_BOUND}.") from None


def _bbox(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = (_degrees(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(f"bbox must be {BBOX}.") from None
    for name, pair in (("geotag_lat", (south, north)), ("geotag_lng", (west, east))):
        if max(map(abs, pair)) > LIMITS[name]:
            kind = "latitudes" if name == "geotag_lat" else "longitudes"
            raise InvalidInput(f"bbox: {kind} must be {_between(LIMITS[name])}.")
    west, south, east, north = map(rounded, (west, south, east, north))
    if south > north:
        raise InvalidInput("bbox: south must not be greater than north.")
    return west, south, east, north


def _degrees(text: str) -> float:
    """Read a number as people write it. Raises ValueError."""
    if not _DEGREES.fullmatch(text.strip()):
        raise ValueError("not a number")
    return float(text)


def _between(limit: int) -> str:
    return f"between -{limit} and {limit}"


def photo_changes(body: PhotoChanges) -> dict[str, Any]:
    """Return the metadata to change; None clears a field.

    The service checks the position, which may be completed by what is already stored.
    """
    given = {name: getattr(body, name) for name in METADATA}
    return {name: _meaning(name, value) for name, value in given.items() if value is not UNSET}


def photo_edit(body: PhotoEdit) -> dict[str, Any]:
    """Return what to change of a photo; None clears a field."""
    flags = {name: getattr(body, name) for name in FLAGS}
    return photo_changes(body) | {
        name: value for name, value in flags.items() if value is not UNSET
    }


def batch_tags(body: BatchRequest) -> str:
    """Return the tags to add or remove; no other action has any."""
    if body.action not in ("tag", "untag"):
        return ""
    tags = _meaning("tags", body.tags)
    if not tags or not split_tags(tags):
        raise InvalidInput(f"tags is required for the action {body.action}.")
    return str(tags)


def photo_metadata(body: PhotoChanges) -> PhotoMetadata:
    """Return the metadata of an upload; what is absent keeps its default."""
    given = {name: value for name, value in photo_changes(body).items() if value is not None}
    metadata = PhotoMetadata(**given)
    require_whole_position(metadata.geotag_lat, metadata.geotag_lng)
    return metadata


def _meaning(name: str, value: Any) -> Any:
    """Return a valid metadata field in its stored form; None if it is absent."""
    text = value.strip() if isinstance(value, str) else value
    if text is None or text in ABSENT:
        return None
    if name in LIMITS:
        degrees = float(text)
        if abs(degrees) > LIMITS[name]:
            raise InvalidInput(f"{name} must be a number {_between(LIMITS[name])}.")
        return rounded(degrees)
    if name == "taken_date":
        try:
            return dates.parse_date(text).isoformat()
        except ValueError:  # the 30th of February
            raise InvalidInput("taken_date must be a real calendar date.") from None
    if name == "tags":
        require_tags(text)
    require_searchable(name, text)
    return text
