"""What was written: bounds, gaps, views and safe text."""

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.log_view import LogView, Scope
from octogram_tui.projection.logbook import LINE_OVERHEAD_BYTES, Logbook
from octogram_tui.projection.text import SHOWN_CHARACTERS, coloured, printed, safe


def output(*lines: str, key: str = "s/j@a", attempt: int = 1, process: str = "", dropped: int = 0) -> ev.JobOutput:
    instance = InstanceId.parse(key) if key else None
    agent = instance.agent if instance is not None else "a"
    return ev.JobOutput(
        agent=agent, lines=list(lines), instance=instance, attempt=attempt, process=process, dropped=dropped
    )


def test_lines_by_attempt_and_process_and_gaps() -> None:
    book = Logbook()
    book.apply(output("one", "two"))
    book.apply(output("three", attempt=2, dropped=7))
    book.apply(output("tick", key="", process="web"))
    first, second = book.attempts[InstanceId("s", "j", "a")]
    assert [line.text for line in first.lines] == ["one", "two"]
    assert [(line.stream, line.text) for line in second.lines] == [("gap", "7 lines left out"), ("stdout", "three")]
    assert second.let_go == 7
    assert [line.text for line in book.processes[("a", "web")].lines] == ["tick"]


def test_what_is_not_here_is_in_the_log_of_the_process_or_of_the_attempt() -> None:
    book = Logbook()
    book.apply(output("own", key="s/j@a[x]", attempt=2))
    (origin,) = book.attempts[InstanceId("s", "j", "a", "x")]
    assert origin.log_name == "s/j@a[x]#2"
    book.apply(output("tick", key="s/j@a[x]", attempt=2, process="web", dropped=3))
    book.apply(output("own", key="s/j@a[x]", attempt=2))
    assert origin.log_name == "web"
    book.apply(output("own", key="s/j@a[x]", attempt=2, dropped=1))
    assert origin.log_name == "s/j@a[x]#2"
    book.apply(output("tick", key="", process="web"))
    assert book.processes[("a", "web")].log_name == "web"


def test_an_origin_keeps_its_last_lines_and_counts_the_others() -> None:
    book = Logbook(lines_per_origin=10)
    for number in range(25):
        book.apply(output(str(number)))
    (origin,) = book.attempts[InstanceId("s", "j", "a")]
    assert [line.text for line in origin.lines] == [str(number) for number in range(15, 25)]
    assert (origin.let_go, origin.total) == (15, 25)


def test_the_whole_is_bounded_and_numbers_stay_true() -> None:
    book = Logbook(bytes_in_all=(LINE_OVERHEAD_BYTES + 4) * 1000)
    view = LogView(book, Scope(agent="b"))
    for number in range(2000):
        book.apply(output(f"{number:4}", key=f"s/j@{'ab'[number % 2]}"))
        if number == 50:
            view.catch_up()
    assert book.end == 2000
    assert book.first == 2000 - len(book.lines) > 0
    assert sum(len(origins[0].lines) for origins in book.attempts.values()) == len(book.lines)
    view.catch_up()
    assert view.lines[-1].text == "1999"
    assert all(line.origin.agent == "b" for line in view.lines)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ["1", "2", "3", "4"]),
        (Scope(stage="s"), ["1", "2", "4"]),
        (Scope(stage="s", job="j"), ["1", "4"]),
        (Scope(agent="b"), ["2"]),
        (Scope(instance=InstanceId("s", "j", "a")), ["1", "4"]),
    ],
)
def test_views_hold_what_their_scope_says(scope: Scope, expected: list[str]) -> None:
    book = Logbook()
    book.apply(output("1"))
    view = LogView(book, scope)
    book.apply(output("2", key="s/k@b"))
    book.apply(output("3", key="t/j@c"))
    book.apply(output("4", attempt=2))
    view.catch_up()
    assert [line.text for line in view.lines] == expected
    assert [line.text for line in LogView(book, scope).lines] == expected


def test_a_view_forgets_its_oldest_lines() -> None:
    book = Logbook()
    view = LogView(book, kept_lines=100)
    book.apply(output(*map(str, range(300))))
    view.catch_up()
    assert view.lines[-1].text == "299"
    assert (len(view.lines), view.removed) == (100, 200)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("a\tb", "a       b"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("line\r\n", "line␍␊"),
        ("\x7f\x9b2J", "␡<9B>2J"),
        ("evil\u202etxt.exe", "evil<202E>txt.exe"),
        ("\ufeffbom\u200b", "<FEFF>bom<200B>"),
        ("half \ud800", "half \ufffd"),
        ("[bold]x[/] [@click=app.quit]y", "[bold]x[/] [@click=app.quit]y"),
        ("żółw 数", "żółw 数"),
        (17, "17"),
    ],
)
def test_safe_text(raw: object, shown: str) -> None:
    assert safe(raw) == shown


def test_safe_text_cuts_and_speaks_ascii() -> None:
    assert len(safe("x" * 100_000)) == SHOWN_CHARACTERS + 3
    assert safe("\x1b[1m żó", ascii_only=True) == "^[[1m ??"


def test_output_reads_as_a_terminal_would_leave_it() -> None:
    assert printed("\x1b[1;31mred\x1b[0m\x1b[K text") == "red text"
    assert printed("1%\r50%\r100%\r") == "\r100%"
    assert printed("windows\r") == "windows"
    assert safe(printed("\x1b]0;title\x07 \x1b[2J")) == "␛]0;title␇ ␛[2J"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m\x1b[K text", "\x1b[1;31mred\x1b[0m text\x1b[0m"),
        ("\x1b[38:2::1:2:3mleft on", "\x1b[38:2::1:2:3mleft on\x1b[0m"),
        ("\x1b]0;title\x07 \x1b[2J\x1b[?25l\x1b[5n\x1bc", "␛]0;title␇ ␛[2J␛[?25l␛[5n␛c"),
        ("\x1b[31m1%\r\x1b[32m100%\r", "␍\x1b[32m100%\x1b[0m"),
        ("\x9b31m \u202e", "<9B>31m <202E>"),
        ("\x1b[" + "1;" * 50 + "m", "␛[" + "1;" * 50 + "m"),
    ],
)
def test_of_what_a_terminal_obeys_only_colours_are_kept(line: str, shown: str) -> None:
    assert coloured(line) == shown


def test_a_line_of_colours_is_cut_too() -> None:
    shown = coloured("\x1b[31mx" * 5000)
    assert len(shown) < SHOWN_CHARACTERS + 100
    assert shown.endswith("...\x1b[0m")
