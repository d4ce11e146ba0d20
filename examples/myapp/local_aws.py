"""Deploy the four routes to the local AWS of `make run`, or delete them.

`chalice deploy` cannot do this: it imports a REST API, which the local AWS does not support.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

from infra import account, deploy, stacks
from infra.errors import OperatorError, exit_code
from infra.processes import program

HERE = Path(__file__).parent
STACK, BUCKET = "myapp-dev", "myapp-dev-package"


def deploy_routes() -> str:
    """Create or update the deployment of the routes, and return its URL."""
    cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program("chalice"), "package", folder], cwd=HERE, check=True)  # noqa: S603
        template = json.loads((Path(folder) / "sam.json").read_text())
        package = (Path(folder) / "deployment.zip").read_bytes()
    try:
        region = {"LocationConstraint": s3.meta.region_name}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass  # An earlier deployment has created it.
    key = (
        hashlib.sha256(package).hexdigest() + ".zip"
    )  # A new key makes CloudFormation update the code.
    s3.put_object(Bucket=BUCKET, Key=key, Body=package)
    code = {"Bucket": BUCKET, "Key": key}
    template["Resources"]["APIHandler"]["Properties"]["CodeUri"] = code
    stacks.deploy(cloudformation, STACK, {"TemplateBody": json.dumps(template)}, {})
    return deploy.api_url(stacks.outputs(cloudformation, STACK) or {})


def delete_routes() -> None:
    """Delete everything that `deploy_routes` has created."""
    stacks.delete(boto3.client("cloudformation"), STACK)
    bucket = boto3.resource("s3").Bucket(BUCKET)
    try:
        bucket.objects.delete()
        bucket.delete()
    except bucket.meta.client.exceptions.NoSuchBucket:
        pass  # It has been deleted before.


def main() -> None:
    """Deploy or delete the routes, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["deploy", "delete"])
    action = parser.parse_args().action
    if not account.emulated():
        raise OperatorError(
            "This is not the local AWS. Start it with `make run`, then run `. .local/env`."
        )
    if action == "deploy":
        print(f"The routes are at\n{deploy_routes()}")
    else:
        delete_routes()
        print("The routes are deleted.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
