"""Deploy the two apps that `bench.deployed` compares: the album, and a hello-world app."""

import json
import subprocess
import sysconfig
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import package, sam, stacks
from infra.deploy import api_url, deploy, upload
from infra.stacks import MakeClient
from infra.stages import Stage

HELLO_STACK = "cloudalbum-bench-hello"
_HELLO = Path(__file__).with_name("hello")


_NO_WEB_APP = {"index.html": b""}


@dataclass(frozen=True)
class App:
    """A deployed app: its URL, its physical names by their logical IDs, its unpacked package."""

    url: str
    names: dict[str, str]
    folder: Path


def deploy_album(
    make_client: MakeClient, stage: Stage, folder: Path
) -> tuple[App, package.Package]:
    """Build and deploy the album, and unpack its package into `folder`."""
    built = package.build(stage)
    url = api_url(deploy(make_client, stage, built, _NO_WEB_APP))
    with zipfile.ZipFile(built.zip) as archive:
        archive.extractall(folder)
    return App(url, _names(make_client, stage.app_stack), folder), built


def deploy_hello(make_client: MakeClient, stage: Stage, folder: Path) -> App:
    """Deploy the hello-world app as `chalice package` builds it, with the album's tables."""
    cloudformation = make_client("cloudformation")
    data = stacks.outputs(cloudformation, stage.data_stack) or {}
    with tempfile.TemporaryDirectory() as out:
        template, built = _package_hello(Path(out))
        upload(make_client("s3"), data["PackageBucketName"], "hello.zip", built.read_bytes())
        with zipfile.ZipFile(built) as archive:
            archive.extractall(folder)
    for function in sam.of_type(template, "AWS::Serverless::Function"):
        properties = function["Properties"]
        properties["CodeUri"] = {"Bucket": data["PackageBucketName"], "Key": "hello.zip"}
        properties["Environment"] = {
            "Variables": {
                "PARAMETER_PATH": stage.parameter_path,
                "PHOTO_TABLE": data["PhotoTableName"],
                "USER_TABLE": data["UserTableName"],
            }
        }
    stacks.deploy(cloudformation, HELLO_STACK, {"TemplateBody": json.dumps(template)}, {})
    url = api_url(stacks.outputs(cloudformation, HELLO_STACK) or {})
    return App(url, _names(make_client, HELLO_STACK), folder)


def _package_hello(out: Path) -> tuple[dict[str, Any], Path]:
    """Return the template and the zip that `chalice package` writes into the folder `out`."""
    chalice = Path(sysconfig.get_path("scripts")) / "chalice"
    subprocess.run([str(chalice), "package", out], cwd=_HELLO, check=True, capture_output=True)
    return json.loads((out / "sam.json").read_text()), out / "deployment.zip"


def _names(make_client: MakeClient, stack: str) -> dict[str, str]:
    resources = make_client("cloudformation").describe_stack_resources(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources["StackResources"]
    }
