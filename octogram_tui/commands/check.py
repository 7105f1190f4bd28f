"""`octogram-tui check`: every error of a scenario at once, and nothing run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from octogram_tui.commands.loading import load
from octogram_tui.commands.options import CommandParser, add_scenario_options, parse
from octogram_tui.errors import ExitCode, Problem, ScenarioError


def main(argv: Sequence[str]) -> int:
    """Check scenarios; 0 when all of them can run (warnings or not), 3 when one cannot."""
    parser = CommandParser("check", "Find every error of scenarios, without running anything.")
    parser.add_argument("scenarios", metavar="SCENARIO", nargs="+")
    parser.add_argument("--format", choices=("text", "json", "github", "sarif"), default="text")
    add_scenario_options(parser)
    parser.set_defaults(runs_nothing=True)
    args = parse(parser, argv)
    problems: list[Problem] = []
    are_well = True
    for scenario in args.scenarios:
        args.scenario = scenario
        found, summary = _check(args)
        problems += found
        are_well = are_well and bool(summary)
        if args.format == "text":
            _tell(found, summary)
    if args.format != "text":
        # Scenarios may share files of agents and variables: what is wrong with these is told once.
        _write(args.format, list(dict.fromkeys(problems)), args.scenarios[0])
    return int(ExitCode.OK if are_well else ExitCode.SCENARIO)


def _check(args: Any) -> tuple[list[Problem], str]:
    """Give the problems of one scenario, and what is in it; empty when it cannot run."""
    try:
        scenario, problems, _ = load(args)
    except ScenarioError as error:
        return error.problems, ""
    stages, agents = _count(len(scenario.stages), "stage"), _count(len(scenario.agents), "agent")
    return problems, f"{args.scenario}: {stages}, {agents}, no errors"


def _tell(problems: list[Problem], summary: str) -> None:
    if problems:
        from octogram_tui.commands.complaint import unobeyed
        from octogram_tui.scenario.report import as_text

        print(unobeyed(as_text(problems)))
    if summary:
        print(summary + (f", {_count(len(problems), 'warning')}" if problems else ""))


def _write(kind: str, problems: list[Problem], scenario: str) -> None:
    from octogram_tui.scenario import report

    if kind == "json":
        print(report.as_json(problems))
    elif kind == "sarif":
        from octogram_tui.scenario.sarif import as_sarif

        print(as_sarif(problems, scenario))
    elif problems:
        print(report.as_github(problems))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
