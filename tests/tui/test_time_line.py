"""Any moment of a run, gone to from anywhere, is what folding to there gives, and looks as it did then."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octogram_tui.commands.replay import Recording
from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as sti
from octogram_tui.engine.events import Event
from octogram_tui.journal.history import JournalHistory
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.copies import Copies
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.model import Model
from octogram_tui.tui.player import Opening
from octogram_tui.tui.screens.time_verbs import NO_JOURNAL
from octogram_tui.tui.widgets.line_view import LineView
from tools.pretended_run import PretendedRun


def repaired_run() -> list[Event]:
    """A run in which something fails, is repaired by the operator, and goes on to its end."""
    run = PretendedRun(6, seed=3)
    run.begin()
    events = run.advance(60.0)
    run.take(sti.SetVariableRequest("slots", 5))
    run.take(sti.RerunAllRequest("failed", go=True))
    return events + run.advance(400.0)


REPAIRED = repaired_run()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return written(tmp_path / "journal.jsonl", REPAIRED)


def picture(app: ConsoleApp) -> list[list[str]]:
    """What every pane has to say, at its full length, wherever it is scrolled."""
    screen = app.run_screen
    assert screen is not None
    found = []
    for name, pane in screen.panes.items():
        if pane.has_place:
            found.append([name, "".join(text for text, _ in pane.title()), *_lines(pane)])
    return found


def _lines(pane: LineView) -> Iterator[str]:
    for index in range(pane.count()):
        yield "".join(text for text, _ in pane.paint(index, 100)).rstrip()


def shown(app: ConsoleApp) -> list[list[str]]:
    """All panes that are seen on a large screen, brought up to date."""
    screen = app.run_screen
    assert screen is not None
    screen.detail._basis = None  # which else counts whole seconds
    screen.sync()
    return picture(app)


def replay(events: list[Event], journal: Path, **options: Any) -> ConsoleApp:
    return console(StillSource(events, ends=True), replay=True, history=JournalHistory(journal), **options)


def go(app: ConsoleApp, seq: int) -> None:
    screen = app.run_screen
    assert screen is not None
    app.model.time.go_to(seq)
    screen.moment_changed()


async def test_the_same_run_live_and_replayed_shows_the_same_at_the_same_events(journal: Path) -> None:
    moments = sorted(random.Random(5).sample(range(60, len(REPAIRED)), 6))
    live: dict[int, list[list[str]]] = {}
    source = StillSource([])
    app = console(source, clock=lambda: 0.0)  # so that its time is that of the latest event
    async with app.run_test(size=(200, 60)) as pilot:
        done = 0
        for seq in moments:
            source.tell(*REPAIRED[done:seq])
            done = seq
            await until(pilot, lambda seq=seq: app.model.head.seq == seq)  # type: ignore[misc]
            live[seq] = shown(app)
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        for seq in random.Random(6).sample(moments, len(moments)):
            go(app, seq)
            then, now = live[seq], shown(app)
            assert len(now) >= 6
            for pane in ("plan", "agents", "log", "detail", "variables", "source"):
                assert [each for each in now if each[0] == pane] == [each for each in then if each[0] == pane], seq


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_going_there_from_anywhere_is_folding_to_there(journal: Path, data: st.DataObject) -> None:
    model = Model(clock=lambda: 0.0, history=JournalHistory(journal))
    model.time.copies = Copies(least_events=data.draw(st.integers(1, 60)), most=data.draw(st.integers(2, 9)))
    for event in REPAIRED:
        model.apply([event])
    for seq in data.draw(st.lists(st.integers(1, len(REPAIRED)), min_size=1, max_size=8)):
        model.time.go_to(seq)
        plain = Model(clock=lambda: 0.0)
        plain.apply(REPAIRED[:seq])
        assert known(model) == known(plain), seq


@st.composite
def made_runs(draw: st.DrawFn) -> list[Event]:
    """A run of a small fleet in which anything happens meanwhile: edits, losses, reruns, pauses, gaps in the output."""
    run = PretendedRun(draw(st.integers(1, 4)), seed=draw(st.integers(0, 50)), fails=draw(st.booleans()))
    run.begin(paused=draw(st.booleans()))
    events = run.advance(draw(st.sampled_from([0.0, 3.0, 20.0])))
    plan = events[0].plan  # type: ignore[attr-defined]
    acts = st.sampled_from(["go", "rerun", "set", "edit", "lose", "write", "hold", "change", "stale"])
    for act in draw(st.lists(acts, max_size=12)):
        agent, stage = draw(st.sampled_from(run.names)), draw(st.sampled_from(plan))
        about = InstanceId(stage["stage"], stage["jobs"][0]["job"], agent)
        match act:
            case "go":
                run.take(sti.GoRequest())
            case "rerun":
                run.take(sti.RerunAllRequest("failed", go=True))
            case "set":
                run.take(sti.SetVariableRequest("slots", draw(st.integers(0, 9))))
            case "edit":
                kept = [entry for entry in plan if draw(st.booleans())]
                events.append(ev.ScenarioReloaded(plan=kept, digest=str(len(kept)), changes=["edited"]))
            case "lose":
                events.append(ev.AgentLost(agent=agent, message="gone"))
            case "write":
                lines = ["line"] * draw(st.integers(0, 5))
                events.append(ev.JobOutput(agent=agent, instance=about, lines=lines, dropped=draw(st.integers(0, 3))))
            case "hold":
                events += [ev.RunPaused(), ev.JobHeld(instance=about, order=draw(st.integers(1, 9)))]
            case "change":
                events.append(ev.VariableChanged(name="level", value=draw(st.integers(0, 9)), by=str(about)))
            case "stale":
                events.append(ev.JobStale(stage=about.stage, job=about.job, reason="edited"))
        events += run.advance(run.now_s + draw(st.sampled_from([0.1, 2.0, 30.0])))
    at_s = 0.0
    for seq, event in enumerate(events, 1):
        at_s = max(at_s, event.at_s)
        event.seq, event.at_s = seq, at_s
    return events


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=made_runs(), data=st.data())
def test_it_is_so_in_any_run(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], data: st.DataObject
) -> None:
    model = Model(clock=lambda: 0.0, history=JournalHistory(written(tmp_path_factory.mktemp("j") / "j", events)))
    model.time.copies = Copies(least_events=data.draw(st.integers(1, 60)), most=data.draw(st.integers(2, 9)))
    for event in events:
        model.apply([event])
    for seq in data.draw(st.lists(st.integers(1, len(events)), min_size=1, max_size=5)):
        model.time.go_to(seq)
        plain = Model(clock=lambda: 0.0)
        plain.apply(events[:seq])
        assert known(model) == known(plain), seq


def known(model: Model) -> object:
    """What is known at a moment, as values that can be compared."""
    board, log = model.board, model.logbook
    rows = [
        (row.full_name, row.state, row.version, row.note, row.attempt, row.message, row.duration_s(model.now_s))
        for stage in board.stages
        for row in stage.below()
    ]
    return (
        model.shown.seq,
        (board.phase, board.is_paused, board.reason, board.tally, board.version, board.worked_s, list(board.notices)),
        rows,
        [row.key for row in board.queue],
        list(board.failures),
        [(row.instance, row.fate) for row in board.all_failures],
        [(cluster.first.struck.key, len(cluster)) for cluster in board.clusters.all],
        {name: (agent.state, agent.running, agent.cells) for name, agent in board.agents.items()},
        {name: variable.changes for name, variable in model.variables.by_name.items()},
        (model.timeline.critical(), model.timeline.bins.most, model.timeline.pauses.all()),
        model.expectation.rest_s(model.now_s),
        [(line.at_s, line.stream, line.text, line.origin.agent) for line in log.lines],
        {
            key: [(each.total, each.dropped, len(each.lines)) for each in log.attempts.get(key, ())]
            for key in board.instances
        },
    )


async def test_what_is_chosen_and_read_stays_when_one_goes_through_time(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        chosen = app.model.board.all_failures.rows[0].instance
        row = app.model.board.instances[chosen]
        screen.plan.select(row)
        await pilot.pause()
        place = screen.plan.cursor - screen.plan.scroll_offset.y
        await pilot.press("comma", "comma", "comma")
        await pilot.pause()
        assert app.model.shown.seq == len(REPAIRED) - 3
        assert screen.plan.selected is app.model.board.instances[chosen] is not row
        assert screen.detail.subject is screen.plan.selected
        assert screen.plan.cursor - screen.plan.scroll_offset.y == place
        await pilot.press("0")  # where it is not known yet, what holds it stands for it
        await pilot.pause()
        assert screen.plan.selected is not None
        assert screen.plan.selected.full_name in (chosen.stage, f"{chosen.stage}/{chosen.job}")
        await pilot.press("semicolon")
        await pilot.pause()
        assert screen.plan.selected is row
        assert not app.model.is_back


async def test_a_live_run_goes_on_while_one_looks_back_and_nothing_is_asked_of_it_but_breakpoints(
    tmp_path: Path,
) -> None:
    events = fleet_events(4, fails=False)
    path = written(tmp_path / "journal.jsonl", REPAIRED)
    source = StillSource(REPAIRED[:100])
    app = console(source, history=JournalHistory(path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("comma", "comma")
        await pilot.pause()
        source.tell(*REPAIRED[100:120])
        await until(pilot, lambda: app.model.head.seq == 120)
        assert app.model.board.seq == 98, "what comes moves the latest moment, and not the one that is looked at"
        assert "event 98 of 120" in screen_text(app)
        assert "22 events" in screen_text(app)
        await pilot.press("space", "R")
        await pilot.pause()
        assert source.sent == [], "nothing that acts is asked from the past"
        assert any("; comes back" in note.message for note in app._notifications)
        app.ask(sti.BreakRequest("*"))
        assert source.sent == [sti.BreakRequest("*")]
        await pilot.press("semicolon")
        await pilot.pause()
        assert app.model.board.seq == 120
        assert "behind" not in screen_text(app)
        assert events


async def test_one_goes_by_stage_failure_minute_and_what_the_operator_did(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        model = app.model

        async def at(key: str) -> Event:
            await pilot.press(key)
            await pilot.pause()
            return REPAIRED[model.shown.seq - 1]

        failed = await at("K")
        assert isinstance(failed, ev.JobFinished)
        assert failed.state == "failed", "also one that was repaired since"
        assert isinstance(await at("left_parenthesis"), ev.StageStarted)
        first = next(event for event in REPAIRED if isinstance(event, ev.StageStarted))
        await pilot.press("0")
        assert await at("right_parenthesis") is first
        assert isinstance(await at("J"), ev.JobFinished)
        act = await at("U")
        assert isinstance(act, (ev.VariableChanged, ev.JobStarted, ev.RunResumed))
        before_s = model.shown.at_s
        await at("minus")
        assert model.shown.at_s <= max(0.0, before_s - 60) or model.shown.seq == 1


async def test_a_moment_is_typed(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        last = len(REPAIRED)
        await pilot.press("T", "7", "enter")
        await pilot.pause()
        assert app.model.shown.seq == 7
        screen = app.run_screen
        assert screen is not None
        for text, seq in [("start", 1), ("end", last), ("12", 12), ("99999", last), ("1000h", last), (" 0s ", 1)]:
            assert screen.go_to_moment(text) == ""
            assert app.model.shown.seq == max(seq, app.model.time.seq_at(0.0) if "0s" in text else 0), text


async def test_a_stage_and_a_time_are_moments_and_nonsense_is_told(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        started = [event for event in REPAIRED if isinstance(event, ev.StageStarted)]
        assert screen.go_to_moment(started[1].stage) == ""
        assert app.model.shown.seq == started[1].seq
        assert screen.go_to_moment("0:05") == ""
        assert app.model.shown.at_s <= 5.0 < REPAIRED[app.model.shown.seq].at_s
        assert "is no moment of this run" in screen.go_to_moment("never")


async def test_a_replay_plays_pauses_and_ends_at_the_end(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        player = app.model.player
        await pilot.press("space")
        await pilot.pause()
        assert player.is_playing
        assert app.model.is_back, "at its end it plays from the beginning"
        await pilot.press("space")
        await until(pilot, lambda: not player.is_playing)
        player.speed = 0.0
        await pilot.press("space")
        await until(pilot, lambda: not app.model.is_back)
        await until(pilot, lambda: not player.is_playing)


@pytest.mark.parametrize(("opening", "seq"), [(Opening("150"), 150), (Opening("start", speed=1e-6), 1)])
async def test_a_replay_begins_where_it_was_asked_to(journal: Path, opening: Opening, seq: int) -> None:
    app = replay(REPAIRED, journal, opening=opening)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.model.is_back)
        assert app.model.shown.seq >= seq
        assert app.model.player.is_playing is (opening.speed is not None)


async def test_a_moment_that_is_still_to_be_read_is_waited_for(journal: Path) -> None:
    source = StillSource(REPAIRED[:100])
    app = console(source, replay=True, history=JournalHistory(journal), opening=Opening("150"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert not app.model.is_back
        source.tell(*REPAIRED[100:200])
        await until(pilot, lambda: app.model.is_back)
        assert app.model.shown.seq == 150


async def test_a_replay_that_cannot_begin_there_says_so_and_shows_the_end(journal: Path) -> None:
    app = replay(REPAIRED, journal, opening=Opening("no such stage"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app._notifications)
        assert ["is no moment of this run" in note.message for note in app._notifications] == [True]
        assert not app.model.is_back


async def test_of_a_damaged_journal_all_before_the_damage_is_shown_and_can_be_gone_about_in(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:201], b"{broken}\n", *lines[202:]]))
    recording = Recording(journal)
    app = ConsoleApp(recording, scenario_path="s.yml", replay=True, history=JournalHistory(journal))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: not recording.is_connected)
        await until(pilot, lambda: app._notifications)
        assert app.model.head.seq == 200
        assert [f"{journal}:202" in note.message for note in app._notifications] == [True]
        await pilot.press("comma")
        await pilot.pause()
        assert app.model.shown.seq == 199
        await pilot.press("full_stop", "full_stop")
        await pilot.pause()
        assert not app.model.is_back


async def test_a_journal_that_is_removed_meanwhile_leaves_the_latest_moment(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        journal.unlink()
        await pilot.press("comma")
        await pilot.pause()
        assert not app.model.is_back
        assert ["cannot read the journal" in note.message for note in app._notifications] == [True]


async def test_a_click_above_the_bars_goes_to_that_time(journal: Path) -> None:
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(160, 50)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        await pilot.pause()
        screen = app.run_screen
        assert screen is not None
        pane = screen.panes["timeline"]
        assert "moments" in pane.render_line(2).text
        left = pane.render_line(1).text.index("at once") + len("at once")
        assert await pilot.click(pane, offset=((left + pane.size.width) // 2, 2))
        await until(pilot, lambda: app.model.is_back)
        assert 0 < app.model.shown.at_s < app.model.head.at_s
        assert "\N{BLACK DOWN-POINTING SMALL TRIANGLE}" in pane.render_line(2).text, "where one is"


async def test_without_a_journal_the_latest_moment_is_all_there_is() -> None:
    app = console(StillSource(fleet_events(4)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("comma")
        await pilot.pause()
        assert not app.model.is_back
        assert [note.message for note in app._notifications] == [NO_JOURNAL]


def test_lines_that_the_log_let_go_of_are_read_again(tmp_path: Path) -> None:
    about = InstanceId("s", "j", "a")
    events: list[Event] = [ev.RunStarted(run="r", scenario="s", plan=[], agents=[{"agent": "a"}])]
    events += [ev.JobStarted(instance=about)]
    events += [ev.JobOutput(agent="a", instance=about, lines=[f"line {n}" * 50]) for n in range(400)]
    for seq, event in enumerate(events, 1):
        event.seq, event.at_s = seq, seq / 10
    model = Model(clock=lambda: 0.0, history=JournalHistory(written(tmp_path / "j", events)))
    model.time.log._bytes_in_all = 20_000  # of which a part of the lines is more
    model.apply(events)
    assert model.logbook.first > 300
    model.time.go_to(52)
    assert [line.text[:8].strip() for line in model.logbook.lines[-2:]] == [
        "line 48l"[:8].strip(),
        "line 49l"[:8].strip(),
    ]
    assert len(model.logbook.lines) == 50


async def test_a_far_moment_is_reached_piece_by_piece_and_a_further_key_goes_on_from_it(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octogram_tui.tui.screens.time_verbs.AT_ONCE_PIECES", 1)
    monkeypatch.setattr("octogram_tui.tui.time_line.PIECE_EVENTS", 10)
    app = replay(REPAIRED, journal)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        time, end = app.model.time, app.model.head.seq
        screen = app.run_screen
        assert screen is not None
        screen.action_event(-1)
        screen.action_event(-1)
        assert not time.is_back, "what was shown is shown until it is there"
        await until(pilot, lambda: time.shown.seq == end - 2)
        screen.action_event(-1)
        screen.action_now()
        await until(pilot, lambda: not time.is_back)
        await settled(pilot)
        assert not time.is_back, "and nobody is taken there who has gone elsewhere"
