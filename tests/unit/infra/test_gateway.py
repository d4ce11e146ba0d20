"""The responses that the gateway creates itself."""

import json
from typing import Any

from infra import gateway
from tests.support.stubs import stubbed

RETRY_AFTER = {  # seconds
    "DEFAULT_5XX": 5,
    "THROTTLED": 5,
    "WAF_FILTERED": 60,
    "AUTHORIZER_FAILURE": 5,
    "AUTHORIZER_CONFIGURATION_ERROR": 5,
    "INTEGRATION_FAILURE": 5,
    "INTEGRATION_TIMEOUT": 5,
}


def test_put_responses_configures_every_response_and_deploys_the_api() -> None:
    with stubbed("apigateway") as stubber:
        for kind, response in gateway.sam_responses("*").items():
            request = {
                "restApiId": "api-1",
                "responseType": kind,
                "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
                "responseTemplates": response["ResponseTemplates"],
            }
            if "StatusCode" in response:
                request["statusCode"] = str(response["StatusCode"])
            if kind in RETRY_AFTER:
                header = f"'{RETRY_AFTER[kind]}'"
                request["responseParameters"]["gatewayresponse.header.Retry-After"] = header
            stubber.add_response("put_gateway_response", {}, request)
        stubber.add_response("create_deployment", {}, {"restApiId": "api-1", "stageName": "api"})
        gateway.put_responses(stubber.client, "api-1", "*")


def test_every_response_has_the_shape_of_the_albums_errors() -> None:
    for response in gateway.sam_responses("*").values():
        template = response["ResponseTemplates"]["application/json"]
        body = json.loads(template.replace("$context.error.messageString", '"a message"'))
        assert set(body) == {"Code", "Message"}


def test_responses_keep_their_status_except_those_that_a_client_should_retry() -> None:
    statuses = {
        kind: response.get("StatusCode") for kind, response in gateway.sam_responses("*").items()
    }
    assert statuses == {
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": 503,
        "UNAUTHORIZED": 401,
        "ACCESS_DENIED": 403,
        "MISSING_AUTHENTICATION_TOKEN": 403,
        "REQUEST_TOO_LARGE": 413,
        "THROTTLED": 429,
        "WAF_FILTERED": 429,  # 403 by default
        "AUTHORIZER_FAILURE": 503,  # 500 by default
        "AUTHORIZER_CONFIGURATION_ERROR": 503,  # 500 by default
        "INTEGRATION_FAILURE": 503,  # 504 by default
        "INTEGRATION_TIMEOUT": 503,  # 504 by default
    }


def test_every_failure_of_the_gateway_says_when_to_try_again() -> None:
    for kind, response in gateway.sam_responses("*").items():
        seconds = response["ResponseParameters"]["Headers"].get("Retry-After")
        if response.get("StatusCode") in (429, 503):
            assert seconds == f"'{RETRY_AFTER[kind]}'"
            template = response["ResponseTemplates"]["application/json"]
            assert f"in {RETRY_AFTER[kind]} seconds" in template
        else:
            assert seconds is None


def test_response_to_large_request_names_the_limit_and_the_alternative() -> None:
    template = gateway.sam_responses("*")["REQUEST_TOO_LARGE"]["ResponseTemplates"]
    assert "4.5 MB" in template["application/json"]
    assert "/photos/uploads" in template["application/json"]


def test_put_preflights_configures_the_options_methods_of_the_template_only() -> None:
    headers = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
    options: dict[str, Any] = {
        "x-amazon-apigateway-integration": {
            "responses": {"default": {"statusCode": "200", "responseParameters": headers}}
        }
    }
    body = {"paths": {"/photos": {"get": {}, "options": options}, "/internal": {"get": {}}}}
    template = {"Resources": {"RestAPI": {"Properties": {"DefinitionBody": body}}}}
    paths = ["/", "/photos", "/internal"]
    with stubbed("apigateway") as stubber:
        items = [{"id": path, "path": path} for path in paths]
        stubber.add_response("get_resources", {"items": items}, {"restApiId": "api-1"})
        request = {
            "restApiId": "api-1",
            "resourceId": "/photos",
            "httpMethod": "OPTIONS",
            "statusCode": "200",
            "responseParameters": headers,
        }
        stubber.add_response("put_integration_response", {}, request)
        gateway.put_preflights(stubber.client, "api-1", template)
