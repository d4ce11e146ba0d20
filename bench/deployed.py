"""Measure the packaged functions beside a hello-world Chalice app, cold and warm, and end to end.

Everything runs on this machine, in the embedded AWS of `make run`: read the ratios, not the
milliseconds. The tables are printed and kept in `bench/results.md`.
"""

import base64
import functools
import importlib.metadata
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
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from bench import cold, journey
from bench.table import keep
from infra import account, package, stacks
from infra.deploy import api_url, deploy, upload
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_COLD_REPEATS = 15
_INVOKED_REPEATS = 7
_WARM_REPEATS = 51
_JOURNEYS = 21
_FEW = 10  # photos that the first list finds
_BIGGEST_PACKAGE = 15_000_000
_HELLO_STACK = "cloudalbum-bench-hello"
_HELLO = Path(__file__).with_name("hello")

Measure = Callable[[], float]


@dataclass(frozen=True)
class App:
    """A deployed app: its URL, its functions by their logical names, its unpacked package."""

    url: str
    functions: dict[str, str]
    folder: Path


@dataclass(frozen=True)
class Target:
    """What is measured against what, and how much more it may take; None where nothing is set."""

    name: str
    baseline: str
    most: float | None


_TARGETS = [
    Target("a cold authorizer's first decision", "hello: authorizer", 1.3),
    Target("a cold API's first GET /photos", "hello: GET /photos", 1.5),
    Target("a cold API's first GET /health", "hello: GET /", None),
]


def medians(measures: Mapping[str, Measure], repeats: int) -> dict[str, float]:
    """Return each measure's median, all taken in turn."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


class Bench:
    """Both apps in the embedded AWS, and one person with a few photos."""

    def __init__(self, make_client: MakeClient, album: App, hello: App) -> None:
        self._lambda = make_client("lambda")
        self.album, self.hello = album, hello
        self.person = journey.with_photos(album.url, _FEW)
        payload = self.person.token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self._caller = {name: claims[name] for name in ("sub", "origin_jti")}
        for function in ("APIHandler", "LetIn"):
            self._change(hello.functions[function], SUB=claims["sub"])
        decide = cold.authorizer_event(self.person.token)
        self._calls: dict[str, tuple[App, str, dict[str, Any]]] = {
            "hello: authorizer": (hello, "LetIn", decide),
            "a cold authorizer's first decision": (album, "JwtAuth", decide),
            "hello: GET /photos": (hello, "APIHandler", self._request("/photos")),
            "a cold API's first GET /photos": (album, "APIHandler", self._request("/photos")),
            "hello: GET /": (hello, "APIHandler", self._request("/")),
            "a cold API's first GET /health": (album, "APIHandler", self._request("/health")),
        }

    def alone(self) -> dict[str, float]:
        """Return the median milliseconds of each first call in a process of its own."""
        return medians(
            {name: self._alone(*call) for name, call in self._calls.items()}, _COLD_REPEATS
        )

    def invoked(self) -> dict[str, float]:
        """Return those of each first call of a function in the embedded AWS, unpacking and all."""
        measures = {
            name: functools.partial(self._invoked, *call) for name, call in self._calls.items()
        }
        return medians(measures, _INVOKED_REPEATS)

    def warm(self) -> dict[str, float]:
        """Return those of warm calls through the gateway."""
        token = {"Authorization": f"Bearer {self.person.token}"}
        calls = {
            "hello: GET /": (self.hello.url + "/", {}),
            "album: GET /health": (self.album.url + "/health", {}),
            "hello: GET /photos": (self.hello.url + "/photos", token),
            "album: GET /photos": (self.album.url + "/photos", token),
        }
        return medians(
            {name: functools.partial(_get, *call) for name, call in calls.items()}, _WARM_REPEATS
        )

    def _request(self, path: str) -> dict[str, Any]:
        return cold.request_event(path, self._caller)

    def _alone(self, app: App, function: str, event: dict[str, Any]) -> Measure:
        name = app.functions[function]
        configuration = self._lambda.get_function_configuration(FunctionName=name)
        names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        env = {name: os.environ[name] for name in names}
        env |= {"AWS_DEFAULT_REGION": env["AWS_REGION"]} | configuration["Environment"]["Variables"]
        process = cold.Function(app.folder, configuration["Handler"], env, app is self.hello)

        def measure() -> float:
            milliseconds, answer = process.first_call(event)
            _check(answer)
            return milliseconds

        return measure

    def _invoked(self, app: App, function: str, event: dict[str, Any]) -> float:
        name = app.functions[function]
        self._change(name, RESTARTS=str(time.time_ns()))
        began = time.perf_counter()
        answer = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        body = json.load(answer["Payload"])
        milliseconds = (time.perf_counter() - began) * 1000
        _check(body)
        return milliseconds

    def _change(self, function: str, **changed: str) -> None:
        configuration = self._lambda.get_function_configuration(FunctionName=function)
        variables = configuration.get("Environment", {}).get("Variables", {}) | changed
        self._lambda.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )


def _check(answer: dict[str, Any]) -> None:
    """Raise OperatorError unless a function let in or answered: a refusal would be quick."""
    lets_in = answer.get("policyDocument", {}).get("Statement", [{}])[0].get("Resource")
    if not lets_in and answer.get("statusCode") != 200:
        raise OperatorError(f"A function that was to be measured answered: {answer}")


def _get(url: str, headers: dict[str, str]) -> float:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        response.read()
    return (time.perf_counter() - began) * 1000


def _functions(make_client: MakeClient, stack: str) -> dict[str, str]:
    resources = make_client("cloudformation").describe_stack_resources(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources["StackResources"]
    }


def _deploy_album(
    make_client: MakeClient, stage: Stage, folder: Path
) -> tuple[App, package.Package]:
    built = package.build(stage)
    url = deploy(make_client, stage, built)
    with zipfile.ZipFile(built.zip) as archive:
        archive.extractall(folder)
    return App(url, _functions(make_client, stage.app_stack), folder), built


def _deploy_hello(make_client: MakeClient, data: dict[str, str], stage: Stage, folder: Path) -> App:
    """Deploy the hello-world app as `chalice package` writes it."""
    bucket = data["PackageBucketName"]
    with tempfile.TemporaryDirectory() as out:
        chalice = Path(sysconfig.get_path("scripts")) / "chalice"
        subprocess.run([str(chalice), "package", out], cwd=_HELLO, check=True, capture_output=True)
        template = json.loads((Path(out) / "sam.json").read_text())
        written = Path(out) / "deployment.zip"
        upload(make_client("s3"), bucket, "hello.zip", written.read_bytes())
        with zipfile.ZipFile(written) as archive:
            archive.extractall(folder)
    for name in ("APIHandler", "LetIn"):
        properties = template["Resources"][name]["Properties"]
        properties["CodeUri"] = {"Bucket": bucket, "Key": "hello.zip"}
        properties["Environment"] = {
            "Variables": {
                "PARAMETER_PATH": stage.parameter_path,
                "PHOTO_TABLE": data["PhotoTableName"],
                "USER_TABLE": data["UserTableName"],
            }
        }
    cloudformation = make_client("cloudformation")
    stacks.deploy(cloudformation, _HELLO_STACK, {"TemplateBody": json.dumps(template)}, {})
    url = api_url(stacks.outputs(cloudformation, _HELLO_STACK) or {})
    return App(url, _functions(make_client, _HELLO_STACK), folder)


def _verdict(ratio: float, most: float | None) -> str:
    if most is None:
        return ""
    return "met" if ratio <= most else "missed"


def _cold_table(alone: dict[str, float], invoked: dict[str, float]) -> list[str]:
    lines = [
        "| first call of a cold function | to hello | target | | ms | hello, ms "
        "| in the local AWS, unpacking included: to hello | ms | hello, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for target in _TARGETS:
        ratio = alone[target.name] / alone[target.baseline]
        most = f"{target.most}x" if target.most else ""
        lines.append(
            f"| {target.name} | {ratio:.2f}x | {most} | {_verdict(ratio, target.most)} "
            f"| {alone[target.name]:.0f} | {alone[target.baseline]:.0f} "
            f"| {invoked[target.name] / invoked[target.baseline]:.2f}x "
            f"| {invoked[target.name]:.0f} | {invoked[target.baseline]:.0f} |"
        )
    return lines


def _warm_table(warm: dict[str, float]) -> list[str]:
    lines = [
        "| warm call through the local gateway | to hello | ms | hello, ms |",
        "|---|---|---|---|",
    ]
    for name, baseline in (
        ("album: GET /health", "hello: GET /"),
        ("album: GET /photos", "hello: GET /photos"),
    ):
        ratio = warm[name] / warm[baseline]
        lines.append(f"| {name} | {ratio:.2f}x | {warm[name]:.1f} | {warm[baseline]:.1f} |")
    return lines


def _package_table(built: package.Package) -> list[str]:
    size = built.zip.stat().st_size
    with zipfile.ZipFile(built.zip) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    verdict = _verdict(size, _BIGGEST_PACKAGE)
    return [
        "| package | zipped, MB | target, MB | | unzipped, MB | unpacking here, ms |",
        "|---|---|---|---|---|---|",
        f"| deployment.zip | {size / 1e6:.1f} | {_BIGGEST_PACKAGE / 1e6:.0f} | {verdict} "
        f"| {unzipped / 1e6:.0f} | {_unpacking(built.zip):.0f} |",
        "",
        "The local AWS unpacks the whole package at each cold start, which on AWS is done before.",
    ]


def _unpacking(zipped: Path) -> float:
    """Return the median milliseconds that the local AWS takes to unpack a package."""

    def measure() -> float:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(zipped) as archive:
            began = time.perf_counter()
            archive.extractall(folder)
            return (time.perf_counter() - began) * 1000

    return medians({"unpacking": measure}, 5)["unpacking"]


def _journey_table(local_url: str, packaged_url: str) -> list[str]:
    people = [journey.with_photos(local_url, journey.LISTED)]
    same = people[0]
    people.append(journey.Person(packaged_url, same.email, same.password, same.token))
    data = journey.picture()
    local, packaged = journey.measure(people, data, _JOURNEYS)
    lines = [
        f"| end to end, p50 (upload of {len(data) / 1e6:.2f} MB) | packaged to local "
        "| `chalice local`, ms | packaged Lambda, ms |",
        "|---|---|---|---|",
    ]
    for step in journey.STEPS:
        here, there = statistics.median(local[step]), statistics.median(packaged[step])
        lines.append(f"| {step} | {there / here:.1f}x | {here:.1f} | {there:.1f} |")
    return lines


def _machine() -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("chalice", "botocore", "ministack")
    )
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; "
        f"commit {described.stdout.strip() or 'unknown'}, {time.strftime('%Y-%m-%d')}. Medians of "
        f"{_COLD_REPEATS} cold starts alone, {_INVOKED_REPEATS} in the local AWS, {_WARM_REPEATS} "
        f"warm calls and {_JOURNEYS} journeys, each taken in turn with its baseline."
    )


def main() -> None:
    """Deploy both apps, measure them, and print and keep the tables."""
    if not account.emulated() or len(sys.argv) != 2:
        raise OperatorError("This measures in the embedded AWS alone: use make bench-deployed.")
    make_client, stage = boto3.Session().client, Stage("dev")
    data = stacks.outputs(make_client("cloudformation"), stage.data_stack) or {}
    with tempfile.TemporaryDirectory() as folder:
        album, built = _deploy_album(make_client, stage, Path(folder) / "album")
        hello = _deploy_hello(make_client, data, stage, Path(folder) / "hello")
        try:
            bench = Bench(make_client, album, hello)
            alone, invoked, warm = bench.alone(), bench.invoked(), bench.warm()
        finally:
            stacks.delete(make_client("cloudformation"), _HELLO_STACK)
    parts = [
        ["# The packaged functions, measured", "", "Made by `make bench-deployed`. " + _machine()],
        _cold_table(alone, invoked),
        _warm_table(warm),
        _package_table(built),
        _journey_table(sys.argv[1], album.url),
    ]
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    keep(text)
    print(text)


if __name__ == "__main__":
    sys.exit(exit_code(main))
