"""The gate before every attempt. Pauses, steps, breakpoints, confirmations: all are answers of this one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.scope import Scope
from octogram_tui.engine.stimuli import HoldMode
from octogram_tui.model.overrides import Overrides, fits
from octogram_tui.model.scenario import StageSpec

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance

Answer = Literal["go", "hold", "skip", "stop"]


class Hold(NamedTuple):
    """The gate lets something not through. breakpoint: the number of the one that it has just met there."""

    reason: str
    breakpoint: int = 0


class Gate:
    """Open or shut for all, but for single agents; while it is shut, permits let something through.

    is_plain: it is open, for every agent. Together with breakpoints that are idle that is all a dispatch looks at.
    """

    def __init__(self, options: RunOptions) -> None:
        self.confirm = options.confirm
        self.is_shut = options.start_paused
        self.reason = "start" if options.start_paused else ""
        self.mode: HoldMode = "all"
        self.overrides = Overrides()
        self.answers: dict[str, bool] = {}  # confirmations given, by stage
        self._permits: list[Scope] = []  # all of these goes
        self._next: list[Scope] = []  # of each, one attempt goes: the first that comes
        self._let: list[Instance] = []  # these go, once there is room
        self.is_plain = not self.is_shut

    # -- what is done to it ---------------------------------------------------------------------------------------

    def shut(self, reason: str) -> list[str]:
        """Let nothing through until it opens. Gives the agents that went though it was shut, and do no more."""
        self.is_shut = True
        self.reason = reason
        for instance in self._let:
            instance.stand.is_let = False
        self._let, self._permits, self._next = [], [], []
        return self._as_all(self.overrides.all_with(""))

    def open(self) -> list[str]:
        """Let everything through, but for agents that the operator holds. Gives those with which it is as with all."""
        self.is_shut = False
        self.reason = ""
        self._let, self._permits, self._next = [], [], []
        held = [text for text, why in self.overrides.held().items() if why != "operator"]
        return self._as_all([*self.overrides.all_with(""), *held])

    def retire(self) -> list[str]:
        """Hold nothing any more. Gives the agents that were held."""
        return self.open() + self._as_all(list(self.overrides.held()))

    def _as_all(self, agents: list[str]) -> list[str]:
        for text in agents:
            self.overrides.set(text, None)
        self._look()
        return agents

    def hold(self, agents: str, reason: str) -> None:
        """Be shut for agents, whatever it is for the others."""
        self.overrides.set(agents, reason)
        for scope in (*self._permits, *self._next):
            scope.leave_out(agents)
        for instance in self._let:
            if fits(agents, instance.id.agent):
                instance.stand.is_let = False
        self._look()

    def release(self, agents: str) -> bool:
        """Be open for agents. True when it is open for all, so that it is with them as with the others."""
        self.overrides.set(agents, "" if self.is_shut else None)
        self._look()
        return not self.is_shut

    def _look(self) -> None:
        self.is_plain = not self.is_shut and not self.overrides

    def let(self, instance: Instance, *, one_attempt: bool) -> None:
        """Let this one through, whatever breakpoints are there; one_attempt: and hold a further one."""
        instance.stand.is_let = True
        instance.stand.is_stepped = one_attempt
        self._let.append(instance)

    def let_next(self, scope: Scope) -> None:
        """Let the first attempt of a scope through that comes; there is none now."""
        self._next.append(scope)

    def permit(self, scope: Scope) -> None:
        """Let all of a scope through."""
        self._permits.append(scope)

    @property
    def lets_some(self) -> bool:
        """Whether something goes through though it is shut."""
        return bool(self._permits or self._next or self._let or self.overrides.all_with(""))

    def stage_ended(self, stage: str) -> None:
        """Nothing is left of what was let through of a stage."""
        if self._permits:
            self._permits = [scope for scope in self._permits if not scope.is_within(stage)]

    # -- what it is asked -----------------------------------------------------------------------------------------

    def confirmation(self, stage: StageSpec) -> Answer:
        """Answer for a stage with `ask_confirmation`."""
        if not stage.ask_confirmation:
            return "go"
        if stage.key in self.answers:
            return "go" if self.answers[stage.key] else "skip"
        answers: dict[str, Answer] = {"yes": "go", "no": "skip", "fail": "stop", "ask": "hold"}
        return answers[self.confirm]

    def is_closed_to(self, agent: str) -> bool:
        """Whether it is shut for an agent."""
        word = self.overrides.of(agent)
        return self.is_shut if word is None else word != ""

    def reason_for(self, agent: str) -> str:
        """Say why it is shut for an agent."""
        return self.overrides.of(agent) or self.reason

    def before(self, instance: Instance) -> Hold | None:
        """Answer for an instance that is about to begin: None lets it.

        What an operator asked for again goes, as long as nothing has held it: only breakpoints do.
        """
        standing = instance.standing
        if standing is not None:
            if standing.is_let:
                return None
            standing.is_stepped = False
        agent = instance.id.agent
        run = instance.job_run.lane.stage_run
        is_asked_for = run.passes_gate and agent not in run.minding and (standing is None or not standing.order)
        if is_asked_for or not self.is_closed_to(agent) or self._permitted(instance):
            return None
        return None if self._is_next(instance) else Hold(self.reason_for(agent))

    def again(self, instance: Instance) -> Hold | None:
        """Answer for a further attempt whose delay is over. It belongs to what was let through, but after a step."""
        standing = instance.standing
        agent = instance.id.agent
        is_stepped = standing is not None and standing.is_stepped
        if not is_stepped or not self.is_closed_to(agent) or self._permitted(instance):
            return None
        return None if self._is_next(instance) else Hold(self.reason_for(agent))

    def is_named(self, instance: Instance) -> bool:
        """Whether the operator has named an instance: it goes, whatever breakpoints are there."""
        return instance.standing is not None and instance.standing.is_let

    def lets_on(self, instance: Instance) -> bool:
        """Answer for an instance that is stopped: whether it may go on."""
        stand = instance.stand
        if stand.is_let:
            return True
        if self.is_closed_to(instance.id.agent) and not self._permitted(instance):
            return False
        stand.is_stepped = False
        return True

    def _is_next(self, instance: Instance) -> bool:
        """Whether a step waits for what comes first, and this is it: then the step is used up."""
        place = next((n for n, scope in enumerate(self._next) if scope.covers(instance.id)), None)
        if place is None:
            return False
        del self._next[place]
        instance.stand.is_stepped = True
        return True

    def _permitted(self, instance: Instance) -> bool:
        return any(scope.covers(instance.id) for scope in self._permits)

    def holds(self, instances: Iterator[Instance]) -> Instance | None:
        """Give the first that it holds: what else stands there waits for room."""
        return next((i for i in instances if self.is_closed_to(i.id.agent)), None)
