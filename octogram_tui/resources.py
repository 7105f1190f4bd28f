"""Finds what travels with the program: the daemon's package and the console's themes, in a checkout or a wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def agentd_dir() -> Path:
    """Give the directory of the daemon's package, `octogram_agentd`. Nothing of it is imported."""
    beside = Path(__file__).parent.parent / "agentd" / "octogram_agentd"
    if (beside / "__main__.py").is_file():
        return beside
    spec = find_spec("octogram_agentd")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package octogram_agentd is not installed: reinstall octogram-tui")
    return Path(spec.submodule_search_locations[0])


def themes_dir() -> Path:
    """Give the directory of palettes and styles: inside of the package in a wheel, beside it in a checkout."""
    inside = Path(__file__).parent / "themes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "themes"


def completion_dir() -> Path:
    """Give the directory of what shells complete our command lines by."""
    return Path(__file__).parent / "completion"


def sample(name: str) -> Path:
    """Give a sample scenario that travels with the program."""
    inside = Path(__file__).parent / "samples" / name
    return inside if inside.is_file() else Path(__file__).parent.parent / "sample_scenarios" / name
