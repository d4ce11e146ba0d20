"""Delete a stage: its app, parameters and website; accounts and photos only with DATA=delete.

Photos are deleted before the accounts that own them, so that no photo is ever orphaned.
"""

import os
import sys
from typing import Any

from infra import account, stacks
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage


def destroy(make_client: MakeClient, stage: Stage, *, data: bool = False) -> None:
    """Delete what exists of a stage; `data` deletes accounts and photos, too."""
    cloudformation = make_client("cloudformation")
    for stack, bucket in ((stage.app_stack, "WebBucketName"), (stage.website_stack, "BucketName")):
        outputs = stacks.outputs(cloudformation, stack) or {}
        if bucket in outputs:  # An app of an earlier version has none.
            _empty(make_client("s3"), outputs[bucket])
        stacks.delete(cloudformation, stack)
        print(f"Stack {stack} deleted")
    if data:
        _destroy_data(make_client, stage)
    _delete_parameters(make_client("ssm"), stage.parameter_path)
    print(f"Parameters under {stage.parameter_path} deleted")


def _destroy_data(make_client: MakeClient, stage: Stage) -> None:
    cloudformation = make_client("cloudformation")
    outputs = stacks.outputs(cloudformation, stage.data_stack)
    if outputs is None:
        return
    s3, dynamodb, cognito = (make_client(name) for name in ("s3", "dynamodb", "cognito-idp"))
    # The stack retains its resources when it is deleted, so each is deleted here, photos first.
    for bucket in (outputs["PhotoBucketName"], outputs["PackageBucketName"]):
        if _empty(s3, bucket):
            s3.delete_bucket(Bucket=bucket)
    for table in (outputs["PhotoTableName"], outputs["UserTableName"]):
        try:
            dynamodb.delete_table(TableName=table)
            dynamodb.get_waiter("table_not_exists").wait(TableName=table)
        except dynamodb.exceptions.ResourceNotFoundException:
            pass
    _delete_pool(cognito, outputs["UserPoolId"])
    cloudformation.update_termination_protection(
        StackName=stage.data_stack, EnableTerminationProtection=False
    )
    stacks.delete(cloudformation, stage.data_stack)
    print(f"Stack {stage.data_stack} deleted, with all accounts and photos")


def _delete_pool(cognito: Any, pool_id: str) -> None:
    try:
        pool = cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    except cognito.exceptions.ResourceNotFoundException:
        return
    if pool.get("Domain"):
        cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=pool["Domain"])
    # An update resets all settings it does not name, which does not matter for a pool to delete.
    cognito.update_user_pool(UserPoolId=pool_id, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool_id)


def _empty(s3: Any, bucket: str) -> bool:
    """Delete every version of a bucket's objects, and return whether the bucket exists."""
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            ]
            if versions:
                response = s3.delete_objects(
                    Bucket=bucket, Delete={"Objects": versions, "Quiet": True}
                )
                if response.get("Errors"):
                    raise OperatorError(f"S3 did not delete all of {bucket}. Run this again.")
    except s3.exceptions.NoSuchBucket:
        return False
    return True


def _delete_parameters(ssm: Any, path: str) -> None:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    for name in [one["Name"] for page in pages for one in page["Parameters"]]:
        ssm.delete_parameters(Names=[name])


def main() -> None:
    """Delete the stage that STAGE names, and with DATA=delete its accounts and photos."""
    stage = account.stage()
    data = os.environ.get("DATA", "")
    if data not in ("", "delete"):
        raise OperatorError(f"DATA must be delete or empty, not {data}.")
    session = account.session()
    if data:
        print(f"Type {stage.data_stack} to delete all of its accounts and photos: ", end="")
        sys.stdout.flush()
        if sys.stdin.readline().strip() != stage.data_stack:
            raise OperatorError("The name does not match. Nothing was deleted.")
    destroy(session.client, stage, data=bool(data))
    if not data:
        print(
            f"Stack {stage.data_stack} kept, with all accounts and photos "
            "(set DATA=delete to delete it)"
        )


if __name__ == "__main__":
    sys.exit(exit_code(main))
