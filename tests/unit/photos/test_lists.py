"""Cursors of lists, and the size of a page."""

import json

import msgspec
import pytest

from chalicelib.errors import InvalidInput
from chalicelib.photos.lists import Cursors, _response_bytes

CURSORS = Cursors(lambda: "secret")


@pytest.mark.parametrize("position", ["2019-05-06T07:08:09#id", "id", "é슈"])
def test_a_cursor_gives_its_position_back(position: str) -> None:
    cursor = CURSORS.make("user", "query", position)
    assert cursor.isascii()
    assert CURSORS.read("user", "query", cursor) == position


@pytest.mark.parametrize(
    ("user_id", "query"), [("other", "query"), ("user", "other"), ("userq", "uery"), ("", "")]
)
def test_a_cursor_of_another_user_or_query_is_refused(user_id: str, query: str) -> None:
    cursor = CURSORS.make("user", "query", "position")
    with pytest.raises(InvalidInput, match="^cursor must be the nextCursor"):
        CURSORS.read(user_id, query, cursor)


def test_a_cursor_of_another_album_is_refused() -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", Cursors(lambda: "other").make("user", "query", "position"))


def test_a_changed_cursor_is_refused_wherever_it_was_changed() -> None:
    cursor = CURSORS.make("user", "query", "2019#id")
    for place in range(len(cursor)):
        for other in "AZaz09-_":
            changed = cursor[:place] + other + cursor[place + 1 :]
            if changed != cursor:
                with pytest.raises(InvalidInput):
                    CURSORS.read("user", "query", changed)


@pytest.mark.parametrize("cursor", ["", "x", "=", "é", "a b", "A" * 22, "A" * 5000, "%00", "null"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", cursor)


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
