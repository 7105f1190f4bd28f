"""A home for each test, and nothing left of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a home; whatever a test left running in it fails the test, and is ended."""
    home = tmp_path / "home"
    home.mkdir()
    found = Place(home)
    yield found
    try:
        found.wait_clean()
    finally:
        found.kill_everything()
