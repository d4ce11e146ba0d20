"""Properties of cursors, sort keys, tags and file names that hold for every input."""

import base64
import re
import unicodedata
from datetime import datetime
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidInput
from chalicelib.photos.cursors import Cursors
from chalicelib.photos.photo import (
    first_sort_key,
    folded,
    last_sort_key,
    new_id,
    sort_key,
    split_tags,
)
from chalicelib.photos.storage import content_disposition
from tests.support.strategies import ANY_TEXT, TEXT

CURSORS = Cursors(lambda: "secret")


@given(TEXT, TEXT, st.text(min_size=1, max_size=60))
def test_cursor_is_valid_only_for_its_user_and_query(user: str, query: str, position: str) -> None:
    cursor = CURSORS.make(user, query, position)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert CURSORS.read(user, query, cursor) == position
    for other in ((user + "x", query), (user, query + "x"), (query, user)):
        if other != (user, query):
            with pytest.raises(InvalidInput):
                CURSORS.read(*other, cursor)


@given(ANY_TEXT | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_invented_cursor_is_rejected(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("user", "query", cursor)


@given(st.datetimes(), st.datetimes())
def test_sort_keys_sort_like_their_dates(one: datetime, other: datetime) -> None:
    # Python writes microseconds only if they are not 0, and so does `sort_key`.
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    keys = [sort_key(moment, new_id()) for moment in (one, other)]
    assert one == other or (keys[0] < keys[1]) == (one < other)
    assert first_sort_key(one.isoformat()) <= keys[0] <= last_sort_key(one.isoformat())
    day = one.date().isoformat()
    assert first_sort_key(day) <= keys[0] <= last_sort_key(day)


@given(ANY_TEXT | st.text(st.sampled_from('a"\\/;%\r\n\0\u202e.é名😀'), max_size=300))
def test_any_name_becomes_one_header_that_every_client_can_parse(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 4_000
    message = Message()
    message["content-disposition"] = header
    assert message.get_content_disposition() == "inline"
    shown = unquote(header.rpartition("''")[2], errors="strict")
    assert len(shown) <= 200
    assert not set(shown) & set("/\\\r\n\0")
    assert header.count('"') == 2


@given(ANY_TEXT, ANY_TEXT)
def test_tags_of_any_text_are_unique_when_folded_and_have_no_comma_or_outer_space(
    one: str, other: str
) -> None:
    for written in (one, one.upper(), unicodedata.normalize("NFD", one)):
        tags = split_tags(f"{written},{other}")
        assert len({folded(tag) for tag in tags}) == len(tags)
        assert not any("," in tag or tag != tag.strip() for tag in tags)
