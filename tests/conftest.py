"""Settings and fixtures of all tests."""

import gc
import os
import shutil
import socket
import tempfile
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# Every run tries the same examples, so that only a change can make a test fail; a slow machine
# cannot, either.
settings.register_profile(
    "album",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("album")
# Hypothesis would also use the constants of all loaded modules, which differ between runs.
providers._get_local_constants = lambda: providers._local_constants


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs end-to-end tests against an album that is already running."""
    parser.addoption("--base-url", help="run tests/e2e/test_album.py against the album at this URL")


def pytest_configure(config: pytest.Config) -> None:
    """Build the package once per run, in a folder that all workers share."""
    if "PACKAGE_CACHE" not in os.environ:  # A worker inherits it.
        os.environ["PACKAGE_CACHE"] = tempfile.mkdtemp()
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop("PACKAGE_CACHE")))


def pytest_collection_finish() -> None:
    """Collect garbage less often: what has been imported stays, and is a million objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that opens a connection."""

    def fail(*_: object) -> NoReturn:
        raise AssertionError("this test opened a connection")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(socket.socket, "connect_ex", fail)
