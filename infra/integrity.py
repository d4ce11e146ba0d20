"""Check that no data of a stage is lost or orphaned, and repair it with `--repair`.

The hashes of all photos are verified. Prints one line for each issue, with IDs only, and a summary.
The exit code is 1 while any issue remains.
"""

import argparse
import os
import sys

from infra import account
from infra.errors import OperatorError, exit_code


def check(repair: bool, only: str | None) -> None:
    """Check the stage that STAGE names, or only one of its users.

    Raises OperatorError if any issue remains.
    """
    stage, session = account.stage(), account.session()
    os.environ["CLOUDALBUM_PARAMETER_PATH"] = stage.parameter_path
    os.environ["AWS_REGION"] = session.region_name
    # The same code as the scheduled function's, so the two cannot disagree.
    from chalicelib.container import Container
    from chalicelib.errors import ConfigurationError

    try:
        integrity = Container().integrity
    except ConfigurationError as error:
        raise OperatorError(f"The stage {stage.name} is not provisioned: {error}") from None
    summary = integrity.check(print, repair, only=only)
    print(f"{stage.name}: {summary}", flush=True)
    if not summary.is_healthy:
        hint = "" if repair else " Set REPAIR=1 to repair what can be (docs/reliability.md)."
        raise OperatorError(f"The check found issues.{hint}")


def main() -> None:
    """Check, and repair if the command line says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired")
    parser.add_argument("--user", metavar="SUB", help="check only this user")
    arguments = parser.parse_args()
    check(arguments.repair, arguments.user)


if __name__ == "__main__":
    sys.exit(exit_code(main))
