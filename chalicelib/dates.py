"""Dates of pictures: a camera's local time, and its offset from UTC when the camera knew it.

Sources: Exif 2.32 (CIPA DC-008), tags DateTimeOriginal and OffsetTimeOriginal; ISO 8601.
"""

import re
from datetime import UTC, datetime

_EXIF_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_ISO_DATE = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?)?"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET = re.compile(r"[+-]\d\d:\d\d|Z")


def parse_exif_date(text: str, offset: str | None = None) -> datetime:
    """Read `2012:07:15 09:46:46` and an offset such as `+09:00`; without one the result is naive.

    Raises ValueError for anything else. An offset that is not one is left out.
    """
    match = _EXIF_DATE.fullmatch(text.strip())
    if not match:
        raise ValueError("not an EXIF date")
    year, month, day, time = match.groups()
    iso = f"{year}-{month}-{day}T{time}"
    local = datetime.fromisoformat(iso)
    if offset and _OFFSET.fullmatch(offset.strip()):
        try:
            return datetime.fromisoformat(iso + offset.strip())
        except ValueError:
            return local
    return local


def parse_date(text: str) -> datetime:
    """Read a date as EXIF writes it or as ISO 8601, with or without time and offset.

    Raises ValueError for anything else.
    """
    text = text.strip()
    if _EXIF_DATE.fullmatch(text):
        return parse_exif_date(text)
    if not _ISO_DATE.fullmatch(text):
        raise ValueError("not an ISO 8601 date")
    return datetime.fromisoformat(text.upper())


def utc_now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def photo_id_of(sort_key: str) -> str:
    """Return the photo's id, which ends its sort key."""
    return sort_key.rpartition("#")[2]


def first_key_of(text: str) -> str:
    """Return what sorts before every photo taken at a date or moment, or later.

    Photos are compared by their own local time: an offset makes no difference. Raises ValueError.
    """
    if _DAY.fullmatch(text):
        return parse_date(text).date().isoformat()
    return parse_date(text).replace(tzinfo=None).isoformat()


def last_key_of(text: str) -> str:
    """Return what sorts after every photo taken on a date or at a moment. Raises ValueError."""
    separator = "~" if _DAY.fullmatch(text) else "#~"
    return first_key_of(text) + separator


def local_sort_key(moment: datetime, photo_id: str) -> str:
    """Return a text that sorts pictures by their own local time, unique by the photo's id."""
    return f"{moment.replace(tzinfo=None).isoformat()}#{photo_id}"
