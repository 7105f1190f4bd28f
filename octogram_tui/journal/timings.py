"""What a run leaves for those after it: how long its stages took, in a small file beside its journal."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from octogram_tui import filing, records
from octogram_tui.journal import archive, order

TIMINGS = "timings.json"
LOOKED_AT = 5
"""So many former runs say enough: older ones were of other machines and other days."""


def write(directory: Path, record: Mapping[str, object]) -> None:
    """Leave a record in a run's directory. What cannot be written is missed by nobody."""
    with contextlib.suppress(OSError, ValueError):
        filing.write_whole(directory / TIMINGS, json.dumps(record).encode("ascii") + b"\n", mode=0o600)


def of_scenario(runs_dir: Path, scenario: str, *, but: str = "") -> list[object]:
    """Give the records of the latest runs of a scenario, by its absolute path. Never raises. but: not of this run."""
    found: list[object] = []
    places = order.places(runs_dir)
    with contextlib.suppress(OSError):
        names = [path.name for path in runs_dir.iterdir() if path.name[0] != "." and path.name != but]
        for name in sorted(names, key=lambda name: (places.get(name, -1), name), reverse=True):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                directory = runs_dir / name
                if records.load(directory / archive.INFO).get("scenario") != scenario:
                    continue
                found.append(records.load(directory / TIMINGS))
            if len(found) == LOOKED_AT:
                break
    return found
