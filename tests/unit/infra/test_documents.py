"""What the documents refer to exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_that_proves_a_promise_of_security_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`((?:frontend/)?tests/[\w/]+(?:\.py|\.spec\.ts)?)(?:::(\w+))?`", text)
    assert len(named) > 40
    for path, test in named:
        assert (ROOT / path).exists(), path
        if test:
            assert f"def {test}(" in (ROOT / path).read_text("utf-8"), test


def test_every_promise_of_security_names_its_tests() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    promises = text.partition("## What CloudAlbum guarantees")[2].partition("## Threats")[0]
    rows = re.findall(r"^\| \*\*.*$", promises, re.MULTILINE)
    assert len(rows) > 12
    assert [
        row for row in rows if not re.search("`(frontend/)?tests/", row.rsplit("|", 2)[1])
    ] == []
