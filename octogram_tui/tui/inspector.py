"""What there is to know about a row, an agent or a variable, as lines of text: pure, so that it can be tested."""

from __future__ import annotations

from octogram_tui.model.failure import Failure
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow, Kind
from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, Look, block, clock, duration, place, plural, stamp
from octogram_tui.tui.model import Subject, title_of
from octogram_tui.tui.widgets.brush import Brush, Piece

FACT_CELLS = 11
LISTED_ROWS = 12
LISTED_CHANGES = 20

Text = list[Piece]


def describe(subject: Subject | None, board: Board, brush: Brush, now_s: float) -> list[Text]:
    """Tell of a subject, most wanted first: how it stands, what went wrong, what it was given, what it gave."""
    if isinstance(subject, InstanceRow):
        return _instance(subject, brush, now_s)
    if isinstance(subject, Group):
        return _group(subject, brush, now_s)
    if isinstance(subject, AgentRow):
        return _agent(subject, board, brush)
    if isinstance(subject, Variable):
        return _variable(subject, brush)
    return [[("nothing is chosen yet", "dim")]]


def _head(title: str, look: Look, brush: Brush, more: str = "") -> list[Text]:
    state: Text = [(f"{brush.sign(look)} {look.word}", look.style), (f"  {more}" if more else "", "dim")]
    return [[(brush.text(title), "strong")], state]


def _fact(name: str, text: str, style: str = "") -> Text:
    return [(name.ljust(FACT_CELLS), "dim"), (text, style)]


def _section(title: str) -> list[Text]:
    return [[("", "")], [(title, "accent")]]


def _values(title: str, given: object, brush: Brush) -> list[Text]:
    return [*_section(title), *([("  " + brush.text(line, limit=4096), "")] for line in block(given))]


def _instance(row: InstanceRow, brush: Brush, now_s: float) -> list[Text]:
    lines = _head(title_of(row), LOOKS[row.state], brush, duration(row.duration_s(now_s)))
    if row.note:
        lines.append([(brush.text(row.note), "dim")])
    attempt = row.last
    if attempt is not None and attempt.failure:
        lines += _failure(attempt.failure, brush)
    elif row.progress and row.state is State.RUNNING:
        lines.append([(brush.text(row.progress), "")])
    lines += _section("what")
    lines.append(_fact("stage", brush.text(row.stage.name)))
    lines.append(_fact("procedure", brush.text(row.job.procedure)))
    lines.append(_fact("agent", brush.text(row.agent)))
    if row.item is not None:
        lines.append(_fact("item", brush.text(row.label)))
    if attempt is None:
        return lines
    lines.append(_fact("started", stamp(attempt.started_s)))
    if row.earlier:
        lines += _section("attempts")
        lines += [_attempt(each, brush) for each in (*row.earlier, attempt)]
    if attempt.arguments:
        lines += _values("arguments", attempt.arguments, brush)
    if attempt.result not in (None, {}, ""):
        lines += _values("result", attempt.result, brush)
    if attempt.arguments is None and attempt.result is None and attempt.failure is None and attempt.state is State.OK:
        lines += [[("", "")], [("arguments and result were let go to save memory; the journal has them", "faint")]]
    return lines


def _failure(failure: Failure, brush: Brush) -> list[Text]:
    lines: list[Text] = [[("", "")], [(brush.text(failure.message), "failed")]]
    if failure.hint:
        lines.append([(f"{brush.pick('›', '>')} ", "key"), (brush.text(failure.hint), "")])
    last_lines = failure.detail.get("last_lines")
    rest = {name: entry for name, entry in failure.detail.items() if name != "last_lines"}
    if isinstance(last_lines, list):
        lines += [[(f"  {brush.pick('│', '|')} ", "faint"), (brush.text(line), "stderr")] for line in last_lines]
    lines += [[("  " + brush.text(line), "dim")] for line in block(rest)] if rest else []
    return lines


def _attempt(attempt: AttemptRow, brush: Brush) -> Text:
    look = LOOKS[attempt.state]
    message = attempt.failure.message if attempt.failure is not None else attempt.reason
    return [
        (f"  {attempt.number:>2} {brush.sign(look)} ", look.style),
        (f"{attempt.why:<6} {duration(attempt.duration_s):>7}  ", "dim"),
        (brush.text(message), ""),
    ]


def _group(row: Group, brush: Brush, now_s: float) -> list[Text]:
    lines = _head(title_of(row), LOOKS[row.state], brush, duration(row.duration_s(now_s)))
    if row.message:
        lines.append([(brush.text(row.message), "dim")])
    lines += _section("what")
    if row.kind is not Kind.STAGE:
        lines.append(_fact("stage", brush.text(row.stage.name)))
        lines.append(_fact("procedure", brush.text((row.above if row.kind is Kind.AGENT else row).procedure)))
    else:
        lines.append(_fact("jobs", str(len(row.children))))
        lines.append(
            _fact("agents", plural(len(row.agents), "agent") if row.started_s is not None else "not chosen yet")
        )
        if row.always:
            lines.append(_fact("always", "runs even after a failure"))
    if row.line:
        lines.append(_fact("line", str(row.line)))
    counts = [(state, row.tally[state]) for state in State if row.tally[state]]
    left = row.total - row.known
    if left:
        counts.insert(0, (State.PENDING, left))
    if counts:
        lines += _section("instances")
        lines += [
            [(f"  {brush.sign(LOOKS[state])} ", LOOKS[state].style), (f"{count:>6} ", ""), (LOOKS[state].word, "dim")]
            for state, count in counts
        ]
    troubles = [each for each in row.below() if each.state in (State.FAILED, State.LOST)]
    if troubles:
        lines += _section("failed")
        for each in troubles[:LISTED_ROWS]:
            name = f"{each.job.name} @ {each.agent}" if row.kind is Kind.STAGE else each.label
            lines.append([(f"  {brush.text(name)}  ", "failed"), (brush.text(each.message), "")])
        if len(troubles) > LISTED_ROWS:
            lines.append([(f"  and {len(troubles) - LISTED_ROWS} more (f shows them)", "dim")])
    return lines


def _agent(agent: AgentRow, board: Board, brush: Brush) -> list[Text]:
    lines = _head(agent.name, AGENT_LOOKS[agent.state], brush)
    if agent.message:
        bad = AGENT_LOOKS[agent.state].style in ("failed", "lost")
        lines.append([(brush.text(agent.message), "failed" if bad else "dim")])
    if agent.hint:
        lines.append([(f"{brush.pick('›', '>')} ", "key"), (brush.text(agent.hint), "")])
    lines += _section("where")
    facts = (
        ("transport", agent.transport),
        ("address", agent.address),
        ("ssh to", agent.login if agent.login != agent.address else ""),
        ("host", agent.host),
        ("home", agent.home),
        ("python", agent.python),
        ("pid", str(agent.pid or "")),
    )
    lines += [_fact(name, brush.text(text)) for name, text in facts if text]
    if agent.current is not None:
        current = agent.current
        lines += _section("latest job")
        lines.append(
            [
                (f"  {brush.sign(LOOKS[current.state])} ", LOOKS[current.state].style),
                (brush.text(title_of(current)), ""),
            ]
        )
    services = [service for service in board.services.values() if service.agent == agent.name]
    if services:
        lines += _section("services")
    for service in services:
        ports = "  ".join(f"{name} {place(service.address, port, scheme='')}" for name, port in service.ports.items())
        state = "" if service.state == "up" else f"  {service.state} {service.reason}"
        lines.append(
            [
                (f"  {brush.text(service.name)}", "failed" if state else ""),
                (f"  {brush.text(service.kind)}  {brush.text(ports)}{brush.text(state)}", "dim"),
            ]
        )
    return lines


def _variable(variable: Variable, brush: Brush) -> list[Text]:
    lines: list[Text] = [[(brush.text(variable.name), "strong")]]
    if variable.now.removed:
        lines.append([("removed", "skipped")])
    else:
        lines += [[(brush.text(line, limit=4096), "")] for line in block(variable.now.value)]
    lines += _section("changes")
    for change in reversed(variable.changes[-LISTED_CHANGES:]):
        shown = "removed" if change.removed else block(change.value)[0]
        lines.append(
            [(f"  {clock(change.at_s):>6}  ", "time"), (brush.text(shown), ""), (f"  {brush.text(change.by)}", "dim")]
        )
    return lines
