"""Plain logs: what is said at each level, nothing that a terminal or a CI service obeys, and the end always last."""

from __future__ import annotations

import io
import os
import re

import golden
import pytest
import recorded

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.report import phrases
from octogram_tui.report.plainlog import NORMAL, QUIET, VERBOSE, Style
from octogram_tui.report.progress import Progress

PLAIN = Style()


def log(events: list[ev.Event], style: Style = PLAIN, again: str = "octogram-tui shops.yml") -> str:
    stream = io.StringIO()
    report = Progress(stream, style, files={"journal": "/runs/x/journal.jsonl"}, again=again)
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
        ("github", Style(github=True)),
        ("color", Style(color=True)),
        ("ascii", Style(VERBOSE, ascii_only=True)),
    ],
)
def test_the_log_is_as_it_was_looked_at(name: str, kind: str, style: Style) -> None:
    golden.check(f"{name}.{kind}.txt", log(getattr(recorded, name)(), style))


@pytest.mark.parametrize("level", [QUIET, NORMAL, VERBOSE])
@pytest.mark.parametrize("github", [False, True])
def test_no_text_from_outside_is_obeyed(level: int, github: bool) -> None:
    shown = log(recorded.failing() + recorded.succeeding(), Style(level, github=github))
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
    assert end[-3:] == [
        "journal: /runs/x/journal.jsonl",
        "replay: octogram-tui replay 20261123-031409-shops-x7",
        "again: octogram-tui shops.yml",
    ]


def test_a_run_without_an_end_says_so() -> None:
    assert "UNFINISHED" in log(recorded.failing()[:9])
    assert "UNFINISHED" in log([])


def test_an_error_without_output_shows_what_its_detail_holds() -> None:
    one = recorded.job("open", "fill", "shop_1")
    error = {"message": "no", "detail": {"last_lines": ["why", "not"]}}
    shown = log(
        recorded.numbered(
            [*recorded.started(), ev.JobFinished(**one, state="failed", failure=Failure.from_json(error))]
        )
    )
    assert "    | why\n    | not\n" in shown


def test_many_failures_are_counted_not_all_shown() -> None:
    failed = [
        ev.JobFinished(
            **recorded.job("sell", "sell one", "shop_1", n),
            state="failed",
            failure=Failure.from_json({"message": "no"}),
        )
        for n in range(25)
    ]
    shown = log(recorded.numbered([*recorded.started(), *failed]), Style(github=True))
    assert shown.count("::error ") == 10
    assert "(and 24 more failures)" in shown
    assert "also failed: 15 more\n" in shown


def test_an_unknown_exit_code_is_shown() -> None:
    shown = log(recorded.numbered([ev.RunFinished(exit_code=99)]))
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
