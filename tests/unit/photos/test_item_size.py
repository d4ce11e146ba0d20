"""The size of a photo's item, which DynamoDB limits together with its copy in the local index.

DynamoDB counts 400 KB (of 1,024 bytes) for "the size of an item's data in the table" and "of
corresponding entries in all local secondary indexes" (Amazon DynamoDB Developer Guide, "Quotas",
"Items"; sizes of values: "DynamoDB item sizes and formats").
"""

import json
import sys
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.api.parsing import json_body, photo_metadata
from chalicelib.api.requests import UploadRequest
from chalicelib.errors import InvalidInput
from chalicelib.images.decoding import read_image
from chalicelib.photos.models import ByTaken, Photo
from chalicelib.photos.photo import MAX_DESCRIPTION, MAX_TAGS, MAX_TEXT, folded, new_id
from chalicelib.photos.service import new_photo
from tests.support import images
from tests.support.thumbnails import SIZES

DYNAMODB_LIMIT = 400 * 1_024
LONGEST = 370_000  # with the copy, rounded up: what docs/data-model.md says
TEXTS = ("filename_orig", "make", "model", "city", "nation", "address")
NUMBER = 21  # the most bytes of one


def size_of(value: dict[str, Any]) -> int:
    """Return the bytes of an attribute's value, as DynamoDB counts them."""
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return NUMBER
    if kind == "BOOL":
        return 1
    assert kind == "L"
    return 3 + sum(1 + size_of(one) for one in content)


def item_size(photo: Photo) -> int:
    """Return the bytes of an item."""
    return sum(len(name) + size_of(value) for name, value in photo.serialize().items())


def tags_of(character: str, length: int) -> str:
    """Return as many different tags as a photo may have, of `length` characters together."""
    each = length // MAX_TAGS - 1
    tags = (character * (each - 1) + chr(0x10330 + number) for number in range(MAX_TAGS))
    return ",".join(tags)[:length]


def photo_of(character: str) -> Photo:
    """Return the item of a photo whose texts are as long as the API accepts with a character."""

    def longest(name: str, limit: int) -> str:
        length = limit
        while True:
            text = tags_of(character, length) if name == "tags" else character * length
            body = json.dumps({"filesize": 1, name: text}).encode()
            try:
                photo_metadata(json_body(body, UploadRequest))
            except InvalidInput:
                length = length * 9 // 10
                continue
            return text

    # All of them have the limit of the first, as the request below shows.
    texts = dict.fromkeys(TEXTS, longest(TEXTS[0], MAX_TEXT))
    texts |= {"tags": longest("tags", MAX_TEXT), "desc": longest("desc", MAX_DESCRIPTION)}
    others = {
        "filesize": 100_000_000,
        "geotag_lat": -1.2345678,
        "geotag_lng": -123.4567891,
        "taken_date": "2012-07-15T09:46:46.123456+09:00",
    }
    body = json.dumps(texts | others, ensure_ascii=False).encode()
    metadata = photo_metadata(json_body(body, UploadRequest))
    image = read_image(images.jpeg(8, 8), SIZES)
    return new_photo("0" * 36, new_id(), datetime.now(UTC), b"", image, metadata)


def growing_characters() -> list[str]:
    """Return, for each size that a character and its folded form may have, one that has it."""
    found: dict[tuple[int, int], str] = {}
    for code in range(0x80, sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) not in ("Cs", "Cn", "Co", "Zs", "Cc"):
            sizes = len(character.encode()), len(folded(character).encode())
            found.setdefault(sizes, character)
    return list(found.values())


def test_photo_at_all_limits_and_its_copy_in_the_index_fit_into_an_item() -> None:
    assert ByTaken.Meta.projection.projection_type == "ALL"
    largest = max(2 * item_size(photo_of(character)) for character in growing_characters())
    assert 360_000 < largest <= LONGEST < DYNAMODB_LIMIT


@pytest.mark.parametrize("character", ["\ufdfa", "\u0390"])
def test_text_that_grows_when_it_is_folded_is_rejected_where_the_item_could_become_too_large(
    character: str,
) -> None:
    texts = dict.fromkeys((*TEXTS, "tags"), character * MAX_TEXT)
    for name, text in texts.items():
        body = json.dumps({"filesize": 1, name: text}).encode()
        with pytest.raises(InvalidInput, match=f"^{name} must be"):
            photo_metadata(json_body(body, UploadRequest))
