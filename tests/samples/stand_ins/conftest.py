"""Fixtures of the stand-ins' own tests: installed programs, and sandboxes that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stand_in_rig import MakeSandbox, Sandbox, install


@pytest.fixture(scope="session")
def programs_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the directory with a release's programs, installed when first asked for."""
    installed: dict[str, Path] = {}

    def find(release: str) -> Path:
        if release not in installed:
            installed[release] = install(tmp_path_factory.mktemp(release), "--release", release)
        return installed[release]

    return find


@pytest.fixture
def make_sandbox(programs_of: Callable[[str], Path], tmp_path: Path) -> Iterator[MakeSandbox]:
    """Make sandboxes of given releases."""
    made: list[Sandbox] = []

    def make(release: str) -> Sandbox:
        made.append(Sandbox(programs_of(release), tmp_path / f"sandbox{len(made)}", release))
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    """A sandbox of the newest release."""
    return make_sandbox("v25")
