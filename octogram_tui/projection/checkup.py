"""What was seen of the machines of a run before it begins, gathered: equal machines are one row, with a count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

COLUMNS = ("name", "connection", "host key", "login", "start", "python", "disk", "clock")
"""The checks that have a column, in the order in which they are made."""

_PORT = re.compile(r":\d+$")
_VARYING = re.compile(r"SHA256:\S+|\d+")
_ORDER = ("ok", "warn", "fail")


class Finding(NamedTuple):
    """What one check of one machine came to. state: ok, warn or fail."""

    check: str
    state: str
    detail: str = ""
    hint: str = ""


class MachineReport(NamedTuple):
    """One machine. new_key: the host key that is not on file and would be accepted: whose it is, and which."""

    place: str
    agents: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    new_key: tuple[str, str] | None = None

    @property
    def state(self) -> str:
        """How it is, in all."""
        return max((finding.state for finding in self.findings), key=_state_order, default="ok")

    @property
    def told(self) -> tuple[Finding, ...]:
        """What is not as it should be, the worst first."""
        bad = [finding for finding in self.findings if finding.state != "ok"]
        return tuple(sorted(bad, key=lambda finding: -_state_order(finding.state)))

    def cell(self, column: str) -> str:
        """Give the state of a check; empty when it was not come to."""
        return max((f.state for f in self.findings if f.check == column), key=_state_order, default="")


class Cluster(NamedTuple):
    """Machines that are alike: the first of them speaks for all."""

    machines: tuple[MachineReport, ...]

    @property
    def first(self) -> MachineReport:
        """The one that speaks."""
        return self.machines[0]

    @property
    def agents(self) -> list[str]:
        """Name the agents of all."""
        return list(dict.fromkeys(name for machine in self.machines for name in machine.agents))


class Checkup:
    """The fold: machines by number, as they are told of."""

    def __init__(self) -> None:
        self.expected = 0
        self.is_over = False
        self.configuration: tuple[MachineReport, ...] = ()  # what concerns this machine's ssh, and machines on the way
        self.troubles: list[str] = []
        self.version = 0
        self._machines: dict[int, MachineReport] = {}
        self._waited_for: set[int] = set()

    def begin(self, expected: int) -> None:
        """There are so many machines to look at."""
        self.expected = expected
        self._waited_for = set(range(expected))
        self.version += 1

    def look_again(self, *, new_keys_only: bool) -> None:
        """All of them are looked at anew, or those whose key was accepted."""
        self.is_over = False
        self.troubles = []
        if not new_keys_only:
            self._waited_for = set(range(self.expected))
        else:
            self._waited_for |= {number for number, machine in self._machines.items() if machine.new_key is not None}
        self.version += 1

    def take(self, number: int, machine: MachineReport) -> None:
        """A machine was seen."""
        self._machines[number] = machine
        self._waited_for.discard(number)
        self.version += 1

    def end(self, others: Iterable[MachineReport]) -> None:
        """All were seen. others: what is no machine of an agent."""
        self.is_over = True
        self.configuration = tuple(others)
        self.version += 1

    @property
    def seen(self) -> int:
        """How many machines were seen, of those expected."""
        return self.expected - len(self._waited_for)

    @property
    def failing(self) -> int:
        """How many machines cannot be used."""
        return sum(machine.state == "fail" for machine in self._machines.values())

    @property
    def agents(self) -> int:
        """How many agents the machines have that were seen."""
        return sum(len(machine.agents) for machine in self._machines.values())

    @property
    def new_keys(self) -> list[tuple[str, str]]:
        """List the keys that would be accepted, each once."""
        found = [machine.new_key for _, machine in sorted(self._machines.items()) if machine.new_key is not None]
        return list(dict.fromkeys(found))

    @property
    def clusters(self) -> list[Cluster]:
        """Gather machines that are alike, the worst first; within that, in the order of the scenario."""
        found: dict[object, list[MachineReport]] = {}
        for _, machine in sorted(self._machines.items()):
            found.setdefault(_likeness(machine), []).append(machine)
        clusters = [Cluster(tuple(machines)) for machines in found.values()]
        clusters += [Cluster((machine,)) for machine in self.configuration if machine.state != "ok"]
        return sorted(clusters, key=lambda cluster: -_state_order(cluster.first.state))


def in_words(places: Sequence[MachineReport]) -> str:
    """Name some machines in short."""
    first = places[0].place or "this machine"
    return first if len(places) == 1 else f"{first} and {len(places) - 1} more"


def _likeness(machine: MachineReport) -> object:
    """Give what two machines have in common that can be told in the same words."""
    host = machine.place.rpartition("@")[2]
    cells = tuple(machine.cell(column) for column in COLUMNS)
    told = []
    for finding in machine.told:
        detail = finding.detail.replace(machine.place, "").replace(host, "").replace(_PORT.sub("", host) or host, "")
        told.append((finding.check, finding.state, _VARYING.sub("", detail)))
    return cells, tuple(told)


def _state_order(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else 0
