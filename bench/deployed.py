"""Compare the packaged functions with a hello-world Chalice app: cold, warm, and end to end.

Everything runs on this machine, in the embedded AWS of `make run`: read the ratios, not the
milliseconds. The tables are printed and saved in `bench/results.md`.
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
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from bench import cold_start, journey
from bench.apps import HELLO_STACK, App, deploy_album, deploy_hello
from bench.table import medians, save_section
from infra import account, package, stacks
from infra.errors import OperatorError, exit_code
from infra.stacks import MakeClient
from infra.stages import Stage

_COLD_REPEATS = 15
_INVOKED_REPEATS = 7
_WARM_REPEATS = 51
_JOURNEYS = 21
_UNPACKING_REPEATS = 5
_FEW_PHOTOS = 10  # what the first GET /photos lists

Measure = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """A call of the album, the baseline's call, and how many times the baseline it may take."""

    name: str
    baseline: str
    target: float | None = None


_COLD = [
    Comparison("authorizer, first decision", "hello: authorizer", 1.3),
    Comparison("API, first GET /photos", "hello: GET /photos", 1.5),
    Comparison("API, first GET /health", "hello: GET /"),
]
_WARM = [
    Comparison("GET /health", "hello: GET /"),
    Comparison("GET /photos", "hello: GET /photos"),
]


def median_of_each(measures: Mapping[str, Measure], repeats: int) -> dict[str, float]:
    """Return the median of each measure, all taken in turn."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            found[name].append(measure())
    return medians(found)


class Bench:
    """Both apps in the embedded AWS, and one user with a few photos."""

    def __init__(self, make_client: MakeClient, album: App, hello: App) -> None:
        self._lambda = make_client("lambda")
        self._album, self._hello = album, hello
        self._token = journey.person_with_photos(album.url, _FEW_PHOTOS).token
        payload = self._token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        caller = {"sub": claims["sub"]}
        for function in ("APIHandler", "AllowAll"):
            self._set_environment(hello.names[function], SUB=claims["sub"])
        authorize = cold_start.authorizer_event(self._token)
        get = {path: cold_start.request_event(path, caller) for path in ("/", "/health", "/photos")}
        self._calls: dict[str, tuple[App, str, dict[str, Any]]] = {
            "hello: authorizer": (hello, "AllowAll", authorize),
            "authorizer, first decision": (album, "JwtAuth", authorize),
            "hello: GET /photos": (hello, "APIHandler", get["/photos"]),
            "API, first GET /photos": (album, "APIHandler", get["/photos"]),
            "hello: GET /": (hello, "APIHandler", get["/"]),
            "API, first GET /health": (album, "APIHandler", get["/health"]),
        }

    def in_process(self) -> dict[str, float]:
        """Return the median milliseconds of each function's first call in a new process."""
        measures = {name: self._in_process(*call) for name, call in self._calls.items()}
        return median_of_each(measures, _COLD_REPEATS)

    def invoked(self) -> dict[str, float]:
        """Return the median milliseconds of each function's first call in the embedded AWS."""
        measures = {
            name: functools.partial(self._invoked, *call) for name, call in self._calls.items()
        }
        return median_of_each(measures, _INVOKED_REPEATS)

    def warm(self) -> dict[str, float]:
        """Return the median milliseconds of warm requests through the embedded API Gateway."""
        token = {"Authorization": f"Bearer {self._token}"}
        requests = {
            "hello: GET /": (f"{self._hello.url}/", {}),
            "GET /health": (f"{self._album.url}/health", {}),
            "hello: GET /photos": (f"{self._hello.url}/photos", token),
            "GET /photos": (f"{self._album.url}/photos", token),
        }
        measures = {name: functools.partial(_get, *request) for name, request in requests.items()}
        return median_of_each(measures, _WARM_REPEATS)

    def _in_process(self, app: App, function: str, event: dict[str, Any]) -> Measure:
        configuration = self._lambda.get_function_configuration(FunctionName=app.names[function])
        names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        env = {name: os.environ[name] for name in names}
        env |= {"AWS_DEFAULT_REGION": env["AWS_REGION"]} | configuration["Environment"]["Variables"]
        process = cold_start.Function(
            app.folder, configuration["Handler"], env, needs_boto3=app is self._hello
        )

        def measure() -> float:
            milliseconds, response = process.first_call(event)
            _check(response)
            return milliseconds

        return measure

    def _invoked(self, app: App, function: str, event: dict[str, Any]) -> float:
        name = app.names[function]
        self._set_environment(name, RESTARTS=str(time.time_ns()))  # The next call is a cold start.
        began = time.perf_counter()
        response = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = json.load(response["Payload"])
        milliseconds = (time.perf_counter() - began) * 1000
        _check(payload)
        return milliseconds

    def _set_environment(self, function: str, **changes: str) -> None:
        configuration = self._lambda.get_function_configuration(FunctionName=function)
        variables = configuration.get("Environment", {}).get("Variables", {}) | changes
        self._lambda.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )


def _check(response: Any) -> None:
    """Raise OperatorError unless a function succeeded: a failure would be too fast."""
    fields = response or {}
    allowed = fields.get("policyDocument", {}).get("Statement", [{}])[0].get("Resource")
    if not allowed and fields.get("statusCode") != 200:
        raise OperatorError(f"A function failed while it was measured. Its response: {response}")


def _get(url: str, headers: dict[str, str]) -> float:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        response.read()
    return (time.perf_counter() - began) * 1000


def _result(value: float, target: float | None) -> str:
    if target is None:
        return ""
    return "met" if value <= target else "**missed**"


def _cold_table(in_process: dict[str, float], invoked: dict[str, float]) -> list[str]:
    lines = [
        "| cold start | compared with hello | target | result | ms | hello, ms "
        "| in the embedded AWS, with unpacking | ms | hello, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in _COLD:
        ratio = in_process[one.name] / in_process[one.baseline]
        target = f"at most {one.target}x" if one.target else ""
        lines.append(
            f"| {one.name} | {ratio:.2f}x | {target} | {_result(ratio, one.target)} "
            f"| {in_process[one.name]:.0f} | {in_process[one.baseline]:.0f} "
            f"| {invoked[one.name] / invoked[one.baseline]:.2f}x "
            f"| {invoked[one.name]:.0f} | {invoked[one.baseline]:.0f} |"
        )
    return lines


def _warm_table(warm: dict[str, float]) -> list[str]:
    lines = [
        "| warm request through the embedded API Gateway | compared with hello | ms | hello, ms |",
        "|---|---|---|---|",
    ]
    for one in _WARM:
        ratio = warm[one.name] / warm[one.baseline]
        lines.append(
            f"| {one.name} | {ratio:.2f}x | {warm[one.name]:.1f} | {warm[one.baseline]:.1f} |"
        )
    return lines


def _package_table(built: package.Package) -> list[str]:
    size = built.zip.stat().st_size
    with zipfile.ZipFile(built.zip) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return [
        "| package | zipped | target | result | unzipped | time to unpack |",
        "|---|---|---|---|---|---|",
        f"| {built.zip.name} | {size / 1e6:.1f} MB | at most {package.MAX_BYTES / 1e6:.0f} MB "
        f"| {_result(size, package.MAX_BYTES)} | {unzipped / 1e6:.0f} MB "
        f"| {_unpacking(built.zip):.0f} ms |",
        "",
        "The embedded AWS unpacks the whole package at each cold start. AWS does it in advance.",
    ]


def _unpacking(zipped: Path) -> float:
    """Return the median milliseconds that unpacking a package takes."""

    def measure() -> float:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(zipped) as archive:
            began = time.perf_counter()
            archive.extractall(folder)
            return (time.perf_counter() - began) * 1000

    return statistics.median(measure() for _ in range(_UNPACKING_REPEATS))


def _journey_table(local_url: str, packaged_url: str) -> list[str]:
    person = journey.person_with_photos(local_url, journey.LISTED)
    same = journey.Person(packaged_url, person.email, person.password, person.token)
    data = journey.jpeg()
    local, packaged = journey.measure([person, same], data, _JOURNEYS)
    lines = [
        f"| end to end (upload of {len(data) / 1e6:.2f} MB) | packaged compared with local "
        "| `chalice local`, ms | packaged, ms |",
        "|---|---|---|---|",
    ]
    for step in journey.STEPS:
        here, there = statistics.median(local[step]), statistics.median(packaged[step])
        lines.append(f"| {step} | {there / here:.1f}x | {here:.1f} | {there:.1f} |")
    return lines


def _conditions() -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("chalice", "botocore", "ministack")
    )
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return (
        f"By `make bench-deployed` at commit {described.stdout.strip() or 'unknown'} "
        f"on {time.strftime('%Y-%m-%d')}, with {os.cpu_count()} cores,\n"
        f"Python {platform.python_version()}, {versions}.\n"
        f"Medians of {_COLD_REPEATS} cold starts in a process, {_INVOKED_REPEATS} in the embedded "
        f"AWS, {_WARM_REPEATS} warm requests\nand {_JOURNEYS} journeys, each measured in turn with "
        "its baseline. The hello-world app is in `bench/hello`."
    )


def main() -> None:
    """Deploy both apps, measure them, and print and save the tables."""
    if not account.emulated() or len(sys.argv) != 2:
        raise OperatorError(
            "This benchmark runs only in the embedded AWS. Start it with `make run`, and then run "
            "`make bench-deployed`."
        )
    make_client, stage = boto3.Session().client, Stage("dev")
    with tempfile.TemporaryDirectory() as folder:
        album, built = deploy_album(make_client, stage, Path(folder) / "album")
        hello = deploy_hello(make_client, stage, Path(folder) / "hello")
        try:
            bench = Bench(make_client, album, hello)
            in_process, invoked, warm = bench.in_process(), bench.invoked(), bench.warm()
        finally:
            stacks.delete(make_client("cloudformation"), HELLO_STACK)
    parts = [
        ["# The packaged functions", "", _conditions()],
        _cold_table(in_process, invoked),
        _warm_table(warm),
        _package_table(built),
        _journey_table(sys.argv[1], album.url),
    ]
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    save_section(text)
    print(text)


if __name__ == "__main__":
    sys.exit(exit_code(main))
