"""A run from its journal: what it was fed is fed again, and it stands as it stood.

The engine does no input or output, so that the same stimuli give the same events. Each is compared with the one that
the journal has: what differs is not guessed about, but refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.effects import ArmTimer, DisarmTimer, Effect, SendJob
from octogram_tui.engine.events import Event, RunStarted
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import AttemptReport, Stimulus, TakeUpRequest, TimerReport
from octogram_tui.engine.timers import Timer
from octogram_tui.errors import EngineBug, RunNotRestored
from octogram_tui.journal import codec, inputs
from octogram_tui.journal.inputs import ScenarioOf
from octogram_tui.model.ids import AttemptId, ErrandId, Execution
from octogram_tui.template.requests import Bound

Line = Event | dict[str, Any]

OTHER_VERSION = "it may have been written by another version of octogram-tui, as its first line says, or was edited"


@dataclass(frozen=True, slots=True)
class Veil:
    """What is not written as it is: how events are before they are written, and what was fed was before.

    events: of what the engine stated, what the journal has. input: of an input line, or of an attempt's end that an
    event tells, what was fed.
    """

    events: Callable[[Sequence[Event]], Sequence[Event]] = lambda events: events
    input: Callable[[Any], Any] = lambda line: line


PLAIN = Veil()


@dataclass(slots=True)
class Restored:
    """A run as it stood when the last line of its journal was written.

    at_s: how long it had gone on. unwritten: what the last stimulus came to, as far as the journal broke off before it:
    to be written before anything else.
    """

    engine: Engine
    at_s: float
    unwritten: list[Event] = field(default_factory=list)

    @property
    def take_ups(self) -> int:
        """How often it was taken up again already."""
        return self.engine.taking_up.number


def restore(lines: Iterable[Line], options: RunOptions, scenario_of: ScenarioOf, *, veil: Veil = PLAIN) -> Restored:
    """Build the engine of a run again. lines: as `reader.read_lines` gives them; options: that it began with.

    Raises RunNotRestored when the run has not begun, is over, or does not come out as the journal has it; and what
    scenario_of raises.
    """
    reading = iter(lines)
    first: list[Line] = []
    for line in reading:
        first.append(line)
        if isinstance(line, Event):
            break
    begun = first[-1] if first else None
    if not isinstance(begun, RunStarted):
        raise RunNotRestored("the run ended before it had begun: nothing of it can be gone on with")
    replay = _Replay(Engine(scenario_of(begun.digest), options), scenario_of, veil)
    for part in (first, reading):
        for line in part:
            replay.take(line)
    if replay.engine.phase == "finished" and not replay.awaited:
        raise RunNotRestored("the run is over: nothing of it is left to go on with")
    replay.tell_engine()
    return Restored(replay.engine, replay.at_s, list(replay.awaited))


class _Replay:
    """A run that takes the same course once more.

    awaited: what the engine stated, and the journal is still to have.
    """

    def __init__(self, engine: Engine, scenario_of: ScenarioOf, veil: Veil) -> None:
        self.engine = engine
        self.at_s = 0.0
        self.awaited: deque[Event] = deque()
        self._scenario_of = scenario_of
        self._veil = veil
        self._sent: dict[Execution, SendJob] = {}
        self._most_sent = 100  # before those that have ended are forgotten again
        self._due_s: dict[Timer, float] = {}

    def take(self, line: Line) -> None:
        """Take the next line."""
        if isinstance(line, dict):
            self._take_input(line)
            return
        self._pass_left_out(line.seq)
        if not self.awaited:
            if isinstance(line, inputs.QUIET_EVENTS):
                self.engine.core.seq = line.seq
                self.at_s = line.at_s
                return
            report = inputs.told(line)
            if report is None:
                raise _differs(None, line)
            self.engine.core.seq = line.seq - 1
            self._feed(self._veil.input(report), line.at_s)
        stated = self.awaited.popleft() if self.awaited else None
        if stated is None or not _is_same(stated, line):
            raise _differs(stated, line)

    def _pass_left_out(self, seq: int) -> None:
        """Pass over events up to one of which the engine remembers nothing: a full disk had no space for them."""
        while self.awaited and self.awaited[0].seq < seq and isinstance(self.awaited[0], inputs.QUIET_EVENTS):
            self.awaited.popleft()

    def _take_input(self, line: dict[str, Any]) -> None:
        self._pass_left_out(int(line["seq"]) + 1)
        if self.awaited:
            raise _differs(self.awaited[0], None)
        self.engine.core.seq = int(line["seq"])
        try:
            stimulus = inputs.stimulus_of(self._veil.input(line), self._scenario_of)
            bounds = inputs.bounds_of(line)
        except ValueError as error:
            message = f"what the run was fed after event {line.get('seq')} cannot be read: {error}"
            raise RunNotRestored(message, hint=OTHER_VERSION) from error
        self._feed(stimulus, float(line["at_s"]), bounds)

    def _feed(self, stimulus: Stimulus, at_s: float, bounds: Mapping[int, Bound] = inputs.NO_BOUNDS) -> None:
        if isinstance(stimulus, TakeUpRequest):
            self.tell_engine()
        elif isinstance(stimulus, AttemptReport) and isinstance(stimulus.attempt, ErrandId):
            self._sent.pop(stimulus.attempt, None)
        elif isinstance(stimulus, TimerReport):
            self._due_s.pop(stimulus.timer, None)
        self.at_s = at_s
        try:
            outcome = self.engine.feed(stimulus, at_s, bounds)
        except EngineBug as bug:
            raise RunNotRestored(f"the run cannot be built again: {bug.message}", hint=OTHER_VERSION) from bug
        self.awaited.extend(self._veil.events(outcome.events))
        for effect in outcome.effects:
            self._note(effect, at_s)

    def _note(self, effect: Effect, at_s: float) -> None:
        match effect:
            case SendJob():
                self._sent[effect.attempt] = effect
                if len(self._sent) > self._most_sent:
                    self._forget_ended()
            case ArmTimer():
                self._due_s[effect.timer] = at_s + effect.after_s
            case DisarmTimer():
                self._due_s.pop(effect.timer, None)

    def tell_engine(self) -> None:
        """Tell the engine what is under way outside of it: it orders, and does not look back."""
        self._forget_ended()
        self.engine.taking_up.recall(dict(self._sent), dict(self._due_s))

    def _forget_ended(self) -> None:
        running, ahead = self.engine.instances.running, self.engine.ahead
        for execution in list(self._sent):
            if isinstance(execution, AttemptId) and running(execution) is None and execution not in ahead:
                del self._sent[execution]
        self._most_sent = 2 * len(self._sent) + 100


def _is_same(stated: Event, found: Event) -> bool:
    """Whether an event is what the journal has of it."""
    return stated == found or codec.encode(stated) == codec.encode(found)


def _differs(stated: Event | None, found: Event | None) -> RunNotRestored:
    """Say where the run does not come out as the journal has it."""
    seq = found.seq if found is not None else stated.seq if stated is not None else 0
    here = "nothing" if stated is None else stated.TYPE
    there = "something else" if found is None else found.TYPE or "an event of a type that is not known"
    what = f"{here} comes out where the journal has {there}"
    if stated is not None and found is not None and type(stated) is type(found):
        what = f"{here} comes out with other content than the journal has: {_difference(stated, found)}"
    message = f"the run cannot be built again from its journal: at event {seq}, {what}"
    return RunNotRestored(message, hint=OTHER_VERSION)


def _difference(stated: Event, found: Event) -> str:
    """Name the first field that differs, and both values."""
    new, old = codec.load(codec.encode(stated)), codec.load(codec.encode(found))
    for name in (*old, *new):
        if old.get(name) != new.get(name):
            return f"{name} is {quoted(new.get(name), 80)} and not {quoted(old.get(name), 80)}"
    return "the order of its fields"
