"""Multipart forms with an image (RFC 7578). Every function raises InvalidInput."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from chalicelib.api.parsing import photo_metadata, printable_name, string_values
from chalicelib.api.requests import ABSENT, PhotoChanges
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import METADATA, PhotoMetadata

_MAX_PARTS = 64
_DATA_URL = re.compile(r"data:image/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class ImageUpload:
    """An uploaded image's bytes, and what its owner says about it."""

    data: bytes
    metadata: PhotoMetadata


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
    texts = {name: _text(name, raw) for name, raw in form.items() if name in METADATA}
    texts = {name: text for name, text in texts.items() if text not in ABSENT}
    texts.setdefault("filename_orig", filename or "")
    return ImageUpload(data, photo_metadata(string_values(texts, PhotoChanges)))


def _parts(body: bytes, content_type: str) -> list[tuple[str, str | None, bytes]]:
    """Return (field name, file name, content) of each part of the form."""
    from requests_toolbelt.multipart import decoder

    try:
        boundary = _boundary(content_type)
        # The library splits the whole body at once, so the parts are counted before.
        if body.count(b"--" + boundary.encode()) > _MAX_PARTS + 1:
            raise InvalidInput(f"The form must have at most {_MAX_PARTS} parts.")
        plain_type = f'multipart/form-data; boundary="{boundary}"'
        parts = decoder.MultipartDecoder(body, plain_type).parts
        return [(*_disposition(part.headers), part.content) for part in parts]
    except (decoder.ImproperBodyPartContentException, ValueError, LookupError):
        raise InvalidInput(
            "The request body must be multipart/form-data, and each part must have a name."
        ) from None


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
    # RFC 2231 lets a client name any codec, and some can spell half a surrogate pair.
    f"{name}{filename}".encode()
    return name, filename


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise InvalidInput(f"{name} must be valid UTF-8.") from None


def _base64_image(field: bytes) -> bytes:
    text = _text("base64_image", field)
    prefix = _DATA_URL.match(text)
    encoded = text[prefix.end() :] if prefix else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(
            "base64_image must be valid base64, with or without the prefix of a data: URL."
        ) from None
