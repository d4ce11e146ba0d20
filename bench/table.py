"""What all benchmarks share: measuring in turn, and a table of ratios and targets."""

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")


def milliseconds(
    acts: Mapping[str, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return the median milliseconds of each act, done in turn, so that all meet the same noise."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    for _ in range(repeats):
        for name, act in acts.items():
            began = clock()
            act()
            taken[name].append((clock() - began) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


@dataclass(frozen=True)
class Row:
    """One thing that was measured, beside the plain way to do it and the fastest one imaginable."""

    what: str
    ours: str
    baseline: str
    limit: str
    target: str = ""
    met: bool | None = None  # None where there is no target
    reason: str = ""  # why it is missed

    def __str__(self) -> str:
        verdict = {None: "", True: "met", False: f"**missed**: {self.reason or 'no reason given'}"}
        cells = (self.what, self.ours, self.baseline, self.limit, self.target, verdict[self.met])
        return f"| {' | '.join(cells)} |"


def number(value: float) -> str:
    """Return a number with as many digits as were measured."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


HEAD = """\
| what | ours | the plain way | the limit | target | |
|---|---|---|---|---|---|"""


def compared(
    what: str,
    times: Mapping[str, float],
    unit: str,
    baseline: str,
    limit: str,
    most: float | None = None,
    reason: str = "",
) -> Row:
    """Return the row of a measurement that has one time under each of three names, ours `ours`.

    `most` is the target: how many times the limit ours may take.
    """
    ours = times["ours"]
    return Row(
        what,
        f"{number(ours)} {unit}",
        f"{baseline}: {number(times[baseline])}, {times[baseline] / ours:.1f}x ours",
        f"{limit}: {number(times[limit])}; ours is {ours / times[limit]:.2f}x that",
        f"at most {most}x the limit" if most else "",
        ours <= most * times[limit] if most else None,
        reason,
    )


def keep(text: str) -> None:
    """Replace the chapter of `bench/results.md` that has the same title."""
    title = text.splitlines()[0]
    chapters = re.split(r"(?m)^(?=# )", RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    others = [one for one in chapters if one.strip() and not one.startswith(f"{title}\n")]
    RESULTS.write_text("\n".join(sorted(one.rstrip() + "\n" for one in (*others, text))), "utf-8")
