"""Arguments that the operator gives an instance, for its next attempt and what is tried again of that by itself.

They are kept by the instance's name, however that attempt comes: the gate opens, it runs again, its stage does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import ArgumentsSet, WarningGiven
from octogram_tui.engine.states import IN_FLIGHT
from octogram_tui.engine.stimuli import SetArgumentsRequest
from octogram_tui.errors import TemplateError
from octogram_tui.model.scenario import JobSpec, Scenario

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine
    from octogram_tui.model.ids import InstanceId


def set_arguments(engine: Engine, asked: SetArgumentsRequest) -> str:
    """Keep arguments for an instance's next attempt, or forget them; says why when that cannot be."""
    id_, instances = asked.instance, engine.instances
    instance = instances.find(id_)
    if asked.remove:
        if instances.given.pop(id_, None) is None:
            return f"{id_} was given no arguments"
        engine.core.emit(ArgumentsSet(instance=id_))
        return ""
    if not asked.arguments:
        return "say which arguments, and what they are to be"
    if instance is not None and instance.state in IN_FLIGHT:
        return f"{id_} runs right now"
    if instance is None and not instances.attempts_of(id_):
        return f"{id_} has not come to the gate yet"
    spec = instance.job_run.spec if instance is not None else job_of(engine.core.scenario, id_)
    if spec is None:
        return f"the scenario has no {id_.stage}/{id_.job} now"
    given = {**instances.given.get(id_, {}), **asked.arguments}
    try:
        taken = spec.arguments.replaced(given).raw()
    except TemplateError as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    given = {name: None if value is None else taken.get(name) for name, value in given.items()}
    instances.given[id_] = given
    engine.core.emit(ArgumentsSet(instance=id_, arguments=given))
    return ""


def follow_edit(engine: Engine) -> None:
    """The file was edited: what a procedure does not take any more is forgotten, and said."""
    given = engine.instances.given
    for id_ in list(given):
        spec = job_of(engine.core.scenario, id_)
        why = "the edited scenario has it no more" if spec is None else ""
        if spec is not None:
            try:
                spec.arguments.replaced(given[id_])
            except TemplateError as error:
                why = error.message
        if why:
            del given[id_]
            engine.core.emit(ArgumentsSet(instance=id_, by="scenario"))
            message = f"the arguments that {id_} was given are forgotten: {why}"
            engine.core.emit(WarningGiven(message=message, stage=id_.stage, agent=id_.agent))


def job_of(scenario: Scenario, id_: InstanceId) -> JobSpec | None:
    """Give the job of an instance, if the scenario has it."""
    stage = next((stage for stage in scenario.stages if stage.key == id_.stage), None)
    return next((job for job in stage.jobs if job.key == id_.job), None) if stage is not None else None
