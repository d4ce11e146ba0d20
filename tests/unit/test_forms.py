"""Bodies of requests."""

import base64
import json
from typing import Any

import pytest
from requests_toolbelt import MultipartEncoder

from chalicelib.api import requests
from chalicelib.api.multipart import ImageUpload, image_upload
from chalicelib.api.parsing import json_body, photo_query, string_values
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import PhotoMetadata

Field = Any


def form(**fields: Field) -> ImageUpload:
    encoder = MultipartEncoder(fields)
    return image_upload(encoder.to_string(), encoder.content_type)


def metadata(**fields: Field) -> PhotoMetadata:
    return form(file=("a.jpg", b"bytes", "image/jpeg"), **fields).metadata


def sign_up(**fields: Field) -> requests.SignUp:
    account = {"email": "mario@example.com", "password": "Secret-2026", "username": "Mario"}
    return json_body(json.dumps(account | fields).encode(), requests.SignUp)


def test_a_json_object_is_read() -> None:
    assert json_body(b'{"email": "a@b.c", "more": 1}', requests.Address).email == "a@b.c"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"\xff\xfe",
        b'{"email": "\xff"}',
        b"[" * 100_000,
        b'{"x":' * 100_000,
        b"{'a': 1}",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="^body: expected a JSON object$"):
        json_body(body, requests.Address)


def test_an_email_is_lower_cased() -> None:
    assert sign_up(email=" Super@Mario.COM ").email == "super@mario.com"


@pytest.mark.parametrize(
    "address",
    [
        None,
        7,
        ["a@example.com"],
        "",
        "mario",
        "mario@",
        "@example.com",
        "mario@localhost",
        "a b@example.com",
        "a@exa mple.com",
        "a@-example.com",
        "a@example..com",
        "a@example.com\nBcc: b@example.com",
        f"{'a' * 250}@example.com",
    ],
)
def test_what_is_no_email_is_refused_by_name(address: Any) -> None:
    with pytest.raises(InvalidInput, match="^email: expected an e-mail address such as"):
        sign_up(email=address)


@pytest.mark.parametrize(
    "value", [None, 12345678, "", "x", "x" * 257, " spaced ", "line\n", {"a": 1}]
)
def test_what_is_no_password_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match="^password: expected a password of"):
        sign_up(password=value)


@pytest.mark.parametrize("value", [None, "", " ", "x" * 201, "a\0b", "line\nbreak", "\u2028"])
def test_what_is_no_name_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match="^username: expected a name of"):
        sign_up(username=value)


@pytest.mark.parametrize("name", ["슈퍼 마리오 🍄", "👨‍👩‍👧", "می‌خواهم"])
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert sign_up(username=f" {name} ").username == name


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="^refreshToken: expected the refreshToken that"):
        json_body(b"{}", requests.Refresh)


def test_a_field_that_there_is_not_is_told_those_that_there_are() -> None:
    with pytest.raises(InvalidInput, match="^titel`s: expected one of address, city, desc"):
        json_body(b'{"titel`s": "a"}', requests.PhotoChanges)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"geotag_lat": 91}', "geotag_lat: expected a number from -90 to 90, or null"),
        (b'{"geotag_lat": "x"}', "geotag_lat: expected a number from -90 to 90, or null"),
        (b'{"geotag_lat": Infinity}', "geotag_lat: expected a number from -90 to 90, or null"),
        (b'{"tags": 1}', "tags: expected a text of at most 2,000 characters, or null"),
    ],
)
def test_what_is_expected_is_told_with_null_where_it_may_be(body: bytes, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        json_body(body, requests.PhotoChanges)
    assert str(refused.value) == expected


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_json_may_not_smuggle_half_a_character(value: str) -> None:
    with pytest.raises(InvalidInput, match="^password: expected"):
        sign_up(password=value * 8)


def test_a_query_is_read_from_its_texts() -> None:
    asked = string_values(
        {"limit": "50", "from": "2012-07-15", "other": "x"}, requests.ListParameters
    )
    query = photo_query(asked)
    assert (query.limit, query.first, query.last) == (50, "2012-07-15", None)


def test_a_picture_comes_as_a_file_with_its_name() -> None:
    read = form(file=("Ünï 'code'.jpg", b"\r\n--bytes\0\xff", "image/jpeg"))
    assert read.data == b"\r\n--bytes\0\xff"
    assert read.metadata.filename_orig == "Ünï 'code'.jpg"


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:image/svg+xml;x=y;base64,"])
def test_a_picture_comes_as_base64_bare_or_as_a_data_url(prefix: str) -> None:
    text = prefix + base64.b64encode(b"picture").decode()
    assert form(base64_image=text).data == b"picture"


@pytest.mark.parametrize(
    "text", ["not base64!", "abc", "data:text/html;base64,YQ==", "data:image/png,YQ=="]
)
def test_what_is_no_base64_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="^base64_image: expected base64"):
        form(base64_image=text)


@pytest.mark.parametrize(
    "fields", [{}, {"tags": "a"}, {"file": ("a.jpg", b"", "image/jpeg")}, {"base64_image": ""}]
)
def test_a_form_without_a_picture_is_refused(fields: dict[str, Field]) -> None:
    with pytest.raises(InvalidInput, match="^file: expected a picture"):
        form(**fields, other="x")


def test_two_pictures_in_one_form_are_refused_so_that_none_is_lost() -> None:
    encoder = MultipartEncoder([("file", ("a", b"1")), ("file", ("b", b"2"))])
    with pytest.raises(InvalidInput, match="^file: expected once"):
        image_upload(encoder.to_string(), encoder.content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nno end of headers", "multipart/form-data; boundary=x"),
        (b"--x\r\nA: b\r\n\r\nno name\r\n--x--", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary="),
        (b"--x\r\n\r\n\r\n--x--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", 'multipart/form-data; boundary=";"'),
        (b"--x\r\n\xff\xfe: \xff\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_a_broken_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput, match=r"^(body|file): expected"):
        image_upload(body, content_type)


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=file; filename*=a%00b''x",
        "form-data; name=file; filename*=unicode_escape''%5Cud800",
        "form-data; name=file; filename*=utf-7''+2AA-",
        "form-data; name*=utf-7''+2AA-",
    ],
)
def test_a_name_in_an_odd_codec_is_refused(disposition: str) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\npicture\r\n--x--".encode()
    with pytest.raises(InvalidInput, match="^body: expected"):
        image_upload(body, "multipart/form-data; boundary=x")


@pytest.mark.parametrize("boundary", ["unicode_escape''%5Cud800", "a%00b''BB"])
def test_a_boundary_in_an_odd_codec_is_refused(boundary: str) -> None:
    with pytest.raises(InvalidInput, match="^body: expected"):
        image_upload(b"--x--", f"multipart/form-data; boundary*={boundary}")


def test_a_form_of_countless_parts_is_refused_before_it_is_split() -> None:
    with pytest.raises(InvalidInput, match="at most 64 parts"):
        image_upload(b"--x\r\n" * 100_000, "multipart/form-data; boundary=x")


def test_all_metadata_fields_are_read() -> None:
    read = metadata(
        filename_orig="IMG_1.JPG",
        tags="sea, sun",
        desc="A day at the sea",
        make="SONY",
        model="A300",
        city="Venezia",
        nation="Italia",
        address="Piazza San Marco",
        geotag_lat="45.5",
        geotag_lng="-0",
        taken_date="2012:07:15 09:46:46",
        filesize="12345",
    )
    assert read.filename_orig == "IMG_1.JPG"
    assert (read.geotag_lat, read.geotag_lng) == (45.5, 0)
    assert read.taken_date is not None
    assert read.taken_date == "2012-07-15T09:46:46"
    texts = (read.tags, read.desc, read.make, read.model, read.city, read.nation, read.address)
    assert texts == (
        "sea, sun",
        "A day at the sea",
        "SONY",
        "A300",
        "Venezia",
        "Italia",
        "Piazza San Marco",
    )


@pytest.mark.parametrize("absent", ["", " ", "undefined", "null", "NaN"])
def test_what_browsers_send_for_a_missing_value_counts_as_absent(absent: str) -> None:
    names = ("tags", "desc", "make", "geotag_lat", "geotag_lng", "taken_date")
    read = metadata(**dict.fromkeys(names, absent), filename_orig=absent)
    assert read == PhotoMetadata(filename_orig="a.jpg")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("geotag_lat", "90.001"),
        ("geotag_lat", "north"),
        ("geotag_lat", "inf"),
        ("geotag_lat", "-nan"),
        ("geotag_lat", "1_0"),
        ("geotag_lat", "٣"),
        ("geotag_lng", "-180.5"),
        ("taken_date", "tomorrow"),
        ("taken_date", "2012-13-01"),
        ("tags", "x" * 2001),
        ("desc", "x" * 10_001),
        ("filename_orig", "x" * 2001),
        ("city", b"\xff\xfe"),
    ],
)
def test_a_field_out_of_range_is_refused_by_name(name: str, value: Field) -> None:
    other = {"geotag_lat": "geotag_lng", "geotag_lng": "geotag_lat"}.get(name)
    fields = {name: value} | ({other: "1"} if other else {})
    with pytest.raises(InvalidInput, match=f"^{name}: expected"):
        metadata(**fields)


def test_a_position_is_kept_to_the_centimetre() -> None:
    read = metadata(geotag_lat="1e-200", geotag_lng="-179.123456789")
    assert (read.geotag_lat, read.geotag_lng) == (0, -179.1234568)


def test_half_a_position_is_refused() -> None:
    with pytest.raises(InvalidInput, match="^geotag_lng: expected"):
        metadata(geotag_lat="45")


def test_the_longest_description_fits() -> None:
    assert metadata(desc="x" * 10_000).desc == "x" * 10_000
