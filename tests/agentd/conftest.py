"""Fixtures for tests that drive real daemons."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_harness import Place
from interpreters import every_interpreter, version_of

PYTHONS = every_interpreter()
VERSIONS = {python: version_of(python) for python in PYTHONS}


@pytest.fixture(params=PYTHONS, ids=list(VERSIONS.values()))
def python(request: pytest.FixtureRequest) -> str:
    """Every interpreter of this machine that the daemon is written for; the summary says which."""
    request.node.user_properties.append(("interpreter", VERSIONS[request.param]))
    return str(request.param)


@pytest.fixture
def everywhere(python: str, tmp_path: Path) -> Iterator[Place]:
    """A place for a daemon, under every interpreter."""
    place = Place(tmp_path / "runs", python)
    yield place
    place.clean()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place for a daemon, under the interpreter of the tests."""
    place = Place(tmp_path / "runs", sys.executable)
    yield place
    place.clean()
