"""`octogram-tui doctor`: what is wrong with the machines, before a run finds out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from octogram_tui.commands.loading import load
from octogram_tui.commands.options import CommandParser, add_scenario_options, add_ssh_options, parse
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import ExitCode
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.projection.text import safe
from octogram_tui.settings import load as load_settings
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.preflight import Check, examine

_MEANINGS = {
    "ssh configuration": ExitCode.USAGE,
    "name": ExitCode.UNREACHABLE,
    "connection": ExitCode.UNREACHABLE,
    "host key": ExitCode.NOT_TRUSTED,
    "login": ExitCode.NOT_TRUSTED,
}
"""With which exit code a run would fail for what a check found; every other one keeps the agent from starting."""


async def _examine(
    agents: list[AgentSpec], ssh_config: str | None, *, accept_new: bool, prometheus: str
) -> list[Check]:
    transports = Transports(ssh_config=ssh_config, accept_new=accept_new)
    try:
        return await examine(agents, transports, ssh_config=ssh_config, prometheus=prometheus)
    finally:
        await transports.close()


def main(argv: Sequence[str]) -> int:
    """Check every agent's machine; 0 when all can be used, 4 when one cannot."""
    parser = CommandParser(
        "doctor", "Look at every agent's machine: name, network, host key, login, Python, disk, clock."
    )
    parser.add_argument("scenario", metavar="SCENARIO")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_scenario_options(parser)
    add_ssh_options(parser)
    args = parse(parser, argv)
    settings = load_settings()
    scenario = load(args).scenario
    agents = list(scenario.agents)
    prometheus = scenario.prometheus_agent
    if prometheus is not None:
        agents.append(prometheus)
    rows = asyncio.run(
        _examine(
            agents,
            args.ssh_config or settings.ssh_config or None,
            accept_new=args.accept_new or settings.host_keys == "accept-new",
            prometheus=prometheus.name if prometheus is not None else "",
        )
    )
    if args.json:
        for row in rows:
            print(json.dumps(row._asdict()))
    elif not rows:
        print("the scenario has no agents")
    else:
        width = max(len(row.agent) for row in rows)
        checks = max(len(row.check) for row in rows)
        for row in rows:
            print(f"{row.state:4}  {row.agent:{width}}  {row.check:{checks}}  {safe(row.detail)}".rstrip())
            if row.hint and row.state != "ok":
                print(f"      {safe(row.hint)}")
    return exit_code(_MEANINGS.get(row.check, ExitCode.NOT_STARTED) for row in rows if row.state == "fail")
