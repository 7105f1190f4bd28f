"""Compares with files in golden/; with OCTOGRAM_GOLDEN=write it writes them again, to be looked at."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Fail when a text differs from the file of that name."""
    path = GOLDEN / name
    if os.environ.get("OCTOGRAM_GOLDEN") == "write":
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()
