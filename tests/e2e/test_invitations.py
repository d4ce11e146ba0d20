"""Who may sign up to a stage: its owner, and invited people."""

import json
from typing import Any

import pytest
import requests

from infra import stacks
from infra.background import RunningStack
from infra.errors import OperatorError
from infra.provision import provision
from infra.stages import Stage
from tests.support.people import Person


def functions(stack: RunningStack, stage: str) -> dict[str, dict[str, Any]]:
    """Return the configuration of a stage's functions, by logical name."""
    resources = stack.make_client("cloudformation").describe_stack_resources(
        StackName=Stage(stage).app_stack
    )["StackResources"]
    client = stack.make_client("lambda")
    return {
        one["LogicalResourceId"]: client.get_function_configuration(
            FunctionName=one["PhysicalResourceId"]
        )
        for one in resources
        if one["ResourceType"] == "AWS::Lambda::Function"
    }


def allowed(stack: RunningStack, stage: str) -> set[str]:
    """Return who may sign up, as each function has it in its environment."""
    found = {
        json.loads(one["Environment"]["Variables"]["CLOUDALBUM_SETTINGS"])["SIGNUP_ALLOWED"]
        for one in functions(stack, stage).values()
        if "CLOUDALBUM_SETTINGS" in one["Environment"]["Variables"]
    }
    [one] = found
    return set(one.split(","))


def test_invitation_takes_effect_in_a_deployed_stage_without_a_new_package(
    stack: RunningStack,
) -> None:
    done = stack.run("infra.provision", STAGE="guests", SIGNUP_ALLOWED="mario@example.com")
    assert done.returncode == 0, done.stderr
    early = stack.run("infra.invite", STAGE="guests", EMAIL="luigi@example.com")
    assert early.stdout.splitlines() == [
        "/cloudalbum-guests/SIGNUP_ALLOWED written",
        "luigi@example.com may sign up once you have run `make deploy STAGE=guests`.",
    ]
    url = stack.deploy("guests")
    code = {name: one["CodeSha256"] for name, one in functions(stack, "guests").items()}
    assert allowed(stack, "guests") == {"mario@example.com", "luigi@example.com"}

    assert Person.at(url, "peach@example.org").sign_up().status_code == 403
    done = stack.run("infra.invite", STAGE="guests", EMAIL="Peach@example.org")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Stack cloudalbum-guests-app updated",
        "/cloudalbum-guests/SIGNUP_ALLOWED written",
        "Peach@example.org may now sign up. Send them the album's address:",
        f"http://{stack.web_host('guests')}",
    ]
    assert allowed(stack, "guests") == {
        "mario@example.com",
        "luigi@example.com",
        "peach@example.org",
    }
    assert code == {name: one["CodeSha256"] for name, one in functions(stack, "guests").items()}
    assert Person.at(url, "peach@example.org").sign_up().status_code == 200
    assert "Access-Control-Allow-Origin" in requests.options(f"{url}/photos", timeout=30).headers

    # It is safe to repeat, and whom a domain includes need not be invited.
    for email in ("peach@example.org", "@example.com", "anyone@example.com"):
        done = stack.run("infra.invite", STAGE="guests", EMAIL=email)
        assert done.returncode == 0, done.stderr
    assert "SIGNUP_ALLOWED already allows anyone@example.com" in done.stdout
    assert len(allowed(stack, "guests")) == 4


def test_invitation_to_a_published_client_names_its_address(
    stack: RunningStack, packaged_url: str, tmp_path: Any
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Album</title>")
    published = stack.run("infra.publish", DIST=str(tmp_path)).stdout.splitlines()[0].split()[-1]
    done = stack.run("infra.invite", STAGE="dev", EMAIL="@example.org")
    assert done.stdout.splitlines() == [
        "Stack cloudalbum-dev-app unchanged",
        "/cloudalbum/SIGNUP_ALLOWED already allows @example.org",  # as everyone may sign up
        "Everyone with an address at @example.org may now sign up. Send them the album's address:",
        published,
    ]
    assert allowed(stack, "dev") == {"*"}


def test_invitation_to_a_stage_that_is_not_provisioned_says_what_to_run(
    stack: RunningStack,
) -> None:
    done = stack.run("infra.invite", STAGE="nodata", EMAIL="mario@example.com")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "/cloudalbum-nodata/SIGNUP_ALLOWED is missing. Run `make provision STAGE=nodata` first.\n"
    )


@pytest.mark.parametrize(
    "email", ["", "mario", "@example", "a@example.com,b@example.com", "*", "*@a.com"]
)
def test_invitation_without_a_valid_address_is_rejected(stack: RunningStack, email: str) -> None:
    done = stack.run("infra.invite", STAGE="nodata", EMAIL=email)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("EMAIL must be an email address or an @domain, such as ")


def test_stage_on_aws_is_open_to_its_owner_only_and_confirms_addresses_by_email(
    stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    stage, region = Stage("owned"), stack.env["AWS_REGION"]
    cloudformation, ssm = stack.make_client("cloudformation"), stack.make_client("ssm")
    # The embedded AWS has no budgets.
    chosen = {"BUDGET_USD": "0"}
    with pytest.raises(OperatorError, match="owner's email address is missing"):
        provision(stack.make_client, stage, region, chosen=chosen)
    assert stacks.outputs(cloudformation, stage.data_stack) is None
    assert ssm.get_parameters_by_path(Path=stage.parameter_path)["Parameters"] == []

    chosen["OWNER"] = "you@example.com"
    provision(stack.make_client, stage, region, chosen=chosen)
    outputs = stacks.outputs(cloudformation, stage.data_stack)
    assert outputs is not None
    assert outputs["OwnerEmail"] == "you@example.com"
    pool = stack.make_client("cognito-idp").describe_user_pool(UserPoolId=outputs["UserPoolId"])
    assert pool["UserPool"]["AutoVerifiedAttributes"] == ["email"]
    name = f"{stage.parameter_path}SIGNUP_ALLOWED"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert found["Value"] == "you@example.com"
    provision(stack.make_client, stage, region, chosen={"THUMBNAIL_WIDTH": "400"})  # not asked
