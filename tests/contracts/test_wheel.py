"""What is installed is all that the program needs: its packages, the daemon, the console's styles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

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
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "octogram_tui",
        "octogram_agentd",
    }


def test_the_command_and_the_licence_are_in_the_wheel(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
