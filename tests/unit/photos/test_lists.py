"""Cursors of lists."""

import base64
import string

import pytest

from chalicelib.errors import InvalidInput
from chalicelib.photos.cursors import Cursors

CURSORS = Cursors(lambda: "secret")


@pytest.mark.parametrize("position", ["2019-05-06T07:08:09#id", "id", "é슈"])
def test_cursor_returns_its_position(position: str) -> None:
    cursor = CURSORS.make("user", "query", position)
    assert cursor.isascii()
    assert CURSORS.read("user", "query", cursor) == position


@pytest.mark.parametrize(
    ("user_id", "query"), [("other", "query"), ("user", "other"), ("userq", "uery"), ("", "")]
)
def test_cursor_of_another_user_or_query_is_rejected(user_id: str, query: str) -> None:
    cursor = CURSORS.make("user", "query", "position")
    with pytest.raises(InvalidInput, match="^cursor must be the nextCursor"):
        CURSORS.read(user_id, query, cursor)


def test_cursor_signed_with_another_secret_is_rejected() -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", Cursors(lambda: "other").make("user", "query", "position"))


def test_cursor_with_any_changed_character_is_rejected() -> None:
    cursor = CURSORS.make("user", "query", "2019#id")
    for place in range(len(cursor)):
        for other in "AZaz09-_":
            changed = cursor[:place] + other + cursor[place + 1 :]
            if changed != cursor:
                with pytest.raises(InvalidInput):
                    CURSORS.read("user", "query", changed)


@pytest.mark.parametrize("position", ["2019#id", "2019#id-1", "\xfb\xff~~~>>>???"])
def test_cursor_in_another_spelling_of_its_bytes_is_rejected(position: str) -> None:
    cursor = CURSORS.make("user", "query", position)
    padded = cursor + "=" * (-len(cursor) % 4)
    raw = base64.urlsafe_b64decode(padded)
    spellings = {padded, padded.replace("-", "+").replace("_", "/"), f"{cursor}="}
    # The last character may have bits that no byte needs.
    alphabet = string.ascii_letters + string.digits + "-_"
    spellings |= {cursor[:-1] + last for last in alphabet}
    same = {one for one in spellings - {cursor} if base64.urlsafe_b64decode(one + "==") == raw}
    assert same
    for one in same:
        with pytest.raises(InvalidInput, match="^cursor must be the nextCursor"):
            CURSORS.read("user", "query", one)


@pytest.mark.parametrize("cursor", ["", "x", "=", "é", "a b", "A" * 22, "A" * 5000, "%00", "null"])
def test_invented_cursor_is_rejected(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", cursor)
