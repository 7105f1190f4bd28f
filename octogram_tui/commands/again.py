"""Command lines made of another one: what a person types to repeat a run, or a part of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path

RERUN_FAILED = "--rerun-failed"
OF_FAILURES = ("--on-failure", "--on-break")
"""Options with a value that say what a failure does."""
KEEP_OR_FAIL = ("--keep-going", "--fail-fast")
"""The same as flags; none of them may stand beside another, or beside --on-failure."""


def added(argv: Sequence[str], *words: str) -> list[str]:
    """Give a command line with more options, which have no place behind a `--`."""
    end = argv.index("--") if "--" in argv else len(argv)
    return [*argv[:end], *words, *argv[end:]]


def without(argv: Sequence[str], options: Collection[str], flags: Collection[str] = ()) -> list[str]:
    """Give a command line without options and their values, and without flags."""
    end = argv.index("--") if "--" in argv else len(argv)
    words: list[str] = []
    is_value = False
    for word in argv[:end]:
        if is_value:
            is_value = False
        elif word in options:
            is_value = True
        elif word not in flags and word.partition("=")[0] not in options:
            words.append(word)
    return [*words, *argv[end:]]


def line_of(argv: Sequence[str]) -> str:
    """Write a command line as a shell reads it."""
    return shlex.join(["octogram-tui", *argv])


def rerun_line(argv: Sequence[str], run_dir: Path, runs_dir: Path) -> str:
    """Give the line that repeats what failed in a run."""
    name = run_dir.name if run_dir.parent == runs_dir else os.path.abspath(run_dir)
    return line_of(added(without(argv, [RERUN_FAILED]), RERUN_FAILED, name))


def held_line(argv: Sequence[str]) -> str:
    """Give the line that repeats a run, and holds it where it fails."""
    words = without(argv, OF_FAILURES, KEEP_OR_FAIL)
    return line_of(added(words, "--on-failure", "pause", "--on-break", "hold:30m"))
