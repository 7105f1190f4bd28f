"""Tests lie as the code lies: whoever has one of the two finds the other without a search."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
SOURCES = {
    "octogram_tui": "",
    "agentd/octogram_agentd": "agentd",
    "sample_scenarios": "samples",
    "tools": "tools",
}
"""Which folder of the tests mirrors which of the source; the orchestrator's is the top."""

OF_THE_WHOLE = {"runs", "rig", "contracts", "counts", "editors"}
"""Folders of tests that mirror no folder of the source: runs of the program, such over machines, what holds for all,
how much work is done for one of something, and the programs of npm that editors use."""

DATA = {"golden", "scenarios", "__snapshots__"}
"""Folders of what tests read, beside those that read it."""

WITH_THE_FOLDER_ABOVE = {"tui/screens", "tui/widgets", "samples/stand_ins/octez_stand_in"}
"""Packages without a folder of tests: they are tested by what a person presses and sees, and by their programs."""


def is_kept(path: Path) -> bool:
    """Whether a folder holds anything that was not made by a tool: caches stay where a folder was."""
    names = [found.relative_to(ROOT).parts for found in path.rglob("*") if found.is_file()]
    made = {"__pycache__", "node_modules"}
    return any(not made & set(parts) and not any(part.startswith(".") for part in parts) for parts in names)


def mirrored(source: str, package: Path) -> str:
    """Give where the tests of a package of the source lie, below `tests`."""
    return (Path(SOURCES[source]) / package.relative_to(ROOT / source)).as_posix()


PACKAGES = {
    mirrored(source, folder): folder.relative_to(ROOT).as_posix()
    for source in SOURCES
    for folder in (ROOT / source, *(ROOT / source).rglob("*"))
    if is_kept(folder) and any(folder.glob("*.py"))
}
FOLDERS = [
    folder
    for folder in sorted(TESTS.rglob("*"))
    if is_kept(folder) and not DATA & set(folder.relative_to(TESTS).parts)
    if folder.relative_to(TESTS).parts[0] not in OF_THE_WHOLE
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(TESTS).as_posix())
def test_what_a_folder_of_tests_tests_is_there(folder: Path) -> None:
    place = folder.relative_to(TESTS)
    counterparts = [
        ROOT / source / place.relative_to(mirror) for source, mirror in SOURCES.items() if place.is_relative_to(mirror)
    ]
    assert any(counterpart.is_dir() for counterpart in counterparts), f"{place} mirrors none of {counterparts}"


@pytest.mark.parametrize("place", sorted(PACKAGES.keys() - WITH_THE_FOLDER_ABOVE))
def test_every_package_has_a_folder_of_tests(place: str) -> None:
    assert any((TESTS / place).glob("test_*.py")), f"{PACKAGES[place]} is to be tested in tests/{place}"


def test_the_exceptions_are_there() -> None:
    assert PACKAGES.keys() >= WITH_THE_FOLDER_ABOVE
    assert all((TESTS / name).is_dir() for name in OF_THE_WHOLE)
    assert {folder.name for folder in TESTS.rglob("*") if is_kept(folder)} >= DATA


def test_no_two_files_have_one_name() -> None:
    """They are imported by their bare names: of two alike, pytest and mypy would refuse one."""
    names = Counter(path.name for path in TESTS.rglob("*.py") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []
