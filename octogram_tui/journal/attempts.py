"""What an instance's latest attempt was given, found in a journal without reading all of its events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from octogram_tui.engine.events import JobStarted
from octogram_tui.model.ids import InstanceId


def latest_arguments(path: Path, id_: InstanceId) -> dict[str, Any] | None:
    """Give the arguments of the latest attempt; None when there was none, or the journal cannot be read."""
    kind = f'"{JobStarted.TYPE}"'.encode()
    name = str(id_)
    found: dict[str, Any] | None = None
    try:
        with open(path, "rb") as file:
            for line in file:
                if kind in line[:200] and line.endswith(b"\n"):
                    record = json.loads(line)
                    if record.get("key") == name:
                        found = record.get("arguments") or {}
    except (OSError, ValueError):
        return found
    return found
