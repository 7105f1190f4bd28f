"""A console whose run's host went away, one whose run has stale rows, and counts too large for their column."""

import time
from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from struck_fleet import STAGE, struck_events

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui import hints
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.model import Model
from octogram_tui.tui.screens.dialogs import Question


def seen(app: ConsoleApp) -> list[str]:
    return ["".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()]


def later(events: list[ev.Event], *more: ev.Event) -> list[ev.Event]:
    for seq, event in enumerate(more, events[-1].seq + 1):
        event.seq, event.at_s = seq, seq / 10
    return [*events, *more]


def test_the_clock_stands_when_the_host_is_gone() -> None:
    now = [100.0]
    model = Model(clock=lambda: now[0])
    model.apply([ev.RunStarted(run="r", scenario="s.yml", started_wall="1970-01-01T00:01:00Z")])
    now[0] += 5.0
    assert model.now_s == 45.0
    model.lose()
    now[0] += 60.0
    assert model.now_s == 45.0, "nobody knows what the run does now"
    assert model.is_lost


def test_time_goes_on_as_it_does_for_the_run_whatever_the_clock_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, passed = [100.0], [7.0]
    monkeypatch.setattr("time.time", lambda: wall[0])
    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    model = Model(clock=time.time)
    model.apply([ev.RunStarted(run="r", scenario="s.yml", started_wall="1970-01-01T00:01:00Z")])
    for set_s in (0.0, 7200.0, -7200.0):
        assert model.now_s == 40.0
        wall[0] = 100.0 + set_s
    passed[0] += 5.0
    assert model.now_s == 45.0
    wall[0] = 90_000.0  # its process died, and another one goes on with it a day later
    model.apply([ev.RunTakenUp(seq=2, at_s=50.0, number=1, started_wall="1970-01-02T00:59:57Z")])
    assert model.now_s == 53.0


async def test_all_that_is_stale_runs_again_after_a_question() -> None:
    stale = ev.JobStale(stage="deploy", job="copy", instances=["deploy/copy@node_2", "deploy/copy@node_5"])
    source = StillSource(later(struck_events(6, (2,)), stale))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.action_rerun_stale()
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert any("Rerun 2 stale instances on 2 agents?" in line for line in seen(app))
        await pilot.press("r")
        assert source.sent == [st.RerunAllRequest("stale")]


async def test_a_large_count_is_not_cut() -> None:
    plan: list[Any] = [{"stage": "s", "jobs": [{"job": "piece", "procedure": "builtins.shell", "items": True}]}]
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="s.yml", plan=plan, agents=[{"agent": "a"}]),
        ev.AgentReady(agent="a"),
        ev.StageStarted(stage="s", agents=["a"]),
    ]
    for number in range(1200):
        key = InstanceId("s", "piece", "a", str(number))
        events.append(ev.JobStarted(instance=key, item=number))
        failure = Failure("exit", "no") if number < 110 else None
        events.append(ev.JobFinished(instance=key, item=number, state="failed" if failure else "ok", failure=failure))
    async with console(StillSource(later(events[:1], *events[1:]))).run_test(size=(140, 40)) as pilot:
        app = await settled(pilot)
        assert "✗110 1200/1200+ " in screen_text(app)


def test_no_hint_speaks_against_the_key_that_answers_a_stage() -> None:
    model = Model(is_replay=True)
    model.apply(later(struck_events(3, ()), ev.ConfirmationAsked(stage=STAGE)))
    assert hints.hint_for(model.board) is None


async def test_the_header_of_short_names_is_whole() -> None:
    agents: list[Any] = [{"agent": name} for name in ("a", "b")]
    plan: list[Any] = [{"stage": "s", "jobs": [{"job": "j", "procedure": "x"}]}]
    source = StillSource(later([ev.RunStarted(run="r", scenario="s.yml", plan=plan, agents=agents)]))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "  agent " in screen_text(app))
