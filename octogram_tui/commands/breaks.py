"""Breakpoints on the command line: `--break PATTERN`, what follows it, `--step`, `--step-from` and `--on-break`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from octogram_tui.commands.options import positive_seconds
from octogram_tui.errors import UsageError
from octogram_tui.model.breakpoint import HAS_NAME, WHEN, Breakpoint

BY = "command line"
OF_BREAK = {"--break-if": "condition", "--break-at": "when", "--break-hits": "hits", "--break-log": "log"}
"""What is said of the `--break` before it, and which field that is."""


class OnBreak(NamedTuple):
    """What a breakpoint does in a run without a console. hold_s: how long it waits for one; None: as --linger says."""

    what: Literal["hold", "fail", "continue"]
    hold_s: float | None = None


class _Append(argparse.Action):
    """Keeps options of several names in the one order in which they came."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        namespace.breaks = [*(getattr(namespace, "breaks", None) or []), (option_string, values)]


def add_break_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides where the run stops."""
    group = parser.add_argument_group("where it stops")

    def add(option: str, metavar: str, text: str) -> None:
        group.add_argument(option, metavar=metavar, action=_Append, dest="breaks", default=[], help=text)

    add("--break", "PATTERN", "before rows, as stage/job@agent[item]; any part may be left out, or hold *; repeatable")
    add("--break-if", "EXPR", "of the --break before it: only where this holds (vars, agent, re, item, res)")
    add(
        "--break-at",
        "POINT",
        f"of the --break before it: {', '.join(WHEN)}; failed:KIND, retried:KIND and variable:NAME say which",
    )
    add("--break-hits", "N", "of the --break before it: from the Nth time on; =N then only, %%N each Nth time")
    add("--break-log", "TEXT", "of the --break before it: write this, with templates, and go on")
    group.add_argument(
        "--no-kept-breaks",
        action="store_true",
        help="without the breakpoints that are kept for the scenario, and keep none (an editor keeps its own)",
    )
    group.add_argument("--step", action="store_true", help="stop before the first row, to step from there")
    group.add_argument("--step-from", metavar="PATTERN", help="stop once, before the first of these rows")
    group.add_argument(
        "--on-break",
        metavar="WHAT",
        type=read_on_break,
        help="without a console: fail, continue (say so only), or hold:DURATION for somebody to attach "
        "(default: hold, for as long as --linger says)",
    )


def read_on_break(text: str) -> OnBreak:
    """Read `fail`, `continue`, `hold` or `hold:30m`."""
    word, has_time, duration = text.partition(":")
    if word == "hold":
        return OnBreak("hold", positive_seconds(duration) if has_time else None)
    if word not in ("fail", "continue") or has_time:
        raise argparse.ArgumentTypeError(f"{text!r} is none of fail, continue, hold:DURATION such as hold:30m")
    return OnBreak("fail" if word == "fail" else "continue")


def breakpoints_of(args: Any) -> tuple[Breakpoint, ...]:
    """Give the breakpoints that a command line sets. Raises UsageError for what makes no sense."""
    found: list[Breakpoint] = []
    said: set[str] = set()
    for option, value in args.breaks:
        if not value.strip():  # such as a variable of the shell that is not set: it would mean another thing
            raise UsageError(f"{option} is given nothing", hint="`--break '*'` is every row")
        if option == "--break":
            found.append(Breakpoint(pattern=value))
            said = set()
            continue
        if not found:
            raise UsageError(
                f"{option} says more of the --break before it, and there is none", hint="--break PATTERN first"
            )
        if option in said:
            raise UsageError(f"{option} is given twice for --break {found[-1].pattern!r}")
        said.add(option)
        found[-1] = replace(found[-1], **_said(option, value))
    if args.step_from is not None and not args.step_from.strip():
        raise UsageError("--step-from is given nothing", hint="--step stops before the first row of all")
    found += [Breakpoint(row, is_once=True) for row in (args.step_from, "*" if args.step else None) if row is not None]
    if args.step and args.on_break is not None and args.on_break.what != "hold":
        raise UsageError(f"--step waits for somebody, and --on-break {args.on_break.what} for nobody")
    _check(found)
    return tuple(found)


def _said(option: str, value: str) -> dict[str, Any]:
    """Give the fields that an option sets."""
    if option != "--break-at":
        return {OF_BREAK[option]: value}
    point, has_name, name = value.partition(":")
    if point not in WHEN:
        raise UsageError(f"--break-at {value!r}: there is no such point", hint=f"one of {', '.join(WHEN)}")
    if has_name and point not in HAS_NAME:
        raise UsageError(f"--break-at {value!r}: only {', '.join(sorted(HAS_NAME))} take a name")
    return {"when": point, "name": name}


def _check(breakpoints: Sequence[Breakpoint]) -> None:
    if breakpoints:  # else nothing has to be imported for them
        from octogram_tui.engine.breakpoint_check import problem_of

        for breakpoint_ in breakpoints:
            problem = problem_of(breakpoint_)
            if problem:
                raise UsageError(f"--break {breakpoint_.pattern!r}: {problem}")
