"""Compare a warm album, and importing it, with plain ways to do the same and with limits.

Machines differ, so each result is a ratio of two times measured in turn in one run. The tables are
printed and saved in `bench/results.md`, with the commit that was measured.
"""

import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from bench import counts, lists, thumbnails
from bench.sample_album import SampleAlbum
from bench.table import HEADER, Row, medians, save_section
from infra.background import running
from infra.errors import exit_code

_ROOT = Path(__file__).parents[1]
_IMPORT_REPEATS = 11
_MAX_IMPORT = 100  # ms
_LEAST, _EVERYTHING = "chalice and msgspec", "all libraries imported at the top"
_IMPORTS = {
    "nothing": "pass",
    "ours": "import app",
    _LEAST: "import chalice, msgspec",
    _EVERYTHING: (
        "import app, boto3, chalice, msgspec, pynamodb.models, requests_toolbelt, PIL.Image, "
        "aws_parameter_store; from jose import jwt"
    ),
}
_PACKAGES = ("boto3", "chalice", "msgspec", "numpy", "pillow", "pynamodb", "pyvips", "simplejpeg")


def _import_row() -> Row:
    """Measure the CPU time of imports, each in a new process that finds its bytecode."""
    for code in _IMPORTS.values():
        _cpu_milliseconds(code)  # writes the bytecode
    taken: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    for _ in range(_IMPORT_REPEATS):
        for name, code in _IMPORTS.items():
            taken[name].append(_cpu_milliseconds(code))
    times = medians(taken)
    ours, least, everything = (
        times[name] - times["nothing"] for name in ("ours", _LEAST, _EVERYTHING)
    )
    return Row(
        "`import app`, without starting Python",
        f"{ours:.0f} ms",
        f"{_EVERYTHING}: {everything:.0f}, {everything / ours:.1f}x ours",
        f"{_LEAST}: {least:.0f}; ours is {ours / least:.2f}x that",
        f"at most {_MAX_IMPORT} ms",
        ours <= _MAX_IMPORT,
        f"{_LEAST} alone take {least:.0f} ms here; imports vary most between machines",
    )


def _cpu_milliseconds(code: str) -> float:
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=_ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, code)
    return (usage.ru_utime + usage.ru_stime) * 1000


def _commit() -> str:
    """Return the commit that is measured, and whether the code differs from it."""
    git = ["git", "-C", str(_ROOT)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "app.py", "chalicelib", "bench/*.py"],
        capture_output=True,
        text=True,
    )
    if commit.returncode:
        return "unknown"
    return commit.stdout.strip() + (" with changes" if changed.stdout else "")


def main() -> None:
    """Measure, print and save the tables. Fails if a target is missed without a reason."""
    photos = os.environ.get("PHOTOS")
    found = [*thumbnails.rows(Path(photos) if photos else None), _import_row()]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state") as stack:
        os.environ.update(stack.env)
        album = SampleAlbum(stack.env["AWS_REGION"])
        found += [*lists.rows(album), *counts.rows(album)]
        growth, page = lists.growth(album)
    found.append(page)
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = f"""# Speed of a warm function

By `make bench` at commit {_commit()}, on {os.cpu_count()} shared cores ({platform.machine()}),
Python {platform.python_version()}, {versions}.
Medians of CPU time, measured in turn: read the ratios, not the milliseconds. The baseline is a
plain way to do the same; the limit is the work that no implementation can avoid.

{HEADER}
{chr(10).join(map(str, found))}

## Growth

Lists of albums of three sizes: the API's CPU time, and its calls to DynamoDB.

{growth}
"""
    save_section(text)
    print(text)
    unexplained = [row.what for row in found if row.met is False and not row.reason]
    if unexplained:
        sys.exit(f"Targets missed without a reason: {'; '.join(unexplained)}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
