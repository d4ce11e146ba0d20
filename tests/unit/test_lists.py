"""How much of an answer a photo takes."""

import json

import msgspec
import pytest

from chalicelib.photos.lists import _response_bytes


@pytest.mark.parametrize(
    "text", ["plain", '"', "\\", "\n", "\0", "é", "한", "\U0001f600", 'a é"\\']
)
def test_a_photo_is_not_larger_than_it_was_taken_for(text: str) -> None:
    known = {"id": "1", "desc": text * 1000, "geotag_lat": None, "width": 12}
    shown = {**known, "thumbSrc": "", "originalSrc": ""}
    # Lambda's Python writes the body, which is JSON already, as a text of ASCII.
    answer = json.dumps(msgspec.json.encode(shown).decode())[1:-1]
    size = _response_bytes(known)
    assert len(answer) <= size <= 1.5 * len(answer) + 100
