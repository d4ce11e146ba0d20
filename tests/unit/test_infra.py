"""The commands of an operator, as far as no AWS is needed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from botocore.stub import ANY, Stubber

from infra import deploy, gateway, publish, stacks
from infra.errors import OperatorError, exit_code
from infra.stages import Stage
from tests.support.stubs import stubbed

ROOT = Path(__file__).parents[2]


def refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoCredentialsError(), "AWS credentials are missing"),
        (NoRegionError(), "The AWS region is missing"),
        (refused("ExpiredToken"), "does not accept these credentials (ExpiredToken)"),
        (refused("InvalidClientTokenId"), "does not accept these credentials"),
        (refused("AccessDenied", "not authorized to"), "A permission is missing for CreateStack"),
        (refused("ValidationError", "bad"), "AWS refused CreateStack (ValidationError): bad"),
        (OperatorError("In one line."), "In one line."),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert exit_code(command) == 1
    printed = capsys.readouterr().err
    assert told in printed
    assert printed.count("\n") == 1


def test_a_bug_is_no_line_but_a_trace() -> None:
    def command() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        exit_code(command)


@pytest.mark.parametrize("module", ["provision", "deploy", "destroy", "publish"])
@pytest.mark.parametrize(
    ("given", "told"),
    [({"AWS_DEFAULT_REGION": "eu-west-1"}, "credentials are missing"), ({}, "region is missing")],
)
def test_without_credentials_or_region_nothing_is_begun(
    module: str, given: dict[str, str], told: str
) -> None:
    environment = {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "DIST": "."} | given
    environment["PATH"] = os.environ["PATH"]
    run = subprocess.run(
        [sys.executable, "-m", f"infra.{module}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert told in run.stderr


@pytest.mark.parametrize("name", ["", "Prod", "a b", "x" * 16, "../dev", "1st"])
def test_a_stage_needs_a_name_that_aws_takes_everywhere(name: str) -> None:
    with pytest.raises(OperatorError, match="STAGE="):
        Stage(name)


def test_stages_share_nothing_but_dev_has_the_plain_names() -> None:
    dev, prod = Stage("dev"), Stage("prod")
    assert (dev.table_suffix, dev.parameter_path) == ("", "/cloudalbum/")
    assert (prod.table_suffix, prod.parameter_path) == ("-prod", "/cloudalbum-prod/")
    for name in ("data_stack", "app_stack", "website_stack"):
        assert getattr(dev, name) != getattr(prod, name)


@pytest.fixture
def cloudformation() -> Iterator[Stubber]:
    with stubbed("cloudformation") as stubber:
        yield stubber


def described(status: str, **more: Any) -> dict[str, Any]:
    stack = {"StackName": "s", "StackStatus": status, "CreationTime": "2026-01-01T00:00:00Z"}
    return {"Stacks": [stack | more]}


def test_a_stack_that_is_up_to_date_is_kept(cloudformation: Stubber) -> None:
    there = [{"ParameterKey": "Units", "ParameterValue": "5"}]
    cloudformation.add_response("describe_stacks", described("CREATE_COMPLETE", Parameters=there))
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
    assert done == "kept"


def test_a_stack_that_was_never_created_is_removed_and_created_anew(
    cloudformation: Stubber,
) -> None:
    missing = ("describe_stacks", "ValidationError", "Stack with id s does not exist")
    cloudformation.add_response("describe_stacks", described("ROLLBACK_COMPLETE"))
    cloudformation.add_response("delete_stack", {}, {"StackName": "s"})
    cloudformation.add_client_error(*missing)
    cloudformation.add_response("create_stack", {"StackId": "s"})
    cloudformation.add_response("describe_stacks", described("CREATE_COMPLETE"))
    assert stacks.deploy(cloudformation.client, "s", {"TemplateBody": "{}"}, {}) == "created"


def test_a_stack_that_fails_says_which_resource_failed_first(cloudformation: Stubber) -> None:
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
    cloudformation.add_response("describe_stacks", described("ROLLBACK_COMPLETE"))
    events = [  # newest first, as AWS has them
        event("Role", "CREATE_FAILED", "Resource creation cancelled"),
        event("Table", "CREATE_FAILED", "Photo already exists"),
        event("Table", "CREATE_IN_PROGRESS", "started"),
        event("s", "CREATE_IN_PROGRESS", "User Initiated"),
        event("Table", "UPDATE_FAILED", "long ago"),
    ]
    cloudformation.add_response("describe_stack_events", {"StackEvents": events})
    with pytest.raises(OperatorError, match="Table: Photo already exists"):
        stacks.deploy(cloudformation.client, "s", {"TemplateBody": "{}"}, {})


def test_after_plain_chalice_the_gateways_errors_get_their_headers() -> None:
    with stubbed("apigateway") as stubber:
        for kind, response in gateway.responses("*").items():
            request = {
                "restApiId": "api-1",
                "responseType": kind,
                "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
                "responseTemplates": response["ResponseTemplates"],
            }
            if kind == "AUTHORIZER_FAILURE":
                request["statusCode"] = "503"
            if kind in ("AUTHORIZER_FAILURE", "THROTTLED"):
                request["responseParameters"]["gatewayresponse.header.Retry-After"] = "'5'"
            stubber.add_response("put_gateway_response", {}, request)
        stubber.add_response("create_deployment", {}, {"restApiId": "api-1", "stageName": "api"})
        gateway.put_responses(stubber.client, "api-1", "*")


def test_the_gateways_own_errors_have_the_shape_of_all_others() -> None:
    for response in gateway.responses("*").values():
        template = response["ResponseTemplates"]["application/json"]
        body = json.loads(template.replace("$context.error.messageString", '"a message"'))
        assert set(body) == {"Code", "Message"}
    too_large = gateway.responses("*")["REQUEST_TOO_LARGE"]["ResponseTemplates"]
    assert "4,500,000 bytes" in too_large["application/json"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("index.html", "no-cache"),
        ("js/app.3f2a1b9c.js", "public, max-age=31536000, immutable"),
        ("js/app.3f2a1b9c.js.map", "public, max-age=31536000, immutable"),
        ("img/logo.82b9c7a5f1e04d2c8b6a.png", "public, max-age=31536000, immutable"),
        ("assets/index-BxYAbcde.js", "public, max-age=31536000, immutable"),
        ("favicon.ico", "public, max-age=3600"),
        ("android-chrome-512x512.png", "public, max-age=3600"),
        ("img/favicon-1024x1024.png", "public, max-age=3600"),
        ("my-Document.pdf", "public, max-age=3600"),
    ],
)
def test_only_what_can_never_change_is_kept_for_long(name: str, kept: str) -> None:
    assert publish.cache_control(name) == kept


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index.html", "text/html"),
        ("a.js", "text/javascript"),
        ("a.css", "text/css"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.webmanifest", "application/manifest+json"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_files_are_published_with_their_types(name: str, media_type: str) -> None:
    assert publish.content_type(name) == media_type


def stored(**values: str) -> list[dict[str, Any]]:
    return [
        {"Name": f"/cloudalbum/{name}", "Value": value, "Version": 1, "Type": "SecureString"}
        for name, value in values.items()
    ]


def told_of(parameters: list[dict[str, Any]]) -> dict[str, str]:
    with stubbed("ssm") as stubber:
        stubber.add_response("get_parameters_by_path", {"Parameters": parameters})
        return deploy._told(stubber.client, "/cloudalbum/")


def test_functions_are_told_every_parameter_but_the_secret_and_start_anew_for_it() -> None:
    parameters = stored(
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
    told = told_of(parameters)
    assert '"COGNITO_CLIENT_ID":"client"' in told["CLOUDALBUM_SETTINGS"]
    assert "secret" not in str(told).lower()
    assert told_of(parameters) == told
    [secret] = [one for one in parameters if one["Name"].endswith("SECRET")]
    secret |= {"Value": "another", "Version": 2}
    assert told_of(parameters) != told


def test_a_deployment_without_a_parameter_stops_and_says_which() -> None:
    with pytest.raises(OperatorError, match="/cloudalbum/COGNITO_POOL_ID is missing"):
        told_of(stored(S3_PHOTO_BUCKET="pictures"))
