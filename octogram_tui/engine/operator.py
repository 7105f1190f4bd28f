"""What an operator asks is done, or refused in an event. verbs.py of the runtime is the table of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.core import ABSENT
from octogram_tui.engine.events import (
    ConfirmationGiven,
    RequestRefused,
    RerunBegun,
    RunPaused,
    RunResumed,
    VariableChanged,
)
from octogram_tui.engine.given import set_arguments
from octogram_tui.engine.rerun_all import choose_failed, nothing_to_run
from octogram_tui.engine.reruns import rerun
from octogram_tui.engine.stimuli import (
    ConfirmRequest,
    GoRequest,
    PauseRequest,
    RerunAllRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
)

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


class Operator:
    """The requests of whoever holds control, all but to stop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pause(self, _: PauseRequest) -> None:
        """Hold before the next job."""
        engine = self._engine
        if engine.phase in ("starting", "running"):
            engine.pause_for("operator")
        else:
            self._refuse("pause", f"the run is {engine.phase}")

    def go(self, _: GoRequest) -> None:
        """Let the run go on; a stage that asks is answered with yes."""
        engine = self._engine
        if engine.course.asked:
            self.confirm(ConfirmRequest(engine.course.asked, True))
        if not engine.gate.is_shut:
            return
        undecided = engine.instances.first("undecided")
        if undecided is not None and not engine.instances.count("held") and not engine.in_flight:
            self._refuse("go", f"{undecided.id} failed: rerun or skip it first")
            return
        self.open_gate()

    def open_gate(self) -> None:
        """Open the gate, and let what waits at it move."""
        engine = self._engine
        engine.gate.open()
        engine.core.emit(RunResumed(mode="go"))
        engine.dispatcher.wake()
        if engine.phase == "running" and engine.course.current is None:  # a stage could not be begun: try it again
            engine.course.is_next_due = True

    def step(self, _: StepRequest) -> None:
        """Let one instance through a gate that stays shut."""
        engine = self._engine
        if engine.phase not in ("starting", "running"):
            self._refuse("step", f"the run is {engine.phase}")
            return
        if engine.course.asked:
            self.confirm(ConfirmRequest(engine.course.asked, True))
        if not engine.gate.is_shut:
            engine.gate.shut("step")
            engine.core.emit(RunPaused(reason="step", in_flight=engine.in_flight))
        elif not engine.instances.count("held") and (undecided := engine.instances.first("undecided")) is not None:
            self._refuse("step", f"{undecided.id} failed: rerun or skip it first")
            return
        engine.gate.reason = "step"
        engine.gate.steps += 1
        engine.core.emit(RunResumed(mode="step"))
        engine.dispatcher.wake()

    def confirm(self, stimulus: ConfirmRequest) -> None:
        """Answer a stage that asks."""
        engine = self._engine
        if not engine.course.asked or stimulus.stage not in ("", engine.course.asked):
            self._refuse("confirm", f"stage {stimulus.stage} does not wait for a confirmation")
            return
        stage, engine.course.asked = engine.course.asked, ""
        engine.gate.answers[stage] = stimulus.answer
        engine.core.emit(ConfirmationGiven(stage=stage, answer=stimulus.answer, by=stimulus.by))
        engine.course.is_next_due = True

    def rerun(self, stimulus: RerunRequest) -> None:
        """Run rows again."""
        engine = self._engine
        problem = f"the run is {engine.phase}"
        if engine.phase in ("running", "idle"):
            problem = rerun(engine.core, engine.course, engine.dispatcher, engine.instances, stimulus)
        if problem:
            self._refuse("rerun", problem)

    def rerun_all(self, stimulus: RerunAllRequest) -> None:
        """Run again all that stands failed, or is stale."""
        engine = self._engine
        if engine.phase not in ("running", "idle"):
            self._refuse("rerun all", f"the run is {engine.phase}")
            return
        if stimulus.which == "stale":
            choice = engine.stale_reruns.choose(stimulus, engine.agent_problem)
        else:
            choice = choose_failed(stimulus, engine.instances, engine.agent_problem)
        if not choice.taken:
            self._refuse("rerun all", choice.message or nothing_to_run(stimulus, engine.instances))
            return
        engine.core.emit(
            RerunBegun(
                which=stimulus.which,
                instances=[str(id_) for id_ in choice.taken],
                left_out={str(id_): why for id_, why in choice.left_out.items()},
                message=choice.message,
            )
        )
        if stimulus.which == "stale":
            engine.stale_reruns.begin(choice.taken, go=stimulus.go)
        else:
            if stimulus.go and engine.gate.is_shut:  # before it begins: what fails at once shuts the gate again
                self.open_gate()
            engine.dispatcher.run_again([i for id_ in choice.taken if (i := engine.instances.find(id_)) is not None])

    def skip(self, stimulus: SkipRequest) -> None:
        """Go on as if what failed or is held had succeeded."""
        if not self._engine.dispatcher.pass_over(stimulus.instance):
            self._refuse("skip", f"{stimulus.instance} neither failed nor is held")

    def set_variable(self, stimulus: SetVariableRequest) -> None:
        """Set a variable by hand, and tell what is stale by it."""
        engine = self._engine
        name, core = stimulus.name, engine.core
        if stimulus.remove and name not in core.variables:
            self._refuse("set variable", f"there is no variable {name!r}")
            return
        core.assign(name, ABSENT if stimulus.remove else stimulus.value, "operator")
        found = engine.staleness.look(name)
        core.emit(
            VariableChanged(
                name=name,
                value=None if stimulus.remove else stimulus.value,
                removed=stimulus.remove,
                by="operator",
                stale=found.total,
                fresh=len(found.fresh),
                failed=len(found.failed),
            )
        )
        engine.staleness.tell(found)
        # A held instance follows: what is shown next to it is what it will see.
        for instance in engine.instances.in_state("held"):
            instance.job_run.look_at(core.variables, core.epoch, core.seq)
        engine.transitions.look_at_expressions()

    def set_arguments(self, stimulus: SetArgumentsRequest) -> None:
        """Give an instance other arguments for its next attempt."""
        problem = set_arguments(self._engine, stimulus)
        if problem:
            self._refuse("set arguments", problem)

    def not_yet(self, stimulus: object) -> None:
        """Refuse what is being built."""
        self._refuse(type(stimulus).__name__, "this cannot be asked for yet")

    def _refuse(self, request: str, message: str) -> None:
        self._engine.core.emit(RequestRefused(request=request, message=message))
