"""A run as it was asked for, and what follows of that: the engine's options, the ways to its machines, its reports."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from octogram_tui import __version__
from octogram_tui.commands.breaks import BY, breakpoints_of
from octogram_tui.commands.run_parser import ON_FAILURE
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import Problem
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.scenario import Scenario
from octogram_tui.secrecy.vault import Vault
from octogram_tui.settings import Settings

if TYPE_CHECKING:
    from octogram_tui.journal.breakpoints import KeptBreakpoints
    from octogram_tui.model.carried import CarriedRows
    from octogram_tui.model.trace import Trace
    from octogram_tui.report.closing import Repeats
    from octogram_tui.report.headless import Output
    from octogram_tui.report.service import Service
    from octogram_tui.scenario.load import Loaded
    from octogram_tui.transport.pool import Transports


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
        stream = sys.stderr if for_stdout(args) else sys.stdout
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


def for_stdout(args: Any) -> list[str]:
    """Name the options that have the standard output for data."""
    files = [f"{option} -" for option in ("--events", "--junit", "--metrics") if getattr(args, option[2:]) == "-"]
    return [*files, *(["--json"] if args.json else [])]
