"""A run in this process, with plain lines: from its scenario, which is loaded, to its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from octogram_tui.commands.interrupts import whole
from octogram_tui.commands.run import host_settings, make_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from octogram_tui.commands.invocation import Invocation
    from octogram_tui.runtime.logins import Logins


def run_here(invocation: Invocation, begun: Callable[[], None]) -> int:
    """Run it; gives the exit code. Machines are logged in to while the rest of the program is loaded.

    begun: called when its reports are there, which tell of whatever comes then
    """
    if invocation.args.local or not any(agent.transport == "ssh" for agent in invocation.scenario.everybody):
        return _run(invocation, None, begun)
    from octogram_tui.runtime.logins import Logins

    with Logins(invocation.transports()) as logins:
        logins.load(invocation.scenario)
        return _run(invocation, logins, begun)


def _run(invocation: Invocation, logins: Logins | None, begun: Callable[[], None]) -> int:
    from octogram_tui.journal import archive

    made: list[tuple[str, Path]] = []
    try:
        _make(invocation, made)
        run, run_dir = made[0]
        from octogram_tui.report.headless import run_headless

        settings = host_settings(
            invocation, run, run_dir, archive.socket_path(run, run_dir, invocation.settings.runtime_dir)
        )
        output = replace(invocation.output(run_dir), on_begun=begun)
        if logins is None:
            return run_headless(invocation.scenario, invocation.options(run), settings, output)
        settings = replace(settings, transports=logins.transports)
        return run_headless(invocation.scenario, invocation.options(run), settings, output, logins.runner)
    finally:
        for run, run_dir in made:
            archive.forget_unbegun(invocation.settings.runs_dir / run, run_dir)


@whole
def _make(invocation: Invocation, made: list[tuple[str, Path]]) -> None:
    """Make the run, and note it where it is tidied up: a signal must not come between the two."""
    made.append(make_run(invocation))
