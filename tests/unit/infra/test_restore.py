"""What `make restore` accepts, asks and refuses before it changes anything."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import restore
from infra.errors import OperatorError
from infra.restore import Plan, parse_moment
from infra.stages import Stage

ROOT = Path(__file__).parents[3]
MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = Plan(Stage("prod"), MOMENT, items=(1_200, 3), objects=(2_400, 6), users=5)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00Z",
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00.000+00:00",
        "2026-11-20T13:00+01:00",
        "2026-11-20 12:00Z",
    ],
)
def test_moment_with_a_time_zone_is_read_in_utc(text: str) -> None:
    assert parse_moment(text) == MOMENT
    assert parse_moment(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20",
        "2026-11-20T12:00",
        "2026-11-20T12:00:00.5Z",
        "yesterday",
        "2026-02-30T12:00Z",
    ],
)
def test_moment_without_a_time_zone_or_in_parts_of_a_second_is_rejected(text: str) -> None:
    with pytest.raises(OperatorError, match="TO must be a moment with its time zone") as error:
        parse_moment(text)
    assert (text or "empty") in str(error.value)


def test_plan_says_what_will_happen_in_utc() -> None:
    assert str(PLAN).splitlines() == [
        "prod will be as it was at 2026-11-20 12:00:00 UTC:",
        "  items of photos   1,200 to write, 3 to delete",
        "  objects           2,400 to bring back, 6 to delete",
        "  users             5, all of whom will be signed out",
        "Until it is done, the API rejects all requests.",
    ]


def run(**env: str) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal and without credentials."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | env
    return subprocess.run(
        [sys.executable, "-m", "infra.restore"],
        cwd=ROOT,
        env=environment | {"AWS_EC2_METADATA_DISABLED": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "TO must be a moment"),
        ({"TO": "2026-11-20T12:00Z"}, "There is no terminal to confirm this in. Set YES=1"),
        ({"TO": "2026-11-20T12:00Z", "YES": "1"}, "The AWS region is missing"),
        ({"TO": "2026-11-20T12:00Z", "YES": "1", "STAGE": "Prod"}, "STAGE=Prod is not valid"),
        (
            {"TO": "2026-11-20T12:00Z", "YES": "1", "AWS_DEFAULT_REGION": "eu-west-1"},
            "AWS credentials are missing",
        ),
    ],
)
def test_restore_that_cannot_begin_says_so_in_one_line(env: dict[str, str], expected: str) -> None:
    done = run(**env)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(expected)


@pytest.mark.parametrize(
    ("typed", "confirmed"), [("prod\n", True), ("dev\n", False), ("\n", False), ("", False)]
)
def test_operator_confirms_by_typing_the_stages_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    confirmed: bool,
) -> None:
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: typed, raising=False)
    assert restore._confirm(PLAN) is confirmed
    assert capsys.readouterr().out == f"{PLAN}\nType prod to restore it: "


def test_yes_confirms_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YES", "1")
    assert restore._confirm(PLAN)
    assert capsys.readouterr().out == f"{PLAN}\n"


class FakeAws:
    """A data stack that keeps deleted objects for some days, or none."""

    def __init__(self, days: int | None) -> None:
        self._days = days

    def make_client(self, service: str) -> "FakeAws":
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        names = ("PhotoBucketName", "PhotoTableName", "UserTableName")
        stack = {
            "StackStatus": "DELETE_COMPLETE" if self._days is None else "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": name, "OutputValue": name} for name in names],
            "Parameters": [{"ParameterKey": "KeepDeletedDays", "ParameterValue": str(self._days)}],
        }
        return {"Stacks": [stack]}

    def get_bucket_versioning(self, Bucket: str) -> dict[str, str]:  # noqa: N803
        return {"Status": "Enabled"}


@pytest.mark.parametrize(
    ("days", "age", "expected"),
    [
        (None, timedelta(hours=1), "The stage dev has no data stack to restore"),
        (7, timedelta(days=7, minutes=1), r"keeps deleted objects for 7 days .* earliest moment"),
        (35, timedelta(hours=-1), "TO must be in the past"),
    ],
)
def test_moment_that_the_bucket_does_not_know_is_rejected(
    days: int | None, age: timedelta, expected: str
) -> None:
    moment = datetime.now(UTC) - age
    with pytest.raises(OperatorError, match=expected):
        restore.restore(FakeAws(days).make_client, Stage("dev"), moment, lambda plan: True)


def test_interrupted_command_says_how_to_finish() -> None:
    with pytest.raises(OperatorError, match="Run the same command again to finish"):
        restore._interrupt(signal.SIGTERM, None)
    # By default, Python would not resume the functions after these.
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} == set(restore._SIGNALS)


def test_restore_ends_with_a_check_that_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setenv("TO", "2026-11-20T12:00Z")
    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr("infra.account.session", lambda: FakeAws(35))
    monkeypatch.setattr(FakeAws, "client", FakeAws.make_client, raising=False)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr(restore, "restore", lambda *given: done.append(given[1:3]))
    monkeypatch.setattr("infra.integrity.check", lambda **given: done.append(given))
    restore.main()
    assert done == [(Stage("dev"), MOMENT), {"repair": True, "only": None}]
