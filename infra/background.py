"""The local album in the background, on free ports: for benchmarks and end-to-end tests."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3

from infra import stacks
from infra.stages import Stage
from infra.web import FOLDER_VARIABLE

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
STOP_SECONDS = 40
_PAGE = "<!doctype html><title>CloudAlbum</title>"
_STARTED = "Try, in another terminal"  # The runner prints it once everything is up.


@dataclass
class RunningStack:
    """A running local album, with its ports and the folder of its state."""

    process: subprocess.Popen[str]
    port: int
    aws_port: int
    state: Path
    log: Path  # the runner's own output

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_log(self) -> Path:
        """The API's log, with the album's lines of JSON."""
        return self.state / "api.log"

    @property
    def env(self) -> dict[str, str]:
        """The variables that the file `env` in the state folder exports."""
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
        """Run a command of `infra` in the embedded AWS; INPUT is what is typed into it."""
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
        """Provision and deploy a stage, and return its API's URL. Raises RuntimeError.

        The web app is a page without scripts, so that no test waits for Node.
        """
        web = self.state / "web"
        web.mkdir(exist_ok=True)
        (web / "index.html").write_text(_PAGE)
        for module in ("infra.provision", "infra.deploy"):
            done = self.run(module, STAGE=stage, **{FOLDER_VARIABLE: str(web.absolute())})
            if done.returncode != 0:
                raise RuntimeError(f"{module} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.splitlines()[-1]

    def web_host(self, stage: str) -> str:
        """Return the host at which CloudFront serves a deployed stage."""
        found = stacks.outputs(self.make_client("cloudformation"), Stage(stage).app_stack) or {}
        return found["WebHost"]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the runner alone, and wait until it has ended."""
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    port: int, aws_port: int, state: Path, output: IO[str] | int, *options: str
) -> subprocess.Popen[str]:
    """Start the runner in its own process group, with `output` as its terminal or file.

    It serves the web app only if the options have "--web".
    """
    command = [sys.executable, "-m", "infra.local", "--port", str(port)]
    command += ["--aws-port", str(aws_port), "--state", str(state)]
    if "--web" not in options:
        command.append("--no-web")
    options = tuple(option for option in options if option != "--web")
    return subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        # A profile that does not exist: the runner must ignore the developer's.
        env=os.environ | {"AWS_PROFILE": "nonexistent"},
        stdin=output,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def running(state: Path, *options: str) -> Iterator[RunningStack]:
    """Run the local album on free ports until the block ends. Raises RuntimeError."""
    port, aws_port = free_port(), free_port()
    log = state.with_name(f"{state.name}-{port}.log")
    with log.open("w") as output:
        process = start(port, aws_port, state, output, *options)
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
    while _STARTED not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The local album did not start:\n{log.read_text()}")
        time.sleep(0.05)
