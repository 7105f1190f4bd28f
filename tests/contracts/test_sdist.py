"""An archive of the source is as good as a clone: all that the Makefile needs is inside."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = {".ci", ".gitignore", ".pre-commit-hooks.yaml"}
MADE = {"build", "dist", "coverage.xml", "snapshot_report.html"}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    directory = tmp_path_factory.mktemp("sdist")
    [sdist] = SdistBuilder(str(ROOT)).build(directory=str(directory), versions=["standard"])
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def is_ours(path: Path) -> bool:
    """Whether something at the top of a clone belongs to the project, and was not made by its tools."""
    return path.name in HIDDEN or not (path.name.startswith(".") or path.name in MADE)


@pytest.mark.parametrize("path", sorted(filter(is_ours, ROOT.iterdir())), ids=lambda path: path.name)
def test_all_that_is_in_a_clone_is_in_the_archive(names: set[str], path: Path) -> None:
    files = [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]
    wanted = {str(found.relative_to(ROOT)) for found in files if not is_made(found.relative_to(path).parts)}
    assert wanted
    assert sorted(wanted - names) == []


def is_made(parts: tuple[str, ...]) -> bool:
    """Whether a file below the top was made by the tools: caches, and what CI wrote."""
    return any(part in ("__pycache__", "node_modules", "out") or part.startswith(".") for part in parts)


def test_what_the_makefile_calls_is_in_the_archive(names: set[str]) -> None:
    assert {"Makefile", "pyproject.toml", "requirements/dev.txt", ".ci/run", "tools/pages.py"} <= names
