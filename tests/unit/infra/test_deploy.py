"""The environment that a deployment gives to the functions."""

from typing import Any

import pytest

from infra import deploy
from infra.errors import OperatorError
from tests.support.stubs import stubbed


def parameters(**values: str) -> list[dict[str, Any]]:
    return [
        {"Name": f"/cloudalbum/{name}", "Value": value, "Version": 1, "Type": "SecureString"}
        for name, value in values.items()
    ]


def environment(stored: list[dict[str, Any]]) -> dict[str, str]:
    with stubbed("ssm") as stubber:
        stubber.add_response("get_parameters_by_path", {"Parameters": stored})
        return deploy._environment(stubber.client, "/cloudalbum/")


def test_environment_has_all_parameters_except_the_secret_and_changes_with_it() -> None:
    stored = parameters(
        S3_PHOTO_BUCKET="pictures",
        S3_PRESIGNED_EXP="3600",
        COGNITO_POOL_ID="eu-west-1_Pool",
        COGNITO_CLIENT_ID="client",
        COGNITO_CLIENT_SECRET="very-secret",
        COGNITO_DOMAIN="-",
        THUMBNAIL_WIDTH="300",
        THUMBNAIL_HEIGHT="200",
        AWS_REGION="eu-west-1",
        DDB_RCU="0",
        DDB_WCU="0",
    )
    before = environment(stored)
    assert '"COGNITO_CLIENT_ID":"client"' in before["CLOUDALBUM_SETTINGS"]
    assert "secret" not in str(before).lower()
    assert environment(stored) == before
    [secret] = [one for one in stored if one["Name"].endswith("SECRET")]
    secret |= {"Value": "another", "Version": 2}
    assert environment(stored) != before


def test_deployment_without_a_parameter_names_the_missing_one() -> None:
    with pytest.raises(OperatorError, match="/cloudalbum/COGNITO_POOL_ID is missing"):
        environment(parameters(S3_PHOTO_BUCKET="pictures"))
