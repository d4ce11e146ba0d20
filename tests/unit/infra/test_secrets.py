"""The repository contains no secrets and no addresses of private registries."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Each is written in two halves, so that this file does not match.
PATTERNS = {
    "an AWS access key ID": r"\b(?:AKIA|ASIA|AROA|AIDA)" + r"[A-Z2-7]{16}\b",
    "an AWS secret key": r"(?i)aws.{0,20}secret.{0,20}['\"= :][A-Za-z0-9/+]" + r"{40}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE " + r"KEY",
    "a token": r"\beyJ[A-Za-z0-9_-]{20,}\." + r"[A-Za-z0-9_-]{20,}\.",
    "a token of a forge": r"\b(?:ghp|gho|ghs|ghr|glpat|github_pat)[_-]" + r"[A-Za-z0-9_]{20,}",
    "a token of a registry": r"\bpypi-" + r"[A-Za-z0-9_-]{40,}",
    "a password in a URL": r"[a-z]+://[^/\s:@{}$\"']+:[^/\s:@{}$\"']{3,}" + r"@[a-z0-9]",
    "the address of a registry": r"--(?:extra-)?index-" + r"url|--find-" + r"links",
}


def tracked() -> dict[str, str]:
    """Return the text of every file in the repository, by its path."""
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if run.returncode != 0:
        pytest.skip("this is not a clone of the repository")
    names = [name for name in run.stdout.decode().split("\0") if name]
    files = [ROOT / name for name in names]
    return {
        str(file): file.read_bytes().decode("utf-8", "replace") for file in files if file.is_file()
    }


def test_no_file_contains_a_secret() -> None:
    found = [
        f"{path}: {what}"
        for path, text in tracked().items()
        for what, pattern in PATTERNS.items()
        if re.search(pattern, text)
    ]
    assert found == []


def test_no_file_has_a_name_that_is_used_for_secrets() -> None:
    kinds = re.compile(r"(\.pem|\.key|\.p12|\.pfx|\.sqlite3?|/\.env|credentials|\.netrc|id_rsa.*)$")
    assert [path for path in tracked() if kinds.search(path)] == []


@pytest.mark.parametrize(
    ("what", "example"),
    [
        ("an AWS access key ID", "AKIA" + "IOSFODNN7EXAMPLE"),
        (
            "an AWS secret key",
            "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
        ),
        ("a private key", "-----BEGIN RSA PRIVATE " + "KEY-----"),
        ("a token", "eyJ" + "hbGciOiJSUzI1NiJ9abcdefgh." + "eyJzdWIiOiIxIn0abcdefghij" + ".sig"),
        ("a token of a forge", "ghp_" + "a1B2" * 9),
        ("a token of a registry", "pypi-" + "AgEIcHlwaS5vcmc" * 4),
        ("a password in a URL", "https://me:hunter2" + "@example.com"),
    ],
)
def test_each_pattern_matches_an_example(what: str, example: str) -> None:
    assert re.search(PATTERNS[what], example)
