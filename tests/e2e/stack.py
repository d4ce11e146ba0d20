"""The local stack, started as `make run` starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3
import requests
from requests_toolbelt import MultipartEncoder

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 40


@dataclass
class RunningStack:
    """One runner, with the ports and the state it was given."""

    process: subprocess.Popen[str]
    port: int
    aws_port: int
    state: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """What `.local/env` exports."""
        lines = (self.state / "env").read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def make_client(self, service: str) -> Any:
        """Return a boto3 client of the embedded AWS."""
        return boto3.client(
            service,
            endpoint_url=self.env["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )

    def run(self, module: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one of `infra`'s commands against the embedded AWS, as its `make` target does."""
        typed = env.pop("INPUT", "")
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=os.environ | self.env | env,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self, stage: str) -> str:
        """Provision and deploy a stage, and return its API's URL, which is printed last."""
        for module in ("infra.provision", "infra.deploy"):
            done = self.run(module, STAGE=stage)
            assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()[-1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the runner alone and wait for it."""
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(port: int, aws_port: int, state: Path, output: IO[str] | int) -> subprocess.Popen[str]:
    """Start the runner in a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "infra.local",
        "--port",
        str(port),
        "--aws-port",
        str(aws_port),
    ]
    return subprocess.Popen(
        [*command, "--state", str(state)],
        cwd=ROOT,
        env=os.environ | {"AWS_PROFILE": "somebody-elses"},
        stdin=output,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def running(state: Path) -> Iterator[RunningStack]:
    """Run the local stack on free ports until the block ends."""
    port, aws_port = free_port(), free_port()
    log = state.with_name(f"{state.name}-{port}.log")
    with log.open("w") as output:
        process = start(port, aws_port, state, output)
    try:
        _wait_until_up(process, log)
        yield RunningStack(process, port, aws_port, state, log)
        if process.poll() is None:
            process.terminate()
        process.wait(STOP_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Try, in another terminal" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the local stack did not start:\n{log.read_text()}")
        time.sleep(0.05)


class Person:
    """Somebody with an account, over HTTP."""

    def __init__(self, url: str, email: str, password: str = "Secret-2026") -> None:
        self.url = url
        self.email = email
        self.password = password
        self.token = ""
        self.refresh_token = ""

    def sign_up(self) -> requests.Response:
        return self.post_json("/users/signup", username="Somebody", **self._credentials)

    def sign_in(self) -> requests.Response:
        response = self.post_json("/users/signin", **self._credentials)
        self.token = response.json().get("accessToken", "")
        self.refresh_token = response.json().get("refreshToken", "")
        return response

    def sign_out(self) -> requests.Response:
        return self.post_json("/users/signout")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        options.setdefault("allow_redirects", False)
        return requests.request(method, self.url + path, headers=headers, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post_json(self, path: str, **body: Any) -> requests.Response:
        return self.request("POST", path, json=body)

    def upload(self, picture: bytes, name: str = "picture.jpg", **fields: str) -> requests.Response:
        return self.post_form(file=(name, picture, "image/jpeg"), **fields)

    def post_form(self, **fields: Any) -> requests.Response:
        encoder = MultipartEncoder(fields)
        headers = {"Content-Type": encoder.content_type}
        return self.request("POST", "/photos/file", data=encoder.to_string(), headers=headers)

    @property
    def _credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}


def at_once(*acts: Callable[[], requests.Response]) -> list[requests.Response]:
    """Do everything at once, and return the answers in the order of the acts."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(act) for act in acts]]
