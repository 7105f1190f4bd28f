"""The commands that do a run once more, told at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Repeats(NamedTuple):
    """What a person types to repeat a run; empty for one that cannot be, as the replay of one.

    rerun: gives the command for what failed in it; held: the one that holds it where it fails, None where it does so
    anyway. Only a run that fails pays for making them.
    """

    again: str = ""
    rerun: Callable[[], str] | None = None
    held: Callable[[], str] | None = None


NO_REPEATS = Repeats()
