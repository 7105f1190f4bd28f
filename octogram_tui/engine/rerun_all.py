"""Executing again all that stands failed, or some of it, and nothing else; what cannot be is left out, and said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.stimuli import RerunAllRequest
from octogram_tui.model.ids import InstanceId

_NEEDS_NO_AGENT = ("assertion", "expression")


class Choice(NamedTuple):
    """What a request comes down to: what runs again, and why the rest does not."""

    taken: list[Instance]
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
        agents = len({instance.id.agent for instance in self.taken})
        again = "1 instance runs" if len(self.taken) == 1 else f"{len(self.taken)} instances run"
        text = f"{again} again on {'1 agent' if agents == 1 else f'{agents} agents'}"
        return f"{text}; left out: {'; '.join(said)}" if said else text


def choose_failed(asked: RerunAllRequest, instances: Instances, agent_problem: Callable[[str], str]) -> Choice:
    """Find what a request means: it changes nothing.

    Only what waits for the operator's decision is taken: all other failures have had their consequences already.
    """
    taken: list[Instance] = []
    left_out: dict[InstanceId, str] = {}
    for id_ in _meant(asked, instances):
        instance = instances.find(id_)
        problem = _why_not(id_, instance, instances)
        if not problem and instance is not None and instance.job_run.spec.where not in _NEEDS_NO_AGENT:
            problem = agent_problem(id_.agent)
        if problem:
            left_out[id_] = problem
        elif instance is not None:
            taken.append(instance)
    return Choice(taken, left_out)


def nothing_failed(asked: RerunAllRequest, instances: Instances) -> str:
    """Say that nothing of what was asked for stands failed."""
    again = sum(1 for i in instances.in_state("running", "watching", "retrying") if i.why != "first")
    where = " ".join(f"{kind} {name}" for kind, name in _limits(asked) if name)
    said = f"nothing stands failed{f' in {where}' if where else ''}"
    return f"{said}: {again} {'runs' if again == 1 else 'run'} again right now" if again else said


def _limits(asked: RerunAllRequest) -> list[tuple[str, str]]:
    return [("stage", asked.stage), ("job", asked.job), ("agent", asked.agent)]


def _meant(asked: RerunAllRequest, instances: Instances) -> Iterable[InstanceId]:
    """Give the rows that are meant, in the order in which they failed or were named."""
    wanted = asked.instances or [instance.id for instance in instances.in_state("undecided")]
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
        case "held":
            return "it is held, and has not failed"
        case _:
            return "it runs right now"
