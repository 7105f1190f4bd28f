"""A collector of OpenTelemetry that takes nothing but what the protocol allows, and answers as it is told to."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PROTOBUF = "application/x-protobuf"


class Answer(NamedTuple):
    """What a request is answered with. rejected: spans that are refused although the request is taken."""

    status: int = 200
    kind: str = PROTOBUF
    rejected: int = 0
    headers: tuple[tuple[str, str], ...] = ()


class Collector:
    """Takes spans in; what is wrong with a request is kept, and refused."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []  # of the requests that come first; later ones are taken
        self.requests = 0
        self.spans: list[Span] = []
        self.resource: dict[str, Any] = {}
        self.faults: list[str] = []
        self.encodings: set[str] = set()
        self.let_go = Event()  # until then nothing is answered, where that is wanted
        self.let_go.set()
        self.url = ""

    def take(self, body: bytes) -> None:
        """Take a request in."""
        request = ExportTraceServiceRequest.FromString(body)
        look(request)
        for resource in request.resource_spans:
            self.resource = attributes_of(resource.resource)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    check(span)
                    if any(span.span_id == other.span_id for other in self.spans):
                        raise ValueError(f"span {span.name!r} was told before")
                    self.spans.append(span)

    def named(self, name: str) -> list[Span]:
        """Give the spans of a name."""
        return [span for span in self.spans if span.name == name]


def look(message: Any) -> None:
    """Refuse what the protocol's own description does not know, wherever it stands."""
    if len(UnknownFieldSet(message)):
        raise ValueError(f"unknown fields in {message.DESCRIPTOR.name}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                look(one)


def check(span: Span) -> None:
    """Refuse a span that the protocol forbids."""
    is_named = bool(span.name) and span.kind != Span.SPAN_KIND_UNSPECIFIED
    if not is_named or len(span.trace_id) != 16 or len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
        raise ValueError(f"span {span.name!r} has bad ids, no kind or no name")
    if not any(span.trace_id) or not any(span.span_id) or not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
        raise ValueError(f"span {span.name!r} has empty ids, or ends before it begins")
    keys = [attribute.key for attribute in span.attributes]
    if len(keys) != len(set(keys)) or "" in keys:
        raise ValueError(f"span {span.name!r} has an attribute twice, or one without a name")


def attributes_of(owner: Any) -> dict[str, Any]:
    """Give attributes as Python has them."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in owner.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Have a collector on a port of this machine."""
    collector = Collector()

    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.let_go.wait(60)
            answer = collector.answers.pop(0) if collector.answers else Answer()
            if answer.status == 200 and answer.kind == PROTOBUF:
                try:
                    self.check_head()
                    encoding = self.headers.get("Content-Encoding", "identity")
                    collector.encodings.add(encoding)
                    collector.take(gzip.decompress(body) if encoding == "gzip" else body)
                except Exception as error:
                    collector.faults.append(f"{type(error).__name__}: {error}")
                    answer = Answer(400)
            reply = ExportTraceServiceResponse()
            if answer.rejected:
                reply.partial_success.rejected_spans = answer.rejected
                reply.partial_success.error_message = "no room for more"
            said = reply.SerializeToString() if answer.kind == PROTOBUF else b"<html>"
            self.send_response(answer.status)
            for name, value in (("Content-Type", answer.kind), ("Content-Length", str(len(said))), *answer.headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def check_head(self) -> None:
            if self.path != "/v1/traces" or self.headers["Content-Type"] != PROTOBUF:
                raise ValueError(f"{self.path} with {self.headers['Content-Type']}")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.let_go.set()
            server.shutdown()
            thread.join()


def real_collector() -> Path | None:
    """Give the program of a real one, which hands on what it takes."""
    found = find_spec("rotel")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).with_name("rotel-agent")
