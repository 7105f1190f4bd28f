"""What failures and breakpoints mean, and what is held by them: everything, or the agent where it was met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.breakpoints import Met, Verdict
from octogram_tui.engine.events import AgentHeld, AgentReleased, RunPaused
from octogram_tui.engine.instances import Instance
from octogram_tui.errors import ExitCode, TemplateError
from octogram_tui.model.failure import AGENT_LOST, TEMPLATE, Failure
from octogram_tui.model.overrides import fits

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


class Holding:
    """Told of what was met, it shuts the gate as far as the operator chose, or ends the run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def may_hold(self) -> bool:
        """Whether anything may still be held: not once the run is ending."""
        return self._engine.phase in ("running", "idle")

    # -- the gate -------------------------------------------------------------------------------------------------

    def pause_for(self, reason: str, message: str = "") -> None:
        """Shut the gate, and say why."""
        engine = self._engine
        gate = engine.gate
        if not gate.is_shut or gate.reason != reason or gate.lets_some:
            self.tell_as_all(gate.shut(reason))
            engine.core.emit(RunPaused(reason=reason, message=message, in_flight=engine.in_flight))

    def hold_for(self, agent: str, reason: str, message: str) -> None:
        """Hold everything, or only the agent where it was met, as the operator chose; and say why."""
        engine = self._engine
        if engine.gate.mode == "alone" and agent:
            engine.gate.hold(agent, reason)
            self.hold_reruns(agent)
            in_flight = len(engine.instances.on_agent(agent, "running", "watching"))
            engine.core.emit(AgentHeld(agent=agent, reason=reason, message=message, in_flight=in_flight))
        else:
            self.pause_for(reason, message)

    def tell_as_all(self, agents: list[str]) -> None:
        """Tell of agents with which it is again as with all."""
        for text in agents:
            self._engine.core.emit(AgentReleased(agent=text, follows=True))

    def hold_reruns(self, agents: str = "") -> None:
        """Hold also what the operator asked for again, from now on; of agents only."""
        for stage_run in self._engine.dispatcher.stage_runs:
            if not agents:
                stage_run.passes_gate = False
            elif stage_run.passes_gate:
                stage_run.minding.update(lane.agent for lane in stage_run.lanes if fits(agents, lane.agent))

    # -- breakpoints ----------------------------------------------------------------------------------------------

    def stop_at(self, met: Met, instance: Instance | None = None) -> None:
        """A breakpoint was met: hold; or, where nobody is to be waited for, end the run."""
        engine = self._engine
        reason = met.reason if instance is None else f"{instance.id}: {met.reason}"
        if engine.core.options.on_break == "fail":
            engine.causes.add(ExitCode.HELD)
            engine.ending.abort(f"{reason}; there was nobody to look (--on-break fail)")
            return
        self.hold_for("" if instance is None else instance.id.agent, "breakpoint", reason)
        if engine.gate.mode == "all":
            self.hold_reruns()

    def held_after(self, instance: Instance, met: Met) -> None:
        """A breakpoint holds an instance after its attempt."""
        self._engine.dispatcher.held_after(instance, met)

    # -- failures -------------------------------------------------------------------------------------------------

    def verdict(self, instance: Instance) -> Verdict | None:
        """Say what a failure means by the job's own word; None: breakpoints have the next one."""
        own = instance.job_run.spec.on_failure
        return own if self.may_hold or own == "continue" else "abort"

    def lacks(self, error: TemplateError) -> str:
        """Say what a template lacks because of a failure that the run went on after; empty where it is wrong."""
        going_on = self._engine.going_on
        return "" if going_on is None else going_on.lacks(error)

    def go_on_after(self, instance: Instance) -> None:
        """An instance failed, or lacks what it needs: where the run goes on, let it do so without what follows."""
        going_on = self._engine.going_on
        if going_on is not None and going_on.is_on:
            going_on.cut(instance)

    def ended_well(self, instance: Instance) -> None:
        """An attempt ended well."""
        going_on = self._engine.going_on
        if going_on is not None and going_on.out:
            going_on.mended(instance)

    def failure_seen(self, instance: Instance, verdict: Verdict, failure: Failure, *, is_own: bool = True) -> None:
        """Act on a failure that has been told. is_own: the job, or a breakpoint, says what it means."""
        engine = self._engine
        if verdict == "pause":
            self.hold_for(instance.id.agent, "failure", f"{instance.id}: {failure.message}")
            return
        engine.causes.add(
            ExitCode.AGENT_LOST
            if failure.kind == AGENT_LOST
            else ExitCode.SCENARIO
            if failure.kind == TEMPLATE
            else ExitCode.JOB_FAILED
        )
        if engine.phase == "running" and (is_own or engine.going_on is None or not engine.going_on.is_on):
            engine.ending.abort(f"{instance.id} failed")

    def agent_lost(self, agent: str, message: str) -> None:
        """An agent was lost: hold, where failures are held, or end the run."""
        engine = self._engine
        met = engine.breakpoints.lost(agent, engine.fleet.labels_of(agent), message)
        if engine.breakpoints.verdict(met, None) == "pause":
            self.hold_for(agent, "failure", f"agent {agent} was lost: {message}")
        elif engine.going_on is not None and engine.going_on.is_on and met is None:
            engine.going_on.lose(agent)
        else:
            engine.ending.abort(f"agent {agent} was lost")

    # -- what else the transitions ask, and tell ------------------------------------------------------------------

    def ended_later(self, instance: Instance) -> None:
        """Weigh an instance that looked before a variable was set by hand, or the text edited."""
        self._engine.staleness.ended(instance.id)

    def never_began(self, instance: Instance) -> None:
        """An instance was held, and does not run: what it was before counts again."""
        self._engine.staleness.as_before(instance.id, instance.stand.was_stale)

    def agent_problem(self, agent: str) -> str:
        """Say why an agent cannot take a job; empty when it can."""
        return self._engine.fleet.problem(agent)
