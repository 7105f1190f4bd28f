"""A run built again from its journal is the same run: whatever is fed to both comes to the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from simulation import job, named, report, scenario, stage
from test_any_order import AnyOrder, make
from world import Journalled

from octogram_tui.engine.effects import Effect
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.stimuli import (
    AgentLoadReport,
    OutputReport,
    ProgressReport,
    RerunRequest,
    ServiceReport,
    SetVariableRequest,
    Stimulus,
    StopRequest,
)
from octogram_tui.errors import RunNotRestored
from octogram_tui.journal import codec
from octogram_tui.journal.writer import telling
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate


class Doubled(Journalled):
    """A run, and the same one as it is built again at some moment: both are fed from then on."""

    def __init__(self, given: Scenario, **options: Any) -> None:
        super().__init__(given, lambda sent: None, **options)
        self.double: Engine | None = None
        self.effects: list[str] = []

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Feed both, and see that they cannot be told apart."""
        self.effects.clear()
        events = super().feed(stimulus)
        if self.double is not None:
            other = self.double.feed(stimulus, self.at_s)
            assert list(map(codec.encode, other.events)) == list(map(codec.encode, events))
            assert list(map(shown, other.effects)) == self.effects
        return events

    def _take(self, effect: Effect) -> None:
        self.effects.append(shown(effect))
        super()._take(effect)

    def build_again(self, *, is_short: bool = False) -> None:
        """Let another process build the run, which nobody can tell from this one; is_short: the disk was full."""
        self.double = None
        if self.engine.phase != "finished":
            self.double = self.restored(telling(self.lines) if is_short else self.lines).engine
            self.double.core.seq = self.engine.core.seq if is_short else self.double.core.seq


def shown(effect: Effect) -> str:
    """Write an effect, but for objects that only say where they are in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(effect))


class AnyMoment(AnyOrder):
    """All that can happen to a run happens; at any moment it is built again."""

    @initialize(on_failure=st.sampled_from(["pause", "abort"]), keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        self.simulation: Any = Doubled(make(0), on_failure=on_failure, keep_alive=keep, start_paused=paused).begin()

    @rule(is_short=st.booleans())
    def build_again(self, is_short: bool) -> None:
        """Another process builds the run from its journal, which may lack what a full disk had no space for."""
        self.simulation.build_again(is_short=is_short)

    @rule(lines=st.lists(st.text(max_size=3), max_size=2), agent=st.sampled_from(["a", "b"]))
    def agent_talks(self, lines: list[str], agent: str) -> None:
        """What an agent says of a job, and of its machine, is in the journal and moves nothing."""
        attempt = AttemptId(named("one/j@a"), 1)
        self.simulation.feed(OutputReport(agent, attempt, lines))
        self.simulation.feed(ProgressReport(agent, attempt, "so far"))
        self.simulation.feed(AgentLoadReport(agent, 0.5, 0.25, 3))

    def teardown(self) -> None:
        """Whatever the state, it can be built again, and ends the same."""
        if hasattr(self, "simulation"):
            self.simulation.build_again()
        super().teardown()


TestAnyMoment = AnyMoment.TestCase
TestAnyMoment.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


NAMES = ("zeta", "eta", "theta", "iota", "kappa")


def busy() -> Journalled:
    """A run in which a bit of everything has happened."""
    adds = (VarUpdate(Text("x_{{ item }}"), Text("{{ res.x }}")),)
    reads = " ".join(f"{{{{ vars.{name} is defined }}}}" for name in NAMES) + "{{ vars | list | join(' ') }}"
    given = replace(
        scenario(
            stage("s", job("j", items=ItemsSpec((("1..3",),)), vars_updates=adds), job("k", {"argv": reads})),
            stage("t", job("l", {"argv": "{{ vars | list | join(' ') }}"})),
            agents="a b c",
            variables={f"v{n}": n for n in range(20)} | dict.fromkeys(NAMES, 1.5),
        ),
        digest="busy",
    )
    run = Journalled(given, lambda sent: report(sent.attempt, "ok", {"x": 1.5}), on_failure="pause", keep_alive=True)
    run.begin()
    for name in NAMES:
        run.go(SetVariableRequest(name, remove=True))
    run.go(RerunRequest("s", "k", inputs="then"))
    for agent in "abc":
        run.feed(ServiceReport(agent, "node", "n", {"rpc": 1, "metrics": 2}))
    return run


def test_it_is_the_same_in_every_process() -> None:
    """Sets and the like have another order in each process: no event and no order to an agent depends on that."""
    program = "import sys; sys.path.insert(0, sys.argv[1]); import test_restored; test_restored.tell()"
    lines = b"".join(busy().lines)
    told = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent)],
        input=lines,
        env={**os.environ, "PYTHONHASHSEED": "1"},  # ours was chosen by chance
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr.decode()
    assert told.stdout == lines


def tell() -> None:
    """Build the run from its journal, and say what it is when it is made anew: in a process of its own."""
    run = busy()
    run.restored(sys.stdin.buffer.read().splitlines(keepends=True))
    sys.stdout.buffer.write(b"".join(run.lines))


@pytest.mark.fault(67)
def test_what_the_end_of_the_journal_lacks_is_given_to_be_written() -> None:
    """The machine went down amid a turn: what was fed counts, and its other events are stated once more."""
    whole = busy()
    checked = 0
    for end in range(1, len(whole.lines)):
        try:
            restored = whole.restored(whole.lines[:end])
        except RunNotRestored:
            continue  # it had not begun
        checked += 1
        missing = list(map(codec.encode, restored.unwritten))
        assert missing == whole.lines[end : end + len(missing)]
        assert not restored.unwritten or restored.engine.core.seq == restored.unwritten[-1].seq
    assert checked > 50


@pytest.mark.fault(68)
@pytest.mark.parametrize("change", [(b"builtins.command", b"builtins.shell"), (b'"at_s":', b'"at_s":9'), None])
def test_a_journal_that_says_something_else_is_refused(change: tuple[bytes, bytes] | None) -> None:
    """What does not come out of what was fed is not guessed about: the place is named."""
    run = busy()
    number = next(n for n, line in enumerate(run.lines) if b'"job_started"' in line and b'"agent":"a"' in line)
    if change is None:
        del run.lines[number]
    else:
        run.lines[number] = run.lines[number].replace(*change)
    with pytest.raises(RunNotRestored, match=r"at event \d+") as caught:
        run.restored()
    assert caught.value.exit_code == 9
    assert "another version" in caught.value.hint


def test_a_run_that_never_began_is_refused() -> None:
    """There is nothing to go on with."""
    run = Journalled(scenario(stage("s", job("j"))))
    run.feed(StopRequest("SIGINT", 130))
    with pytest.raises(RunNotRestored, match="had begun"):
        run.restored()


def test_what_a_newer_program_fed_is_refused() -> None:
    """An input of a type that is not known cannot be fed again."""
    run = busy()
    run.lines.append(b'{"seq":999,"at_s":9.0,"type":"input","fed":"NewRequest"}\n')
    with pytest.raises(RunNotRestored, match="NewRequest"):
        run.restored()
