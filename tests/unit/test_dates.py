"""Dates of photos."""

import contextlib
import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import dates
from chalicelib.photos.photo import first_sort_key, last_sort_key
from tests.support.strategies import ANY_TEXT


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
def test_date_is_read_in_exif_format_or_iso_8601(text: str, iso: str) -> None:
    assert dates.parse_date(text).isoformat() == iso


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2012:13:45 09:46:46", "2012-02-30", "20120715", "2012-W28-7", "１２"]
)
def test_other_text_is_not_a_date(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        dates.parse_date(text)


@pytest.mark.parametrize("offset", ["+25:00", "JST", "", None, "+09"])
def test_malformed_offset_is_ignored(offset: str | None) -> None:
    assert dates.parse_exif_date("2019:05:06 07:08:09", offset).tzinfo is None


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.none() | OFFSETS).map(lambda moment: moment.replace(fold=0)))
def test_any_date_is_read_as_it_was_written(moment: datetime) -> None:
    assert dates.parse_date(moment.isoformat()) == moment
    assert dates.parse_date(moment.isoformat()).utcoffset() == moment.utcoffset()
    naive = moment.replace(microsecond=0, tzinfo=None)
    written = f"{naive.year:04}:{naive:%m:%d %H:%M:%S}"
    assert dates.parse_date(written) == dates.parse_exif_date(written) == naive


@pytest.mark.parametrize(
    "read", [dates.parse_date, dates.parse_exif_date, first_sort_key, last_sort_key]
)
@given(st.text(string.digits + "-:TZ+., ", max_size=32) | ANY_TEXT)
def test_text_that_is_not_a_date_raises_no_other_error_than_value_error(
    read: Callable[[str], object], written: str
) -> None:
    with contextlib.suppress(ValueError):
        read(written)
