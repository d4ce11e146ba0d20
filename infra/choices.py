"""What an operator can choose for a stage, and what is a valid choice.

Each choice is an environment variable of `make provision` and a parameter of the same name. "-"
stands for an empty value, which Parameter Store does not have.
"""

import re
import sys
from collections.abc import Mapping

from chalicelib.settings import check_parameter
from infra.errors import OperatorError

EMPTY = "-"
EVERYONE = "*"

# The defaults in the embedded AWS. The app does not read the last four.
CHOICES = {
    "S3_PRESIGNED_EXP": "3600",
    "ORIGINALS_STORAGE_CLASS": "INTELLIGENT_TIERING",
    "THUMBNAIL_WIDTH": "600",
    "THUMBNAIL_HEIGHT": "400",
    "PREVIEW_SIZE": "1920",
    "DDB_RCU": "0",
    "DDB_WCU": "0",
    "MAX_PHOTOS": "0",
    "MAX_STORAGE_BYTES": "0",
    "TRASH_DAYS": "30",
    "SIGNUP_ALLOWED": EVERYONE,
    "SIGNUP_CONFIRMATION": "auto",
    "CALLBACK_URL": "http://localhost:8080/",
    "HOSTED_PAGES": "false",
    "OWNER": EMPTY,
    "BUDGET_USD": "0",
    "KEEP_DELETED_DAYS": "35",
}
# On AWS, the album is open to the internet and costs money. SIGNUP_ALLOWED begins with the owner.
AWS_DEFAULTS = {"SIGNUP_CONFIRMATION": "email", "BUDGET_USD": "10"}
STACK_PARAMETERS = {
    "DDB_RCU": "ReadCapacityUnits",
    "DDB_WCU": "WriteCapacityUnits",
    "SIGNUP_CONFIRMATION": "SignupConfirmation",
    "CALLBACK_URL": "CallbackUrl",
    "HOSTED_PAGES": "HostedPages",
    "OWNER": "OwnerEmail",
    "BUDGET_USD": "BudgetUsd",
    "KEEP_DELETED_DAYS": "KeepDeletedDays",
}

# An address as the API accepts it; but here, * would be taken for a pattern.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"@{_LABEL}(?:\.{_LABEL})+"
_ADDRESS = rf"(?=.{{3,128}}$)[a-z0-9.!#$%&'+/=?^_`{{|}}~-]+{_DOMAIN}"
_SHOWN = 80  # characters of an invalid value
_WHOLE_NUMBER = (r"[0-9]{1,9}", "a whole number")
# What `chalicelib.settings` does not check.
_EXPECTED = {
    "BUDGET_USD": _WHOLE_NUMBER,
    "KEEP_DELETED_DAYS": (r"[12]?[0-9]|3[0-5]", "a whole number from 0 to 35"),
    # The functions' environment holds 4 kB, and SIGNUP_ALLOWED may take most of it.
    "CALLBACK_URL": (r"https?://[!-~]{1,490}", "a URL of at most 490 characters after https://"),
    "HOSTED_PAGES": (r"true|false", "true or false"),
    "OWNER": (rf"-|(?i:{_ADDRESS})", "an email address, such as you@example.com"),
}


def stage_choices(
    stored: Mapping[str, str],
    stack: Mapping[str, str],
    chosen: Mapping[str, str],
    *,
    emulated: bool,
) -> dict[str, str]:
    """Return each choice of a stage. Asks for an owner on AWS. Raises OperatorError.

    `chosen` counts more than the parameters `stored` earlier, and these more than those of the
    `stack`, which remain when a stage is destroyed without its data.
    """
    in_stack = {name: stack[key] or EMPTY for name, key in STACK_PARAMETERS.items() if key in stack}
    earlier = in_stack | {name: stored[name] for name in CHOICES if name in stored}
    choices = CHOICES | ({} if emulated else AWS_DEFAULTS) | earlier | dict(chosen)
    if not emulated:
        if choices["OWNER"] == EMPTY:
            choices["OWNER"] = _ask_for_owner()
        if "SIGNUP_ALLOWED" not in stored:
            check("OWNER", choices["OWNER"])
            choices["SIGNUP_ALLOWED"] = _with_owner(choices["OWNER"], chosen)
    choices["SIGNUP_ALLOWED"] = joined(entries(choices["SIGNUP_ALLOWED"]))
    return choices


def check(name: str, value: str) -> None:
    """Check that a choice is valid. Raises OperatorError."""
    pattern, expected = _EXPECTED.get(name, ("(?s:.*)", ""))
    try:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {expected}")
        check_parameter(name, value)
    except ValueError as error:
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        raise OperatorError(f"{name} {error}, not {shown or 'empty'}.") from None


def check_entry(entry: str) -> None:
    """Check whom EMAIL invites. Raises OperatorError."""
    if not re.fullmatch(f"(?i:{_ADDRESS}|{_DOMAIN})", entry):
        raise OperatorError(
            "EMAIL must be an email address or an @domain, such as mario@example.com or "
            f"@example.com, not {entry or 'empty'}."
        )


def entries(allowed: str) -> list[str]:
    """Return the addresses and @domains in a list of who may sign up."""
    stripped = [entry.strip() for entry in allowed.split(",")]
    return [entry for entry in stripped if entry not in ("", EMPTY)]


def joined(listed: list[str]) -> str:
    """Return the list of who may sign up as it is stored."""
    return ",".join(listed).lower() or EMPTY


def _with_owner(owner: str, chosen: Mapping[str, str]) -> str:
    """Return who may sign up to a new stage: its owner first, unless everyone or no one may."""
    allowed = chosen.get("SIGNUP_ALLOWED", owner)
    if allowed in (EMPTY, EVERYONE):
        return allowed
    return joined([owner, *(entry for entry in entries(allowed) if entry.lower() != owner.lower())])


def _ask_for_owner() -> str:
    if not sys.stdin.isatty():
        raise OperatorError(
            "The owner's email address is missing: run `make provision OWNER=you@example.com`."
        )
    print(
        "Email address of the owner, who may sign up and is notified of alarms and costs: ",
        end="",
        flush=True,
    )
    typed = sys.stdin.readline().strip()
    check("OWNER", "" if typed == EMPTY else typed)
    return typed
