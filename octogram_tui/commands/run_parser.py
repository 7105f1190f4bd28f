"""The command line of a run: its parser, and the groups of options that it shares with that of a run taken up again."""

from __future__ import annotations

from typing import Any, Literal

from octogram_tui import __version__
from octogram_tui.commands.breaks import add_break_options
from octogram_tui.commands.options import (
    CommandParser,
    add_choice_options,
    add_look_options,
    add_rerun_option,
    add_scenario_options,
    add_ssh_options,
    how_often,
    port_number,
    positive_seconds,
    some_word,
)
from octogram_tui.settings import CI_SERVICES

EPILOG = "`octogram-tui help` lists the other commands, `octogram-tui help exit-codes` the exit codes."

ON_FAILURE: dict[str, Literal["abort", "pause", "keep_going"]] = {
    "abort": "abort",
    "pause": "pause",
    "keep-going": "keep_going",
}
"""The words of --on-failure, and what each is to the engine."""


def make_parser() -> CommandParser:
    """Describe the command line of a run."""
    parser = CommandParser("", "Run a scenario: in a console on a terminal, headless without one.", epilog=EPILOG)
    parser.usage = "octogram-tui SCENARIO [options]"
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?", help="the file: .yml, .yaml or .json")
    parser.add_argument("--version", action="version", version=f"octogram-tui {__version__}")
    parser.add_argument("--headless", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and run nothing (as `plan` does)")
    add_scenario_options(parser)
    add_choice_options(parser)
    add_rerun_option(parser.add_argument_group("the rest of an earlier run"))
    control = parser.add_argument_group("the run")
    add_control_options(control)
    add_default_options(control)
    control.add_argument("--paused", action="store_true", help="start with the gate shut")
    control.add_argument(
        "--no-preflight",
        action="store_true",
        help="start a console's run without looking at its machines first (runs on this machine alone never do)",
    )
    add_break_options(parser)
    output = parser.add_argument_group("what is written")
    add_output_options(output)
    output.add_argument("--run-dir", type=some_word, metavar="DIR", help="where the run's journal and artifacts go")
    add_look_options(output)
    add_ssh_options(parser)
    return parser


def add_control_options(control: Any) -> None:
    """Add what decides how a run is gone about, from its beginning or from where it is taken up again."""
    control.add_argument(
        "--confirm",
        choices=("yes", "no", "fail", "ask"),
        help="the answer to ask_confirmation: run the stage, skip it, end the run (headless default), "
        "or ask (console default)",
    )
    control.add_argument(
        "--keep-alive",
        action="store_true",
        default=None,
        dest="keep_alive",
        help="keep the agents up after the last stage until told to stop (console default)",
    )
    control.add_argument(
        "--no-keep-alive",
        action="store_false",
        dest="keep_alive",
        help="stop the agents after the last stage (headless default)",
    )
    failure = control.add_mutually_exclusive_group()
    failure.add_argument(
        "--on-failure",
        choices=ON_FAILURE,
        help="of jobs that do not say: end the run (headless default), hold it (console default), or go on without "
        "the agent that failed",
    )
    failure.add_argument(
        "--keep-going",
        action="store_const",
        const="keep-going",
        dest="on_failure",
        help="--on-failure keep-going: other agents run to the end; the exit code is still that of the failure",
    )
    failure.add_argument(
        "--fail-fast",
        action="store_const",
        const="abort",
        dest="on_failure",
        help="--on-failure abort: the first failure ends the run",
    )
    control.add_argument("--timeout", metavar="S", type=positive_seconds, help="end the run after so long: 90, 5m, 1h")
    control.add_argument(
        "--linger",
        metavar="S",
        type=positive_seconds,
        help="how long a run waits for an operator, for whatever reason, with no console attached (1h)",
    )
    control.add_argument("--keep-homes", action="store_true", help="leave the agents' home directories")


def add_default_options(control: Any) -> None:
    """Add what jobs and stages are given that do not say it themselves."""
    control.add_argument(
        "--retry",
        metavar="N",
        type=how_often,
        default=0,
        help="of jobs that do not say `retries`: try again so often what ran and failed",
    )
    control.add_argument(
        "--stage-timeout",
        metavar="S",
        type=positive_seconds,
        help="of stages that do not say `timeout`: end what runs after so long, and the run with it",
    )


def add_output_options(output: Any) -> None:
    """Add what decides what is written where."""
    output.add_argument(
        "--events", type=some_word, metavar="FILE", help="every event as a JSON line; - for standard output"
    )
    output.add_argument("--junit", type=some_word, metavar="FILE", help="a JUnit report; - for standard output")
    output.add_argument(
        "--metrics",
        type=some_word,
        metavar="FILE",
        help="the run's own metrics for Prometheus, kept up to date; - as with --junit",
    )
    output.add_argument(
        "--metrics-port",
        metavar="PORT",
        type=port_number,
        help="serve them on this port of 127.0.0.1 while the run lasts",
    )
    output.add_argument("--metrics-by-agent", action="store_true", help="with a label for the agent of each job")
    output.add_argument(
        "--metrics-targets",
        metavar="FILE",
        help="what the agents serve metrics at, for a Prometheus that watches the file (file_sd)",
    )
    output.add_argument(
        "--json", action="store_true", help="one JSON document about the run on standard output, at its end"
    )
    output.add_argument(
        "--output",
        choices=("stream", "prefixed", "grouped", "failed"),
        help="which lines of the jobs' output are shown: as they come, bare or with agent and job before them, "
        "all of an attempt when it ends, or of what fails only (without -v)",
    )
    output.add_argument(
        "--ci",
        choices=("auto", "none", *CI_SERVICES),
        help="the CI service that reads the log: its groups, annotations, masks and reports (auto)",
    )
    output.add_argument(
        "--otel",
        action="store_true",
        help="tell an OpenTelemetry collector of the run: where it is, OTEL_EXPORTER_OTLP_ENDPOINT says",
    )
    output.add_argument("-q", "--quiet", action="store_true", help="failures and the end only")
    output.add_argument("-v", "--verbose", action="store_true", help="the jobs' output too, as it comes")
    output.add_argument("--timestamps", action="store_true", help="begin each plain line with the time, in UTC")
    output.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour of plain lines")
