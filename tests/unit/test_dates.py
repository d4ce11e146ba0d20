"""Dates of photos."""

import pytest

from chalicelib import dates


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
def test_anything_else_is_not_a_date(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        dates.parse_date(text)


@pytest.mark.parametrize("offset", ["+25:00", "JST", "", None, "+09"])
def test_malformed_offset_is_ignored(offset: str | None) -> None:
    assert dates.parse_exif_date("2019:05:06 07:08:09", offset).tzinfo is None
