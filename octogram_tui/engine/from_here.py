"""Executing again a row and what comes after it in the scenario's order, on the same agents, as far as it has run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from octogram_tui.engine.rerun_all import Choice
from octogram_tui.engine.states import IN_FLIGHT
from octogram_tui.engine.stimuli import RerunRequest

if TYPE_CHECKING:
    from octogram_tui.engine.beside import Beside, Lanes
    from octogram_tui.engine.instances import Instances
    from octogram_tui.model.ids import InstanceId
    from octogram_tui.model.scenario import Scenario


def choose_from_here(
    asked: RerunRequest,
    scenario: Scenario,
    instances: Instances,
    beside: Beside,
    agent_problem: Callable[[str], str],
) -> Choice | str:
    """Find what a request means, or say why it cannot be. Changes nothing.

    What failed and holds its lane runs again in its place; what has not run yet comes anyway.
    """
    choice = Choice([], {})
    lanes: Lanes = {}
    for id_ in _from(asked, scenario, instances):
        live = instances.find(id_)
        if live is not None and live.state in IN_FLIGHT:
            return f"{id_} runs right now"
        if live is not None and live.state not in ("undecided", "stopped"):
            continue
        problem = beside.why_not(id_, lanes, agent_problem, asked.inputs) if live is None else ""
        if problem:
            choice.left_out[id_] = problem
        else:
            choice.taken.append(id_)
    return choice


def _from(asked: RerunRequest, scenario: Scenario, instances: Instances) -> Iterator[InstanceId]:
    """Give what has run, or has begun, from a row on: items in the order in which they first ran."""
    places = {
        (str(stage.key), str(job.key)): (number, position)
        for number, stage in enumerate(scenario.stages)
        for position, job in enumerate(stage.jobs)
    }
    id_ = asked.instance
    stage, job, agent = (id_.stage, id_.job, id_.agent) if id_ is not None else (asked.stage, asked.job, asked.agent)
    of_stage = [place for (key, name), place in places.items() if key == stage and job in ("", name)]
    if not of_stage:
        return
    start = min(of_stage)
    is_past = id_ is None or id_.item is None
    ran = dict.fromkeys([*instances.readings, *instances.attempts, *(i.id for i in instances.everything())])
    for each in ran:
        place = places.get((each.stage, each.job))
        if place is None or agent not in ("", each.agent) or place < start:
            continue
        is_past = is_past or each == id_
        if place > start or is_past:
            yield each
