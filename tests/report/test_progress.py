"""Plain logs: what is said at each level, nothing that a terminal or a CI service obeys, and the end always last."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace

import golden
import pytest
import recorded

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AgentName, InstanceId, JobKey, StageKey
from octogram_tui.report import phrases
from octogram_tui.report.closing import Repeats
from octogram_tui.report.github import GitHub
from octogram_tui.report.held import HeldCall
from octogram_tui.report.plainlog import NORMAL, QUIET, VERBOSE, Style
from octogram_tui.report.progress import SILENCE_S, Progress
from octogram_tui.report.pulse import Pulse
from octogram_tui.report.service import service_of
from octogram_tui.settings import CI_SERVICES

PLAIN = Style()


def log(events: list[ev.Event], style: Style = PLAIN, again: str = "octogram-tui shops.yml") -> str:
    stream = io.StringIO()
    held = (lambda: f"{again} --on-failure pause --on-break hold:30m") if again else None
    report = Progress(stream, style, files={"journal": "/runs/x/journal.jsonl"}, repeats=Repeats(again, held=held))
    report.apply(events)
    report.close()
    report.close()
    return stream.getvalue()


@pytest.mark.parametrize("name", ["failing", "succeeding", "unreachable", "interrupted"])
@pytest.mark.parametrize(
    ("kind", "style"),
    [
        ("quiet", Style(QUIET)),
        ("normal", Style(NORMAL)),
        ("verbose", Style(VERBOSE)),
        *((service, PLAIN) for service in CI_SERVICES),
        ("grouped", Style(output="grouped")),
        ("stream", Style(output="stream")),
        ("color", Style(color=True)),
        ("ascii", Style(VERBOSE, ascii_only=True)),
    ],
)
def test_the_log_is_as_it_was_looked_at(name: str, kind: str, style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no program of a service is there
    if kind in CI_SERVICES:
        style = replace(style, service=service_of(kind))
    golden.check(f"{name}.{kind}.txt", log(getattr(recorded, name)(), style))


@pytest.mark.parametrize("level", [QUIET, NORMAL, VERBOSE])
@pytest.mark.parametrize("github", [False, True])
def test_no_text_from_outside_is_obeyed(level: int, github: bool) -> None:
    service = GitHub({}) if github else None
    shown = log(recorded.failing() + recorded.succeeding(), Style(level, service=service))
    allowed = r"::(group|endgroup|error file=shops\.yml,line=\d+,title=[^:]+)::"
    for line in shown.split("\n"):
        assert "##[" not in line
        assert "##vso[" not in line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line)
        if line.lstrip().startswith("::"):
            assert github
            assert re.match(allowed, line)


def test_ascii_is_ascii() -> None:
    shown = log(recorded.failing(), Style(VERBOSE, ascii_only=True))
    assert shown.isascii()
    assert "FAIL sell one [shop_2] (2)" in shown


def test_the_end_is_last_and_tells_what_to_do() -> None:
    lines = log(recorded.failing()).splitlines()
    end = lines[lines.index("") + 1 :]
    assert end[0].startswith("FAILED after 15.0s, exit code 1: ")
    assert end[1] == "first failure: sell/sell one@shop_2[2] (shops.yml:22)"
    assert "jobs: 1 cancelled, 1 failed, 5 ok, 1 retry" in end
    assert end[-4:] == [
        "journal: /runs/x/journal.jsonl",
        "replay: octogram-tui replay 20261123-031409-shops-x7",
        "again: octogram-tui shops.yml",
        "again, held where it fails: octogram-tui shops.yml --on-failure pause --on-break hold:30m",
    ]


def test_a_run_without_an_end_says_so() -> None:
    assert "UNFINISHED" in log(recorded.failing()[:9])
    assert not log([]), "of a run that never began the error is told"


def test_an_error_without_output_shows_what_its_detail_holds() -> None:
    one = recorded.job("open", "fill", "shop_1")
    error = {"message": "no", "detail": {"last_lines": ["why", "not"]}}
    shown = log(
        recorded.numbered(
            [*recorded.started(), ev.JobFinished(**one, state="failed", failure=Failure.from_json(error))]
        )
    )
    assert "    | why\n    | not\n" in shown


def failures(messages: list[str]) -> list[ev.Event]:
    failed = [
        ev.JobFinished(
            **recorded.job("sell", "sell one", "shop_1", n),
            state="failed",
            failure=Failure.from_json({"message": message, "hint": "look there"}),
        )
        for n, message in enumerate(messages)
    ]
    return recorded.numbered([*recorded.started(), *failed])


def test_failures_that_are_alike_are_told_once() -> None:
    shown = log(failures(["no stock"] * 24 + ["no money"]), Style(service=GitHub({})))
    assert shown.count("hint: look there") == 3, "with each cause, and at the end with the first"
    assert "✗ sell one [shop_1] (1) 0.00s: as on shop_1[0]\n" in shown
    assert shown.count("::error ") == 2
    end = shown[shown.index("first failure: ") :]
    others = "shop_1[1] shop_1[2] shop_1[3] shop_1[4] shop_1[5] +18"
    first = f"sell/sell one@shop_1[0] (shops.yml:22) and 23 more like it ({others})"
    assert end.startswith(f"first failure: {first}\n    no stock\n")
    assert "also failed: sell/sell one@shop_1[24]: no money\n" in end


def test_agents_that_fail_alike_are_told_once() -> None:
    events: list[ev.Event] = [
        ev.AgentFailed(
            agent=f"shop_{n}", code="net.refused", message=f"cannot reach me@10.0.0.{n}:22: refused", hint="is it on?"
        )
        for n in (1, 2)
    ]
    shown = log(recorded.numbered([*recorded.started(), *events]))
    assert "agent shop_2 could not be started: as shop_1\n" in shown
    assert "first failure: agent shop_1 and 1 more like it (shop_2)\n    refused\n" in shown


def test_the_cause_stands_before_the_exit_status() -> None:
    failure = Failure("exit", "sh ended with exit status 3", detail={"exit_code": 3, "last_lines": ["error: no stock"]})
    failed = ev.JobFinished(**recorded.job("sell", "sell one", "shop_1"), state="failed", failure=failure)
    shown = log(recorded.numbered([*recorded.started(), failed]))
    assert "(shops.yml:22)\n    no stock (sh ended with exit status 3)\n" in shown


def test_many_failures_are_counted_not_all_shown() -> None:
    words = "ash bay elm fir oak yew fig box asp may nut hop rue tea pea rye oat hay sloe lime pine pear plum palm rose"
    shown = log(failures(words.split()), Style(service=GitHub({})))
    assert shown.count("::error ") == 10
    assert "(and 15 more failures)" in shown
    assert "also failed: 15 more\n" in shown


def test_an_unknown_exit_code_is_shown() -> None:
    shown = log(recorded.numbered([STARTED, ev.RunFinished(exit_code=99)]))
    assert "exit code 99" in shown


def test_a_reader_that_goes_away_does_not_disturb_the_run() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "w") as stream:
        report = Progress(stream, PLAIN)
        report.apply(recorded.failing())
        report.apply(recorded.failing())
        report.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00s"),
        (0.044, "0.04s"),
        (9.99, "9.99s"),
        (9.996, "10.0s"),
        (59.94, "59.9s"),
        (59.96, "1m00s"),
        (63.2, "1m03s"),
        (3599, "59m59s"),
        (3599.6, "1h00m"),
        (7500, "2h05m"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert phrases.duration(seconds) == text


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


STARTED = ev.RunStarted(run="r", scenario="s.yml", digest="", started_wall="2026-11-25T10:00:00.000Z", version="1")


def job_started(agent: str, at_s: float, item: str | None = None, job: str = "build") -> ev.JobStarted:
    return ev.JobStarted(instance=InstanceId(StageKey("s"), JobKey(job), AgentName(agent), item), attempt=1, at_s=at_s)


def test_a_run_that_has_nothing_to_say_shows_that_it_lives() -> None:
    clock, stream = Clock(), io.StringIO()
    report = Progress(stream, PLAIN, clock=clock)
    report.say_alive()
    assert stream.getvalue() == ""
    report.apply([STARTED])
    report.apply([job_started("a", 1.0), job_started("b", 2.0), job_started("c", 3.0, job="test")])
    said = []
    for _ in range(200):  # more than a minute and a half
        clock.now_s += 0.5
        before = stream.tell()
        report.say_alive()
        said += [line for line in stream.getvalue()[before:].splitlines() if line]
    assert said == [
        "  32.0s: running s/build on 2 agents for 31.0s, s/test on c for 29.0s",
        "  1m01s: running s/build on 2 agents for 1m00s, s/test on c for 58.0s",
        "  1m30s: running s/build on 2 agents for 1m29s, s/test on c for 1m27s",
    ]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([ev.AgentStarting(agent="a", at_s=1.0)], "starting 1 agent (a) for 29.0s"),
        ([job_started("a", 1.0, "x"), job_started("a", 1.0, "y")], "running s/build on a, 2 items for 29.0s"),
        ([job_started("a", 1.0, job=str(n)) for n in range(5)], "running s/0 on a for 29.0s, s/1 on a for 29.0s,"
         " s/2 on a for 29.0s, and 2 more"),
        ([job_started("a", 1.0), ev.JobProgress(instance=job_started("a", 0).instance, text="3 of 9", at_s=2.0)],
         "running s/build on a for 30.0s (3 of 9)"),
        ([job_started("a", 1.0), ev.JobFinished(instance=job_started("a", 0).instance, state="failed", will_retry=True,
          at_s=2.0)], "waiting to try again: s/build on a for 29.0s"),
        ([ev.RunPaused(reason="failure", at_s=1.0)], "paused, and waits for an operator"),
        ([ev.ConfirmationAsked(stage="deploy", at_s=1.0)], "stage deploy waits for a confirmation"),
        ([ev.AgentReady(agent="a", home="/h", at_s=1.0), ev.StopRequested(by="SIGINT", at_s=1.0)],
         "waiting for 1 agent (a) for 29.0s"),
        ([], "nothing runs"),
    ],
)  # fmt: skip
def test_the_sign_of_life_says_what_the_run_waits_for(events: list[ev.Event], said: str) -> None:
    clock, stream = Clock(), io.StringIO()
    report = Progress(stream, PLAIN, clock=clock)
    report.apply([STARTED, *events])
    clock.now_s += SILENCE_S
    report.say_alive()
    assert stream.getvalue().splitlines()[-1].partition(": ")[2] == said


def test_a_quiet_log_shows_no_sign_of_life() -> None:
    clock, stream = Clock(), io.StringIO()
    report = Progress(stream, Style(QUIET), clock=clock)
    report.apply([STARTED])
    clock.now_s += 100
    report.say_alive()
    assert stream.getvalue() == ""


def test_lines_begin_with_the_time_of_what_they_tell() -> None:
    events = [STARTED, *recorded.failing()[1:]]
    lines = log(events, Style(VERBOSE, timestamps=True)).splitlines()
    assert all(re.match(r"2026-11-25T10:\d\d:\d\d\.\d{3}Z ", line) for line in lines)
    times = [line[:24] for line in lines]
    assert times == sorted(times)
    assert len(set(times)) > 3
    github = log(events, Style(service=GitHub({}), timestamps=True)).splitlines()
    assert any(line.startswith("::group::") for line in github)


def test_what_breakpoints_met_is_told_and_at_the_end_what_became_of_those_that_were_asked_for() -> None:
    row = InstanceId("sell", "ask\x1b[1m", "shop_1", "2")
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="s.yml", plan=[{"stage": "sell", "jobs": [{"job": "ask", "items": True}]}]),
        ev.BreakpointSet(number=1, pattern="*", when="failed", by="run"),
        ev.BreakpointSet(number=2, pattern="sell/ask", condition="item > 1", by="command line"),
        ev.BreakpointSet(number=3, pattern="bye", by="command line"),
        ev.BreakpointSet(number=4, pattern="sell", by="command line"),
        ev.BreakpointMet(number=1, message="failed: exit status 1", count=1, instance=row),
        ev.BreakpointMet(number=2, message="before, item > 1 (item = 2)", count=1, instance=row),
        ev.RunPaused(reason="breakpoint", message="sell/ask@shop_1[2]: breakpoint 2: before"),
        ev.BreakpointMet(number=2, message="::error::said\x1b[0m", count=2, is_log=True, row="sell"),
        ev.AgentHeld(agent="shop_1", reason="breakpoint", message="breakpoint 2"),
    ]
    shown = log(events)
    assert "! breakpoint 2, ask␛[1m [shop_1] (2): before, item > 1 (item = 2)\n! paused (breakpoint)\n" in shown
    assert "\n  breakpoint 2, sell: ::error::said" in shown
    assert "! agent shop_1 is held (breakpoint); the others go on\n" in shown
    assert "breakpoint 1" not in shown
    assert "\nbreakpoint 2, before sell/ask, if item > 1: met 2 times, last at sell\n" in shown
    assert "\nbreakpoint 3, before bye: matches nothing now\n" in shown
    assert "\nbreakpoint 4, before sell: was not met\n" in shown
    assert "breakpoint 2, ask" not in log(events, Style(QUIET))


def test_whoever_is_called_to_a_run_that_is_held_gets_the_command() -> None:
    stream = io.StringIO()
    call = HeldCall(stream, 1800.0)
    call.apply([ev.RunStarted(run="a run", scenario="s.yml"), ev.RunPaused(reason="operator", message="not for this")])
    call.apply([ev.RunPaused(reason="breakpoint", message="s/j@a: breakpoint 2: before\x1b[0m")])
    call.apply([ev.AgentHeld(agent="a", reason="failure", message="s/j@a failed")])
    call.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("octogram-tui: held: s/j@a: breakpoint 2: before")
    assert lines[1] == "  attach within 30m00s, else the run ends: octogram-tui attach 'a run'"
    assert lines[2] == "octogram-tui: held: agent a, s/j@a failed"
    assert "\x1b" not in stream.getvalue()


def test_a_sign_of_life_says_which_agent_is_held() -> None:
    pulse = Pulse(lambda: 0.0)
    pulse.apply(ev.AgentHeld(agent="n_2", reason="breakpoint"))
    assert pulse.text() == "agent n_2 is held, and waits for an operator"
    pulse.apply(ev.AgentReleased(agent="n_2"))
    assert pulse.text() == "nothing runs"


def test_what_a_process_that_is_gone_has_told_is_not_told_again() -> None:
    stream = io.StringIO()
    progress = Progress(stream, PLAIN)
    row = InstanceId("s", "j", "a")
    progress.recall([ev.RunStarted(run="r-1", scenario="s.yml"), ev.JobFinished(instance=row, attempt=1, state="ok")])
    assert stream.getvalue() == ""
    progress.apply(
        [
            ev.RunTakenUp(number=1, down_s=75.0, in_flight=2),
            ev.JobInDoubt(instance=row, attempt=2, reason="its daemon is gone"),
        ]
    )
    progress.close()
    told = stream.getvalue().splitlines()
    assert told[0] == "run r-1 goes on, after 1m15s without a process; 2 under way are asked for"
    assert told[1].endswith("s/j@a: nobody knows how it ended: its daemon is gone")
    assert "jobs: 1 ok" in told
    assert told[-2:] == ["go on with it: octogram-tui resume r-1", "end what it left: octogram-tui clean r-1"]


def test_nothing_is_kept_of_what_went_well() -> None:
    """A run of days has as many attempts as it likes; the last lines, whosever they are, are bounded by themselves."""
    progress = Progress(io.StringIO(), PLAIN)
    for number in range(500):
        row = InstanceId("s", "j", f"a_{number}")
        progress.apply(
            [
                ev.JobStarted(instance=row),
                ev.JobOutput(agent=row.agent, lines=["x" * 50_000], instance=row),
                ev.JobFinished(instance=row, state="failed" if number == 7 else "ok"),
            ]
        )
    assert len(progress._tails.of(InstanceId("s", "j", "a_7"), 1).lines) == 1
    assert progress._tails.size_bytes < 51_000, "of all others nothing is there"


def test_output_is_shown_as_it_is_asked_for() -> None:
    events = recorded.failing()
    prefixed = log(events, Style(output="prefixed")).splitlines()
    assert "  shop_1 sell one | not yet" in prefixed
    assert "  shop_2 sell one | (3 lines left out)" in prefixed
    assert "variable" not in "".join(prefixed), "the rest of -v is not asked for"
    stream = log(events, Style(output="stream")).splitlines()
    assert stream.index("  | not yet") < stream.index("  | sold") < stream.index("  | line 0")
    grouped = log(events, Style(output="grouped")).splitlines()
    assert grouped[grouped.index("✓ sell one [shop_1] (1) 2.00s") + 1] == "    | sold"
    failed = log(events, Style(VERBOSE, output="failed"))
    assert "sold" not in failed
    assert "    | line 4\n" in failed
    assert failed.count("ready: /h/") == 2


def test_a_quiet_log_shows_output_that_is_asked_for() -> None:
    quiet = log(recorded.failing(), Style(QUIET, output="grouped")).splitlines()
    assert quiet[quiet.index("✓ sell one [shop_1] (1) 2.00s") + 1] == "    | sold"
    assert not any(line.startswith("== ") for line in quiet)
    assert "  | sold" in log(recorded.failing(), Style(QUIET, output="stream"))


def test_a_group_of_output_is_bounded_and_forgotten() -> None:
    progress = Progress(io.StringIO(), Style(output="grouped"))
    row = recorded.job("open", "fill", "shop_1")
    progress.apply([ev.JobStarted(**row), ev.JobOutput(agent="shop_1", **row, lines=["x"] * 5000)])
    lines = progress._lines
    assert lines is not None
    assert len(lines._groups.of(row["instance"], 1).lines) == 2000
    progress.apply([ev.JobFinished(**row)])
    assert lines._groups.size_bytes == 0
    assert "    | (3000 lines left out)\n" in progress._log.stream.getvalue()  # type: ignore[attr-defined]
