"""How agents, job instances and attempts are named. The names survive edits of the scenario, reruns and crashes."""

from __future__ import annotations

from typing import NewType

AgentName = NewType("AgentName", str)
StageKey = NewType("StageKey", str)
"""A stage's name; the second stage of the same name is `name~2`."""
JobKey = NewType("JobKey", str)
"""A job's name within its stage; the second job of the same name is `name~2`."""
InstanceKey = NewType("InstanceKey", str)
"""One job on one agent for one item: `stage/job@agent` or `stage/job@agent[item]`."""
AttemptId = NewType("AttemptId", str)
"""One execution of an instance: `stage/job@agent[item]#2`. An agent never executes the same attempt twice."""


def instance_key(stage: str, job: str, agent: str, item: str | None) -> InstanceKey:
    """Name an instance; `item` is the item's text as items.py made it unique, None for a job without items."""
    if item is None:
        return InstanceKey(f"{stage}/{job}@{agent}")
    return InstanceKey(f"{stage}/{job}@{agent}[{item}]")


def attempt_id(key: str, attempt: int) -> AttemptId:
    """Name the attempt (counted from 1) of an instance."""
    return AttemptId(f"{key}#{attempt}")


def split_attempt(attempt: str) -> tuple[InstanceKey, int]:
    """Take an attempt's name apart. Raises ValueError when it is not one."""
    key, _, number = attempt.rpartition("#")
    return InstanceKey(key), int(number)


def unique_names(names: list[str]) -> list[str]:
    """Give the second, third ... of equal names a suffix `~2`, `~3` ..., in order."""
    taken: set[str] = set()
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0) + 1
        unique = name if count == 1 else f"{name}~{count}"
        while unique in taken:
            count += 1
            unique = f"{name}~{count}"
        seen[name] = count
        taken.add(unique)
        result.append(unique)
    return result
