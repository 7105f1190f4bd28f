"""Problems as people and machines see them: golden pages, JSON, annotations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenario_family import load, problems

from octogram_tui.errors import Problem
from octogram_tui.scenario.report import as_github, as_json, as_text

GOLDEN = Path(__file__).parent / "golden"
PAGES = sorted(path.stem for path in GOLDEN.glob("*.yml"))


@pytest.mark.parametrize("page", PAGES)
def test_error_pages(page: str) -> None:
    text = (GOLDEN / f"{page}.yml").read_text()
    assert as_text(problems(text, file=f"{page}.yml")) + "\n" == (GOLDEN / f"{page}.txt").read_text()


def test_there_are_error_pages() -> None:
    assert len(PAGES) >= 4


def test_warnings_alone() -> None:
    text = as_text(load("vars: {a: yes}\nstages: []\n").warnings)
    assert text.startswith("scenario.yml:1:11: warning: `yes` is the boolean true here")
    assert "  1 | vars: {a: yes}\n    |           ^\n    = write 'yes' in quotes" in text


def test_a_problem_without_a_place() -> None:
    assert as_text([Problem("f.yml", 0, 0, "there is no such file", "look elsewhere")]) == (
        "f.yml: error: there is no such file\n   = look elsewhere"
    )
    assert as_text([Problem("f.yml", 3, 1, "x")]) == "f.yml:3:1: error: x"


def test_counts() -> None:
    error, warning = Problem("f", 1, 1, "e"), Problem("f", 1, 1, "w", is_warning=True)
    assert as_text([error, error, warning]).endswith("\n2 errors, 1 warning")
    assert as_text([warning, warning]).endswith("\n2 warnings")
    assert as_text([]) == ""


def test_nothing_steers_the_terminal() -> None:
    text = as_text([Problem("f", 1, 3, "bad \x1b[31m", "\u202ehint", "a\tb\x1b]0;x\x07")])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x07" not in text


def test_the_caret_stands_under_wide_characters_too() -> None:
    lines = as_text([Problem("f", 1, 5, "m", "", "日本e\u0301x")]).split("\n")
    assert lines[1] == "  1 | 日本e\u0301x"
    assert lines[2] == "    |      ^"


def test_long_lines_are_cut_around_the_place() -> None:
    for column in (1, 500, 999):
        line, caret = as_text(
            [Problem("f", 1, column, "m", "", "x" * (column - 1) + "!" + "x" * (999 - column))]
        ).split("\n")[1:3]
        assert len(line) < 180
        assert line[caret.index("^")] == "!"


def test_json() -> None:
    document = json.loads(as_json([Problem("f", 1, 2, "é", "h", "s"), Problem("f", 0, 0, "w", is_warning=True)]))
    assert document["v"] == 1
    assert document["problems"][0] == {
        "file": "f",
        "line": 1,
        "column": 2,
        "severity": "error",
        "message": "é",
        "hint": "h",
        "source": "s",
    }
    assert document["problems"][1]["severity"] == "warning"


def test_github() -> None:
    found = [Problem("a,b:c.yml", 1, 2, "100% wrong\nreally", "do this"), Problem("f", 0, 0, "w", is_warning=True)]
    assert as_github(found) == (
        "::error file=a%2Cb%3Ac.yml,line=1,col=2::100%25 wrong%0Areally%0Ado this\n::warning file=f::w"
    )
    many = as_github([Problem("f", n, 1, "e") for n in range(1, 31)]).split("\n")
    assert len(many) == 10
    assert many[-1].startswith("::error::and 21 more")
