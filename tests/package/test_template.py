"""The template that AWS deploys, of which no emulator checks much."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.integrity.check import DAILY_SECONDS
from chalicelib.photos import trash
from infra import package, sam, wheels
from infra.errors import OperatorError
from infra.package import ROOT
from infra.stages import Stage

PSEUDO = {
    f"AWS::{name}"
    for name in ("AccountId", "Partition", "Region", "StackId", "StackName", "URLSuffix")
}


def references(node: Any) -> Iterator[str]:
    """Yield every logical name that a template refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value.split(".")[0]  # SAM has names such as RestAPI.Stage.
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            elif key == "Fn::Sub":
                text, variables = (value, {}) if isinstance(value, str) else value
                found = re.findall(r"\$\{([^!}]+)\}", text)
                yield from (name.split(".")[0] for name in found if name not in variables)
                yield from references(variables)
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    [policy] = template["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_template_refers_only_to_what_it_declares(built: package.Package) -> None:
    template = built.template
    declared = {*template["Resources"], *template["Parameters"], *PSEUDO, "AWS::NoValue"}
    assert set(references(template)) <= declared


@pytest.mark.parametrize(
    "role", ["ApiHandlerRole", "CheckIntegrityRole", "EmptyTrashRole", "JwtAuthRole"]
)
def test_each_permission_names_its_actions_and_exact_resources(
    built: package.Package, role: str
) -> None:
    for statement in statements(built.template, role):
        assert not any("*" in action for action in statement["Action"])
        if statement["Sid"] == "Traces":  # X-Ray has no resources.
            assert statement["Resource"] == ["*"]
            continue
        for resource in statement["Resource"]:
            arn = resource["Fn::Sub"]
            assert "${" in arn.removeprefix("arn:${AWS::Partition}")
            for pattern in ("${AWS::StackName}-*", "/photos/*/previews", "/photos/*/thumbnails"):
                arn = arn.replace(pattern, "")
            assert not re.search(r"[*](?!$)", arn)


def test_only_the_api_reads_parameter_store_and_there_only_the_client_secret(
    built: package.Package,
) -> None:
    found = {
        (role, action, resource["Fn::Sub"].split(":parameter")[1])
        for role in ("ApiHandlerRole", "CheckIntegrityRole", "EmptyTrashRole", "JwtAuthRole")
        for statement in statements(built.template, role)
        for action in statement["Action"]
        if action.startswith("ssm:")
        for resource in statement["Resource"]
    }
    secret = "${ParameterPath}/COGNITO_CLIENT_SECRET"
    assert found == {("ApiHandlerRole", "ssm:GetParameter", secret)}


def test_no_function_may_create_a_log_group(built: package.Package) -> None:
    # The template has all of them.
    assert "logs:CreateLogGroup" not in json.dumps(built.template)
    groups = {
        one["Properties"]["LogGroupName"]["Fn::Sub"]
        for one in sam.of_type(built.template, "AWS::Logs::LogGroup")
    }
    functions = {"APIHandler", "CheckIntegrity", "EmptyTrash", "JwtAuth"}
    assert {f"/aws/lambda/${{{name}}}" for name in functions} <= groups


def test_template_alone_is_the_one_that_is_deployed(built: package.Package) -> None:
    assert sam.template_alone(Stage("dev")) == built.template


@pytest.mark.parametrize("role", ["CheckIntegrityRole", "JwtAuthRole"])
def test_authorizer_and_daily_check_can_only_read(built: package.Package, role: str) -> None:
    for statement in statements(built.template, role):
        if statement["Sid"] not in ("Logs", "Traces"):
            for action in statement["Action"]:
                assert re.match("AdminGet|Get|List|Query|Scan", action.split(":")[1])


def test_integrity_is_checked_at_the_same_time_of_each_day_without_retries(
    built: package.Package,
) -> None:
    check = built.template["Resources"]["CheckIntegrity"]["Properties"]
    schedules = [one["Properties"]["Schedule"] for one in check["Events"].values()]
    assert schedules == ["cron(17 3 * * ? *)"]
    assert check["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert check["Timeout"] - DAILY_SECONDS > 30


def test_trash_is_emptied_daily_by_a_function_that_can_do_nothing_else(
    built: package.Package,
) -> None:
    function = built.template["Resources"]["EmptyTrash"]["Properties"]
    schedules = [one["Properties"]["Schedule"] for one in function["Events"].values()]
    assert schedules == ["cron(47 4 * * ? *)"]
    assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert function["Timeout"] - trash.DAILY_SECONDS > 30
    allowed = {
        action
        for statement in statements(built.template, "EmptyTrashRole")
        if statement["Sid"] not in ("Logs", "Traces")
        for action in statement["Action"]
    }
    reads = {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"}
    assert allowed - reads == {"dynamodb:DeleteItem", "dynamodb:UpdateItem", "s3:DeleteObject"}


def test_policy_with_unknown_resource_is_rejected() -> None:
    with pytest.raises(OperatorError, match="table/Other"):
        sam._exact("arn:aws:dynamodb:*:*:table/Other")


def test_functions_run_on_the_python_that_builds_the_package(built: package.Package) -> None:
    functions = sam.of_type(built.template, "AWS::Serverless::Function")
    runtimes = {one["Properties"]["Runtime"] for one in functions}
    assert runtimes == {f"python{wheels.current().version}"}


def test_functions_are_traced_and_time_out_before_the_gateway(
    built: package.Package,
) -> None:
    functions = sam.of_type(built.template, "AWS::Serverless::Function")
    assert len(functions) == 4
    assert {one["Properties"]["Tracing"] for one in functions} == {"Active"}
    for name in ("APIHandler", "JwtAuth"):
        assert built.template["Resources"][name]["Properties"]["Timeout"] <= 29


def test_chalice_deploy_reads_the_same_parameters() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    for name, stage in config["stages"].items():
        variables = stage.get("environment_variables", {})
        path = variables.get("CLOUDALBUM_PARAMETER_PATH", "/cloudalbum/")
        assert path == Stage(name).parameter_path


def test_lint_checks_every_template_and_every_exception_has_its_reason(
    built: package.Package,
) -> None:
    templates = sorted(path.stem for path in (ROOT / "infra").glob("*.yaml"))
    assert templates == ["app", "data", "website"]
    # The first is checked as it is deployed: merged into Chalice's.
    checked = "TEMPLATES = infra/data.yaml infra/website.yaml dist/lint/app.json\n"
    assert checked in (ROOT / "Makefile").read_text()
    texts = [(ROOT / "infra" / f"{name}.yaml").read_text() for name in ("data", "website")]
    exceptions = [tuple(one) for text in texts for one in re.findall(r"skip=(\w+):? ?(.*)", text)]
    for resource in built.template["Resources"].values():
        for one in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            exceptions.append((one["id"], one["comment"]))
    assert len(exceptions) > 20
    for name, reason in exceptions:
        assert re.fullmatch(r"CKV2?_AWS_\d+", name)
        assert re.fullmatch(r"[A-Z].{8,}\.", reason), name
