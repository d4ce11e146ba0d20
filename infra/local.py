"""Run the album on this machine: an embedded AWS (MiniStack), and `chalice local` on top of it.

`make run` runs this. Ctrl-C, SIGTERM or closing the terminal stops everything, MiniStack always
cleanly: it saves its state when it stops.
"""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import boto3

from infra.errors import OperatorError, exit_code
from infra.frontend import Frontend
from infra.processes import HOST, Process, answers, check_free, hung_up, locked, program
from infra.provision import provision
from infra.stages import Stage
from infra.web import FOLDER_VARIABLE

REGION = "ap-northeast-2"
START_SECONDS = 60
DEFAULT_PORT = 5000


class LocalAlbum:
    """The album and its embedded AWS on two ports of this machine, with its state in one folder.

    The API's log goes to the file `api.log` in that folder or, if `verbose`, to standard output.
    `web` is the folder of the built web app, which is served at `/`.
    """

    def __init__(
        self,
        port: int,
        aws_port: int,
        state: Path,
        verbose: bool = False,
        web: Path | None = None,
    ) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._aws_port = aws_port
        self._state = state
        self._verbose = verbose
        self._web = web
        self._stop = threading.Event()

    def run(self) -> None:
        """Run until a signal arrives or a process ends. Raises OperatorError."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, lambda *_: self._stop.set())
        # The developer's own profile, settings or proxy must not affect the embedded AWS.
        for name in [name for name in os.environ if name.startswith(("AWS_", "CLOUDALBUM_"))]:
            del os.environ[name]
        hosts = f"{HOST},localhost"
        os.environ.update(self.env, NO_PROXY=hosts, no_proxy=hosts)
        with locked(self._state), contextlib.ExitStack() as started:
            for name, port in (("PORT", self._port), ("AWS_PORT", self._aws_port)):
                check_free(name, port)
            if self._port == self._aws_port:
                raise OperatorError(f"PORT and AWS_PORT must be different, not both {self._port}.")
            aws = self._start_aws(started)
            for line in provision(boto3.client, Stage("dev"), REGION, emulated=True):
                if not line.endswith("written"):  # All settings would fill the screen.
                    say(f"  {line}")
            self._write_env()
            api = self._start_api(started)
            say(self._welcome())
            terminals = [stream for stream in (sys.stdin, sys.stdout) if stream.isatty()]
            while not self._stop.wait(0.2) and not any(map(hung_up, terminals)):
                for process in (aws, api):
                    if not process.running:
                        raise OperatorError(
                            f"{process.name} stopped unexpectedly. See {process.log}."
                        )
            say("\nStopping. The embedded AWS is saving its state.")

    @property
    def env(self) -> dict[str, str]:
        """The environment in which boto3, PynamoDB and Chalice use the embedded AWS."""
        return {
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self._aws_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def _start_aws(self, started: contextlib.ExitStack) -> Process:
        say("Starting the embedded AWS ...")
        temporary = (self._state / "tmp").absolute()  # MiniStack leaves unpacked functions there.
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        log = started.enter_context((self._state / "ministack.log").open("ab"))
        env = {
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self._aws_port),
            "IOT_MTLS_ENABLED": "0",
            # As on AWS, no token is issued if the pool's trigger fails.
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._state / "s3"),
            "STATE_DIR": str(self._state / "state"),
            "TMPDIR": str(temporary),
        }
        aws = Process("The embedded AWS", [program("ministack")], env, log)
        started.callback(aws.stop)
        self._wait_for(f"http://{HOST}:{self._aws_port}/_ministack/health", aws)
        return aws

    def _write_env(self) -> None:
        lines = "".join(f"export {name}={value}\n" for name, value in self.env.items())
        (self._state / "env").write_text(lines)

    def _start_api(self, started: contextlib.ExitStack) -> Process:
        say("Starting the API ...")
        # Chalice's reloader watches every file below the project, including the album's own data.
        command = [sys.executable, "-m", "infra.serve", "local", "--no-autoreload"]
        command += ["--port", str(self._port)]
        log = None if self._verbose else started.enter_context(self._api_log.open("wb"))
        env = {FOLDER_VARIABLE: str(self._web)} if self._web else {}
        api = Process("The API", command, env, log)
        started.callback(api.stop)
        self._wait_for(f"{self.url}/health", api)
        return api

    def _wait_for(self, url: str, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            if not process.running or time.monotonic() > deadline:
                raise OperatorError(f"{process.name} did not start. See {process.log}.")
            if self._stop.wait(0.1):
                raise OperatorError("Stopped before it was up.")

    @property
    def _api_log(self) -> Path:
        return self._state / "api.log"

    def _welcome(self) -> str:
        login = '"email": "mario@example.com", "password": "Secret-2026"'
        reader = 'import json, sys; print(json.load(sys.stdin)["accessToken"])'
        photo = self._state / "first-photo.jpg"
        draw = f'from PIL import Image; Image.linear_gradient("L").save("{photo}")'
        shown = self.url if self._web else f"{self.url}   (without the web app)"
        return f"""
The album          {shown}
The API's docs     {self.url}/docs   (in a browser)
The embedded AWS   {self.env["AWS_ENDPOINT_URL"]}   (for its clients: . {self._state}/env)
300 pictures       make demo{"" if self._port == DEFAULT_PORT else f" PORT={self._port}"}
The API's log      {"this terminal" if self._verbose else self._api_log}
Stop with          Ctrl-C

Try, in another terminal: sign up, sign in, upload a first photo, and list it.

API={self.url} JSON='Content-Type: application/json'
curl $API/users/signup -H "$JSON" -d '{{{login}, "username": "Mario"}}'
TOKEN=$(curl -s $API/users/signin -H "$JSON" -d '{{{login}}}' | python3 -c '{reader}')
{os.path.relpath(sys.executable)} -c '{draw}'
curl $API/photos/file -H "Authorization: Bearer $TOKEN" -F file=@{photo} -F tags=first
curl $API/photos -H "Authorization: Bearer $TOKEN"
"""


def say(text: str) -> None:
    """Print, ignoring a closed terminal: the processes must still be stopped."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def built_web_app(frontend: Frontend) -> Path | None:
    """Return the folder of the current web app, or print why there is none, and return None."""
    try:
        return frontend.build()
    except OperatorError as error:
        say(f"The web app is missing, and the API starts without it. {error}")
        return None


def reset(state: Path) -> None:
    """Delete the local state. Raises OperatorError while the album is running."""
    with locked(state):
        shutil.rmtree(state)


def main() -> None:
    """Run or reset the local album."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--aws-port", type=int, default=4566)
    parser.add_argument("--state", type=Path, default=Path(".local"))
    parser.add_argument("--verbose", action="store_true", help="print the API's log")
    parser.add_argument("--no-web", action="store_true", help="run the API without the web app")
    parser.add_argument("--reset", action="store_true", help="delete the state instead")
    arguments = parser.parse_args()
    if arguments.reset:
        reset(arguments.state)
    else:
        web = None if arguments.no_web else built_web_app(Frontend())
        LocalAlbum(
            arguments.port, arguments.aws_port, arguments.state, arguments.verbose, web
        ).run()


if __name__ == "__main__":
    sys.exit(exit_code(main))
