"""The pane of logs: what is read stays where it is, what is searched for is found, and whose line it is can be seen."""

from datetime import datetime

import pytest
from pane_app import STARTED, PaneApp, begun, row_of, starts, wrote
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Offset
from textual.selection import Selection

from octogram_tui.tui.widgets.output_log import OutputLog

SIZE = (40, 11)


def marks(app: PaneApp) -> str:
    return "  ".join(mark.text for mark in app.pane.marks())


def title(app: PaneApp) -> str:
    return "".join(text for text, _ in app.pane.title())


async def test_lines_that_are_read_do_not_move_when_lines_come_and_when_old_ones_go() -> None:
    app = PaneApp(OutputLog)
    app.pane.tabs[0].view._kept_lines = 100
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote(*(f"line {number}" for number in range(100))))
        assert app.seen[-1] == " line 99"
        await pilot.press("pageup")
        top = app.seen[0]
        assert marks(app) == "not following, G follows"
        for begin in range(100, 200, 5):
            app.tell(wrote(*(f"line {number}" for number in range(begin, begin + 5))))
            if begin < 160:
                assert app.seen[0] == top
        assert app.pane.tab.view.removed > 0
        assert marks(app) == "+100 new, G follows"
        await pilot.press("G")
        assert (app.seen[-1], marks(app)) == (" line 199", "")


async def test_wrapped_lines_that_are_read_do_not_move_either() -> None:
    app = PaneApp(OutputLog)
    app.pane.tabs[0].view._kept_lines = 100
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote(*(f"{number:03} " + "数" * 30 for number in range(100))))
        await pilot.press("W", "k", "k", "k")
        top = app.seen[0]
        for begin in range(100, 150, 5):
            app.tell(wrote(*(f"{number:03} " + "数" * 30 for number in range(begin, begin + 5))))
            assert app.seen[0] == top
        assert app.pane.tab.view.removed > 0
        assert all(strip.cell_length == 39 for strip in map(app.pane.render_line, range(5)))  # a scrollbar beside them
        assert "wrapped" in marks(app)


async def test_a_change_of_look_keeps_the_line_that_is_read() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote(*(f"{number:03} " + "x" * 70 for number in range(100))))
        await pilot.press("g", *["pagedown"] * 3)
        number = app.seen[0][1:4]
        await pilot.press("W")
        assert app.seen[0][1:4] == number
        await pilot.press("t")
        assert app.seen[0].split()[1] == number
        await pilot.resize_terminal(60, 11)
        await pilot.pause()
        app.pane.sync()
        await pilot.pause()
        assert app.seen[0].split()[1] == number
        await pilot.press("W")
        assert app.seen[0].split()[1] == number


async def test_attempts_are_told_apart_by_a_line() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=(60, 11)):
        app.tell(*begun({"s": ["j"]}, ["a"]), starts(), wrote("first try"))
        app.tell(starts(attempt=2, why="rerun", at_s=271.0), wrote("second try", attempt=2, at_s=272.0))
        app.pane.look_at(row_of(app, "s/j@a"))
        when = datetime.fromtimestamp(datetime.fromisoformat(STARTED).timestamp() + 271).strftime("%H:%M:%S")
        assert app.seen[:3] == [
            " first try",
            f" ---- attempt 2, rerun, {when} ----".ljust(60, "-"),
            " second try",
        ]


async def test_the_log_of_one_agent_spends_no_column_on_its_name() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE):
        app.tell(*begun({"s": ["j", "k"]}, ["node_1", "数数_22"]), starts("s/j@node_1"), wrote("one", key="s/j@node_1"))
        assert app.seen[0] == " one"
        app.tell(wrote("two", key="s/k@node_1"))  # one agent: its jobs differ
        assert app.seen[:2] == [" j one", " k two"]
        app.tell(wrote("three", key="s/j@数数_22"))
        assert app.seen[:3] == [" node_1  one", " node_1  two", " 数数_22 three"]
        app.pane.look_at(row_of(app, "s/j@node_1"))
        assert app.seen[0] == " one"


async def test_an_agent_has_one_colour_wherever_it_writes() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE):
        app.tell(*begun({"s": ["j", "k"]}, ["a", "b"]), wrote("1", key="s/j@a"), wrote("2", key="s/j@b"))
        styles = [app.pane.paint(index, 40)[1] for index in (0, 1)]
        app.pane.look_at(row_of(app, "s/j"))
        assert [app.pane.paint(index, 40)[1] for index in (0, 1)] == styles


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_what_went_to_stderr_has_a_sign(ascii_only: bool) -> None:
    app = PaneApp(OutputLog, ascii_only=ascii_only)
    async with app.run_test(size=SIZE):
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote("out"), wrote("err", stream="stderr"))
        assert app.seen[:2] == [" out", ":err" if ascii_only else "╎err"]


async def test_long_lines_are_seen_by_scrolling_sideways() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote("0123456789" * 8, "short"))
        assert app.seen[0] == " " + ("0123456789" * 8)[:38] + "~"
        await pilot.press("l")
        assert (app.seen[0][1:5], app.seen[1]) == ("6789", "")
        assert "from column 17" in marks(app)
        await pilot.press(*"lllll")
        assert app.seen[0].endswith("789")
        await pilot.press(*"hhhhhh")
        assert marks(app) == ""


async def test_matches_are_counted_and_shown_wherever_they_are() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        lines = [f"{number} " + ("\x1b[31mwarn\x1b[1ming\x1b[0m" if number % 10 == 3 else "x") for number in range(50)]
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote(*lines, "y" * 70 + "WARNING far right"))
        assert app.pane.search("warning")
        assert "/warning: 6 of 6 matches" in marks(app)
        assert any("WARNING" in line for line in app.seen)
        assert "from column" in marks(app)
        await pilot.press("n")  # round the end
        assert "1 of 6" in marks(app)
        assert any(line.startswith(" 3 warning") for line in app.seen)
        app.tell(wrote("another warning"))
        assert "1 of 7" in marks(app)
        await pilot.press("N")
        assert "7 of 7" in marks(app)
        assert not app.pane.search("nowhere")
        assert "/nowhere: nowhere" in marks(app)
        assert app.pane.clear_search()
        assert "/" not in marks(app)


async def test_a_match_is_highlighted_in_what_has_colours_of_its_own() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE):
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote("a \x1b[31mred\x1b[0m fox"))
        assert app.pane.paint(0, 40)[1:] == [("a ", ""), ("red", "\x1b38;5;1"), (" fox", "")]
        app.pane.search("red f")
        assert app.pane.paint(0, 40)[1:] == [("a ", ""), ("red f", "match-here"), ("ox", "")]


async def test_times_are_those_of_the_run_or_of_the_day() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote("x", at_s=61.5))
        await pilot.press("t")
        assert app.seen[0] == " 01:01.500 x"
        await pilot.press("t")
        when = datetime.fromtimestamp(datetime.fromisoformat(STARTED).timestamp() + 61.5).strftime("%H:%M:%S.500")
        assert app.seen[0] == f" {when} x"
        await pilot.press("t")
        assert app.seen[0] == " x"


async def test_what_is_selected_is_what_is_marked_and_copied() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote("数数 wide", "z" * 60, "end"))
        app.screen.selections = {app.pane: Selection(Offset(2, 0), Offset(5, 0))}
        app.pane.sync()
        assert app.pane.get_selection(app.screen.selections[app.pane]) == ("数 w", "\n")
        marked = [segment.text for segment in app.pane.render_line(0) if segment.style and segment.style.bgcolor]
        assert "".join(marked).startswith("数 w") or "数 w" in "".join(marked)
        await pilot.press("W")
        everything = Selection(None, None)
        text, _ = app.pane.get_selection(everything)
        assert [line.strip() for line in text.split("\n")] == ["数数 wide", "z" * 60, "end"]
        assert app.pane.get_selection(Selection(Offset(0, 900), None)) == ("", "\n")  # lines that went away


async def test_the_wheel_lets_go_of_the_end_and_takes_hold_of_it_again() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(*begun({"s": ["j"]}, ["a"]), wrote(*map(str, range(100))))
        await pilot._post_mouse_events([MouseScrollUp], offset=(3, 3))
        await pilot.pause()
        assert not app.pane.is_following
        for _ in range(4):
            await pilot._post_mouse_events([MouseScrollDown], offset=(3, 3))
            await pilot.pause()
        assert app.pane.is_following


async def test_a_pinned_log_stays_while_others_are_chosen() -> None:
    app = PaneApp(OutputLog)
    async with app.run_test(size=SIZE) as pilot:
        app.tell(
            *begun({"s": ["j"]}, ["a", "b"]),
            starts(),
            starts("s/j@b"),
            wrote(*(f"of a {number}" for number in range(40))),
        )
        app.tell(wrote("of b", key="s/j@b"))
        app.pane.look_at(row_of(app, "s/j@a"))
        app.pane.action_pin()
        assert title(app).startswith("A  j @ a")
        app.pane.look_at(row_of(app, "s/j@b"))
        assert app.seen[-1] == " of a 39"
        await pilot.press("k")
        held = app.seen
        app.pane.action_next_log(1)
        assert app.seen[0] == " of b"
        await pilot.resize_terminal(50, 11)
        app.pane.action_next_log(-1)
        assert app.seen == held
        assert "not following" in marks(app)
        app.pane.action_pin()  # lets go
        assert (title(app)[:6], app.seen[0]) == ("j @ b ", " of b")
        assert [tab.letter for tab in app.pane.tabs] == [""]
        for _ in range(6):
            app.pane.show_log("")
            app.pane.action_pin()
        assert [tab.letter for tab in app.pane.tabs] == ["", "A", "B", "C", "D"]
