"""Write or verify the lock of each Python that Lambda runs, from any one of them.

`make lock` writes the hashes of what the registry serves now. `make verify-locks` shows that each
lock gives a package: every file downloads and loads in its runtime, everything that they require is
locked, and the package is below its size limit. Only the Python that builds a package can write its
bytecode, so what is packed here for another one has none, and is not deployed.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import chalice
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import (
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from infra import package, wheels
from infra.errors import OperatorError, exit_code
from infra.wheels import ROOT, Runtime


@dataclass(frozen=True)
class Wheel:
    """What a wheel's name and metadata say about it."""

    file: Path
    version: Version
    tags: frozenset[Tag]
    python: SpecifierSet
    requires: list[Requirement]


def write(runtime: Runtime) -> None:
    """Write a runtime's lock for the versions in requirements.txt. Raises OperatorError."""
    lines = ["# Written by `make lock`: the file of each requirement that goes into the package."]
    required = wheels.pinned(wheels.REQUIREMENTS.read_text(), runtime)
    with tempfile.TemporaryDirectory() as folder:
        wheels.download(runtime, Path(folder), *(f"{name}=={required[name]}" for name in required))
        files = {_name(file): file for file in Path(folder).iterdir()}
        for name in sorted(required):
            digest = wheels.sha256(files[canonicalize_name(name)])
            lines.append(f"{name}=={required[name]} --hash=sha256:{digest}")
    runtime.lock.write_text("\n".join(lines) + "\n")


def verify(runtime: Runtime, target: Path) -> int:
    """Pack what a runtime's lock gives into a zip, and return its bytes. Raises OperatorError."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = [
            file if file.suffix == ".whl" else _built(file, folder)
            for file in wheels.verified(runtime).iterdir()
        ]
        required = wheels.requirements(wheels.REQUIREMENTS.read_text(), runtime)
        if found := problems(runtime, files, required):
            raise OperatorError(f"{runtime.lock.name}: {', '.join(found)}.")
        _pack_without_bytecode(files, target)
    size = target.stat().st_size
    if size > package.MAX_BYTES:
        raise OperatorError(
            f"{runtime.lock.name}: the package is too large "
            f"({size / 1e6:.1f} MB, limit {package.MAX_BYTES / 1e6:.0f} MB)."
        )
    return size


def problems(runtime: Runtime, files: Iterable[Path], required: list[Requirement]) -> list[str]:
    """Return why wheels would not load in a runtime, or do not meet the requirements."""
    tags = _supported_tags(runtime)
    locked = {parse_wheel_filename(file.name)[0]: _read(file) for file in files}
    found = []
    for wheel in locked.values():
        if not wheel.tags & tags or f"{runtime.version}.0" not in wheel.python:
            found.append(f"{wheel.file.name} does not load in Python {runtime.version} of Lambda")
    waiting = [("requirements.txt", one) for one in required]
    seen = set()
    while waiting:
        origin, one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in locked or locked[name].version not in one.specifier:
            found.append(f"{origin} requires {one}, which is not locked")
        elif (name, *sorted(one.extras)) not in seen:
            seen.add((name, *sorted(one.extras)))
            needed = _requirements(locked[name], one.extras, runtime)
            waiting += [(name, requirement) for requirement in needed]
    return sorted(found)


def _requirements(wheel: Wheel, extras: set[str], runtime: Runtime) -> list[Requirement]:
    """Return what a wheel requires in a runtime if it is installed with extras."""
    return [
        one
        for one in wheel.requires
        if one.marker is None
        or any(one.marker.evaluate(runtime.markers | {"extra": extra}) for extra in ("", *extras))
    ]


def _supported_tags(runtime: Runtime) -> set[Tag]:
    """Return the tags of the wheels that load in a runtime (PEP 425)."""
    python = (3, runtime.python)
    abis = [f"cp3{runtime.python}"]  # Without it, those of the Python that runs this.
    return {
        *cpython_tags(python, abis, runtime.platforms),
        *compatible_tags(python, abis[0], runtime.platforms),
    }


def _name(file: Path) -> NormalizedName:
    """Return the name of the package that a wheel or a source archive contains."""
    parse = parse_wheel_filename if file.suffix == ".whl" else parse_sdist_filename
    return parse(file.name)[0]


def _read(file: Path) -> Wheel:
    _, version, _, tags = parse_wheel_filename(file.name)
    with zipfile.ZipFile(file) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        # Some packages break rules for fields that are not read here.
        metadata = Metadata.from_email(archive.read(name), validate=False)
    python = metadata.requires_python or SpecifierSet()
    return Wheel(file, version, tags, python, metadata.requires_dist or [])


def _built(source: Path, folder: Path) -> Path:
    """Return the wheel that Chalice would build of a source package. Raises OperatorError."""
    destination = folder / source.stem
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    run = subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", str(destination), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise OperatorError(f"pip could not build {source.name}:\n{run.stderr}")
    [wheel] = destination.iterdir()
    return wheel


def _pack_without_bytecode(files: Iterable[Path], target: Path) -> None:
    """Pack the app and wheels as `make package` does, but leave the code as it is."""
    with tempfile.TemporaryDirectory() as folder:
        app, vendor = Path(folder) / "app.zip", ROOT / "vendor"
        with zipfile.ZipFile(app, "w") as archive:
            for name in ("__init__.py", "app.py"):  # what Chalice adds of itself
                archive.write(Path(chalice.__file__).with_name(name), f"chalice/{name}")
            for path in (ROOT / "app.py", *(ROOT / "chalicelib").rglob("*")):
                archive.write(path, path.relative_to(ROOT))
            for path in vendor.rglob("*"):
                archive.write(path, path.relative_to(vendor))
        task = Path(folder) / "task"
        for file in (app, *files):
            package.unpack(file, task)
        package.pack(task, target)


def main() -> None:
    """Write all locks, or verify them and print the size of each package."""
    for runtime in wheels.RUNTIMES:
        if sys.argv[1:] == ["--verify"]:
            with tempfile.TemporaryDirectory() as folder:
                size = verify(runtime, Path(folder) / "deployment.zip")
            print(f"{runtime.lock.name} is verified: {size / 1e6:.2f} MB without bytecode")
        else:
            write(runtime)


if __name__ == "__main__":
    sys.exit(exit_code(main))
