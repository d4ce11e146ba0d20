"""Functions are paused while a block runs, and resumed whatever happens in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.pause import _PAUSED, DRAIN_SECONDS, paused
from infra.stages import Stage

STAGE = Stage("dev")
API, CHECK, AUTHORIZER = "app-APIHandler", "app-CheckIntegrity", "app-JwtAuth"


class FakeAws:
    """CloudFormation with the stack of an app, and Lambda with its functions."""

    def __init__(self, *, deployed: bool = True) -> None:
        self.deployed = deployed
        self.reserved: dict[str, int] = {API: 5}
        self.tags: dict[str, dict[str, str]] = {API: {"stage": "dev"}, CHECK: {}, AUTHORIZER: {}}
        self.slept: list[float] = []
        self.killed = False
        self.exceptions: Any = None

    def make_client(self, service: str) -> "FakeAws":
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        status = "CREATE_COMPLETE" if self.deployed else "DELETE_COMPLETE"
        return {"Stacks": [{"StackStatus": status}]}

    def get_paginator(self, operation: str) -> "FakeAws":
        assert operation == "list_stack_resources"
        return self

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        for name in (AUTHORIZER, CHECK, API):
            logical = name.removeprefix("app-")
            resource = {"LogicalResourceId": logical, "PhysicalResourceId": name}
            yield {"StackResourceSummaries": [resource]}

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        reserved = self.reserved.get(FunctionName)
        function: dict[str, Any] = {"Configuration": {"FunctionArn": f"arn:{FunctionName}"}}
        if reserved is not None:
            function["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        if self.tags[FunctionName]:  # AWS leaves it out if there is none.
            function["Tags"] = self.tags[FunctionName].copy()
        return function

    def tag_resource(self, Resource: str, Tags: dict[str, str]) -> None:  # noqa: N803
        self.tags[Resource.removeprefix("arn:")].update(Tags)

    def untag_resource(self, Resource: str, TagKeys: list[str]) -> None:  # noqa: N803
        for key in TagKeys:
            del self.tags[Resource.removeprefix("arn:")][key]

    def put_function_concurrency(
        self,
        FunctionName: str,  # noqa: N803
        ReservedConcurrentExecutions: int,  # noqa: N803
    ) -> None:
        if self.killed:
            raise SystemExit
        self.reserved[FunctionName] = ReservedConcurrentExecutions

    def delete_function_concurrency(self, FunctionName: str) -> None:  # noqa: N803
        if self.killed:
            raise SystemExit
        del self.reserved[FunctionName]

    def state(self) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
        return self.reserved.copy(), {name: tags.copy() for name, tags in self.tags.items()}


def test_api_and_check_are_paused_until_running_requests_have_ended_and_then_resumed() -> None:
    aws = FakeAws()
    before = aws.state()
    with paused(aws.make_client, STAGE, aws.slept.append):
        assert aws.reserved == {API: 0, CHECK: 0}
        assert aws.slept == [DRAIN_SECONDS]
    assert aws.state() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_functions_are_resumed_after_any_error(error: type[BaseException]) -> None:
    aws = FakeAws()
    before = aws.state()
    with pytest.raises(error), paused(aws.make_client, STAGE, aws.slept.append):
        raise error
    assert aws.state() == before


def test_functions_of_a_killed_command_are_resumed_by_the_next_one() -> None:
    aws = FakeAws()
    before = aws.state()
    with pytest.raises(SystemExit), paused(aws.make_client, STAGE, aws.slept.append):
        aws.killed = True
    assert aws.reserved == {API: 0, CHECK: 0}
    aws.killed = False
    with paused(aws.make_client, STAGE, aws.slept.append):
        assert aws.reserved == {API: 0, CHECK: 0}
    assert aws.state() == before


def test_stage_without_an_app_has_nothing_to_pause() -> None:
    aws = FakeAws(deployed=False)
    with paused(aws.make_client, STAGE, aws.slept.append):
        assert aws.reserved == {API: 5}
    assert aws.slept == []


def test_every_function_that_can_write_is_paused() -> None:
    folder = Path(__file__).parents[3] / ".chalice"
    config = json.loads((folder / "config.json").read_text())
    policies = {"APIHandler": config["iam_policy_file"]}
    for name, function in config["lambda_functions"].items():
        logical_id = "".join(word.title() for word in name.split("_"))
        policies[logical_id] = function["iam_policy_file"]
    reads = ("Get", "Query", "Scan", "List", "ConditionCheck")
    for name, policy in policies.items():
        statements = json.loads((folder / policy).read_text())["Statement"]
        actions = {action for statement in statements for action in statement["Action"]}
        stored = {one for one in actions if one.startswith(("s3:", "dynamodb:"))}
        if not all(one.split(":")[1].startswith(reads) for one in stored):
            assert name in _PAUSED
