"""The locks of the Pythons that do not run these tests, whose packages cannot be built here."""

import sys
import zipfile
from pathlib import Path

import pytest

from infra import locks, package, wheels

OTHERS = [one for one in wheels.RUNTIMES if (3, one.python) != sys.version_info[:2]]


@pytest.mark.full  # `make verify-locks` does the same.
@pytest.mark.parametrize("runtime", OTHERS, ids=lambda one: one.version)
def test_lock_of_another_python_gives_a_package_without_bytecode(
    runtime: wheels.Runtime, tmp_path: Path
) -> None:
    packed = tmp_path / "deployment.zip"
    assert 10_000_000 < locks.verify(runtime, packed) <= package.MAX_BYTES
    with zipfile.ZipFile(packed) as archive:
        found = set(archive.namelist())
    assert {"app.py", "chalice/app.py", "swagger_ui/swagger-ui.css", "botocore/client.py"} <= found
    assert {"aws_parameter_store/__init__.py", "chalicelib/photos/service.py"} <= found
    assert not [name for name in found if name.endswith(".pyc")]
    modules = [name for name in found if ".cpython-" in name]
    assert len(modules) > 5
    assert [name for name in modules if f".cpython-3{runtime.python}-" not in name] == []
