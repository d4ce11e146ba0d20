"""Dates of images."""

from datetime import datetime

import pytest

from chalicelib import dates
from chalicelib.photos.photo import sort_key


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2012:07:15 09:46:46", "2012-07-15T09:46:46"),
        ("2012-07-15T09:46:46", "2012-07-15T09:46:46"),
        ("2012-07-15 09:46:46+09:00", "2012-07-15T09:46:46+09:00"),
        ("2012-07-15T09:46:46.000Z", "2012-07-15T09:46:46+00:00"),
        ("2012-07-15T09:46", "2012-07-15T09:46:00"),
        ("2012-07-15", "2012-07-15T00:00:00"),
    ],
)
def test_a_date_is_read_as_exif_or_as_iso(text: str, iso: str) -> None:
    assert dates.parse_date(text).isoformat() == iso


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2012:13:45 09:46:46", "2012-02-30", "20120715", "2012-W28-7", "１２"]
)
def test_what_is_no_date_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        dates.parse_date(text)


@pytest.mark.parametrize("offset", ["+25:00", "JST", "", None, "+09"])
def test_an_offset_that_is_none_is_left_out(offset: str | None) -> None:
    assert dates.parse_exif_date("2019:05:06 07:08:09", offset).tzinfo is None


def test_photos_sort_by_their_own_local_time_wherever_they_were_taken() -> None:
    tokyo = sort_key(datetime.fromisoformat("2019-05-06T09:00:00+09:00"), "a")
    lisbon = sort_key(datetime.fromisoformat("2019-05-06T08:00:00+01:00"), "b")
    later = sort_key(datetime.fromisoformat("2019-05-06T09:00:00.5"), "a")
    assert lisbon < tokyo < later
