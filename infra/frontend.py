"""Build the web app, with a Node of its own in `.venv-node`, whether or not the machine has one.

`python -m infra.frontend` builds it; `python -m infra.frontend install` only installs its tools.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.errors import OperatorError, exit_code

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "frontend"
NODE = ROOT / ".venv-node"
OUT = ROOT / "dist" / "web"
_REQUIREMENTS = ROOT / "requirements-frontend.txt"
_INSTALLED = SOURCES / "node_modules" / ".cloudalbum"
_BUILT = OUT.with_name("web.sha256")
_NOT_SOURCES = ("node_modules", "tests", "test-results")
_SECONDS = 300  # for one command


def build() -> Path:
    """Build the web app if its sources have changed, and return its folder.

    Raises OperatorError if a tool cannot be installed or the build fails.
    """
    OUT.parent.mkdir(exist_ok=True)
    with OUT.with_name("web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _digest(sorted(_sources()))
        if _recorded(_BUILT) != digest or not OUT.is_dir():
            _install()
            _BUILT.unlink(missing_ok=True)
            print("Building the web app ...", flush=True)
            _run([_node("npm"), "run", "--silent", "build"])
            _BUILT.write_text(digest)
    return OUT


def install() -> None:
    """Install Node and the packages of the lock file, unless they are there.

    Raises OperatorError.
    """
    OUT.parent.mkdir(exist_ok=True)
    with OUT.with_name("web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()


def environment() -> dict[str, str]:
    """Return an environment in which `node` and `npm` are those of `.venv-node`."""
    return os.environ | {"PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def _install() -> None:
    needed = [_REQUIREMENTS, SOURCES / "package-lock.json", SOURCES / ".npmrc"]
    digest = _digest(needed)
    if _recorded(_INSTALLED) == digest:
        return
    _install_node()
    print("Installing the tools of the web app ...", flush=True)
    # No package may run a script of its own.
    _run([_node("npm"), "ci", "--ignore-scripts"])
    _INSTALLED.write_text(digest)


def _install_node() -> None:
    stamp, digest = NODE / "installed", _digest([_REQUIREMENTS])
    if _recorded(stamp) == digest:
        return
    print("Installing Node ...", flush=True)
    shutil.rmtree(NODE, ignore_errors=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(NODE)])
    pip = [sys.executable, "-m", "pip", "--python", str(NODE / "bin" / "python")]
    options = ["--quiet", "--disable-pip-version-check", "--retries", "1"]
    _run([*pip, "install", *options, "-r", str(_REQUIREMENTS)])
    stamp.write_text(digest)


def _run(command: list[str]) -> None:
    """Run a command in the folder of the sources. Raises OperatorError with its last line."""
    name = " ".join([Path(command[0]).name, *command[1:]])
    try:
        done = subprocess.run(
            command,
            cwd=SOURCES,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorError(f"{name} failed: {error}") from None
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).split("\n")
        reasons = [line.strip() for line in lines if "error" in line.lower()] or lines[-3:]
        raise OperatorError(f"{name} failed: {' '.join(reasons)[:500]}")


def _node(program: str) -> str:
    return str(NODE / "bin" / program)


def _sources() -> Iterator[Path]:
    for folder, folders, names in os.walk(SOURCES):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        yield from (Path(folder) / name for name in names)
    yield _REQUIREMENTS


def _digest(files: list[Path]) -> str:
    """Return a hash of the files' paths and contents."""
    found = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _recorded(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def main() -> None:
    """Build the web app, or install its tools."""
    if sys.argv[1:] == ["install"]:
        install()
    else:
        build()


if __name__ == "__main__":
    sys.exit(exit_code(main))
