"""Every dependency in the package is pinned by name, version and hash."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chalice.config import Config

from infra import package, wheels
from infra.errors import OperatorError
from infra.stages import Stage

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements.txt"


RUNTIME = wheels.RUNTIMES[1]


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a lock of one requirement, with the requirements file next to it."""
    monkeypatch.setattr(wheels, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(wheels, "_CACHE", tmp_path / "cache")
    wheels.REQUIREMENTS.write_text("one==1.0  # why\n")
    digest = hashlib.sha256(b"wheel").hexdigest()
    RUNTIME.lock.write_text(f"# made\none==1.0 --hash=sha256:{digest}\n")
    return RUNTIME.lock


def fetch(content: bytes) -> Any:
    def download(_: wheels.Runtime, folder: Path, *__: str) -> None:
        folder.mkdir(parents=True)
        (folder / "one-1.0.whl").write_bytes(content)

    return download


@pytest.mark.parametrize("runtime", wheels.RUNTIMES, ids=lambda one: one.version)
def test_every_requirement_of_the_lambda_is_locked_with_one_hash(runtime: wheels.Runtime) -> None:
    text = runtime.lock.read_text()
    assert wheels.pinned(text, runtime) == wheels.pinned(REQUIREMENTS.read_text(), runtime)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9.-]+==\S+ --hash=sha256:[0-9a-f]{64}", one) for one in lines)


def test_every_requirement_is_pinned_to_one_version() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        pin = r"#|-r |[^=<>~!]+==[^*; ]+(; python_version (<|>=) \"3\.\d+\")?$"
        assert [line for line in lines if line and not re.match(pin, line)] == []
        for runtime in wheels.RUNTIMES:
            text = "\n".join(line for line in lines if not line.startswith("-r "))
            names = [one.name for one in wheels.requirements(text, runtime)]
            assert len(names) == len(set(names)), runtime


def test_each_python_from_3_11_to_3_14_has_a_lock() -> None:
    assert [one.version for one in wheels.RUNTIMES] == ["3.11", "3.12", "3.13", "3.14"]
    locks = {path.name for path in ROOT.glob("*.lock")}
    assert locks == {f"requirements-{one.version}.lock" for one in wheels.RUNTIMES}


def test_only_the_runtime_on_amazon_linux_2_has_older_image_libraries() -> None:
    text = REQUIREMENTS.read_text()
    versions = {one.version: wheels.pinned(text, one) for one in wheels.RUNTIMES}
    older = {name: versions["3.11"][name] for name in ("pillow", "pi-heif")}
    assert older == {"pillow": "12.2.0", "pi-heif": "1.0.0"}
    for version in ("3.12", "3.13", "3.14"):
        assert versions[version] == versions["3.11"] | {"pillow": "13.0.0", "pi-heif": "1.4.0"}


@pytest.mark.parametrize("runtime", wheels.RUNTIMES, ids=lambda one: one.version)
def test_function_runs_on_the_python_that_builds_it(
    runtime: wheels.Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, runtime.python, 9, "final", 0))
    assert wheels.current() == runtime
    assert Config().lambda_python_version == f"python{runtime.version}"


@pytest.mark.parametrize("version", [(3, 10), (3, 15), (4, 11)])
def test_package_is_not_built_with_an_unsupported_python(
    version: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    expected = f"CloudAlbum needs Python 3.11 to 3.14, not {version[0]}.{version[1]}."
    with pytest.raises(OperatorError) as error:
        package.build(Stage("dev"), tmp_path / "dist")
    assert str(error.value) == expected
    assert list(tmp_path.iterdir()) == []


def test_locked_files_are_downloaded_once(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "download", fetch(b"wheel"))
    folder = wheels.verified(RUNTIME)
    monkeypatch.setattr(wheels, "download", lambda *_: pytest.fail("downloaded again"))
    assert wheels.verified(RUNTIME) == folder
    assert [file.name for file in folder.iterdir()] == ["one-1.0.whl"]


def test_modified_file_is_rejected_and_downloaded_again(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "download", fetch(b"wheel"))
    (wheels.verified(RUNTIME) / "one-1.0.whl").write_bytes(b"another")
    with pytest.raises(OperatorError, match="were modified"):
        wheels.verified(RUNTIME)
    wheels.verified(RUNTIME)


def test_build_with_outdated_lock_is_rejected(lock: Path) -> None:
    wheels.REQUIREMENTS.write_text("one==1.1\n")
    with pytest.raises(OperatorError, match="make lock"):
        wheels.verified(RUNTIME)


def test_error_of_pip_is_reported(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "THESE PACKAGES DO NOT MATCH THE HASHES")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OperatorError, match="DO NOT MATCH THE HASHES"):
        wheels.verified(RUNTIME)


def test_chalice_finds_only_the_locked_files(tmp_path: Path) -> None:
    environment = wheels.environment(tmp_path)
    assert environment["PIP_NO_INDEX"] == "1"
    assert environment["PIP_FIND_LINKS"] == str(tmp_path)
