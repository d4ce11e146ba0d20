"""Invite a person, or everyone with an address at a domain, to sign up to a stage.

The address is added to the parameter SIGNUP_ALLOWED. The functions have their settings in their
environment, so their stack is updated as well, with the package that it has. Updating only the
functions would be faster, but a later rollback of the stack would undo it.
"""

import os
import sys
from typing import Any

from infra import account, choices, cloudfront, stacks
from infra.deploy import api_url, apply_parameters
from infra.errors import OperatorError, exit_code
from infra.publish import website_url
from infra.stacks import MakeClient
from infra.stages import Stage


def invite(make_client: MakeClient, stage: Stage, entry: str) -> list[str]:
    """Allow an address or an @domain to sign up; return what to print. Raises OperatorError."""
    choices.check_entry(entry)
    ssm, name = make_client("ssm"), f"{stage.parameter_path}SIGNUP_ALLOWED"
    allowed = _read(ssm, name, stage)
    lines = []
    if is_allowed(allowed, entry):
        lines.append(f"{name} already allows {entry}")
    else:
        allowed = choices.joined([*choices.entries(allowed), entry])
        choices.check("SIGNUP_ALLOWED", allowed)
        ssm.put_parameter(Name=name, Value=allowed, Type="SecureString", Overwrite=True)
        lines.append(f"{name} written")
    # Even if nothing has changed: an earlier invitation may have been interrupted before this.
    app = apply_parameters(make_client, stage)
    who = f"Everyone with an address at {entry}" if entry.startswith("@") else entry
    if app is None:
        return [*lines, f"{who} may sign up once you have run `make deploy STAGE={stage.name}`."]
    # People who have published a client of their own prefer it.
    website = stacks.outputs(make_client("cloudformation"), stage.website_stack)
    address = website_url(website) if website else _web_url(app)
    return [*lines, f"{who} may now sign up. Send them the album's address:", address]


def _web_url(app: dict[str, str]) -> str:
    """Return the web app's URL; the app of an earlier version has only an API."""
    return cloudfront.web_url(app["WebHost"]) if "WebHost" in app else f"{api_url(app)}/docs"


def is_allowed(allowed: str, entry: str) -> bool:
    """Return whether a list of who may sign up includes an address or an @domain."""
    listed, entry = choices.entries(allowed.lower()), entry.lower()
    return bool({choices.EVERYONE, entry, f"@{entry.rpartition('@')[2]}"} & set(listed))


def _read(ssm: Any, name: str, stage: Stage) -> str:
    try:
        value: str = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        raise OperatorError(
            f"{name} is missing. Run `make provision STAGE={stage.name}` first."
        ) from None
    return value


def main() -> None:
    """Invite whom EMAIL names to the stage that STAGE names."""
    entry = os.environ.get("EMAIL", "").strip()
    choices.check_entry(entry)  # before a wrong credential or region is reported
    stage = account.stage()
    print("\n".join(invite(account.session().client, stage, entry)))


if __name__ == "__main__":
    sys.exit(exit_code(main))
