"""What a photo is: its fields and their limits, its states, its id and what is computed from it.

This is the only definition: the DynamoDB model (`models`), the list query (`query`) and the API's
shapes (`api.requests`, `api.responses`) are derived from it. It knows nothing about HTTP or AWS.
"""

import os
import re
import time
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import fields

from chalicelib import dates
from chalicelib.errors import InvalidInput

MAX_TEXT = 2_000  # characters
MAX_DESCRIPTION = 10_000
MAX_TAGS = 50
MAX_BYTES = 100_000_000  # what the functions can fetch and decode in their memory
LIMITS = {"geotag_lat": 90, "geotag_lng": 180}  # degrees, in both directions

Text = Annotated[
    str, Meta(max_length=MAX_TEXT, description=f"a text of at most {MAX_TEXT:,} characters")
]
Description = Annotated[
    str,
    Meta(
        max_length=MAX_DESCRIPTION,
        description=f"a text of at most {MAX_DESCRIPTION:,} characters",
    ),
]
Latitude = Annotated[
    float,
    Meta(ge=-LIMITS["geotag_lat"], le=LIMITS["geotag_lat"], description="degrees, north positive"),
]
Longitude = Annotated[
    float,
    Meta(ge=-LIMITS["geotag_lng"], le=LIMITS["geotag_lng"], description="degrees, east positive"),
]


# What to do if the user already has the bytes of an upload.
OnDuplicate = Literal["keep", "skip"]
# What can be done with many photos at once.
BatchAction = Literal["trash", "restore", "delete", "favorite", "unfavorite", "tag", "untag"]


class PhotoState(StrEnum):
    """The stage of a photo's life: a ready one is listed, a trashed one only in the trash."""

    PENDING = "pending"
    READY = "ready"
    TRASHED = "trashed"
    DELETING = "deleting"


# In these, a photo has its objects, and its owner can reach it.
STORED_STATES = (PhotoState.READY, PhotoState.TRASHED)


class PhotoMetadata(Struct, kw_only=True):
    """What the owner may say about a photo; None where nothing is said."""

    filename_orig: Text | None = None
    tags: Annotated[Text, Meta(description="comma-separated, possibly empty")] = ""
    desc: Description = ""
    make: Text | None = None
    model: Text | None = None
    city: Text | None = None
    nation: Text | None = None
    address: Text | None = None
    geotag_lat: Latitude | None = None  # given together with geotag_lng; 0 is a valid position
    geotag_lng: Longitude | None = None
    taken_date: (
        Annotated[str, Meta(description="ISO 8601, with the offset if the camera recorded one")]
        | None
    ) = None


class PhotoFields(PhotoMetadata, kw_only=True):
    """What is shown of a photo, under the same names in the API and in the database."""

    id: str
    user_id: str
    filename: Annotated[str, Meta(description="the stored name")]
    filesize: Annotated[int, Meta(description="bytes")]
    upload_date: Annotated[str, Meta(description="ISO 8601, UTC")]
    # These four are measured, so a pending photo does not have them yet.
    content_type: Annotated[str, Meta(description="detected from the bytes, never from the name")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Meta(description="pixels, of the upright image")]
    height: Annotated[int, Meta(description="pixels, of the upright image")]
    # Photos of earlier versions have none.
    thumbhash: (
        Annotated[str, Meta(description="a placeholder of about 25 bytes, in base64: ThumbHash")]
        | None
    ) = None
    favorite: bool = False
    albums: Annotated[list[str], Meta(description="the IDs of the albums it is in")] = []
    trashed_date: (
        Annotated[str, Meta(description="ISO 8601, UTC; null unless it is in the trash")] | None
    ) = None


METADATA = PhotoMetadata.__struct_fields__
SHOWN = (*(name for name in PhotoFields.__struct_fields__ if name not in METADATA), *METADATA)
MEASURED = {"content_type", "sha256", "width", "height"}
NUMBERS = {"filesize", "width", "height", *LIMITS}
FLAGS = {"favorite"}
ID_LISTS = {"albums"}
OPTIONAL = {one.name for one in fields(PhotoFields) if not one.required}
EMPTY_TEXTS = {"tags", "desc"}  # absent means empty; other optional fields are None
# The field of each signed URL, by what it shows.
URLS = {"thumb": "thumbSrc", "preview": "previewSrc", "original": "originalSrc"}
# What a field has when it was cleared, if it is not None.
EMPTY: dict[str, Any] = dict.fromkeys(EMPTY_TEXTS, "") | dict.fromkeys(FLAGS, False)
# The items of used Idempotency-Keys, and those that `derived` defines, are among the photos; they
# sort after the ids of photos, which are hexadecimal.
KEY_PREFIX = "key#"
_SEARCHED = ("tags", "desc", "city", "nation", "address", "filename_orig")
# What a change depends on besides the fields that it changes: from these, `computed_fields` and
# `derived` compute everything else, and a position has two halves.
INTERDEPENDENT = (
    *("state", *_SEARCHED, "taken_date", "taken_key", *LIMITS),
    *("favorite", "albums", "trashed_date"),
)

ID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ID = re.compile(ID_PATTERN)

_MOST_SHOWN = 10**15  # bytes; a number in a request may have thousands of digits

_MAX_MARKS = 30
_LIKE_MARKS = "\u0f73\u0f75\u0f81\uff9e\uff9f"  # letters that NFKC replaces by nothing but marks


@dataclass(frozen=True)
class PhotoQuery:
    """Which photos a list has, and in which order."""

    limit: int = 1000
    cursor: str | None = None
    sort: str = "taken"  # or "uploaded"
    order: str = "desc"  # or "asc"
    words: tuple[str, ...] = ()  # folded; all must match
    tag: str | None = None  # folded
    first: str | None = None  # bounds of the sort key, from `first_sort_key`
    last: str | None = None
    bbox: tuple[float, float, float, float] | None = None  # west, south, east, north in degrees
    with_position: bool = False  # only photos that have a position
    favorite: bool = False  # only favorites
    trashed: bool = False  # only photos in the trash, else only others
    urls: tuple[str, ...] = tuple(URLS)  # which signed URLs each photo has


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def first_id(moment: datetime) -> str:
    """Return what sorts before every id that `new_id` makes at a moment or later."""
    milliseconds = f"{int(moment.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def is_id(text: str) -> bool:
    """Return whether `text` can be an id that `new_id` made."""
    return _ID.fullmatch(text) is not None


def folded(text: str) -> str:
    """Return a text for comparison: without differences of case or of Unicode spelling.

    Folding takes some letters apart, such as the Greek iota with dialytika and tonos, but only if
    they are one character. So it begins with separate characters, and what it returns is normalized
    again (Unicode, section 3.13, D145 and D146).
    """
    decomposed = _normalized("NFKD", text.strip()).casefold()
    # Folding comes last, as it did in earlier versions, so that what they stored is found.
    return _normalized("NFKC", decomposed).casefold()


def _normalized(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """Return a text in a normal form, but with no more than 30 combining marks in a row in order.

    Sorting the marks of one letter takes quadratic time, so longer rows are normalized in pieces.
    30 is the limit of Unicode's stream-safe text (UAX #15, section 13).
    """
    if len(text) <= _MAX_MARKS or text.isascii():
        return unicodedata.normalize(form, text)
    pieces, start, marks = [], 0, 0
    for place, character in enumerate(text):
        is_mark = unicodedata.combining(character) or character in _LIKE_MARKS
        marks = marks + 1 if is_mark else 0
        if marks > _MAX_MARKS:
            pieces.append(text[start:place])
            start, marks = place, 1
    pieces.append(text[start:])
    return "".join(unicodedata.normalize(form, piece) for piece in pieces)


def split_tags(tags: str) -> list[str]:
    """Return the tags of a comma-separated text, each once, as they are written."""
    written = (tag.strip() for tag in tags.split(","))
    return list({folded(tag): tag for tag in written if tag}.values())


def readable_size(size: int) -> str:
    """Return a number of bytes as people read it, rounded up: `11 bytes`, `3.6 MB`, `100 MB`."""
    if size > _MOST_SHOWN:
        return f"more than {readable_size(_MOST_SHOWN)}"
    if size < 100_000:
        return f"{size:,} bytes"
    whole, tenth = divmod(-(-size // 100_000), 10)
    return f"{whole:,}.{tenth} MB" if tenth else f"{whole:,} MB"


def rounded(degrees: float) -> float:
    """Return a coordinate in seven digits, about a centimeter, and zero without a sign.

    DynamoDB rejects a number between 0 and 1e-130.
    """
    return round(degrees, 7) + 0.0


def require_whole_position(latitude: float | None, longitude: float | None) -> None:
    """Raise InvalidInput if only one half of a position is given."""
    if (latitude is None) != (longitude is None):
        raise InvalidInput("geotag_lat and geotag_lng must be given together.")


def require_tags(tags: str) -> None:
    """Raise InvalidInput for too many tags, or too long ones."""
    if len(split_tags(tags)) > MAX_TAGS:
        raise InvalidInput(f"tags must be at most {MAX_TAGS} tags.")
    if len(tags) > MAX_TEXT:
        raise InvalidInput(f"tags must be a text of at most {MAX_TEXT:,} characters.")
    require_searchable("tags", tags)


def require_searchable(name: str, text: str) -> None:
    """Raise InvalidInput if a text becomes too long when folded: one character may become 18."""
    limit = MAX_DESCRIPTION if name == "desc" else MAX_TEXT
    if len(folded(text).encode()) > 4 * limit:
        raise InvalidInput(
            f"{name} must be a text of at most {limit:,} characters, and some of its characters "
            "count as several."
        )


def computed_fields(photo: Any) -> dict[str, Any]:
    """Return the stored fields that follow from the others: sort key, folded tags, search text.

    `photo` is a model instance. Only a ready photo has a sort key.
    """
    taken = datetime.fromisoformat(photo.taken_date or photo.upload_date)
    texts = (getattr(photo, name) for name in _SEARCHED)
    return {
        "taken_key": sort_key(taken, photo.id) if photo.state == PhotoState.READY else None,
        "tag_keys": [folded(tag) for tag in split_tags(photo.tags)],
        "search_text": folded("\n".join(text for text in texts if text)),
    }


def sort_key(moment: datetime, photo_id: str) -> str:
    """Return a text that sorts photos by their own local time, unique by the photo's id."""
    return f"{moment.replace(tzinfo=None).isoformat()}#{photo_id}"


def id_of_sort_key(key: str) -> str:
    """Return the photo's id, which ends its sort key."""
    return key.rpartition("#")[2]


def first_sort_key(date: str) -> str:
    """Return what sorts before every photo taken on a day or at a moment, or later.

    Photos are compared by their own local time: an offset makes no difference. Raises ValueError.
    """
    local = dates.parse_date(date).replace(tzinfo=None)
    return local.date().isoformat() if dates.is_day(date) else local.isoformat()


def last_sort_key(date: str) -> str:
    """Return what sorts after every photo taken on a day or at a moment. Raises ValueError."""
    return first_sort_key(date) + ("~" if dates.is_day(date) else "#~")
