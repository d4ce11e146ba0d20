"""EXIF, valid and invalid."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from chalicelib.images.exif import Exif, read_exif, read_orientation
from tests.support.images import exif, full_exif, jpeg


def exif_of(tags: Image.Exif | bytes) -> Exif:
    return read_exif(Image.open(io.BytesIO(jpeg(exif=tags))))


def test_valid_exif_is_read() -> None:
    found = exif_of(full_exif())
    assert found.taken is not None
    assert found.taken.isoformat() == "2019-05-06T07:08:09+09:00"
    assert (found.make, found.model) == ("SONY", "DSLR-A300")
    assert found.latitude == pytest.approx(-33.858333, abs=1e-6)
    assert found.longitude == pytest.approx(-70.5)


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
