"""The definition of a photo, and what is derived from it."""

import sys
import time
import unicodedata
import uuid
from datetime import datetime

import pytest
from msgspec.structs import fields

from chalicelib.api import requests, responses
from chalicelib.errors import InvalidInput
from chalicelib.photos import photo
from chalicelib.photos.models import Photo
from chalicelib.photos.query import Item


def test_ids_are_version_7_and_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for milliseconds in (1, 255, 256, 1_800_000_000_000):
        monkeypatch.setattr(time, "time_ns", lambda ms=milliseconds: ms * 1_000_000)
        ids.append(photo.new_id())
    assert ids == sorted(ids)
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}


def test_new_id_is_valid() -> None:
    assert all(photo.is_id(photo.new_id()) for _ in range(100))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "../../etc/passwd",
        "00000000-0000-0000-0000-000000000000",
        "01890A5D-AC96-774B-BCCE-B302099A8057",
        "01890a5d-ac96-774b-bcce-b302099a8057\n",
        "01890a5d-ac96-774b-bcce-b302099a8057/x",
    ],
)
def test_other_text_is_not_a_valid_id(text: str) -> None:
    assert not photo.is_id(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (11, "11 bytes"),
        (99_999, "99,999 bytes"),
        (100_000, "0.1 MB"),
        (3_560_000, "3.6 MB"),
        (100_000_000, "100 MB"),
        (100_000_001, "100.1 MB"),
        (5_000_000_000, "5,000 MB"),
    ],
)
def test_size_is_shown_in_megabytes_rounded_up(size: int, text: str) -> None:
    assert photo.readable_size(size) == text


def test_model_query_and_response_have_the_fields_of_the_definition() -> None:
    names = set(photo.SHOWN)
    assert names <= set(Photo.get_attributes())
    assert names <= set(Item.__struct_fields__)
    assert names <= set(responses.Photo.__struct_fields__)
    assert set(photo.METADATA) == set(requests.PhotoChanges.__struct_fields__)


def test_model_has_a_number_where_the_definition_has_one() -> None:
    types = {name: one.attr_type for name, one in Photo.get_attributes().items()}
    for field in fields(photo.PhotoFields):
        assert (types[field.name] == "N") is (field.name in photo.NUMBERS), field.name


def test_photos_sort_by_their_own_local_time_wherever_they_were_taken() -> None:
    tokyo = photo.sort_key(datetime.fromisoformat("2019-05-06T09:00:00+09:00"), "a")
    lisbon = photo.sort_key(datetime.fromisoformat("2019-05-06T08:00:00+01:00"), "b")
    later = photo.sort_key(datetime.fromisoformat("2019-05-06T09:00:00.5"), "a")
    assert lisbon < tokyo < later


def test_last_moment_includes_its_own_second_and_no_fraction_of_it() -> None:
    last = photo.last_sort_key("2019-05-06T12:00:00")
    included = photo.sort_key(datetime.fromisoformat("2019-05-06T12:00:00"), "ffffffff")
    assert included < last
    assert last < photo.sort_key(datetime.fromisoformat("2019-05-06T12:00:00.000001"), "0")


@pytest.mark.parametrize(("latitude", "longitude"), [(0, None), (None, 0)])
def test_half_a_position_is_rejected(latitude: float | None, longitude: float | None) -> None:
    with pytest.raises(InvalidInput, match="geotag_lat and geotag_lng must be given together"):
        photo.require_whole_position(latitude, longitude)


def test_position_at_0_degrees_is_whole() -> None:
    photo.require_whole_position(0, 0)
    photo.require_whole_position(None, None)


@pytest.mark.parametrize(
    "text",
    [
        "é",
        "e\u0301",
        "Ünï",
        "ﬁ",
        "e" + "\u0301\u0316" * 15,
        "ｶﾞ" * 100,
        "한국" * 100,
        "a\u0301" * 100,
    ],
)
def test_text_is_folded_to_its_normal_form_without_case(text: str) -> None:
    assert photo.folded(text) == unicodedata.normalize("NFKC", text).casefold()
    assert photo.folded(f" {text.upper()} ") == photo.folded(text.upper())


def test_case_of_every_letter_makes_no_difference_to_comparison() -> None:
    differing = []
    for letter in map(chr, range(sys.maxunicode + 1)):
        if letter.upper() == letter.lower() == letter.title():
            continue
        for form in ("NFC", "NFD"):
            spelling = unicodedata.normalize(form, letter)
            for other in (spelling.upper(), spelling.lower(), spelling.title()):
                if photo.folded(f"a{other}b") != photo.folded(f"a{letter}b"):
                    differing.append(letter)
    # Only the Turkic languages write the dotless i in capitals as I, which is i elsewhere.
    assert set(differing) <= {"\u0131"}


@pytest.mark.parametrize("letter", "\u0390\u03b0\u1fd2\u1fd7\u1fe2\u1fe7\u1fb7ǰẖŉ")
def test_text_of_a_photo_that_an_earlier_version_stored_is_found(letter: str) -> None:
    stored = unicodedata.normalize("NFKC", letter).casefold()
    for written in (letter, letter.upper(), unicodedata.normalize("NFD", letter)):
        assert photo.folded(written) in stored


@pytest.mark.parametrize(
    "marks", ["\u0316\u0301", "\u0f73", "\uff9e\u0301", "\u0f81\u0316", "\u0301\u0f71"]
)
def test_text_of_unordered_marks_is_folded_in_linear_time(marks: str) -> None:
    began = time.process_time()
    photo.folded("a" + marks * 100_000)  # It took minutes.
    assert time.process_time() - began < 2


def test_every_character_that_becomes_only_a_mark_counts_as_one() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.combining(unicodedata.normalize("NFKC", character)[0]):
            assert unicodedata.combining(character) or character in photo._LIKE_MARKS
