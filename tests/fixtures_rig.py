"""The rig: the real program as a process of one machine, over real SSH, with agents on others (who: see machines.py).

    pytestmark = pytest.mark.machines

    def test_it(rig: Rig) -> None:
        bob = rig.machine("bob")                        # alice, bob, carol; gate and, behind it, dave
        bob.write("/root/data.txt", "x")                # /root and /tmp are a machine's own
        done = rig.orchestrate(f'''
    agents:
      - {{name: one, address: {bob.address}}}           # or bob.address6, bob.address_in("outside"), …
    stages: …
    ''', "--verbose")
        assert done.code == 0, done.output
        assert done.end("stage/job@one")["state"] == "ok"
        assert bob.listening() == []

The orchestrator logs in as root with a key that all accept, and knows all host keys by all addresses. A test changes
that by `rig.orchestrator.write("/root/.ssh/config", …)`, and runs any command of the program with `rig.program(…)`, or
starts it with `rig.start(…)`. The scenario is /root/scenario.yml; files beside it are written like that too.
After a test everything that still runs on a machine fails it, and is ended; /root and /tmp are emptied.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import events_of, wait_for
from fixtures_ssh import Keys
from machine import Machine, Started
from machines import machines, missing


@dataclass(frozen=True)
class Finished:
    """A run of the program that has ended."""

    code: int
    output: str
    events: list[dict[str, Any]]

    def of(self, *types: str) -> list[dict[str, Any]]:
        """Give the events of these types."""
        return [event for event in self.events if event["type"] in types]

    def end(self, key: str) -> dict[str, Any]:
        """Give how an instance ended, by its key: `stage/job@agent`."""
        return [event for event in self.of("job_finished") if event["key"] == key][-1]

    def written(self, key: str) -> list[str]:
        """Give the lines that an instance printed."""
        return [line for event in self.of("job_output") if event.get("key") == key for line in event["lines"]]


class Rig:
    """The machines, and the program on one of them."""

    def __init__(self, everyone: Mapping[str, Machine], keys: Keys) -> None:
        self.machines = everyone
        self.orchestrator = everyone["orchestrator"]
        self._keys = keys

    def machine(self, name: str) -> Machine:
        """Give a machine by its name."""
        return self.machines[name]

    def orchestrate(self, scenario: str, *arguments: str, **more: Any) -> Finished:
        """Run a scenario headless, to its end."""
        self.orchestrator.write("/root/scenario.yml", scenario)
        events = self.orchestrator.path("/root/events.jsonl")
        events.unlink(missing_ok=True)
        done = self.program("scenario.yml", "--headless", "--events", "events.jsonl", *arguments, **more)
        written = events.read_text() if events.exists() else ""
        return Finished(done.returncode, done.stdout, events_of(written))

    def program(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the program on the orchestrator's machine, with its output and errors in one."""
        given: dict[str, Any] = {"check": False, "capture_output": False, "stdout": subprocess.PIPE}
        return self.orchestrator.run(
            [sys.executable, "-m", "octogram_tui", *arguments], **{**given, "stderr": subprocess.STDOUT, **more}
        )

    def start(self, *arguments: str) -> AbstractContextManager[Started]:
        """Start the program on the orchestrator's machine: `with rig.start(…) as run: …; run.end()`."""
        return self.orchestrator.start([sys.executable, "-m", "octogram_tui", *arguments])

    def prepare(self) -> None:
        """Let the orchestrator into every machine."""
        for machine in self.machines.values():
            machine.reset()
            machine.path("/root/.ssh").mkdir(mode=0o700)
        known = [f"{','.join(m.addresses)} {m.host_key}\n" for m in self.machines.values()]
        known.append(f"localhost,127.0.0.1,::1 {self.orchestrator.host_key}\n")
        self.orchestrator.write("/root/.ssh/known_hosts", "".join(known))
        shutil.copy(self._keys.user, self.orchestrator.path("/root/.ssh/id_ed25519"))
        for machine in self.machines.values():
            machine.write("/root/.ssh/authorized_keys", self._keys.user_public)

    def left(self) -> list[str]:
        """List what still runs: the machine and the command."""
        return [f"{m.name}: {command}" for m in self.machines.values() for command in m.processes().values()]


@pytest.fixture(scope="session")
def rig_machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Machine]]:
    """Bring the machines up once for this process's tests."""
    if reason := missing():
        pytest.skip(f"no machines can be had: {reason}")
    with machines(Path(tmp_path_factory.mktemp("rig"))) as everyone:
        yield everyone


@pytest.fixture
def rig(request: pytest.FixtureRequest, ssh_keys: Keys) -> Iterator[Rig]:
    """Give the machines as if new; what a test leaves running on them fails it, and is ended."""
    assert request.node.get_closest_marker("machines"), "this needs machines: mark it with pytest.mark.machines"
    found = Rig(request.getfixturevalue("rig_machines"), ssh_keys)
    found.prepare()
    yield found
    try:
        wait_for(lambda: not found.left(), 40.0, lambda: f"left behind: {found.left()}")
    finally:
        for machine in found.machines.values():
            machine.reset()
