"""The state folder of the local album."""

from pathlib import Path

import pytest

from infra import local, processes
from infra.errors import OperatorError


def test_reset_while_the_album_is_running_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "photo").write_text("precious")
    with processes.locked(tmp_path), pytest.raises(OperatorError, match="already running"):
        local.reset(tmp_path)
    assert (tmp_path / "photo").exists()


def test_reset_deletes_the_state(tmp_path: Path) -> None:
    (tmp_path / "state" / "s3").mkdir(parents=True)
    local.reset(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []
