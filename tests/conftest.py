"""What all tests share."""

import os
import shutil
import socket
import tempfile
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# The same examples in every run: a failure is the change's, and not the day's.
# Nor is a slow machine a failure.
settings.register_profile(
    "album",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("album")
# It would also draw from the constants of whatever modules happen to be loaded by then.
providers._get_local_constants = lambda: providers._local_constants


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that points the end-to-end tests at an album that runs already."""
    parser.addoption("--base-url", help="run tests/e2e/test_album.py against this URL alone")


def pytest_configure(config: pytest.Config) -> None:
    """Let all tests of a run, in all of its workers, share one build of the package."""
    if "PACKAGE_CACHE" not in os.environ:  # A worker inherits it.
        os.environ["PACKAGE_CACHE"] = tempfile.mkdtemp()
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop("PACKAGE_CACHE")))


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever connects to anything."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("this test opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
