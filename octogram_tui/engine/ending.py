"""How a run comes to its end: by a failure, a limit or the operator, or with its last stage. Agents are stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.effects import ArmTimer, DisarmTimer, EndRun
from octogram_tui.engine.events import RunFinished, RunResumed, StopRequested, WarningGiven
from octogram_tui.engine.stimuli import StopRequest
from octogram_tui.engine.timers import RunTimer, StageOver
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import ExitCode

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine

CANCEL_S = 30.0  # how long an agent may take to end what it was told to; its own ladder takes 15 s at most


class Ending:
    """Knows why the run ends. `asked_first`: asked to stop before it was asked to begin."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.reason = ""
        self.asked_first: StopRequest | None = None
        self._is_forced = False

    def abort(self, reason: str) -> None:
        """A failure ends the run: siblings are cancelled, `always` stages run to their end, agents are stopped."""
        engine = self._engine
        if engine.phase == "idle":
            self.stop_agents(reason)
        elif engine.phase == "running":
            self.end_early(reason)

    def end_early(self, reason: str) -> None:
        """End the run before its last stage: what runs is cancelled, `always` stages run."""
        engine = self._engine
        self.reason = self.reason or reason
        if engine.phase == "running":
            engine.move("ending")
            self._hold_no_more()
            engine.course.asked = ""
            for stage_run in list(engine.dispatcher.stage_runs):
                if not stage_run.spec.always:  # what collects and cleans goes on: one agent's failure is its own
                    engine.dispatcher.close(stage_run, reason, at_once=False)
            if engine.in_flight:
                engine.core.order(ArmTimer(RunTimer.CANCEL, CANCEL_S))
            engine.course.is_next_due = engine.course.is_next_due or engine.course.current is None

    def _hold_no_more(self) -> None:
        """Open the gate for good: what has to run at the end runs."""
        engine = self._engine
        engine.breakpoints.end()
        engine.beside.give_up()
        was_shut = engine.gate.is_shut
        engine.holding.tell_as_all(engine.gate.retire())
        if was_shut:
            engine.core.emit(RunResumed(mode="go", what="what runs at the end"))

    def stage_over(self, key: str) -> None:
        """A stage has had its time: what runs there is ended. So is the run, unless it goes on after failures."""
        engine, stage_run = self._engine, self._engine.course.current
        if stage_run is None or stage_run.spec.key != key or stage_run.is_closing or stage_run.spec.timeout_s is None:
            return
        core = engine.core
        lasted_s = core.at_s - stage_run.started_s - (core.paused_s - stage_run.paused_s)
        left_s = round(stage_run.spec.timeout_s - lasted_s, 6)
        if left_s > 0:  # the run stood still, or does: that is nobody's fault
            core.order(ArmTimer(StageOver(key), max(left_s, 1.0) if core.stands_still else left_s))
            return
        engine.causes.add(ExitCode.TIME_LIMIT)
        reason = f"stage {stage_run.spec.name} has lasted its {stage_run.spec.timeout_s:g} s"
        core.emit(WarningGiven(message=reason, stage=key))
        stage_run.failed = True
        if engine.going_on is not None and engine.going_on.is_on:
            engine.going_on.time_is_over(stage_run, reason)
        else:
            self.end_early(reason)
        if not stage_run.is_closing:
            engine.dispatcher.close(stage_run, reason, at_once=False)
            if engine.in_flight:
                core.order(ArmTimer(RunTimer.CANCEL, CANCEL_S))

    def stop(self, stimulus: StopRequest) -> None:
        """First: end what runs, run the `always` stages, stop the agents. Again, or by force: only the last."""
        engine = self._engine
        if engine.phase == "new":
            self.asked_first = self.asked_first or stimulus
            return
        if engine.phase in ("stopping", "finished"):
            if stimulus.force:
                engine.core.emit(StopRequested(by=stimulus.by, force=True))
                engine.fleet.stop_all(force=True)
                self._is_forced = True
                if engine.fleet.is_stopped and engine.phase == "stopping" and engine.allocation is not None:
                    engine.allocation.end(force=True)
            return
        if stimulus.exit_code:
            # All stages are done, and only the end was waited for: then a Ctrl-C is what it looks like, the end.
            is_over = engine.phase == "idle" and stimulus.by in ("operator", "SIGINT")
            if not is_over:
                engine.causes.add(stimulus.exit_code)
        engine.core.emit(StopRequested(by=stimulus.by, force=stimulus.force))
        reason = self.reason or f"stopped by {stimulus.by}"
        if engine.phase == "running" and not stimulus.force:
            self.end_early(reason)
            engine.core.order(ArmTimer(RunTimer.COLLECT, engine.core.options.collect_s))
        elif engine.phase == "ending" and not stimulus.force:
            engine.core.order(ArmTimer(RunTimer.COLLECT, engine.core.options.collect_s))
        else:
            self.stop_agents(reason, force=stimulus.force)

    def stop_agents(self, reason: str, *, force: bool = False) -> None:
        """Stop every agent; what still runs on them is over."""
        engine = self._engine
        self.reason = self.reason or reason
        for timer in (RunTimer.LIMIT, RunTimer.COLLECT, RunTimer.CANCEL):
            engine.core.order(DisarmTimer(timer))
        engine.move("stopping")
        self._hold_no_more()
        engine.course.asked = ""
        for stage_run in list(engine.dispatcher.stage_runs):
            engine.dispatcher.close(stage_run, reason or "the run ends")
        engine.fleet.stop_all(force=force)
        self._is_forced = force
        self.finish_when_stopped()

    def finish_when_stopped(self) -> None:
        """Finish the run once every agent has ended."""
        engine = self._engine
        if engine.phase != "stopping" or not engine.fleet.is_stopped:
            return
        if engine.allocation is not None and not engine.allocation.is_over:
            engine.allocation.end(force=self._is_forced)
            return
        engine.transitions.lose_all(engine.fleet.names, "the run was stopped")
        engine.dispatcher.settle(at_once=True)
        engine.move("finished")
        code = exit_code(engine.causes)
        engine.core.emit(
            RunFinished(
                exit_code=code,
                reason=self.reason,
                duration_s=round(engine.core.at_s, 3),
                counts=dict(engine.transitions.counts),
                causes=sorted(int(c) for c in engine.causes),
                paused_s=round(engine.core.paused_s, 3),
            )
        )
        engine.core.order(EndRun(code))
