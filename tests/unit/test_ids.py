"""Photo photo."""

import time
import uuid

import pytest

from chalicelib.photos import photo


def test_ids_are_version_7_and_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for milliseconds in (1, 255, 256, 1_800_000_000_000):
        monkeypatch.setattr(time, "time_ns", lambda ms=milliseconds: ms * 1_000_000)
        made.append(photo.new_id())
    assert made == sorted(made)
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}


def test_what_was_made_is_an_id() -> None:
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
def test_anything_else_is_none(text: str) -> None:
    assert not photo.is_id(text)
