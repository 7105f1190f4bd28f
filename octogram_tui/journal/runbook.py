"""The runs of this machine as a list to choose from, the newest first: the one list behind `runs`, pane and welcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from octogram_tui.dataclass import dataclass
from octogram_tui.journal import archive
from octogram_tui.journal.archive import KnownRun
from octogram_tui.journal.recovery import damage_of
from octogram_tui.journal.standing import Standing, standing_of

Use = Literal["attach", "replay"]
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run, with how it stands while it has not ended. damage: what is wrong with its journal."""

    run: KnownRun
    standing: Standing
    damage: str = ""
    told_s: float = 0.0  # when its journal was written to last, by the clock on the wall

    @property
    def use(self) -> Use:
        """What opening it means."""
        return "attach" if self.run.state == "running" else "replay"

    @property
    def state(self) -> str:
        """Name its state in a word."""
        if self.run.state != "running":
            return "damaged" if self.damage else self.run.state
        return "waiting" if self.standing.course == "waiting" else self.standing.course

    @property
    def says(self) -> str:
        """Say how it stands or came out, in a few words."""
        if self.run.state == "running":
            return self.standing.says
        if self.damage:
            return "journal damaged"
        if self.run.exit_code is None:
            return "crashed"
        return "finished ok" if self.run.exit_code == 0 else f"finished, exit {self.run.exit_code}"

    @property
    def failures(self) -> int:
        """How many of its instances stand failed, as far as is known."""
        if self.run.exit_code is not None:
            return self.run.counts.get("failed", 0)
        return self.standing.failures

    @property
    def wants_operator(self) -> bool:
        """Whether it goes on only when somebody comes."""
        return self.run.state == "running" and self.standing.wants_operator

    @property
    def started(self) -> datetime | None:
        """When it was started, as its clock had it."""
        try:
            found = datetime.fromisoformat(self.run.info.started_wall)
        except ValueError:
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def lasted_s(self, now: datetime) -> float:
        """Give how long it took, without the time in which it stood still, or for how long it has gone on.

        Not how long ago it began: the clock may have been set since, and the run may have been without a process.
        """
        if self.run.state != "running":
            return self.run.worked_s or self.standing.at_s
        return self.standing.at_s + max(0.0, now.timestamp() - self.told_s)


class Page(NamedTuple):
    """The list at one moment, the newest run first; damaged: what is wrong with those that cannot be shown."""

    entries: tuple[RunEntry, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def live(self) -> tuple[RunEntry, ...]:
        """Those that go on."""
        return tuple(entry for entry in self.entries if entry.use == "attach")


class RunBook:
    """Reads the directory of runs, again and again: of a run that has ended, its files are read once."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._ended: dict[Path, tuple[Stamp, RunEntry]] = {}
        self._live: dict[Path, tuple[Stamp, Standing]] = {}

    def read(self) -> Page:
        """Give the list as it is now. Never raises."""
        damaged: list[str] = []
        runs = archive.listing(self.runs_dir, damaged, load=self._load)
        entries = tuple(self._entry(run) for run in reversed(runs))
        here = {entry.run.directory for entry in entries}
        for kept in (self._ended, self._live):
            for gone in [directory for directory in kept if directory not in here]:
                kept.pop(gone)
        return Page(entries, tuple(damaged))

    def _load(self, directory: Path) -> KnownRun:
        kept = self._ended.get(directory)
        if kept is not None and kept[0] == _stamp(directory):
            return kept[1].run
        return archive.load(directory)

    def _entry(self, run: KnownRun) -> RunEntry:
        stamp = _stamp(run.directory)
        kept = self._ended.get(run.directory)
        if kept is not None and kept[1].run is run:
            return kept[1]
        known = self._live.get(run.directory)
        if run.state == "finished":
            standing = Standing(at_s=run.duration_s)
        elif known is not None and known[0] == stamp:
            standing = known[1]
        else:
            standing = standing_of(run.journal)
            self._live[run.directory] = stamp, standing
        damage = "" if run.state == "running" else damage_of(run.journal)
        entry = RunEntry(run, standing, damage, told_s=stamp[0] / 1e9)
        if run.state != "running":
            self._ended[run.directory] = stamp, entry
        return entry


def wanted_first(page: Page) -> Iterator[RunEntry]:
    """Give those that wait for somebody before all others."""
    yield from (entry for entry in page.entries if entry.wants_operator)
    yield from (entry for entry in page.entries if not entry.wants_operator)


def _stamp(directory: Path) -> Stamp:
    try:
        found = (directory / archive.JOURNAL).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
