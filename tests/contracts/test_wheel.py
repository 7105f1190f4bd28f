"""What is installed is all that the program needs: its packages, the daemon, the console's styles."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from octogram_tui.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    directory = tmp_path_factory.mktemp("wheel")
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(directory), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("octogram_tui", "octogram_tui"),
        ("agentd/octogram_agentd", "octogram_agentd"),
        ("themes", "octogram_tui/themes"),
    ],
)
def test_all_files_of_a_folder_are_in_the_wheel(names: set[str], folder: str, inside: str) -> None:
    is_wanted: Callable[[Path], bool] = lambda path: path.is_file() and "__pycache__" not in path.parts  # noqa: E731
    wanted = {f"{inside}/{path.relative_to(ROOT / folder)}" for path in (ROOT / folder).rglob("*") if is_wanted(path)}
    assert wanted
    assert wanted <= names


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    assert {
        name.partition("/")[0] for name in names if not any(f".{part}/" in name for part in ("dist-info", "data"))
    } == {
        "octogram_tui",
        "octogram_agentd",
    }


def test_shells_and_man_find_what_is_for_them(names: set[str]) -> None:
    shared = {name.partition(".data/data/share/")[2] for name in names if ".data/" in name}
    pages = {f"man/man1/{path.name}" for path in (ROOT / "docs/man").iterdir()}
    assert len(pages) > len(COMMANDS) - 3
    assert shared == pages | {
        "bash-completion/completions/octogram-tui",
        "zsh/site-functions/_octogram-tui",
        "fish/vendor_completions.d/octogram-tui.fish",
    }


def test_the_command_and_the_licence_are_in_the_wheel(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_no_program_of_the_developers_is_in_the_wheel(names: set[str]) -> None:
    here = {str(path.relative_to(ROOT / "tools")) for path in (ROOT / "tools").rglob("*.py")} - {"__init__.py"}
    assert here
    assert not {name for name in names if Path(name).name in here or "/dev/" in name or "tests/" in name}


IMPORTED_AS = {"pyyaml": "yaml", "prometheus-client": "prometheus_client"}
"""The module of a requirement, where it is not called as the requirement is."""


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reached_from_the_command() -> set[str]:
    """Follow the imports of the command line, those inside of functions too; give every module that they name."""
    packages = {"octogram_tui": ROOT / "octogram_tui", "octogram_agentd": ROOT / "agentd" / "octogram_agentd"}
    waiting = [
        "octogram_tui.cli",
        "octogram_tui.commands.run",
        *(f"octogram_tui.commands.{name}" for name in COMMANDS),
    ]  # imported by their names
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        top, *rest = module.split(".")
        is_known = module in seen or top not in packages
        seen.add(module)
        if is_known:
            continue
        place = packages[top].joinpath(*rest)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                waiting.extend(imports_of(path))
        if rest:
            waiting.append(module.rpartition(".")[0])
    return seen


def test_every_requirement_is_reached_by_a_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [re.split(r"[^\w.-]", spoken)[0] for spoken in project["dependencies"]]
    wanted = {IMPORTED_AS.get(name, name) for name in requirements}
    reached = reached_from_the_command()
    assert "octogram_tui.engine" in reached
    assert not wanted - reached
