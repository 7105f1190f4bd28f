"""`octogram-tui SCENARIO`: the main command. A console on a terminal, plain lines without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octogram_tui import streams
from octogram_tui.commands.breaks import breakpoints_of
from octogram_tui.commands.invocation import Invocation, RunWanted, for_stdout
from octogram_tui.commands.options import check_looks, parse, refuse_beside, with_looks
from octogram_tui.commands.run_parser import make_parser
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import OctogramError, UsageError
from octogram_tui.model.scenario import Scenario
from octogram_tui.secrecy.vault import Vault
from octogram_tui.settings import Settings, load

if TYPE_CHECKING:
    from octogram_tui.journal.breakpoints import KeptBreakpoints
    from octogram_tui.model.carried import CarriedRows


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
        wants_stdout = bool(for_stdout(args)) or args.dry_run
        opens_console = settings.opens_console(is_terminal=is_terminal) and not args.headless and not wants_stdout
        if args.accessible and wants_stdout:
            if args.dry_run:
                raise UsageError("--dry-run runs nothing, and --accessible is for a run: give one of them")
            raise UsageError("--accessible talks on standard output: give another file")
        opens_console = opens_console or args.accessible
    both = for_stdout(args)
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
