"""Agents that live in memory, and scenarios in a few words: what the engine's tests are written in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Self

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
from octogram_tui.engine.events import Event, JobFinished, JobStarted
from octogram_tui.engine.invariants import check
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentUpReport,
    AttemptReport,
    BeginRequest,
    RecallReport,
    Stimulus,
    TimerReport,
)
from octogram_tui.engine.timers import RunTimer, Timer
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AgentName, Execution, InstanceId, JobKey, StageKey, parse_execution
from octogram_tui.model.scenario import AgentSpec, JobSpec, Scenario, StageSpec, Text
from octogram_tui.template.environment import is_template, render


class Given:
    """Arguments whose texts are templates and nothing else; `uri` members are resolved."""

    is_ready = False  # they are looked at each time

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def expand(self, scope: Mapping[str, object], resolve: Callable[[str, str], dict[str, str]]) -> dict[str, Any]:
        """Expand every text."""
        given = {k: render(v, scope) if isinstance(v, str) and is_template(v) else v for k, v in self.values.items()}
        for kind in ("file", "node"):
            if kind in given:
                given[kind] = resolve(kind, given[kind])
        return given

    def for_agent(
        self,
        arguments: dict[str, Any],
        scope: Mapping[str, object],
        resolve: Callable[[str, str], dict[str, str]],
    ) -> tuple[dict[str, Any], str]:
        """Give them as they are: there are no ports."""
        return arguments, ""

    def replaced(self, given: Mapping[str, Any]) -> Literal:
        """Others in their places, which are no templates; `no` is refused."""
        if "no" in given:
            raise TemplateError("there is no argument `no`")
        return Literal(self.values, given)

    def raw(self) -> dict[str, Any]:
        """Give them as written."""
        return self.values


class Literal(Given):
    """Arguments of which some are no templates."""

    def __init__(self, values: Mapping[str, Any], literal: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in values.items() if name not in literal})
        self.literal = dict(literal)

    def expand(self, scope: Mapping[str, object], resolve: Callable[[str, str], dict[str, str]]) -> dict[str, Any]:
        """Expand the others."""
        return {**super().expand(scope, resolve), **self.literal}

    def raw(self) -> dict[str, Any]:
        """Give all of them."""
        return {**self.values, **self.literal}


def job(
    name: str, args: Mapping[str, Any] | None = None, *, procedure: str = "builtins.command", **more: Any
) -> JobSpec:
    """A job; the digest follows everything that is said of it."""
    arguments = Given(args or {})
    digest = repr((name, procedure, arguments.values, sorted(more.items(), key=lambda kv: kv[0])))
    for field in ("when", "until"):
        if isinstance(more.get(field), str):
            more[field] = Text(more[field])
    return JobSpec(key=JobKey(name), name=name, procedure=procedure, arguments=arguments, digest=digest, **more)


def stage(name: str, *jobs: JobSpec, on: str = ".*", **more: Any) -> StageSpec:
    """A stage on the agents whose names match."""
    if isinstance(more.get("when"), str):
        more["when"] = Text(more["when"])
    digest = repr((name, on, sorted(more.items(), key=lambda kv: kv[0])))
    return StageSpec(key=StageKey(name), name=name, jobs=jobs, with_agents=(Text(on),), digest=digest, **more)


def scenario(*stages: StageSpec, agents: str = "a", variables: Mapping[str, Any] | None = None) -> Scenario:
    """A scenario with agents of the given names, separated by spaces."""
    specs = tuple(AgentSpec(AgentName(n), address="127.0.0.1", transport="local") for n in agents.split())
    return Scenario(
        path="dir/scenario.yml",
        stages=stages,
        agents=specs,
        variables=dict(variables or {}),
        digest=repr((stages, specs, variables)),
    )


def report(
    attempt: str | Execution,
    state: str = "ok",
    result: Any = None,
    error: Mapping[str, Any] | None = None,
    by: str = "",
) -> AttemptReport:
    """What an agent says of an attempt; its own agent, unless `by` names another."""
    execution = parse_execution(attempt) if isinstance(attempt, str) else attempt
    failure = None if error is None else Failure.from_json(error)
    return AttemptReport(by or execution.agent, execution, state, result, failure)


def named(text: str) -> InstanceId:
    """The name of an instance."""
    return InstanceId.parse(text)


Answer = Callable[[SendJob], AttemptReport | None]


class Simulation:
    """An engine with its agents: `run` answers every effect until nothing is left to answer."""

    def __init__(self, given: Scenario, answer: Answer | None = None, **options: Any) -> None:
        self.engine = Engine(given, RunOptions(run="r", **options))
        self.answer = answer or (lambda sent: report(sent.attempt, "ok", {}))
        self.events: list[Event] = []
        self.sent: list[SendJob] = []
        self.cancelled: list[str] = []
        self.timers: dict[Timer, float] = {}
        self.waiting: deque[Stimulus] = deque()
        self.pending: dict[str, SendJob] = {}
        self.held: dict[str, SendJob] = {}  # by the name of what each is to begin after
        self.over: dict[str, str] = {}  # how what agents were told to do has ended there
        self.exit_code: int | None = None
        self.at_s = 0.0
        self.goes_on = True  # what a turn has left is done in the next

    def begin(self) -> Self:
        """Start, and go as far as it goes."""
        self.feed(BeginRequest("2026-01-01T00:00:00Z"))
        return self.run()

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Feed one stimulus; effects are answered by `run` only."""
        self.at_s += 0.001
        if isinstance(stimulus, AttemptReport) and str(stimulus.attempt) in self.pending:
            self.ended_there(stimulus)
        outcome = self.engine.feed(stimulus, self.at_s)
        check(self.engine)
        self.events += outcome.events
        self.bounds = outcome.bounds
        for effect in outcome.effects:
            self._take(effect)
        return outcome.events

    def go(self, stimulus: Stimulus) -> list[Event]:
        """Feed one stimulus and let everything happen that follows. The events of all of it."""
        before = len(self.events)
        self.feed(stimulus)
        self.run()
        return self.events[before:]

    def run(self) -> Self:
        """Answer effects until there is nothing to answer, and nothing that a turn has left to another."""
        while self.waiting or (self.goes_on and self.timers.pop(RunTimer.GO_ON, None) is not None):
            self.feed(self.waiting.popleft() if self.waiting else TimerReport(RunTimer.GO_ON))
        return self

    def fire(self, timer: Timer) -> list[Event]:
        """Let a timer fire that is armed."""
        self.at_s += self.timers.pop(timer)
        return self.go(TimerReport(timer))

    def ended_there(self, told: AttemptReport) -> None:
        """An agent has ended an attempt: it begins what it was given ahead."""
        name = str(told.attempt)
        self.pending.pop(name, None)
        self.over[name] = told.state
        following = self.held.pop(name, None)
        if following is not None and told.state == "ok":
            self.begin_there(following)

    def begin_there(self, effect: SendJob) -> None:
        """An agent begins an attempt."""
        answer = self.answer(effect)
        self.pending[str(effect.attempt)] = effect
        if answer is not None:
            self.waiting.append(answer)
            self.ended_there(answer)

    def is_due(self, effect: SendJob) -> bool:
        """Whether an agent begins now what it was sent; else it keeps it for later, or for never."""
        after = str(effect.after)
        if effect.after is not None and after in self.pending:
            self.held[after] = effect
        return effect.after is None or self.over.get(after) == "ok"

    def recall(self, effect: RecallJob) -> None:
        """An agent gives back what it has not begun."""
        name, after = str(effect.attempt), str(effect.after)
        if after in self.held and str(self.held[after].attempt) == name:
            del self.held[after]
        is_begun = name in self.pending or name in self.over
        self.waiting.append(RecallReport(effect.agent, effect.attempt, effect.after, is_begun))

    def _take(self, effect: Effect) -> None:
        match effect:
            case StartAgent():
                self.waiting.append(AgentUpReport(effect.agent.name, home="/home/x"))
            case StopAgent():
                self.waiting.append(AgentEndReport(effect.agent))
            case SendJob():
                self.sent.append(effect)
                if self.is_due(effect):
                    self.begin_there(effect)
            case RecallJob():
                self.recall(effect)
            case CancelJob():
                self.cancelled.append(str(effect.attempt))
                told = report(effect.attempt, "cancelled")
                if str(effect.attempt) not in self.over:
                    self.ended_there(told)
                self.waiting.append(told)
            case ArmTimer():
                self.timers[effect.timer] = effect.after_s
            case DisarmTimer():
                self.timers.pop(effect.timer, None)
            case EndRun():
                self.exit_code = effect.exit_code

    # -- looking --------------------------------------------------------------------------------------------------

    @property
    def types(self) -> list[str]:
        """The types of all events."""
        return [e.TYPE for e in self.events]

    def of(self, *types: type[Event]) -> list[Any]:
        """The events of some types."""
        return [e for e in self.events if isinstance(e, types)]

    def started(self) -> list[str]:
        """What was started, in order: `key#attempt`."""
        return [f"{e.instance}#{e.attempt}" for e in self.of(JobStarted)]

    def ended(self) -> list[str]:
        """What ended and how, in order: `key state`."""
        return [f"{e.instance} {e.state}" for e in self.of(JobFinished)]
