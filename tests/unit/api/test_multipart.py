"""Multipart forms with an image."""

import base64
import encodings
from email.parser import HeaderParser
from typing import Any

import pytest
from requests_toolbelt import MultipartEncoder

from chalicelib.api.multipart import ImageUpload, image_upload
from chalicelib.errors import InvalidInput
from chalicelib.photos.photo import PhotoMetadata

BOUNDARY = "multipart/form-data; boundary=x"


def form(**fields: Any) -> ImageUpload:
    encoder = MultipartEncoder(fields)
    return image_upload(encoder.to_string(), encoder.content_type)


def metadata(**fields: Any) -> PhotoMetadata:
    return form(file=("a.jpg", b"bytes", "image/jpeg"), **fields).metadata


def test_image_as_file_keeps_its_bytes_and_its_name() -> None:
    read = form(file=("Ünï 'code'.jpg", b"\r\n--bytes\0\xff", "image/jpeg"))
    assert read.data == b"\r\n--bytes\0\xff"
    assert read.metadata.filename_orig == "Ünï 'code'.jpg"


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:image/svg+xml;x=y;base64,"])
def test_image_as_base64_is_decoded_with_or_without_a_data_url_prefix(prefix: str) -> None:
    text = prefix + base64.b64encode(b"image").decode()
    assert form(base64_image=text).data == b"image"


@pytest.mark.parametrize(
    "text", ["not base64!", "abc", "data:text/html;base64,YQ==", "data:image/png,YQ=="]
)
def test_invalid_base64_is_rejected_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="^base64_image must be valid base64"):
        form(base64_image=text)


@pytest.mark.parametrize(
    "fields", [{}, {"tags": "a"}, {"file": ("a.jpg", b"", "image/jpeg")}, {"base64_image": ""}]
)
def test_form_without_an_image_is_rejected(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="^file is required"):
        form(**fields, other="x")


def test_form_with_two_images_is_rejected_so_that_none_is_lost() -> None:
    encoder = MultipartEncoder([("file", ("a", b"1")), ("file", ("b", b"2"))])
    with pytest.raises(InvalidInput, match=r"^file must be given only once\.$"):
        image_upload(encoder.to_string(), encoder.content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nno end of headers", BOUNDARY),
        (b"--x\r\nA: b\r\n\r\nno name\r\n--x--", BOUNDARY),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--", BOUNDARY),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary="),
        (b"--x\r\n\r\n\r\n--x--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", 'multipart/form-data; boundary=";"'),
        (b"--x\r\n\xff\xfe: \xff\r\n\r\n\r\n--x--", BOUNDARY),
        (b"--x--", "multipart/form-data; boundary*=unicode_escape''%5Cud800"),
        (b"--x--", "multipart/form-data; boundary*=a%00b''BB"),
        (b"--x--", "multipart/form-data; boundary*=x; boundary*0=x"),
    ],
)
def test_broken_form_is_rejected(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput, match="^The request body must be multipart/form-data"):
        image_upload(body, content_type)


def test_empty_form_is_rejected() -> None:
    with pytest.raises(InvalidInput, match=r"^(file is required|The request body must be)"):
        image_upload(b"", BOUNDARY)


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=file; filename*=a%00b''x",
        "form-data; name=file; filename*=unicode_escape''%5Cud800",
        "form-data; name=file; filename*=utf-7''+2AA-",
        "form-data; name*=utf-7''+2AA-",
        "form-data; name=file; filename*=utf-8''a; filename*0=b",
    ],
)
def test_name_in_an_unusual_codec_is_rejected(disposition: str) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\nimage\r\n--x--".encode()
    with pytest.raises(InvalidInput, match="^The request body must be multipart/form-data"):
        image_upload(body, BOUNDARY)


def test_form_with_too_many_parts_is_rejected_before_it_is_split() -> None:
    with pytest.raises(InvalidInput, match=r"^The form must have at most 64 parts\.$"):
        image_upload(b"--x\r\n" * 100_000, BOUNDARY)


def test_form_has_at_most_64_parts() -> None:
    others = {f"other{number}": "x" for number in range(63)}
    assert form(file=("a.jpg", b"bytes", "image/jpeg"), **others).data == b"bytes"
    with pytest.raises(InvalidInput, match=r"^The form must have at most 64 parts\.$"):
        form(file=("a.jpg", b"bytes", "image/jpeg"), **others, one_more="x")


def part(headers: str) -> bytes:
    """Return a form of one part with these headers, and the line break before them."""
    return f"--x\r\n{headers}\r\n\r\nimage\r\n--x--".encode()


def file_headers(size: int) -> str:
    """Return the headers of an image, of this size with the line break before them."""
    start = "Content-Disposition: form-data; name=file\r\nA: "
    return start + "a" * (size - len(start) - len("\r\n"))


def test_headers_of_a_part_have_at_most_2_kb() -> None:
    assert image_upload(part(file_headers(2_000)), BOUNDARY).data == b"image"
    with pytest.raises(
        InvalidInput, match=r"^The headers of a form's part must have at most 2,000"
    ):
        image_upload(part(file_headers(2_001)), BOUNDARY)


@pytest.mark.parametrize("filler", [";", "\r\n ;", '\\"', "; filename*0*=a", "\r\nA: b"])
def test_headers_over_2_kb_are_rejected_before_they_are_parsed(
    monkeypatch: pytest.MonkeyPatch, filler: str
) -> None:
    body = part('Content-Disposition: form-data; name="file' + filler * 2_000)
    monkeypatch.setattr(HeaderParser, "parsestr", lambda *_: pytest.fail("parsed"))
    with pytest.raises(InvalidInput, match=r"^The headers of a form's part must have at most"):
        image_upload(body, BOUNDARY)


def test_content_type_over_2_kb_is_rejected() -> None:
    content_type = 'multipart/form-data; a="' + ";" * 2_000 + '"; boundary=x'
    with pytest.raises(InvalidInput, match="^The request body must be multipart/form-data"):
        image_upload(part(file_headers(100)), content_type)


@pytest.mark.parametrize("boundary", ["x;y", "x;", '"x', "=x", "x=", " x"])
def test_form_is_split_by_the_boundary_that_its_parts_are_counted_by(boundary: str) -> None:
    quoted = boundary.replace('"', '\\"')
    content_type = f'multipart/form-data; boundary="{quoted}"'
    body = part(file_headers(100)).replace(b"--x", f"--{boundary}".encode())
    assert image_upload(body, content_type).data == b"image"
    with pytest.raises(InvalidInput, match=r"^The form must have at most 64 parts\.$"):
        image_upload(body[: -len(f"--{boundary}--")] * 100, content_type)
    with pytest.raises(InvalidInput, match="^The request body must be multipart/form-data"):
        image_upload(part(file_headers(100)).replace(b"--x", b"--z") * 100, content_type)


def test_text_before_and_after_the_parts_is_ignored() -> None:
    body = b"--y A: b\r\n\r\n" + b"\r\n" + part(file_headers(100)) + b"\r\n--x\r\nno part"
    assert image_upload(body, BOUNDARY).data == b"image"


def test_file_name_in_utf_8_or_latin_1_is_decoded() -> None:
    for encoded in ("utf-8''%C3%9C.jpg", "iso-8859-1'en'%DC.jpg", "UTF-8''%C3%9C.jpg"):
        headers = f"Content-Disposition: form-data; name=file; filename*={encoded}"
        assert image_upload(part(headers), BOUNDARY).metadata.filename_orig == "Ü.jpg"


def test_unknown_charset_is_not_looked_up() -> None:
    # Python would remember its name for as long as the process lives.
    before = set(encodings._cache)
    headers = "Content-Disposition: form-data; name=file; filename*=no-charset''a"
    for content_type in (BOUNDARY, "multipart/form-data; boundary*=no-charset''x"):
        with pytest.raises(InvalidInput, match="^The request body must be multipart/form-data"):
            image_upload(part(headers), content_type)
    assert set(encodings._cache) == before


def test_text_that_is_not_utf_8_is_rejected_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"^city must be valid UTF-8\.$"):
        metadata(city=b"\xff\xfe")


def test_invalid_metadata_is_rejected() -> None:
    with pytest.raises(InvalidInput, match="^geotag_lat must be a number"):
        metadata(geotag_lat="north", geotag_lng="1")


def test_all_metadata_fields_are_read() -> None:
    texts = {
        "filename_orig": "IMG_1.JPG",
        "tags": "sea, sun",
        "desc": "A day at the sea",
        "make": "SONY",
        "model": "A300",
        "city": "Venezia",
        "nation": "Italia",
        "address": "Piazza San Marco",
    }
    read = metadata(
        **texts,
        geotag_lat="45.5",
        geotag_lng="-0",
        taken_date="2012:07:15 09:46:46",
        filesize="12345",
    )
    assert read == PhotoMetadata(
        **texts, geotag_lat=45.5, geotag_lng=0, taken_date="2012-07-15T09:46:46"
    )


@pytest.mark.parametrize("absent", ["", " ", "undefined", "null", "NaN"])
def test_absent_file_name_is_taken_from_the_file(absent: str) -> None:
    assert metadata(filename_orig=absent) == PhotoMetadata(filename_orig="a.jpg")
