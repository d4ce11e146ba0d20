"""Requests' bodies: JSON objects and multipart forms, checked field by field.

Every function raises InvalidInput, naming the field and what was expected of it.
"""

import base64
import binascii
import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any

from chalicelib import dates
from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.text import folded

_LONGEST_EMAIL = 128  # Cognito's limit of a user name
_LONGEST_PASSWORD = 256  # Cognito's limit
_LONGEST_USERNAME = 200
_LONGEST_CODE = 64
_LONGEST_TOKEN = 8_192
_LONGEST_FIELD = 2_000
_LONGEST_DESCRIPTION = 10_000
_LONGEST_SEARCH = 200
_MOST_PARTS = 64
_LARGEST_UPLOAD = 100_000_000  # bytes; what the functions can fetch and decode in their memory

# What `<input type=email>` takes (WHATWG HTML, 4.10.5.1.5), and a dot in the domain.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_KEY = re.compile(r"[!-~]{1,255}")
_DATA_URL = re.compile(r"data:image/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)

# What browsers send for a value that their script did not have.
_ABSENT = {"", "undefined", "null", "NaN"}


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


_METADATA = {field.name for field in dataclasses.fields(PhotoMetadata)}
_NUMBERS = {"geotag_lat", "geotag_lng"}


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


def photo_query(parameters: Mapping[str, str]) -> PhotoQuery:
    """Read the query of a list; parameters that are not of it are ignored."""
    first, last = _taken_key(parameters, "from"), _taken_key(parameters, "to")
    if first and last and first > last:
        raise InvalidInput("to", "expected a date that is not before `from`")
    tag = _optional_text(parameters, "tag")
    words = folded(_optional_text(parameters, "q", _LONGEST_SEARCH) or "").split()
    return PhotoQuery(
        limit=_limit(parameters.get("limit", "1000")),
        cursor=parameters.get("cursor") or None,
        sort=_one_of(parameters, "sort", ("taken", "uploaded")),
        order=_one_of(parameters, "order", ("desc", "asc")),
        words=tuple(dict.fromkeys(words)),
        tag=folded(tag) if tag else None,
        first=first,
        last=last,
        bbox=_bbox(parameters.get("bbox", "")),
    )


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise InvalidInput("limit", "expected a whole number from 1 to 1000")
    return int(text)


def _one_of(parameters: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = parameters.get(name, choices[0])
    if value not in choices:
        raise InvalidInput(name, f"expected {' or '.join(choices)}")
    return value


def _taken_key(parameters: Mapping[str, str], name: str) -> str | None:
    text = (_optional_text(parameters, name) or "").strip()
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
    parts = text.split(",")
    names, limits = ("west", "south", "east", "north"), (180, 90, 180, 90)
    if len(parts) != 4 or not all(part.strip() for part in parts):
        raise InvalidInput("bbox", "expected west,south,east,north in degrees")
    fields = dict(zip(names, (part.strip() for part in parts), strict=True))
    try:
        west, south, east, north = (
            float(_number(fields, name, limit) or 0)
            for name, limit in zip(names, limits, strict=True)
        )
    except InvalidInput as error:
        raise InvalidInput("bbox", f"expected west,south,east,north in degrees; {error}") from None
    if south > north:
        raise InvalidInput("bbox", "expected a south that is not north of north")
    return west, south, east, north


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("body", "expected a JSON object") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "expected a JSON object")
    return value


def email(fields: Mapping[str, Any]) -> str:
    """Return the field `email` in lower case: Cognito must never tell two spellings apart."""
    address = _required_text(fields, "email", _LONGEST_EMAIL).strip().lower()
    if not _EMAIL.fullmatch(address):
        raise InvalidInput("email", "expected an e-mail address such as mario@example.com")
    return address


def password(fields: Mapping[str, Any], name: str = "password") -> str:
    """Return a password as it was typed."""
    return _required_text(fields, name, _LONGEST_PASSWORD)


def new_password(fields: Mapping[str, Any], name: str = "password") -> str:
    """Return a password that Cognito can take; the pool judges how strong it must be."""
    text = password(fields, name)
    if len(text) < 2 or text != text.strip():
        raise InvalidInput(name, "expected two characters or more, and no space at either end")
    return text


def username(fields: Mapping[str, Any]) -> str:
    """Return the name a person wants to be shown by."""
    name = _required_text(fields, "username", _LONGEST_USERNAME).strip()
    if not name or not name.isprintable():
        raise InvalidInput("username", "expected a name without control characters")
    return name


def code(fields: Mapping[str, Any]) -> str:
    """Return a code that was mailed."""
    text = _required_text(fields, "code", _LONGEST_CODE).strip()
    if not text.isascii() or not text.isalnum():
        raise InvalidInput("code", "expected the letters and digits of the mail")
    return text


def refresh_token(fields: Mapping[str, Any]) -> str:
    """Return a refresh token, which is opaque."""
    return _required_text(fields, "refreshToken", _LONGEST_TOKEN)


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
    texts = {name: _form_text(name, raw) for name, raw in fields.items()}
    metadata = {name: text for name, text in texts.items() if text not in _ABSENT}
    metadata.setdefault("filename_orig", filename or "")
    return PhotoForm(data, photo_metadata(metadata))


def upload_request(fields: Mapping[str, Any]) -> UploadRequest:
    """Read what a client asks for before it sends a picture straight to S3. Raises TooLarge, too.

    `width` and `height` are ignored, since they are measured.
    """
    given = dict(fields)
    size = given.pop("filesize", None)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InvalidInput("filesize", f"expected a whole number from 1 to {_LARGEST_UPLOAD}")
    if size > _LARGEST_UPLOAD:
        raise TooLarge(
            f"A photo may have {_LARGEST_UPLOAD:,} bytes, this one has {size:,}. "
            "Please send a smaller picture."
        )
    for name in ("width", "height"):
        given.pop(name, None)
    texts = {name: _json_text(name, value) for name, value in given.items()}
    return UploadRequest(size, photo_metadata(texts))


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Return the header Idempotency-Key, or None if it was not sent."""
    key = headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput("Idempotency-Key", "expected 1 to 255 visible ASCII characters")
    return key


def photo_metadata(fields: Mapping[str, str]) -> PhotoMetadata:
    """Read the metadata fields of a form; what is not one of them is ignored."""
    metadata = _metadata(fields)
    require_whole_position(metadata.geotag_lat, metadata.geotag_lng)
    return metadata


def photo_changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields of a JSON object that changes a photo; None clears one.

    Whether the position is whole can only be told together with what is there already.
    """
    metadata = _metadata({name: _json_text(name, value) for name, value in fields.items()})
    return {name: getattr(metadata, name) for name in fields}


def require_whole_position(latitude: float | None, longitude: float | None) -> None:
    """Raise InvalidInput when one half of a position is there without the other."""
    if (latitude is None) != (longitude is None):
        missing = "geotag_lat" if latitude is None else "geotag_lng"
        raise InvalidInput(missing, "expected, because the other half of the position is given")


def _json_text(name: str, value: Any) -> str:
    """Return a metadata field of a JSON body as a form would have it; "" where it is absent."""
    if name not in _METADATA:
        raise InvalidInput(name, f"expected one of {', '.join(sorted(_METADATA))}")
    if value is None or value != value:  # JavaScript's NaN
        return ""
    if name in _NUMBERS and type(value) in (int, float):
        return repr(value)
    if not isinstance(value, str):
        raise InvalidInput(name, f"expected a {'number' if name in _NUMBERS else 'text'}, or null")
    _require_unicode(name, value)
    return value.strip()


def _require_unicode(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair
        raise InvalidInput(name, "expected valid Unicode") from None


def _metadata(fields: Mapping[str, str]) -> PhotoMetadata:
    return PhotoMetadata(
        filename_orig=_optional_text(fields, "filename_orig"),
        tags=_optional_text(fields, "tags"),
        desc=_optional_text(fields, "desc", _LONGEST_DESCRIPTION),
        make=_optional_text(fields, "make"),
        model=_optional_text(fields, "model"),
        city=_optional_text(fields, "city"),
        nation=_optional_text(fields, "nation"),
        address=_optional_text(fields, "address"),
        geotag_lat=_number(fields, "geotag_lat", 90),
        geotag_lng=_number(fields, "geotag_lng", 180),
        taken_date=_date(fields, "taken_date"),
    )


def _required_text(fields: Mapping[str, Any], name: str, longest: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise InvalidInput(name, f"expected a text of 1 to {longest} characters")
    _require_unicode(name, value)
    return value


def _optional_text(
    fields: Mapping[str, str], name: str, longest: int = _LONGEST_FIELD
) -> str | None:
    value = fields.get(name, "")
    if value in _ABSENT:
        return None
    if len(value) > longest:
        raise InvalidInput(name, f"expected at most {longest:,} characters")
    return value


def _number(fields: Mapping[str, str], name: str, limit: int) -> float | None:
    value = _optional_text(fields, name)
    if value is None:
        return None
    number = float(value) if _NUMBER.fullmatch(value) else math.nan
    if not -limit <= number <= limit:
        raise InvalidInput(name, f"expected a number from -{limit} to {limit}")
    return round(number, 7)  # a centimetre


def _date(fields: Mapping[str, str], name: str) -> datetime | None:
    value = _optional_text(fields, name)
    if value is None:
        return None
    try:
        return dates.parse_date(value)
    except ValueError:
        raise InvalidInput(
            name, "expected a date such as 2012-07-15T09:46:46+09:00 or 2012:07:15 09:46:46"
        ) from None


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
