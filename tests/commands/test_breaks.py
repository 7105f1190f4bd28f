"""Breakpoints on a command line: what each option is for, and what makes no sense is refused before anything begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from octogram_tui.commands.breaks import OnBreak, breakpoints_of
from octogram_tui.commands.options import parse
from octogram_tui.commands.run import load_request, read_request
from octogram_tui.commands.run_parser import make_parser
from octogram_tui.engine.events import BreakpointSet
from octogram_tui.errors import UsageError
from octogram_tui.journal.breakpoints import KeptBreakpoints
from octogram_tui.model.breakpoint import Breakpoint


def read(*words: str) -> tuple[Breakpoint, ...]:
    return breakpoints_of(parse(make_parser(), ["s.yml", *words]))


def test_what_follows_a_break_says_more_of_it() -> None:
    line = ["--break", "a/b", "--break-if", "vars.x > 1", "--break", "@n_2", "--break-at", "failed:timeout"]
    assert read(*line, "--break-hits", "=2", "--break-log", "{{ res.error.kind }}", "--break=*") == (
        Breakpoint("a/b", condition="vars.x > 1"),
        Breakpoint("@n_2", "failed", name="timeout", hits="=2", log="{{ res.error.kind }}"),
        Breakpoint("*"),
    )


def test_steps_are_breakpoints_that_are_used_once() -> None:
    assert read("--step-from", "b/*", "--step") == (Breakpoint("b/*", is_once=True), Breakpoint("*", is_once=True))
    assert read() == ()


@pytest.mark.parametrize("words", [["--break", ""], ["--break=*", "--break-if="], ["--break=*", "--break-log", " "]])
def test_nothing_is_not_taken_for_something_else(words: list[str]) -> None:
    with pytest.raises(UsageError, match="is given nothing"):
        read(*words)
    with pytest.raises(UsageError, match="is given nothing"):
        read("--step-from", "")


def test_what_is_for_a_run_is_refused_where_nothing_runs() -> None:
    with pytest.raises(UsageError, match="--dry-run runs nothing"):
        read_request(["s.yml", "--accessible", "--dry-run"])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--break-if x", "--break-if says more of the --break before it, and there is none"),
        ("--break a --break-if true --break-if false", "--break-if is given twice for --break 'a'"),
        ("--break a\\", "not a pattern of rows"),
        ("--break a --break-if vars.x>", "--break 'a': condition: `vars.x>`"),
        ("--break a --break-if res.x", "`res` is not known before a row"),
        ("--break a --break-at late", "--break-at 'late': there is no such point"),
        ("--break a --break-at after:x", "only failed, retried, variable take a name"),
        ("--break a --break-hits often", "not a number of hits"),
        ("--step-from a\\", "not a pattern of rows"),
        ("--on-break wait", "'wait' is none of fail, continue, hold:DURATION such as hold:30m"),
        ("--on-break hold:soon", "'soon' is not a duration"),
        ("--on-break fail:3", "'fail:3' is none of"),
        ("--step --on-break fail", "--step waits for somebody, and --on-break fail for nobody"),
    ],
)
def test_what_makes_no_sense_is_refused(line: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(*line.split())
    assert why in refused.value.message
    assert "\n" not in refused.value.message


def test_what_a_breakpoint_does_with_nobody_there() -> None:
    said = {
        text: parse(make_parser(), ["s.yml", "--on-break", text]).on_break
        for text in ("hold", "hold:30m", "fail", "continue")
    }
    assert said == {
        "hold": OnBreak("hold"),
        "hold:30m": OnBreak("hold", 1800.0),
        "fail": OnBreak("fail"),
        "continue": OnBreak("continue"),
    }


@pytest.mark.parametrize(("opens_console", "meant"), [(False, "fail"), (True, "hold")])
def test_whoever_sits_at_a_console_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opens_console: bool, meant: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    scenario = tmp_path / "s.yml"
    scenario.write_text(
        "agents: [{name: a, transport: local}]\nstages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
    )
    kept = KeptBreakpoints(tmp_path / "state" / "octogram-tui", str(scenario))
    kept.apply([BreakpointSet(number=1, pattern="s")])
    words = [str(scenario), "--break", "@a", "--on-break", "fail"]
    options = load_request(read_request(words, opens_console=opens_console)).options("r")
    assert options.on_break == meant
    there = [(Breakpoint("s"), "file")] if opens_console else []
    assert options.breakpoints == (*there, (Breakpoint("@a"), "command line"))
