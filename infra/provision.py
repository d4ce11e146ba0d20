"""Create or update a stage's data stack, and write the parameters that describe it.

`make provision` runs this; `make run` does the same in the embedded AWS.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from chalicelib.settings import sign_up_rule
from infra import account, stacks
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

TEMPLATE = Path(__file__).with_name("data.yaml")

# What an operator can choose, with an environment variable of the same name. DDB_RCU and DDB_WCU
# set the capacity of the tables; the app does not read them.
CHOICES = {
    "S3_PRESIGNED_EXP": "3600",
    "THUMBNAIL_WIDTH": "300",
    "THUMBNAIL_HEIGHT": "200",
    "DDB_RCU": "0",
    "DDB_WCU": "0",
    "MAX_PHOTOS": "0",
    "MAX_STORAGE_BYTES": "0",
    "SIGNUP_ALLOWED": "-",
    "SIGNUP_CONFIRMATION": "auto",
    "HOSTED_PAGES": "false",
    "CALLBACK_URL": "http://localhost:8080/",
}
# Other defaults in the embedded AWS.
_LOCAL_CHOICES = {"SIGNUP_ALLOWED": "*"}
_EXPECTED = {
    "MAX_STORAGE_BYTES": (r"\d{1,15}", "a whole number"),
    "SIGNUP_ALLOWED": (r".*", "a list"),
    "SIGNUP_CONFIRMATION": (r"auto|email", "auto or email"),
    "HOSTED_PAGES": (r"true|false", "true or false"),
    "CALLBACK_URL": (r"https?://\S+", "a URL"),
}
_STACK_PARAMETERS = {
    "DDB_RCU": "ReadCapacityUnits",
    "DDB_WCU": "WriteCapacityUnits",
    "SIGNUP_CONFIRMATION": "SignupConfirmation",
    "HOSTED_PAGES": "HostedPages",
    "CALLBACK_URL": "CallbackUrl",
}


def provision(
    make_client: MakeClient,
    stage: Stage,
    region: str,
    *,
    tls_only: bool = True,
    chosen: dict[str, str] | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Create or update the data stack, write its parameters, and return a line for each change.

    `make_client` takes a service's name and returns a boto3 client for it. A parameter that already
    has another value is left unchanged, unless `overwrite` is set.
    """
    path, ssm = stage.parameter_path, make_client("ssm")
    current = _read(ssm, path)
    cloudformation = make_client("cloudformation")
    # Earlier choices are in the parameters or, if those were deleted, in the stack.
    stack = stacks.parameters(cloudformation, stage.data_stack)
    before = {name: stack[key] for name, key in _STACK_PARAMETERS.items() if key in stack}
    before |= {name: current[name] for name in CHOICES if name in current}
    choices = CHOICES | ({} if tls_only else _LOCAL_CHOICES) | before | (chosen or {})
    unchanged = {} if overwrite else dict(current)
    given = {
        "Stage": stage.name,
        "TableSuffix": stage.table_suffix,
        "TlsOnly": str(tls_only).lower(),
        # The stack follows the parameters, so that the pool and the app never disagree.
        **{key: unchanged.get(name, choices[name]) for name, key in _STACK_PARAMETERS.items()},
    }
    done, outputs = _deploy_data_stack(cloudformation, stage, given)
    if outputs["UserPoolDomain"] == "-":
        _delete_domain(make_client("cognito-idp"), outputs["UserPoolId"])
        unchanged.pop("COGNITO_DOMAIN", None)
    values = choices | _parameters(make_client, outputs) | {"AWS_REGION": region}
    lines = [f"Stack {stage.data_stack} {done}"]
    for name, value in values.items():
        if current.get(name) == value:
            continue
        if name in unchanged:
            lines.append(f"{path}{name} left unchanged (set OVERWRITE=1 to replace it)")
        else:
            ssm.put_parameter(Name=path + name, Value=value, Type="SecureString", Overwrite=True)
            lines.append(f"{path}{name} written")
    return lines


def _deploy_data_stack(
    cloudformation: Any, stage: Stage, given: dict[str, str]
) -> tuple[str, dict[str, str]]:
    """Create or update the data stack; return what was done, and the stack's outputs."""
    template = {"TemplateBody": TEMPLATE.read_text()}
    created = None
    if stacks.outputs(cloudformation, stage.data_stack) is None:
        # A failed creation is rolled back, which deletion protection of the pool would prevent.
        unprotected = given | {"PoolDeletionProtection": "INACTIVE"}
        created = stacks.deploy(cloudformation, stage.data_stack, template, unprotected)
    protected = given | {"PoolDeletionProtection": "ACTIVE"}
    updated = stacks.deploy(cloudformation, stage.data_stack, template, protected)
    cloudformation.update_termination_protection(
        StackName=stage.data_stack, EnableTerminationProtection=True
    )
    return created or updated, stacks.outputs(cloudformation, stage.data_stack) or {}


def _parameters(make_client: MakeClient, outputs: dict[str, str]) -> dict[str, str]:
    client = make_client("cognito-idp").describe_user_pool_client(
        UserPoolId=outputs["UserPoolId"], ClientId=outputs["UserPoolClientId"]
    )["UserPoolClient"]
    return {
        "S3_PHOTO_BUCKET": outputs["PhotoBucketName"],
        "COGNITO_POOL_ID": outputs["UserPoolId"],
        "COGNITO_CLIENT_ID": outputs["UserPoolClientId"],
        "COGNITO_CLIENT_SECRET": client["ClientSecret"],
        "COGNITO_DOMAIN": outputs["UserPoolDomain"],
        "PHOTO_TABLE": outputs["PhotoTableName"],
        "USER_TABLE": outputs["UserTableName"],
    }


def _delete_domain(cognito: Any, pool_id: str) -> None:
    """Delete the domain of hosted pages, which stacks of earlier versions retain."""
    domain = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"].get("Domain")
    if domain:
        cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)


def _read(ssm: Any, path: str) -> dict[str, str]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    found = [parameter for page in pages for parameter in page["Parameters"]]
    return {one["Name"].removeprefix(path): one["Value"] for one in found}


def main() -> None:
    """Provision the stage that STAGE names, in the account and region of the caller."""
    chosen = {name: os.environ[name] for name in CHOICES if os.environ.get(name)}
    for name, value in chosen.items():
        pattern, expected = _EXPECTED.get(name, (r"\d{1,9}", "a whole number"))
        if not re.fullmatch(pattern, value):
            raise OperatorError(f"{name} must be {expected}, not {value}.")
    try:
        sign_up_rule(chosen.get("SIGNUP_ALLOWED", "-"))
    except ValueError as error:
        raise OperatorError(f"SIGNUP_ALLOWED {error}.") from None
    session = account.session()
    done = provision(
        session.client,
        account.stage(),
        session.region_name,
        tls_only=not account.emulated(),
        chosen=chosen,
        overwrite=os.environ.get("OVERWRITE") == "1",
    )
    print("\n".join(done))


if __name__ == "__main__":
    sys.exit(exit_code(main))
