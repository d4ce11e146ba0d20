"""What every command of an operator does about missing settings, errors and stage names."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from infra import wheels
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


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with this project's Makefile in another folder."""
    return subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), *arguments],
        cwd=folder,
        # The flags of `make test`, which runs this test, would be inherited.
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )


def python_of_version(file: Path, version: str) -> None:
    """Write a program that runs `-c CODE` as Python of that version, and logs all other calls."""
    code = f"import sys; sys.version_info = ({version.replace('.', ', ')}, 0); exec(sys.argv[1])"
    run = f'exec {sys.executable} -c {shlex.quote(code)} "$2"'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then {run}; fi\necho "$@" >>called\n')
    file.chmod(0o755)


def rejection(version: str) -> str:
    """Return what make prints for a Python that is not supported."""
    python = "make install PYTHON=python3.14"
    return f"CloudAlbum needs Python 3.11 to 3.14, not {version}: {python}"


@pytest.mark.parametrize("version", ["3.6", "3.10", "3.15"])
def test_unsupported_python_is_rejected_before_anything_is_installed(
    tmp_path: Path, version: str
) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).touch()
    python_of_version(tmp_path / "python", version)
    run = make(tmp_path, "install", "PYTHON=./python")
    assert run.returncode != 0
    assert run.stderr.splitlines()[0] == rejection(version)
    assert {path.name for path in tmp_path.iterdir()} == {
        "python",
        "requirements.txt",
        "requirements-dev.txt",
    }


@pytest.mark.parametrize("version", [runtime.version for runtime in wheels.RUNTIMES])
def test_each_python_with_a_lock_can_install(tmp_path: Path, version: str) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).touch()
    python_of_version(tmp_path / "python", version)
    make(tmp_path, "install", "PYTHON=./python")
    assert (tmp_path / "called").read_text() == "-m venv .venv\n"


@pytest.mark.parametrize("target", ["run", "provision", "package", "deploy"])
def test_command_in_an_unsupported_python_does_nothing(tmp_path: Path, target: str) -> None:
    python_of_version(tmp_path / ".venv" / "bin" / "python", "3.15")
    for name in ("requirements.txt", "requirements-dev.txt", ".venv/installed"):
        (tmp_path / name).touch()
    run = make(tmp_path, target)
    assert run.returncode != 0
    assert run.stderr.splitlines()[0] == rejection("3.15")
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("target", ["mail", "deploy-local", "check-integrity-local"])
def test_target_for_embedded_aws_says_how_to_start_it(tmp_path: Path, target: str) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for name in ("requirements.txt", "requirements-dev.txt", ".venv/installed"):
        (tmp_path / name).touch()
    run = make(tmp_path, target)
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


def test_test_command_checks_the_web_app_before_the_rest() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "test"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    steps = ("run --silent check", "run --silent browser", "/pytest ")
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)
    scripts = json.loads((ROOT / "frontend" / "package.json").read_text())["scripts"]
    for name in ("types:check", "lint", "format:check", "typecheck", "unit"):
        assert f"npm run {name}" in scripts["check"]
