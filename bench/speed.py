"""Measure what a warm album does, and importing it, beside a plain way and a limit each.

Everything is a ratio of two things measured in turn in one run: machines differ. The tables go to
`bench/results.md` with the commit they were measured at.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from bench import lists, thumbnails
from bench.table import HEAD, Row, keep
from infra.background import running
from infra.errors import exit_code

_ROOT = Path(__file__).parents[1]
_MOST_IMPORT = 100  # ms
_IMPORTS = {
    "nothing": "pass",
    "ours": "import app",
    "chalice and msgspec": "import chalice, msgspec",
    "everything at the top": (
        "import app, boto3, chalice, msgspec, pynamodb.models, requests_toolbelt, PIL.Image, "
        "aws_parameter_store; from jose import jwt"
    ),
}
_PACKAGES = ("boto3", "chalice", "msgspec", "numpy", "pillow", "pynamodb", "pyvips", "simplejpeg")


def _import_row() -> Row:
    """Measure the CPU time of imports, each in a fresh process, with bytecode there."""
    taken: dict[str, list[float]] = {name: [] for name in _IMPORTS}
    for repeat in range(12):
        for name, code in _IMPORTS.items():
            spent = _cpu_seconds(code) * 1000
            taken[name] += [spent] if repeat else []  # the first one writes the bytecode
    medians = {name: statistics.median(times) for name, times in taken.items()}
    over = {name: time - medians["nothing"] for name, time in medians.items()}
    least, all_of_it = "chalice and msgspec", "everything at the top"
    return Row(
        "`import app`, over bare Python",
        f"{over['ours']:.0f} ms of CPU",
        f"{all_of_it}: {over[all_of_it]:.0f} ms, {over[all_of_it] / over['ours']:.1f}x ours",
        f"{least}: {over[least]:.0f} ms; ours is {over['ours'] / over[least]:.2f}x that",
        f"at most {_MOST_IMPORT} ms",
        over["ours"] <= _MOST_IMPORT,
        f"{least} alone take {over[least]:.0f} ms here; imports vary most with the machine",
    )


def _cpu_seconds(code: str) -> float:
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-west-1"}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=_ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, code)
    return usage.ru_utime + usage.ru_stime


def _commit() -> str:
    """Return the commit that is measured, and whether it is the whole truth."""
    git = ["git", "-C", str(_ROOT)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "app.py", "chalicelib", "bench/*.py"],
        capture_output=True,
        text=True,
    )
    if commit.returncode:
        return "no commit"
    return commit.stdout.strip() + (" with changes" if changed.stdout else "")


def main() -> None:
    """Measure, print the tables and keep them. Fails if a target is missed without a reason."""
    photos = os.environ.get("PHOTOS")
    found = [*thumbnails.rows(Path(photos) if photos else None), _import_row()]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state") as stack:
        os.environ.update(stack.env)
        album = lists.Album(stack.env["AWS_REGION"])
        found += lists.rows(album)
        growth, page = lists.growth(album)
    found.append(page)
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = f"""# Speed, as last measured

By `make bench` at commit {_commit()}, on {os.cpu_count()} shared cores ({platform.machine()}),
Python {platform.python_version()}, {versions}.
Medians of CPU time, measured in turn; read the ratios, not the milliseconds.

{HEAD}
{chr(10).join(map(str, found))}

## How it grows

Lists of albums of three sizes, CPU time of the API and calls to DynamoDB:

{growth}
"""
    keep(text)
    print(text)
    unexplained = [row.what for row in found if row.met is False and not row.reason]
    if unexplained:
        sys.exit(f"Missed without a reason: {'; '.join(unexplained)}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
