"""Going back to a stage's beginning: the variables are as they were there, and what came after runs again.

What was done on the agents stays: nothing can take that back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from octogram_tui.engine.core import BY_HAND, Core
from octogram_tui.engine.course import Start
from octogram_tui.engine.events import CourseMovedBack
from octogram_tui.engine.instances import WENT_BACK
from octogram_tui.engine.staleness import Found
from octogram_tui.model.variables import ABSENT

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine

OPERATOR: Final = BY_HAND[0]


def go_back(engine: Engine, key: str) -> str:
    """Move the course back to a stage's beginning; says why when that cannot be."""
    course, scenario = engine.course, engine.core.scenario
    problem = why_not(engine, key)
    if problem:
        return problem
    position = next(number for number, stage in enumerate(scenario.stages) if stage.key == key)
    undone = {stage.key for stage in scenario.stages[position:]}
    start = course.starts[key]
    if engine.phase == "idle":
        engine.move("running")
    engine.holding.pause_for("back")  # first: what is closed by it opens nothing, and whoever goes back wants to look
    course.move_back(position)
    if engine.going_on is not None:
        engine.going_on.begin_anew()
    restored = _restore(engine.core, start)
    stale = {
        id_: WENT_BACK
        for id_ in engine.instances.readings
        if id_.stage in undone and engine.instances.find(id_) is None
    }
    engine.staleness.tell(Found(stale, len(stale), [], []))
    if restored:
        engine.staleness.tell(engine.staleness.look(None))
    engine.core.emit(CourseMovedBack(stage=key, restored=restored, stale=len(stale)))
    return ""


def why_not(engine: Engine, key: str) -> str:
    """Say why the run cannot go back to a stage now; empty when it can."""
    stage = next((stage for stage in engine.core.scenario.stages if stage.key == key), None)
    if engine.phase not in ("running", "idle"):
        return f"the run is {engine.phase}"
    if stage is None:
        return f"the scenario has no stage {key!r}"
    if key not in engine.course.starts or not engine.course.is_behind(key):
        return f"stage {stage.name} has not begun yet"
    busy = engine.instances.count("running", "watching", "retrying")
    if busy:
        what = "1 attempt is" if busy == 1 else f"{busy} attempts are"
        return f"{what} under way: pause, and go back when that has ended"
    if engine.beside.is_busy or any(run is not engine.course.current for run in engine.dispatcher.stage_runs):
        return "something runs again beside the course: go back when it has ended"
    return ""


def _restore(core: Core, start: Start) -> int:
    """Give every variable the value that it had; each tells so. Gives how many there are."""
    count = 0
    for name in sorted({*core.variables, *start.variables}):
        was, is_now = start.variables.get(name, ABSENT), core.variables.get(name, ABSENT)
        if was is is_now or repr(was) == repr(is_now):
            continue
        count += 1
        if was is ABSENT:
            core.remove_variable(name, OPERATOR)
        else:
            core.set_variable(name, start.variables[name], OPERATOR)
    core.by_course = dict(start.by_course)
    return count
