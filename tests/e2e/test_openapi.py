"""The API's OpenAPI document against the running album."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.background import ROOT, RunningStack


def run_schemathesis(stack: RunningStack, folder: Path, *options: str) -> None:
    """Send the album what its document allows and forbids, and fail if any check does."""
    here = Path(__file__).parent
    command = [str(Path(sys.executable).with_name("schemathesis"))]
    command += ["--config-file", str(here / "schemathesis.toml")]
    command += ["run", f"{stack.url}/openapi.json", "--url", stack.url, "--checks", "all"]
    environment = {
        "ALBUM_URL": stack.url,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
    }
    run = subprocess.run(
        [*command, *options],
        cwd=folder,  # where it stores what it finds
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_album_conforms_to_its_document(stack: RunningStack, tmp_path: Path) -> None:
    run_schemathesis(stack, tmp_path, "--max-examples", "3", "--seed", "1", "--no-shrink")


@pytest.mark.full
def test_album_conforms_to_its_document_in_a_long_run(stack: RunningStack, tmp_path: Path) -> None:
    run_schemathesis(stack, tmp_path, "--max-examples", "100")
