"""Which instance may come next: the nested cursors over agents, jobs and items of a stage. Data, and no decisions.

Items are drawn one by one: what is planned costs nothing before its turn.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec, Labels, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.template.scope import make_scope

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance
    from octogram_tui.engine.readings import Reading
    from octogram_tui.model.variables import Absent, Variables

MOST_AT_ONCE = 2000
"""How many instances of a stage run at the same time where it does not say: a million items would begin in one step,
and nothing else would have its turn meanwhile, not even the end of the run."""


Then = Mapping[tuple[str, str], "Reading"]
"""By job and agent, what one of its instances read."""


class JobRun:
    """One job on one agent: the copy of the variables it started with, and the items that are left."""

    __slots__ = (
        "begun",
        "drawn",
        "epoch",
        "is_cut",
        "is_open",
        "items",
        "lane",
        "noted",
        "only",
        "put_back",
        "reading",
        "seen",
        "snapshot",
        "spec",
    )

    def __init__(
        self,
        spec: JobSpec,
        lane: Lane,
        snapshot: Variables,
        epoch: int,
        seen: int,
        only: frozenset[InstanceId] | None,
    ) -> None:
        self.spec = spec
        self.lane = lane
        self.snapshot = snapshot
        self.seen = seen  # the number of the event up to which the snapshot is of
        self.epoch = epoch  # how often a variable had been set by hand when the snapshot was taken
        self.reading: Reading | None = None  # what an instance reads, where all of them read the same
        self.noted: dict[str, Value | Absent] | None = None  # what was read to draw the items, where names are computed
        self.only = only  # rerun of some instances: the others are passed over
        self.items: Iterator[tuple[int, Value, str]] | None = None  # None before the first is drawn
        self.put_back: tuple[Value, str] | None = None  # an item that was drawn, and comes first after all
        self.drawn: Instance | None = None  # the next one, held by the gate or by `max_concurrency`
        self.begun = 0  # how many instances are begun and not done; kept by the table of instances
        self.is_open = True
        self.is_cut = False  # an item has failed, and those after it do not begin: see going_on.py

    def look_at(self, snapshot: Variables, epoch: int, seen: int) -> None:
        """See these variables from now on; seen: the number of the event up to which they are as they were told."""
        self.snapshot = snapshot
        self.epoch = epoch
        self.seen = seen
        self.reading = None

    @property
    def is_sequential(self) -> bool:
        """Whether items run one after the other."""
        return self.spec.run_items == "sequential"


class Lane:
    """One agent's way through a stage."""

    __slots__ = ("active", "agent", "captures", "gone", "index", "is_cut", "is_done", "jobs", "labels", "stage_run")

    def __init__(
        self, stage_run: StageRun, agent: str, labels: Labels, captures: list[str], jobs: Sequence[JobSpec]
    ) -> None:
        self.stage_run = stage_run
        self.agent = agent
        self.labels = labels
        self.captures = captures
        self.jobs = jobs
        self.index = 0
        self.gone: frozenset[str] = frozenset()  # what was begun when an edit took it away, whether it is back or not
        self.active: dict[str, JobRun] = {}
        self.is_done = False
        self.is_cut = False  # a job has failed, and those after it do not begin: see going_on.py

    def is_past(self, job: str) -> bool:
        """Whether it is through with a job, or with all of them when none is named."""
        if self.is_done or not job or job in self.active:
            return self.is_done
        return job in self.gone or any(each.key == job for each in itertools.islice(self.jobs, self.index))

    def pass_by(self, spec: JobSpec) -> None:
        """Go on behind a job: mostly the next one."""
        jobs, place = self.jobs, self.index
        while place < len(jobs) and jobs[place].key != spec.key:
            place += 1
        self.index = place + 1 if place < len(jobs) else self.index  # else an edit has it before, or nowhere

    def scope(
        self, variables: Mapping[str, Value], item: Value = None, *, result: Value = None, has_result: bool = False
    ) -> dict[str, Value]:
        """Give the names that the templates of this agent's jobs see."""
        return make_scope(
            variables,
            agent=self.agent,
            address=self.stage_run.addresses.get(self.agent, ""),
            labels=self.labels,
            captures=self.captures,
            item=item,
            result=result,
            has_result=has_result,
        )


class StageRun:
    """One pass through a stage: the scenario's own, or a rerun of all or a part of it."""

    __slots__ = (
        "addresses",
        "asked_again",
        "blocked",
        "failed",
        "in_flight",
        "is_closing",
        "is_reordered",
        "is_rerun",
        "is_told",
        "lane_limit",
        "lane_of",
        "lanes",
        "limit",
        "minding",
        "only",
        "open_lanes",
        "passes_gate",
        "paused_s",
        "spec",
        "started_s",
        "then",
        "waiting",
    )

    def __init__(
        self,
        spec: StageSpec,
        addresses: Mapping[str, str],
        *,
        is_rerun: bool = False,
        only: frozenset[InstanceId] | None = None,
        then: Then | None = None,
    ) -> None:
        self.spec = spec
        self.addresses = addresses  # where agents reach each other
        self.is_rerun = is_rerun
        self.passes_gate = is_rerun  # what an operator asked for again goes; until everything is to be held
        self.minding: set[str] = set()  # agents that were held meanwhile, and so mind the gate nevertheless
        self.only = only
        self.then = then  # of a rerun that sees the variables as before: what a job with items read on an agent
        self.lanes: list[Lane] = []
        self.lane_of: dict[str, Lane] = {}  # by agent
        self.waiting: deque[Lane] = deque()
        self.open_lanes = 0
        self.lane_limit = 1 if spec.run_agents == "sequential" else None
        self.limit = spec.max_concurrency or MOST_AT_ONCE
        self.in_flight = 0  # what `limit` counts; kept by the table of instances
        # Ordinary dictionaries pass over all that was taken out of their front, see line.py.
        self.blocked: OrderedDict[JobRun, None] = OrderedDict()  # held back by `limit`, oldest first
        self.asked_again: OrderedDict[Instance, None] = (
            OrderedDict()
        )  # failures to run again once `limit` has room, oldest first
        self.failed = False
        self.is_told = False  # its beginning was announced, so its end will be
        self.is_closing = False  # nothing new is begun any more
        self.is_reordered = False  # an edit had other orders: what was begun by then may be more than they allow
        self.started_s = 0.0
        self.paused_s = 0.0  # how long the run had stood still when it started

    def add_lane(self, agent: str, labels: Labels, captures: list[str], jobs: Sequence[JobSpec]) -> None:
        """Let an agent take part."""
        lane = Lane(self, agent, labels, captures, jobs)
        self.lanes.append(lane)
        self.lane_of[agent] = lane
        self.waiting.append(lane)
        if self.spec.max_concurrency is None:  # every agent has room for several, however many agents there are
            self.limit = max(MOST_AT_ONCE, 4 * len(self.lanes))

    def keep_lanes(self, agents: Sequence[str]) -> None:
        """Leave out every agent but these; only before anything is begun."""
        kept = frozenset(agents)
        self.lanes = [lane for lane in self.lanes if lane.agent in kept]
        self.lane_of = {lane.agent: lane for lane in self.lanes}
        self.waiting = deque(self.lanes)
