"""What holds of every input, tried with many that nobody thought of."""

import base64
import contextlib
import io
import json
import re
import string
import struct
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from requests_toolbelt import MultipartEncoder

from chalicelib import dates
from chalicelib.accounts.tokens import KeySet, TokenVerifier
from chalicelib.api import requests
from chalicelib.api.multipart import image_upload
from chalicelib.api.parsing import (
    json_body,
    photo_changes,
    photo_metadata,
    photo_query,
    string_values,
)
from chalicelib.errors import InvalidInput, NotSignedIn, TooLarge
from chalicelib.images.exif import read_exif, read_orientation
from chalicelib.photos.lists import Cursors
from chalicelib.photos.photo import (
    METADATA,
    first_sort_key,
    folded,
    last_sort_key,
    new_id,
    sort_key,
    split_tags,
)
from chalicelib.photos.storage import content_disposition
from tests.support.images import jpeg
from tests.support.tokens import CLIENT, ISSUER, POOL, claims

CURSORS = Cursors(lambda: "secret")
VERIFIER = TokenVerifier(KeySet(lambda: [POOL.web_key]), ISSUER, CLIENT)
TEXT = st.text(max_size=60)  # without halves of pairs
ANY_TEXT = st.text(st.characters(), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(METADATA)


@given(TEXT, TEXT, st.text(min_size=1, max_size=60))
def test_a_cursor_gives_back_its_position_and_nothing_to_anybody_else(
    user: str, query: str, position: str
) -> None:
    cursor = CURSORS.make(user, query, position)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert CURSORS.read(user, query, cursor) == position
    for other in ((user + "x", query), (user, query + "x"), (query, user)):
        if other != (user, query):
            with pytest.raises(InvalidInput):
                CURSORS.read(*other, cursor)


@given(ANY_TEXT | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_nobody_makes_up_a_cursor(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", cursor)


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
def test_a_body_has_its_shape_or_is_refused(body: bytes, shape: type[Any]) -> None:
    try:
        read = json_body(body, shape)
    except InvalidInput as refusal:
        str(refusal).encode()
        return
    assert type(read) is shape
    repr(read).encode()


@given(st.dictionaries(st.sampled_from([*FIELDS, "filesize", "width"]), JSON, max_size=5))
def test_json_fields_become_what_a_row_can_hold_or_are_refused(fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    try:
        changes = photo_changes(json_body(body, requests.PhotoChanges))
    except InvalidInput:
        changes = {}
    with contextlib.suppress(InvalidInput, TooLarge):
        asked = json_body(body, requests.UploadRequest)
        assert asked.filesize > 0
        changes |= msgspec.structs.asdict(photo_metadata(asked))
    assert set(changes) <= set(FIELDS)
    for name, value in changes.items():
        check_metadata(name, value)


def check_metadata(name: str, value: Any) -> None:
    """Check that a value of metadata can be stored and shown."""
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
def test_a_form_is_read_as_it_was_written(fields: dict[str, str], picture: bytes) -> None:
    fields = {name: value.replace("\r", "") for name, value in fields.items()}
    encoder = MultipartEncoder(fields | {"file": ("a.jpg", picture, "image/jpeg")})
    try:
        form = image_upload(encoder.to_string(), encoder.content_type)
    except InvalidInput as refusal:
        form, refused = None, str(refusal).split()[0].rstrip(":")
    if form is None:
        assert refused in FIELDS
        return
    assert form.data == picture
    for name, value in msgspec.structs.asdict(form.metadata).items():
        check_metadata(name, value)
        sent = fields.get(name, "").strip()
        if name != "taken_date" and isinstance(value, str) and sent not in requests.ABSENT:
            assert value == sent
    assert form.metadata.filename_orig or fields.get("filename_orig")


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
def test_a_broken_form_is_refused_and_nothing_else(body: bytes, boundary: str) -> None:
    for kind in (f"multipart/form-data; boundary={boundary}", boundary, "multipart/form-data"):
        try:
            assert image_upload(body, kind).data
        except InvalidInput as refusal:
            str(refusal).encode()


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["", "\n", " ", "\r\n\t"]))
def test_base64_is_read_however_it_is_wrapped(picture: bytes, space: str) -> None:
    encoded = space.join(re.findall(".{1,9}", base64.b64encode(picture).decode()))
    for prefix in ("", "data:image/png;base64,", "data:image/x-y.z+w;charset=utf-8;BASE64,"):
        encoder = MultipartEncoder({"base64_image": prefix + encoded})
        assert image_upload(encoder.to_string(), encoder.content_type).data == picture


@given(
    st.dictionaries(
        st.sampled_from(["limit", "cursor", "sort", "order", "q", "tag", "from", "to", "bbox"]),
        ANY_TEXT | st.lists(st.floats(), max_size=5).map(lambda four: ",".join(map(str, four))),
        max_size=4,
    )
)
def test_a_query_is_understood_or_refused_by_a_name(parameters: dict[str, str]) -> None:
    try:
        query = photo_query(string_values(parameters, requests.ListParameters))
    except InvalidInput as refusal:
        query, refused = None, str(refusal).split()[0].rstrip(":")
    if query is None:
        assert refused in parameters
        return
    assert 1 <= query.limit <= 1000
    if query.bbox:
        west, south, east, north = query.bbox
        assert max(abs(west), abs(east)) <= 180
        assert -90 <= south <= north <= 90


@given(ANY_TEXT)
def test_what_is_no_token_is_refused(written: str) -> None:
    with pytest.raises(NotSignedIn):
        VERIFIER.verify(written)


@settings(max_examples=40)
@given(JSON, JSON, st.sampled_from(["alg", "kid", "typ", "crit", "zip", "jku", "jwk", "b64"]))
def test_a_token_of_any_header_and_claims_is_refused_unless_we_signed_it(
    header: Any, payload: Any, name: str
) -> None:
    head = {"alg": "RS256", "kid": POOL.kid} | {name: header}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (head, payload)
    ]
    for signature in ("", "AAAA", POOL.sign(claims()).split(".")[2]):
        with pytest.raises(NotSignedIn):
            VERIFIER.verify(".".join([*parts, signature]))


@settings(max_examples=40)
@given(st.sampled_from(sorted(claims())), JSON)
def test_a_claim_of_any_value_lets_in_only_who_it_should(name: str, value: Any) -> None:
    good = claims()
    assume(value != good[name])
    token = POOL.sign(good | {name: value})
    try:
        access = VERIFIER.verify(token)
    except NotSignedIn:
        return
    assert name in ("sub", "iat", "origin_jti", "exp")
    assert isinstance(access.sub, str)
    assert isinstance(access.issued_at, int)
    assert isinstance(access.origin_jti, str)


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.none() | OFFSETS).map(lambda moment: moment.replace(fold=0)))
def test_a_date_is_read_as_it_was_written(moment: datetime) -> None:
    assert dates.parse_date(moment.isoformat()) == moment
    assert dates.parse_date(moment.isoformat()).utcoffset() == moment.utcoffset()
    naive = moment.replace(microsecond=0, tzinfo=None)
    written = f"{naive.year:04}:{naive:%m:%d %H:%M:%S}"
    assert dates.parse_date(written) == dates.parse_exif_date(written) == naive


@given(st.datetimes(), st.datetimes())
def test_photos_sort_as_their_moments_do(one: datetime, other: datetime) -> None:
    # Python writes microseconds only if there are any, and so do the keys.
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    keys = [sort_key(moment, new_id()) for moment in (one, other)]
    assert one == other or (keys[0] < keys[1]) == (one < other)
    assert first_sort_key(one.isoformat()) <= keys[0] <= last_sort_key(one.isoformat())
    day = one.date().isoformat()
    assert first_sort_key(day) <= keys[0] <= last_sort_key(day)


@given(st.text(string.digits + "-:TZ+., ", max_size=32) | ANY_TEXT)
def test_what_is_no_date_is_a_value_error_and_nothing_else(written: str) -> None:
    for read in (dates.parse_date, dates.parse_exif_date, first_sort_key, last_sort_key):
        try:
            read(written)
        except ValueError:
            pass


@given(ANY_TEXT | st.text(st.sampled_from('a"\\/;%\r\n\0\u202e.é名😀'), max_size=300))
def test_a_name_in_a_header_is_one_header_that_every_client_can_read(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 4_000
    message = Message()
    message["content-disposition"] = header
    assert message.get_content_disposition() == "inline"
    shown = unquote(header.rpartition("''")[2], errors="strict")
    assert len(shown) <= 200
    assert not set(shown) & set("/\\\r\n\0")
    assert header.count('"') == 2


@given(ANY_TEXT, ANY_TEXT)
def test_folded_texts_stay_folded_and_find_their_words(one: str, other: str) -> None:
    for written in (one, one.upper(), unicodedata.normalize("NFD", one)):
        tags = split_tags(f"{written},{other}")
        assert len({folded(tag) for tag in tags}) == len(tags)
        assert not any("," in tag or tag != tag.strip() for tag in tags)


SMALL = jpeg(8, 8)
EXIF_VALUES = st.binary(max_size=12) | st.integers(0, 2**32 - 1).map(lambda n: struct.pack("<L", n))


@pytest.mark.filterwarnings("ignore")  # Pillow warns of much that is broken
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [0x010F, 0x0110, 0x0112, 0x0132, 0x8769, 0x8825, 0x9003, 0x9010, 0x9011]
            )
            | st.integers(0, 30),
            st.integers(0, 14),
            st.integers(0, 4) | st.sampled_from([2**16, 2**31, 2**32 - 1]),
            EXIF_VALUES,
        ),
        max_size=12,
    ),
    st.binary(max_size=64),
    st.sampled_from("<>"),
)
def test_exif_of_any_bytes_is_read_tag_by_tag(
    entries: list[tuple[int, int, int, bytes]], rest: bytes, order: str
) -> None:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8)
    directory = struct.pack(order + "H", len(entries)) + b"".join(
        struct.pack(order + "HHL", tag, kind, count) + value[:4].ljust(4, b"\0")
        for tag, kind, count, value in entries
    )
    tiff = head + directory + bytes(4) + rest
    segment = b"Exif\0\0" + tiff
    marked = b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    with Image.open(io.BytesIO(SMALL[:2] + marked + SMALL[2:])) as image:
        assert 1 <= read_orientation(image) <= 8
        exif = read_exif(image)
    assert (exif.latitude is None) == (exif.longitude is None)
    for name in (exif.make, exif.model):
        assert name is None or (name.isprintable() and 0 < len(name) <= 200)
    if exif.taken:
        assert exif.taken.year >= 1826
        assert exif.taken.replace(tzinfo=UTC) < datetime.now(UTC) + timedelta(days=2)
