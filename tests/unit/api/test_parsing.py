"""The rules of every field of a request, once each; `tests/api/test_validation.py` tries routes."""

import json
import time
from typing import Any

import pytest

from chalicelib.api import requests
from chalicelib.api.parsing import (
    _described_fields,
    json_body,
    photo_changes,
    photo_metadata,
    photo_query,
    query_values,
    string_values,
)
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import PhotoMetadata
from tests.support.people import PASSWORD

ABSENT = ["", " ", "undefined", "null", "NaN"]
NO_EMAIL = [
    *(None, 7, ["a@example.com"], {"a": 1}, "", "mario", "mario@", "@example.com"),
    *("mario@localhost", "a b@example.com", "a@exa mple.com", "a@-example.com", "a@example..com"),
    *("a@example.com\nBcc: b@example.com", f"{'a' * 250}@example.com"),
]
NO_PASSWORD = [None, 12345678, {"a": 1}, "", "x" * 257]
NO_NEW_PASSWORD = [*NO_PASSWORD, "x", " spaced ", "line\n"]
NO_NAME = [None, 7, "", " ", "x" * 201, "a\0b", "line\nbreak", "\u2028"]
NO_CODE = [None, "", 7, ["a"], {"a": 1}, "x" * 65, "12 34", "é"]
NO_TOKEN = [None, "", 7, ["a"], {"a": 1}, "x" * 10_000]
NO_SIZE: list[Any] = [None, 0, -1, 1.5, "5", True, []]
NO_TEXT = [7, True, [], {}, "x" * 2_001]


def body(shape: Any, **fields: Any) -> Any:
    """Read a JSON object that is valid but for the given fields."""
    valid = {
        "email": "mario@example.com",
        "password": PASSWORD,
        "username": "Mario",
        "code": "123456",
        "oldPassword": PASSWORD,
        "newPassword": PASSWORD,
        "refreshToken": "token",
        "filesize": 1,
    }
    names = set(shape.__struct_encode_fields__)
    given = {name: value for name, value in valid.items() if name in names} | fields
    return json_body(json.dumps(given).encode(), shape)


def refusal(shape: Any, **fields: Any) -> str:
    """Return why a JSON object is rejected that is valid but for the given fields."""
    with pytest.raises(InvalidInput) as raised:
        photo_metadata_of(body(shape, **fields))
    return str(raised.value)


def photo_metadata_of(read: Any) -> Any:
    return photo_metadata(read) if isinstance(read, requests.PhotoChanges) else read


def test_json_object_is_read_and_unknown_fields_are_ignored() -> None:
    assert json_body(b'{"email": "a@b.c", "more": 1}', requests.Address).email == "a@b.c"


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b'"text"', b"1", b"\xff\xfe", b'{"email": "\xff"}'),
        *(b"[" * 100_000, b'{"x":' * 100_000, b"{'a': 1}"),
    ],
)
def test_anything_but_a_json_object_is_rejected(raw: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^The request body must be a JSON object\.$"):
        json_body(raw, requests.Address)


def test_json_body_of_more_than_500_kb_is_rejected_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = b'{"email": "a@b.c"}'
    assert json_body(raw.ljust(500_000), requests.Address).email == "a@b.c"
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(InvalidInput, match=r"^A JSON body must have at most 500,000 bytes\.$"):
        json_body(raw.ljust(500_001), requests.Address)


def test_json_body_has_room_for_the_longest_texts_of_a_photo_however_they_are_written() -> None:
    texts = dict.fromkeys(("make", "model", "city", "nation", "address", "tags"), 2_000)
    texts |= {"filename_orig": 2_000, "desc": 10_000}
    fields = {name: "\U0001f600" * length for name, length in texts.items()}
    assert photo_changes(body(requests.PhotoChanges, **fields)) == fields


@pytest.mark.parametrize(
    ("shape", "field", "values", "message"),
    [
        (requests.SignUp, "email", NO_EMAIL, "an email address, such as mario@example.com"),
        (requests.Credentials, "password", NO_PASSWORD, "1 to 256 characters long"),
        (
            requests.SignUp,
            "password",
            NO_NEW_PASSWORD,
            "2 to 256 characters long, with no space at either end",
        ),
        (
            requests.PasswordChange,
            "newPassword",
            NO_NEW_PASSWORD,
            "2 to 256 characters long, with no space at either end",
        ),
        (
            requests.Profile,
            "username",
            NO_NAME,
            "1 to 200 characters long, without control characters",
        ),
        (requests.Confirmation, "code", NO_CODE, "the letters and digits from the email"),
        (requests.Refresh, "refreshToken", NO_TOKEN, "the refreshToken from sign-in"),
        (
            requests.UploadRequest,
            "filesize",
            NO_SIZE,
            "a whole number of bytes, at most 100000000",
        ),
        (
            requests.PhotoChanges,
            "city",
            NO_TEXT,
            "a text of at most 2,000 characters, or null",
        ),
        (
            requests.PhotoChanges,
            "tags",
            NO_TEXT,
            "at most 50 comma-separated tags, 2,000 characters in all, or null",
        ),
        (
            requests.PhotoChanges,
            "desc",
            [7, "x" * 10_001],
            "a text of at most 10,000 characters, or null",
        ),
        (
            requests.PhotoChanges,
            "geotag_lat",
            [91, "north", "inf", "-nan", "1_0", "٣", True, float("inf"), 10**400],
            "a number between -90 and 90, or null",
        ),
        (requests.PhotoChanges, "geotag_lng", [-180.5], "a number between -180 and 180, or null"),
        (
            requests.PhotoChanges,
            "taken_date",
            ["tomorrow", 2019],
            "a date, such as 2012-07-15T09:46:46+09:00 or 2012:07:15 09:46:46, or null",
        ),
    ],
)
def test_malformed_field_is_named_with_what_it_must_be(
    shape: Any, field: str, values: list[Any], message: str
) -> None:
    for value in values:
        assert refusal(shape, **{field: value}) == f"{field} must be {message}.", value


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"geotag_lat": "90.001", "geotag_lng": 1}, "geotag_lat must be a number between -90 and"),
        ({"taken_date": "2012-13-01"}, "taken_date must be a real calendar date."),
        ({"taken_date": "2012-02-30"}, "taken_date must be a real calendar date."),
        ({"geotag_lat": 45}, "geotag_lat and geotag_lng must be given together."),
        ({"geotag_lng": 0}, "geotag_lat and geotag_lng must be given together."),
        ({"tags": ",".join(map(str, range(51)))}, "tags must be at most 50 tags."),
        ({"city": "\ufdfa" * 500}, "city must be a text of at most 2,000 characters, and some"),
        ({"titel`s": "a"}, "titel`s is not a known field. Use address, city, desc"),
        ({"x" * 100: "a"}, f"{'x' * 60}... is not a known field."),
        ({"user_id": "x"}, "user_id is not a known field."),
    ],
)
def test_invalid_metadata_is_rejected_with_a_reason(fields: dict[str, Any], message: str) -> None:
    assert refusal(requests.UploadRequest, **fields).startswith(message)
    if "geotag_lng" in fields or "geotag_lat" in fields:
        return  # An edit may complete a position that is stored already.
    assert refusal(requests.PhotoChanges, **fields).startswith(message)


@pytest.mark.parametrize("field", ["email", "password", "username"])
def test_missing_field_is_required(field: str) -> None:
    account = {"email": "a@example.com", "password": PASSWORD, "username": "Mario"}
    del account[field]
    with pytest.raises(InvalidInput, match=rf"^{field} is required\.$"):
        json_body(json.dumps(account).encode(), requests.SignUp)


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_half_a_surrogate_pair_is_rejected(value: str) -> None:
    assert refusal(requests.SignUp, password=value * 8) == "password must be valid Unicode."
    assert refusal(requests.PhotoChanges, city=value) == "city must be valid Unicode."


def test_fields_of_a_shape_are_described_once() -> None:
    assert _described_fields(requests.SignUp) is _described_fields(requests.SignUp)


def test_email_is_lowercased_and_stripped() -> None:
    assert body(requests.SignUp, email=" Super@Mario.COM ").email == "super@mario.com"


@pytest.mark.parametrize("name", ["슈퍼 마리오 🍄", "👨‍👩‍👧", "می‌خواهم"])
def test_name_may_use_any_script(name: str) -> None:
    assert body(requests.SignUp, username=f" {name} ").username == name


@pytest.mark.parametrize("absent", [None, float("nan"), *ABSENT])
def test_what_browsers_send_for_a_missing_value_counts_as_absent(absent: Any) -> None:
    names = ("tags", "desc", "make", "geotag_lat", "geotag_lng", "taken_date", "filename_orig")
    read = body(requests.UploadRequest, **dict.fromkeys(names, absent))
    assert photo_metadata(read) == PhotoMetadata()
    cleared = photo_changes(body(requests.PhotoChanges, **dict.fromkeys(names, absent)))
    assert cleared == dict.fromkeys(names)


def test_unmentioned_fields_are_not_changed() -> None:
    assert photo_changes(body(requests.PhotoChanges, desc="Sea")) == {"desc": "Sea"}
    assert photo_changes(body(requests.PhotoChanges)) == {}


def test_limits_are_inclusive() -> None:
    changes = photo_changes(
        body(
            requests.PhotoChanges,
            desc="x" * 10_000,
            city="x" * 2_000,
            tags=",".join(map(str, range(50))),
            geotag_lat="-90",
            geotag_lng="+180.",
        )
    )
    assert (changes["geotag_lat"], changes["geotag_lng"]) == (-90, 180)
    assert len(changes["desc"]) == 10_000


@pytest.mark.parametrize(
    ("shape", "field", "text"),
    [
        (requests.PhotoChanges, "taken_date", " " * 1_999 + "x"),
        (requests.PhotoChanges, "geotag_lat", " " * 99 + "x"),
        (requests.PhotoChanges, "geotag_lat", "1" * 99 + "x"),
        (requests.ListParameters, "bbox", "1" * 1_990 + "x,1,1,1"),
        (requests.ListParameters, "from", " " * 1_999 + "x"),
        (requests.ListParameters, "from", "T1" * 999),
        (requests.Address, "email", "a@" + ("a-" * 30 + ".") * 2),
        (requests.Profile, "username", " " * 200),
    ],
)
def test_text_that_nearly_matches_is_rejected_in_linear_time(
    shape: Any, field: str, text: str
) -> None:
    read = body if shape is not requests.ListParameters else lambda _, **query: parameters(**query)
    began = time.process_time()
    for _ in range(100):
        with pytest.raises(InvalidInput):
            read(shape, **{field: text})
    assert time.process_time() - began < 1  # Dates took 5 s.


def test_repeated_tags_count_once() -> None:
    assert photo_changes(body(requests.PhotoChanges, tags="sea," * 60))["tags"]


def test_position_is_kept_to_the_centimeter() -> None:
    read = photo_changes(
        body(requests.PhotoChanges, geotag_lat="1e-200", geotag_lng="-179.123456789")
    )
    assert (read["geotag_lat"], read["geotag_lng"]) == (0, -179.1234568)


@pytest.mark.parametrize("text", ["-1e-200", "1e-131", "-0", "-.00000001", "1e-999"])
def test_coordinate_that_dynamodb_cannot_store_is_zero_without_a_sign(text: str) -> None:
    read = photo_changes(body(requests.PhotoChanges, geotag_lat=text, geotag_lng=float(text)))
    assert repr((read["geotag_lat"], read["geotag_lng"])) == "(0.0, 0.0)"
    assert repr(parameters(bbox=f"{text},{text},1,1").bbox) == "(0.0, 0.0, 1.0, 1.0)"


def test_bounding_box_is_compared_after_it_was_rounded_to_the_digits_of_positions() -> None:
    query = parameters(bbox="1.00000004,2.00000004,1.00000001,2.00000001")
    assert query.bbox == (1, 2, 1, 2)
    with pytest.raises(InvalidInput, match="^bbox: latitudes must be between"):
        parameters(bbox="0,0,0,90.00000001")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2012:07:15 09:46:46", "2012-07-15T09:46:46"),
        ("2012-07-15T09:46:46.5+05:30", "2012-07-15T09:46:46.500000+05:30"),
        ("2012-07-15", "2012-07-15T00:00:00"),
    ],
)
def test_date_is_stored_in_iso_8601_with_its_offset_if_any(written: str, stored: str) -> None:
    changes = photo_changes(body(requests.PhotoChanges, taken_date=written))
    assert changes["taken_date"] == stored


def parameters(**given: str) -> Any:
    return photo_query(query_values(given, requests.ListParameters))


def test_list_parameters_are_read_and_unknown_ones_ignored() -> None:
    query = parameters(limit="50", **{"from": "2012-07-15"}, other="x", q=" Sea  SEA sun ")
    assert (query.limit, query.first, query.last) == (50, "2012-07-15", None)
    assert query.words == ("sea", "sun")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *(("limit", value, "limit must be a whole number") for value in ("0", "1001", "ten")),
        *(("limit", value, "limit must be a whole number") for value in ("1.5", "²")),
        ("sort", "name", "sort must be taken or uploaded."),
        ("order", "up", "order must be desc or asc."),
        ("from", "yesterday", "from must be a date, such as 2012-07-15, or a date-time."),
        ("to", "2019-13-01", "to must be a date, such as 2012-07-15, or a date-time."),
        *(
            ("bbox", value, "bbox must be west,south,east,north in degrees.")
            for value in ("1,2,3", "a,b,c,d", ",,,", "nan,0,0,0")
        ),
        ("bbox", "0,0,0,91", "bbox: latitudes must be between -90 and 90."),
        ("bbox", "181,0,0,0", "bbox: longitudes must be between -180 and 180."),
        ("bbox", "0,10,0,5", "bbox: south must not be greater than north."),
        ("q", "x" * 201, "q must be words, at most 200 characters, which must all match."),
        ("tag", "x" * 2001, "tag must be a text of at most 2,000 characters."),
    ],
)
def test_malformed_list_parameter_is_named_with_what_it_must_be(
    name: str, value: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        parameters(**{name: value})
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("absent", ABSENT)
@pytest.mark.parametrize("name", requests.ListParameters.__struct_encode_fields__)
def test_what_browsers_send_for_a_missing_value_is_no_list_parameter(
    name: str, absent: str
) -> None:
    assert parameters(**{name: absent}) == parameters()


@pytest.mark.parametrize("absent", ABSENT)
def test_what_browsers_send_for_a_missing_value_is_no_mode_of_a_photo(absent: str) -> None:
    assert query_values({"mode": absent}, requests.PhotoMode) == requests.PhotoMode()


def test_list_that_ends_before_it_begins_is_rejected() -> None:
    with pytest.raises(InvalidInput, match=r"^to must not be before from\.$"):
        parameters(**{"from": "2019-05-07", "to": "2019-05-06"})


@pytest.mark.parametrize("key", ["", "a b", "é", "a\tb", "x" * 256])
def test_malformed_idempotency_key_is_rejected(key: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Idempotency-Key must be 1 to 255 visible ASCII"):
        string_values({"Idempotency-Key": key}, requests.UploadHeaders)
