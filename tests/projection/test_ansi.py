"""What a program meant to look like: its looks are kept as codes, its overwriting is done, the rest becomes visible."""

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.ansi import Ink, drawn, drawn_text, recoloured
from octogram_tui.projection.log_search import LogSearch
from octogram_tui.projection.logbook import Logbook
from octogram_tui.projection.text import expand_tabs, safe


@pytest.mark.parametrize(
    ("line", "runs"),
    [
        ("plain", [("plain", "")]),
        ("\x1b[31mred\x1b[0m x", [("red", "38;5;1"), (" x", "")]),
        ("\x1b[1;4;94mb\x1b[22mu", [("b", "1;4;38;5;12"), ("u", "4;38;5;12")]),
        ("\x1b[38;5;208;48;2;1;2;300mx", [("x", "38;5;208;48;2;1;2;255")]),
        ("\x1b[38:2::1:2:3mx\x1b[39my", [("x", "38;2;1;2;3"), ("y", "")]),
        ("\x1b[8;5;6mseen", [("seen", "")]),
        ("1%\r50%\r\x1b[32m100%\r", [("␍", ""), ("100%", "38;5;2")]),
        ("50%\r\x1b[K", [("50%", "")]),
        ("windows\r", [("windows", "")]),
        ("|\b/\b-\b", [("␈", ""), ("-", "")]),
        ("N\bNA\bA", [("NA", "")]),
        ("abc\b\bX", [("␈", ""), ("aXc", "")]),
        ("\x1b(B\x1b[m\x1b[?25lok\x1b[K", [("ok", "")]),
        ("up\x1b[1A\x1b[2Kdown", [("updown", "")]),
        ("\x1b[5C[ OK ]", [("     [ OK ]", "")]),
        ("ab\x1b[5G|", [("ab  |", "")]),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", [("link", "")]),
        ("\x1b]0;title\x07 \x1b[2J\x1bc", [("␛]0;title␇ ␛[2J␛c", "")]),
        ("数\x1b[31m\tx", [("数", ""), ("      x", "38;5;1")]),
        ("a\x0cb", [("a␌b", "")]),
        ("", [("", "")]),
    ],
)
def test_a_line_is_drawn_as_a_terminal_would_leave_it(line: str, runs: list[tuple[str, str]]) -> None:
    assert drawn(line) == runs
    assert drawn_text(line) == "".join(text for text, _ in runs)


def test_codes_are_read_back_as_the_look_that_they_are_of() -> None:
    ink = Ink().changed("1;3;7;38;5;200;48;2;9;8;7")
    assert Ink().changed(ink.codes) == ink
    assert ink.changed("0") == Ink()
    assert ink.changed("38") == ink._replace(fore=None)  # cut short


def test_colours_for_a_pager_end_where_they_end() -> None:
    assert recoloured("a \x1b[31mred\x1b[0m\x1b]0;x\x07") == "a \x1b[38;5;1mred\x1b[0m␛]0;x␇"


def test_long_lines_are_cut_with_and_without_colours() -> None:
    for line in ("x" * 10_000, "\x1b[31m" + "x" * 100_000, "数" * 100_000):
        assert len(drawn_text(line)) < 4200
        assert drawn_text(line).endswith("...")


def test_tabs_stop_at_cells() -> None:
    assert expand_tabs("数a\tb") == "数a     b"
    assert expand_tabs("\tb", 7) == " b"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("e" + "\u0301" * 30 + "x", "e" + "\u0301" * 4 + "<+26>x"),
        ("\u0301x", "\u25cc\u0301x"),
        ("⚠\ufe0f 👍🏽 🇩🇪", "⚠ 👍 DE"),
        ("a\u3164b\u115f", "a<3164>b<115F>"),
        ("שָׁלוֹם หน้าที่", "שָׁלוֹם หน้าที่"),
    ],
)
def test_marks_do_not_pile_up_and_signs_have_the_width_that_is_counted(raw: str, shown: str) -> None:
    assert safe(raw) == shown


def test_attempts_after_the_first_are_marked_where_that_is_wanted() -> None:
    instance = InstanceId("s", "j", "a")
    for marks, texts in ((True, ["one", "attempt 2, retry", "two"]), (False, ["one", "two"])):
        book = Logbook(marks_attempts=marks)
        book.apply(ev.JobStarted(instance=instance))
        book.apply(ev.JobOutput(agent="a", instance=instance, lines=["one"]))
        book.apply(ev.JobStarted(instance=instance, attempt=2, why="retry"))
        book.apply(ev.JobOutput(agent="a", instance=instance, attempt=2, lines=["two"]))
        assert [line.text for line in book.lines] == texts


def test_a_search_goes_round_counts_and_forgets() -> None:
    search = LogSearch("error", drawn_text)
    search.take(["alpha", "Error: x", "\x1b[31mer\x1b[1mror\x1b[0m", "error error"], 10)
    assert search.numbers == [11, 12, 13]
    assert [search.after(11), search.after(13), search.before(11), search.before(20)] == [12, 11, 13, 13]
    assert [search.place(12), search.place(10)] == [2, 0]
    assert search.spans("error Error") == [(0, 5), (6, 11)]
    search.forget(12)
    assert search.numbers == [12, 13]
    exact = LogSearch("Error", drawn_text)
    exact.take(["error", "Error"], 0)
    assert exact.numbers == [1]
    assert LogSearch("x", drawn_text).after(0) is None
