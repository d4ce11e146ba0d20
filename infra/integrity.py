"""Check that a stage's album has lost nothing and forgotten nothing, and mend it with `--repair`.

One line for each thing that is wrong, by ids alone; then a summary. The exit code is 1 as long as
anything is wrong.
"""

import argparse
import os
import sys

from infra import account
from infra.errors import OperatorError, exit_code


def check(repair: bool, only: str | None) -> None:
    """Check the stage that STAGE names, or only one user of it.

    Raises OperatorError if anything is still wrong.
    """
    stage, session = account.stage(), account.session()
    os.environ["CLOUDALBUM_PARAMETER_PATH"] = stage.parameter_path
    os.environ["AWS_REGION"] = session.region_name
    # What the functions themselves use, so that command and schedule can never disagree.
    from chalicelib.container import Container
    from chalicelib.errors import ConfigurationError

    try:
        integrity = Container().integrity
    except ConfigurationError as error:
        raise OperatorError(f"The stage {stage.name} is not provisioned: {error}") from None
    summary = integrity.check(print, repair, only=only)
    print(f"{stage.name}: {summary}", flush=True)
    if not summary.healthy:
        mends = "" if repair else " Some of it can be mended: REPAIR=1 (docs/reliability.md)."
        raise OperatorError(f"Something is wrong with the album.{mends}")


def main() -> None:
    """Check, and repair where the command line says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    parser.add_argument("--user", metavar="SUB", help="look at what one user has, and no further")
    arguments = parser.parse_args()
    check(arguments.repair, arguments.user)


if __name__ == "__main__":
    sys.exit(exit_code(main))
