"""Every dependency in the package is pinned by name, version and hash."""

import hashlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra import wheels
from infra.errors import OperatorError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a lock of one requirement, with the requirements file next to it."""
    monkeypatch.setattr(wheels, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(wheels, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(wheels, "_CACHE", tmp_path / "cache")
    wheels.REQUIREMENTS.write_text("one==1.0  # why\n")
    digest = hashlib.sha256(b"wheel").hexdigest()
    wheels.LOCK.write_text(f"# made\none==1.0 --hash=sha256:{digest}\n")
    return wheels.LOCK


def fetch(content: bytes) -> Any:
    def download(folder: Path, *_: str) -> None:
        folder.mkdir(parents=True)
        (folder / "one-1.0.whl").write_bytes(content)

    return download


def test_every_requirement_of_the_lambda_is_locked_with_one_hash() -> None:
    text = wheels.LOCK.read_text()
    assert wheels.pinned(text) == wheels.pinned(wheels.REQUIREMENTS.read_text())
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", one) for one in lines)


def test_every_requirement_is_pinned_to_one_version() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        loose = [line for line in lines if line and not re.match(r"#|-r |[^=<>~!]+==[^*]+$", line)]
        assert loose == []


def test_locked_files_are_downloaded_once(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_download", fetch(b"wheel"))
    folder = wheels.verified()
    monkeypatch.setattr(wheels, "_download", lambda *_: pytest.fail("downloaded again"))
    assert wheels.verified() == folder
    assert [file.name for file in folder.iterdir()] == ["one-1.0.whl"]


def test_modified_file_is_rejected_and_downloaded_again(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "_download", fetch(b"wheel"))
    (wheels.verified() / "one-1.0.whl").write_bytes(b"another")
    with pytest.raises(OperatorError, match="were modified"):
        wheels.verified()
    wheels.verified()


def test_build_with_outdated_lock_is_rejected(lock: Path) -> None:
    wheels.REQUIREMENTS.write_text("one==1.1\n")
    with pytest.raises(OperatorError, match="make lock"):
        wheels.verified()


def test_error_of_pip_is_reported(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "THESE PACKAGES DO NOT MATCH THE HASHES")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OperatorError, match="DO NOT MATCH THE HASHES"):
        wheels.verified()


def test_chalice_finds_only_the_locked_files(tmp_path: Path) -> None:
    environment = wheels.environment(tmp_path)
    assert environment["PIP_NO_INDEX"] == "1"
    assert environment["PIP_FIND_LINKS"] == str(tmp_path)
