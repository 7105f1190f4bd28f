"""Command lines for people to repeat: our own parser reads them, and finds what was meant."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from octogram_tui.commands.again import held_line, rerun_line
from octogram_tui.commands.run_parser import make_parser


@pytest.mark.parametrize(
    "line",
    [
        "s.yml --keep-going",
        "--fail-fast --headless s.yml",
        "s.yml --on-failure keep-going --on-break continue --break x",
        "--rerun-failed old --on-failure=abort -- -s.yml",
        "--rerun-failed=old -e 'a=--keep-going' s.yml",
    ],
)
def test_a_line_that_is_printed_can_be_typed(line: str) -> None:
    argv = shlex.split(line)
    before = make_parser().parse_args(argv)
    held = make_parser().parse_args(shlex.split(held_line(argv))[1:])
    assert (held.on_failure, held.on_break.what, held.on_break.hold_s) == ("pause", "hold", 1800.0)
    rerun = make_parser().parse_args(shlex.split(rerun_line(argv, Path("/runs/r-1"), Path("/runs")))[1:])
    assert rerun.rerun_failed == "r-1"
    for name in ("scenario", "var", "headless", "breaks"):
        assert getattr(before, name) == getattr(held, name) == getattr(rerun, name)
    assert rerun_line(argv, Path("/elsewhere/r"), Path("/runs")).count("--rerun-failed /elsewhere/r") == 1
