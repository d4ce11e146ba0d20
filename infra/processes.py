"""Child processes, ports, terminals and the lock of the local album's state."""

import contextlib
import fcntl
import http.client
import os
import select
import signal
import socket
import subprocess
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from infra.errors import OperatorError

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
STOP_SECONDS = 30


class Process:
    """A child process in its own session, so that a terminal's Ctrl-C reaches only the runner."""

    def __init__(
        self,
        name: str,
        command: list[str],
        env: dict[str, str] | None = None,
        log: IO[bytes] | None = None,
    ) -> None:
        self.name = name
        self.log = "its output above" if log is None else log.name
        self._popen = subprocess.Popen(
            command,
            env=os.environ | (env or {}),
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,  # A child must not read from the terminal.
            stdout=log,
            stderr=log,
        )

    @property
    def running(self) -> bool:
        """Return whether it is still running."""
        return self._popen.poll() is None

    def stop(self) -> None:
        """Stop it, wait for it, and kill what is left of its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """Lock the state folder for this process. Raises OperatorError if another has locked it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        _lock(lock, state)
        yield


def _lock(lock: IO[str], state: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OperatorError(
            f"Another album is already running with the state in {state}. Stop it first."
        ) from None


def hung_up(terminal: IO[str]) -> bool:
    """Return whether a terminal is closed: `make` as session leader forwards no SIGHUP."""
    poll = select.poll()
    poll.register(terminal, 0)  # A hang-up is always reported.
    return bool(poll.poll(0))


def check_free(name: str, port: int) -> None:
    """Raise OperatorError if `port`, given as the variable `name`, is invalid or in use."""
    if not 0 < port < 65536:
        raise OperatorError(f"{name} must be from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise OperatorError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: make run {name}="
            ) from None


def answers(url: str) -> bool:
    """Return whether `url` responds with 200."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5):
            return True
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def program(name: str) -> str:
    """Return the path of a program in this Python's environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)
