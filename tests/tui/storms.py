"""More at once than a run tells in an hour: what a large fleet, a wild loop or a giant value brings in one batch."""

import random
from collections.abc import Callable
from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

NAME_LENGTH = 4_000


class Storms:
    """Makes batches about a plan and its agents. much: how many events the largest have."""

    def __init__(self, rng: random.Random, plan: list[StageEntry], agents: list[str], *, much: int) -> None:
        self._rng = rng
        self._first = self._plan = plan
        self._agents = agents
        self._much = much
        self._long = much * 200  # characters of a giant value
        self._gone: list[list[StageEntry]] = []

    def batch(self) -> list[ev.Event]:
        """Make one, of any kind."""
        kinds: list[Callable[[], list[ev.Event]]] = [
            self._lines, self._failures, self._repairs, self._agents_come, self._variables, self._giants,
            self._attempts, self._stages, self._notices, self._held,
        ]  # fmt: skip
        return self._rng.choice(kinds)()

    def _some(self) -> tuple[str, str]:
        entry = self._rng.choice(self._plan) if self._plan else self._first[0]
        jobs = entry["jobs"]
        return entry["stage"], self._rng.choice(jobs)["job"] if jobs else "a job that is not there"

    def _instances(self) -> list[InstanceId]:
        stage, job = self._some()
        return [InstanceId(stage, job, agent) for agent in self._agents]

    def _lines(self) -> list[ev.Event]:
        keys = self._instances()
        texts = ["line", "\x1b[31mred", "數" * 90, "x" * 2000]
        return [
            ev.JobOutput(
                agent=key.agent, instance=key, lines=[self._rng.choice(texts)], dropped=self._rng.choice([0, 9])
            )
            for key in self._rng.choices(keys, k=self._much)
        ]

    def _failures(self) -> list[ev.Event]:
        """Clusters come: one cause for all, one for each, or a few."""
        causes = self._rng.choice([1, 3, len(self._agents)])
        made: list[ev.Event] = []
        for number, key in enumerate(self._instances()):
            failure = Failure("exit", f"cause {number % causes}", "", {"last_lines": [f"error: {number % causes}"]})
            made.append(ev.JobStarted(instance=key))
            made.append(ev.JobFinished(instance=key, state="failed", failure=failure, duration_s=1.0))
        return [*made, ev.RunPaused(reason="failure")]

    def _repairs(self) -> list[ev.Event]:
        """Clusters go."""
        made: list[ev.Event] = []
        for key in self._instances():
            made.append(ev.JobStarted(instance=key, attempt=2, why="rerun"))
            made.append(ev.JobFinished(instance=key, attempt=2, state=self._rng.choice(["ok", "skipped", "failed"])))
        return made

    def _agents_come(self) -> list[ev.Event]:
        rng = self._rng
        names = [f"more_{number}" for number in range(rng.choice([1, 200]))] + self._agents
        kinds: list[Callable[..., ev.Event]] = [ev.AgentReady, ev.AgentLost, ev.AgentSuspect, ev.AgentStarting]
        made: list[ev.Event] = [rng.choice(kinds)(agent=name) for name in names]
        made += [ev.ServiceAnnounced(agent=name, kind="node", name=f"of {name}", ports={"rpc": 1}) for name in names]
        return [*made, ev.StageStarted(stage=self._some()[0], agents=names)]

    def _variables(self) -> list[ev.Event]:
        removed = self._rng.random() < 0.5
        return [
            ev.VariableChanged(name=f"v{number}", value=None if removed else number, removed=removed, by="x")
            for number in range(self._much)
        ]

    def _giants(self) -> list[ev.Event]:
        rng = self._rng
        name = rng.choice(["n", "数", "a b ", "[x]"]) * NAME_LENGTH
        deep: Any = "bottom"
        for _ in range(200):
            deep = [deep]
        value: Any = rng.choice(["x" * self._long, "a\n" * (self._long // 2), list(range(self._long // 10)), deep])
        key = InstanceId(*rng.choice([self._some(), (name, name)]), rng.choice([*self._agents, name]), name)
        failure = Failure("exit", name, name, {"last_lines": [name] * 20})
        return [
            ev.VariableChanged(name=rng.choice([name, "giant"]), value=value),
            ev.JobStarted(instance=key, item=value, arguments={name: value, "b": deep}),
            ev.JobOutput(agent=key.agent, instance=key, lines=["y" * self._long]),
            ev.JobProgress(instance=key, text=name),
            ev.JobFinished(instance=key, state="failed", result=value, failure=failure, reason=name),
            ev.AgentLost(agent=name, message=name),
            ev.WarningGiven(message=name),
        ]

    def _attempts(self) -> list[ev.Event]:
        key = self._rng.choice(self._instances())
        made: list[ev.Event] = []
        for attempt in range(1, max(2, self._much // 5) + 1):
            made.append(ev.JobStarted(instance=key, attempt=attempt, why="retry"))
            made.append(ev.JobOutput(agent=key.agent, instance=key, attempt=attempt, lines=["again"]))
            made.append(ev.JobFinished(instance=key, attempt=attempt, state="failed", will_retry=True))
        return made

    def _stages(self) -> list[ev.Event]:
        """Stages go, come back, change their names and places."""
        rng = self._rng
        self._gone.append(self._plan)
        match rng.randrange(5):
            case 0:
                self._plan = []
            case 1:
                self._plan = rng.choice(self._gone)
            case 2:
                self._plan = [{**entry, "stage": entry["stage"] + "'"} for entry in self._first]
            case 3:
                self._plan = rng.sample(self._first, len(self._first))
            case 4:
                jobs: Any = [{"job": f"job {number}"} for number in range(500)]
                self._plan = [{**self._first[0], "jobs": jobs}, *self._first[1:]]
        return [ev.ScenarioReloaded(plan=self._plan, changes=["all of it"] * rng.choice([1, 300]))]

    def _notices(self) -> list[ev.Event]:
        return [ev.RequestRefused(request="go", message=f"no {number}") for number in range(self._much // 10)]

    def _held(self) -> list[ev.Event]:
        made: list[ev.Event] = [ev.JobHeld(instance=key, reason="step") for key in self._instances()]
        return [*made, self._rng.choice([ev.RunPaused(), ev.RunResumed(), ev.ConfirmationAsked(stage=self._some()[0])])]
