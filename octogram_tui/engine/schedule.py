"""Which instance may come next: the nested cursors over agents, jobs and items of a stage. Data, and no decisions.

Items are drawn one by one, so a range of a million items costs what its live instances cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from octogram_tui.engine.states import INSTANCE_MOVES, InstanceState
from octogram_tui.errors import EngineBug
from octogram_tui.model.ids import InstanceKey
from octogram_tui.model.scenario import JobSpec, StageSpec


class Instance:
    """One job on one agent for one item, from the moment it may run until it is done."""

    __slots__ = ("attempt", "item", "job_run", "key", "retries_left", "started_s", "state", "why")

    def __init__(self, key: InstanceKey, job_run: JobRun, item: Any) -> None:
        self.key = key
        self.job_run = job_run
        self.item = item
        self.attempt = 0
        self.retries_left = job_run.spec.retries
        self.state: InstanceState = "held"
        self.started_s = 0.0
        self.why = "rerun" if job_run.lane.stage_run.is_rerun else "first"

    def move(self, state: InstanceState) -> None:
        """Change the state. Raises EngineBug for a move that the table does not have."""
        if state not in INSTANCE_MOVES[self.state]:
            raise EngineBug(f"{self.key}: no move from {self.state} to {state}", [])
        self.state = state

    @property
    def place(self) -> dict[str, Any]:
        """What every event about this instance carries."""
        lane = self.job_run.lane
        return {
            "stage": lane.stage_run.spec.key,
            "job": self.job_run.spec.key,
            "agent": lane.agent,
            "key": self.key,
            "attempt": self.attempt,
            "item": self.item,
        }


class JobRun:
    """One job on one agent: the copy of the variables it started with, and the items that are left."""

    __slots__ = ("active", "held", "is_open", "items", "lane", "live", "only_key", "snapshot", "spec")

    def __init__(self, spec: JobSpec, lane: Lane, snapshot: Mapping[str, Any], only_key: str) -> None:
        self.spec = spec
        self.lane = lane
        self.snapshot = snapshot
        self.only_key = only_key  # rerun of one instance: the others are passed over
        self.items: Iterator[tuple[int, Any, str]] | None = None  # None before the first is drawn
        self.active = 0  # instances begun and not done
        self.live: dict[str, Instance] = {}
        self.held: Instance | None = None
        self.is_open = True

    @property
    def is_sequential(self) -> bool:
        """Whether items run one after the other."""
        return self.spec.run_items == "sequential"


class Lane:
    """One agent's way through a stage."""

    __slots__ = ("active", "agent", "captures", "index", "is_done", "jobs", "stage_run")

    def __init__(self, stage_run: StageRun, agent: str, captures: list[str], jobs: Sequence[JobSpec]) -> None:
        self.stage_run = stage_run
        self.agent = agent
        self.captures = captures
        self.jobs = jobs
        self.index = 0
        self.active: dict[str, JobRun] = {}
        self.is_done = False


class StageRun:
    """One pass through a stage: the scenario's own, or a rerun of all or a part of it."""

    __slots__ = (
        "blocked",
        "failed",
        "in_flight",
        "is_closing",
        "is_rerun",
        "is_told",
        "lane_limit",
        "lanes",
        "limit",
        "only_key",
        "open_lanes",
        "spec",
        "started_s",
        "waiting",
    )

    def __init__(self, spec: StageSpec, *, is_rerun: bool = False, only_key: str = "") -> None:
        self.spec = spec
        self.is_rerun = is_rerun
        self.only_key = only_key
        self.lanes: list[Lane] = []
        self.waiting: deque[Lane] = deque()
        self.open_lanes = 0
        self.lane_limit = 1 if spec.run_agents == "sequential" else None
        self.limit = spec.max_concurrency
        self.in_flight = 0
        self.blocked: dict[JobRun, None] = {}  # held back by `limit`, oldest first
        self.failed = False
        self.is_told = False  # its beginning was announced, so its end will be
        self.is_closing = False  # nothing new is begun any more
        self.started_s = 0.0

    def add_lane(self, agent: str, captures: list[str], jobs: Sequence[JobSpec]) -> None:
        """Let an agent take part."""
        lane = Lane(self, agent, captures, jobs)
        self.lanes.append(lane)
        self.waiting.append(lane)

    def keep_lanes(self, agents: Sequence[str]) -> None:
        """Leave out every agent but these; only before anything is begun."""
        self.lanes = [lane for lane in self.lanes if lane.agent in agents]
        self.waiting = deque(self.lanes)

    def live_instances(self) -> Iterator[Instance]:
        """Give every instance that is begun and not done."""
        for lane in self.lanes:
            for job_run in lane.active.values():
                yield from job_run.live.values()
