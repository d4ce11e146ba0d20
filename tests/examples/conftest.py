"""The example's two apps, loaded under other names than `app`, which is the album's module."""

import contextlib
import importlib.util
from collections.abc import Iterator
from types import ModuleType

import pytest
from PIL import Image

from infra.background import ROOT, RunningStack, running

MYAPP = ROOT / "examples" / "myapp"
RESIZE = MYAPP / "resize"
BUCKET = "pictures"
_PILLOW_MAX_PIXELS = 89_478_485


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Return the running local stack."""
    with running(tmp_path_factory.mktemp("state")) as started:
        yield started


@contextlib.contextmanager
def loaded(name: str, path: str) -> Iterator[ModuleType]:
    """Load a file in `examples/myapp` until the block ends."""
    spec = importlib.util.spec_from_file_location(name, MYAPP / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        yield module
    finally:
        module.app.log.handlers.clear()  # Chalice's handler writes to this test's stdout.


@pytest.fixture
def myapp(no_sockets: None) -> Iterator[ModuleType]:
    """Return the module of the four routes."""
    with loaded("myapp_routes", "app.py") as module:
        yield module


@pytest.fixture
def resize(no_sockets: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the module of the event function, loaded without AWS credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PICTURE_BUCKET", BUCKET)
    # The album has its own limit, and may have disabled Pillow's in this process.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", _PILLOW_MAX_PIXELS)
    with loaded("myapp_resize", "resize/app.py") as module:
        yield module
