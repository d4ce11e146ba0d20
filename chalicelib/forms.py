"""Requests' bodies, queries and headers: checked against their shapes, and read for what they mean.

Every function raises InvalidInput, naming the field and what was expected of it.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any, TypeVar

import msgspec

from chalicelib import dates, schemas
from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.text import folded

T = TypeVar("T", bound=msgspec.Struct)

_MOST_PARTS = 64
_DATA_URL = re.compile(r"data:image/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)
_FIELD = re.compile(r"\$\.(\w+(?:-\w+)*)|field `(.*)`", re.DOTALL)
# As people write a number, also with a plus or without a digit before the point.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_FARTHEST = {"geotag_lat": 90, "geotag_lng": 180}  # degrees
_METADATA = set(schemas.Metadata.__struct_fields__)


@dataclass(frozen=True)
class PhotoForm:
    """One upload: the picture's bytes, and what the client says about it."""

    data: bytes
    metadata: "PhotoMetadata"


@dataclass(frozen=True)
class PhotoMetadata:
    """What a client may say about a picture; None where it says nothing."""

    filename_orig: str | None = None
    tags: str | None = None  # comma separated
    desc: str | None = None
    make: str | None = None
    model: str | None = None
    city: str | None = None
    nation: str | None = None
    address: str | None = None
    geotag_lat: float | None = None  # degrees; set together with geotag_lng
    geotag_lng: float | None = None
    taken_date: datetime | None = None  # local time, aware only if the offset is known


@dataclass(frozen=True)
class UploadRequest:
    """A picture that is to be sent straight to S3, and what the client says about it."""

    filesize: int  # bytes
    metadata: PhotoMetadata


@dataclass(frozen=True)
class PhotoQuery:
    """Which photos a list shall have, and in which order."""

    limit: int = 1000
    cursor: str | None = None
    sort: str = "taken"  # or "uploaded"
    order: str = "desc"  # or "asc"
    words: tuple[str, ...] = ()  # folded; all must be found
    tag: str | None = None  # folded
    first: str | None = None  # keys between which a photo was taken, by `dates`
    last: str | None = None
    bbox: tuple[float, float, float, float] | None = None  # west, south, east, north in degrees
    only_places: bool = False  # only photos that have a position


def json_body(body: bytes, shape: type[T]) -> T:
    """Read a body that must be a JSON object of the given shape."""
    try:
        value = json.loads(body, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise InvalidInput("body", "expected a JSON object") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "expected a JSON object")
    for name, field in value.items():
        _require_unicode(name, field)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        name, expected = _refused(shape, error)
        or_null = ", or null" if _takes_null(shape, name) else ""
        raise InvalidInput(name, f"{expected}{or_null}") from None


def texts(given: Mapping[str, str], shape: type[T]) -> T:
    """Read a query, headers or the texts of a form; what is not of the shape is ignored."""
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(*_refused(shape, error)) from None


def _not_a_number(constant: str) -> float | None:
    """Return what Python's and JavaScript's own constants stand for; JSON has none of them."""
    return None if constant == "NaN" else float(constant)


def _refused(shape: type[msgspec.Struct], error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the name of a field, and what was expected of it in the words of the schema."""
    found = _FIELD.search(str(error))
    if found is None:
        raise error
    name = found[1] or found[2]
    fields = _fields(shape)
    if name not in fields:
        return name, f"expected one of {', '.join(sorted(fields))}"
    choices = [fields[name], *fields[name].get("anyOf", [])]
    return name, f"expected {next(one['description'] for one in choices if 'description' in one)}"


def _takes_null(shape: type[msgspec.Struct], name: str) -> bool:
    return {"type": "null"} in _fields(shape).get(name, {}).get("anyOf", [])


def _fields(shape: type[msgspec.Struct]) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.schema(shape)["$defs"][shape.__name__]["properties"]
    return fields


def _require_unicode(name: str, value: Any) -> None:
    try:
        name.encode()
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair
        raise InvalidInput(name, "expected valid Unicode") from None


def photo_query(asked: schemas.PhotoQuery) -> PhotoQuery:
    """Return which photos a query asks for."""
    first, last = _taken_key(asked.first, "from"), _taken_key(asked.last, "to")
    if first and last and first > last:
        raise InvalidInput("to", "expected a date that is not before `from`")
    return PhotoQuery(
        limit=asked.limit,
        cursor=asked.cursor or None,
        sort=asked.sort,
        order=asked.order,
        words=tuple(dict.fromkeys(folded(_present(asked.q)).split())),
        tag=folded(_present(asked.tag)) or None,
        first=first,
        last=last,
        bbox=_bbox(asked.bbox),
    )


def _present(text: str) -> str:
    return "" if text in schemas.ABSENT else text


def _taken_key(text: str, name: str) -> str | None:
    text = _present(text.strip())
    if not text:
        return None
    # A plus that was not encoded has become a space.
    text = re.sub(r"(T[\d:.]+) (?=\d)", r"\1+", text)
    try:
        return dates.first_key_of(text) if name == "from" else dates.last_key_of(text)
    except ValueError:
        raise InvalidInput(name, "expected a date such as 2012-07-15, or a date-time") from None


def _bbox(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    expected = "expected west,south,east,north in degrees"
    try:
        west, south, east, north = (_degrees(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput("bbox", expected) from None
    if not (max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90):
        raise InvalidInput("bbox", f"{expected}, at most 180 east or west, 90 north or south")
    if south > north:
        raise InvalidInput("bbox", "expected a south that is not north of north")
    return west, south, east, north


def _degrees(text: str) -> float:
    """Read a number as people write it. Raises ValueError."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("not a number")
    return float(text)


def photo_form(body: bytes, content_type: str) -> PhotoForm:
    """Read a multipart form with a picture: part `file`, or base64 in field `base64_image`."""
    fields: dict[str, bytes] = {}
    filename: str | None = None
    for name, part_filename, content in _multipart(body, content_type):
        if name in fields:
            raise InvalidInput(name, "expected once, one picture a request")
        fields[name] = content
        if name == "file":
            filename = part_filename
    data = fields.pop("file", b"") or _base64_image(fields.pop("base64_image", b""))
    if not data:
        raise InvalidInput(
            "file", "expected a picture as the form's part `file` or in its field `base64_image`"
        )
    said = {name: _form_text(name, raw) for name, raw in fields.items() if name in _METADATA}
    said = {name: text for name, text in said.items() if text not in schemas.ABSENT}
    said.setdefault("filename_orig", filename or "")
    return PhotoForm(data, _metadata(texts(said, schemas.Metadata)))


def upload_request(asked: schemas.UploadRequest) -> UploadRequest:
    """Return what a client asks for before it sends a picture straight to S3. Raises TooLarge."""
    if asked.filesize > schemas.LARGEST_UPLOAD:
        raise TooLarge(
            f"A photo may have {schemas.LARGEST_UPLOAD:,} bytes, this one has "
            f"{asked.filesize:,}. Please send a smaller picture."
        )
    return UploadRequest(asked.filesize, _metadata(asked))


def photo_changes(asked: schemas.Metadata) -> dict[str, Any]:
    """Return what to change of a photo; None clears a field.

    Whether the position is whole can only be told together with what is there already.
    """
    given = {name: getattr(asked, name) for name in _METADATA}
    return {
        name: _meaning(name, value) for name, value in given.items() if value is not msgspec.UNSET
    }


def require_whole_position(latitude: float | None, longitude: float | None) -> None:
    """Raise InvalidInput when one half of a position is there without the other."""
    if (latitude is None) != (longitude is None):
        missing = "geotag_lat" if latitude is None else "geotag_lng"
        raise InvalidInput(missing, "expected, because the other half of the position is given")


def _metadata(asked: schemas.Metadata) -> PhotoMetadata:
    metadata = PhotoMetadata(**photo_changes(asked))
    require_whole_position(metadata.geotag_lat, metadata.geotag_lng)
    return metadata


def _meaning(name: str, value: Any) -> Any:
    """Return a valid metadata field as the album keeps it; None where it says nothing."""
    text = value.strip() if isinstance(value, str) else value
    if text is None or text in schemas.ABSENT:
        return None
    if name in _FARTHEST:
        degrees = float(text)
        if abs(degrees) > _FARTHEST[name]:
            raise InvalidInput(
                name, f"expected a number from -{_FARTHEST[name]} to {_FARTHEST[name]}"
            )
        return round(degrees, 7)  # a centimetre
    if name != "taken_date":
        _require_foldable(name, text)
        return text
    try:
        return dates.parse_date(text)
    except ValueError:  # the 30th of February
        raise InvalidInput(name, "expected a date that there is") from None


def _require_foldable(name: str, text: str) -> None:
    """Raise InvalidInput for a text too long to be searched: a character may become eighteen."""
    longest = schemas.LONGEST_DESCRIPTION if name == "desc" else schemas.LONGEST_TEXT
    if len(folded(text).encode()) > 4 * longest:
        expected = f"expected at most {longest:,} characters, and some of these count as more"
        raise InvalidInput(name, expected)


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str | None, bytes]]:
    """Return (field name, file name, content) of each part of the form (RFC 7578)."""
    from requests_toolbelt.multipart import decoder

    try:
        boundary = _boundary(content_type)
        # The library splits the whole body at once: count before it does.
        if body.count(b"--" + boundary.encode()) > _MOST_PARTS + 1:
            raise InvalidInput("body", f"expected at most {_MOST_PARTS} parts")
        plain_type = f'multipart/form-data; boundary="{boundary}"'
        parts = decoder.MultipartDecoder(body, plain_type).parts
        return [(*_disposition(part.headers), part.content) for part in parts]
    except (decoder.ImproperBodyPartContentException, ValueError, LookupError):
        expected = "expected multipart/form-data, each part with a name"
        raise InvalidInput("body", expected) from None


def _boundary(content_type: str) -> str:
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise ValueError("not a form")
    return boundary


def _disposition(headers: Mapping[bytes, bytes]) -> tuple[str, str | None]:
    header = Message()
    header["content-disposition"] = headers[b"content-disposition"].decode()
    name = header.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise LookupError("a part without a name")
    filename = header.get_filename()
    # RFC 2231 lets a client name any codec, and some of them spell half a surrogate pair.
    f"{name}{filename}".encode()
    return name, filename


def _form_text(name: str, raw: bytes) -> str:
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise InvalidInput(name, "expected UTF-8") from None


def _base64_image(field: bytes) -> bytes:
    text = _form_text("base64_image", field)
    prefix = _DATA_URL.match(text)
    encoded = text[prefix.end() :] if prefix else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        expected = "expected base64, bare or as a data: URL of an image"
        raise InvalidInput("base64_image", expected) from None
