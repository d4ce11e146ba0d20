"""What the advisory service says, and what it does not say."""

from typing import Any

import pytest

from infra import audit
from infra.errors import OperatorError

CLEAN = {"name": "six", "version": "1.17.0", "vulns": []}
UNKNOWN = {"name": "boto3", "skip_reason": "Dependency not found on PyPI"}


def flawed(name: str, flaw: str, *aliases: str) -> dict[str, Any]:
    vulnerability = {"id": flaw, "aliases": list(aliases), "fix_versions": ["2.0"]}
    return {"name": name, "version": "1.0", "vulns": [vulnerability]}


def test_a_clean_audit_says_nothing() -> None:
    assert audit.judged([CLEAN]) == []


def test_a_flaw_is_told_with_the_release_that_mends_it() -> None:
    [line] = audit.judged([CLEAN, flawed("requests", "PYSEC-1")])
    assert line == "requests 1.0: PYSEC-1, mended in 2.0"


def test_a_flaw_that_is_accepted_is_not_told() -> None:
    assert audit.judged([CLEAN, flawed("ecdsa", "GHSA-1", next(iter(audit.ACCEPTED)))]) == []


def test_what_was_not_audited_is_no_clean_audit() -> None:
    assert audit.judged([CLEAN, UNKNOWN]) == [
        "boto3: nothing is known of it, so it was not audited"
    ]
    with pytest.raises(OperatorError, match="Nothing was audited"):
        audit.judged([UNKNOWN, UNKNOWN])
