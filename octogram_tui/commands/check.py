"""`octogram-tui check`: every error of a scenario at once, and nothing run."""

from __future__ import annotations

from collections.abc import Sequence

from octogram_tui.commands.loading import load
from octogram_tui.commands.options import CommandParser, add_scenario_options, parse
from octogram_tui.errors import ExitCode, Problem, ScenarioError


def main(argv: Sequence[str]) -> int:
    """Check a scenario; 0 when it can run (warnings or not), 3 when it cannot."""
    parser = CommandParser("check", "Find every error of a scenario, without running anything.")
    parser.add_argument("scenario", metavar="SCENARIO")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text")
    add_scenario_options(parser)
    parser.set_defaults(runs_nothing=True)
    args = parse(parser, argv)
    problems: list[Problem]
    try:
        scenario, problems, _ = load(args)
        stages, agents = _count(len(scenario.stages), "stage"), _count(len(scenario.agents), "agent")
        summary = f"{args.scenario}: {stages}, {agents}, no errors"
    except ScenarioError as error:
        problems, summary = error.problems, ""
    from octogram_tui.scenario import report

    if args.format == "json":
        print(report.as_json(problems))
    elif args.format == "github":
        if problems:
            print(report.as_github(problems))
    else:
        if problems:
            print(report.as_text(problems))
        if summary:
            print(summary + (f", {_count(len(problems), 'warning')}" if problems else ""))
    return int(ExitCode.OK if summary else ExitCode.SCENARIO)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
