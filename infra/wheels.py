"""The files of the Lambda's dependencies, verified by their hashes.

For each Python that Lambda runs, a lock has the SHA-256 of one file for each requirement. pip
rejects any other file, and Chalice finds only these, so nothing else that a registry serves gets
into a package. Run `make lock` after a change to `requirements.txt`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from infra.errors import OperatorError

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
_CACHE = ROOT / ".chalice" / "deployments"


@dataclass(frozen=True)
class Runtime:
    """A Python 3 that Lambda runs, and the glibc 2 of its Amazon Linux, by minor versions."""

    python: int
    glibc: int

    @property
    def version(self) -> str:
        """Return Python's version without its patch level."""
        return f"3.{self.python}"

    @property
    def lock(self) -> Path:
        """Return the file that has the hashes of this runtime's dependencies."""
        return REQUIREMENTS.with_name(f"requirements-{self.version}.lock")

    @property
    def platforms(self) -> list[str]:
        """Return the platform tags whose wheels load, best first (PEP 600)."""
        return [f"manylinux_2_{minor}_x86_64" for minor in range(self.glibc, 16, -1)] + [
            "manylinux2014_x86_64"
        ]

    @property
    def markers(self) -> dict[str, str]:
        """Return what the runtime's environment markers evaluate to (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.version}.0",
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.version}.0",
            "python_version": self.version,
            "sys_platform": "linux",
            "extra": "",
        }


# python3.11 runs on Amazon Linux 2, the others on Amazon Linux 2023.
RUNTIMES = tuple(
    Runtime(python, glibc) for python, glibc in ((11, 26), (12, 34), (13, 34), (14, 34))
)


def current() -> Runtime:
    """Return the runtime of the Python that runs this. Raises OperatorError if there is none.

    Chalice deploys the functions for that Python.
    """
    for runtime in RUNTIMES:
        if (3, runtime.python) == sys.version_info[:2]:
            return runtime
    raise OperatorError(
        f"CloudAlbum needs Python {RUNTIMES[0].version} to {RUNTIMES[-1].version}, "
        f"not {sys.version_info[0]}.{sys.version_info[1]}."
    )


def requirements(text: str, runtime: Runtime) -> list[Requirement]:
    """Return the requirements in a requirements or lock file's text that apply to a runtime."""
    lines = (re.split(r"\s--hash|#", line)[0].strip() for line in text.splitlines())
    found = [Requirement(line) for line in lines if line]
    return [one for one in found if one.marker is None or one.marker.evaluate(runtime.markers)]


def pinned(text: str, runtime: Runtime) -> dict[str, str]:
    """Return the version of each requirement in a file's text, by name."""
    return {one.name: str(one.specifier).removeprefix("==") for one in requirements(text, runtime)}


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which pip finds only the files of a folder."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        # An isolated build would need an index. (0 means no isolation: a quirk of pip.)
        "PIP_NO_BUILD_ISOLATION": "0",
    }


def verified(runtime: Runtime) -> Path:
    """Return a folder with exactly the files of a runtime's lock. Raises OperatorError."""
    lock = runtime.lock.read_text() if runtime.lock.exists() else ""
    if pinned(lock, runtime) != pinned(REQUIREMENTS.read_text(), runtime):
        raise OperatorError(f"{runtime.lock.name} is out of date: run `make lock`")
    folder = _CACHE / f"wheels-{hashlib.sha256(lock.encode()).hexdigest()[:16]}"
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            fetched = Path(temporary) / "wheels"
            download(runtime, fetched, "--require-hashes", "-r", str(runtime.lock))
            fetched.rename(folder)
    if {sha256(file) for file in folder.iterdir()} != hashes:
        shutil.rmtree(folder)
        raise OperatorError("Downloaded dependencies were modified on this machine. Try again.")
    return folder


def download(runtime: Runtime, folder: Path, *arguments: str) -> None:
    """Let pip download what loads in a runtime into a folder. Raises OperatorError."""
    python = ["--implementation", "cp", "--python-version", runtime.version]
    platforms = [option for name in runtime.platforms for option in ("--platform", name)]
    options = ["--quiet", "--no-deps", "--prefer-binary", *python, "--abi", f"cp3{runtime.python}"]
    command = [sys.executable, "-m", "pip", "download", *options, *platforms]
    run = subprocess.run(
        [*command, "--dest", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise OperatorError(f"pip could not download the locked dependencies:\n{run.stderr}")


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
