"""The rows that a run took over from an earlier one, kept beside its journal: whoever goes on with it needs them too.

They are kept as the earlier journal has them: with masks in the places of secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from octogram_tui import filing, records
from octogram_tui.errors import JournalError, RunNotRestored
from octogram_tui.model.carried import CarriedRows, CarriedUpdate
from octogram_tui.model.ids import InstanceId

CARRIED = "carried.json"


def keep(run_dir: Path, rows: CarriedRows) -> None:
    """Keep them. Raises JournalError."""
    place = run_dir / CARRIED
    try:
        filing.write_whole(place, json.dumps({"v": 1, "rows": _written(rows)}).encode("ascii") + b"\n", mode=0o600)
    except OSError as error:
        raise JournalError(f"cannot write {place}: {error.strerror}") from error


def find(run_dir: Path) -> CarriedRows:
    """Give them. Raises RunNotRestored when they cannot be read."""
    place = run_dir / CARRIED
    try:
        return _read(records.load(place)["rows"])
    except OSError as error:
        raise RunNotRestored(f"cannot read {place}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunNotRestored(f"{place} is damaged: {type(error).__name__}: {error}") from error


def _written(rows: CarriedRows) -> dict[str, Any]:
    """Give them as JSON."""
    return {str(id_): [list(update) for update in updates] for id_, updates in rows.items()}


def _read(record: Mapping[str, Any]) -> CarriedRows:
    """Read them. Raises ValueError and TypeError for what is none."""
    return {
        InstanceId.parse(name): tuple(CarriedUpdate(*update) for update in updates) for name, updates in record.items()
    }
