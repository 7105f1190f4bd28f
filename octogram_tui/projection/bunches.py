"""The instances of a job as few lines: failures by their cause, and all else, where it is much, by its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from octogram_tui.projection.clusters import Cluster, short_names
from octogram_tui.projection.plan import Plan
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Row, RowKey

FEW = 12
"""A job with no more rows than this shows each by itself, but for failures that are alike."""
ALONE = 3
"""No more than this in one state are shown one by one even where the others are not."""

FAILED_STATES = (State.FAILED, State.LOST)
_ORDER = (
    State.HELD,
    State.RETRYING,
    State.RUNNING,
    State.STALE,
    State.TOLERATED,
    State.OK,
    State.SKIPPED,
    State.CANCELLED,
    State.PENDING,
)

BunchKey = tuple[str, str, str, str, object]


class Bunch:
    """Rows of a job that are alike. `first` stands for them all; `agents` names each of theirs once."""

    __slots__ = ("agents", "cluster", "first", "job", "key", "rows", "state")

    def __init__(
        self, job: Group, state: State, rows: Sequence[Row], cluster: Cluster[InstanceRow] | None = None
    ) -> None:
        self.job = job
        self.state = state
        self.cluster = cluster
        self.rows = rows
        self.first = rows[0]
        self.agents = list(dict.fromkeys(row.agent for row in rows))
        self.key = _key(job, state, cluster)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def label(self) -> str:
        """How many: 11 agents; where an agent has several of them, 24 on 11 agents."""
        agents = len(self.agents)
        count = f"{agents} agent{'' if agents == 1 else 's'}"
        return count if agents == len(self.rows) else f"{len(self.rows)} on {count}"

    @property
    def names(self) -> str:
        """Name the agents shortly."""
        return short_names(self.agents)

    @property
    def message(self) -> str:
        """Why, where it is one cause; else what is said of the first, where all say the same."""
        if self.cluster is not None:
            return self.cluster.first.cause.text
        said = self.first.message
        return said if all(row.message == said for row in islice(self.rows, 1, FEW)) else ""


Part = Row | Bunch


def bunch_key(plan: Plan, row: Row) -> BunchKey:
    """Name the bunch that a row is in when it is in one."""
    job = row.job if isinstance(row, InstanceRow) else row.above
    return _key(job, row.state, plan.clusters.holding(row.key))


def _key(job: Group, state: State, cluster: Cluster[InstanceRow] | None) -> BunchKey:
    return (job.stage.name, job.name, "", "bunch", state.name if cluster is None else cluster.key)


def parts_of(
    plan: Plan, job: Group, shown: Sequence[InstanceRow] | None = None, apart: RowKey | None = None
) -> list[Part]:
    """Give what stands below a job, what failed first.

    shown: the instances that pass a filter, when there is one. apart: a row that stands alone among those in its state.
    """
    if shown is not None:
        return _of_some(plan, job, shown, apart)
    clusters = plan.clusters.at(job.key)
    parts: list[Part] = [_failed(job, cluster, cluster.struck) for cluster in clusters]
    if job.has_items:
        is_many = len(job.children) > FEW  # else what failed alone is found below its agent
        return [part for part in parts if is_many or isinstance(part, Bunch)] + _groups(job, apart)
    if not any(isinstance(part, Bunch) for part in parts) and len(job.children) <= FEW:
        return list(job.children)
    order = plan.agents
    for state in _ORDER:
        members = job.members.get(state)
        if not members:
            continue
        rows = sorted(members.values(), key=lambda row: order[row.agent].order)
        parts += _few_or_bunch(job, state, rows, apart)
    return parts


def failed_parts(plan: Plan, job: Group) -> list[Part]:
    """Give what failed of a job."""
    return [_failed(job, cluster, cluster.struck) for cluster in plan.clusters.at(job.key)]


def _of_some(plan: Plan, job: Group, shown: Sequence[InstanceRow], apart: RowKey | None) -> list[Part]:
    by_cluster: dict[object, list[InstanceRow]] = {}
    by_state: dict[State, list[InstanceRow]] = {}
    for row in shown:
        cluster = plan.clusters.holding(row.key)
        if cluster is not None:
            by_cluster.setdefault(cluster.key, []).append(row)
        else:
            by_state.setdefault(row.state, []).append(row)
    parts: list[Part] = []
    for cluster in plan.clusters.at(job.key) if by_cluster else ():
        rows = by_cluster.get(cluster.key)
        if rows:
            parts.append(_failed(job, cluster, rows))
    if len(shown) <= FEW and not any(isinstance(part, Bunch) for part in parts):
        return list(shown)
    for state in (*_ORDER, *FAILED_STATES):
        if state in by_state:
            parts += _few_or_bunch(job, state, by_state[state], apart)
    return parts


def _failed(job: Group, cluster: Cluster[InstanceRow], rows: Sequence[InstanceRow]) -> Part:
    return rows[0] if len(rows) == 1 else Bunch(job, rows[0].state, rows, cluster)


def _few_or_bunch(job: Group, state: State, rows: Sequence[Row], apart: RowKey | None) -> Iterable[Part]:
    if len(rows) <= ALONE:
        return rows
    alone = [row for row in rows if row.key == apart] if apart is not None else []
    return [*alone, Bunch(job, state, [row for row in rows if row.key != apart] if alone else rows)]


def _groups(job: Group, apart: RowKey | None) -> list[Part]:
    """A job with items: its agents, each with its items below; many by their state."""
    if len(job.children) <= FEW:
        return list(job.children)
    by_state: dict[State, list[Row]] = {}
    for child in job.children:
        by_state.setdefault(child.state, []).append(child)
    parts: list[Part] = []
    for state in (*FAILED_STATES, *_ORDER):
        if state in by_state:
            parts += _few_or_bunch(job, state, by_state[state], apart)
    return parts
