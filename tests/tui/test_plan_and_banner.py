"""Many that fail in one way: one row, one banner, and what may be done about all of them at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from console_app import STARTED_S, StillSource, console, fleet_events, screen_text, settled, until
from rich.cells import cell_len
from struck_fleet import JOB, STAGE, stock_is_empty, struck_events
from textual.events import MouseScrollUp

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.banner import Banner, Spot, wrap_cells
from octogram_tui.tui.widgets.filter_line import FilterLine

FORTY = [*range(2, 42)]


def two_causes(number: int) -> Failure:
    return Failure("timeout", "no answer for 20 s", "look at its peers") if number == 45 else stock_is_empty(number)


def screen_of(app: ConsoleApp) -> Any:
    assert app.run_screen is not None
    return app.run_screen


def lines_of(app: ConsoleApp) -> list[str]:
    return [line.rstrip() for line in screen_text(app).splitlines()]


def plan_of(app: ConsoleApp) -> list[str]:
    return [line.label for line in app.model.outline.lines]


def told(app: ConsoleApp) -> list[str]:
    return [notice.message for notice in app._notifications]


def later(events: list[ev.Event], *more: ev.Event) -> list[ev.Event]:
    for seq, event in enumerate(more, events[-1].seq + 1):
        event.seq, event.at_s = seq, seq / 10
    return [*events, *more]


def key(number: int) -> InstanceId:
    return InstanceId(STAGE, JOB, f"node_{number}")


# The plan


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_forty_equal_failures_are_one_row_with_its_cause(size: tuple[int, int]) -> None:
    source = StillSource(struck_events(50, FORTY))
    async with console(source).run_test(size=size) as pilot:
        app = await settled(pilot)
        shown = [line for line in lines_of(app) if "✗ 40 agents  " in line]
        assert len(shown) == 1
        assert "✗ 40 agents  variable `stock_2` is 0, has" in shown[0]
        assert sum("variable `stock_" in line.split("│")[0] for line in lines_of(app)) == 2, "there, and in the banner"
        plan = screen_of(app).plan
        assert plan.line.label == "40 agents", "the run waits for it: the cursor is there"
        assert plan.selected.key == key(2), "log and inspector look at the first"


async def test_the_agents_pane_tells_the_cause_once() -> None:
    source = StillSource(struck_events(20, range(2, 12)))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await pilot.press("2")
        await pilot.pause()
        told = [line for line in lines_of(app) if "node_" in line.split("│")[-1] and "✗  ◦" in line]
        assert sum("variable `stock_" in line.split("✗  ◦")[1] for line in told) == 1
        assert sum("as node_2" in line for line in told) == 9


async def test_rerun_of_a_cluster_is_one_question_and_one_request() -> None:
    source = StillSource(struck_events(50, [*FORTY, 45], two_causes))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r", "r")
        assert source.sent == [st.RerunAllRequest("failed", instances=tuple(key(number) for number in FORTY))]


async def test_skipping_a_cluster_is_one_question_too() -> None:
    source = StillSource(struck_events(50, [2, 3, 45], two_causes))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("S", "s")
        assert source.sent == [st.SkipAllRequest("failed", instances=(key(2), key(3)))]


async def test_what_one_asks_for_is_shown_though_a_filter_hid_it() -> None:
    source = StillSource(struck_events(50, [2, 3, 45], two_causes))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("ampersand", *"state:failed", "enter", "exclamation_mark")
        assert screen_of(app).plan.selected.key == key(45)
        assert app.model.outline.is_narrowed, "what the filter takes leaves it as it is"
        await pilot.press("ampersand", *["backspace"] * 12, *"node_45", "enter", "exclamation_mark")
        assert screen_of(app).plan.line.label == "2 agents"
        assert not app.model.outline.is_narrowed


async def test_the_wheel_moves_the_lines_and_they_stay_there() -> None:
    source = StillSource(fleet_events(200.0, agents=12))
    async with console(source).run_test(size=(80, 16)) as pilot:
        app = await settled(pilot)
        plan = screen_of(app).plan
        assert plan.scroll_offset.y
        for _ in range(3):
            await pilot._post_mouse_events([MouseScrollUp], widget=plan, offset=(3, 3))
            await pilot.pause()
        assert plan.scroll_offset.y == 0
        seq = app.model.board.seq + 1
        again = InstanceId("deploy binaries", "unpack", "node-3")
        source.tell(ev.JobStarted(seq=seq, instance=again, attempt=2, why="rerun"))
        await until(pilot, lambda: app.model.board.seq == seq)
        assert plan.scroll_offset.y == 0
        assert plan.is_following


async def test_enter_on_many_looks_at_what_stands_for_them_and_l_unfolds() -> None:
    source = StillSource(struck_events(50, FORTY))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("enter")
        assert screen_of(app).view == "detail"
        await pilot.press("escape", "l")
        assert plan_of(app)[3:6] == ["40 agents", "node_2", "node_3"]
        await pilot.press("l", "h")
        assert screen_of(app).plan.line.label == "40 agents"
        await pilot.press("h")
        assert plan_of(app)[3:5] == ["40 agents", "10 agents"]


async def test_a_click_on_the_sign_unfolds_on_the_row_chooses_and_twice_looks() -> None:
    source = StillSource(struck_events(50, FORTY))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screen = screen_of(app)
        await pilot.click(screen.plan, offset=(4, 0))
        assert plan_of(app)[:3] == ["deploy", "copy", "activate protocol"]
        await pilot.click(screen.plan, offset=(20, 1))
        assert (screen.plan.cursor, plan_of(app)[1:3]) == (1, ["copy", "activate protocol"])
        await pilot.click(screen.plan, offset=(20, 4), times=2)
        await until(pilot, lambda: screen.view == "detail")
        assert screen.plan.line.label == "40 agents"


async def test_the_row_where_the_action_is_stays_off_the_edges() -> None:
    source = StillSource(fleet_events(200.0, agents=12))
    async with console(source).run_test(size=(80, 16)) as pilot:
        app = await settled(pilot)
        plan = screen_of(app).plan
        assert plan.selected.label == "node-4"
        place = plan.cursor - plan.scroll_offset.y
        assert 1 <= place < plan.visible_lines - 1


async def test_the_cursor_is_on_the_screen_after_failed_only_and_back() -> None:
    source = StillSource(struck_events(200, range(1, 201, 2)))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        plan = screen_of(app).plan
        await pilot.press("g", "j", "j", "j", "l", "G", "k", "k")
        for _ in range(3):
            await pilot.press("f")
            assert plan.scroll_offset.y <= plan.cursor < plan.scroll_offset.y + plan.visible_lines
        assert "failed only 100 of 400" in lines_of(app)[0]


async def test_failed_only_says_in_words_that_nothing_is_left() -> None:
    source = StillSource(struck_events(5, ()))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("f")
        assert "  nothing stands failed" in lines_of(app)
        assert "failed only 0 of 10" in lines_of(app)[0]


async def test_names_of_wide_letters_are_cut_by_cells() -> None:
    events = struck_events(3, (2,), lambda _: Failure("f", "価格の変数が見つかりません" * 9))
    for event in events:
        if isinstance(event, ev.RunStarted):
            for stage in event.plan:
                stage["stage"] = str(stage["stage"]) + "価格" * 30
        elif isinstance(event, ev.StageStarted | ev.StageFinished):
            event.stage += "価格" * 30
        elif isinstance(event, ev.JobEvent):
            event.instance = event.instance._replace(stage=event.instance.stage + "価格" * 30)
    async with console(StillSource(events)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert {cell_len(line) for line in screen_text(app).splitlines()} == {80}
        assert any("node_2  価格の変数" in line for line in lines_of(app))


# The filter


async def test_a_filter_is_typed_shown_counted_and_cleared() -> None:
    source = StillSource(struck_events(50, [*FORTY, 45], two_causes))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        before = plan_of(app)
        await pilot.press("ampersand", *"cause:answer")
        assert plan_of(app) == ["activate protocol", "activate", "node_45"], "what is typed holds at once"
        await pilot.press("enter")
        assert not app.screen.query(FilterLine)
        assert "filter: cause:answer 1 of 100" in lines_of(app)[0]
        await pilot.press("ampersand", "backspace", "escape")
        assert app.model.outline.filtered_by.text == "cause:answer", "escape takes back what was typed"
        await pilot.press("escape")
        assert plan_of(app) == before


async def test_a_filter_by_labels_of_agents() -> None:
    events = struck_events(5, (2,))
    for event in events:
        if isinstance(event, ev.RunStarted):
            for entry in event.agents:
                group = "db" if entry["agent"] in ("node_2", "node_4") else "web"
                entry["labels"] = {"group": ["all", group], "[/]": "\x1b[31m"}
    async with console(StillSource(events)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("ampersand", *"label:group=db", "enter")
        taken = {row.agent for row in app.model.board.instances.values() if app.model.outline.filtered_by.takes(row)}
        assert taken == {"node_2", "node_4"}
        assert "filter: label:group=db" in lines_of(app)[0]
        assert app.model.board.agents["node_2"].labels == ("group=all", "group=db", "[/]=\x1b[31m")


async def test_a_filter_that_cannot_be_read_is_told_in_a_line() -> None:
    source = StillSource(struck_events(5, (2,)))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        before = plan_of(app)
        await pilot.press("ampersand", *"agnt:x", "enter")
        assert told(app) == [
            "there is no `agnt:` (there are stage, job, agent, item, cause, label, state); did you mean `agent:`?"
        ]
        assert plan_of(app) == before
        await pilot.press(*["backspace"] * 6, *"nothing-is-so", "enter")
        assert "  nothing passes the filter nothing-is-so" in lines_of(app)


# The way through the failures


async def test_each_press_goes_to_the_next_cause_and_says_which() -> None:
    source = StillSource(struck_events(50, [*FORTY, 45], two_causes))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        plan = screen_of(app).plan
        await pilot.press("3", "exclamation_mark")
        assert (screen_of(app).pane, plan.line.label) == ("plan", "40 agents")
        assert told(app) == ["1 of 2: 40 agents: variable `stock_2` is 0, has to be 1 or more"]
        await pilot.press("exclamation_mark")
        assert plan.selected.key == key(45)
        assert told(app) == ["2 of 2: activate @ node_45: no answer for 20 s"]
        await pilot.press("exclamation_mark")
        assert plan.selected.key == key(2)


async def test_a_run_that_was_repaired_still_shows_what_had_failed() -> None:
    events = later(
        struck_events(5, (2,)),
        ev.JobStarted(instance=key(2), attempt=2, why="rerun"),
        ev.JobFinished(instance=key(2), attempt=2, state="ok"),
        ev.RunFinished(exit_code=0),
    )
    async with console(StillSource(events)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert any("! what had failed" in line for line in lines_of(app))
        await pilot.press("exclamation_mark")
        assert screen_of(app).plan.selected.key == key(2)
        await until(pilot, lambda: bool(told(app)))
        assert told(app)[0].startswith("1 of 1: activate @ node_2, repaired by attempt 2: variable `stock_2`")


# The banner


async def test_the_cause_comes_first_and_then_what_to_press() -> None:
    source = StillSource(struck_events(50, [*FORTY, 45], two_causes))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        lines = lines_of(app)
        assert lines[1].startswith(
            " ✗ 40 agents: variable `stock_2` is 0, has to be 1 or more  activate @ node_2 node_3"
        )
        assert "and 1 other cause" in lines[1]
        assert lines[2].startswith("   ! next   R all 41 again   e edit   S skip")


async def test_the_banner_names_the_keys_that_are_so_now() -> None:
    source = StillSource(struck_events(5, (2,)))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        from octogram_tui.tui.live_keys import Keys

        app.brush.use_keys(Keys({"rerun failed": ("f4",), "skip": ()}))
        screen_of(app).sync()
        shown = " ".join(lines_of(app)[1:4])
        assert "F4 again" in shown
        assert "skip" not in shown, "what no key does is not named"


def problem() -> Any:
    return {"file": "dal.yml", "line": 7, "column": 3, "message": "no such job", "hint": "look at line 7"}


async def test_a_refused_edit_and_a_failure_are_both_told() -> None:
    events = later(struck_events(5, (2,)), ev.ScenarioRejected(problems=[problem()]))
    async with console(StillSource(events)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        shown = "\n".join(lines_of(app)[1:6])
        assert "variable `stock_2` is 0" in shown
        assert "Edit refused, the old text stays: dal.yml:7: no such job" in shown
        assert "E edit" in shown
        await pilot.press("escape")
        shown = "\n".join(lines_of(app)[1:6])
        assert "Edit refused" not in shown
        assert "variable `stock_2` is 0" in shown


async def test_a_reload_hides_neither_the_failure_nor_that_it_was_dealt_with() -> None:
    events = later(struck_events(5, (2,)), ev.ScenarioReloaded(changes=["job activate: its script"]))
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        shown = "\n".join(lines_of(app)[1:6])
        assert "variable `stock_2` is 0" in shown
        assert "Scenario reloaded: job activate: its script" in shown
        more = later(
            events,
            ev.JobStarted(instance=key(2), attempt=2, why="rerun"),
            ev.JobFinished(instance=key(2), attempt=2, state="ok"),
        )
        source.tell(*more[len(events) :])
        await until(pilot, lambda: app.model.board.seq == more[-1].seq)
        shown = "\n".join(lines_of(app)[1:6])
        assert "The failure was dealt with." in shown
        assert "Scenario reloaded" in shown


async def test_the_queue_is_shown_as_it_is() -> None:
    names = [f"node_{number}" for number in range(1, 39)]
    events = struck_events(38, (), is_paused=False)
    held = [ev.JobHeld(instance=InstanceId("measure", "read", name), reason="operator") for name in names]
    events = later(events, ev.StageStarted(stage="measure", agents=names), ev.RunPaused(reason="operator"), *held)
    async with console(StillSource(events)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert any(
            "Paused by you. Next: read @ node_1, then node_2, node_3 (35 more)." in line for line in lines_of(app)
        )
        assert sum("next in line" in line for line in lines_of(app)) == 1
        assert [line.label for line in app.model.outline.lines][-2:] == ["node_1", "37 agents"]


async def test_whoever_went_back_is_told_where_the_run_is_and_what_stays() -> None:
    events = later(
        struck_events(2, (), is_paused=False),
        ev.RunPaused(reason="back"),
        ev.CourseMovedBack(stage="activate", restored=1, stale=2),
    )
    async with console(StillSource(events)).run_test(size=(120, 24)) as pilot:
        app = await settled(pilot)
        shown = "\n".join(lines_of(app)[1:6])
        assert "Back at a stage's beginning; what was done on the agents stays." in shown


async def test_agents_that_are_not_there_are_told_together_and_can_be_closed() -> None:
    events = struck_events(40, (), is_paused=False)
    lost = [
        ev.AgentLost(agent=f"node_{number}", message=f"cannot reach me@10.0.0.{number}:22: connection refused")
        for number in range(1, 13)
    ]
    async with console(StillSource(later(events, *lost))).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert " ✗ 12 agents: connection refused (node_1 node_2 node_3 +9)" in lines_of(app)[1]
        await pilot.press("escape")
        assert "connection refused" not in lines_of(app)[1]


async def test_who_only_watches_is_offered_only_what_may_be_looked_at() -> None:
    source = StillSource(struck_events(50, [2, 45], two_causes), has_control=False)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        shown = "\n".join(lines_of(app)[1:5])
        assert "! next" in shown
        assert "again" not in shown


def spots(banner: Banner, call: str) -> Iterator[Spot]:
    return (spot for spot in banner.spots if spot.call == call)


async def test_each_key_of_the_banner_can_be_clicked_and_its_cause_too() -> None:
    source = StillSource(struck_events(5, (2,)))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        banner = screen_of(app).banner
        await pilot.press("g")
        for call, is_done in (
            ("show_cause", lambda: screen_of(app).plan.selected.key == key(2)),
            ("rerun_failed", lambda: source.sent == [st.RerunAllRequest("failed", go=True)]),
            ("open", lambda: screen_of(app).view == "detail"),
        ):
            spot = next(spots(banner, call))
            await pilot.click(banner, offset=(spot.start + 1, spot.line))
            await until(pilot, is_done)


async def test_a_long_message_takes_at_most_a_third_of_the_screen() -> None:
    source = StillSource(struck_events(5, (2,), lambda _: Failure("f", "no luck at all " * 30)))
    async with console(source).run_test(size=(80, 18)) as pilot:
        app = await settled(pilot)
        assert screen_of(app).banner.size.height <= 6
        assert "R again" in "\n".join(lines_of(app)[1:7])


async def test_a_low_screen_has_one_line_and_says_that_it_is_cut() -> None:
    source = StillSource(struck_events(5, (2,), lambda _: Failure("f", "no luck at all " * 30)))
    async with console(source).run_test(size=(80, 12)) as pilot:
        app = await settled(pilot)
        assert screen_of(app).banner.size.height == 1
        assert lines_of(app)[1].endswith("~")
        assert "R again" not in "\n".join(lines_of(app)[1:3])


async def test_counts_stay_where_no_cause_needs_their_room() -> None:
    source = StillSource(struck_events(50, FORTY))
    async with console(source).run_test(size=(46, 20)) as pilot:
        app = await settled(pilot)
        assert any("activate" in line and "✗40 50/50" in line for line in lines_of(app))
        assert any("40 agents  variable" in line for line in lines_of(app))


@pytest.mark.parametrize("text", ["", "one two three", "価格の変数 が 0", "x" * 50, "a" * 9 + " " + "価" * 9])
def test_lines_are_wrapped_by_cells(text: str) -> None:
    lines = wrap_cells(text, 10)
    assert all(cell_len(line) <= 10 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


async def test_a_filter_that_hides_the_chosen_row_chooses_one_that_it_shows() -> None:
    app = console(StillSource(struck_events(60, FORTY)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("exclamation_mark", "ampersand", *"agent:node_7", "enter")
        await until(pilot, lambda: app.model.outline.is_narrowed)
        seen = screen_of(app)
        await until(pilot, lambda: seen.detail.subject is seen.plan.selected)
        assert seen.plan.selected.key == key(7)
        await pilot.press("escape")  # everything again: the cursor is where it was
        await until(pilot, lambda: seen.detail.subject is seen.plan.selected)
        assert seen.plan.selected.key == key(2)


async def test_what_was_told_long_ago_is_not_told_to_who_joins_nor_in_a_replay() -> None:
    events = later(fleet_events(6.0), ev.WarningGiven(message="an old story"))
    for is_replay in (False, True):
        app = console(StillSource(events), replay=is_replay)
        app.model._clock = app.model._ticks = lambda: STARTED_S + 600.0
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert told(app) == []


async def test_a_name_is_not_cut_beside_blanks() -> None:
    name, stage = "everybody sold something", "count"
    about: dict[str, Any] = {"instance": InstanceId(stage, name, "a")}
    job: Any = {"job": name, "procedure": "builtins.assert", "line": 2}
    events: list[ev.Event] = [
        ev.RunStarted(
            run="r", scenario="s", plan=[{"stage": stage, "line": 1, "jobs": [job]}], agents=[{"agent": "a"}]
        ),
        ev.StageStarted(stage=stage, agents=["a"]),
        ev.JobStarted(**about),
        ev.JobFinished(**about, state="ok"),
    ]
    for seq, event in enumerate(events, 1):
        event.seq, event.at_s = seq, seq / 10
    app = console(StillSource(events))
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: f"{name}  " in screen_text(app))
