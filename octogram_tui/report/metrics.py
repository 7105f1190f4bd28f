"""`--metrics FILE`, `--metrics-port PORT`: the run itself, for Prometheus.

Only this and its server (metrics_server.py) import prometheus_client.

The labels stay few: stages and jobs of the scenario, agents only when asked for, never items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

from octogram_agentd.network.endpoint import LOOPBACK, Endpoint
from octogram_tui.engine import events as ev
from octogram_tui.errors import JournalError, UsageError
from octogram_tui.model.ids import AttemptId
from octogram_tui.projection.text import visible
from octogram_tui.report.kept_file import KeptFile
from octogram_tui.report.metrics_server import MetricsServer

WRITE_EVERY_S = 5.0
MOST_JOBS = 500  # jobs with labels of their own; the rest of a larger scenario shares one pair
REST = "(other)"
BUCKETS_S = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


class RunMetrics:
    """Folds the events of a run into metrics."""

    def __init__(self, *, by_agent: bool = False) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they say nothing of a run
        registry = self.registry = CollectorRegistry()
        job = ("stage", "job", "agent") if by_agent else ("stage", "job")
        self._by_agent = by_agent
        self._jobs = Counter(
            "octogram_jobs",
            "Attempts that ended: ok, failed, retried (failed, and tried again), skipped, cancelled.",
            (*job, "state"),
            registry=registry,
        )
        self._durations = Histogram(
            "octogram_job_duration_seconds",
            "How long attempts took that were sent to an agent.",
            job,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._running = Gauge("octogram_jobs_running", "Attempts that run now.", registry=registry)
        self._agents_up = Gauge("octogram_agents_up", "Agents that take jobs.", registry=registry)
        self._agents = Gauge("octogram_agents", "Agents of the run.", registry=registry)
        self._services = Gauge("octogram_services_up", "Services that agents offer now.", ("kind",), registry=registry)
        self._info = Info("octogram_run", "Which run this is.", registry=registry)
        self._labels: dict[tuple[str, str], tuple[str, str]] = {}
        self._attempts: set[AttemptId] = set()
        self._known: set[str] = set()
        self._up: set[str] = set()
        self._offered: dict[tuple[str, str, str], bool] = {}
        self._folds: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.RunFinished: self._run_finished,
            ev.AgentStarting: self._agent_down,
            ev.AgentReady: self._agent_ready,
            ev.AgentFailed: self._agent_down,
            ev.AgentLost: self._agent_down,
            ev.AgentStopped: self._agent_down,
            ev.JobStarted: self._job_started,
            ev.JobFinished: self._job_finished,
            ev.ServiceAnnounced: self._service_announced,
        }

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in."""
        for event in events:
            fold = self._folds.get(type(event))
            if fold is not None:
                fold(event)

    def text(self) -> bytes:
        """Give everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def _run_started(self, event: ev.RunStarted) -> None:
        info = {
            "run": event.run,
            "scenario": event.scenario,
            "digest": event.digest,
            "version": event.version,
            "host": event.host,
        }
        self._info.info({name: visible(value) for name, value in info.items()})
        started = Gauge("octogram_run_start_time_seconds", "When the run began (Unix time).", registry=self.registry)
        started.set(datetime.fromisoformat(event.started_wall).timestamp() if event.started_wall else 0.0)
        self._known.update(str(agent.get("agent", "")) for agent in event.agents)
        self._count_agents()

    def _run_finished(self, event: ev.RunFinished) -> None:
        name, text = "octogram_run_exit_code", "How the run ended; absent while it lasts."
        Gauge(name, text, registry=self.registry).set(event.exit_code)
        Gauge("octogram_run_duration_seconds", "How long the run took.", registry=self.registry).set(event.duration_s)

    def _agent_ready(self, event: ev.AgentReady) -> None:
        self._known.add(event.agent)
        self._up.add(event.agent)
        self._count_agents()

    def _agent_down(self, event: ev.AgentStarting | ev.AgentFailed | ev.AgentLost | ev.AgentStopped) -> None:
        self._known.add(event.agent)
        self._up.discard(event.agent)
        self._count_agents()

    def _count_agents(self) -> None:
        self._agents.set(len(self._known))
        self._agents_up.set(len(self._up))

    def _job_started(self, event: ev.JobStarted) -> None:
        self._attempts.add(AttemptId(event.instance, event.attempt))
        self._running.set(len(self._attempts))

    def _job_finished(self, event: ev.JobFinished) -> None:
        labels = self._labels_of(event)
        self._jobs.labels(*labels, "retried" if event.will_retry else visible(event.state)).inc()
        if AttemptId(event.instance, event.attempt) in self._attempts:
            self._attempts.discard(AttemptId(event.instance, event.attempt))
            self._running.set(len(self._attempts))
            self._durations.labels(*labels).observe(event.duration_s)

    def _labels_of(self, event: ev.JobEvent) -> tuple[str, ...]:
        pair = (event.stage, event.job)
        if pair not in self._labels:
            is_full = len(self._labels) >= MOST_JOBS
            self._labels[pair] = (REST, REST) if is_full else (visible(event.stage), visible(event.job))
        labels = self._labels[pair]
        return (*labels, visible(event.agent)) if self._by_agent else labels

    def _service_announced(self, event: ev.ServiceAnnounced) -> None:
        service = (event.agent, event.kind, event.name)
        is_up = event.state == "up"
        change = int(is_up) - int(self._offered.get(service, False))
        self._offered[service] = is_up
        self._services.labels(visible(event.kind)).inc(change)


class MetricsReport:
    """Keeps the metrics of a run in a file, on a port of this machine, or both."""

    def __init__(self, metrics: RunMetrics, file: KeptFile | None, server: MetricsServer | None) -> None:
        self._metrics = metrics
        self._file = file
        self._server = server

    @classmethod
    def open(cls, path: str | None, port: int | None, *, by_agent: bool = False) -> MetricsReport:
        """Begin: the file is there and the port answers from now on. Raises JournalError or UsageError."""
        metrics = RunMetrics(by_agent=by_agent)
        server = None
        if port is not None:
            where = Endpoint(LOOPBACK, port)
            try:
                server = MetricsServer(where, metrics.registry)
            except OSError as error:
                raise UsageError(
                    f"--metrics-port {port}: cannot listen on {where}: {error.strerror}",
                    hint="choose another port; 1 to 1023 need privileges",
                ) from error
        file = None if path is None else KeptFile(path, "metrics", metrics.text, WRITE_EVERY_S)
        report = cls(metrics, file, server)
        try:
            if file is not None:
                file.begin()
        except JournalError:
            report._stop_server()
            raise
        return report

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in; the file follows within seconds."""
        self._metrics.apply(events)
        if self._file is not None:
            self._file.changed()

    def close(self) -> None:
        """Write the file for the last time, and let the port go. Raises JournalError."""
        self._stop_server()
        if self._file is not None:
            self._file.close()

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
