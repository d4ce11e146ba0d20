"""A lock is accepted only if all of it loads in its runtime, and nothing is missing."""

import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra import locks, package, wheels
from infra.errors import OperatorError

OLD, NEW = wheels.RUNTIMES[0], wheels.RUNTIMES[-1]
REQUIRED = [Requirement("one[fast]==1.0")]
PURE = "one-1.0-py3-none-any.whl"


def wheel(folder: Path, name: str, *metadata: str) -> Path:
    """Create a wheel that has only metadata."""
    distribution, version = name.split("-")[:2]
    lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}", *metadata]
    file = folder / name
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{distribution}-{version}.dist-info/METADATA", "\n".join(lines))
    return file


def test_wheels_that_meet_all_requirements_are_accepted(tmp_path: Path) -> None:
    files = [
        wheel(tmp_path, PURE, "Requires-Dist: two>=1; extra == 'fast'", "Requires-Python: >=3.9"),
        wheel(tmp_path, "two-2.0-cp314-cp314-manylinux_2_34_x86_64.whl"),
    ]
    assert locks.problems(NEW, files, REQUIRED) == []


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_28_x86_64",  # needs a newer glibc
        "cp312-cp312-manylinux2014_x86_64",
        "cp311-cp311-manylinux2014_aarch64",
        "cp311-cp311-linux_x86_64",  # was compiled on some machine
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp312-abi3-manylinux2014_x86_64",
    ],
)
def test_wheel_for_another_python_or_linux_is_rejected(tmp_path: Path, tag: str) -> None:
    file = wheel(tmp_path, f"one-1.0-{tag}.whl")
    [problem] = locks.problems(OLD, [file], REQUIRED)
    assert problem == f"{file.name} does not load in Python 3.11 of Lambda"


@pytest.mark.parametrize(
    "tag", ["cp311-abi3-manylinux_2_34_x86_64", "cp314-cp314-manylinux2014_x86_64"]
)
def test_wheel_of_the_stable_abi_or_for_an_older_linux_is_accepted(
    tmp_path: Path, tag: str
) -> None:
    assert locks.problems(NEW, [wheel(tmp_path, f"one-1.0-{tag}.whl")], REQUIRED) == []


def test_wheel_that_excludes_the_python_is_rejected(tmp_path: Path) -> None:
    file = wheel(tmp_path, PURE, "Requires-Python: <3.14")
    assert locks.problems(NEW, [file], REQUIRED) != []
    assert locks.problems(OLD, [file], REQUIRED) == []


@pytest.mark.parametrize(
    "requirement", ["two", "two; python_version >= '3.14'", "two; extra == 'fast'"]
)
def test_requirement_that_is_not_locked_is_reported(tmp_path: Path, requirement: str) -> None:
    file = wheel(tmp_path, PURE, f"Requires-Dist: {requirement}")
    [problem] = locks.problems(NEW, [file], REQUIRED)
    assert problem.startswith("one requires two")


@pytest.mark.parametrize(
    "requirement", ["two; python_version < '3.14'", "two; extra == 'other'", "two; os_name == 'nt'"]
)
def test_requirement_of_another_environment_is_ignored(tmp_path: Path, requirement: str) -> None:
    file = wheel(tmp_path, PURE, f"Requires-Dist: {requirement}")
    assert locks.problems(NEW, [file], REQUIRED) == []


def test_extra_that_a_dependency_requires_is_checked(tmp_path: Path) -> None:
    files = [
        wheel(tmp_path, PURE, "Requires-Dist: two"),
        wheel(tmp_path, "two-1.0-py3-none-any.whl", "Requires-Dist: one[more]"),
    ]
    assert locks.problems(NEW, files, REQUIRED) == []
    wheel(tmp_path, PURE, "Requires-Dist: two", "Requires-Dist: three; extra == 'more'")
    [problem] = locks.problems(NEW, files, REQUIRED)
    assert problem.startswith("one requires three")


def test_locked_version_that_does_not_meet_a_requirement_is_reported(tmp_path: Path) -> None:
    files = [
        wheel(tmp_path, PURE, "Requires-Dist: two>=2"),
        wheel(tmp_path, "two-1.9-py3-none-any.whl"),
    ]
    assert locks.problems(NEW, files, REQUIRED) == ["one requires two>=2, which is not locked"]


def test_lock_with_a_problem_fails_its_verification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, PURE)
    monkeypatch.setattr(wheels, "verified", lambda _: folder)
    with pytest.raises(OperatorError, match=r"requirements-3\.14\.lock: .*boto3"):
        locks.verify(NEW, tmp_path / "deployment.zip")


def test_package_from_a_lock_may_not_be_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = tmp_path / "wheels", tmp_path / "deployment.zip"
    folder.mkdir()
    monkeypatch.setattr(wheels, "verified", lambda _: folder)
    monkeypatch.setattr(locks, "problems", lambda *_: [])
    assert 0 < locks.verify(NEW, target) < package.MAX_BYTES  # the app without its dependencies
    monkeypatch.setattr(package, "MAX_BYTES", 1000)
    with pytest.raises(OperatorError, match="too large"):
        locks.verify(NEW, target)


def test_source_package_that_cannot_be_built_is_reported(tmp_path: Path) -> None:
    source = tmp_path / "one-1.0.tar.gz"
    source.write_bytes(b"broken")
    with pytest.raises(OperatorError, match=r"could not build one-1\.0"):
        locks._built(source, tmp_path)


def test_lock_is_written_with_one_hash_of_each_requirement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(_: wheels.Runtime, folder: Path, *arguments: str) -> None:
        assert arguments == ("two-words==1.0", "one==1.0")
        (folder / "two_words-1.0.tar.gz").write_bytes(b"2")
        (folder / PURE).write_bytes(b"1")

    monkeypatch.setattr(wheels, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(wheels, "download", download)
    lines = ['one[fast]==1.0; python_version >= "3.12"', 'one==0.9; python_version < "3.12"']
    text = "\n".join(["two-words==1.0", *lines])
    wheels.REQUIREMENTS.write_text(text)
    locks.write(NEW)
    lines = NEW.lock.read_text().splitlines()[1:]
    assert [line.split(" --hash=sha256:")[0] for line in lines] == ["one==1.0", "two-words==1.0"]
    assert wheels.pinned(NEW.lock.read_text(), NEW) == wheels.pinned(text, NEW)
