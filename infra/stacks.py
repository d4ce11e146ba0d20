"""Create, update, delete and wait for CloudFormation stacks."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.errors import OperatorError

MakeClient = Callable[[str], Any]

_POLL = {"Delay": 2, "MaxAttempts": 900}
# The states of a stack whose creation failed: it can only be deleted.
_FAILED_CREATION = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}


def outputs(cloudformation: Any, stack: str) -> dict[str, str] | None:
    """Return the stack's outputs by name, or None if the stack does not exist."""
    description = _describe(cloudformation, stack)
    if description is None or description["StackStatus"] in _FAILED_CREATION:
        return None
    return {one["OutputKey"]: one["OutputValue"] for one in description.get("Outputs", [])}


def parameters(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the stack's parameters by name, or nothing if the stack does not exist."""
    description = _describe(cloudformation, stack) or {}
    return {one["ParameterKey"]: one["ParameterValue"] for one in description.get("Parameters", [])}


def deploy(
    cloudformation: Any,
    stack: str,
    template: dict[str, Any],
    given: dict[str, str],
    known: set[str] | None = None,
) -> str:
    """Create or update a stack, wait for it, and return "created", "updated" or "unchanged".

    `template` is TemplateBody or TemplateURL. A parameter that is not `given` keeps its value, if
    it is among the `known` ones: the template may have lost it.
    Raises OperatorError with the first failure that CloudFormation reports.
    """
    description = _describe(cloudformation, stack)
    if description is not None and description["StackStatus"] in _FAILED_CREATION:
        delete(cloudformation, stack)
        description = None
    request = {
        "StackName": stack,
        "Parameters": _with_previous(description, given, known),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        **template,
    }
    if description is None:
        cloudformation.create_stack(**request)
        _wait(cloudformation, stack, "stack_create_complete")
        return "created"
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return "unchanged"
        raise
    _wait(cloudformation, stack, "stack_update_complete")
    return "updated"


def delete(cloudformation: Any, stack: str) -> None:
    """Delete a stack, if it exists, and wait for it."""
    cloudformation.delete_stack(StackName=stack)
    _wait(cloudformation, stack, "stack_delete_complete")


def _describe(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    try:
        description: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return None if description["StackStatus"] == "DELETE_COMPLETE" else description


def _with_previous(
    description: dict[str, Any] | None, given: dict[str, str], known: set[str] | None
) -> list[dict[str, Any]]:
    new = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    existing = (description or {}).get("Parameters", [])
    kept = [
        {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
        for one in existing
        if one["ParameterKey"] not in given and (known is None or one["ParameterKey"] in known)
    ]
    return new + kept


def _wait(cloudformation: Any, stack: str, event: str) -> None:
    try:
        cloudformation.get_waiter(event).wait(StackName=stack, WaiterConfig=_POLL)
    except WaiterError as error:
        reason = _first_failure(cloudformation, stack) or str(error)
        raise OperatorError(f"The stack {stack} failed: {reason}") from None


def _first_failure(cloudformation: Any, stack: str) -> str | None:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    first = None
    for event in (event for page in pages for event in page["StackEvents"]):  # newest first
        reason = event.get("ResourceStatusReason")
        if event["ResourceStatus"].endswith("_FAILED"):
            first = f"{event['LogicalResourceId']}: {reason}"
        elif event["LogicalResourceId"] == stack and reason == "User Initiated":
            break  # Older events belong to earlier operations.
    return first
