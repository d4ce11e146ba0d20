"""The answers API Gateway gives by itself, made readable for browsers.

The packaged way has them in its template. After a plain `chalice deploy`, `make gateway-responses`
puts them on the API, since Chalice cannot.
"""

import json
import sys
from pathlib import Path
from typing import Any

from chalicelib.api.error_table import TOO_LARGE
from chalicelib.errors import Throttled
from chalicelib.settings import cors_allow_origin
from infra import account
from infra.errors import OperatorError, exit_code

_API_STAGE = "api"  # the same for all stages, as in .chalice/config.json


def main() -> None:
    """Give the API that `chalice deploy` made for a stage the gateway's responses."""
    stage = account.stage()
    deployed = Path(".chalice", "deployed", f"{stage.name}.json")
    if not deployed.exists():
        raise OperatorError(
            f"{deployed} is not there: run chalice deploy --no-autogen-policy first."
        )
    resources = json.loads(deployed.read_text())["resources"]
    api_id = next(one["rest_api_id"] for one in resources if "rest_api_id" in one)
    put_responses(account.session().client("apigateway"), api_id, cors_allow_origin())
    print(f"The API {api_id} sends CORS headers with its own errors too.")


def responses(origin: str) -> dict[str, dict[str, Any]]:
    """Return each gateway response as SAM's GatewayResponses has it."""
    cors = {"Access-Control-Allow-Origin": f"'{origin}'"}
    told = {
        "DEFAULT_4XX": ("GatewayError", "$context.error.messageString"),
        "DEFAULT_5XX": ("GatewayError", "$context.error.messageString"),
        "UNAUTHORIZED": (
            "UnauthorizedError",
            '"Please sign in."',
        ),
        "ACCESS_DENIED": (
            "ForbiddenError",
            '"Please sign in again."',
        ),
        "REQUEST_TOO_LARGE": ("PayloadTooLargeError", f'"{TOO_LARGE}"'),
        "THROTTLED": ("TooManyRequestsError", f'"{Throttled()}"'),
        # The authorizer fails only when AWS is out of its reach, which passes.
        "AUTHORIZER_FAILURE": (
            "ServiceUnavailableError",
            '"The album cannot be reached just now. Please try again shortly."',
        ),
    }
    found: dict[str, dict[str, Any]] = {
        kind: {
            "ResponseParameters": {"Headers": dict(cors)},
            "ResponseTemplates": {
                "application/json": f'{{"Code": "{code}", "Message": {message}}}'
            },
        }
        for kind, (code, message) in told.items()
    }
    failure = found["AUTHORIZER_FAILURE"]
    failure["StatusCode"] = 503
    for kind in ("AUTHORIZER_FAILURE", "THROTTLED"):
        found[kind]["ResponseParameters"]["Headers"]["Retry-After"] = "'5'"
    return found


def put_responses(apigateway: Any, api_id: str, origin: str) -> None:
    """Put the gateway responses on an API and deploy it; safe to repeat."""
    for kind, response in responses(origin).items():
        headers = response["ResponseParameters"]["Headers"]
        status = {"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            responseParameters={
                f"gatewayresponse.header.{name}": value for name, value in headers.items()
            },
            responseTemplates=response["ResponseTemplates"],
            **status,
        )
    apigateway.create_deployment(restApiId=api_id, stageName=_API_STAGE)


if __name__ == "__main__":
    sys.exit(exit_code(main))
