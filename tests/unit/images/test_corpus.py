"""Thousands of broken images."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import corpus

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_broken_image_is_decoded_or_rejected_and_never_crashes(kind: str) -> None:
    assert corpus.outcome(corpus.whole(kind)) == "DecodedImage"
    run = subprocess.run(
        # In a process of its own, which a crash would end. Pillow's warnings are no errors here.
        [sys.executable, "-W", "ignore", "-m", "tests.support.corpus", kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    last = "".join(run.stdout.splitlines(keepends=True)[-1:])
    assert run.returncode == 0, f"{last}\n{run.stderr}"
    found = {line.split()[-1] for line in run.stdout.splitlines()}
    assert found >= {"DecodedImage", "UndecodableImage"}
    assert len(run.stdout.splitlines()) == corpus.variants(kind)
