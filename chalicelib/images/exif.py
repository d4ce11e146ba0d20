"""The EXIF of an image: when, where and with which camera it was taken.

Source: Exif 2.32 (CIPA DC-008). Cameras and editors make every possible mistake in it, so each tag
is read on its own, and an invalid one is skipped.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from chalicelib import dates

T = TypeVar("T")

_MIN_YEAR = 1826  # The oldest surviving photograph was taken in 1826 or 1827.
_MAX_TEXT = 200  # characters
_XMP = ("xmp", "XML:com.adobe.xmp")  # Pillow's names of it
_TEXT_PROFILE = "Raw profile type exif"  # in a text of PNG, whose orientation no browser applies
_FRACTION = re.compile(r"\d{1,9}")


@dataclass(frozen=True)
class Exif:
    """The values that the album uses; None where the camera wrote no valid one."""

    taken: datetime | None = None  # local time, aware only if the camera recorded its offset
    make: str | None = None
    model: str | None = None
    latitude: float | None = None  # degrees, north positive; set together with longitude
    longitude: float | None = None  # degrees, east positive


def read_exif(image: Image.Image) -> Exif:
    """Return the valid values of an image's EXIF; never raises."""
    tags = _attempt(lambda: _tags(image))
    if tags is None:
        return Exif()
    root: Mapping[int, Any] = tags
    camera = _attempt(lambda: tags.get_ifd(IFD.Exif)) or {}
    gps = _attempt(lambda: tags.get_ifd(IFD.GPSInfo)) or {}
    position = _attempt(lambda: _position(gps))
    return Exif(
        taken=_taken(root, camera, gps),
        make=_attempt(lambda: _text(root[Base.Make])),
        model=_attempt(lambda: _text(root[Base.Model])),
        latitude=position[0] if position else None,
        longitude=position[1] if position else None,
    )


def is_valid(exif: Exif) -> bool:
    """Return whether the values are such as `read_exif` returns."""
    try:
        texts = [text for text in (exif.make, exif.model) if text is not None]
        if [_text(text) for text in texts] != texts:
            return False
        if exif.taken is not None:
            _plausible(exif.taken)
    except ValueError:
        return False
    if exif.latitude is None or exif.longitude is None:
        return exif.latitude is exif.longitude
    return abs(exif.latitude) <= 90 and abs(exif.longitude) <= 180


def read_orientation(image: Image.Image) -> int:
    """Return the orientation to apply, 1 to 8; 1 (upright) if it is missing or invalid."""
    orientation: int | None = None
    if image.format == "HEIF":
        # pi-heif sets the one in EXIF to 1, and remembers what it was.
        orientation = image.info.get("original_orientation")
    elif "exif" in image.info or _TEXT_PROFILE not in image.info:
        orientation = _attempt(lambda: int(_tags(image)[Base.Orientation]))
    return orientation if orientation is not None and 1 <= orientation <= 8 else 1


def _tags(image: Image.Image) -> Image.Exif:
    """Return the EXIF, without the orientation that Pillow takes from XMP and no browser does."""
    found = [image.info.pop(name, None) for name in _XMP]
    if any(found):
        image._exif = None  # Pillow may have read it, with XMP, while it opened a JPEG.
    return image.getexif()


def _attempt(read: Callable[[], T]) -> T | None:
    # Hostile bytes make Pillow raise struct.error, ZeroDivisionError, SyntaxError and others.
    try:
        return read()
    except Exception:  # noqa: BLE001
        return None


def _taken(
    root: Mapping[int, Any], camera: Mapping[int, Any], gps: Mapping[int, Any]
) -> datetime | None:
    def date_of(directory: Mapping[int, Any], date: int, offset: int, fraction: int) -> datetime:
        # Many cameras record only the offset of DateTime, which applies to all dates.
        zone = _attempt(lambda: _text(camera[offset])) or _attempt(
            lambda: _text(camera[Base.OffsetTime])
        )
        moment = _plausible(dates.parse_exif_date(_text(directory[date]), zone))
        return moment.replace(
            microsecond=_attempt(lambda: _microseconds(camera[fraction])) or moment.microsecond
        )

    original, digitized, changed = (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal, Base.SubsecTimeOriginal),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized, Base.SubsecTimeDigitized),
        (Base.DateTime, Base.OffsetTime, Base.SubsecTime),
    )
    candidates: list[Callable[[], datetime]] = [
        lambda: date_of(camera, *original),
        lambda: date_of(camera, *digitized),
        lambda: date_of(root, *changed),
        lambda: _plausible(_gps_time(gps)),
    ]
    found = (_attempt(candidate) for candidate in candidates)
    return next((moment for moment in found if moment), None)


def _microseconds(fraction: Any) -> int:
    """Read the digits of a fraction of a second: `5` and `500` are half a second."""
    digits = _text(fraction)
    if not _FRACTION.fullmatch(digits):
        raise ValueError("invalid fraction")
    return int(digits[:6].ljust(6, "0"))


def _plausible(moment: datetime) -> datetime:
    # Across the date line, local time is ahead of UTC, but by less than a day.
    latest = dates.utc_now() + timedelta(days=1)
    if moment.year < _MIN_YEAR or moment.replace(tzinfo=UTC) > latest:
        raise ValueError("implausible date")
    return moment


def _gps_time(gps: Mapping[int, Any]) -> datetime:
    day = _text(gps[GPS.GPSDateStamp]).replace(":", "-")
    hours, minutes, seconds = _sexagesimal(gps[GPS.GPSTimeStamp])
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return midnight + timedelta(hours=hours, minutes=minutes, seconds=int(seconds))


def _position(gps: Mapping[int, Any]) -> tuple[float, float]:
    latitude = _degrees(gps[GPS.GPSLatitude], gps[GPS.GPSLatitudeRef], "NS", 90)
    longitude = _degrees(gps[GPS.GPSLongitude], gps[GPS.GPSLongitudeRef], "EW", 180)
    return latitude, longitude


def _sexagesimal(parts: Any) -> list[float]:
    """Return degrees or hours, minutes and seconds; many devices write 0/0 for unknown ones."""
    whole, *smaller = parts if isinstance(parts, tuple) else [parts]
    return [float(whole), *map(_number_or_zero, smaller)]


def _number_or_zero(part: Any) -> float:
    try:
        return float(part)
    except ZeroDivisionError:
        return 0.0


def _degrees(parts: Any, reference: Any, directions: str, limit: int) -> float:
    degrees: float = sum(part / 60**power for power, part in enumerate(_sexagesimal(parts)))
    direction = _text(reference).upper()
    if not math.isfinite(degrees) or not 0 <= degrees <= limit or len(direction) != 1:
        raise ValueError("invalid position")
    sign = (1, -1)[directions.index(direction)]
    return round(sign * degrees, 7)  # about a centimeter


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text: str = value.split("\0", 1)[0].strip()
    if not text or len(text) > _MAX_TEXT or not text.isprintable():
        raise ValueError("invalid text")
    return text
