"""Multipart forms with an image (RFC 7578). Every function raises InvalidInput."""

import base64
import itertools
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from chalicelib.api.parsing import photo_metadata, printable_name, string_values
from chalicelib.api.requests import ABSENT, UploadForm
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import METADATA, OnDuplicate, PhotoMetadata

_MAX_PARTS = 64
_MAX_HEADERS = 2_000  # bytes of one part
_END_OF_HEADERS = b"\r\n\r\n"
_CHARSETS = {"utf-8", "us-ascii", "iso-8859-1"}  # RFC 5987 requires the first and the last
_DATA_URL = re.compile(rb"data:image/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64", re.IGNORECASE)


@dataclass(frozen=True)
class ImageUpload:
    """An uploaded image's bytes, and what its owner says about it."""

    data: bytes
    metadata: PhotoMetadata
    on_duplicate: OnDuplicate = "keep"


def image_upload(body: bytes, content_type: str) -> ImageUpload:
    """Read a form with an image: as the part `file`, or as base64 in the field `base64_image`."""
    form: dict[str, bytes] = {}
    filename: str | None = None
    for name, part_filename, content in _parts(body, content_type):
        if name in form:
            raise InvalidInput(f"{printable_name(name)} must be given only once.")
        form[name] = content
        if name == "file":
            filename = part_filename
    data = form.pop("file", b"") or _base64_image(form.pop("base64_image", b""))
    if not data:
        raise InvalidInput(
            "file is required: send the image as the part `file` or in the field `base64_image`."
        )
    names = {*METADATA, "on_duplicate"}
    texts = {name: _text(name, raw) for name, raw in form.items() if name in names}
    texts = {name: text for name, text in texts.items() if text not in ABSENT}
    texts.setdefault("filename_orig", filename or "")
    read = string_values(texts, UploadForm)
    return ImageUpload(data, photo_metadata(read), read.on_duplicate or "keep")


def _parts(body: bytes, content_type: str) -> Iterator[tuple[str, str | None, bytes]]:
    """Return (field name, file name, content) of each part of the form."""
    from requests_toolbelt.multipart.decoder import BodyPart

    try:
        for headers, content in _split(body, _boundary(content_type)):
            yield (*_names(BodyPart(headers + _END_OF_HEADERS, "utf-8").headers), content)
    except (ValueError, LookupError, TypeError):  # TypeError: a parameter whole and in parts
        raise InvalidInput(
            "The request body must be multipart/form-data, and each part must have a name."
        ) from None


def _boundary(content_type: str) -> bytes:
    header = Message()  # which parses its parameters in quadratic time, too
    header["content-type"] = content_type
    if len(content_type) > _MAX_HEADERS or header.get_content_type() != "multipart/form-data":
        raise ValueError("not a form")
    return _parameter(header.get_param("boundary", "")).rstrip().encode()


def _split(body: bytes, boundary: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers and the content of each part.

    `email` parses parameters in quadratic time, so headers are limited before they are parsed.
    """
    # What precedes the first boundary is no part, nor is what follows the last one.
    _, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MAX_PARTS + 2)
    if not boundary or not pieces:
        raise ValueError("a form without its boundary")
    pieces = list(itertools.takewhile(lambda piece: not piece.startswith(b"--"), pieces))
    if len(pieces) > _MAX_PARTS:
        raise InvalidInput(f"The form must have at most {_MAX_PARTS} parts.")
    parts = []
    for piece in pieces:
        headers, end, content = piece.partition(_END_OF_HEADERS)
        if len(headers) > _MAX_HEADERS:
            raise InvalidInput(
                f"The headers of a form's part must have at most {_MAX_HEADERS:,} bytes."
            )
        if not end:
            raise ValueError("a part without an end of its headers")
        parts.append((headers, content))
    return parts


def _names(headers: Mapping[bytes, bytes]) -> tuple[str, str | None]:
    """Return the field name and the file name of a part."""
    header = Message()
    header["content-disposition"] = headers[b"content-disposition"].decode()
    given = header.get_params([], header="content-disposition")
    parameters = {name.lower(): value for name, value in reversed(given)}
    name, filename = parameters.get("name"), parameters.get("filename")
    if not isinstance(name, str):
        raise LookupError("a part without a name")
    return name, None if filename is None else _parameter(filename).strip()


def _parameter(value: str | tuple[str | None, str | None, str]) -> str:
    """Return a parameter's text, which RFC 2231 lets a client write in a charset of its choice."""
    # Python remembers every unknown name of a charset, and some charsets spell half a surrogate.
    if isinstance(value, tuple) and (value[0] or "us-ascii").lower() not in _CHARSETS:
        raise LookupError("an unusual charset")
    return collapse_rfc2231_value(value)


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} must be valid UTF-8.") from None


def _base64_image(field: bytes) -> bytes:
    prefix, comma, encoded = field.rpartition(b",")
    try:
        if comma and not _DATA_URL.fullmatch(prefix[:_MAX_HEADERS].strip()):
            raise ValueError("not the prefix of a data: URL")
        return base64.b64decode(encoded.translate(None, string.whitespace.encode()), validate=True)
    except ValueError:
        raise InvalidInput(
            "base64_image must be valid base64, with or without the prefix of a data: URL."
        ) from None
