"""The words of OpenTelemetry's conventions for CI/CD, which are in development still, and what they say of a run."""

from __future__ import annotations

from opentelemetry.trace import Span, Status, StatusCode

from octogram_tui.cuts import beginning
from octogram_tui.engine import events as ev
from octogram_tui.errors import ExitCode
from octogram_tui.model.failure import CANCELLED, TIMEOUT
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.text import visible

MOST_CHARACTERS = 1024  # of a text among the attributes

PIPELINE_NAME = "cicd.pipeline.name"
PIPELINE_RUN_ID = "cicd.pipeline.run.id"
PIPELINE_RESULT = "cicd.pipeline.result"
PIPELINE_ACTION = "cicd.pipeline.action.name"
TASK_NAME = "cicd.pipeline.task.name"
TASK_RUN_ID = "cicd.pipeline.task.run.id"
TASK_RESULT = "cicd.pipeline.task.run.result"
WORKER_NAME = "cicd.worker.name"
ERROR_TYPE = "error.type"

STATES = {"ok": "success", "failed": "failure", "skipped": "skip", "cancelled": "cancellation"}
KINDS = {TIMEOUT: "timeout", CANCELLED: "cancellation"}
CODES = {
    ExitCode.OK: "success",
    ExitCode.JOB_FAILED: "failure",
    ExitCode.TIME_LIMIT: "timeout",
    ExitCode.HELD: "cancellation",
    ExitCode.HANGUP: "cancellation",
    ExitCode.INTERRUPTED: "cancellation",
    ExitCode.TERMINATED: "cancellation",
}
BAD = ("failure", "error", "timeout")


class JobRound:
    """A job in one round of its stage. What went wrong and was run again with success counts no more."""

    def __init__(self, span: Span, at_s: float) -> None:
        self.span = span
        self.ended_s = at_s
        self._bad: dict[InstanceId, str] = {}
        self._has_run = False

    def take(self, event: ev.JobFinished) -> None:
        """Take the end of an attempt in."""
        self.ended_s = event.at_s
        self._has_run = self._has_run or event.state != "skipped"
        if event.state in ("ok", "skipped") or event.is_tolerated or event.will_retry:
            self._bad.pop(event.instance, None)
        else:
            self._bad[event.instance] = STATES.get(event.state, "error")

    @property
    def result(self) -> str:
        """Give the worst that stands."""
        worst = set(self._bad.values())
        for result in ("error", "failure", "cancellation"):
            if result in worst:
                return result
        return "success" if self._has_run else "skip"


def end(span: Span, at_ns: int, key: str, result: str, why: str) -> None:
    """End a span, with its result where it has one: under the name that the conventions have for that."""
    if key:
        span.set_attribute(key, result)
        if result in BAD:
            span.set_status(Status(StatusCode.ERROR, text(why) or result))
        elif why:
            span.set_attribute("octogram.reason", text(why))
    span.end(max(at_ns, getattr(span, "start_time", None) or 0))


def text(given: str) -> str:
    """Give a text as it may stand among attributes."""
    return beginning(visible(given), MOST_CHARACTERS)
