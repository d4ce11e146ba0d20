"""What a camera wrote beside the picture: when, where and with what.

Source: Exif 2.32 (CIPA DC-008). Cameras and editors write it wrong in every way there is, so each
tag is read alone, and one that makes no sense is left out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from chalicelib import dates

T = TypeVar("T")

# The first photograph that still exists was taken in 1826 or 1827.
_OLDEST_YEAR = 1826
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Exif:
    """The tags the album keeps; None where the camera did not write a usable one."""

    taken: datetime | None = None  # local time, aware only if the camera knew its offset
    make: str | None = None
    model: str | None = None
    latitude: float | None = None  # degrees, north positive; set together with longitude
    longitude: float | None = None  # degrees, east positive


def read_exif(image: Image.Image) -> Exif:
    """Return what the picture's EXIF says, tag by tag; it never fails."""
    tags = _attempt(image.getexif)
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


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) when there is none that makes sense."""
    orientation = _attempt(lambda: int(image.getexif()[Base.Orientation]))
    return orientation if orientation is not None and 1 <= orientation <= 8 else 1


def _attempt(read: Callable[[], T]) -> T | None:
    # Pillow raises whatever hostile bytes provoke: struct.error, ZeroDivisionError, SyntaxError.
    try:
        return read()
    except Exception:  # noqa: BLE001
        return None


def _taken(
    root: Mapping[int, Any], camera: Mapping[int, Any], gps: Mapping[int, Any]
) -> datetime | None:
    def written(directory: Mapping[int, Any], date: int, offset: int) -> datetime:
        # Many cameras write one offset, that of the file, for all their dates.
        zone = _attempt(lambda: _text(camera[offset])) or _attempt(
            lambda: _text(camera[Base.OffsetTime])
        )
        return _plausible(dates.parse_exif_date(_text(directory[date]), zone))

    candidates: list[Callable[[], datetime]] = [
        lambda: written(camera, Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        lambda: written(camera, Base.DateTimeDigitized, Base.OffsetTimeDigitized),
        lambda: written(root, Base.DateTime, Base.OffsetTime),
        lambda: _plausible(_gps_time(gps)),
    ]
    found = (_attempt(candidate) for candidate in candidates)
    return next((moment for moment in found if moment), None)


def _plausible(moment: datetime) -> datetime:
    # A camera on the other side of the date line is ahead of us by a day at most.
    latest = dates.utc_now() + timedelta(days=1)
    if moment.year < _OLDEST_YEAR or moment.replace(tzinfo=UTC) > latest:
        raise ValueError("the camera's clock was not set")
    return moment


def _gps_time(gps: Mapping[int, Any]) -> datetime:
    day = _text(gps[GPS.GPSDateStamp]).replace(":", "-")
    hours, minutes, seconds = (float(part) for part in gps[GPS.GPSTimeStamp])
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return midnight + timedelta(hours=hours, minutes=minutes, seconds=int(seconds))


def _position(gps: Mapping[int, Any]) -> tuple[float, float]:
    latitude = _degrees(gps[GPS.GPSLatitude], gps[GPS.GPSLatitudeRef], "NS", 90)
    longitude = _degrees(gps[GPS.GPSLongitude], gps[GPS.GPSLongitudeRef], "EW", 180)
    return latitude, longitude


def _degrees(parts: Any, reference: Any, directions: str, limit: int) -> float:
    degrees: float = sum(float(part) / 60**power for power, part in enumerate(parts))
    direction = _text(reference).upper()
    if not math.isfinite(degrees) or not 0 <= degrees <= limit or len(direction) != 1:
        raise ValueError("not a place on Earth")
    sign = (1, -1)[directions.index(direction)]
    return round(sign * degrees, 7)  # a centimetre


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text: str = value.split("\0", 1)[0].strip()
    if not text or len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError("no text")
    return text
