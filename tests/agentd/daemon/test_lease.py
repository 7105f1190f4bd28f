"""The lease goes on while a machine sleeps: its clock does, whatever the timers of the daemon count."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from octogram_agentd.daemon import lease as lease_module
from octogram_agentd.daemon import pact as pact_module
from octogram_agentd.daemon.guard import PATIENCE_S
from octogram_agentd.daemon.lease import LONGEST_LOOK_S, Lease
from octogram_agentd.daemon.pact import Pact


class Machine:
    """A kernel whose timers stand still while its machine sleeps, and the tie to a guard that only listens."""

    def __init__(self, directory: Path) -> None:
        self.awake_s = 0.0
        self.asleep_s = 0.0
        self.pact = Pact(str(directory))
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def clock_s(self) -> float:
        return 1000.0 + self.awake_s + self.asleep_s

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._timers.append((self.awake_s + delay_s, call))

    def watch(self, _fd: int, *, on_read: Callable[[], None]) -> None:
        """Hear nothing: this guard is not killed."""

    def fileno(self) -> int:
        return -1

    def wake(self) -> None:
        """Be told that there is something to read."""

    def work(self, for_s: float) -> None:
        """Let time pass, awake."""
        end_s = self.awake_s + for_s
        while due := sorted((entry for entry in self._timers if entry[0] <= end_s), key=lambda entry: entry[0]):
            self._timers.remove(due[0])
            self.awake_s = due[0][0]
            due[0][1]()
        self.awake_s = end_s


@pytest.mark.fault(27)
@pytest.mark.parametrize(("asleep_s", "is_over"), [(600.0, True), (20.0, False)])
def test_a_machine_that_slept_longer_than_the_lease_ends_what_runs(
    asleep_s: float, is_over: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path)
    for module in (lease_module, pact_module):
        monkeypatch.setattr(module, "lease_clock", machine.clock_s)
    said: list[str] = []
    lease = Lease(machine, machine, said.append)  # type: ignore[arg-type]
    lease.begin()
    lease.settle(60.0, keep=False)
    machine.work(10)
    lease.renew()
    assert machine.pact.read()[0] - machine.clock_s() == pytest.approx(60 + PATIENCE_S, abs=0.01)
    machine.asleep_s = asleep_s
    machine.work(LONGEST_LOOK_S + 1)
    assert said == (["no orchestrator for 60 s"] if is_over else [])
    assert (machine.pact.read()[0] < machine.clock_s()) == is_over, "its guard comes to the same"


@pytest.mark.fault(27, 39)
def test_the_clock_of_the_lease_counts_sleep_and_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before_s <= pact_module.lease_clock() <= time.clock_gettime(time.CLOCK_BOOTTIME)
