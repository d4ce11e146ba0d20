"""A stage that is deployed to the embedded AWS, and how tests change it."""

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

from chalicelib.photos.storage import user_prefixes
from infra import stacks
from infra.background import RunningStack
from infra.stages import Stage

ROLES = {
    "APIHandler": "ApiHandlerRole",
    "CheckIntegrity": "CheckIntegrityRole",
    "EmptyTrash": "EmptyTrashRole",
    "JwtAuth": "JwtAuthRole",
}
_SETTINGS = "CLOUDALBUM_SETTINGS"


def photo_bucket(stack: RunningStack) -> str:
    """Return the name of the photo bucket of the stage `dev`."""
    outputs = stacks.outputs(stack.make_client("cloudformation"), Stage("dev").data_stack)
    assert outputs is not None
    return outputs["PhotoBucketName"]


def photo_objects(stack: RunningStack, user_id: str) -> set[str]:
    """Return the keys of a user's originals and thumbnails."""
    photos, _ = user_prefixes(user_id)
    found = stack.make_client("s3").list_objects_v2(Bucket=photo_bucket(stack), Prefix=photos)
    return {one["Key"] for one in found.get("Contents", [])}


class DeployedStage:
    """The functions of the stage `dev`, whose permissions and settings can be changed."""

    def __init__(self, stack: RunningStack, url: str) -> None:
        self.stack = stack
        self.url = url
        self._iam = stack.make_client("iam")
        resources = stack.make_client("cloudformation").describe_stack_resources(
            StackName=Stage("dev").app_stack
        )["StackResources"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    def policy(self, function: str) -> tuple[str, dict[str, Any]]:
        """Return the name and the document of a function's policy."""
        role = self.names[ROLES[function]]
        [name] = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        return name, self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    @contextlib.contextmanager
    def without_permission(self, function: str, statement: str, action: str) -> Iterator[None]:
        """Remove one permission from a function until the block ends."""
        name, document = self.policy(function)
        reduced = copy.deepcopy(document)
        [found] = [one for one in reduced["Statement"] if one["Sid"] == statement]
        found["Action"].remove(action)
        reduced["Statement"] = [one for one in reduced["Statement"] if one["Action"]]
        self._put_policy(function, name, reduced)
        try:
            yield
        finally:
            self._put_policy(function, name, document)

    @contextlib.contextmanager
    def with_statement(self, function: str, statement: dict[str, Any]) -> Iterator[None]:
        """Add a statement to a function's policy until the block ends."""
        name, document = self.policy(function)
        self._put_policy(
            function, name, document | {"Statement": [*document["Statement"], statement]}
        )
        try:
            yield
        finally:
            self._put_policy(function, name, document)

    @contextlib.contextmanager
    def without_settings(self, *functions: str) -> Iterator[None]:
        """Remove the settings from functions' environments, as after a plain `chalice deploy`."""
        before = {name: self._restart(name, **{_SETTINGS: None}) for name in functions}
        try:
            yield
        finally:
            for name, variables in before.items():
                self._restart(name, **{_SETTINGS: variables[_SETTINGS]})

    def _put_policy(self, function: str, name: str, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(
            RoleName=self.names[ROLES[function]],
            PolicyName=name,
            PolicyDocument=json.dumps(document),
        )
        self._restart(function)

    def _restart(self, function: str, **changed: str | None) -> dict[str, str]:
        """Make a function's next call a cold start, and return its environment before this.

        `changed` are variables to set, or to remove where they are None.
        """
        client, name = self.stack.make_client("lambda"), self.names[function]
        before: dict[str, str] = client.get_function_configuration(FunctionName=name)[
            "Environment"
        ]["Variables"]
        after = before | {"RESTARTS": str(int(before.get("RESTARTS", "0")) + 1)} | changed
        variables = {key: value for key, value in after.items() if value is not None}
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        return before
