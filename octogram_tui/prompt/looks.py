"""What is told when somebody asks where the run is, or how something stands: plain lines, the most wanted first."""

from __future__ import annotations

from collections.abc import Callable

from octogram_tui.errors import UsageError
from octogram_tui.projection.clusters import short_names
from octogram_tui.projection.log_view import LogView, Scope
from octogram_tui.projection.queue import NEXT
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import AttemptRow, Group, InstanceRow, Row
from octogram_tui.projection.text import printed, safe
from octogram_tui.prompt.rows import HERE, find_row
from octogram_tui.prompt.values import changed, save
from octogram_tui.prompt.why import compare_rows, explain_row
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, block, clock, duration, plural, value
from octogram_tui.tui.model import Model, line_of, most_telling, scope_of, title_of
from octogram_tui.tui.needs import queue_line

TAIL_LINES = 20
LINES_TOLD = 20
AROUND_LINES = 5
_QUIET = (State.OK, State.PENDING, State.SKIPPED, State.TOLERATED, State.CANCELLED)


def where(words: tuple[str, ...], model: Model) -> list[str]:
    """Say where the run is; of one agent, how it came there: stage, agent, job, item."""
    if words:
        return _path(find_row(" ".join(words), model), model)
    board = model.board
    stage = board.current_stage
    lines = [
        f"run {safe(board.run)}: {_phase(model)}, {duration(model.now_s)};"
        f" {board.done} of {plural(board.total, 'instance')} ended, {len(board.failures)} failed,"
        f" {len(board.queue)} held, {board.in_flight} running"
    ]
    if stage is None:
        return lines
    lines.append(f"stage {safe(stage.name)}, {board.number_of(stage) or '?'} of {len(board.stages)}: {_word(stage)}")
    lines += _agents_at(stage, model)
    if len(board.queue) and (line := queue_line(model)):
        lines.append(safe(line))
    return lines


def _agents_at(stage: Group, model: Model) -> list[str]:
    """Say what the agents of a stage are at: those that are alike in one line, and last how many are quiet."""
    alike: dict[str, list[str]] = {}
    quiet: dict[State, int] = {}
    for name in stage.agents or sorted({row.agent for row in stage.below()}):
        row = most_telling(stage, name)
        state = row.state if row is not None else State.PENDING
        if row is None or state in _QUIET:
            quiet[state] = quiet.get(state, 0) + 1
        else:
            alike.setdefault(_line(row), []).append(name)
    lines = [f"  {_who(names)}: {line}" for line, names in alike.items()]
    left_out = sum(map(len, list(alike.values())[LINES_TOLD:]))
    told = [*lines[:LINES_TOLD], *([f"  {plural(left_out, 'agent')} more that wait or failed"] if left_out else [])]
    return told + [
        f"  {plural(count, 'more agent' if told else 'agent')}: {LOOKS[state].word}" for state, count in quiet.items()
    ]


def _who(names: list[str]) -> str:
    return safe(names[0] if len(names) == 1 else f"{len(names)} agents ({short_names(names)})")


def _phase(model: Model) -> str:
    board = model.board
    if model.is_lost:
        return "its process went away"
    if board.phase is Phase.RUNNING and board.is_paused:
        return f"paused ({safe(board.reason)})" if board.reason else "paused"
    words = {Phase.WAITING: "not begun", Phase.STARTING: "agents come up", Phase.RUNNING: "goes on"}
    words |= {Phase.DONE: "all stages are done", Phase.STOPPING: "is being stopped"}
    return words.get(board.phase) or f"finished with exit code {board.exit_code}"


def _word(row: Row) -> str:
    return LOOKS[row.state].word


def _line(row: Row) -> str:
    """Say in a line how a row stands."""
    name = title_of(row).rpartition(" @ ")[0] or title_of(row)
    message, word = row.message.removeprefix(NEXT), _word(row)
    said = message if message.startswith(word) else f"{word}: {message}" if message else word
    item = f" [{row.key.item}]" if isinstance(row, InstanceRow) and row.key.item is not None else ""
    return safe(f"{name}{item}, {said}")


def _path(row: Row, model: Model) -> list[str]:
    """Say what holds a row, from the outside inward."""
    chain: list[Row] = [row]
    group = row.parent
    while group is not None:
        chain.insert(0, group)
        group = group.parent
    lines = []
    for depth, each in enumerate(chain):
        kind = "item" if isinstance(each, InstanceRow) and each.key.item is not None else each.kind.name.lower()
        kind = "agent" if isinstance(each, InstanceRow) and each.key.item is None else kind
        took = duration(each.duration_s(model.now_s))
        lines.append(f"{'  ' * depth}{kind} {safe(each.label)}: {_word(each)}{f', {took}' if took else ''}")
    if row.message:
        lines.append(f"{'  ' * len(chain)}{safe(row.message)}")
    if isinstance(row, InstanceRow) and row in model.board.queue:
        place = next(at for at, each in enumerate(model.board.queue, 1) if each is row)
        lines.append(f"{'  ' * len(chain)}number {place} of {len(model.board.queue)} that are held")
    return lines


def source(words: tuple[str, ...], model: Model) -> list[str]:
    """Give the scenario's lines around a line or a row; an arrow stands at it, `b` where breakpoints are."""
    text = " ".join(words)
    row = None if text.isdecimal() else find_row(text or HERE, model)
    at = int(text) if row is None else line_of(row)
    lines = model.source.lines
    if not lines:
        raise UsageError("there is no copy of the scenario's text")
    first, last = max(1, at - AROUND_LINES), min(len(lines), max(at, 1) + AROUND_LINES)
    width = len(str(last))
    return [
        f"{'->' if number == at else '  '} {number:{width}} {safe(lines[number - 1])}".rstrip()
        for number in range(first, last + 1)
    ]


def line_to_edit(words: tuple[str, ...], model: Model) -> int:
    """Give the line that somebody wants to edit: of a row, as typed, or where an edit was refused."""
    text = " ".join(words)
    if not text and model.board.problems:
        return int(model.board.problems[0]["line"])
    return int(text) if text.isdecimal() else line_of(find_row(text or HERE, model))


def show(words: tuple[str, ...], model: Model) -> list[str]:
    """Tell of a row: how it stands, why it failed, what it was given and gave, the end of what it wrote."""
    row = find_row(" ".join(words), model)
    took = duration(row.duration_s(model.now_s))
    lines = [safe(row.full_name), f"{_word(row)}{f', {took}' if took else ''}"]
    if row.message:
        lines.append(safe(row.message))
    if isinstance(row, Group):
        below = row.children
        return [*lines, *(f"  {safe(child.label)}: {_word(child)}" for child in below[:LINES_TOLD])]
    attempt = row.last
    if attempt is None:
        return [*lines, "it has not run"]
    if attempt.failure is not None and attempt.failure.hint:
        lines.append(f"hint: {safe(attempt.failure.hint)}")
    lines.append(f"attempt {attempt.number}, {_why(attempt)}")
    lines += _given("arguments", attempt.arguments) + _given("result", attempt.result)
    written = _tail(row, model, TAIL_LINES)
    return [*lines, *([f"the last {plural(len(written), 'line')} that it wrote:", *written] if written else [])]


def _why(attempt: AttemptRow) -> str:
    return {"first": "the first", "retry": "tried again by itself", "rerun": "run again"}.get(attempt.why, attempt.why)


def _given(title: str, given: object) -> list[str]:
    return [] if given in (None, {}, "") else [f"{title}:", *(f"  {line}" for line in block(given))]


def output(words: tuple[str, ...], model: Model) -> list[str]:
    """Give the last lines that a row wrote."""
    count = TAIL_LINES
    if words and words[-1].isdecimal():
        count, words = int(words[-1]), words[:-1]
    row = find_row(" ".join(words), model)
    return _tail(row, model, count) or [f"{safe(row.full_name)} has written nothing"]


def _tail(row: Row, model: Model, count: int) -> list[str]:
    scope: Scope = scope_of(row)
    view = LogView(model.logbook, scope)
    return [f"| {safe(printed(line.text))}".rstrip() for line in view.lines[-count:]]


def info(words: tuple[str, ...], model: Model) -> list[str]:
    """List breakpoints, agents, variables, stages or failures."""
    wanted = words[0] if words else ""
    found = [name for name in INFO if name.startswith(wanted)] if wanted else []
    if len(found) != 1:
        raise UsageError(f"info tells of breakpoints, {', '.join(INFO)}")
    lines = INFO[found[0]](words[1:], model)
    return lines or [f"there are no {found[0]}"]


def _agents(_: tuple[str, ...], model: Model) -> list[str]:
    return [
        safe(f"{agent.name}: {AGENT_LOOKS[agent.state].word}{f', {agent.message}' if agent.message else ''}")
        for agent in model.board.agents.values()
    ]


def _variables(words: tuple[str, ...], model: Model) -> list[str]:
    names = sorted(name for name in model.variables.values if not words or words[0] in name)
    if words and words[0] in model.variables.by_name:
        changes = model.variables.by_name[words[0]].changes
        return [
            f"{clock(change.at_s)} {'removed' if change.removed else value(change.value)} by {safe(change.by)}"
            for change in changes
        ]
    return [f"{safe(name)} = {value(model.variables.values[name])}" for name in names]


def _stages(_: tuple[str, ...], model: Model) -> list[str]:
    return [
        f"{number} {safe(stage.name)}: {_word(stage)}, {stage.done} of {stage.total} ended"
        for number, stage in enumerate(model.board.stages, 1)
    ]


def _failures(_: tuple[str, ...], model: Model) -> list[str]:
    return [safe(f"{row.full_name}: {row.message}") for row in model.board.failures.values()]


INFO: dict[str, Callable[[tuple[str, ...], Model], list[str]]] = {
    "agents": _agents,
    "failures": _failures,
    "stages": _stages,
    "variables": _variables,
}
"""What `info` tells of; breakpoints are the session's, which folds them."""

TOLD: dict[str, Callable[[tuple[str, ...], Model], list[str]]] = {
    "where": where,
    "list": source,
    "show": show,
    "output": output,
    "info": info,
    "explain": explain_row,
    "compare": compare_rows,
    "changed": changed,
    "save": save,
}
"""The looks that only tell."""
