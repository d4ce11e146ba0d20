"""Plant one-line bugs into modules, and print those that no unit or API test finds.

Run `make mutants`. It tests the modules that differ from the main branch, or all that `--sample`
draws from, in a copy of the project. Each mutant runs the tests that cover its line, until one
fails: a mutant whose tests all pass is a survivor. Write a test for it, or ignore it if no caller
can see the difference.
"""

import argparse
import difflib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from coverage import CoverageData

ROOT = Path(__file__).parents[1]
COSMIC_RAY = ROOT / ".venv-mutants" / "bin" / "python"
TESTS = ("tests/unit", "tests/api")
_MAX_TEST_SECONDS = 60.0  # of the tests of one mutant, as they took when nothing was broken
_PATIENCE = 5  # A mutant that makes its tests this much slower is killed.


class Recorder:
    """Records which tests passed, and how many seconds each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid
        self.seconds[name] = self.seconds.get(name, 0) + report.duration
        if not report.passed:
            self.failed.add(name)


class Coverage:
    """Which tests cover each line, and how long they take."""

    def __init__(self, data: CoverageData, recorder: Recorder) -> None:
        self._data = data
        self._passed = {
            name: seconds
            for name, seconds in recorder.seconds.items()
            if name not in recorder.failed
        }

    def __str__(self) -> str:
        return f"{len(self._passed):,} tests, of {sum(self._passed.values()):.0f} seconds"

    def fastest(self, count: int) -> list[str]:
        """Return the fastest tests that pass."""
        return sorted(self._passed, key=lambda name: self._passed[name])[:count]

    def tests_of(self, path: Path, line: int) -> tuple[list[str], float]:
        """Return the tests to run for a line, and the seconds they take.

        The tests of the line come first, and then the others of its module: a line that runs at
        import, or whose result is cached, affects more tests than those that execute it. Of each,
        those in the folder of the same package are the likeliest to fail, and then the fastest.
        """
        by_line = self._data.contexts_by_lineno(str(path))
        of_line = {context.partition("|")[0] for context in by_line.get(line, [])}
        of_module = {
            context.partition("|")[0] for contexts in by_line.values() for context in contexts
        }
        near = f"/{path.parent.name}/"
        # A module that only defines shapes or tables runs at import: any test may notice.
        names = sorted(
            of_module & set(self._passed) or set(self._passed),
            key=lambda name: (name not in of_line, near not in name, self._passed[name], name),
        )
        chosen, total = [], 0.0
        for name in names:
            if total > _MAX_TEST_SECONDS:
                break
            total += self._passed[name]
            chosen.append(name)
        return chosen, total


def run_pytest(
    arguments: list[str], copy: Path, seconds: float, recorder: Recorder | None = None
) -> int | None:
    """Run tests in a child of this process; return the exit status, None if time was up.

    A child has all libraries already, whose import would take most of the time.
    """
    child = os.fork()
    if child == 0:
        try:
            _run_in_child(arguments, copy, recorder)
        finally:
            os._exit(3)  # as pytest does after an internal error
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run_in_child(arguments: list[str], copy: Path, recorder: Recorder | None) -> NoReturn:
    os.setsid()
    os.chdir(copy)
    # Only the copy's modules may be imported from here on.
    sys.path[:] = [str(copy), *(path for path in sys.path if path != str(ROOT))]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    output = os.open("output", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    plugins = [recorder] if recorder else []
    status = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins)
    if recorder:
        Path("recorded").write_text(json.dumps([recorder.seconds, list(recorder.failed)]))
    sys.stdout.flush()
    os._exit(status)


def measure(copy: Path, seconds: float) -> Coverage:
    """Run all unit and API tests once, and return which lines each of them covers."""
    options = ["--cov", "--cov-context=test", "--cov-report=", "-n", "auto", "--dist", "loadfile"]
    run_pytest([*options, *TESTS], copy, seconds, Recorder())
    recorded = copy / "recorded"
    if not recorded.exists():
        sys.exit("The tests alone took longer than that. Give `make mutants` more SECONDS.")
    recorder = Recorder()
    recorder.seconds, failed = json.loads(recorded.read_text())
    recorder.failed = set(failed)
    data = CoverageData(str(copy / ".coverage"))
    data.read()
    return Coverage(data, recorder)


def changed_modules(since: str) -> list[str]:
    """Return the modules of the app that differ from those of a commit."""
    git = ["git", "diff", "--name-only", "--diff-filter=d", "--merge-base", since, "--"]
    changed = subprocess.run(
        [*git, "app.py", "chalicelib"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in changed.stdout.split() if name.endswith(".py")]


def copy_project(folder: Path) -> None:
    """Copy the files that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".venv").symlink_to(ROOT / ".venv")


def mutants(copy: Path, seed: int, modules: list[str]) -> Generator[Any, None, None]:
    """Yield the number of places for bugs, and then mutants in random order."""
    command = [str(COSMIC_RAY), str(ROOT / "tests/support/mutations.py"), str(seed), *modules]
    with subprocess.Popen(command, cwd=copy, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield json.loads(line)
        finally:
            process.kill()


def difference(before: str, after: str) -> str:
    """Return the lines that a mutant changes, as they are and as it has them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(f"    {line}" for line in list(lines)[3:])


def survives(
    copy: Path, mutant: dict[str, Any], coverage: Coverage, deadline: float
) -> bool | None:
    """Return whether all tests that cover a mutant's line pass; None if time was up."""
    module = copy / mutant["path"]
    tests, seconds = coverage.tests_of(module, mutant["line"])
    if not tests:
        return True
    before = module.read_text()
    module.write_text(mutant["source"])
    try:
        limit = 20 + _PATIENCE * seconds
        status = run_pytest(["-x", *tests], copy, min(limit, deadline - time.monotonic()))
    finally:
        module.write_text(before)
    return None if time.monotonic() > deadline else status == 0


def preload() -> None:
    """Import what nearly all tests need, but nothing of the album."""
    import boto3  # noqa: F401
    import chalice.test  # noqa: F401
    import moto.backends
    import PIL.Image  # noqa: F401
    import pynamodb.models  # noqa: F401

    for service in ("cloudformation", "cognitoidp", "dynamodb", "s3", "ssm"):
        moto.backends.get_backend(service)


def main() -> int:
    """Test mutants until time is up; return 0, as a survivor need not be an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--since", default="main", help="a commit or a branch")
    parser.add_argument("--modules", nargs="*", help="these, whether they have changed or not")
    parser.add_argument("--sample", type=int, default=10**6, help="at most so many mutants")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.seconds
    # A file and its mutant may have the same size and time, by which Python knows its bytecode.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    modules = arguments.modules or changed_modules(arguments.since)
    if not modules:
        print(f"No module has changed since {arguments.since}.")
        return 0
    killed, survivors = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        copy_project(copy)
        coverage = measure(copy, arguments.seconds)
        print(f"Measured {coverage}.", flush=True)
        preload()
        if run_pytest(coverage.fastest(20), copy, 60) != 0:
            sys.exit(f"The tests fail without a mutant:\n{(copy / 'output').read_text()}")
        found = mutants(copy, arguments.seed, modules)
        places = next(found)
        for mutant in found:
            result = survives(copy, mutant, coverage, deadline)
            if result is None:
                break
            if result:
                survivors += 1
                before = (copy / mutant["path"]).read_text()
                print(f"{mutant['path']}:{mutant['line']}")
                print(difference(before, mutant["source"]), flush=True)
            else:
                killed += 1
            if killed + survivors == arguments.sample:
                break
        found.close()
    tested = killed + survivors
    print(f"{tested} mutants in random order (--seed {arguments.seed}), of up to {places}:")
    print(f"{killed} killed, {survivors} survived, {killed / max(1, tested):.0%} killed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
