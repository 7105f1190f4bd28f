"""The console as a person uses it: keys in, stimuli out, rows from the board."""

from collections.abc import Callable
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import AgentEntry, JobEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.help_screen import HelpScreen
from octogram_tui.tui.screens.log_screen import LogScreen, LogText
from octogram_tui.tui.screens.variable_form import VariableForm

STAGE = "wait until synchronised"
FAILED = InstanceId(STAGE, "wait_for_bootstrapped", "node-4")
HOSTILE: Any = ["\x1b[2J\x1b]0;gone\x07", "[/] [@click=app.quit]press[/]", "[bold red", "\u202egpj.exe", "a\tb\r"]


def run_screen(app: ConsoleApp) -> Any:
    assert app.run_screen is not None
    return app.run_screen


async def test_follows_the_run_until_the_operator_moves() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        plan = run_screen(app).plan
        assert plan.selected.key == ("start nodes", "start node")
        await pilot.press("g")
        assert (plan.selected.key, plan.is_following) == (("deploy binaries",), False)
        source.tell(ev.StageStarted(seq=9999, at_s=7.0, stage="activate protocol", agents=["node-0"]))
        await until(pilot, lambda: app.model.board.seq == 9999)
        assert plan.selected.key == ("deploy binaries",)
        await pilot.press("escape")
        assert plan.selected.key == ("activate protocol",)


async def test_nothing_is_drawn_while_the_terminal_has_not_taken_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would wait for it would be seen late, and every frame behind it later."""
    drawn: list[object] = []
    monkeypatch.setattr(ConsoleApp, "_display", lambda _self, _screen, update: drawn.append(update))
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("2")
        assert any(drawn)
        monkeypatch.setattr(ConsoleApp, "is_terminal_behind", True)
        drawn.clear()
        await pilot.press("3", "j", "q")  # a dialog is on top then
        source.tell(ev.StageStarted(seq=9999, at_s=7.0, stage="activate protocol", agents=["node-0"]))
        await until(pilot, lambda: app.model.board.seq == 9999)
        assert not any(drawn)
        monkeypatch.setattr(ConsoleApp, "is_terminal_behind", False)
        await until(pilot, lambda: any(drawn))
        assert app.screen is not app.run_screen


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("r", st.RerunRequest(STAGE, "wait_for_bootstrapped", "node-4", FAILED)),
        ("S", st.SkipRequest(FAILED)),
        ("space", st.GoRequest()),
    ],
)
async def test_verbs_on_the_failed_row(keys: str, expected: st.Stimulus) -> None:
    source = StillSource(fleet_events(200.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert "timeout after 30 s" in screen_text(app)
        await pilot.press(keys)
        assert source.sent == [expected]


@pytest.mark.parametrize("key", ["n", "s"])
async def test_steps_do_not_pass_the_failed_row_and_say_what_does(key: str) -> None:
    source = StillSource(fleet_events(200.0))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: any("steps do not pass it" in notice.message for notice in app._notifications))
        assert source.sent == []


async def test_space_pauses_a_run_that_goes() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("space")
        assert source.sent == [st.PauseRequest()]


async def test_rerun_of_many_asks_and_names_their_number() -> None:
    source = StillSource(fleet_events(200.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("g", "r")
        question = app.screen
        assert isinstance(question, Question)
        assert question.asked.title == "Rerun 24 instances on 12 agents?"
        await pilot.press("escape")
        assert source.sent == []
        await pilot.press("r", "r")
        assert source.sent == [st.RerunRequest("deploy binaries")]


@pytest.mark.parametrize(("failed", "keys", "asks"), [(1, "R", False), (3, "Rr", True)])
async def test_what_failed_runs_again_and_the_run_goes_on(failed: int, keys: str, asks: bool) -> None:
    events = fleet_events(6.0)
    running = [event for event in events if isinstance(event, ev.JobStarted)][-failed:]
    for event in running:
        failure = Failure("exit", "ended with exit status 3")
        ended = ev.JobFinished(instance=event.instance, attempt=event.attempt, state="failed", failure=failure)
        ended.seq, ended.at_s = events[-1].seq + 1, events[-1].at_s
        events.append(ended)
    source = StillSource(events)
    async with console(source).run_test(size=(120, 30)) as pilot:
        app = await settled(pilot)
        await pilot.press(keys[0])
        assert isinstance(app.screen, Question) == asks
        if isinstance(app.screen, Question):
            assert app.screen.asked.title == "Rerun 3 failed instances on 3 agents, and go on?"
        await pilot.press(*keys[1:])
        assert source.sent == [st.RerunAllRequest("failed", go=True)]


async def test_confirmation_is_asked_for_and_never_given_by_accident() -> None:
    events = fleet_events(200.0, fails=False)
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert "Stage measure asks before it runs" in screen_text(app)
        await pilot.press("space")
        assert isinstance(app.screen, Question)
        await pilot.press("x", "j", "escape")
        assert source.sent == []
        await pilot.press("space", "y")
        assert source.sent == [st.ConfirmRequest("measure", True)]


@pytest.mark.parametrize(
    ("keys", "sent", "kind"),
    [
        (["q", "d"], [], "detached"),
        (["q", "enter"], [], "detached"),
        (["q", "s"], [st.StopRequest("operator", 130)], "stopped"),
        (["ctrl+c", "enter"], [st.StopRequest("operator", 130)], "stopped"),
        (["ctrl+c", "ctrl+c"], [st.StopRequest("operator", 130)], "stopped"),
    ],
)
async def test_ways_to_leave(keys: list[str], sent: list[st.Stimulus], kind: str) -> None:
    source = StillSource(fleet_events(6.0))
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        assert source.sent == sent
        if sent:
            source.tell(ev.StopRequested(seq=9998, by="operator"), ev.RunFinished(seq=9999, exit_code=130))
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None
    assert (app.return_value.kind, app.return_value.exit_code) == (kind, 130 if sent else None)


async def test_stop_again_is_without_grace_and_a_finished_run_is_just_left() -> None:
    source = StillSource([*fleet_events(6.0), ev.StopRequested(seq=9998, at_s=6.1, by="operator")])
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "STOPPING" in screen_text(app)
        await pilot.press("ctrl+c")
        assert source.sent == [st.StopRequest("operator", 130, force=True)]
        app.is_stopping = False
        source.tell(ev.RunFinished(seq=9999, at_s=7.0, exit_code=1))
        await until(pilot, lambda: app.model.board.seq == 9999)
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None
    assert (app.return_value.kind, app.return_value.exit_code) == ("finished", 1)


async def test_a_variable_is_set_with_a_value_read_as_yaml() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("4", "G", "e")
        assert isinstance(app.screen, VariableForm)
        await pilot.press(*"[1,", "space", *"x]", "enter")
        assert source.sent == []  # a list where a number was: another enter sets it
        await pilot.press("enter")
        assert source.sent == [st.SetVariableRequest("slots", [1, "x"])]
        await pilot.press("1", "e", *"new", "enter", *"true", "enter")
        assert source.sent[1:] == []  # a new name: another enter makes the variable
        await pilot.press("enter")
        assert source.sent[1:] == [st.SetVariableRequest("new", True)]


async def test_a_watching_console_asks_nothing_until_it_takes_control() -> None:
    source = StillSource(fleet_events(6.0), has_control=False)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("space", "n", "r", "S", "e")
        assert source.sent == []
        assert "Pause" not in screen_text(app).splitlines()[-1]
        run_screen(app).action_take_control()
        await pilot.press("space")
        assert source.sent == [st.PauseRequest()]


async def test_a_lost_host_is_said_and_a_replay_that_ends_is_not() -> None:
    source = StillSource(fleet_events(6.0), ends=True)
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model.is_lost)
        assert "is gone: how to go on is said as you leave.   q leave" in screen_text(app)
    replay = console(StillSource(fleet_events(6.0), ends=True, has_control=False), replay=True)
    async with replay.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "went away" not in screen_text(replay)
        assert "replay" in screen_text(replay).splitlines()[0]


async def test_views_find_filter_zoom_help() -> None:
    source = StillSource(fleet_events(200.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screen = run_screen(app)
        for key, pane in (("2", "agents"), ("3", "log"), ("4", "variables"), ("1", "plan"), ("tab", "agents")):
            await pilot.press(key)
            assert screen.pane == pane
        await pilot.press("1", "slash", *"activate", "enter")
        assert screen.plan.selected.key == ("activate protocol",)
        await pilot.press("f")
        assert [line.label for line in app.model.outline.lines] == [STAGE, "wait_for_bootstrapped", "node-4"]
        await pilot.press("exclamation_mark")
        assert screen.plan.selected.key == FAILED
        await pilot.press("enter")
        assert screen.view == "detail"
        assert "give it longer" in screen_text(app)
        await pilot.press("escape")
        assert screen.view == "plan"
        await pilot.press("z")
        assert screen.layout_name == "single"
        await pilot.press("z", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        assert app.screen is screen


async def test_matrix_leads_to_what_an_agent_did_in_a_stage() -> None:
    source = StillSource(fleet_events(200.0))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await pilot.press("2", "j", "j", "j", "j", "l", "l", "l", "l")
        assert f"4 {STAGE}" in screen_text(app)
        await pilot.press("enter")
        assert run_screen(app).plan.selected.key == FAILED


async def test_log_follows_holds_counts_searches_and_wraps() -> None:
    instance = InstanceId("deploy binaries", "copy binaries", "node-0")
    source = StillSource(fleet_events(1.7))

    def lines(seq: int, *texts: str) -> ev.JobOutput:
        return ev.JobOutput(seq=seq, at_s=2.0, agent="node-0", instance=instance, lines=list(texts))

    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        log = run_screen(app).log_pane
        source.tell(lines(5000, *(f"line {number}" for number in range(300))))
        await until(pilot, lambda: app.model.board.seq == 5000)
        await pilot.press("3")
        assert "line 299" in screen_text(app)
        await pilot.press("k", "pageup")
        source.tell(lines(5001, "later", "x" * 200))
        await until(pilot, lambda: app.model.board.seq == 5001)
        assert not log.is_following
        assert log.unseen == 2
        assert "later" not in screen_text(app)
        await pilot.press("slash", *"LINE", "enter")
        assert log.match is None
        await pilot.press("slash", *"line 27", "enter")
        assert log.lines[log.match].text == "line 278"  # the last that is seen
        await pilot.press("N")
        assert log.lines[log.match].text == "line 277"
        await pilot.press(*"nnn")
        assert log.lines[log.match].text == "line 27"
        await pilot.press("escape", "G", "W")
        assert log.is_following
        assert log.count() == len(log.lines) + 2
        await pilot.press("t")
        assert "00:02.000" in screen_text(app)
        assert source.sent == []


async def test_text_from_outside_stays_text() -> None:
    error = {"kind": "x", "message": HOSTILE[1] + HOSTILE[0], "hint": HOSTILE[2]}
    name = f"job {HOSTILE[1]}"
    about: dict[str, Any] = {"instance": InstanceId(HOSTILE[2], name, HOSTILE[0])}
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="s", variables={"[/]": HOSTILE[0], "b": HOSTILE}, plan=[], agents=[]),
        ev.AgentReady(agent=HOSTILE[0], host=HOSTILE[1], home=HOSTILE[3]),
        ev.StageStarted(stage=HOSTILE[2], agents=[HOSTILE[0]]),
        ev.JobStarted(**about, arguments={"x": HOSTILE}, procedure=HOSTILE[1]),
        ev.JobOutput(**about, agent=HOSTILE[0], lines=HOSTILE),
        ev.JobProgress(**about, text=HOSTILE[0]),
        ev.JobFinished(**about, state="failed", failure=Failure.from_json(error), result=HOSTILE),
        ev.RunPaused(reason="failure", message=HOSTILE[1]),
        ev.WarningGiven(message=HOSTILE[1] + HOSTILE[0]),
        ev.ScenarioRejected(problems=[{"file": HOSTILE[2], "line": 1, "message": HOSTILE[1]}]),
    ]
    for seq, event in enumerate(events, 1):
        event.seq = seq
    for size in ((80, 24), (200, 60)):
        source = StillSource(events)
        async with console(source).run_test(size=size) as pilot:
            app = await settled(pilot)
            seen = ""
            for keys in ("1", "2", "3", "4", "1 enter", "escape r", "q"):
                await pilot.press(*keys.split())
                await pilot.pause()
                seen += screen_text(app)
            assert "[@click=app.quit]press[/]" in seen
            assert "␛[2J␛]0;gone␇" in seen
            assert "<202E>gpj.exe" in seen
            assert not set(seen) & {"\x1b", "\x07", "\u202e", "\t", "\r"}


def _reload(app: ConsoleApp) -> str:
    return screen_text(app).splitlines()[1]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (ev.ScenarioReloaded(changes=["stage measure: 1 job edited", "more"]), "reloaded: stage measure"),
        (
            ev.ScenarioRejected(problems=[{"file": "f.yml", "line": 3, "message": "no such key"}]),
            "f.yml:3: no such key",
        ),
    ],
)
async def test_edits_are_told_and_dismissed(event: Any, said: str) -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        event.seq, event.at_s = 9000, 6.0
        source.tell(event)
        await until(pilot, lambda: app.model.board.seq == 9000)
        await until(pilot, lambda: said in _reload(app))
        await pilot.press("escape")
        await until(pilot, lambda: said not in _reload(app))


@pytest.mark.fault(98)
async def test_only_what_is_seen_and_changed_is_drawn() -> None:
    """1,000 agents with 20 rows each: the lines painted depend on the screen, not on the run."""
    agents: list[AgentEntry] = [
        {"agent": f"a{number:04}", "address": "", "transport": "local"} for number in range(1000)
    ]
    jobs: list[JobEntry] = [{"job": f"j{number:02}", "procedure": "p", "items": False} for number in range(20)]
    names = [agent["agent"] for agent in agents]
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="s", plan=[{"stage": "s", "jobs": jobs}], agents=agents),
        ev.StageStarted(stage="s", agents=names),
    ]
    for job in range(20):
        for name in names:
            about: dict[str, Any] = {"instance": InstanceId("s", f"j{job:02}", name)}
            events.append(ev.JobStarted(**about))
            events.append(ev.JobFinished(**about))
    for seq, event in enumerate(events, 1):
        event.seq = seq
    source = StillSource(events)
    async with console(source).run_test(size=(200, 60)) as pilot:
        app = await settled(pilot)
        screen = run_screen(app)
        assert app.model.board.done == 20_000
        assert screen.matrix.count() == 1, "all of them are at rest: one line says it"
        await pilot.press("g", "j", "l", "j", "l")
        assert screen.plan.count() == 1022, "below one job stands one line, and below that its agents"
        painted: Callable[[], int] = lambda: sum(pane.painted_lines for pane in screen.panes.values())  # noqa: E731
        before = painted()
        about = {"instance": InstanceId("s", "j00", "a0000")}
        source.tell(ev.JobStarted(seq=len(events) + 1, **about, attempt=2, why="rerun"))
        await until(pilot, lambda: app.model.board.seq == len(events) + 1)
        assert 0 < painted() - before <= 24, "a few rows of the plan, one of the matrix, the inspector"
        before = painted()
        await pilot.press("pagedown", "G", "g")
        assert painted() - before <= 8 * 60


async def test_services_stand_below_the_agents_prometheus_first() -> None:
    source = StillSource(fleet_events(12.0, agents=3, fails=False))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("2")
        lines = [line.strip() for line in screen_text(app).splitlines()]
        first = lines.index("Services") + 1
        assert "prometheus  http://10.0.0.1:9090" in lines[first]
        assert "node node-0  http://10.0.0.1:8732" in "".join(lines[first + 1 :])
        await pilot.press("G", "enter")
        assert run_screen(app).view == "detail"
        assert "services" in screen_text(app)


async def test_what_kept_an_agent_from_starting_stays_to_be_seen() -> None:
    events: list[ev.Event] = [
        ev.RunStarted(seq=1, run="r", scenario="s", agents=[{"agent": "bad_10"}, {"agent": "bad_9"}]),
        ev.AgentFailed(seq=2, agent="bad_10", code="x", message="agent bad_10: cannot reach it", hint="is it on?"),
        ev.AgentStopped(seq=3, agent="bad_10"),
        ev.RunFinished(seq=4, exit_code=4, reason="agent bad_10 could not be started"),
    ]
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert "nothing ran. bad_10: cannot reach it. Exit code 4." in screen_text(app)
        assert list(app.model.board.agents) == ["bad_9", "bad_10"]
        await pilot.press("exclamation_mark")
        assert "is it on?" in screen_text(app)
        assert "not started" in screen_text(app)


async def test_what_was_opened_stays_open_while_the_run_goes_on() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(200, 60)) as pilot:
        app = await settled(pilot)
        await pilot.press("4", "enter")
        detail = run_screen(app).detail
        assert detail.subject is app.model.variables.by_name["amounts"]
        app.sync()
        assert detail.subject is app.model.variables.by_name["amounts"]
        await pilot.press("escape", "escape")
        app.sync()
        assert detail.subject is run_screen(app).plan.selected


async def test_control_that_another_console_took_is_told() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        app.sync()
        source.has_control = False
        app.sync()
        await until(pilot, lambda: any("took control" in note.message for note in app._notifications))


async def test_a_lost_host_is_left_as_lost() -> None:
    source = StillSource(fleet_events(6.0), ends=True)
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        source.is_connected = False
        await until(pilot, lambda: app.model.is_lost)
        app.sync()
        await pilot.pause()
        assert "Rerun" not in screen_text(app)
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None
    assert app.return_value.kind == "lost"


async def test_lines_that_were_left_out_are_read_at_their_agent() -> None:
    where = InstanceId("s", "j", "a", None)
    whole = [f"line {number}" for number in range(200)]
    flood = ev.JobOutput(seq=9001, agent="a", instance=where, attempt=2, lines=whole[-3:], dropped=197)
    late = ev.JobOutput(seq=9002, agent="b", process="\x1b[2J", lines=["x"], dropped=5)
    source = StillSource(fleet_events(30.0))
    source.logs[LogQuery("a", "s/j@a#2")] = {"lines": [*whole, "\x1b[2Jend"], "size_bytes": 4711, "trouble": ""}
    app = console(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.model.logbook.apply(flood)
        screen = app.run_screen
        assert screen is not None
        await pilot.press("3")
        screen.is_pinned = True
        screen.log_pane.look_at(None)
        await until(pilot, lambda: "line 199" in screen_text(app))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        shown = "\n".join(
            "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
        )
        assert "s/j@a#2" not in shown  # the end is shown first
        assert "line 199" in shown
        assert "\u241b[2Jend" in shown
        await pilot.press("g")
        await until(pilot, lambda: app.screen.query_one(LogText).scroll_offset.y == 0)
        assert app.screen.query_one(LogText).paint(0, 80) == [("s/j@a#2 on a: the end of 4711 bytes", "accent")]
        await pilot.press("m")
        await until(pilot, lambda: app.screen is screen)
        app.model.logbook.apply(late)
        screen.sync()
        await pilot.press("m")
        await until(pilot, lambda: any("has no log" in notice.message for notice in app._notifications))
        assert isinstance(app.screen, type(screen))


async def test_a_log_that_is_whole_or_of_a_run_that_is_over_has_no_more() -> None:
    source = StillSource([*fleet_events(5.0, fails=False)])
    app = console(source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "m")
        await until(pilot, lambda: any("was left out" in notice.message for notice in app._notifications))
        assert app.run_screen is app.screen
        app.model.logbook.apply(ev.JobOutput(seq=9001, agent="a", process="p", lines=["x"], dropped=5))
        assert app.run_screen is not None
        app.run_screen.is_pinned = True
        app.run_screen.log_pane.look_at(None)
        app.run_screen.sync()
        source.is_connected = False
        await pilot.press("m")
        await until(pilot, lambda: any("goes on have more" in notice.message for notice in app._notifications))
