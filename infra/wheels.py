"""The files of the Lambda's dependencies, verified by their hashes.

`requirements.lock` has the SHA-256 of one file for each requirement. pip rejects any other file,
and Chalice finds only these, so nothing else that a registry serves gets into a package. Run
`make lock` after a change to `requirements.txt`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.errors import OperatorError, exit_code

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
LOCK = ROOT / "requirements.lock"
_CACHE = ROOT / ".chalice" / "deployments"
# The Amazon Linux of Lambda's python3.11 has glibc 2.26 (PEP 600).
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(26, 16, -1)] + [
    "manylinux2014_x86_64"
]
_PYTHON = ["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]
_REQUIREMENT = re.compile(r"([a-z0-9-]+)(?:\[[a-z]+\])?==(\S+)")


def pinned(text: str) -> dict[str, str]:
    """Return the version of each requirement in a requirements file's text, by name."""
    found = map(_REQUIREMENT.match, text.splitlines())
    return {match[1]: match[2] for match in found if match}


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which pip finds only the files of a folder."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        # An isolated build would need an index. (0 means no isolation: a quirk of pip.)
        "PIP_NO_BUILD_ISOLATION": "0",
    }


def verified() -> Path:
    """Return a folder with exactly the files of the lock. Raises OperatorError."""
    lock = LOCK.read_text()
    if pinned(lock) != pinned(REQUIREMENTS.read_text()):
        raise OperatorError("requirements.lock is out of date: run `make lock`")
    folder = _CACHE / f"wheels-{hashlib.sha256(lock.encode()).hexdigest()[:16]}"
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            fetched = Path(temporary) / "wheels"
            _download(fetched, "--require-hashes", "-r", str(LOCK))
            fetched.rename(folder)
    if {_sha256(file) for file in folder.iterdir()} != hashes:
        shutil.rmtree(folder)
        raise OperatorError("Downloaded dependencies were modified on this machine. Try again.")
    return folder


def _download(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--prefer-binary"]
    platforms = [option for name in _PLATFORMS for option in ("--platform", name)]
    run = subprocess.run(
        [*command, *_PYTHON, *platforms, "--dest", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise OperatorError(f"pip could not download the locked dependencies:\n{run.stderr}")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    """Write the lock for the versions in requirements.txt, as the registry serves them now."""
    requirements = pinned(REQUIREMENTS.read_text())
    lines = ["# Written by `make lock`: the file of each requirement that goes into the package."]
    with tempfile.TemporaryDirectory() as folder:
        for name, version in sorted(requirements.items()):
            destination = Path(folder) / name
            _download(destination, f"{name}=={version}")
            [file] = destination.iterdir()
            lines.append(f"{name}=={version} --hash=sha256:{_sha256(file)}")
    LOCK.write_text("\n".join(lines) + "\n")
    print(f"Wrote {LOCK.name}: {len(requirements)} files. Review the changes before you commit.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
