"""Pause a stage's functions: API Gateway then rejects every request, and nothing is written."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from infra import stacks
from infra.stacks import MakeClient
from infra.stages import Stage

DRAIN_SECONDS = 30  # A request that has begun takes at most 29.
_PAUSED = {"APIHandler", "CheckIntegrity", "EmptyTrash"}
# The tag with what was reserved before: a command that was killed leaves it for the next one.
_TAG = "cloudalbum-concurrency-before-pause"
_UNRESERVED = "unreserved"


@contextlib.contextmanager
def paused(make_client: MakeClient, stage: Stage, sleep: Callable[[float], None]) -> Iterator[None]:
    """Pause the API and the daily functions until the block ends, whatever ends it.

    A stage without an app, such as that of `make run`, has nothing to pause.
    """
    lambda_client = make_client("lambda")
    with contextlib.ExitStack() as resumed:
        names = _functions(make_client("cloudformation"), stage)
        for name in names:
            resumed.callback(_resume, lambda_client, name)
            _pause(lambda_client, name)
        if names:
            sleep(DRAIN_SECONDS)
        yield


def _functions(cloudformation: Any, stage: Stage) -> list[str]:
    if stacks.outputs(cloudformation, stage.app_stack) is None:
        return []
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stage.app_stack)
    resources = [one for page in pages for one in page["StackResourceSummaries"]]
    return [one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] in _PAUSED]


def _pause(lambda_client: Any, name: str) -> None:
    function = lambda_client.get_function(FunctionName=name)
    if _TAG not in function.get("Tags", {}):
        before = function.get("Concurrency", {}).get("ReservedConcurrentExecutions", _UNRESERVED)
        arn = function["Configuration"]["FunctionArn"]
        lambda_client.tag_resource(Resource=arn, Tags={_TAG: str(before)})
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


def _resume(lambda_client: Any, name: str) -> None:
    function = lambda_client.get_function(FunctionName=name)
    before = function.get("Tags", {}).get(_TAG)
    if before is None:
        return
    if before == _UNRESERVED:
        lambda_client.delete_function_concurrency(FunctionName=name)
    else:
        lambda_client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(before)
        )
    arn = function["Configuration"]["FunctionArn"]
    lambda_client.untag_resource(Resource=arn, TagKeys=[_TAG])
