"""The gateway in the template that AWS deploys: throttles, logs, WAF, CORS and its responses."""

import json
import re

import pytest

from infra import gateway, package, sam
from infra.stages import Stage

NO_VALUE = {"Ref": "AWS::NoValue"}


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
    everything = template["Resources"]["RestAPI"]["Properties"]["MethodSettings"][0]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    for name in ("Rate", "Burst"):
        assert everything[f"Throttling{name}Limit"] == {"Ref": f"Throttle{name}"}
        assert template["Parameters"][f"Throttle{name}"]["Default"] > 0
    throttled = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]["THROTTLED"]
    assert throttled["ResponseParameters"]["Headers"]["Retry-After"] == "'5'"
    assert "TooManyRequestsError" in throttled["ResponseTemplates"]["application/json"]


# The routes that call Cognito, each with its throttle. Without a token, anybody can call most.
THROTTLES = {
    ("POST", "/users/signin"): "SignIn",
    ("PUT", "/users/me/password"): "SignIn",
    ("DELETE", "/users/me"): "SignIn",
    ("POST", "/users/refresh"): "Refresh",
    ("POST", "/users/signup"): "SignUp",
    ("POST", "/users/confirm"): "Code",
    ("POST", "/users/confirm/resend"): "Code",
    ("POST", "/users/password/forgot"): "Code",
    ("POST", "/users/password/reset"): "Code",
}


def test_routes_that_call_cognito_have_throttles_far_below_its_quotas(
    built: package.Package,
) -> None:
    api = built.template["Resources"]["RestAPI"]["Properties"]
    parameters, paths = built.template["Parameters"], api["DefinitionBody"]["paths"]
    found = {}
    for settings in api["MethodSettings"][1:]:
        # CloudFormation has a slash of a path as ~1, after a first one.
        assert re.fullmatch(r"/(~1[a-z]+)+", settings["ResourcePath"])
        path, method = settings["ResourcePath"][1:].replace("~1", "/"), settings["HttpMethod"]
        assert method.lower() in paths[path]
        name = settings["ThrottlingRateLimit"]["Ref"].removesuffix("Rate")
        assert settings["ThrottlingBurstLimit"] == {"Ref": f"{name}Burst"}
        assert parameters[f"{name}Rate"]["Default"] <= parameters["ThrottleRate"]["Default"] / 10
        assert parameters[f"{name}Burst"]["Default"] <= parameters["ThrottleBurst"]["Default"] / 10
        found[method, path] = name
    assert found == THROTTLES


def test_every_public_route_that_calls_cognito_has_a_throttle(built: package.Package) -> None:
    paths = built.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    public = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method, one in methods.items()
        if path.startswith("/users/") and method != "options" and "security" not in one
    }
    assert public - {("GET", "/users/links")} <= THROTTLES.keys()


def test_waf_limits_each_address_only_if_the_operator_turns_it_on(built: package.Package) -> None:
    resources, parameters = built.template["Resources"], built.template["Parameters"]
    assert parameters["Waf"]["Default"] == "false"
    for name in ("WebAcl", "WebAclAssociation"):
        assert resources[name]["Condition"] == "HasWaf"
    acl = resources["WebAcl"]["Properties"]
    limits = [rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"]]
    # What a blocked client is asked to wait for is the window in which it is counted.
    for limit in limits:
        assert limit["Limit"] == {"Ref": "WafRate"}
        assert limit["EvaluationWindowSec"] == gateway.RESPONSES["WAF_FILTERED"].retry_after
    # A sampled request would be stored with its token.
    for one in (acl, *acl["Rules"]):
        assert one["VisibilityConfig"]["SampledRequestsEnabled"] is False
    association = resources["WebAclAssociation"]["Properties"]["ResourceArn"]
    assert association["Fn::Sub"][1] == {"ApiStage": {"Ref": "RestAPI.Stage"}}


def test_waf_counts_requests_through_cloudfront_by_the_address_of_the_user(
    built: package.Package,
) -> None:
    resources = built.template["Resources"]
    direct, through = (
        rule["Statement"]["RateBasedStatement"]
        for rule in resources["WebAcl"]["Properties"]["Rules"]
    )
    assert direct["AggregateKeyType"] == "IP"
    assert through["CustomKeys"][0]["Header"]["Name"] == "x-viewer-address"
    code = resources["WebApiFunction"]["Properties"]["FunctionCode"]
    assert "headers['x-viewer-address'] = { value: event.viewer.ip }" in code
    # A client that sends the header itself is counted by its own address.
    is_through = through["ScopeDownStatement"]
    assert direct["ScopeDownStatement"] == {"NotStatement": {"Statement": is_through}}
    match = is_through["ByteMatchStatement"]
    [origin] = [
        one
        for one in resources["WebDistribution"]["Properties"]["DistributionConfig"]["Origins"]
        if one["Id"] == "api"
    ]
    assert origin["OriginCustomHeaders"] == [
        {
            "HeaderName": match["FieldToMatch"]["SingleHeader"]["Name"],
            "HeaderValue": match["SearchString"],
        }
    ]


def test_concurrency_is_reserved_only_if_the_operator_chooses_it(built: package.Package) -> None:
    function = built.template["Resources"]["APIHandler"]["Properties"]
    chosen = {"Ref": "ReservedConcurrency"}
    # 0 would make Lambda reject every request.
    reserved = {"Fn::If": ["ReservesConcurrency", chosen, NO_VALUE]}
    assert function["ReservedConcurrentExecutions"] == reserved
    assert built.template["Parameters"]["ReservedConcurrency"]["Default"] == 0
    condition = built.template["Conditions"]["ReservesConcurrency"]
    assert condition == {"Fn::Not": [{"Fn::Equals": [chosen, 0]}]}


def test_access_log_has_nothing_that_a_client_sends(built: package.Package) -> None:
    resources = built.template["Resources"]
    settings = resources["RestAPI"]["Properties"]["AccessLogSetting"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["AccessLog", "Arn"]}
    assert resources["AccessLog"]["Properties"]["RetentionInDays"] == 30
    assert "\n" not in settings["Format"]
    # Each value is one variable, and these reveal no path, query, header, token, body or user.
    assert set(json.loads(settings["Format"]).values()) == {
        "$context.requestTime",
        "$context.requestId",
        "$context.xrayTraceId",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.error.responseType",
        "$context.responseLatency",
        "$context.responseLength",
    }


def test_role_with_which_all_apis_of_the_account_write_logs_outlives_the_stack(
    built: package.Package,
) -> None:
    resources = built.template["Resources"]
    for name in ("GatewayLogRole", "GatewayAccount"):
        assert resources[name]["Condition"] == "CreatesGatewayLogRole"
        assert resources[name]["DeletionPolicy"] == "Retain"
    # The stage may write logs only once the account has the role.
    waits = {"Fn::If": ["CreatesGatewayLogRole", {"Ref": "GatewayAccount"}, "existing"]}
    assert resources["RestAPI"]["Properties"]["Variables"] == {"LogRole": waits}


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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", "https://album.example.com")
    template = sam.template_alone(Stage("prod"))
    api = template["Resources"]["RestAPI"]["Properties"]
    for kind in gateway.RESPONSES:
        headers = api["GatewayResponses"][kind]["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'https://album.example.com'"
    preflight = api["DefinitionBody"]["paths"]["/photos"]["options"]
    assert "'https://album.example.com'" in json.dumps(preflight)
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["CORS_ALLOW_ORIGIN"] == "https://album.example.com"
    assert variables["CLOUDALBUM_PARAMETER_PATH"] == "/cloudalbum-prod/"
