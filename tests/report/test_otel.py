"""`--otel` and collectors: one that takes all, a real one, and those that are slow, wrong, or not there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import recorded
from collector import Answer, Collector, attributes_of, collecting, real_collector
from fixtures_program import Place, wait_for
from ports import free_port

from octogram_tui.engine import events as ev
from octogram_tui.model.trace import Trace, span_id
from octogram_tui.report import otel as module
from octogram_tui.report.otel import SpanReport, is_recorded
from octogram_tui.report.untold import span_report

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HANDED = f"00-{TRACE}-{SPAN}-01"
SCENARIO = """
agents:
  - {name: a, transport: local}
  - {name: b, transport: local, env: {TRACESTATE: mine=1}}
secrets: {token: {env: TOKEN}}
stages:
  - name: s
    jobs:
      - name: j
        with_items: 1..2
        builtins.shell: 'echo "$TRACEPARENT $TRACESTATE $BAGGAGE"'
      - {name: own, builtins.shell: {script: 'echo "$TRACEPARENT"', env: {TRACEPARENT: own}}}
      - name: fails
        on_failure: continue
        retries: 1
        builtins.shell: {script: 'echo "$TOKEN" >&2; exit 3', env: {TOKEN: '{{ vars.token }}'}}
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Have one, and nobody left who talks to it: threads of one test must not go on in another."""
    with collecting() as found:
        yield found
        found.let_go.set()
        wait_for(lambda: not any("Otel" in thread.name or "spans" in thread.name for thread in threading.enumerate()))


@pytest.fixture
def told(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Collector:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    return collector


def report(capsys: pytest.CaptureFixture[str], events: list[ev.Event] | None = None) -> str:
    """Tell of a run; give what is said at its end."""
    found = span_report()
    found.apply(recorded.failing() if events is None else events)
    found.close()
    return capsys.readouterr().err


def test_a_collector_has_the_whole_run(
    told: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab")
    assert report(capsys) == ""
    assert told.faults == []
    assert told.encodings == {"gzip"}
    assert told.resource["service.name"] == "octogram-tui"
    assert told.resource["deployment.environment.name"] == "lab"
    assert {"RUN shops", "sell", "sell one", "sell one attempt"} <= {span.name for span in told.spans}


def test_a_name_for_the_service_counts_for_more(
    told: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    assert report(capsys) == ""
    assert told.resource["service.name"] == "nightly"


def test_a_collector_that_is_busy_is_asked_again(told: Collector, capsys: pytest.CaptureFixture[str]) -> None:
    told.answers = [Answer(429, headers=(("Retry-After", "0"),)), Answer(503, headers=(("Retry-After", "0.01"),))]
    found = SpanReport()
    found.apply(recorded.failing())
    found._spans.close()
    assert found._processor is not None
    assert found._processor.force_flush()
    found.close()
    assert capsys.readouterr().err == ""
    assert told.requests == 3
    assert told.named("RUN shops")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404), "it answered 404 Not Found"),
        (Answer(401), "it answered 401 Unauthorized"),
        (Answer(200, "text/html"), "a page of the web"),
        (Answer(rejected=2), "no room for more"),
    ],
)
def test_what_was_not_taken_is_said_once_in_a_line(
    told: Collector, capsys: pytest.CaptureFixture[str], answer: Answer, said: str
) -> None:
    told.answers = [answer]
    lines = report(capsys).splitlines()
    assert len(lines) == 1
    assert re.search(r"[0-9]+ of [0-9]+ spans of this run were not taken by http://127", lines[0])
    assert said in lines[0]


@pytest.mark.parametrize(
    ("variable", "value", "said", "requests"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc\x1b[31m", "OTEL_EXPORTER_OTLP_PROTOCOL is grpc", 0),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "no span of this run was sent", 0),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "", 1),  # the library does without, and so do we
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "", 1),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318", "its address has to begin with http:// or https://", 0),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "few\x1b[31m", "OTEL_ATTRIBUTE_COUNT_LIMIT must be", 0),
        ("OTEL_TRACES_SAMPLER", "some", "", 1),
        ("OTEL_SDK_DISABLED", "true", "", 0),
        ("OTEL_TRACES_EXPORTER", "none", "", 0),
    ],
)
def test_surroundings_that_make_no_sense_or_want_none(
    told: Collector,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    said: str,
    requests: int,
) -> None:
    monkeypatch.setenv(variable, value)
    lines = report(capsys).splitlines()
    assert len(lines) == bool(said)
    assert said in "".join(lines)
    assert "\x1b" not in "".join(lines)
    assert told.requests == requests


def test_nobody_there_and_somebody_who_never_answers_cost_a_bounded_moment(
    told: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.2)
    told.let_go.clear()
    begun_s = time.monotonic()
    assert "were not taken within 0.2 s" in report(capsys)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://someone:password@127.0.0.1:9")
    monkeypatch.setattr(module, "GIVING_UP_S", 60.0)  # the refusal has come by then: who waits to ask again is woken
    said = report(capsys)
    assert "127.0.0.1:9: Connection refused" in said
    assert "password" not in said
    assert time.monotonic() - begun_s < 30


def test_so_many_spans_wait_and_no_more(
    told: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.2)
    monkeypatch.setattr(module, "MOST_WAITING", 600)
    told.let_go.clear()
    many = [ev.JobFinished(**recorded.job("open", "fill", "shop_1", n)) for n in range(3000)]
    said = report(capsys, recorded.numbered([*recorded.started(), *many]))
    assert re.search("3003 of 3003 spans", said)


def test_the_sampler_of_the_surroundings_decides(
    told: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handed, unwanted = (Trace(TRACE, SPAN, flags, is_told=True) for flags in (1, 0))
    assert is_recorded(handed)
    assert not is_recorded(unwanted)
    started = ev.RunStarted(run="r", scenario="s.yml", options={"trace": unwanted.public()})
    assert report(capsys, [started]) == ""
    assert told.requests == 0
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert not is_recorded(handed)


@pytest.mark.collector
def test_a_run_through_a_real_collector(told: Collector, place: Place, tmp_path: Path) -> None:
    """The run's spans go to a real one, which hands on what it has understood; its jobs know their parents."""
    program = real_collector()
    if program is None:
        pytest.skip("there is no collector on this machine")
    log = tmp_path / "log"
    ports = [free_port(), free_port()]
    with open(log, "wb") as out:
        real = subprocess.Popen(
            [
                *(program, "start", "--otlp-http-endpoint", f"127.0.0.1:{ports[0]}"),
                *("--otlp-grpc-endpoint", f"127.0.0.1:{ports[1]}", "--exporter", "otlp"),
                *("--otlp-exporter-endpoint", told.url, "--otlp-exporter-protocol", "http"),
                *("--batch-timeout", "50ms", "--pid-file", tmp_path / "pid"),
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(lambda: answers(ports[0]))
        place.extra |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports[0]}", "TRACEPARENT": HANDED}
        place.extra |= {"TRACESTATE": "vendor=1", "BAGGAGE": "build=7", "TOKEN": "hunter2hunter2"}
        place.write("s.yml", SCENARIO)
        done = place.run("s.yml", "--headless", "--otel", "--events", "e.jsonl")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        wait_for(lambda: told.named("RUN s"))
    finally:
        real.terminate()
        real.wait(60)
    assert told.faults == []
    assert not any(b"hunter2" in span.SerializeToString() for span in told.spans)
    [root] = told.named("RUN s")
    assert (root.trace_id.hex(), root.parent_span_id.hex(), root.trace_state) == (TRACE, SPAN, "vendor=1")
    events = [json.loads(line) for line in (place.home / "e.jsonl").read_text().splitlines()]
    run = events[0]["run"]
    assert root.span_id.hex() == span_id(run)
    known = {span.span_id.hex(): span for span in told.spans}
    printed = {(e["key"], e["attempt"]): e["lines"][0] for e in events if e["type"] == "job_output"}
    for item in (1, 2):
        for agent, state in (("a", "vendor=1"), ("b", "mine=1")):
            parent, *others = printed[f"s/j@{agent}[{item}]", 1].split()
            assert others == [state, "build=7"]
            span = known[parent.split("-")[2]]
            assert span.name == "j attempt"
            assert attributes_of(span)["octogram.agent"] == attributes_of(span)["cicd.worker.name"] == agent
            assert attributes_of(span)["octogram.item"] == str(item)
            assert parent.split("-")[1] == TRACE
    assert printed["s/own@a", 1] == "own"
    failed = [span for span in told.named("fails attempt") if attributes_of(span)["octogram.agent"] == "a"]
    first, second = sorted(failed, key=lambda span: span.start_time_unix_nano)
    assert [link.span_id for link in second.links] == [first.span_id]
    assert attributes_of(second)["cicd.pipeline.task.run.result"] == "failure"


def test_without_the_extra_it_says_how_to_have_it(place: Place, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'opentelemetry' else found(name, package)\n"
    )
    place.extra["PYTHONPATH"] = f"{tmp_path}:{place.environment['PYTHONPATH']}"
    place.write("s.yml", SCENARIO)
    done = place.run("s.yml", "--headless", "--otel")
    assert done.returncode == 2
    assert "pip install 'octogram-tui[otel]'" in done.stderr


def answers(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
