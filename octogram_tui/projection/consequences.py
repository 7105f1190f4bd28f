"""What an edit would change, by instance, as the run's host foresees it: stale, new, gone, failed and concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.projection.clusters import short_names

NAMED = 6
MOST_LINES = 12


class Consequences(NamedTuple):
    """Instances by what the edit would do to them.

    stale: why, by instance; fresh: those that would be stale no more; failed: those that stand failed and would run
    differently; new, gone: those that there would be, and would be no more. changes: of a file, in words; untold: of
    which jobs that cannot be told, and why.
    """

    stale: dict[InstanceId, str]
    fresh: tuple[InstanceId, ...] = ()
    failed: tuple[InstanceId, ...] = ()
    new: tuple[InstanceId, ...] = ()
    gone: tuple[InstanceId, ...] = ()
    changes: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    @property
    def wants_a_word(self) -> bool:
        """Whether the edit touches more than what it repairs."""
        return bool(self.stale or self.new or self.gone)

    def lines(self) -> list[str]:
        """Say it by job, what ended well first."""
        found: list[str] = []
        for title, instances in (
            ("stale", self.stale),
            ("new", self.new),
            ("gone", self.gone),
            ("failed, and would run differently", self.failed),
            ("stale no more", self.fresh),
        ):
            found += [f"{title}: {line}" for line in _by_job(instances)]
        found += [f"not known: {line}" for line in self.untold]
        left = len(found) - MOST_LINES
        return found if left <= 1 else [*found[:MOST_LINES], f"and {left} more jobs"]


def read_consequences(answer: Mapping[str, Value]) -> Consequences:
    """Read an answer to `foresee_set` or `foresee_file`; what is no name of an instance is left out."""
    stale, untold = answer.get("stale"), answer.get("untold")
    reasons = stale if isinstance(stale, dict) else dict.fromkeys(map(str, _listed(stale)), "")
    return Consequences(
        {key: str(reasons[str(key)]) for key in _ids(list(reasons))},
        fresh=_ids(answer.get("fresh")),
        failed=_ids(answer.get("failed")),
        new=_ids(answer.get("new")),
        gone=_ids(answer.get("gone")),
        changes=tuple(map(str, _listed(answer.get("changes")))),
        untold=tuple(
            f"{job}: {why}" if job else str(why) for job, why in (untold if isinstance(untold, dict) else {}).items()
        ),
    )


def _listed(given: Value) -> Sequence[Value]:
    return given if isinstance(given, list) else []


def _ids(names: Value) -> tuple[InstanceId, ...]:
    found: list[InstanceId] = []
    for name in _listed(names):
        try:
            found.append(InstanceId.parse(str(name)))
        except ValueError:
            continue
    return tuple(found)


def _by_job(instances: Iterable[InstanceId]) -> list[str]:
    jobs: dict[tuple[str, str], list[InstanceId]] = {}
    for key in instances:
        jobs.setdefault((key.stage, key.job), []).append(key)
    lines = []
    for (stage, job), keys in jobs.items():
        agents = list(dict.fromkeys(key.agent for key in keys))
        count = f"{len(keys)} on " if len(keys) != len(agents) else ""
        lines.append(f"{stage}/{job} @ {count}{short_names(agents, NAMED)}")
    return lines
