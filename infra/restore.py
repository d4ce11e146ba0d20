"""Restore a stage's photos and accounts to one moment, in the running stage.

The order keeps every listed photo loadable, wherever it is interrupted: objects are brought back
before the items that name them, and deleted after those. Everything can be repeated.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from infra import account, integrity, stacks
from infra.errors import OperatorError, exit_code
from infra.pause import paused
from infra.restore_objects import BucketRestore, require_history
from infra.restore_tables import Table, TableRestore, readable, rescue_name
from infra.stacks import MakeClient
from infra.stages import Stage

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Plan:
    """What a restore will change."""

    stage: Stage
    moment: datetime
    items: tuple[int, int]  # photo items to write, and to delete
    objects: tuple[int, int]  # objects to bring back, and to delete
    users: int

    def __str__(self) -> str:
        written, deleted = self.items
        brought_back, removed = self.objects
        return (
            f"{self.stage.name} will be as it was at {readable(self.moment)}:\n"
            f"  items of photos   {written:,} to write, {deleted:,} to delete\n"
            f"  objects           {brought_back:,} to bring back, {removed:,} to delete\n"
            f"  users             {self.users:,}, all of whom will be signed out\n"
            "Until it is done, the API rejects all requests."
        )


def parse_moment(text: str) -> datetime:
    """Return the moment that TO names, in UTC. Raises OperatorError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.microsecond:
        raise OperatorError(
            "TO must be a moment with its time zone and in whole seconds, such as "
            f"2026-11-20T12:00Z, not {text or 'empty'}."
        )
    return moment.astimezone(UTC)


def restore(
    make_client: MakeClient,
    stage: Stage,
    moment: datetime,
    confirm: Callable[[Plan], bool],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make a stage's tables and bucket what they were at a moment, if `confirm` agrees to the plan.

    Raises OperatorError.
    """
    cloudformation = make_client("cloudformation")
    data = stacks.outputs(cloudformation, stage.data_stack)
    if data is None:
        raise OperatorError(f"The stage {stage.name} has no data stack to restore.")
    days = int(stacks.parameters(cloudformation, stage.data_stack).get("KeepDeletedDays", 0))
    s3, bucket = make_client("s3"), data["PhotoBucketName"]
    require_history(s3, bucket)
    _require_kept(moment, days)
    tables = TableRestore(
        make_client("dynamodb"),
        _table(data["PhotoTableName"], moment, "user_id", "id"),
        _table(data["UserTableName"], moment, "sub"),
        sleep,
    )
    tables.require_moment(moment)
    print("Reading what was stored then. This takes up to an hour.", flush=True)
    tables.create_rescue_tables(moment)
    objects = BucketRestore(s3, bucket, moment)
    written, deleted, users = tables.plan()
    if not confirm(Plan(stage, moment, (written, deleted), objects.plan(), users)):
        tables.delete_rescue_tables()
        raise OperatorError("The name does not match. Nothing was changed.")
    with paused(make_client, stage, sleep):
        objects.bring_back()
        tables.restore_photos(objects.has, print)
        tables.restore_users(int(time.time()))
        objects.delete_newer()
    tables.delete_rescue_tables()
    print(f"{stage.name} restored to {readable(moment)}", flush=True)


def _table(name: str, moment: datetime, *key: str) -> Table:
    return Table(name, rescue_name(name, moment), key)


def _require_kept(moment: datetime, days: int) -> None:
    """Raise OperatorError if the bucket no longer keeps all that was deleted since a moment."""
    earliest = datetime.now(UTC) - timedelta(days=days)
    if moment < earliest:
        raise OperatorError(
            f"The bucket keeps deleted objects for {days} days (KEEP_DELETED_DAYS), so the "
            f"earliest moment is {readable(earliest)}."
        )
    if moment >= datetime.now(UTC):
        raise OperatorError(f"TO must be in the past, not {readable(moment)}.")


def _confirm(plan: Plan) -> bool:
    print(plan)
    if os.environ.get("YES") == "1":
        return True
    print(f"Type {plan.stage.name} to restore it: ", end="", flush=True)
    return sys.stdin.readline().strip() == plan.stage.name


def _interrupt(*_: object) -> NoReturn:
    raise OperatorError("Interrupted. Run the same command again to finish.")


def main() -> None:
    """Restore the stage that STAGE names to the moment TO, then check and repair it."""
    stage, moment = account.stage(), parse_moment(os.environ.get("TO", ""))
    if os.environ.get("YES") != "1" and not sys.stdin.isatty():
        raise OperatorError("There is no terminal to confirm this in. Set YES=1 to confirm it.")
    session = account.session()
    for number in _SIGNALS:  # By default, some would end Python without resuming the functions.
        signal.signal(number, _interrupt)
    restore(session.client, stage, moment, _confirm)
    # It creates previews and thumbnails that were no longer kept.
    integrity.check(repair=True, only=None)


if __name__ == "__main__":
    sys.exit(exit_code(main))
