"""What an operator asks is done, or refused in an event. verbs.py of the runtime is the table of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.back import go_back
from octogram_tui.engine.events import (
    ConfirmationGiven,
    RequestRefused,
    RerunBegun,
    VariableChanged,
)
from octogram_tui.engine.from_here import choose_from_here
from octogram_tui.engine.given import set_arguments
from octogram_tui.engine.rerun_all import Choice, choose_failed, nothing_to_run
from octogram_tui.engine.reruns import rerun
from octogram_tui.engine.skips import skip_all
from octogram_tui.engine.stimuli import (
    BackRequest,
    ConfirmRequest,
    RerunAllRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipAllRequest,
    SkipRequest,
)
from octogram_tui.model.variables import ABSENT

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


class Operator:
    """The requests of whoever holds control, but for those to the gate (steps.py) and the one to stop (ending.py)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def confirm(self, stimulus: ConfirmRequest) -> None:
        """Answer a stage that asks."""
        engine = self._engine
        if not engine.course.asked or stimulus.stage not in ("", engine.course.asked):
            self.refuse("confirm", f"stage {stimulus.stage} does not wait for a confirmation")
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
            current = engine.course.current
            is_restart = not (stimulus.job or stimulus.agent or stimulus.instance) and current is not None
            if stimulus.from_here and not (is_restart and current is not None and current.spec.key == stimulus.stage):
                self._rerun_from_here(stimulus)
                return
            problem = rerun(engine.core, engine.course, engine.dispatcher, engine.instances, stimulus)
        if problem:
            self.refuse("rerun", problem)

    def _rerun_from_here(self, stimulus: RerunRequest) -> None:
        engine = self._engine
        scenario, instances = engine.core.scenario, engine.instances
        choice = choose_from_here(stimulus, scenario, instances, engine.beside, engine.fleet.problem)
        if isinstance(choice, str) or not choice.taken:
            self.refuse("rerun", choice if isinstance(choice, str) else choice.message or "it has not run yet")
            return
        self._tell_choice("from here", choice)
        engine.beside.begin(choice.taken, inputs=stimulus.inputs)

    def _tell_choice(self, which: str, choice: Choice) -> None:
        self._engine.core.emit(
            RerunBegun(
                which=which,
                instances=[str(id_) for id_ in choice.taken],
                left_out={str(id_): why for id_, why in choice.left_out.items()},
                message=choice.message,
            )
        )

    def rerun_all(self, stimulus: RerunAllRequest) -> None:
        """Run again all that stands failed, or is stale."""
        engine = self._engine
        if engine.phase not in ("running", "idle"):
            self.refuse("rerun all", f"the run is {engine.phase}")
            return
        if stimulus.which == "stale":
            choice = engine.beside.choose_stale(stimulus, engine.fleet.problem)
        else:
            choice = choose_failed(stimulus, engine.instances, engine.fleet.problem)
        if not choice.taken:
            gone_on = (
                engine.going_on.said_of_failed if stimulus.which == "failed" and engine.going_on is not None else ""
            )
            self.refuse("rerun all", choice.message or nothing_to_run(stimulus, engine.instances) + gone_on)
            return
        self._tell_choice(stimulus.which, choice)
        if stimulus.which == "stale":
            stale = engine.instances.stale
            engine.beside.begin(
                choice.taken, go=stimulus.go, inputs=stimulus.inputs, is_wanted=lambda id_: id_ in stale
            )
        else:
            if stimulus.go and engine.gate.is_shut:  # before it begins: what fails at once shuts the gate again
                engine.steps.open_gate()
            failed = [i for id_ in choice.taken if (i := engine.instances.find(id_)) is not None]
            engine.dispatcher.run_again(failed, stimulus.inputs)

    def skip(self, stimulus: SkipRequest) -> None:
        """Go on as if what failed or is held had succeeded."""
        if not self._engine.dispatcher.pass_over(stimulus.instance):
            self.refuse("skip", f"{stimulus.instance} neither failed nor is held")

    def back(self, stimulus: BackRequest) -> None:
        """Go back to a stage's beginning."""
        problem = go_back(self._engine, stimulus.stage)
        if problem:
            self.refuse("back", problem)

    def skip_all(self, stimulus: SkipAllRequest) -> None:
        """Go on as if all of these had succeeded."""
        problem = skip_all(self._engine, stimulus)
        if problem:
            self.refuse("skip all", problem)

    def set_variable(self, stimulus: SetVariableRequest) -> None:
        """Set a variable by hand, and tell what is stale by it."""
        engine = self._engine
        name, core = stimulus.name, engine.core
        if stimulus.remove and name not in core.variables:
            self.refuse("set variable", f"there is no variable {name!r}")
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
        for instance in engine.instances.in_state("held", "stopped"):
            instance.job_run.look_at(core.variables, core.epoch, core.seq)
        engine.transitions.look_at_expressions()

    def set_arguments(self, stimulus: SetArgumentsRequest) -> None:
        """Give an instance other arguments for its next attempt."""
        problem = set_arguments(self._engine, stimulus)
        if problem:
            self.refuse("set arguments", problem)

    def refuse(self, request: str, message: str) -> None:
        """Say in a line why a request is not followed."""
        self._engine.core.emit(RequestRefused(request=request, message=message))
