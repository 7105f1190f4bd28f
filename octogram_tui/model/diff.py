"""What differs between two scenarios, by the names of their parts: for a reload, and for the people who watch it."""

from __future__ import annotations

from collections.abc import Iterable

from octogram_tui.dataclass import dataclass
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import is_same


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of what was added, removed or changed; jobs as `stage/job`."""

    stages_added: tuple[str, ...] = ()
    stages_removed: tuple[str, ...] = ()
    stages_changed: tuple[str, ...] = ()
    is_reordered: bool = False
    jobs_added: tuple[str, ...] = ()
    jobs_removed: tuple[str, ...] = ()
    jobs_changed: tuple[str, ...] = ()
    agents_added: tuple[str, ...] = ()
    agents_removed: tuple[str, ...] = ()
    agents_changed: tuple[str, ...] = ()
    variables_changed: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Say it, one line a part."""
        said = [
            f"{kind} {name} {verb}"
            for kind, verb, names in (
                ("stage", "added", self.stages_added),
                ("stage", "removed", self.stages_removed),
                ("stage", "changed", self.stages_changed),
                ("job", "added", self.jobs_added),
                ("job", "removed", self.jobs_removed),
                ("job", "changed", self.jobs_changed),
                ("agent", "added", self.agents_added),
                ("agent", "removed", self.agents_removed),
                ("agent", "changed", self.agents_changed),
                ("variable", "changed", self.variables_changed),
            )
            for name in names
        ]
        return [*said, "the order of the stages changed"] if self.is_reordered else said


def compare(old: Scenario, new: Scenario) -> Difference:
    """Compare part by part; texts are compared by their digests."""
    before = {s.key: s for s in old.stages}
    after = {s.key: s for s in new.stages}
    jobs_before = {f"{s.key}/{j.key}": j.digest for s in old.stages for j in s.jobs if s.key in after}
    jobs_after = {f"{s.key}/{j.key}": j.digest for s in new.stages for j in s.jobs if s.key in before}
    agents_before = {a.name: _place(a) for a in old.agents}
    agents_after = {a.name: _place(a) for a in new.agents}
    kept = [k for k in before if k in after]
    return Difference(
        stages_added=_missing(after, before),
        stages_removed=_missing(before, after),
        stages_changed=tuple(k for k in kept if before[k].digest != after[k].digest),
        is_reordered=kept != [k for k in after if k in before],
        jobs_added=_missing(jobs_after, jobs_before),
        jobs_removed=_missing(jobs_before, jobs_after),
        jobs_changed=tuple(k for k, d in jobs_after.items() if jobs_before.get(k, d) != d),
        agents_added=_missing(agents_after, agents_before),
        agents_removed=_missing(agents_before, agents_after),
        agents_changed=tuple(n for n, a in agents_after.items() if agents_before.get(n, a) != a),
        variables_changed=tuple(
            sorted(
                n
                for n in {*old.variables, *new.variables}
                if n not in old.variables or n not in new.variables or not is_same(old.variables[n], new.variables[n])
            )
        ),
    )


def _missing(names: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    known = set(there)
    return tuple(n for n in names if n not in known)


def _place(agent: object) -> str:
    return repr([getattr(agent, n) for n in ("address", "user", "port", "identity", "transport", "command", "python")])
