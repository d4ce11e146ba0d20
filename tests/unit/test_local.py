"""The local runner's refusals, each one clear line."""

from pathlib import Path

import pytest

from infra import local
from infra.errors import OperatorError


def test_a_state_in_use_is_neither_shared_nor_wiped(tmp_path: Path) -> None:
    (tmp_path / "photo").write_text("precious")
    with local.locked(tmp_path), pytest.raises(OperatorError, match="runs already"):
        local.reset(tmp_path)
    assert (tmp_path / "photo").exists()


def test_reset_wipes_the_state(tmp_path: Path) -> None:
    (tmp_path / "state" / "s3").mkdir(parents=True)
    local.reset(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []
