"""A run in this process, with plain lines: from its scenario, which is loaded, to its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from octogram_tui.commands.run import host_settings, make_run

if TYPE_CHECKING:
    from octogram_tui.commands.run import Invocation
    from octogram_tui.runtime.logins import Logins


def run_here(invocation: Invocation) -> int:
    """Run it; gives the exit code. Machines are logged in to while the rest of the program is loaded."""
    if invocation.args.local or not any(agent.transport == "ssh" for agent in invocation.scenario.everybody):
        return _run(invocation, None)
    from octogram_tui.runtime.logins import Logins

    with Logins(invocation.transports()) as logins:
        logins.load(invocation.scenario)
        return _run(invocation, logins)


def _run(invocation: Invocation, logins: Logins | None) -> int:
    run, run_dir = make_run(invocation)
    from octogram_tui.journal import archive

    try:
        from octogram_tui.report.headless import run_headless

        settings = host_settings(
            invocation, run, run_dir, archive.socket_path(run, run_dir, invocation.settings.runtime_dir)
        )
        output = invocation.output(run_dir)
        if logins is None:
            return run_headless(invocation.scenario, invocation.options(run), settings, output)
        settings = replace(settings, transports=logins.transports)
        return run_headless(invocation.scenario, invocation.options(run), settings, output, logins.runner)
    finally:
        archive.forget_unbegun(invocation.settings.runs_dir / run, run_dir)
