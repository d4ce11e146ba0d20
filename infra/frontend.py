"""Build the web app, with a Node of its own in `.venv-node`, whether or not the machine has one.

`python -m infra.frontend` builds it; `python -m infra.frontend install` only installs its tools.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.errors import OperatorError, exit_code

ROOT = Path(__file__).parents[1]
_NOT_SOURCES = ("node_modules", "bench", "tests", "test-results")
_SECONDS = 300  # for one command

Run = Callable[[list[str], Path], None]  # a command, and the folder that it runs in


class Frontend:
    """The sources of the web app, the tools that build it, and what they have built."""

    def __init__(self, root: Path = ROOT, run: Run | None = None) -> None:
        self.sources = root / "frontend"
        self.node = root / ".venv-node"
        self.built = root / "dist" / "web"
        self._root = root
        self._requirements = root / "requirements-frontend.txt"
        self._run = run or run_tool

    def build(self) -> Path:
        """Build the web app if its sources have changed, and return its folder.

        Raises OperatorError if a tool cannot be installed or the build fails.
        """
        with self._locked():
            stamp = self.built.with_name("web.sha256")
            digest = self._digest(sorted(self._source_files()))
            if _recorded(stamp) != digest or not self.built.is_dir():
                self._install()
                stamp.unlink(missing_ok=True)
                print("Building the web app ...", flush=True)
                self._npm("run", "--silent", "build")
                stamp.write_text(digest)
        return self.built

    def install(self) -> None:
        """Install Node and the packages of the lock file, unless they are there.

        Raises OperatorError.
        """
        with self._locked():
            self._install()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process build at a time."""
        self.built.parent.mkdir(exist_ok=True)
        with self.built.with_name("web.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _install(self) -> None:
        self._install_node()
        stamp = self.sources / "node_modules" / ".installed"
        names = ("package-lock.json", ".npmrc")  # The lock repeats what package.json requires.
        digest = self._digest([self._requirements, *(self.sources / name for name in names)])
        if _recorded(stamp) != digest:
            print("Installing the tools of the web app ...", flush=True)
            # No package may run a script of its own. What npm has downloaded before is not asked
            # for again, which is faster and works without the registry.
            self._npm("ci", "--ignore-scripts", "--prefer-offline")
            stamp.write_text(digest)

    def _install_node(self) -> None:
        stamp, digest = self.node / "installed", self._digest([self._requirements])
        if _recorded(stamp) == digest:
            return
        print("Installing Node ...", flush=True)
        shutil.rmtree(self.node, ignore_errors=True)
        self._run([sys.executable, "-m", "venv", "--without-pip", str(self.node)], self._root)
        pip = [sys.executable, "-m", "pip", "--python", str(self.node / "bin" / "python")]
        options = ["--quiet", "--disable-pip-version-check", "--retries", "1"]
        self._run([*pip, "install", *options, "-r", str(self._requirements)], self._root)
        stamp.write_text(digest)

    def _npm(self, *arguments: str) -> None:
        self._run([str(self.node / "bin" / "npm"), *arguments], self.sources)

    def _source_files(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self.sources):
            folders[:] = [name for name in folders if name not in _NOT_SOURCES]
            yield from (Path(folder) / name for name in names)
        yield self._requirements

    def _digest(self, files: list[Path]) -> str:
        """Return a hash of the files' paths and contents."""
        found = hashlib.sha256()
        for path in files:
            content = path.read_bytes()
            found.update(f"{path.relative_to(self._root)} {len(content)}\n".encode() + content)
        return found.hexdigest()


def run_tool(command: list[str], folder: Path) -> None:
    """Run a command in a folder. Raises OperatorError with the reason that it prints."""
    program = Path(command[0])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            # npm runs the Node next to it.
            env=os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorError(f"{program.name} failed: {error}") from None
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        reasons = [line for line in lines if "error" in line.lower()] or lines[-3:]
        what = " ".join([program.name, *command[1:3]])
        raise OperatorError(f"`{what}` failed: {' '.join(reasons)[:500]}")


def _recorded(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def main() -> None:
    """Build the web app, or install its tools."""
    if sys.argv[1:] == ["install"]:
        Frontend().install()
    else:
        Frontend().build()


if __name__ == "__main__":
    sys.exit(exit_code(main))
