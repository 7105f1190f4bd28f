"""A damaged journal made into one that can be read and gone on with: what comes before the damage, in a new file.

The damaged file stays beside it under another name. Nothing after the damage is believed, however good it looks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from itertools import count
from pathlib import Path
from typing import NamedTuple

from octogram_tui import faults
from octogram_tui.errors import DamagedJournal, JournalError, RunGoesOn
from octogram_tui.journal.recovery import PIECE_BYTES, Condition, examine


class Salvaged(NamedTuple):
    """What came of it. aside: where the damaged file is now."""

    condition: Condition
    aside: Path


def salvage(path: Path) -> Salvaged | None:
    """Put what is good of a journal in its place; None when nothing is damaged.

    Raises RunGoesOn while its writer lives, DamagedJournal when nothing is good, and JournalError.
    """
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunGoesOn(f"{path} is being written: its run goes on") from None
            condition = examine(path)
            if not condition.damage:
                return None
            if not condition.lines:
                raise DamagedJournal(f"{path}: nothing of it can be salvaged: its first line is {condition.damage}")
            return Salvaged(condition, _replace(path, condition.size_bytes))
    except OSError as error:
        raise JournalError(f"cannot salvage {path}: {error.strerror}", hint="free some space there") from error


def _replace(path: Path, size_bytes: int) -> Path:
    """Put the beginning of a file in its place, and give where all of it is; a crash amid that loses neither."""
    aside = next(place for n in count(1) if not (place := path.with_name(f"{path.name}.damaged-{n}")).exists())
    draft = path.with_name(f".{path.name}.part")
    try:
        with path.open("rb") as source, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as new:
            left = size_bytes
            while left and (piece := source.read(min(left, PIECE_BYTES))):
                new.write(piece)
                left -= len(piece)
            new.flush()
            os.fsync(new.fileno())
        faults.hit("journal.salvage.keep")
        try:
            os.link(path, aside)
        except OSError:  # a file system without links
            shutil.copyfile(path, aside)
        faults.hit("journal.salvage.rename")
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    return aside
