"""A run as it lies on the disk: finished, going on, crashed or damaged, it is read as far as it can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from octogram_tui.engine.events import Event
from octogram_tui.errors import DamagedJournal, JournalError
from octogram_tui.journal import archive, reader
from octogram_tui.settings import Settings


class Recorded:
    """A run's journal, and what lies beside it. `damage` says, once it was read, why no more of it was.

    directory: of the run, None for a file of events; state: of its process.
    """

    def __init__(self, journal: Path, directory: Path | None, state: archive.RunState | None) -> None:
        self.journal = journal
        self.directory = directory
        self.state = state
        self.damage = ""
        self.hint = ""

    @property
    def name(self) -> str:
        """What to call its exports: the run, or the file of its events."""
        return self.journal.stem if self.directory is None else self.directory.resolve().name

    @classmethod
    def find(cls, name: str, settings: Settings) -> Recorded:
        """Find it as `replay` and `journal` do. Raises AttachRefused where there is none, or JournalError."""
        path = Path(name)
        if path.is_file():
            directory = path.parent if (path.parent / archive.INFO).is_file() else None
            return cls(path, directory, _state(directory))
        for directory in (path, settings.runs_dir / name):  # one that is not whole either
            if (directory / archive.JOURNAL).is_file():
                return cls(directory / archive.JOURNAL, directory, _state(directory))
        run = archive.find(settings.runs_dir, name)
        return cls(run.journal, run.directory, run.state)

    def events(self) -> Iterator[Event]:
        """Give the events up to the end or to the damage. Raises JournalError where nothing can be read."""
        is_empty = True
        try:
            for event in reader.read(self.journal):
                is_empty = False
                yield event
        except DamagedJournal as error:
            if is_empty:
                raise
            self.damage, self.hint = error.message, error.hint
        if is_empty:
            raise JournalError(f"{self.journal} has no run: its first event is missing")


def _state(directory: Path | None) -> archive.RunState | None:
    if directory is None:
        return None
    try:
        return archive.load(directory).state
    except JournalError:
        return None
