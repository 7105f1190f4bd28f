"""The Prometheus of a run: started before everybody else, told its targets whenever a service comes or goes.

Its agent takes no part in stages. What it is told to do are errands of the run itself, which no stage can be mistaken
for, whatever the stage is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from octogram_agentd.network.endpoint import LOOPBACK, Endpoint
from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import AgentFailed, WarningGiven
from octogram_tui.engine.services import Service
from octogram_tui.engine.stimuli import AttemptReport
from octogram_tui.model.failure import FAILED, Failure
from octogram_tui.model.ids import ErrandId
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.model.values import Value

START = "prometheus-start"
TARGETS = "prometheus-targets"
START_S = 60.0
TARGETS_S = 30.0


class TargetGroup(TypedDict):
    """What Prometheus reads of one service in file-based service discovery."""

    targets: list[str]
    labels: dict[str, str]


class Prometheus:
    """The one of a run, on its agent; of a run without one it does nothing."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.spec: AgentSpec | None = core.scenario.prometheus_agent  # an edit of it counts from the next run
        self._sent = 0
        self._first = 1  # the number of the errand that started it last
        self._targets: list[TargetGroup] = []
        self.is_up = False
        self.has_failed = False

    @property
    def agent(self) -> str:
        """The name of its agent; empty when there is none."""
        return self.spec.name if self.spec is not None else ""

    @property
    def is_awaited(self) -> bool:
        """Whether the other agents wait for it: it is to run, and does not yet."""
        return self.spec is not None and not self.is_up

    def start(self) -> None:
        """Have it started: its agent is up, for the first time, or with another daemon than before."""
        self.is_up, self.has_failed, self._targets = False, False, []
        self._first = self._sent + 1
        self._send(START, "internals.start_prometheus", {}, START_S)

    def is_current(self, errand: ErrandId) -> bool:
        """Whether an errand was for the one that was started last."""
        return errand.number >= self._first

    def started(self, report: AttemptReport) -> bool:
        """Take the end of one of its errands. True when it has just come up."""
        assert isinstance(report.attempt, ErrandId)
        failure = report.failure or Failure(FAILED, "failed")
        if report.attempt.purpose == START:
            self.is_up = report.state == "ok"
            self.has_failed = not self.is_up
            if self.has_failed:
                self._core.emit(
                    AgentFailed(
                        agent=report.agent,
                        code="prometheus",
                        message=f"Prometheus: {failure.message}",
                        hint=failure.hint,
                    )
                )
            return self.is_up
        if report.state != "ok":
            self._core.emit(WarningGiven(message=f"Prometheus did not take its targets: {failure.message}"))
        return False

    def tell_targets(self, services: Iterable[tuple[str, Service]], addresses: Mapping[str, str]) -> None:
        """Tell it what there is to scrape, when that has changed."""
        groups = target_groups(services, addresses)
        port = self._core.options.metrics_port
        if port and self.spec is not None and self.spec.transport == "local":
            groups.append(own_group(port))
        if groups != self._targets:
            self._targets = groups
            self._send(
                TARGETS, "internals.prometheus_targets", {"targets": [_as_value(group) for group in groups]}, TARGETS_S
            )

    def _send(self, purpose: str, procedure: str, arguments: dict[str, Value], timeout_s: float) -> None:
        self._sent += 1
        errand = ErrandId(purpose, self.agent, self._sent)
        self._core.order(SendJob(self.agent, errand, procedure, arguments, timeout_s))


def own_group(port: int) -> TargetGroup:
    """Give the group of the orchestrator's own metrics, for a Prometheus on the orchestrator's machine."""
    labels = {"agent": "orchestrator", "node": "octogram-tui", "kind": "orchestrator"}
    return {"targets": [str(Endpoint(LOOPBACK, port))], "labels": labels}


def target_groups(services: Iterable[tuple[str, Service]], addresses: Mapping[str, str]) -> list[TargetGroup]:
    """Give the document of file-based service discovery: one group a service, in a stable order.

    services: (agent, service) pairs; those that are down are left out.
    """
    groups: list[TargetGroup] = [
        {
            "targets": [str(Endpoint(addresses[agent], service.ports["metrics"]))],
            "labels": {"agent": agent, "node": service.name, "kind": service.kind},
        }
        for agent, service in services
        if service.is_up and "metrics" in service.ports and agent in addresses
    ]
    return sorted(groups, key=lambda group: (group["labels"]["agent"], group["labels"]["node"]))


def _as_value(group: TargetGroup) -> Value:
    return {"targets": [*group["targets"]], "labels": {**group["labels"]}}
