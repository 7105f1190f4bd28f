"""Executing again all that stands failed, or some of it, and nothing else; what cannot be is left out, and said.

What is stale is chosen in beside.py, and told in the same words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.stimuli import RerunAllRequest, SkipAllRequest
from octogram_tui.model.ids import InstanceId

NEEDS_NO_AGENT = ("assertion", "expression")


class Choice(NamedTuple):
    """What a request comes down to: what runs again, and why the rest does not."""

    taken: list[InstanceId]
    left_out: dict[InstanceId, str]

    @property
    def message(self) -> str:
        """Say in a line what came of it; without anything taken, why not."""
        reasons = Counter(self.left_out.values())
        # One row that is left out is named with its reason; of several, how many there are of each.
        said = [
            next(f"{id_}: {why}" for id_, why in self.left_out.items() if why == reason)
            if count == 1
            else f"{count} rows: {reason}"
            for reason, count in reasons.items()
        ]
        if not self.taken:
            return "; ".join(said)
        agents = len({id_.agent for id_ in self.taken})
        again = "1 instance runs" if len(self.taken) == 1 else f"{len(self.taken)} instances run"
        text = f"{again} again on {'1 agent' if agents == 1 else f'{agents} agents'}"
        return f"{text}; left out: {'; '.join(said)}" if said else text


def choose_failed(asked: RerunAllRequest, instances: Instances, agent_problem: Callable[[str], str]) -> Choice:
    """Find what a request means: it changes nothing.

    Only what waits for the operator's decision is taken: all other failures have had their consequences already.
    """
    choice = Choice([], {})
    for id_ in chosen_of(asked, [instance.id for instance in instances.in_state("undecided")]):
        instance = instances.find(id_)
        problem = _why_not(id_, instance, instances)
        if not problem and instance is not None and instance.job_run.spec.where not in NEEDS_NO_AGENT:
            problem = agent_problem(id_.agent)
        if problem:
            choice.left_out[id_] = problem
        else:
            choice.taken.append(id_)
    return choice


def nothing_to_run(asked: RerunAllRequest, instances: Instances) -> str:
    """Say that nothing of what was asked for is there."""
    again = sum(1 for i in instances.in_state("running", "watching", "retrying") if i.why != "first")
    where = where_of(asked)
    what = "nothing stands failed" if asked.which == "failed" else f"nothing is {asked.which}"
    said = f"{what} in {where}" if where else what
    return f"{said}: {again} {'runs' if again == 1 else 'run'} again right now" if again else said


def where_of(asked: RerunAllRequest | SkipAllRequest) -> str:
    """Say what a request is limited to; empty when it is not."""
    limits = [("stage", asked.stage), ("job", asked.job), ("agent", asked.agent)]
    return " ".join(f"{kind} {name}" for kind, name in limits if name)


def chosen_of(asked: RerunAllRequest | SkipAllRequest, all_there_are: Iterable[InstanceId]) -> Iterable[InstanceId]:
    """Give the rows that are meant, each once, in the order in which they were named, or are there."""
    wanted = asked.instances or all_there_are
    return dict.fromkeys(
        id_
        for id_ in wanted
        if asked.stage in ("", id_.stage) and asked.job in ("", id_.job) and asked.agent in ("", id_.agent)
    )


def _why_not(id_: InstanceId, instance: Instance | None, instances: Instances) -> str:
    if instance is None:
        ran = instances.attempts_of(id_)
        return "it does not stand failed, or its stage is over" if ran else "it has not run"
    match instance.state:
        case "undecided":
            return "its stage ends" if instance.job_run.lane.stage_run.is_closing else ""
        case "retrying":
            return "it is tried again by itself"
        case "held" | "stopped":
            return "it is held, and has not failed"
        case _:
            return "it runs right now"
