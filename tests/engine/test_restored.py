"""A run built again from its journal is the same run: whatever is fed to both comes to the same."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from simulation import named
from test_any_order import AnyOrder, make
from world import Journalled

from octogram_tui.engine.effects import Effect
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.stimuli import (
    AgentLoadReport,
    OutputReport,
    ProgressReport,
    Stimulus,
)
from octogram_tui.journal import codec
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import Scenario


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

    def build_again(self) -> None:
        """Let another process build the run, which nobody can tell from this one."""
        self.double = None if self.engine.phase == "finished" else self.restored().engine


def shown(effect: Effect) -> str:
    """Write an effect, but for objects that only say where they are in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(effect))


class AnyMoment(AnyOrder):
    """All that can happen to a run happens; at any moment it is built again."""

    @initialize(on_failure=st.sampled_from(["pause", "abort"]), keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        self.simulation: Any = Doubled(make(0), on_failure=on_failure, keep_alive=keep, start_paused=paused).begin()

    @rule()
    def build_again(self) -> None:
        """Another process builds the run from its journal."""
        self.simulation.build_again()

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
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
