"""`--otel`: the run's spans, sent to a collector (OTLP over HTTP) beside the run.

They wait in a queue of bounded length for a thread of their own: a collector that is slow, wrong or not there costs the
run nothing but a moment at its end, and a line that says so. `OTEL_*` variables are the library's own.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan as Unrecorded
from opentelemetry.trace import SpanContext, TraceFlags, set_span_in_context

from octogram_tui import __version__
from octogram_tui.cuts import beginning
from octogram_tui.engine.events import Event
from octogram_tui.model.trace import Trace
from octogram_tui.projection.text import visible
from octogram_tui.report.spans import Ids, RunSpans

FLUSH_S = 5.0  # at the end of the run, for all that waits
GIVING_UP_S = 0.2  # for a thread that was told to end then
MOST_WAITING = 16384  # spans; what comes when so many wait takes the place of the oldest
PROTOCOL = "http/protobuf"
_LIBRARY = "opentelemetry"


class Talk(requests.Session):
    """The library's way to the collector. It notes what became of the latest request."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble = ""  # of the latest request
        self.refused = 0  # spans, although their requests were taken
        self.why_refused = ""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """Send a request."""
        try:
            response = super().send(request, **how)
        except (requests.RequestException, OSError) as error:
            self.trouble = _reason(error)
            raise
        self.trouble = self._read(response)
        return response

    def _read(self, response: requests.Response) -> str:
        """Look into an answer; give what is wrong with it."""
        if response.status_code != 200:
            return f"it answered {response.status_code} {response.reason or ''}".rstrip()
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/x-protobuf" and response.content:
            try:
                partial = ExportTraceServiceResponse.FromString(response.content).partial_success
            except DecodeError:
                return "its answer is not that of a collector"
            self.refused += max(0, partial.rejected_spans)
            self.why_refused = partial.error_message or self.why_refused or "it gave no reason"
        elif kind.startswith("text/html"):
            return "it answered with a page of the web: is that a collector?"
        return ""


class Counted(SpanExporter):
    """Sends by the library's exporter, and counts what was taken."""

    def __init__(self) -> None:
        self.talk = Talk()
        self._exporter = OTLPSpanExporter(session=self.talk)
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many spans the collector has."""
        return self._taken - self.talk.refused

    @property
    def trouble(self) -> str:
        """Say why it has not all of them, as far as it is known."""
        return self.talk.why_refused if self.talk.refused else self.talk.trouble

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS and not self.talk.trouble:
            self._taken += len(spans)
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


class SpanReport:
    """Tells a collector of the run. Nothing of it disturbs the run, whatever becomes of the spans."""

    def __init__(self) -> None:
        _quieten()
        self._exporter: Counted | None = None
        self._processor: _Counting | None = None
        self._why_not = ""
        ids = Ids()
        resource = Resource({"service.name": "octogram-tui", "service.version": __version__})
        named = {key: value for key, value in Resource.create().attributes.items() if not _is_unnamed(key, value)}
        provider = TracerProvider(
            resource=resource.merge(Resource(named)), id_generator=ids, span_limits=_limits(), shutdown_on_exit=False
        )
        self._why_not = _why_not(os.environ)
        if not self._why_not and _exports(os.environ):
            try:
                self._exporter = Counted()
                self._processor = _Counting(self._exporter)
                provider.add_span_processor(self._processor)
            except Exception as error:  # of variables that the library cannot make sense of
                self._why_not = str(error)
        self._spans = RunSpans(provider, ids, __version__)

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch of events in."""
        self._spans.apply(events)

    def recall(self, events: Sequence[Event]) -> None:
        """Take in what happened before the run was taken up again."""
        self._spans.recall(events)

    def close(self) -> None:
        """Send what waits, for a bounded time, and say what was not taken."""
        self._spans.close()
        if self._processor is not None:
            # The library would wait for longer, and an answer that does not come is not waited for at all.
            ending = Thread(target=self._processor.shutdown, name="last spans", daemon=True)
            ending.start()
            ending.join(FLUSH_S)
            if ending.is_alive() and self._exporter is not None:
                self._exporter.shutdown()  # which wakes who waits to ask again, and keeps back what is left
                ending.join(GIVING_UP_S)
        said = self.trouble()
        if said:
            with suppress(OSError, ValueError):
                print(f"octogram-tui: {said}", file=sys.stderr)

    def trouble(self) -> str:
        """Say in a line what was not taken; empty when all was."""
        if self._why_not:
            return f"no span of this run was sent: {_line(self._why_not)}"
        if self._exporter is None or self._processor is None:
            return ""
        ended, taken = self._processor.ended, self._exporter.taken
        if taken >= ended:
            return ""
        why = self._exporter.trouble or f"they were not taken within {FLUSH_S:g} s"
        return f"{ended - taken} of {ended} spans of this run were not taken by {_line(_where())}: {_line(why)}"


class _Counting(BatchSpanProcessor):
    """The library's queue and thread, with a count of what went in."""

    def __init__(self, exporter: SpanExporter) -> None:
        waiting = None if os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") else MOST_WAITING
        super().__init__(exporter, max_queue_size=waiting)
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that has ended."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.ended += 1
        super().on_end(span)


def is_recorded(trace: Trace) -> bool:
    """Whether the sampler of the surroundings (`OTEL_TRACES_SAMPLER`) records a run of this trace."""
    _quieten()
    sampler = TracerProvider(span_limits=_limits(), shutdown_on_exit=False).sampler
    parent = None
    if trace.parent_id:
        flags = TraceFlags(trace.flags)
        parent = set_span_in_context(
            Unrecorded(SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, flags))
        )
    decision = sampler.should_sample(parent, int(trace.trace_id, 16), "RUN").decision
    return decision is Decision.RECORD_AND_SAMPLE


def _quieten() -> None:
    """Keep the library from writing: what it has to say is said in a line, at the end."""
    logger = logging.getLogger(_LIBRARY)
    if logger.propagate:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _limits() -> SpanLimits:
    """Give the limits of the surroundings; no text of ours is longer than MOST_CHARACTERS of conventions.py."""
    return SpanLimits(max_event_attributes=16, max_links=4)


def _exports(environ: Mapping[str, str]) -> bool:
    is_disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not is_disabled and environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() != "none"


def _why_not(environ: Mapping[str, str]) -> str:
    """Say why nothing can be sent as the surroundings want it; empty when it can."""
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        wanted = environ.get(name, "").strip()
        if wanted:
            if wanted == PROTOCOL:
                return ""
            return (
                f"{name} is {wanted}, and only {PROTOCOL} is spoken here: set "
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL to it, and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to where that is"
            )
    return ""


def _where() -> str:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if os.environ.get(name):
            return os.environ[name].rpartition("@")[2]
    return "http://localhost:4318"


def _is_unnamed(key: str, value: object) -> bool:
    return key == "service.name" and str(value).startswith("unknown_service")


def _reason(error: BaseException) -> str:
    """Give the system's own word for what is at the bottom of an error of the library's libraries."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema):
        return "its address has to begin with http:// or https://"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    return str(error) or type(error).__name__


def _line(text: str) -> str:
    return beginning(visible(text), 300)
