"""What an operator asks of the gate: to shut, to open, to let one attempt through, or a unit, or all up to a row.

Each is for the whole run, or for some agents: a name, or a text with `*`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import AgentHeld, AgentReleased, HoldModeChosen, RunPaused, RunResumed, WarningGiven
from octogram_tui.engine.instances import Instance
from octogram_tui.engine.schedule import StageRun
from octogram_tui.engine.scope import Scope, around, exactly
from octogram_tui.engine.stimuli import (
    ConfirmRequest,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    StepRequest,
    UntilRequest,
)
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.overrides import fits
from octogram_tui.model.pattern import Pattern

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


class Steps:
    """Pause, go, step, until."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._untils: dict[int, Pattern] = {}  # by the number of the breakpoint that is used once

    # -- pause and go ---------------------------------------------------------------------------------------------

    def pause(self, asked: PauseRequest) -> None:
        """Hold before the next job, everywhere or on agents only."""
        engine = self._engine
        problem = self._not_now() or self._no_agent(asked.agent)
        if not problem and asked.agent and engine.gate.overrides.of(asked.agent) == "operator":
            problem = f"{asked.agent} is held by you already"
        if problem:
            engine.operator.refuse("pause", problem)
        elif asked.agent:
            self._hold(asked.agent, "operator")
        else:
            engine.holding.pause_for("operator")
            engine.holding.hold_reruns()

    def _hold(self, agents: str, reason: str) -> None:
        engine = self._engine
        engine.gate.hold(agents, reason)
        engine.holding.hold_reruns(agents)
        in_flight = sum(fits(agents, i.id.agent) for i in engine.instances.in_state("running", "watching"))
        engine.core.emit(AgentHeld(agent=agents, reason=reason, in_flight=in_flight))

    def go(self, asked: GoRequest) -> None:
        """Let the run go on, or agents of it; a stage that asks is answered with yes."""
        problem = self._go(asked.agent)
        if problem:
            self._engine.operator.refuse("go", problem)

    def _go(self, agents: str) -> str:
        """Do it, or say why not."""
        engine = self._engine
        if not agents and engine.course.asked:
            engine.operator.confirm(ConfirmRequest(engine.course.asked, True))
        problem = self._why_not_go(agents)
        if problem:
            return problem
        if agents:
            engine.core.emit(AgentReleased(agent=agents, follows=engine.gate.release(agents)))
            engine.dispatcher.wake(engine.instances.line.within(Scope(agents)))
        elif not engine.gate.is_plain:
            self.open_gate()
        return ""

    def _why_not_go(self, agents: str) -> str:
        """Say why neither the run nor what agents hold can go on; empty when it can, or does."""
        engine = self._engine
        gate, line = engine.gate, engine.instances.line
        if agents:
            return self._why_not_go_on(agents)
        held = gate.overrides.held()
        if not gate.is_shut and (not held or all(why == "operator" for why in held.values())):
            names = ", ".join(held)
            return f"the run goes on, but for what you hold: {names} (go agent={next(iter(held))})" if held else ""
        undecided = engine.instances.first("undecided")
        if gate.is_shut and undecided is not None and not len(line) and not engine.in_flight:
            return f"{undecided.id} failed: rerun or skip it first"
        return ""

    def _why_not_go_on(self, agents: str) -> str:
        engine = self._engine
        gate, instances = engine.gate, engine.instances
        problem = self._no_agent(agents)
        if problem:
            return problem
        meant = self._meant(agents)
        if not any(gate.is_closed_to(name) for name in meant):
            return f"{agents} is not held"
        if not any(instances.line.has(name) for name in meant):
            undecided = next((i for i in instances.in_state("undecided") if fits(agents, i.id.agent)), None)
            busy = any(fits(agents, i.id.agent) for i in instances.in_state("running", "watching", "retrying"))
            if undecided is not None and not busy:
                return f"{undecided.id} failed: rerun or skip it first"
        lost = engine.fleet.problem(meant[0]) if len(meant) == 1 and engine.phase != "starting" else ""
        return f"{lost}: skip what is held there" if lost else ""

    def open_gate(self) -> None:
        """Open the gate, and let what waits at it move."""
        engine = self._engine
        engine.holding.tell_as_all(engine.gate.open())
        engine.core.emit(RunResumed(mode="go", what="everything"))
        engine.dispatcher.wake(engine.instances.line.within(Scope()))
        self._go_on_to_next_stage()

    def _go_on_to_next_stage(self) -> None:
        """A stage that could not be begun, or that a breakpoint holds, is tried again."""
        engine = self._engine
        if engine.phase == "running" and engine.course.current is None:
            engine.course.is_next_due = True

    # -- step -----------------------------------------------------------------------------------------------------

    def step(self, asked: StepRequest) -> None:
        """Let something through a gate that stays shut, or shuts behind it."""
        problem = self._step(asked)
        if problem:
            self._engine.operator.refuse("step", problem)

    def _step(self, asked: StepRequest) -> str:
        """Do it, or say why not."""
        engine = self._engine
        problem = self._not_now() or self._no_agent(asked.agent)
        if problem:
            return problem
        try:
            unit = Pattern.parse(asked.unit) if asked.unit else None
        except ValueError as error:
            return str(error)
        if engine.course.asked and not asked.agent:
            engine.operator.confirm(ConfirmRequest(engine.course.asked, True))
        if engine.course.held and not len(engine.instances.line):
            return self._step_into_stage(asked)
        head = self._head(Scope(asked.agent, unit if asked.depth == "into" else None))
        if asked.depth == "into":
            return self._step_into(asked, Scope(asked.agent, unit), head)
        if unit is None:
            if head is None:
                return f"nothing of {Scope(asked.agent)} is held: name what to step over"
            unit = exactly(head.id)
        return self._step_over(asked, Scope(asked.agent, around(unit) if asked.depth == "out" else unit))

    def _head(self, scope: Scope) -> Instance | None:
        """Give what is next in a scope: what stands at the gate for the longest time, and is held by it."""
        engine = self._engine
        there = engine.instances.line.within(scope)
        would_shut = not engine.gate.is_shut and self._shuts(scope.agents)
        return next(there, None) if would_shut else engine.gate.holds(there)

    def _shuts(self, agents: str) -> bool:
        """Whether a step of some agents shuts the gate behind itself: all of it, or for them."""
        engine = self._engine
        gate = engine.gate
        if agents:
            return not all(gate.is_closed_to(name) for name in self._meant(agents))
        if gate.is_shut:
            return False
        # Where breakpoints hold single agents, a step is for what they hold, and the others go on.
        return gate.mode == "all" or gate.holds(engine.instances.line.within(Scope())) is None

    def _shut_for(self, agents: str) -> None:
        engine = self._engine
        if not self._shuts(agents):
            if not agents and engine.gate.is_shut:
                engine.gate.reason = "step"
        elif agents:
            self._hold(agents, "step")
        else:
            engine.holding.tell_as_all(engine.gate.shut("step"))
            engine.core.emit(RunPaused(reason="step", in_flight=engine.in_flight))

    def _step_into(self, asked: StepRequest, scope: Scope, head: Instance | None) -> str:
        engine = self._engine
        if head is None:
            problem = self._why_none_comes(scope)
        else:
            problem = f"{head.id} has been let go, and waits for room" if head.stand.is_let else ""
        if problem:
            return problem
        self._shut_for(asked.agent)
        if head is None:
            engine.gate.let_next(scope)
        else:
            engine.gate.let(head, one_attempt=True)
        self._tell_step(asked, f"what comes next of {scope}" if head is None else str(head.id))
        if head is not None:
            engine.dispatcher.wake([head])
        return ""

    def _why_none_comes(self, scope: Scope) -> str:
        """Nothing of a scope is held: say why nothing will come to the gate either; empty when it may."""
        engine = self._engine
        undecided = next((i for i in engine.instances.in_state("undecided") if scope.covers(i.id)), None)
        if undecided is not None and (engine.gate.is_shut or scope.agents):
            busy = any(scope.has(i.id.agent) for i in engine.instances.in_state("running", "watching", "retrying"))
            return "" if busy and not scope.agents else f"{undecided.id} failed: rerun or skip it first"
        if scope.unit is not None and not self._is_left(scope):
            return self._not_left(scope)
        return ""

    def _step_over(self, asked: StepRequest, scope: Scope) -> str:
        engine = self._engine
        unit = scope.unit
        if not self._is_left(scope):
            return self._not_left(scope)
        there = list(engine.instances.line.within(scope))
        if not there:
            undecided = next((i for i in engine.instances.in_state("undecided") if scope.covers(i.id)), None)
            if undecided is not None and not any(
                scope.covers(i.id) for i in engine.instances.in_state("running", "watching", "retrying")
            ):
                return f"{undecided.id} failed: rerun or skip it first"
        self._shut_for(asked.agent)
        engine.gate.permit(scope)
        for instance in there:
            if unit == exactly(instance.id):  # it is named: the operator's word comes before breakpoints
                engine.gate.let(instance, one_attempt=False)
        rest = "the rest of" if asked.depth == "out" else "all of"
        is_one = len(there) == 1 and unit == exactly(there[0].id)
        self._tell_step(asked, str(scope) if is_one else f"{rest} {scope}")
        engine.dispatcher.wake(there)
        return ""

    def _step_into_stage(self, asked: StepRequest) -> str:
        """A breakpoint holds a stage: let it begin, and hold what it is made of."""
        engine = self._engine
        stage = engine.course.held
        if not (asked.agent and engine.gate.is_shut):
            self._shut_for("")
        if asked.depth != "into":
            engine.gate.permit(Scope(asked.agent, Pattern.of(stage)))
        self._tell_step(asked, f"the beginning of stage {stage}" if asked.depth == "into" else f"all of stage {stage}")
        self._go_on_to_next_stage()
        return ""

    def _tell_step(self, asked: StepRequest, what: str) -> None:
        self._engine.core.emit(
            RunResumed(mode="step", agent=asked.agent, depth=asked.depth, unit=asked.unit, what=what)
        )

    # -- until ----------------------------------------------------------------------------------------------------

    def until(self, asked: UntilRequest) -> None:
        """Set a breakpoint that is used once, and go on."""
        engine = self._engine
        problem = self._until(asked)
        if problem:
            engine.operator.refuse("until", problem)

    def _until(self, asked: UntilRequest) -> str:
        engine = self._engine
        problem = self._not_now() or self._no_agent(asked.agent)
        if problem:
            return problem
        try:
            row = Pattern.parse(asked.row)
        except ValueError as error:
            return str(error)
        if asked.agent and not row.agent:
            row = row._replace(agent=asked.agent)
        there = next((i for i in engine.instances.line.within(Scope("", row)) if i.state == "held"), None)
        if there is not None and engine.gate.is_closed_to(there.id.agent):
            return f"{there.id} is held already"
        if not (self._is_left(Scope("", row)) or self._comes_later(row)):
            return self._not_left(Scope("", row))
        is_held = engine.gate.is_closed_to(asked.agent) if asked.agent else engine.gate.is_shut
        problem = self._why_not_go(asked.agent) if is_held and not engine.course.asked else ""
        if not problem:
            number = engine.breakpoints.add(Breakpoint(pattern=str(row), is_once=True))
            self._untils[number] = row
            if is_held or engine.course.asked:
                self._go(asked.agent)
        return problem

    def stage_ended(self, stage_run: StageRun) -> None:
        """A pass through a stage has ended: permits for it end, and rows may be out of reach."""
        engine = self._engine
        if not stage_run.is_rerun:
            engine.gate.stage_ended(stage_run.spec.key)
        for number, row in list(self._untils.items()):
            if number not in engine.breakpoints:
                del self._untils[number]
            elif not (self._is_left(Scope("", row)) or self._comes_later(row)):
                del self._untils[number]
                engine.breakpoints.remove(number, "it can no longer be reached")
                engine.core.emit(WarningGiven(message=f"{row} can no longer be reached: the run goes on past it"))

    # -- what there is --------------------------------------------------------------------------------------------

    def _not_now(self) -> str:
        """Say why nothing can be asked of the gate; empty when it can."""
        engine = self._engine
        is_there = engine.phase in ("starting", "running") or (engine.phase == "idle" and engine.dispatcher.stage_runs)
        return "" if is_there else f"the run is {engine.phase}"

    def _meant(self, agents: str) -> list[str]:
        """Give the agents that fit; one that is named is not looked for among all of them."""
        fleet = self._engine.fleet
        if "*" not in agents:
            return [agents] if fleet.has(agents) else []
        return [name for name in fleet.names if fits(agents, name)]

    def _no_agent(self, agents: str) -> str:
        """Say that no agent is meant; empty when there is one, or all are."""
        if not agents or self._meant(agents):
            return ""
        return f"no agent fits {agents!r}" if "*" in agents else f"there is no agent {agents!r}"

    def _is_left(self, scope: Scope) -> bool:
        """Whether something of a scope stands at the gate, is under way, or comes yet in a stage that has begun."""
        engine = self._engine
        unit = scope.unit
        if unit is None or next(engine.instances.line.within(scope), None) is not None:
            return True
        for stage_run in engine.dispatcher.stage_runs:
            if not unit.matches_stage(stage_run.spec.key) or stage_run.is_closing:
                continue
            for lane in stage_run.lanes:
                if scope.has(lane.agent) and not lane.is_done:
                    keys = [*lane.active, *(job.key for job in lane.jobs[lane.index :])]
                    if unit.matches_agent(lane.agent) and any(
                        unit.matches_job(stage_run.spec.key, key) for key in keys
                    ):
                        return True
        return False

    def _comes_later(self, row: Pattern) -> bool:
        """Whether a row may be part of a stage that has not begun."""
        return any(row.matches_agent(name) for name in self._engine.fleet.names) and any(
            row.matches_job(stage.key, job.key) for stage in self._engine.course.rest for job in stage.jobs
        )

    def _not_left(self, scope: Scope) -> str:
        if scope.unit is not None and self._comes_later(scope.unit):
            return f"{scope} comes later: go on until it"
        return f"nothing of {scope} is left: it has run, or the scenario has no such row"

    def choose_mode(self, asked: HoldModeRequest) -> None:
        """Say what breakpoints and failures hold from now on."""
        self._engine.gate.mode = asked.mode
        self._engine.core.emit(HoldModeChosen(mode=asked.mode))
