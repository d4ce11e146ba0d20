"""Deploy a stage: build package and web app, create or update the stack, and smoke-test both.

It deploys to AWS or, with AWS_ENDPOINT_URL set, to the embedded AWS.
"""

import base64
import contextlib
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.api.docs_page import bucket_origin
from chalicelib.errors import ConfigurationError
from chalicelib.settings import Settings, cors_allow_origin, read_settings, to_environment
from infra import account, cloudfront, deployed_web, gateway, package, sam, stacks
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_SMOKE_SECONDS = 60


def deploy(
    make_client: MakeClient, stage: Stage, built: package.Package, web: dict[str, bytes]
) -> dict[str, str]:
    """Deploy a package and the files of the web app; return the stack's outputs.

    Raises OperatorError.
    """
    data = data_outputs(make_client, stage)
    bucket = data["PackageBucketName"]
    upload(make_client("s3"), bucket, built.key, built.zip.read_bytes())
    for function in sam.of_type(built.template, "AWS::Serverless::Function"):
        function["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": built.key}
    settings = stage_settings(make_client("ssm"), stage.parameter_path)
    parameters = {
        "Stage": stage.name,
        "PhotoBucket": data["PhotoBucketName"],
        "PhotoTable": data["PhotoTableName"],
        "UserTable": data["UserTableName"],
        "UserPoolId": data["UserPoolId"],
        "PhotoOrigin": bucket_origin(lambda: settings),
        "ParameterPath": stage.parameter_path.rstrip("/"),
        "AlarmEmail": data.get("OwnerEmail", ""),
    }
    parameters |= _chosen_parameters(built.template["Parameters"], parameters)
    if account.emulated():
        cloudfront.adapt_to_embedded_aws(built.template)
    elif not _gateway_can_log(make_client("apigateway")):
        parameters["CreateGatewayLogRole"] = "true"
    outputs = _deploy_app_stack(make_client, stage, bucket, built.template, parameters)
    if account.emulated():
        # MiniStack ignores these parts of the template.
        apigateway, api_id = make_client("apigateway"), outputs["RestAPIId"]
        gateway.put_preflights(apigateway, api_id, built.template)
        gateway.put_responses(apigateway, api_id, cors_allow_origin())
    deployed_web.publish(make_client("s3"), outputs, settings, web)
    return outputs


def data_outputs(make_client: MakeClient, stage: Stage) -> dict[str, str]:
    """Return the outputs of a stage's data stack. Raises OperatorError if it is not provisioned."""
    data = stacks.outputs(make_client("cloudformation"), stage.data_stack)
    if data is None:
        raise OperatorError(
            f"The stage {stage.name} is not provisioned. Run `make provision STAGE={stage.name}`."
        )
    return data


def apply_parameters(make_client: MakeClient, stage: Stage) -> dict[str, str] | None:
    """Give a deployed stage the parameters as they are now; return its stack's outputs.

    Package and web app stay the same. Returns None if the stage is not deployed. Raises
    OperatorError.
    """
    cloudformation = make_client("cloudformation")
    data = stacks.outputs(cloudformation, stage.data_stack)
    if data is None or stacks.outputs(cloudformation, stage.app_stack) is None:
        return None
    template = cloudformation.get_template(StackName=stage.app_stack, TemplateStage="Original")
    bucket = data["PackageBucketName"]
    outputs = _deploy_app_stack(make_client, stage, bucket, template["TemplateBody"], {})
    settings = stage_settings(make_client("ssm"), stage.parameter_path)
    deployed_web.update_config(make_client("s3"), outputs, settings)
    return outputs


def _deploy_app_stack(
    make_client: MakeClient,
    stage: Stage,
    bucket: str,
    template: dict[str, Any],
    parameters: dict[str, str],
) -> dict[str, str]:
    """Create or update the app's stack with the stage's settings, and return its outputs."""
    variables = _environment(make_client("ssm"), stage.parameter_path)
    for function in sam.of_type(template, "AWS::Serverless::Function"):
        function["Properties"]["Environment"]["Variables"] |= variables
    content = json.dumps(template, separators=(",", ":")).encode()
    key = hashlib.sha256(content).hexdigest() + ".json"
    cloudformation, s3 = make_client("cloudformation"), make_client("s3")
    upload(s3, bucket, key, content)
    # The API's definition is larger than the 51,200 bytes of a TemplateBody.
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
    done = stacks.deploy(
        cloudformation,
        stage.app_stack,
        {"TemplateURL": url.split("?")[0]},
        parameters,
        known=set(template["Parameters"]),
    )
    print(f"Stack {stage.app_stack} {done}")
    return stacks.outputs(cloudformation, stage.app_stack) or {}


def smoke_test(url: str, package_id: str) -> None:
    """Check that the API runs this package, and rejects missing and invalid tokens.

    Raises OperatorError.
    """
    for path, token, expected, fields in (
        ("/health", None, 200, {"package": package_id}),
        ("/photos", None, 401, {}),
        ("/photos", "Bearer invalid", 403, {}),
    ):
        status, body = _retry_until(url + path, token, expected, fields)
        if status != expected:
            raise OperatorError(
                f"GET {path} returned {status}, not {expected}. See the functions' logs."
            )
        if not fields.items() <= body.items():
            raise OperatorError(
                f"The API does not run the package that was built: GET {path} returned the package "
                f"{body.get('package')}, not {package_id}. Deploy again."
            )


def _chosen_parameters(declared: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Return the stack parameters that PARAMETERS and WAF set. Raises OperatorError."""
    chosen: dict[str, str] = {}
    for one in os.environ.get("PARAMETERS", "").split():
        name, _, chosen[name] = one.partition("=")
    if waf := os.environ.get("WAF"):
        chosen["Waf"] = waf
    can_be_chosen = {name for name, one in declared.items() if "Default" in one} - given.keys()
    can_be_chosen.discard("CreateGatewayLogRole")
    if unknown := sorted(chosen.keys() - can_be_chosen):
        raise OperatorError(
            f"PARAMETERS has {', '.join(unknown)}. Use {', '.join(sorted(can_be_chosen))}."
        )
    return chosen


def _gateway_can_log(apigateway: Any) -> bool:
    """Return whether APIs of this account and region have a role with which they write logs."""
    return bool(apigateway.get_account().get("cloudwatchRoleArn"))


def _environment(ssm: Any, path: str) -> dict[str, str]:
    """Return the environment of the functions: all settings except the client secret.

    They read the secret themselves, once. SETTINGS_VERSION changes with any parameter's version,
    and so restarts them.
    """
    found = _stored_parameters(ssm, path)
    versions = "\n".join(sorted(f"{one['Name']}:{one['Version']}" for one in found))
    with _reported_to_operator():
        variables = to_environment(_values(found, path), path)
    return variables | {"SETTINGS_VERSION": hashlib.sha256(versions.encode()).hexdigest()}


def stage_settings(ssm: Any, path: str) -> Settings:
    """Return the settings of the stage. Raises OperatorError."""
    with _reported_to_operator():
        return read_settings(_values(_stored_parameters(ssm, path), path), path)


def _stored_parameters(ssm: Any, path: str) -> list[dict[str, Any]]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return [parameter for page in pages for parameter in page["Parameters"]]


def _values(found: list[dict[str, Any]], path: str) -> dict[str, str]:
    return {one["Name"].removeprefix(path): one["Value"] for one in found}


@contextlib.contextmanager
def _reported_to_operator() -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise OperatorError(str(error)) from None


def upload(s3: Any, bucket: str, key: str, content: bytes) -> None:
    """Store an object with its checksum, so that S3 rejects corrupted bytes."""
    digest = hashlib.sha256(content).digest()
    s3.put_object(
        Bucket=bucket, Key=key, Body=content, ChecksumSHA256=base64.b64encode(digest).decode()
    )


def api_url(outputs: dict[str, str]) -> str:
    """Return the API's URL, from the outputs of its stack."""
    if account.emulated():  # MiniStack serves the API below its own address.
        return (
            f"{os.environ['AWS_ENDPOINT_URL']}/restapis/{outputs['RestAPIId']}/api/_user_request_"
        )
    return outputs["EndpointURL"].rstrip("/")


def _retry_until(
    url: str, token: str | None, expected: int, fields: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Return the response, retrying while it is unexpected: an update takes a while to appear."""
    response: tuple[int, dict[str, Any]] = (0, {})

    def is_expected() -> bool:
        nonlocal response
        response = _get(url, token)
        return response[0] == expected and fields.items() <= response[1].items()

    _retry(is_expected)
    return response


def _retry(succeeds: Callable[[], bool]) -> bool:
    """Return whether something succeeds within a minute; try it once a second."""
    deadline = time.monotonic() + _SMOKE_SECONDS
    while not succeeds():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def _get(url: str, token: str | None) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, headers={"Authorization": token} if token else {})  # noqa: S310 (the URL is from our stack)
    try:
        with urllib.request.urlopen(request, timeout=35) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {}
    except OSError:
        return 0, {}


def main() -> None:
    """Deploy the stage that STAGE names, in the account and region of the caller."""
    stage, session = account.stage(), account.session()
    data_outputs(session.client, stage)  # The package takes a while to build.
    web = deployed_web.built_files()
    print("Building the package ...", flush=True)
    built = package.build(stage)
    outputs = deploy(session.client, stage, built, web)
    url, host = api_url(outputs), outputs["WebHost"]
    smoke_test(url, built.id)
    if host == outputs["WebDistributionHost"]:
        deployed_web.smoke_test(host, web, built.id, _retry)
    else:  # The domain may not lead to CloudFront yet.
        print(f"Point {host} (CNAME) to {outputs['WebDistributionHost']}.")
    print(f"The web app is up:\n{cloudfront.web_url(host)}")
    if account.emulated():
        print(f"Open it with {cloudfront.how_to_open(host)}")
    print(f"The API is up:\n{url}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
