"""What a run whose process has died may have left on machines: where, and until when.

Its agents end by themselves once their lease is over; that they have done so is proven by going there only.
"""

from __future__ import annotations

import mmap
import re
from datetime import UTC, datetime
from pathlib import Path

from octogram_tui.dataclass import dataclass
from octogram_tui.engine import events as ev
from octogram_tui.journal import codec, presence, reader
from octogram_tui.journal.recovery import damage_of

ENDING_S = 20.0
"""How long an agent may take, when its lease is over, to end what it runs and to remove its files."""

_OF_AGENTS = re.compile(rb'"type":"agent_(?:starting|ready|stopped|failed|lost)"')
_TAKEN_UP = re.compile(rb'"type":"run_taken_up"')


@dataclass(frozen=True, slots=True)
class LeftAgent:
    """An agent that did not say that nothing is left.

    host: the name of its machine, home: its directory there, birth: names its daemon.
    """

    name: str
    host: str = ""
    home: str = ""
    birth: str = ""

    @property
    def says(self) -> str:
        """Say which, and where."""
        return f"{self.name} on {self.host}" if self.host else self.name


def until(run_dir: Path, journal: str, lease_s: float) -> datetime | None:
    """Give when the last agent must have ended by itself; None when the lease or the end of the run is not known."""
    last_s = presence.last_s(run_dir, journal)
    if not lease_s or not last_s:
        return None
    try:
        return datetime.fromtimestamp(last_s + lease_s + ENDING_S, UTC)
    except (ValueError, OverflowError, OSError):  # a lease as nobody has it, or a clock
        return None


def agents_left(journal: Path) -> tuple[LeftAgent, ...] | None:
    """Give the agents that may still be there, as a journal has it; None when it does not tell."""
    if damage_of(journal) or not tells(journal):
        return None
    return agents_named(journal)


def tells(journal: Path) -> bool:
    """Tell whether a journal has anything of its run, whole or not."""
    return reader.last_event(journal) is not None


def agents_named(journal: Path) -> tuple[LeftAgent, ...]:
    """Give the agents of which it can be read that they may still be there. What cannot be read is left out."""
    found: dict[str, LeftAgent] = {}
    for event in _agent_events(journal):
        match event:
            case ev.AgentStarting():
                found.setdefault(event.agent, LeftAgent(event.agent))
            case ev.AgentReady() if event.home:
                found[event.agent] = LeftAgent(event.agent, event.host, event.home, event.birth)
            case ev.AgentFailed():
                found.pop(event.agent, None)
            case ev.AgentStopped() if event.is_clean:
                found.pop(event.agent, None)
    return tuple(found.values())


def _agent_events(journal: Path) -> list[ev.Event]:
    """Give the events that tell of agents coming and going: a journal is long, and they are few."""
    try:
        with journal.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = []
            for match in _OF_AGENTS.finditer(data):
                start, end = data.rfind(b"\n", 0, match.start()) + 1, data.find(b"\n", match.end())
                try:
                    found.append(codec.decode(data[start:end] if end >= 0 else b""))
                except (ValueError, TypeError, KeyError):
                    continue
            return found
    except (OSError, ValueError):  # the latter for an empty file
        return []


def take_ups(journal: Path) -> int:
    """Give how often a run was taken up again, as its journal has it."""
    try:
        with journal.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return sum(1 for _ in _TAKEN_UP.finditer(data))
    except (OSError, ValueError):
        return 0
