"""Kills runs without warning, at random moments or at named places, goes on with them, and sees what became of each.

    python -m tools.kills --orchestrator 200 --daemons 200 --both 50      an hour or less on two processors
    python -m tools.kills --points                                        at every place that a fault can be planted at

Killed is the process of the run (SIGKILL), a daemon or the guard beside it, or both. Then `resume` goes on until the
run is over; it may be killed itself. At the end each job has to have been executed once, or, where what carried it out
was killed, once at most; the run has to have ended as one that nobody disturbed, or to say what it lost; its journal
has to be sound; and no process may be left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from octogram_tui.engine.events import EntryRegistered, JobFinished, VariableChanged
from octogram_tui.errors import JournalError
from octogram_tui.journal import order, reader, recovery

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "octogram_tui")
END_S = 90.0  # for a run, or what goes on with it, to be over
GONE_S = 20.0  # for the last process to be gone
TAKE_UPS = 8
OF_LOSS = (1, 7, 10)
"""Exit codes that say that something was lost, where a daemon was killed."""

Target = Literal["orchestrator", "daemon", "both"]

SCENARIO = """agents: [{name: a, transport: local}, {name: b, transport: local}, {name: c, transport: local}]
vars: {begun: 1}
stages:
  - name: prepare
    jobs:
      - name: note
        builtins.shell: "echo note@{{ agent.name }} >> ORACLE; echo {{ agent.name }}"
        vars_updates: {"noted_{{ agent.name }}": "{{ vars.begun }}"}
      - {name: bring, copy: {local_path: s.yml, remote_path: brought.yml}, retries: 5}
  - name: work
    jobs:
      - name: detach
        builtins.shell: "echo detach@{{ agent.name }} >> ORACLE; env -i setsid sleep SLEEP & sleep 0.4"
      - name: each
        with_items: [p, q]
        builtins.shell: "echo each@{{ agent.name }}-{{ item }} >> ORACLE; sleep 0.1"
  - name: again
    jobs:
      - name: twice
        builtins.shell: |
          n=$(ls tried* 2>/dev/null | wc -l); touch tried$n
          echo twice@{{ agent.name }}-$n >> ORACLE; test $n = 1
        retries: 1
        retry_delay: 0.1
  - name: last
    always: true
    jobs: [{name: end, builtins.shell: "echo end@{{ agent.name }} >> ORACLE"}]
"""


@dataclass(slots=True)
class Outcome:
    """How a run ended, and what is wrong with that."""

    exit_code: int = -1
    executed: Counter[str] = field(default_factory=Counter)
    states: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    take_ups: int = 0
    wrong: list[str] = field(default_factory=list)
    said: str = ""


class Scene:
    """A home of its own, in which one run lives and dies."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.oracle = home / "oracle"
        self.sleep = str(random.SystemRandom().randrange(30_000_000, 90_000_000))
        text = SCENARIO.replace("ORACLE", str(self.oracle)).replace("SLEEP", self.sleep)
        (home / "s.yml").write_text(text)

    @property
    def journal(self) -> Path:
        """Give the run's journal; a run that was killed before it had begun leaves one to the next."""
        runs = self.home / ".local/state/octogram-tui/runs"
        places = order.places(runs)  # names tell no order within a second
        made = max(runs.glob("2*"), key=lambda run: places.get(run.name, -1), default=runs / "none")
        return made / "journal.jsonl"

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to go on with."""
        return b'"type":"run_started"' in _bytes(self.journal)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start the program here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OCTOGRAM_", "XDG_", "CI"))}
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env={**kept, "HOME": str(self.home), "PYTHONPATH": f"{ROOT}:{ROOT / 'agentd'}", **more},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> dict[int, str]:
        """Give whatever lives of this run, by its home or by how long it sleeps."""
        return {
            pid: command
            for pid, command, environ in _living()
            if f"HOME={self.home}" in environ or self.sleep in command
        }

    def daemons(self) -> list[int]:
        """Give the daemons and their guards."""
        return [pid for pid in self.processes() if _is_guard(pid) or (_is_guard(_parent_of(pid)) and _is_ours(pid))]

    def go_on(self, process: subprocess.Popen[str], outcome: Outcome) -> None:
        """Wait for the end, and go on with the run as often as it takes."""
        while True:
            try:
                said, _ = process.communicate(timeout=END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
                outcome.wrong.append(f"not over within {END_S:g} s")
            outcome.said += f"-- {process.returncode}\n{said}"
            outcome.exit_code = process.returncode
            if process.returncode >= 0 or outcome.wrong or outcome.take_ups >= TAKE_UPS:
                return
            if (ending := reader.ending(self.journal)) is not None:  # killed when there was nothing left to do
                outcome.exit_code = ending.exit_code
                return
            outcome.take_ups += 1
            process = self.start("resume", "last") if self.has_begun else self.start("s.yml", "--headless")

    def judge(self, outcome: Outcome, undisturbed: Outcome | None, target: Target) -> None:
        """See what the run left, and compare it with one that nobody disturbed."""
        outcome.executed = Counter(self.oracle.read_text().split() if self.oracle.exists() else ())
        try:
            for event in reader.read(self.journal):
                if isinstance(event, JobFinished):
                    outcome.states[str(event.instance)] = event.state
                elif isinstance(event, VariableChanged):
                    outcome.variables[event.name] = event.value
                elif isinstance(event, EntryRegistered):
                    outcome.variables[event.name] = event.over(outcome.variables.get(event.name))
            if not recovery.is_sound(self.journal):
                outcome.wrong.append("the journal is not sound")
        except JournalError as error:
            outcome.wrong.append(error.message)
        deadline_s = time.monotonic() + GONE_S
        while self.processes() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        outcome.wrong += [f"left: {pid} {command[:120]}" for pid, command in self.processes().items()]
        outcome.wrong += [f"{name} was executed {n} times" for name, n in outcome.executed.items() if n > 1]
        if undisturbed is None:
            return
        if target == "orchestrator" or outcome.exit_code == 0:
            for name in ("exit_code", "executed", "states", "variables"):
                if getattr(outcome, name) != getattr(undisturbed, name):
                    outcome.wrong.append(f"{name}: {getattr(outcome, name)}, and not {getattr(undisturbed, name)}")
        elif outcome.exit_code not in OF_LOSS:
            outcome.wrong.append(f"exit code {outcome.exit_code}")

    def end_everything(self) -> None:
        """Kill whatever is left."""
        for pid in self.processes():
            _kill(pid)


def undisturbed() -> tuple[Outcome, float]:
    """Run the scenario to its end; gives how it ended, and how long it took."""
    with _scene() as scene:
        outcome = Outcome()
        began_s = time.monotonic()
        scene.go_on(scene.start("s.yml", "--headless"), outcome)
        took_s = time.monotonic() - began_s
        scene.judge(outcome, None, "orchestrator")
        return outcome, took_s


def points() -> list[str]:
    """Give every place that a run comes by, each time that it does: `NAME:N`."""
    with _scene() as scene:
        counts = scene.home / "counts"
        scene.go_on(scene.start("s.yml", "--headless", OCTOGRAM_FAULT_COUNTS=str(counts)), Outcome())
        return counts.read_text().split()


def killed_at(point: str, expected: Outcome) -> Outcome:
    """Kill the run's process at a place, and go on."""
    with _scene() as scene:
        outcome = Outcome()
        scene.go_on(scene.start("s.yml", "--headless", OCTOGRAM_FAULT=point), outcome)
        scene.judge(outcome, expected, "orchestrator")
        return outcome


def killed(target: Target, expected: Outcome, within_s: float, chance: random.Random) -> Outcome:
    """Kill something at a random moment, and go on; now and then what goes on is killed too."""
    with _scene() as scene:
        outcome = Outcome()
        process = scene.start("s.yml", "--headless")
        _kill_within(scene, process, target, chance.uniform(0.1, within_s))
        is_amid = process.returncode == -signal.SIGKILL and scene.has_begun and reader.ending(scene.journal) is None
        if is_amid and chance.random() < 0.3:
            process.communicate()
            process = scene.start("resume", "last")
            outcome.take_ups += 1
            _kill_within(scene, process, "orchestrator", chance.uniform(0.1, within_s))
        scene.go_on(process, outcome)
        scene.judge(outcome, expected, target)
        return outcome


def _kill_within(scene: Scene, process: subprocess.Popen[str], target: Target, after_s: float) -> None:
    if target != "orchestrator":
        while not scene.daemons() and process.poll() is None:
            time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
        return  # it was over before
    if target != "orchestrator" and (daemons := scene.daemons()):
        _kill(random.choice(daemons))
    if target != "daemon":
        _kill(process.pid)
        process.wait()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _is_guard(pid: int) -> bool:
    return _bytes(Path(f"/proc/{pid}/comm")) == b"octogram-guard\n"


def _is_ours(pid: int) -> bool:
    return b"octogram_agentd" in _bytes(Path(f"/proc/{pid}/cmdline"))


def _parent_of(pid: int) -> int:
    status = _bytes(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return int(status[1]) if len(status) > 1 else 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextlib.contextmanager
def _scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as home:
        scene = Scene(Path(home))
        try:
            yield scene
        finally:
            scene.end_everything()


def _living() -> Iterator[tuple[int, str, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    yield int(entry.name), command, (entry / "environ").read_bytes().decode(errors="replace")


def main(argv: Sequence[str] | None = None) -> int:
    """Kill as often as is asked, several at a time; tell of each that went wrong. 1 when any did."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    for name in ("orchestrator", "daemons", "both"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N", help="kill so often")
    parser.add_argument("--points", action="store_true", help="kill the orchestrator at every place that a fault has")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="of what is random")
    args = parser.parse_args(argv)
    chance = random.Random(args.seed)
    expected, took_s = undisturbed()
    print(f"seed {args.seed}; undisturbed: exit code {expected.exit_code} after {took_s:.1f} s", flush=True)
    if expected.wrong or expected.exit_code:
        print(expected.said, *expected.wrong, sep="\n")
        return 1
    wanted: list[Target] = []
    wanted += ["orchestrator"] * args.orchestrator
    wanted += ["daemon"] * args.daemons
    wanted += ["both"] * args.both
    places = points() if args.points else []
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(args.jobs) as pool:
        asked = [(t, pool.submit(killed, t, expected, took_s, random.Random(chance.random()))) for t in wanted]
        at_places = [(place, pool.submit(killed_at, place, expected)) for place in places]
        for name, future in (*asked, *at_places):
            outcome = future.result()
            counts[f"{name if name in wanted else 'point'}: exit code {outcome.exit_code}"] += 1
            if outcome.wrong:
                counts["wrong"] += 1
                print(f"WRONG: {name}: {'; '.join(outcome.wrong)}\n{outcome.said}", flush=True)
    for name, count in sorted(counts.items()):
        print(f"{count:5} {name}")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
