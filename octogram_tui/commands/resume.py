"""`octogram-tui resume`: goes on with a run whose process has died, where it was."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from octogram_tui import __version__, streams
from octogram_tui.commands.invocation import Invocation, RunWanted, revealed
from octogram_tui.commands.options import (
    CommandParser,
    add_look_options,
    add_ssh_options,
    check_looks,
    parse,
    refuse_beside,
    with_looks,
)
from octogram_tui.commands.run import host_settings, request_of
from octogram_tui.commands.run_parser import add_control_options, add_output_options, make_parser
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import AttachRefused, ScenarioError
from octogram_tui.journal import archive, carried, terms
from octogram_tui.model.scenario import Scenario
from octogram_tui.secrecy.vault import Vault
from octogram_tui.settings import load

FILES = ("events", "junit", "metrics", "metrics_targets", "ssh_config")
OF_THE_FRONT_END = (
    *("headless", "accessible", "ascii", "theme", "keys", "quiet", "verbose", "timestamps", "color"),
    *("output", "json", "ci"),
)
"""Arguments of the run's beginning that say nothing of how it is looked at now."""


def resume_parser() -> CommandParser:
    """Describe the command line; what is not given is as it was."""
    parser = CommandParser(
        "resume",
        "Go on with a run whose process has died, where it was: what still runs on its machines\n"
        "is taken over, what has ended meanwhile is taken as it ended, and nothing is executed\n"
        "twice. Options that are not given are those that the run was begun with.",
    )
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument("run", metavar="RUN", help="its name, the beginning of it, or `last`")
    parser.add_argument(
        "--as-it-was",
        action="store_true",
        help="with the scenario as the run had it, whatever becomes of its files; else an edit comes into force",
    )
    parser.add_argument("--headless", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument(
        "--secret",
        metavar="NAME=SOURCE",
        action="append",
        help="where a secret comes from now: env:VARIABLE, file:PATH, command:..., keyring:SERVICE/USER",
    )
    add_control_options(parser.add_argument_group("the run"))
    output = parser.add_argument_group("what is written")
    add_output_options(output)
    add_look_options(output)
    add_ssh_options(parser)
    return parser


@dataclass(frozen=True, slots=True)
class Resumption:
    """A run that is to go on, and how."""

    run: archive.KnownRun
    begun: terms.Terms
    request: RunWanted
    as_it_was: bool
    timeout_s: float | None  # from now on; the time limit of the beginning goes on without it

    @classmethod
    def read(cls, argv: Sequence[str], opens_console: bool | None = None) -> Resumption:
        """Read the arguments, find the run, and go to the directory that it was begun in. Raises OctogramError."""
        given = {name: value for name, value in vars(parse(resume_parser(), argv)).items() if value is not None}
        settings = load()
        run = archive.find(settings.runs_dir, given.pop("run"))
        _refuse(run)
        run = replace(run, directory=run.directory.absolute())  # we go elsewhere
        begun = terms.find(run.directory)
        as_it_was = given.pop("as_it_was", False)
        timeout_s = given.get("timeout")
        args = _merged(begun, given)
        refuse_beside(args)
        try:
            os.chdir(begun.directory)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no path"
            raise AttachRefused(
                f"the run was begun in {begun.directory}: {why}",
                hint="files that its scenario names are looked for from there",
            ) from error
        request = request_of(args, begun.argv, with_looks(settings, args), opens_console)
        return cls(run, begun, request, as_it_was, timeout_s)

    def options(self, invocation: Invocation) -> RunOptions:
        """Give what the run's host is told of it: what it was begun with, in this version."""
        rows = revealed(invocation.carried, invocation.vault)
        return replace(self.begun.options, version=__version__, carried=rows)

    def load(self) -> Invocation:
        """Load the scenario that the run began with. Raises OctogramError."""
        from octogram_tui.commands.loading import load_kept

        vault = Vault()
        loaded = load_kept(self.run.directory, self.begun.digest)
        if loaded.scenario.secrets:
            streams.hide(vault.masker.text)
            loaded = loaded._replace(scenario=self._filled(loaded.scenario, vault))
        request, kept = self.request, None
        if request.opens_console:
            from octogram_tui.journal.breakpoints import KeptBreakpoints

            kept = KeptBreakpoints(request.settings.state_dir, loaded.scenario.path)
        rows = carried.find(self.run.directory) if self.begun.options.rerun_failed else {}
        return Invocation(
            request.args, request.argv, request.settings, request.opens_console, loaded, kept, vault, rows
        )

    def _filled(self, scenario: Scenario, vault: Vault) -> Scenario:
        """Give a scenario of the run with the values of its secrets, from wherever they come by now."""
        from octogram_tui.commands.loading import secrets_of

        now = {name: spec for name, spec in secrets_of(self.request.args).items() if name in scenario.secrets}
        filled = vault.fill(replace(scenario, secrets={**scenario.secrets, **now}))
        return replace(filled, secrets=scenario.secrets)

    def host_settings(self, invocation: Invocation, socket: Path) -> Any:
        """Give the settings of the run's host."""
        from octogram_tui.commands.loading import keep, load_kept
        from octogram_tui.commands.loading import load as load_scenario
        from octogram_tui.journal import reader, sources, texts
        from octogram_tui.journal.restoring import Restored, Veil, restore
        from octogram_tui.runtime.masks import EventMasks
        from octogram_tui.runtime.taking_up import TakingUp
        from octogram_tui.scenario.inventory.reading import go_by

        run_dir, args, vault = self.run.directory, self.request.args, invocation.vault
        known = {self.begun.digest: invocation.scenario}
        begun = replace(self.begun.options, carried=revealed(invocation.carried, vault))

        def scenario_of(digest: str) -> Scenario:
            if digest not in known:
                known[digest] = self._filled(load_kept(run_dir, digest).scenario, vault)
            return known[digest]

        def restored(journal: Path) -> Restored:
            masks = EventMasks(vault.masker)
            veil = Veil(lambda events: masks.mask([*events]), masks.unseal)
            return restore(reader.read_lines(journal), begun, scenario_of, veil=veil)

        def edited(in_force: str) -> Scenario | None:
            """Give the scenario as its files are now, unless it is the one in force."""
            if self.as_it_was:
                return None
            go_by(sources.find(run_dir, in_force).texts)
            try:
                loaded = load_scenario(args)
            except ScenarioError as error:
                raise AttachRefused(
                    f"the scenario cannot be gone on with as it is now: {error.message}",
                    hint="mend it, or go on with the scenario as the run had it: --as-it-was",
                ) from error
            digest = loaded.scenario.digest
            if digest == in_force:
                return None
            texts.keep(run_dir, loaded.scenario.path, digest, loaded.text)
            keep(run_dir, args, loaded)
            return vault.fill(loaded.scenario)

        again = TakingUp(
            restored,
            edited,
            on_failure=invocation.on_failure,
            confirm=invocation.confirm,
            keep_alive=invocation.keep_alive,
            timeout_s=self.timeout_s,
        )
        settings = host_settings(invocation, self.run.id, run_dir, socket)
        return replace(settings, again=again, reload=None if self.as_it_was else settings.reload)


def main(argv: Sequence[str]) -> int:
    """Go on with a run; gives its exit code, or 0 when a console was detached from it."""
    resumption = Resumption.read(argv)
    request, run = resumption.request, resumption.run
    if request.opens_console:
        from octogram_tui.commands.console import reopen_console

        if request.args.accessible:
            from octogram_tui.commands.accessible import attach

            level = -1 if request.args.quiet else int(request.args.verbose)
            return reopen_console(request, run, argv, partial(attach, owns=True, level=level))
        check_looks(request.settings)
        return reopen_console(request, run, argv)
    from octogram_tui.commands.interrupts import raised
    from octogram_tui.report.headless import run_headless

    with raised():
        invocation = resumption.load()
        invocation.announce_secrets()
        socket = archive.socket_path(run.id, run.directory, request.settings.runtime_dir)
        settings = resumption.host_settings(invocation, socket)
        return run_headless(
            invocation.scenario, resumption.options(invocation), settings, invocation.output(run.directory)
        )


def _refuse(run: archive.KnownRun) -> None:
    """Refuse a run that is not there to be gone on with. Raises AttachRefused."""
    if run.state == "running":
        raise AttachRefused(f"run {run.id} goes on", hint=f"open a console onto it: octogram-tui attach {run.id}")
    if run.state == "finished":
        raise AttachRefused(
            f"run {run.id} is over: it ended with exit code {run.exit_code}",
            hint=f"look at it with: octogram-tui replay {run.id}",
        )


def _merged(begun: terms.Terms, given: dict[str, Any]) -> Any:
    """Give the arguments of the run's beginning with what was given now in their places."""
    args = make_parser().parse_args(list(begun.argv))
    fresh = make_parser().parse_args(["--", args.scenario])
    for name in OF_THE_FRONT_END:
        setattr(args, name, getattr(fresh, name))
    for name in FILES:
        if name in given and given[name] != "-":
            given[name] = os.path.abspath(given[name])
        elif name not in given and getattr(args, name) == "-":
            setattr(args, name, None)  # whoever read that is gone
    for name in ("dry_run", "paused"):
        setattr(args, name, False)
    given["secret"] = [*args.secret, *given.get("secret", ())]
    vars(args).update(given)
    return args
