"""Ask the advisory service of PyPI about known flaws of the dependencies.

`make audit` is the way in. The tool, pip-audit, lives in an environment of its own, since it brings
17 packages that nothing else needs.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from infra.errors import OperatorError, exit_code

ROOT = Path(__file__).parent.parent
_TOOL = "pip-audit==2.10.1"
_FOLDER = ROOT / ".venv" / "audit"
_FILES = ("requirements.txt", "requirements-dev.txt")

# Flaws that are known, and why they are none of this album's.
ACCEPTED = {
    "CVE-2024-23342": "ecdsa signs in a time that tells its key; it is neither packaged nor used",
}


def tool() -> Path:
    """Return pip-audit, installed on first use. Raises OperatorError."""
    program = _FOLDER / "bin" / "pip-audit"
    if not program.exists():
        venv.create(_FOLDER, with_pip=True)
        command = [str(_FOLDER / "bin" / "pip"), "install", "--quiet", _TOOL]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise OperatorError(f"{_TOOL} cannot be installed:\n{run.stderr}")
    return program


def audited(requirements: Path, program: Path) -> list[dict[str, Any]]:
    """Return what pip-audit knows of each requirement of a file. Raises OperatorError."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    run = subprocess.run(
        [str(program), *options, "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise OperatorError(
            f"The advisory service cannot be asked from here: {run.stderr.strip()[-300:]}"
        ) from None
    return found


def judged(found: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong, one line each. Raises OperatorError if nothing is known."""
    unknown = [one["name"] for one in found if "skip_reason" in one]
    if len(unknown) == len(found):
        raise OperatorError(
            "The advisory service knows none of the dependencies: it is not the one of pypi.org, "
            "or cannot be reached. Nothing was audited; try where the internet is."
        )
    wrong = [f"{name}: nothing is known of it, so it was not audited" for name in unknown]
    for one in found:
        for flaw in one.get("vulns", []):
            if not ACCEPTED.keys() & {flaw["id"], *flaw.get("aliases", [])}:
                mended = ", ".join(flaw["fix_versions"]) or "no release yet"
                wrong.append(f"{one['name']} {one['version']}: {flaw['id']}, mended in {mended}")
    return wrong


def main() -> None:
    """Audit what runs and what it is developed with."""
    wrong = []
    for name in _FILES:
        found = audited(ROOT / name, tool())
        wrong += judged(found)
        print(f"{name}: {len(found)} dependencies")
    for line in wrong:
        print(line)
    if wrong:
        raise OperatorError("See docs/operations.md, Update the dependencies.")
    print(f"No known flaws, but {len(ACCEPTED)} that are accepted: see infra/audit.py.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
