"""A run with its journal, and agents that outlive the process that runs it: what taking up again is tested with."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self

from simulation import Simulation, report

from octogram_tui.engine.effects import (
    ArmTimer,
    CancelJob,
    DisarmTimer,
    Effect,
    EndRun,
    RecallJob,
    SendJob,
    StartAgent,
    StopAgent,
)
from octogram_tui.engine.events import Event
from octogram_tui.engine.invariants import check
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentUpReport,
    AttemptReport,
    RecallReport,
    StartFailureReport,
    Stimulus,
    TakeUpRequest,
)
from octogram_tui.journal import codec
from octogram_tui.journal.inputs import record_of
from octogram_tui.journal.restoring import Line, Restored, restore
from octogram_tui.model.ids import Execution
from octogram_tui.model.scenario import Scenario

Outcome = Callable[[SendJob], AttemptReport | None]
"""How an attempt ends that an agent has executed; None: it goes on until a test says so."""


class Journalled(Simulation):
    """A run whose journal is kept: as lines, read back as whoever goes on with it does."""

    def __init__(self, given: Scenario, answer: Outcome | None = None, **options: Any) -> None:
        super().__init__(given, answer, **options)
        self.options = RunOptions(run="r", **options)
        self.scenarios = {given.digest: given}
        self.lines: list[bytes] = []

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Feed one stimulus, and write what the driver writes."""
        scenario = getattr(stimulus, "scenario", None)
        if isinstance(scenario, Scenario):
            self.scenarios[scenario.digest] = scenario
        seq = self.engine.core.seq
        events = super().feed(stimulus)
        record = record_of(stimulus, self.at_s, seq, events, self.bounds)
        self.lines += codec.encode_turn(events, [] if record is None else [record])
        return events

    def restored(self, lines: Iterable[bytes] | None = None) -> Restored:
        """Build the run again from its journal."""
        return restore(
            map(read, self.lines if lines is None else lines),
            self.options,
            lambda digest: copy.deepcopy(self.scenarios[digest]),  # as one that was read from files again
        )


def read(line: bytes) -> Line:
    """Read a line as `reader.read_lines` does."""
    record = codec.load(line)
    return codec.from_dict(record) if codec.is_event(record) else record


class Daemon:
    """An agent's daemon: it executes no attempt twice, and tells again what it was not thanked for."""

    def __init__(self, birth: str) -> None:
        self.birth = birth
        self.running: dict[str, SendJob] = {}
        self.ended: dict[str, AttemptReport] = {}
        self.untold: list[AttemptReport | RecallReport] = []
        self.held: dict[str, SendJob] = {}  # by the name of what each is to begin after


class World(Journalled):
    """A run on daemons that live on when its process dies; `crash` lets that happen, `take_up` goes on.

    executed: how often each attempt was begun, be it by an agent or by the process of the run itself.
    """

    def __init__(self, given: Scenario, answer: Outcome | None = None, **options: Any) -> None:
        super().__init__(given, answer, **options)
        self.daemons: dict[str, Daemon] = {}
        self.births = 0
        self.executed: Counter[str] = Counter()
        self.errands: dict[str, SendJob] = {}  # that the process itself has under way
        self.unreachable: set[str] = set()
        self.starting: list[str] = []  # agents whose answer a test gives

    def end(self, attempt: str | Execution, state: str = "ok", result: Any = None, **more: Any) -> None:
        """Let an attempt end at its agent; the run hears of it by and by."""
        told = report(attempt, state, result, **more)
        self._ended(told)

    def _ended(self, told: AttemptReport) -> None:
        daemon = self.daemons[told.agent]
        daemon.running.pop(str(told.attempt), None)
        self.pending.pop(str(told.attempt), None)
        daemon.ended[str(told.attempt)] = told
        daemon.untold.append(told)
        self.tell(told)
        self._go_on_there(daemon, told)

    def tell(self, told: AttemptReport | RecallReport) -> None:
        """Something is on its way from an agent."""
        self.waiting.append(told)

    def _go_on_there(self, daemon: Daemon, told: AttemptReport) -> None:
        following = daemon.held.pop(str(told.attempt), None)
        if following is not None and told.state == "ok":
            self._execute(replace(following, after=None))

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Feed; what an agent reported and is in the journal it may forget."""
        if isinstance(stimulus, AttemptReport) and stimulus.agent == stimulus.attempt.agent in self.daemons:
            daemon = self.daemons[stimulus.agent]
            if stimulus in daemon.untold:
                daemon.untold.remove(stimulus)
            if daemon.running.pop(str(stimulus.attempt), None) is not None:
                daemon.ended[str(stimulus.attempt)] = stimulus
                self.pending.pop(str(stimulus.attempt), None)
                self._go_on_there(daemon, stimulus)
        elif isinstance(stimulus, RecallReport) and stimulus.agent in self.daemons:
            untold = self.daemons[stimulus.agent].untold
            if stimulus in untold:
                untold.remove(stimulus)
        return super().feed(stimulus)

    def kill_daemon(self, agent: str) -> None:
        """A daemon ends, and all that it ran with it."""
        daemon = self.daemons.pop(agent, None)
        for name in () if daemon is None else daemon.running:
            self.pending.pop(name, None)

    def crash(self) -> Self:
        """The process dies: what it had not been told yet, its timers and its errands are gone."""
        self.waiting.clear()
        self.timers.clear()
        self.errands.clear()
        self.pending = {name: sent for daemon in self.daemons.values() for name, sent in daemon.running.items()}
        self.starting.clear()
        return self

    def take_up(self, **more: Any) -> Self:
        """Another process goes on."""
        restored = self.restored()
        self.engine, self.at_s = restored.engine, restored.at_s
        self.events += restored.unwritten
        self.lines += [codec.encode(event) for event in restored.unwritten]
        self.feed(TakeUpRequest("2026-01-02T00:00:00Z", **more))
        return self

    def greet(self, agent: str) -> None:
        """An agent answers: its daemon, or a new one where there is none."""
        daemon = self.daemons.get(agent)
        if daemon is None:
            self.births += 1
            daemon = self.daemons[agent] = Daemon(f"birth {self.births}")
        known = (sent.attempt for sent in daemon.running.values())
        told = (end.attempt for end in daemon.ended.values())
        self.waiting.append(AgentUpReport(agent, home="/h", birth=daemon.birth, knows=(*known, *told)))
        self.waiting.extend(daemon.untold)

    def fail_to_start(self, agent: str) -> None:
        """An agent that is being started cannot be reached."""
        self.starting.remove(agent)
        self.waiting.append(StartFailureReport(agent, "net.failed", "no route"))

    def _take(self, effect: Effect) -> None:
        match effect:
            case StartAgent():
                name = str(effect.agent.name)
                if name in self.unreachable:
                    self.starting.append(name)
                else:
                    self.greet(name)
            case StopAgent():
                self.kill_daemon(effect.agent)
                self.waiting.append(AgentEndReport(effect.agent))
            case SendJob(where="orchestrator"):
                self.executed[str(effect.attempt)] += 1
                self.sent.append(effect)
                answer = self.answer(effect)
                if answer is None:
                    self.errands[str(effect.attempt)] = effect
                else:
                    self.waiting.append(answer)
            case SendJob() if effect.agent in self.daemons:
                self._execute(effect)
            case SendJob():
                self.sent.append(effect)  # its link is down, and will say so
            case RecallJob():
                self._recall(effect)
            case CancelJob():
                self._cancel(effect)
            case ArmTimer() | DisarmTimer() | EndRun():
                super()._take(effect)

    def _execute(self, effect: SendJob) -> None:
        name, daemon = str(effect.attempt), self.daemons[effect.agent]
        self.sent.append(effect)
        if effect.after is not None and name not in daemon.ended and name not in daemon.running:
            after = str(effect.after)
            if after in daemon.running:
                daemon.held[after] = effect
                return
            assert after in daemon.ended, f"{name} was sent after {after}, which its agent does not know"
            if daemon.ended[after].state != "ok":
                return
        if name in daemon.ended:
            self.tell(daemon.ended[name])
        elif name not in daemon.running:
            self.executed[name] += 1
            daemon.running[name] = effect
            answer = self.answer(effect)
            if answer is None:
                self.pending[name] = effect
            else:
                self._ended(answer)

    def _recall(self, effect: RecallJob) -> None:
        daemon = self.daemons.get(effect.agent)
        if daemon is None:
            return
        name, after = str(effect.attempt), str(effect.after)
        if after in daemon.held and str(daemon.held[after].attempt) == name:
            del daemon.held[after]
        is_begun = name in daemon.running or name in daemon.ended
        told = RecallReport(effect.agent, effect.attempt, effect.after, is_begun)
        daemon.untold.append(told)
        self.tell(told)

    def _cancel(self, effect: CancelJob) -> None:
        name = str(effect.attempt)
        self.cancelled.append(name)
        if effect.where == "orchestrator":
            if self.errands.pop(name, None) is not None:
                self.waiting.append(report(effect.attempt, "cancelled"))
            return
        daemon = self.daemons.get(effect.agent)
        if daemon is not None and name in daemon.running:
            self._ended(report(effect.attempt, "cancelled"))

    def checked(self) -> Self:
        """See that nothing contradicts itself, and nothing was executed twice."""
        check(self.engine)
        assert max(self.executed.values(), default=1) == 1
        assert [event.seq for event in self.events] == list(range(1, len(self.events) + 1))
        return self
