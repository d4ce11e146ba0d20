"""Measure cold and warm calls of the packaged functions beside a hello-world Chalice app.

Both run in the embedded AWS of `make run`, on this machine: read the ratios, not the milliseconds.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infra import account, package, stacks
from infra.deploy import api_url, deploy, upload
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_COLD_REPEATS = 9
_WARM_REPEATS = 101
_HELLO_STACK = "cloudalbum-bench-hello"
_HELLO = Path(__file__).with_name("hello")


@dataclass(frozen=True)
class Call:
    """One request to measure, and the functions that answer it."""

    name: str
    url: str
    headers: dict[str, str]
    functions: list[str]

    def milliseconds(self) -> float:
        """Send the request and return how long the answer took."""
        request = urllib.request.Request(self.url, headers=self.headers)  # noqa: S310
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            response.read()
        return (time.perf_counter() - began) * 1000


def measure(calls: list[Call], restart: Callable[[str], None]) -> dict[str, tuple[float, float]]:
    """Return the median cold and warm milliseconds of each call, measured in turn."""
    cold: dict[str, list[float]] = {call.name: [] for call in calls}
    warm: dict[str, list[float]] = {call.name: [] for call in calls}
    for _ in range(_COLD_REPEATS):
        for call in calls:
            for function in call.functions:
                restart(function)
            cold[call.name].append(call.milliseconds())
    for _ in range(_WARM_REPEATS):
        for call in calls:
            warm[call.name].append(call.milliseconds())
    return {name: (statistics.median(cold[name]), statistics.median(warm[name])) for name in cold}


def _restarter(make_client: MakeClient) -> Callable[[str], None]:
    client = make_client("lambda")

    def restart(function: str) -> None:
        configuration = client.get_function_configuration(FunctionName=function)
        variables = configuration.get("Environment", {}).get("Variables", {})
        variables["RESTARTS"] = str(int(variables.get("RESTARTS", "0")) + 1)
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )

    return restart


def _functions(make_client: MakeClient, stack: str) -> dict[str, str]:
    resources = make_client("cloudformation").describe_stack_resources(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources["StackResources"]
    }


def _deploy_hello(make_client: MakeClient, bucket: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        chalice = Path(sysconfig.get_path("scripts")) / "chalice"
        subprocess.run(
            [str(chalice), "package", folder], cwd=_HELLO, check=True, capture_output=True
        )
        template = json.loads((Path(folder) / "sam.json").read_text())
        upload(
            make_client("s3"), bucket, "hello.zip", (Path(folder) / "deployment.zip").read_bytes()
        )
    template["Resources"]["APIHandler"]["Properties"]["CodeUri"] = {
        "Bucket": bucket,
        "Key": "hello.zip",
    }
    cloudformation = make_client("cloudformation")
    stacks.deploy(cloudformation, _HELLO_STACK, {"TemplateBody": json.dumps(template)}, {})
    return api_url(stacks.outputs(cloudformation, _HELLO_STACK) or {})


def _sign_in(url: str) -> str:
    """Return the access token of an account made for this."""
    fields = {"email": f"bench-{time.time_ns()}@example.com", "password": "Bench-2026"}
    answer: dict[str, Any] = {}
    for path in ("/users/signup", "/users/signin"):
        request = urllib.request.Request(  # noqa: S310
            url + path,
            data=json.dumps(fields | {"username": "Bench"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer = json.load(response)
    token: str = answer["accessToken"]
    return token


def main() -> None:
    """Deploy both apps, measure them, and print a table."""
    if not account.emulated():
        raise OperatorError("This measures in the embedded AWS alone: use make bench-deployed.")
    make_client, stage = boto3.Session().client, Stage("dev")
    album_url = deploy(make_client, stage, package.build(stage))
    data = stacks.outputs(make_client("cloudformation"), stage.data_stack) or {}
    hello_url = _deploy_hello(make_client, data["PackageBucketName"])
    album = _functions(make_client, stage.app_stack)
    hello = _functions(make_client, _HELLO_STACK)
    token = {"Authorization": f"Bearer {_sign_in(album_url)}"}
    both = [album["JwtAuth"], album["APIHandler"]]
    calls = [
        Call("hello world: GET /", hello_url + "/", {}, [hello["APIHandler"]]),
        Call("album: GET /health", album_url + "/health", {}, [album["APIHandler"]]),
        Call("album: GET /photos, with the authorizer", album_url + "/photos", token, both),
    ]
    measured = measure(calls, _restarter(make_client))
    stacks.delete(make_client("cloudformation"), _HELLO_STACK)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of "
        f"{_COLD_REPEATS} cold and {_WARM_REPEATS} warm calls\n"
    )
    print("| call | cold, ms | to hello | warm, ms | to hello |\n|---|---|---|---|---|")
    base_cold, base_warm = measured[calls[0].name]
    for name, (cold, warm) in measured.items():
        ratios = cold / base_cold, warm / base_warm
        print(f"| {name} | {cold:.0f} | {ratios[0]:.1f}x | {warm:.1f} | {ratios[1]:.1f}x |")


if __name__ == "__main__":
    sys.exit(exit_code(main))
