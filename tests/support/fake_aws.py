"""A fake of the calls with which a stage is provisioned: one stack and its parameters."""

from typing import Any

from botocore.exceptions import ClientError

from infra import provision
from infra.stages import Stage

OUTPUTS = {
    "UserPoolId": "eu-west-1_Pool",
    "UserPoolClientId": "client",
    "UserPoolDomain": "album.auth.eu-west-1.amazoncognito.com",
    "PhotoBucketName": "photos",
    "PackageBucketName": "packages",
    "PhotoTableName": "Photo",
    "UserTableName": "User",
}


class FakeAws:
    """Every client of an account with at most one stage, which it provisions."""

    def __init__(
        self, parameters: dict[str, str] | None = None, stack: dict[str, str] | None = None
    ) -> None:
        self.parameters = parameters or {}
        self.stack = stack

    def make_client(self, service: str) -> Any:
        assert service in ("ssm", "cloudformation", "cognito-idp")
        return self

    def provision(self, emulated: bool = False, overwrite: bool = False, **chosen: str) -> str:
        """Provision the stage `prod`, and return what is printed."""
        lines = provision.provision(
            self.make_client,
            Stage("prod"),
            "eu-west-1",
            emulated=emulated,
            chosen=chosen,
            overwrite=overwrite,
        )
        return "\n".join(lines)

    def get_paginator(self, _: str) -> "FakeAws":
        return self

    def paginate(self, Path: str, WithDecryption: bool) -> list[dict[str, Any]]:  # noqa: N803
        assert WithDecryption
        found = self.parameters.items()
        return [{"Parameters": [{"Name": Path + name, "Value": value} for name, value in found]}]

    def put_parameter(self, Name: str, Value: str, **_: Any) -> None:  # noqa: N803
        assert Value, "AWS rejects an empty value"
        self.parameters[Name.removeprefix("/cloudalbum-prod/")] = Value

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.stack is None:
            error = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        parameters = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in self.stack.items()
        ]
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        return {
            "Stacks": [
                {"StackStatus": "CREATE_COMPLETE", "Parameters": parameters, "Outputs": outputs}
            ]
        }

    def create_stack(self, Parameters: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        self.stack = (self.stack or {}) | {
            one["ParameterKey"]: one["ParameterValue"]
            for one in Parameters
            if "ParameterValue" in one
        }

    update_stack = create_stack

    def get_waiter(self, _: str) -> "FakeAws":
        return self

    def wait(self, **_: Any) -> None:
        pass

    def update_termination_protection(self, **_: Any) -> None:
        pass

    def describe_user_pool_client(self, **_: Any) -> dict[str, Any]:
        return {"UserPoolClient": {"ClientSecret": "secret"}}
