"""`octogram-tui SCENARIO`: the main command. A console on a terminal, plain lines without one."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from octogram_tui import __version__, streams
from octogram_tui.commands.breaks import BY, add_break_options, breakpoints_of
from octogram_tui.commands.options import (
    CommandParser,
    add_choice_options,
    add_look_options,
    add_rerun_option,
    add_scenario_options,
    add_ssh_options,
    check_looks,
    how_often,
    parse,
    port_number,
    positive_seconds,
    refuse_beside,
    some_word,
    with_looks,
)
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import OctogramError, Problem, UsageError
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.scenario import Scenario
from octogram_tui.secrecy.vault import Vault
from octogram_tui.settings import CI_SERVICES, Settings, load

if TYPE_CHECKING:
    from octogram_tui.journal.breakpoints import KeptBreakpoints
    from octogram_tui.model.carried import CarriedRows
    from octogram_tui.model.trace import Trace
    from octogram_tui.report.closing import Repeats
    from octogram_tui.report.headless import Output
    from octogram_tui.report.service import Service
    from octogram_tui.scenario.load import Loaded
    from octogram_tui.transport.pool import Transports

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


@dataclass(frozen=True, slots=True)
class RunWanted:
    """A run as it was asked for, nothing of it loaded: parsed arguments, and the surroundings."""

    args: Any
    argv: tuple[str, ...]
    settings: Settings
    opens_console: bool


@dataclass(frozen=True, slots=True)
class Invocation(RunWanted):
    """A run that can begin: what was asked for, and what was loaded for it."""

    loaded: Loaded
    kept: KeptBreakpoints | None  # for the scenario's file, where somebody is there to see them
    vault: Vault  # with the secrets whose values the scenario has, but for one that nobody runs
    carried: CarriedRows = field(default_factory=dict)  # of --rerun-failed; with masks in the places of secrets

    @property
    def scenario(self) -> Scenario:
        """Give what is to run."""
        return self.loaded.scenario

    @property
    def warnings(self) -> list[Problem]:
        """Give what is probably not meant in it."""
        return self.loaded.warnings

    @property
    def on_failure(self) -> Literal["abort", "pause", "keep_going"]:
        """Give what a failure does whose job does not say."""
        return ON_FAILURE[self.args.on_failure or ("pause" if self.opens_console else "abort")]

    @property
    def confirm(self) -> Literal["ask", "yes", "no", "fail"]:
        """Give the answer to `ask_confirmation`."""
        return self.args.confirm or ("ask" if self.opens_console else "fail")

    @property
    def keep_alive(self) -> bool:
        """Whether the agents stay up after the last stage."""
        return self.opens_console if self.args.keep_alive is None else bool(self.args.keep_alive)

    def options(self, run: str) -> RunOptions:
        """Give the engine's options."""
        from octogram_tui.commands.loading import selection_of

        args = self.args
        with_operator = self.opens_console
        return RunOptions(
            run=run,
            version=__version__,
            on_failure=self.on_failure,
            confirm=self.confirm,
            keep_alive=self.keep_alive,
            start_paused=args.paused,
            selection=selection_of(args),
            timeout_s=args.timeout,
            metrics_port=args.metrics_port or 0,
            look_ahead=True,
            rerun_failed=args.rerun_failed or "",
            carried=revealed(self.carried, self.vault),
            trace=trace_of(run, is_told=args.otel),
            breakpoints=self._breakpoints(),
            on_break="hold" if args.on_break is None or with_operator else args.on_break.what,
        )

    def _breakpoints(self) -> tuple[tuple[Breakpoint, str], ...]:
        """Give those that are set from the start, and who sets each."""
        from octogram_tui.engine.breakpoint_table import BY_KEPT

        kept = [] if self.kept is None else self.kept.load()
        return (*((one, BY_KEPT) for one in kept), *((one, BY) for one in breakpoints_of(self.args)))

    def transports(self) -> Transports:
        """Make the ways to its machines."""
        from octogram_tui.transport.pool import Transports

        args, settings = self.args, self.settings
        return Transports(
            ssh_config=args.ssh_config or settings.ssh_config or None,
            accept_new=args.accept_new or settings.host_keys == "accept-new",
            force_local=args.local,
        )

    def output(self, run_dir: Path) -> Output:
        """Give what is written where."""
        from octogram_tui.report.headless import Output

        args, settings = self.args, self.settings
        stream = sys.stderr if _for_stdout(args) else sys.stdout
        service: Service | None = None
        if settings.ci_service(args.ci):
            from octogram_tui.report.service import service_of

            service = service_of(settings.ci_service(args.ci))
        return Output(
            events=args.events,
            junit=args.junit,
            document=args.json,
            metrics=args.metrics,
            metrics_port=args.metrics_port,
            metrics_by_agent=args.metrics_by_agent,
            metrics_targets=args.metrics_targets,
            otel=args.otel,
            level=-1 if args.quiet else int(args.verbose),
            color=settings.use_color(is_terminal=stream.isatty(), flag=args.color),
            ascii_only=args.ascii or settings.ascii,
            output=args.output or "",
            service=service,
            timestamps=args.timestamps,
            journal=os.fspath(run_dir),
            hold_s=self._hold_s(),
            repeats=self._repeats(run_dir),
        )

    def _repeats(self, run_dir: Path) -> Repeats:
        def rerun() -> str:
            from octogram_tui.commands.again import rerun_line  # only a run that fails pays for it

            return rerun_line(self.argv, run_dir, self.settings.runs_dir)

        def held() -> str:
            from octogram_tui.commands.again import held_line

            return held_line(self.argv)

        from octogram_tui.report.closing import Repeats

        return Repeats(shlex.join(["octogram-tui", *self.argv]), rerun, None if self.on_failure == "pause" else held)

    def announce_secrets(self) -> None:
        """Have the CI service hide the values of secrets, before anything is printed."""
        name = "" if self.vault.masker.is_idle else self.settings.ci_service(self.args.ci)
        if name:
            from octogram_tui.report.announcement import announce
            from octogram_tui.report.service import service_of

            service = service_of(name)
            if service is not None:
                announce(self.vault.masker, service)

    def _hold_s(self) -> float | None:
        """Give how long a breakpoint waits for somebody, where the command line wants somebody to be called."""
        on_break = self.args.on_break
        if on_break is None or on_break.what != "hold":
            return None
        return float(on_break.hold_s or self.args.linger or self.settings.linger_s)


def revealed(rows: CarriedRows, vault: Vault) -> CarriedRows:
    """Give what rows of an earlier run have set, with the values of secrets of now in the places of their masks."""
    if not rows or vault.masker.is_idle:
        return rows
    return {
        id_: tuple(each._replace(value=vault.masker.reveal(each.value)) for each in updates)
        for id_, updates in rows.items()
    }


def read_request(argv: Sequence[str], *, opens_console: bool | None = None) -> RunWanted:
    """Read the arguments. Raises OctogramError for whatever is wrong with them."""
    parser = make_parser()
    args = parse(parser, argv)
    settings = with_looks(load(), args)
    if args.rerun_failed:
        from octogram_tui.commands.rerun import resolved

        argv = resolved(argv, args, settings)
        args = parse(make_parser(), argv)
    elif args.scenario is None:
        parser.error("the following arguments are required: SCENARIO")
    refuse_beside(args)
    request = request_of(args, argv, settings, opens_console)
    breakpoints_of(args)
    return request


def request_of(args: Any, argv: Sequence[str], settings: Settings, opens_console: bool | None) -> RunWanted:
    """Decide for a console or none, unless that is decided. Raises UsageError for what contradicts itself."""
    if opens_console is None:
        is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        wants_stdout = bool(_for_stdout(args)) or args.dry_run
        opens_console = settings.opens_console(is_terminal=is_terminal) and not args.headless and not wants_stdout
        if args.accessible and wants_stdout:
            if args.dry_run:
                raise UsageError("--dry-run runs nothing, and --accessible is for a run: give one of them")
            raise UsageError("--accessible talks on standard output: give another file")
        opens_console = opens_console or args.accessible
    both = _for_stdout(args)
    if len(both) > 1:
        named = " and ".join(both)
        raise UsageError(f"{named} cannot share standard output", hint="give a file to all but one")
    if args.ssh_config and not os.path.isfile(args.ssh_config):
        raise UsageError(f"--ssh-config {args.ssh_config}: there is no such file")
    if args.otel and find_spec("opentelemetry") is None:
        raise UsageError(
            "--otel needs the extra `otel`, which is not installed", hint="install it: pip install 'octogram-tui[otel]'"
        )
    return RunWanted(args, tuple(argv), settings, opens_console)


def trace_of(run: str, *, is_told: bool) -> Trace | None:
    """Give the distributed trace that a run is part of, if it is part of one, or begins one."""
    if not is_told and "TRACEPARENT" not in os.environ:
        return None
    from octogram_tui.model.trace import SAMPLED, Trace

    trace = Trace.found(os.environ, run, is_told=is_told)
    if trace is None or not is_told:
        return trace
    try:
        from octogram_tui.report.otel import is_recorded

        flags = trace.flags | SAMPLED if is_recorded(trace) else trace.flags & ~SAMPLED
    except ValueError:  # nothing will be told, as the report says at the end
        return Trace.found(os.environ, run, is_told=False)
    return replace(trace, flags=flags)


def _for_stdout(args: Any) -> list[str]:
    """Name the options that have the standard output for data."""
    files = [f"{option} -" for option in ("--events", "--junit", "--metrics") if getattr(args, option[2:]) == "-"]
    return [*files, *(["--json"] if args.json else [])]


def load_request(request: RunWanted) -> Invocation:
    """Load what a run needs. Raises OctogramError for whatever is wrong with it."""
    from octogram_tui.commands.loading import check_choices, left_out_warnings, selection_of
    from octogram_tui.commands.loading import load as load_scenario

    args = request.args
    loaded = load_scenario(args)
    check_choices(loaded.scenario, args)
    loaded.warnings.extend(left_out_warnings(loaded.scenario, args))
    carried: CarriedRows = {}
    if args.rerun_failed:
        from octogram_tui.commands.rerun import find, say

        rerun = find(args.rerun_failed, loaded.scenario, selection_of(args), request.settings)
        say(rerun)
        carried = rerun.rows
    vault = Vault()
    if loaded.scenario.secrets and not args.dry_run:
        streams.hide(vault.masker.text)
        loaded = loaded._replace(scenario=vault.fill(loaded.scenario))
    kept: KeptBreakpoints | None = None
    if request.opens_console and not args.no_kept_breaks:
        from octogram_tui.journal.breakpoints import KeptBreakpoints

        kept = KeptBreakpoints(request.settings.state_dir, loaded.scenario.path)
    return Invocation(args, request.argv, request.settings, request.opens_console, loaded, kept, vault, carried)


def _shown(run_dir: Path, digest: str, words: Sequence[str]) -> dict[str, str]:
    """Give what stands for words of the command line, and paths, that have the value of a secret in them."""
    from octogram_tui.journal import sources

    values = [value for word in words if (value := word.partition("=")[2])]
    paths = [os.fspath(run_dir), os.path.realpath(run_dir), *sources.find(run_dir, digest).texts]
    found = {word: streams.hidden(word) for word in (*words, *values, *paths)}
    return {word: shown for word, shown in sorted(found.items()) if shown != word}


def make_run(request: RunWanted) -> tuple[str, Path]:
    """Make the run's name and directory, and forget runs that are too old, by name. Raises JournalError."""
    from octogram_tui.journal import archive

    settings = request.settings
    gone = archive.forget_old(settings.runs_dir, keep_runs=settings.keep_runs, keep_days=settings.keep_days)
    if gone:
        print(f"octogram-tui: deleted old runs ({settings.kept}): {', '.join(gone)}", file=sys.stderr)
    directory = Path(request.args.run_dir) if request.args.run_dir else None
    return archive.create(settings.runs_dir, request.args.scenario, datetime.now(UTC), directory)


def host_settings(invocation: Invocation, run: str, run_dir: Path, socket: Path) -> Any:
    """Give the settings of the run's host."""
    from octogram_tui.commands.loading import keep
    from octogram_tui.commands.loading import load as load_scenario
    from octogram_tui.journal import terms, texts
    from octogram_tui.runtime.host import HostSettings

    args, settings = invocation.args, invocation.settings

    def reload() -> Scenario:
        """Read the scenario again, and keep what it was read from before anybody hears of it."""
        loaded = load_scenario(args)
        if loaded.scenario.digest != invocation.scenario.digest:
            texts.keep(run_dir, loaded.scenario.path, loaded.scenario.digest, loaded.text)
            keep(run_dir, args, loaded)
        return invocation.vault.fill(loaded.scenario)

    def keep_all(options: RunOptions) -> None:
        """Keep what another process needs to go on with the run."""
        keep(run_dir, args, invocation.loaded)
        if options.rerun_failed:
            from octogram_tui.journal import carried

            carried.keep(run_dir, invocation.carried)
        digest = invocation.scenario.digest
        argv, directory = invocation.argv, os.getcwd()
        shown = {} if invocation.vault.masker.is_idle else _shown(run_dir, digest, [*argv, directory])
        terms.keep(run_dir, terms.Terms(digest, argv, directory, invocation.opens_console, options, shown))

    return HostSettings(
        run_dir=run_dir,
        text=invocation.loaded.text,
        keep=keep_all,
        socket=socket,
        lease_s=settings.lease_s,
        ssh_config=args.ssh_config or settings.ssh_config or None,
        accept_new=args.accept_new or settings.host_keys == "accept-new",
        force_local=args.local,
        keep_homes=args.keep_homes,
        checks_engine=settings.check,
        linger_s=args.linger or settings.linger_s,
        stop_s=settings.stop_s,
        hold_s=None if args.on_break is None else args.on_break.hold_s,
        kept_breakpoints=invocation.kept,
        reload=reload if invocation.opens_console else None,
        vault=invocation.vault,
    )


def main(argv: Sequence[str]) -> int:
    """Run a scenario; gives the exit code."""
    request = read_request(argv)
    if request.opens_console:
        from octogram_tui.commands.console import open_console

        if request.args.accessible:
            return _open_prompt(request)
        check_looks(request.settings)
        # The run's process loads the scenario, and is the only one that does: what it has checked is what it runs.
        return open_console(request, make_run)
    from octogram_tui.commands.loading import warn

    has_reports: list[bool] = []
    try:
        invocation = load_request(request)
        invocation.announce_secrets()
        warn(invocation.warnings)
        if invocation.args.dry_run:
            from octogram_tui.commands.plan import show

            return show(invocation.scenario, invocation.args, as_json=False, carried=invocation.carried)
        from octogram_tui.commands.headless import run_here
        from octogram_tui.commands.interrupts import raised

        with raised():
            return run_here(invocation, lambda: has_reports.append(True))
    except (OctogramError, SystemExit) as error:
        args = request.args
        if (args.json or args.junit) and not args.dry_run and not has_reports:
            from octogram_tui.report.not_begun import tell_not_begun

            tell_not_begun(args.scenario, args.junit, error, has_document=args.json)
        raise


def _open_prompt(request: RunWanted) -> int:
    """Start the run as a console's, and attend to it at a prompt. Its machines are not looked at before."""
    from octogram_tui.commands.accessible import attach
    from octogram_tui.commands.console import open_console

    level = -1 if request.args.quiet else int(request.args.verbose)
    quiet = replace(request, argv=(*request.argv, "--no-preflight"))
    return open_console(quiet, make_run, partial(attach, owns=True, level=level))
