"""Measure how much memory code takes, on Linux."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_MEASURE = """
import re, sys
from pathlib import Path

def kilobytes(name):
    return int(re.search(rf"{name}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

setup, code = sys.argv[1:]
names = {}
exec(setup, names)
Path("/proc/self/clear_refs").write_text("5")  # Reset the peak, see proc(5).
before = kilobytes("VmRSS")
exec(code, names)
print((kilobytes("VmHWM") - before) * 1024)
"""


def peak_memory(setup: str, code: str) -> int:
    """Return how many bytes `code` takes at its peak, in addition to what `setup` has left.

    Both run in a process of their own, so that nothing else counts.
    """
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE, setup, code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(run.stdout)
