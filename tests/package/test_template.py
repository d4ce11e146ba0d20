"""The template that AWS deploys, of which no emulator checks much."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.integrity.check import DAILY_SECONDS
from infra import gateway, package, wheels
from infra.errors import OperatorError
from infra.package import ROOT
from infra.stages import Stage

PSEUDO = {"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::StackName", "AWS::URLSuffix"}


def references(node: Any) -> Iterator[str]:
    """Yield every logical name that a template refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
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


@pytest.mark.parametrize("role", ["ApiHandlerRole", "CheckIntegrityRole", "JwtAuthRole"])
def test_each_permission_names_its_actions_and_exact_resources(
    built: package.Package, role: str
) -> None:
    for statement in statements(built.template, role):
        assert not any("*" in action for action in statement["Action"])
        if statement["Sid"] == "Traces":  # X-Ray has no resources.
            assert statement["Resource"] == ["*"]
            continue
        for resource in statement["Resource"]:
            on_aws = resource["Fn::If"][2] if "Fn::If" in resource else resource
            arn = on_aws["Fn::Sub"]
            assert "${" in arn.removeprefix("arn:${AWS::Partition}")
            assert not re.search(r"[*](?!$)", arn.replace("${AWS::StackName}-*", ""))


@pytest.mark.parametrize("role", ["CheckIntegrityRole", "JwtAuthRole"])
def test_authorizer_and_daily_check_can_only_read(built: package.Package, role: str) -> None:
    for statement in statements(built.template, role):
        if statement["Sid"] not in ("Logs", "Traces"):
            for action in statement["Action"]:
                assert re.match("AdminGet|Get|List|Query|Scan", action.split(":")[1])


def test_integrity_is_checked_daily_without_retries_and_with_an_alarm(
    built: package.Package,
) -> None:
    check = built.template["Resources"]["CheckIntegrity"]["Properties"]
    assert [one["Properties"]["Schedule"] for one in check["Events"].values()] == ["rate(1 day)"]
    assert check["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert check["Timeout"] - DAILY_SECONDS > 30
    alarm = built.template["Resources"]["IntegrityAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "CheckIntegrity"}}]


def test_policy_with_unknown_resource_is_rejected() -> None:
    with pytest.raises(OperatorError, match="table/Other"):
        package._exact("arn:aws:dynamodb:*:*:table/Other")


def test_functions_run_on_the_python_that_builds_the_package(built: package.Package) -> None:
    functions = package.of_type(built.template, "AWS::Serverless::Function")
    runtimes = {one["Properties"]["Runtime"] for one in functions}
    assert runtimes == {f"python{wheels.current().version}"}


def test_functions_are_traced_and_time_out_before_the_gateway(
    built: package.Package,
) -> None:
    functions = package.of_type(built.template, "AWS::Serverless::Function")
    assert len(functions) == 3
    assert {one["Properties"]["Tracing"] for one in functions} == {"Active"}
    for name in ("APIHandler", "JwtAuth"):
        assert built.template["Resources"][name]["Properties"]["Timeout"] <= 29


def test_gateway_is_regional_compresses_and_passes_forms_as_bytes(
    built: package.Package,
) -> None:
    api = built.template["Resources"]["RestAPI"]["Properties"]
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert api["MinimumCompressionSize"] == 1024
    assert "multipart/form-data" in api["BinaryMediaTypes"]
    assert "multipart/form-data" in api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"]


def test_gateway_throttles_every_method_at_the_operators_limits(built: package.Package) -> None:
    template = built.template
    [settings] = template["Resources"]["RestAPI"]["Properties"]["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    for name in ("Rate", "Burst"):
        assert settings[f"Throttling{name}Limit"] == {"Ref": f"Throttle{name}"}
        assert template["Parameters"][f"Throttle{name}"]["Default"] > 0
    throttled = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]["THROTTLED"]
    assert throttled["ResponseParameters"]["Headers"]["Retry-After"] == "'5'"
    assert "TooManyRequestsError" in throttled["ResponseTemplates"]["application/json"]


def test_gateway_responds_to_preflights_of_every_path(built: package.Package) -> None:
    paths = built.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    for path, methods in paths.items():
        integration = methods["options"]["x-amazon-apigateway-integration"]
        headers = integration["responses"]["default"]["responseParameters"]
        allowed = headers["method.response.header.Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "content-type", "datatype", "headers", "idempotency-key"):
            assert name in allowed, path
        methods_allowed = headers["method.response.header.Access-Control-Allow-Methods"]
        assert {method.upper() for method in methods} <= set(re.findall(r"\w+", methods_allowed))


def test_errors_of_the_gateway_can_be_read_by_the_allowed_origin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", "https://album.example.com")
    template = package.build(Stage("prod"), tmp_path).template
    api = template["Resources"]["RestAPI"]["Properties"]
    for kind in gateway.RESPONSES:
        headers = api["GatewayResponses"][kind]["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'https://album.example.com'"
    assert api["GatewayResponses"]["AUTHORIZER_FAILURE"]["StatusCode"] == 503
    preflight = api["DefinitionBody"]["paths"]["/photos"]["options"]
    assert "'https://album.example.com'" in json.dumps(preflight)
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["CORS_ALLOW_ORIGIN"] == "https://album.example.com"
    assert variables["CLOUDALBUM_PARAMETER_PATH"] == "/cloudalbum-prod/"


def test_chalice_deploy_reads_the_same_parameters() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    for name, stage in config["stages"].items():
        variables = stage.get("environment_variables", {})
        path = variables.get("CLOUDALBUM_PARAMETER_PATH", "/cloudalbum/")
        assert path == Stage(name).parameter_path
