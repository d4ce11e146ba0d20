"""What every command of an operator does about missing settings, errors and stage names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from infra.errors import OperatorError, exit_code
from infra.stages import Stage

ROOT = Path(__file__).parents[3]


def client_error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoCredentialsError(), "AWS credentials are missing"),
        (NoRegionError(), "The AWS region is missing"),
        (client_error("ExpiredToken"), "AWS rejected the credentials (ExpiredToken)"),
        (client_error("InvalidClientTokenId"), "AWS rejected the credentials"),
        (
            client_error("AccessDenied", "not authorized to"),
            "A permission is missing for CreateStack",
        ),
        (client_error("ValidationError", "bad"), "AWS rejected CreateStack (ValidationError): bad"),
        (OperatorError("In one line."), "In one line."),
    ],
)
def test_error_of_command_is_printed_as_one_line(
    error: Exception, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert exit_code(command) == 1
    printed = capsys.readouterr().err
    assert expected in printed
    assert printed.count("\n") == 1


def test_bug_in_command_is_printed_as_traceback() -> None:
    def command() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        exit_code(command)


@pytest.mark.parametrize("module", ["provision", "deploy", "destroy", "publish"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [({"AWS_DEFAULT_REGION": "eu-west-1"}, "credentials are missing"), ({}, "region is missing")],
)
def test_command_without_credentials_or_region_changes_nothing(
    module: str, given: dict[str, str], expected: str
) -> None:
    environment = {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "DIST": "."} | given
    environment["PATH"] = os.environ["PATH"]
    run = subprocess.run(
        [sys.executable, "-m", f"infra.{module}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert expected in run.stderr


@pytest.mark.parametrize("name", ["", "Prod", "a b", "x" * 16, "../dev", "1st"])
def test_stage_name_that_aws_would_not_accept_everywhere_is_rejected(name: str) -> None:
    with pytest.raises(OperatorError, match="STAGE="):
        Stage(name)


def test_stages_share_no_names_and_dev_has_no_suffix() -> None:
    dev, prod = Stage("dev"), Stage("prod")
    assert (dev.table_suffix, dev.parameter_path) == ("", "/cloudalbum/")
    assert (prod.table_suffix, prod.parameter_path) == ("-prod", "/cloudalbum-prod/")
    for name in ("data_stack", "app_stack", "website_stack"):
        assert getattr(dev, name) != getattr(prod, name)


@pytest.mark.parametrize("target", ["mail", "deploy-local", "check-integrity-local"])
def test_target_for_embedded_aws_says_how_to_start_it(tmp_path: Path, target: str) -> None:
    (tmp_path / ".venv").mkdir()
    for name in ("requirements.txt", "requirements-dev.txt", ".venv/installed"):
        (tmp_path / name).touch()
    run = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), target],
        cwd=tmp_path,
        # The flags of `make test`, which runs this test, would be inherited.
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert run.stdout == "The embedded AWS is not running. Start it with `make run`.\n"


def test_help_lists_every_target_in_a_group() -> None:
    text = (ROOT / "Makefile").read_text()
    [phony] = [line for line in text.splitlines() if line.startswith(".PHONY: ")]
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    targets = {line.split()[0] for line in lines if line.startswith("  ")}
    assert targets == set(phony.split()[1:])
    assert {"Run", "Check", "Deploy", "Maintain"} <= set(lines)
    assert max(map(len, lines)) <= 110
