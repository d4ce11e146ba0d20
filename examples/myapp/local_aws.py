"""Deploy the four routes into the local AWS of `make run`, or delete them.

`chalice deploy` cannot: it imports a REST API, a call that the local AWS does not have.
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
from infra.local import program

HERE = Path(__file__).parent
STACK, BUCKET = "myapp-dev", "myapp-dev-package"


def deploy_routes() -> str:
    """Deploy the routes, anew or over what is there, and return the URL."""
    cloudformation, s3 = boto3.client("cloudformation"), boto3.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program("chalice"), "package", folder], cwd=HERE, check=True)  # noqa: S603
        template = json.loads((Path(folder) / "sam.json").read_text())
        package = (Path(folder) / "deployment.zip").read_bytes()
    try:
        region = {"LocationConstraint": s3.meta.region_name}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass  # It is there from the deployment before.
    key = hashlib.sha256(package).hexdigest() + ".zip"  # another key tells that the code changed
    s3.put_object(Bucket=BUCKET, Key=key, Body=package)
    code = {"Bucket": BUCKET, "Key": key}
    template["Resources"]["APIHandler"]["Properties"]["CodeUri"] = code
    stacks.deploy(cloudformation, STACK, {"TemplateBody": json.dumps(template)}, {})
    return deploy.api_url(stacks.outputs(cloudformation, STACK) or {})


def delete_routes() -> None:
    """Delete everything that `deploy_routes` made."""
    stacks.delete(boto3.client("cloudformation"), STACK)
    bucket = boto3.resource("s3").Bucket(BUCKET)
    try:
        bucket.objects.delete()
        bucket.delete()
    except bucket.meta.client.exceptions.NoSuchBucket:
        pass  # It is gone already.


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["deploy", "delete"])
    what = parser.parse_args().what
    if not account.emulated():
        raise OperatorError("This is no local AWS. Start it with make run, then:  . .local/env")
    if what == "deploy":
        print(f"The routes are at\n{deploy_routes()}")
    else:
        delete_routes()
        print("The routes are gone.")


if __name__ == "__main__":
    sys.exit(exit_code(main))
