"""Properties of parsing that hold for every body, form and query."""

import base64
import contextlib
import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from requests_toolbelt import MultipartEncoder

from chalicelib.api import requests
from chalicelib.api.multipart import image_upload
from chalicelib.api.parsing import (
    json_body,
    photo_changes,
    photo_metadata,
    photo_query,
    string_values,
)
from chalicelib.errors import InvalidInput, TooLarge
from chalicelib.photos.photo import METADATA, folded
from tests.support.strategies import ANY_TEXT, JSON, TEXT

FIELDS = sorted(METADATA)
SHAPES = [
    *(requests.SignUp, requests.Credentials, requests.Confirmation, requests.PasswordChange),
    *(requests.Refresh, requests.PhotoChanges, requests.UploadRequest),
]
NAMES = sorted({name for shape in SHAPES for name in shape.__struct_encode_fields__})


@example(b'{"\\ud800": null}', requests.SignUp)
@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(NAMES) | ANY_TEXT, JSON, max_size=5).map(
        lambda fields: json.dumps(fields).encode()
    ),
    st.sampled_from(SHAPES),
)
def test_json_body_has_its_shape_or_is_rejected(body: bytes, shape: type[Any]) -> None:
    try:
        read = json_body(body, shape)
    except InvalidInput as error:
        str(error).encode()
        return
    assert type(read) is shape
    repr(read).encode()


@given(st.dictionaries(st.sampled_from([*FIELDS, "filesize", "width"]), JSON, max_size=5))
def test_json_metadata_can_be_stored_or_is_rejected(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    try:
        changes = photo_changes(json_body(body, requests.PhotoChanges))
    except InvalidInput:
        changes = {}
    with contextlib.suppress(InvalidInput, TooLarge):
        request = json_body(body, requests.UploadRequest)
        assert request.filesize > 0
        changes |= msgspec.structs.asdict(photo_metadata(request))
    assert set(changes) <= set(FIELDS)
    for name, value in changes.items():
        require_storable(name, value)


def require_storable(name: str, value: Any) -> None:
    """Fail unless a value of metadata can be stored and shown."""
    if value is None:
        return
    if name in ("geotag_lat", "geotag_lng"):
        assert abs(value) <= 180
    elif name == "taken_date":
        assert datetime.fromisoformat(value).isoformat() == value
    else:
        value.encode()
        assert len(folded(value).encode()) <= 40_000


@given(st.dictionaries(st.sampled_from(FIELDS), TEXT, max_size=6), st.binary(min_size=1))
def test_form_is_read_as_it_was_written_or_the_invalid_field_is_named(
    fields: dict[str, str], image: bytes
) -> None:
    fields = {name: value.replace("\r", "") for name, value in fields.items()}
    encoder = MultipartEncoder(fields | {"file": ("a.jpg", image, "image/jpeg")})
    try:
        form = image_upload(encoder.to_string(), encoder.content_type)
    except InvalidInput as error:
        require_named(error, FIELDS)
        return
    assert form.data == image
    for name, value in msgspec.structs.asdict(form.metadata).items():
        require_storable(name, value)
        sent = fields.get(name, "").strip()
        if name != "taken_date" and isinstance(value, str) and sent not in requests.ABSENT:
            assert value == sent
    assert form.metadata.filename_orig or fields.get("filename_orig")


def require_named(error: InvalidInput, names: Collection[str]) -> None:
    """Fail unless the error's message begins with one of these names of fields."""
    assert str(error).split()[0].rstrip(":") in names


BOUNDARIES = st.sampled_from(["x", "a b", "--", "é", '"', "x" * 70]) | TEXT


@given(
    st.lists(
        st.sampled_from(
            [b"--x\r\n", b"--x--", b"\r\n", b"\r\n\r\n", b"\n", b"--", b'name="file"', b"; "]
        )
        | st.sampled_from([b"Content-Disposition: form-data", b"filename*=utf-7''+2AA-"])
        | st.binary(max_size=20),
        max_size=20,
    ).map(b"".join),
    BOUNDARIES,
)
def test_broken_form_raises_no_other_error_than_invalid_input(body: bytes, boundary: str) -> None:
    for kind in (f"multipart/form-data; boundary={boundary}", boundary, "multipart/form-data"):
        try:
            assert image_upload(body, kind).data
        except InvalidInput as error:
            str(error).encode()


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["", "\n", " ", "\r\n\t"]))
def test_base64_is_read_with_any_prefix_and_line_breaks(image: bytes, space: str) -> None:
    encoded = space.join(re.findall(".{1,9}", base64.b64encode(image).decode()))
    for prefix in ("", "data:image/png;base64,", "data:image/x-y.z+w;charset=utf-8;BASE64,"):
        encoder = MultipartEncoder({"base64_image": prefix + encoded})
        assert image_upload(encoder.to_string(), encoder.content_type).data == image


@given(
    st.dictionaries(
        st.sampled_from(["limit", "cursor", "sort", "order", "q", "tag", "from", "to", "bbox"]),
        ANY_TEXT | st.lists(st.floats(), max_size=5).map(lambda four: ",".join(map(str, four))),
        max_size=4,
    )
)
def test_list_query_is_valid_or_the_invalid_parameter_is_named(parameters: dict[str, str]) -> None:
    try:
        query = photo_query(string_values(parameters, requests.ListParameters))
    except InvalidInput as error:
        require_named(error, parameters)
        return
    assert 1 <= query.limit <= 1000
    if query.bbox:
        west, south, east, north = query.bbox
        assert max(abs(west), abs(east)) <= 180
        assert -90 <= south <= north <= 90
