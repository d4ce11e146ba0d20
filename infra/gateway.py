"""The responses that API Gateway creates itself, such as the authorizer's 401 and 403.

They have the shape of the album's own errors, and CORS headers. The packaged app has them in its
template; after a plain `chalice deploy`, which cannot configure them, run `make gateway-responses`.
The local server sends the same ones.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.api.error_table import TOO_LARGE
from chalicelib.errors import Throttled, TryAgainLater, Unavailable
from chalicelib.settings import cors_allow_origin
from infra import account
from infra.errors import OperatorError, exit_code

_API_STAGE = "api"  # the same for all stages, as in .chalice/config.json


@dataclass(frozen=True)
class GatewayResponse:
    """One response of the gateway; without a status it keeps API Gateway's own."""

    status: int | None
    code: str
    message: str | None  # None: API Gateway's own
    retry_after: int | None = None  # seconds

    @property
    def template(self) -> str:
        """Return the mapping template of the body."""
        message = (
            "$context.error.messageString" if self.message is None else json.dumps(self.message)
        )
        return f'{{"Code": "{self.code}", "Message": {message}}}'

    def headers(self, origin: str) -> dict[str, str]:
        """Return the headers for pages of the web origin that may call the API."""
        headers = {"Access-Control-Allow-Origin": origin}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


def _try_again(status: int, code: str, error: TryAgainLater) -> GatewayResponse:
    return GatewayResponse(status, code, str(error), error.retry_after)


_UNAVAILABLE = _try_again(503, "ServiceUnavailableError", Unavailable())
_WAF_SECONDS = 60  # the window of the web ACL's rule in infra/app.yaml

RESPONSES = {
    "DEFAULT_4XX": GatewayResponse(None, "GatewayError", None),
    # The gateway's own 5xx mean that a function could not be called (500, as when Lambda throttles
    # it), crashed (502) or took too long (504). An error of the app's own passes unchanged.
    "DEFAULT_5XX": _UNAVAILABLE,
    "INTEGRATION_FAILURE": _UNAVAILABLE,
    "INTEGRATION_TIMEOUT": _UNAVAILABLE,
    # The authorizer fails only while AWS is unavailable, or throttles it.
    "AUTHORIZER_FAILURE": _UNAVAILABLE,
    "AUTHORIZER_CONFIGURATION_ERROR": _UNAVAILABLE,
    "UNAUTHORIZED": GatewayResponse(
        401, "UnauthorizedError", "You are not signed in. Sign in and try again."
    ),
    "ACCESS_DENIED": GatewayResponse(
        403, "ForbiddenError", "Your session is no longer valid. Sign in again."
    ),
    # API Gateway's name for an unknown path or method. The code tells it from an invalid token.
    "MISSING_AUTHENTICATION_TOKEN": GatewayResponse(
        403, "UnknownRouteError", "This route does not exist."
    ),
    "REQUEST_TOO_LARGE": GatewayResponse(413, "PayloadTooLargeError", TOO_LARGE),
    "THROTTLED": _try_again(429, "TooManyRequestsError", Throttled()),
    # The web ACL has one rule, which limits the requests of an IP address.
    "WAF_FILTERED": _try_again(
        429,
        "TooManyRequestsError",
        TryAgainLater(f"Too many requests. Try again in {_WAF_SECONDS} seconds.", _WAF_SECONDS),
    ),
}


def sam_responses(origin: str) -> dict[str, dict[str, Any]]:
    """Return the responses as the GatewayResponses of SAM's API resource."""
    found: dict[str, dict[str, Any]] = {}
    for kind, response in RESPONSES.items():
        headers = {name: f"'{value}'" for name, value in response.headers(origin).items()}
        found[kind] = {
            "ResponseParameters": {"Headers": headers},
            "ResponseTemplates": {"application/json": response.template},
        }
        if response.status is not None:
            found[kind]["StatusCode"] = response.status
    return found


def put_responses(apigateway: Any, api_id: str, origin: str) -> None:
    """Put the responses on an API and deploy it; safe to repeat."""
    for kind, response in RESPONSES.items():
        status = {} if response.status is None else {"statusCode": str(response.status)}
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            responseParameters={
                f"gatewayresponse.header.{name}": f"'{value}'"
                for name, value in response.headers(origin).items()
            },
            responseTemplates={"application/json": response.template},
            **status,
        )
    apigateway.create_deployment(restApiId=api_id, stageName=_API_STAGE)


def put_preflights(apigateway: Any, api_id: str, template: dict[str, Any]) -> None:
    """Put the CORS headers of the template's OPTIONS methods on an API; safe to repeat.

    MiniStack drops the responses of these integrations when it imports an API.
    """
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    pages = apigateway.get_paginator("get_resources").paginate(restApiId=api_id)
    for resource in [one for page in pages for one in page["items"]]:
        options = paths.get(resource["path"], {}).get("options")
        if options is not None:
            integration = options["x-amazon-apigateway-integration"]
            response = integration["responses"]["default"]
            apigateway.put_integration_response(
                restApiId=api_id,
                resourceId=resource["id"],
                httpMethod="OPTIONS",
                statusCode=response["statusCode"],
                responseParameters=response["responseParameters"],
            )


def main() -> None:
    """Put the responses on the API that `chalice deploy` created for a stage."""
    stage = account.stage()
    deployed = Path(".chalice", "deployed", f"{stage.name}.json")
    if not deployed.exists():
        raise OperatorError(
            f"{deployed} does not exist: run `chalice deploy --no-autogen-policy` first."
        )
    resources = json.loads(deployed.read_text())["resources"]
    api_id = next(one["rest_api_id"] for one in resources if "rest_api_id" in one)
    put_responses(account.session().client("apigateway"), api_id, cors_allow_origin())
    print(f"The API {api_id} now sends CORS headers with the gateway's own errors.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
