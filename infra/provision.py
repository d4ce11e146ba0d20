"""Create or update a stage's data stack, and write the parameters that describe it.

`make provision` runs this; `make run` does the same in the embedded AWS.
"""

import os
import sys
from pathlib import Path
from typing import Any

from infra import account, stacks
from infra.choices import CHOICES, EMPTY, STACK_PARAMETERS, check, stage_choices
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

TEMPLATE = Path(__file__).with_name("data.yaml")


def provision(
    make_client: MakeClient,
    stage: Stage,
    region: str,
    *,
    emulated: bool = False,
    chosen: dict[str, str] | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Create or update the data stack, write its parameters, and return a line for each change.

    `make_client` takes a service's name and returns a boto3 client for it. A parameter that already
    has another value is left unchanged, unless `overwrite` is set. Raises OperatorError, before
    anything is created, for a choice that is not valid.
    """
    path, ssm = stage.parameter_path, make_client("ssm")
    current = _read(ssm, path)
    cloudformation = make_client("cloudformation")
    choices = stage_choices(
        current,
        stacks.parameters(cloudformation, stage.data_stack),
        chosen or {},
        emulated=emulated,
    )
    unchanged = {} if overwrite else dict(current)
    in_effect = choices | {name: unchanged[name] for name in choices if name in unchanged}
    for name, value in in_effect.items():
        _check(name, value, stored=name in unchanged)
    given = {
        "Stage": stage.name,
        "TableSuffix": stage.table_suffix,
        "TlsOnly": str(not emulated).lower(),
        # The stack follows the parameters, so that the pool and the app never disagree.
        **{
            key: "" if in_effect[name] == EMPTY else in_effect[name]
            for name, key in STACK_PARAMETERS.items()
        },
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
    if not emulated and in_effect["SIGNUP_CONFIRMATION"] == "auto":
        lines.append(
            f"{path}SIGNUP_CONFIRMATION is auto: new accounts do not confirm their email address "
            "(set SIGNUP_CONFIRMATION=email OVERWRITE=1 to change it)"
        )
    return lines


def _check(name: str, value: str, *, stored: bool) -> None:
    """Check a choice; of one that is `stored`, say how to replace it. Raises OperatorError."""
    try:
        check(name, value)
    except OperatorError as error:
        if not stored:
            raise
        raise OperatorError(f"{error} Replace it with {name}=VALUE OVERWRITE=1.") from None


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
        check(name, value)
    session = account.session()
    done = provision(
        session.client,
        account.stage(),
        session.region_name,
        emulated=account.emulated(),
        chosen=chosen,
        overwrite=os.environ.get("OVERWRITE") == "1",
    )
    print("\n".join(done))


if __name__ == "__main__":
    sys.exit(exit_code(main))
