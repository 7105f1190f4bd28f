"""`octogram-tui doctor`: what is wrong with the machines, and between them, before a run finds out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from octogram_tui.commands.loading import load, warn
from octogram_tui.commands.options import CommandParser, add_scenario_options, add_ssh_options, parse
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import ExitCode
from octogram_tui.model.scenario import Scenario
from octogram_tui.report.checkup import lines_of
from octogram_tui.runtime.allocating import only_look
from octogram_tui.scenario.crossings import crossings
from octogram_tui.scenario.report import json_text
from octogram_tui.settings import load as load_settings
from octogram_tui.transport.meetings import try_ways, ways_of
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import Check, examine, machines_of

_MEANINGS = {
    "ssh configuration": ExitCode.USAGE,
    "name": ExitCode.UNREACHABLE,
    "connection": ExitCode.UNREACHABLE,
    "host key": ExitCode.NOT_TRUSTED,
    "login": ExitCode.NOT_TRUSTED,
    "jump machine": ExitCode.OK,  # what is wrong with it is told of itself
    "controller": ExitCode.UNREACHABLE,
    "others": ExitCode.UNREACHABLE,
    "reached": ExitCode.UNREACHABLE,
}
"""With which exit code a run would fail for what a check found; every other one keeps the agent from starting."""


async def _examine(scenario: Scenario, ssh_config: str | None, *, accept_new: bool) -> list[Check]:
    """Look at every machine, then let them try to reach each other where the scenario needs it."""
    transports = Transports(ssh_config=ssh_config, accept_new=accept_new)
    only_look(transports, scenario)
    prometheus = scenario.prometheus_agent
    try:
        by_agent = machines_of(scenario.everybody, transports, prometheus.name if prometheus is not None else "")
        machines = list({id(machine): machine for machine in by_agent.values()}.values())
        rows = await examine(machines, transports, ssh_config=ssh_config)
        return rows + await try_ways(ways_of(crossings(scenario), by_agent), machines)
    finally:
        await transports.close()


def main(argv: Sequence[str]) -> int:
    """Check every agent's machine; 0 when all can be used, 4 when one cannot."""
    parser = CommandParser(
        "doctor",
        "Look at every agent's machine: name, network, host key, login, Python, disk, clock; "
        "and whether those reach each other whose agents use each other.",
    )
    parser.add_argument("scenario", metavar="SCENARIO")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_scenario_options(parser)
    add_ssh_options(parser)
    args = parse(parser, argv)
    settings = load_settings()
    loaded = load(args)
    warn(loaded.warnings)
    rows = asyncio.run(
        _examine(
            loaded.scenario,
            args.ssh_config or settings.ssh_config or None,
            accept_new=args.accept_new or settings.host_keys == "accept-new",
        )
    )
    if args.json:
        for row in rows:
            print(json_text(row._asdict()))
    elif not rows:
        print("the scenario has no agents")
    else:
        for line in lines_of(rows):
            print(line)
    return exit_code(_MEANINGS.get(row.check, ExitCode.NOT_STARTED) for row in rows if row.state == "fail")
