"""EXIF, valid and invalid."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from chalicelib.images.decoding import read_image
from chalicelib.images.exif import Exif, read_exif, read_orientation
from chalicelib.photos.photo import sort_key
from tests.support.images import (
    encoded,
    exif,
    full_exif,
    gradient,
    jpeg,
    png_chunk,
    with_app1,
    with_chunk,
)
from tests.support.thumbnails import SIZES


def exif_of(tags: Image.Exif | bytes) -> Exif:
    return read_exif(Image.open(io.BytesIO(jpeg(exif=tags))))


def test_valid_exif_is_read() -> None:
    found = exif_of(full_exif())
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+09:00"
    assert (found.make, found.model) == ("SONY", "DSLR-A300")
    assert found.latitude == pytest.approx(-33.858333, abs=1e-6)
    assert found.longitude == pytest.approx(-70.5)


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2019-05-06T07:08:09", "2019-05-06T07:08:09"),
        ("2019-05-06 07:08:09", "2019-05-06T07:08:09"),
        ("2019-05-06T07:08:09Z", "2019-05-06T07:08:09+00:00"),
        ("2019-05-06T07:08:09.25+02:00", "2019-05-06T07:08:09.250000+02:00"),
        ("2019:05:06 07:08:09-0330", "2019-05-06T07:08:09-03:30"),
        ("2019-05-06", "2019-05-06T00:00:00"),
        ("2019-05-06T07:08:09GMT+2", "2019-05-06T07:08:09+02:00"),
        ("2019:05:06 07:08:09 UTC", "2019-05-06T07:08:09+00:00"),
    ],
)
@pytest.mark.parametrize("tag", [Base.DateTimeOriginal, Base.DateTimeDigitized, Base.DateTime])
def test_date_in_iso_form_is_accepted(tag: int, written: str, iso: str) -> None:
    tags = {tag: written}
    found = exif_of(exif(tags) if tag == Base.DateTime else exif(camera=tags))
    assert found.taken is not None
    assert found.taken.isoformat() == iso


def test_offset_of_a_date_in_iso_form_counts_more_than_the_tag_of_the_offset() -> None:
    found = exif_of(
        exif(camera={Base.DateTimeOriginal: "2019-05-06T07:08:09+02:00", Base.OffsetTime: "+09:00"})
    )
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+02:00"


@pytest.mark.parametrize(
    ("digits", "microsecond"),
    [
        ("5", 500_000),
        ("05", 50_000),
        ("123", 123_000),
        ("123456789", 123_456),
        ("87  ", 870_000),
        ("", 0),
        ("x", 0),
        ("-1", 0),
        ("1" * 10, 0),
        ("1²", 0),
    ],
)
@pytest.mark.parametrize(
    ("date", "fraction"),
    [
        (Base.DateTimeOriginal, Base.SubsecTimeOriginal),
        (Base.DateTimeDigitized, Base.SubsecTimeDigitized),
        (Base.DateTime, Base.SubsecTime),
    ],
)
def test_fraction_of_a_second_is_part_of_its_date(
    date: int, fraction: int, digits: str, microsecond: int
) -> None:
    day = {date: "2019:05:06 07:08:09"}
    camera = {fraction: digits.encode()} | ({} if date == Base.DateTime else day)
    found = exif_of(exif(day if date == Base.DateTime else {}, camera))
    assert found.taken is not None
    assert (found.taken.second, found.taken.microsecond) == (9, microsecond)


def test_fraction_of_another_date_is_ignored() -> None:
    found = exif_of(
        exif(camera={Base.DateTimeOriginal: "2019:05:06 07:08:09", Base.SubsecTimeDigitized: "5"})
    )
    assert found.taken is not None
    assert found.taken.microsecond == 0


def test_photos_of_a_burst_are_sorted_by_the_fraction_of_their_second() -> None:
    burst = [
        exif_of(exif(camera={Base.DateTimeOriginal: "2019:05:06 07:08:09", tag: digits}))
        for tag, digits in [
            (Base.Software, "none"),
            (Base.SubsecTimeOriginal, "08"),
            (Base.SubsecTimeOriginal, "1"),
            (Base.SubsecTimeOriginal, "95"),
        ]
    ]
    stored = [one.taken.isoformat() for one in burst if one.taken]
    ids = ["d", "c", "b", "a"]
    keys = [
        sort_key(datetime.fromisoformat(taken), name)
        for taken, name in zip(stored, ids, strict=True)
    ]
    assert keys == sorted(keys)


def test_image_without_exif_has_no_values() -> None:
    assert exif_of(b"") == Exif()


@pytest.mark.parametrize(
    ("camera", "root", "gps", "iso"),
    [
        ({Base.DateTimeOriginal: "2019:05:06 07:08:09"}, {}, {}, "2019-05-06T07:08:09"),
        (
            {Base.DateTimeOriginal: "2019:05:06 07:08:09", Base.OffsetTime: "-03:30"},
            {},
            {},
            "2019-05-06T07:08:09-03:30",
        ),
        (
            {
                Base.DateTimeOriginal: "2019:05:06 07:08:09",
                Base.OffsetTimeOriginal: "+09:00",
                Base.OffsetTime: "+01:00",
            },
            {},
            {},
            "2019-05-06T07:08:09+09:00",
        ),
        (
            {
                Base.DateTimeDigitized: "2019:05:06 07:08:09",
                Base.OffsetTimeDigitized: "+02:00",
                Base.OffsetTimeOriginal: "+09:00",
            },
            {},
            {},
            "2019-05-06T07:08:09+02:00",
        ),
        (
            {Base.DateTimeOriginal: "0000:00:00 00:00:00"},
            {Base.DateTime: "2019:05:07 00:00:00"},
            {},
            "2019-05-07T00:00:00",
        ),
        (
            {Base.DateTimeOriginal: "2019:05:06 07:08:09"},
            {},
            {GPS.GPSDateStamp: "2019:05:05", GPS.GPSTimeStamp: (22.0, 8.0, 9.0)},
            "2019-05-06T07:08:09",
        ),
        (
            {},
            {},
            {GPS.GPSDateStamp: "2019:05:05", GPS.GPSTimeStamp: (22.0, 8.0, 9.0)},
            "2019-05-05T22:08:09+00:00",
        ),
    ],
    ids=[
        "local",
        "OffsetTime",
        "OffsetTimeOriginal first",
        "digitized",
        "invalid original",
        "GPS last",
        "only GPS",
    ],
)
def test_most_reliable_date_is_used(
    camera: dict[int, Any], root: dict[int, Any], gps: dict[int, Any], iso: str
) -> None:
    found = exif_of(exif(root, camera, gps))
    assert found.taken is not None
    assert found.taken.isoformat() == iso


@pytest.mark.parametrize(
    "date", ["2099:01:01 00:00:00", "1700:01:01 00:00:00", "2019:05:06 07:\x0008:09", "not a date"]
)
def test_implausible_date_is_skipped_and_other_tags_are_kept(date: str) -> None:
    found = exif_of(exif({Base.Make: "SONY"}, {Base.DateTimeOriginal: date}))
    assert (found.taken, found.make) == (None, "SONY")


def position(lat: Any, lat_ref: Any, lng: Any, lng_ref: Any) -> dict[int, Any]:
    tags = {
        GPS.GPSLatitude: lat,
        GPS.GPSLatitudeRef: lat_ref,
        GPS.GPSLongitude: lng,
        GPS.GPSLongitudeRef: lng_ref,
    }
    return {tag: value for tag, value in tags.items() if value is not None}


ZERO = (0.0, 0.0, 0.0)


def test_zero_degrees_is_a_valid_position() -> None:
    found = exif_of(exif(gps=position(ZERO, "N", ZERO, "E")))
    assert (found.latitude, found.longitude) == (0, 0)


UNKNOWN = IFDRational(0, 0)


@pytest.mark.parametrize(
    ("parts", "degrees"),
    [
        ((33.0, 51.0, UNKNOWN), 33.85),
        ((33.0, UNKNOWN, UNKNOWN), 33.0),
        ((33.0, UNKNOWN, 36.0), 33.01),
        ((33.85,), 33.85),
        ((33.0, 51.0), 33.85),
    ],
)
def test_position_without_minutes_or_seconds_is_kept(
    parts: tuple[Any, ...], degrees: float
) -> None:
    found = exif_of(exif(gps=position(parts, "S", parts, "E")))
    assert (found.latitude, found.longitude) == pytest.approx((-degrees, degrees))


def test_date_of_gps_without_seconds_is_kept() -> None:
    found = exif_of(
        exif(gps={GPS.GPSDateStamp: "2019:05:05", GPS.GPSTimeStamp: (22.0, 8.0, UNKNOWN)})
    )
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-05T22:08:00+00:00"


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        (position((90.0, 0.0, 0.0), "N", (180.0, 0.0, 0.0), "E"), (90, 180)),
        (position((90.0, 0.0, 0.0), "S", (180.0, 0.0, 0.0), "W"), (-90, -180)),
        (position((89.0, 59.0, 60.0), "N", (179.0, 60.0, 0.0), "W"), (90, -180)),
    ],
)
def test_pole_and_date_line_are_valid_positions(
    gps: dict[int, Any], place: tuple[int, int]
) -> None:
    found = exif_of(exif(gps=gps))
    assert (found.latitude, found.longitude) == place


@pytest.mark.parametrize(("hours", "is_kept"), [(0.1, True), (14, True), (26, False)])
def test_date_of_a_camera_that_is_ahead_is_kept_within_a_day(hours: float, is_kept: bool) -> None:
    # Across the date line, local time is up to 14 hours ahead of UTC.
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=hours)
    found = exif_of(exif(camera={Base.DateTimeOriginal: f"{moment:%Y:%m:%d %H:%M:%S}"}))
    assert (found.taken is not None) is is_kept


@pytest.mark.parametrize(
    "gps",
    [
        position((90.0001, 0.0, 0.0), "N", ZERO, "E"),
        position(ZERO, "N", (180.0, 0.0, 1.0), "E"),
        position((4294967295.0, 0.0, 0.0), "N", ZERO, "E"),
        position(ZERO, "N", (181.0, 0.0, 0.0), "E"),
        position((IFDRational(0, 0), 0.0, 0.0), "N", ZERO, "E"),
        position(ZERO, None, ZERO, "E"),
        position(ZERO, "X", ZERO, "E"),
        position(None, "N", None, "E"),
        position(ZERO, "N", None, "E"),
    ],
    ids=[
        "past the pole",
        "past the date line",
        "huge",
        "past 180",
        "zero denominator",
        "no N/S",
        "odd N/S",
        "references only",
        "half",
    ],
)
def test_invalid_position_is_skipped_and_other_tags_are_kept(gps: dict[int, Any]) -> None:
    found = exif_of(exif({Base.Make: "SONY"}, gps=gps))
    assert (found.latitude, found.longitude, found.make) == (None, None, "SONY")


@pytest.mark.parametrize(
    ("written", "read"),
    [("NIKON CORPORATION  \0\0", "NIKON CORPORATION"), ("  \0", None), (b"SONY\0", "SONY")],
    ids=["padding", "only padding", "bytes"],
)
def test_text_is_read_without_its_padding(written: str | bytes, read: str | None) -> None:
    found = exif_of(exif({Base.Make: written}))
    assert found.make == read


@pytest.mark.parametrize(
    "tags", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
def test_broken_exif_has_no_values(tags: bytes) -> None:
    assert exif_of(tags) == Exif()


@pytest.mark.parametrize(("written", "read"), [(0, 1), (1, 1), (6, 6), (8, 8), (9, 1), (65535, 1)])
def test_orientation_other_than_1_to_8_is_upright(written: int, read: int) -> None:
    image = jpeg(exif=exif({Base.Orientation: written}))
    assert read_orientation(Image.open(io.BytesIO(image))) == read


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description
tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""
XMP_CHUNK = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)


@pytest.mark.parametrize(
    "data",
    [
        encoded(gradient(), "JPEG", xmp=XMP),
        with_app1(encoded(gradient(), "JPEG", xmp=XMP), exif({Base.Make: "CAM"}).tobytes()[6:]),
        with_chunk(encoded(gradient(), "PNG"), XMP_CHUNK),
        with_chunk(encoded(gradient(), "PNG"), XMP_CHUNK, last=True),
        encoded(gradient(), "WEBP", xmp=XMP),
        encoded(gradient(), "TIFF", tiffinfo={700: XMP}),
        encoded(gradient(), "TIFF", tiffinfo={700: XMP}, compression="tiff_lzw"),
        encoded(gradient(), "AVIF", xmp=XMP),
        encoded(gradient(), "HEIF", xmp=XMP.replace(b'"6"', b'"1"')).replace(
            b'tiff:Orientation="1"', b'tiff:Orientation="6"'
        ),
        encoded(gradient(), "MPO", xmp=XMP, save_all=True, append_images=[gradient()]),
    ],
    ids=[
        "JPEG",
        "JPEG with EXIF",
        "PNG",
        "PNG at the end",
        "WEBP",
        "TIFF",
        "LZW",
        "AVIF",
        "HEIF",
        "MPO",
    ],
)
def test_orientation_of_xmp_is_ignored(data: bytes) -> None:
    image = read_image(data, SIZES)
    assert (image.width, image.height) == (640, 480)


def test_exif_in_a_text_of_png_is_read_and_its_orientation_is_ignored() -> None:
    tags = exif({Base.Orientation: 6, Base.Make: "CAM"}).tobytes()
    text = f"Raw profile type exif\0\nexif\n{len(tags)}\n{tags.hex()}\n".encode()
    image = read_image(with_chunk(encoded(gradient(), "PNG"), png_chunk(b"tEXt", text)), SIZES)
    assert (image.width, image.height, image.exif.make) == (640, 480, "CAM")
