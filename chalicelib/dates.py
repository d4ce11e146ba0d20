"""Dates of photos: a camera's local time, and its UTC offset if the camera recorded one.

Sources: Exif 2.32 (CIPA DC-008), tags DateTimeOriginal and OffsetTimeOriginal; ISO 8601.
"""

import re
from datetime import UTC, datetime

# Both forms as regular expressions, also for the API's document.
EXIF_DATE = r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d"
ISO_DATE = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?)?"

_EXIF_DATE = re.compile(EXIF_DATE)
_ISO_DATE = re.compile(ISO_DATE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ZONE_NAME = re.compile(r" ?(?:GMT|UTC)(?:([+-])(\d\d?))?$")  # as some phones write it
_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")


def parse_exif_date(text: str, offset: str | None = None) -> datetime:
    """Read `2012:07:15 09:46:46` and an offset such as `+09:00`; without one the result is naive.

    Editors also write ISO 8601, whose own offset counts more. A malformed offset is ignored. Raises
    ValueError for any other text.
    """
    text = _ZONE_NAME.sub(_offset_of_zone, text.strip().upper())
    iso = text[:10].replace(":", "-") + text[10:]
    if not _ISO_DATE.fullmatch(iso):
        raise ValueError("not an EXIF date")
    local = datetime.fromisoformat(iso)
    if local.tzinfo:
        return local
    if offset and _OFFSET.fullmatch(offset.strip()):
        try:
            return datetime.fromisoformat(local.isoformat() + offset.strip())
        except ValueError:
            return local
    return local


def _offset_of_zone(zone: re.Match[str]) -> str:
    return f"{zone[1]}{zone[2]:0>2}" if zone[1] else "Z"


def parse_date(text: str) -> datetime:
    """Read a date in EXIF format or in ISO 8601, with or without time and offset.

    Raises ValueError for any other text.
    """
    text = text.strip()
    if _EXIF_DATE.fullmatch(text):
        return parse_exif_date(text)
    if not _ISO_DATE.fullmatch(text):
        raise ValueError("not an ISO 8601 date")
    return datetime.fromisoformat(text.upper())


def is_day(text: str) -> bool:
    """Return whether a date is a calendar day without a time, such as `2012-07-15`."""
    return _DAY.fullmatch(text) is not None


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
