"""What there is to know about an agent: what is wrong with it, where it is, what it offers, and what it ran."""

from __future__ import annotations

from itertools import islice

from octogram_tui.projection.rows import AgentRow, InstanceRow
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, place
from octogram_tui.tui.look.pieces import Sight, Text, fact, head, hint, section
from octogram_tui.tui.model import title_of
from octogram_tui.tui.widgets.sparks import spark

LISTED_INSTANCES = 30


def look_at_agent(agent: AgentRow, sight: Sight) -> list[Text]:
    """Tell of an agent."""
    brush = sight.brush
    look = AGENT_LOOKS[agent.state]
    lines = head(agent.name, look, brush)
    if agent.message:
        lines.append([(brush.text(agent.message, limit=4096), "failed" if look.style in ("failed", "lost") else "dim")])
    if agent.hint:
        lines.append(hint(agent.hint, brush))
    lines += section("where")
    facts = (
        ("transport", agent.transport),
        ("address", agent.address),
        ("ssh to", agent.login if agent.login != agent.address else ""),
        ("host", agent.host),
        ("labels", ", ".join(agent.labels)),
        ("home", agent.home),
        ("python", agent.python),
        ("pid", str(agent.pid or "")),
    )
    lines += [fact(name, brush.text(text)) for name, text in facts if text]
    lines += _load(agent, sight)
    lines += _services(agent, sight)
    lines += _processes(agent, sight)
    ran = list(islice((row for row in reversed(agent.instances) if row.last is not None), LISTED_INSTANCES))
    if ran:
        lines += [*section("it ran, the latest first"), *(_ran(row, sight) for row in ran)]
    if len(agent.instances) > LISTED_INSTANCES:
        lines.append([("  and more before that", "dim")])
    return lines


def _load(agent: AgentRow, sight: Sight) -> list[Text]:
    """Say how busy its machine is and was."""
    load = sight.model.loads.by_agent.get(agent.name)
    if load is None:
        return []
    lines: list[Text] = []
    if load.cpu:
        past = spark(list(load.cpu), len(load.cpu), sight.brush)
        lines.append([*fact("load", f"{load.cpu[-1] * 100:.0f}% by CPU  "), (past, "dim")])
    if load.memory >= 0:
        lines.append(fact("memory", f"{load.memory * 100:.0f}% in use"))
    if load.processes:
        lines.append(fact("processes", f"{load.processes} that outlive their jobs"))
    return [*section("how busy it is"), *lines]


def _services(agent: AgentRow, sight: Sight) -> list[Text]:
    brush = sight.brush
    lines: list[Text] = []
    for service in sight.model.board.services.values():
        if service.agent != agent.name:
            continue
        ports = "  ".join(f"{name} {place(service.address, port, scheme='')}" for name, port in service.ports.items())
        state = "" if service.state == "up" else f"  {service.state} {service.reason}"
        lines.append(
            [
                (f"  {brush.text(service.name)}", "failed" if state else ""),
                (f"  {brush.text(service.kind)}  {brush.text(ports)}{brush.text(state)}", "dim"),
            ]
        )
    return [*section("services"), *lines] if lines else []


def _processes(agent: AgentRow, sight: Sight) -> list[Text]:
    """Name the processes that outlived their job, as far as they wrote something."""
    found = [name for owner, name in sight.model.logbook.processes if owner == agent.name]
    return [*section("processes"), *([(f"  {sight.brush.text(name)}", "")] for name in found)] if found else []


def _ran(row: InstanceRow, sight: Sight) -> Text:
    brush, look = sight.brush, LOOKS[row.state]
    attempt = f" #{row.attempt}" if row.attempt > 1 else ""
    return [
        (f"  {brush.sign(look)} ", look.style),
        (brush.text(title_of(row).replace(f" @ {row.agent}", "")), ""),
        (f"{attempt}  {brush.text(row.stage.name)}", "dim"),
        (f"  {brush.text(row.message)}" if row.message else "", look.style if look.style == "failed" else "dim"),
    ]
