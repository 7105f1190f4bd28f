"""What rows of an earlier run have given: a run that repeats only what failed goes on from there (`--rerun-failed`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

WENT_WELL = "it went well in run "
"""How the reason begins why a row is passed over; the run's name follows."""


class CarriedUpdate(NamedTuple):
    """A variable that a row changed. entry: of a map by items the one that it gave, where it changed only that."""

    name: str
    value: Value = None
    entry: str | None = None
    is_removed: bool = False


CarriedRows = Mapping[InstanceId, tuple[CarriedUpdate, ...]]
"""The rows that are passed over, each with what it changed, in that order."""
