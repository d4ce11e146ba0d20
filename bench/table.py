"""What all benchmarks share: measuring in turn, and a table of ratios and targets."""

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")
HEADER = """\
| measurement | ours | baseline | limit | target | result |
|---|---|---|---|---|---|"""


def milliseconds(
    ways: Mapping[str, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return the median milliseconds of each way, run in turn, so that all meet the same noise."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(repeats):
        for name, way in ways.items():
            began = clock()
            way()
            taken[name].append((clock() - began) * 1000)
    return medians(taken)


def medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each list."""
    return {name: statistics.median(each) for name, each in values.items()}


@dataclass(frozen=True)
class Row:
    """A measurement of the album, of a plain way to do the same, and of the least it can take."""

    what: str
    ours: str
    baseline: str
    limit: str
    target: str = ""
    met: bool | None = None  # None where there is no target
    reason: str = ""  # why the target is missed

    def __str__(self) -> str:
        missed = f"**missed**: {self.reason or 'no reason given'}"
        result = {None: "", True: "met", False: missed}[self.met]
        cells = (self.what, self.ours, self.baseline, self.limit, self.target, result)
        return f"| {' | '.join(cells)} |"


def number(value: float) -> str:
    """Return a number with three significant digits, or as an integer from 100 on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def compared(
    what: str,
    times: Mapping[str, float],
    unit: str,
    baseline: str,
    limit: str,
    target: float | None = None,
    reason: str = "",
) -> Row:
    """Return the row that compares the time named "ours" with those of a baseline and a limit.

    `target` is how many times the limit ours may take.
    """
    ours = times["ours"]
    return Row(
        what,
        f"{number(ours)} {unit}",
        f"{baseline}: {number(times[baseline])}, {times[baseline] / ours:.1f}x ours",
        f"{limit}: {number(times[limit])}; ours is {ours / times[limit]:.2f}x that",
        f"at most {target}x the limit" if target else "",
        ours <= target * times[limit] if target else None,
        reason,
    )


def save_section(text: str) -> None:
    """Replace the section of `bench/results.md` that has the same title."""
    title = text.splitlines()[0]
    sections = re.split(r"(?m)^(?=# )", RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    others = [one for one in sections if one.strip() and not one.startswith(f"{title}\n")]
    RESULTS.write_text("\n".join(sorted(one.rstrip() + "\n" for one in (*others, text))), "utf-8")
