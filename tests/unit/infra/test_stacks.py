"""CloudFormation's responses, and what `infra.stacks` does about them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from infra import stacks
from infra.errors import OperatorError
from tests.support.stubs import stubbed


@pytest.fixture
def cloudformation() -> Iterator[Stubber]:
    with stubbed("cloudformation") as stubber:
        yield stubber


def description(status: str, **more: Any) -> dict[str, Any]:
    stack = {"StackName": "s", "StackStatus": status, "CreationTime": "2026-01-01T00:00:00Z"}
    return {"Stacks": [stack | more]}


def test_deploy_of_current_stack_changes_nothing(cloudformation: Stubber) -> None:
    current = [{"ParameterKey": "Units", "ParameterValue": "5"}]
    cloudformation.add_response(
        "describe_stacks", description("CREATE_COMPLETE", Parameters=current)
    )
    cloudformation.add_client_error(
        "update_stack",
        "ValidationError",
        "No updates are to be performed.",
        expected_params={
            "StackName": "s",
            "TemplateBody": "{}",
            "Capabilities": ANY,
            "Parameters": [
                {"ParameterKey": "Stage", "ParameterValue": "dev"},
                {"ParameterKey": "Units", "UsePreviousValue": True},
            ],
        },
    )
    done = stacks.deploy(cloudformation.client, "s", {"TemplateBody": "{}"}, {"Stage": "dev"})
    assert done == "unchanged"


def test_parameter_that_the_template_has_lost_is_not_sent(cloudformation: Stubber) -> None:
    current = [{"ParameterKey": name, "ParameterValue": "5"} for name in ("Units", "Old")]
    cloudformation.add_response(
        "describe_stacks", description("CREATE_COMPLETE", Parameters=current)
    )
    # AWS rejects a parameter that the template does not declare.
    request = {
        "StackName": "s",
        "TemplateBody": "{}",
        "Capabilities": ANY,
        "Parameters": [{"ParameterKey": "Units", "UsePreviousValue": True}],
    }
    cloudformation.add_response("update_stack", {"StackId": "s"}, request)
    cloudformation.add_response("describe_stacks", description("UPDATE_COMPLETE"))
    template = {"TemplateBody": "{}"}
    done = stacks.deploy(cloudformation.client, "s", template, {}, known={"Units"})
    assert done == "updated"


def test_deploy_over_failed_creation_deletes_and_creates_the_stack(
    cloudformation: Stubber,
) -> None:
    missing = ("describe_stacks", "ValidationError", "Stack with id s does not exist")
    cloudformation.add_response("describe_stacks", description("ROLLBACK_COMPLETE"))
    cloudformation.add_response("delete_stack", {}, {"StackName": "s"})
    cloudformation.add_client_error(*missing)
    cloudformation.add_response("create_stack", {"StackId": "s"})
    cloudformation.add_response("describe_stacks", description("CREATE_COMPLETE"))
    assert stacks.deploy(cloudformation.client, "s", {"TemplateBody": "{}"}, {}) == "created"


def test_failed_deploy_reports_the_first_resource_that_failed(cloudformation: Stubber) -> None:
    def event(name: str, status: str, reason: str) -> dict[str, str]:
        return {
            "StackId": "s",
            "EventId": name,
            "StackName": "s",
            "Timestamp": "2026-01-01T00:00:00Z",
            "LogicalResourceId": name,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }

    cloudformation.add_client_error("describe_stacks", "ValidationError", "s does not exist")
    cloudformation.add_response("create_stack", {"StackId": "s"})
    cloudformation.add_response("describe_stacks", description("ROLLBACK_COMPLETE"))
    events = [  # newest first, as AWS returns them
        event("Role", "CREATE_FAILED", "Resource creation cancelled"),
        event("Table", "CREATE_FAILED", "Photo already exists"),
        event("Table", "CREATE_IN_PROGRESS", "started"),
        event("s", "CREATE_IN_PROGRESS", "User Initiated"),
        event("Table", "UPDATE_FAILED", "an earlier operation"),
    ]
    cloudformation.add_response("describe_stack_events", {"StackEvents": events})
    with pytest.raises(OperatorError, match="Table: Photo already exists"):
        stacks.deploy(cloudformation.client, "s", {"TemplateBody": "{}"}, {})
