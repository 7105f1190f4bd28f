"""Where values come from: variables as an attempt saw them, who set each, and the templates that they were put into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Absent
from octogram_tui.projection.board import Board
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.job_text import JobText, Reading
from octogram_tui.projection.reasons import Reasons
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, InstanceRow
from octogram_tui.projection.source import Source
from octogram_tui.projection.tree import SHOWN_VALUE, Node
from octogram_tui.projection.value_text import block, clock, duration, plural
from octogram_tui.projection.variables import Change, Variable, Variables
from octogram_tui.projection.yaml_text import templates_in
from octogram_tui.template.analysis import uses

_LITERAL = re.compile(r"""\bvars\.(\w+)|\bvars?[(\[]\s*["']([^"']+)["']\s*[)\]]""")
_BEGUN = re.compile(r"""\bvars?[(\[]\s*["']([^"']*)["']\s*[~+]""")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
EXPRESSIONS = ("when", "until", "wait", "assert[")
MOST_NAMED = 100
MOST_VALUE_LINES = 200
MOST_TAGS = 5
LONG_TEXT = 100


class Known(NamedTuple):
    """What is known of a run: the folds that explanations are made from."""

    board: Board
    variables: Variables
    reasons: Reasons
    source: Source | None = None
    now_s: float = 0.0


def is_expression(place: str, text: str) -> bool:
    """Whether a text is an expression, and no template."""
    return place.startswith(EXPRESSIONS) and "{{" not in text and "{%" not in text


def names_in(text: str, *, expression: bool, reads: Sequence[str] = ()) -> list[str]:
    """Give the variables that a text reads. reads: those that its attempt did, for where names are computed."""
    used = uses(text, expression=expression)
    names = set(used.variables)
    if used.problem:
        names = {plain or quoted for plain, quoted in _LITERAL.findall(text)}
    if used.is_computed or used.problem:
        begun = tuple(name for name in _BEGUN.findall(text) if name)
        names |= {name for name in reads if not begun or name.startswith(begun)}
    return sorted(names - {"*"})


def at_place(given: Value, place: str) -> Value | Absent:
    """Find what stands at a place of a value: `env.A`, `argv[1]`."""
    found = given
    for name, number in _STEP.findall(place):
        if name and isinstance(found, dict) and name in found:
            found = found[name]
        elif number and isinstance(found, list) and int(number) < len(found):
            found = found[int(number)]
        else:
            return ABSENT
    return found


def variables_of(text: str, place: str, reading: Reading, seq: int, known: Known) -> list[Node]:
    """Tell of each variable that a text reads, with the value that it had after an event."""
    names = names_in(text, expression=is_expression(place, text), reads=reading.reads)
    return [variable_at(name, seq, known) for name in names[:MOST_NAMED]]


def variable_at(name: str, seq: int, known: Known) -> Node:
    """Tell of a variable as it was after an event."""
    variable = known.variables.by_name.get(name)
    change = variable.at(seq) if variable is not None else None
    if variable is None or change is None:
        is_forgotten = variable is not None and variable.is_forgotten(seq)
        words = "changed so often since that this value is not kept" if is_forgotten else "there was no such variable"
        return Node("variable", name, words=words)
    return change_of(variable, change, known, later=_later(variable, change))


def _later(variable: Variable, change: Change) -> str:
    """Say whether it has another value now."""
    now = variable.now
    if now is change:
        return ""
    if now.removed:
        return ", removed since"
    return ", another value now" if repr(now.value) != repr(change.value) else ", set again since"


def change_of(variable: Variable, change: Change, known: Known, *, label: str = "", later: str = "") -> Node:
    """Tell of one value of a variable: who set it and when, and below that what it comes of."""
    words = f"{'removed' if change.removed else 'set'} by {_who(change)}{later}"
    if change is variable.changes[0] and not change.removed and not variable.is_cut and not _setter(change, known):
        words = {"scenario": "from the scenario", "operator": f"set by {_who(change)}"}.get(
            change.by, f"from {'the ' * (change.by == 'command line')}{change.by}"
        )
        words += later
    value = ABSENT if change.removed else change.value
    is_first = change is variable.changes[0] and not variable.is_cut and _setter(change, known) is None
    inside = None if is_first and not is_long(change.value) else partial(origin, variable, change, known)
    return Node("variable", label or variable.name, value, words, inside=inside)


def _who(change: Change) -> str:
    by = {"operator": "you", "scenario": "the edited scenario"}.get(change.by, change.by)
    return f"{by} at {clock(change.at_s)}"


def _setter(change: Change, known: Known) -> tuple[InstanceRow, AttemptRow] | None:
    """Find the attempt whose result a value is of."""
    try:
        row = known.board.instances.get(InstanceId.parse(change.by))
    except ValueError:
        return None
    if row is None or row.last is None:
        return None
    ended = [each for each in (*row.earlier, row.last) if 0 < each.ended_seq <= change.seq]
    return (row, ended[-1]) if ended else None


def origin(variable: Variable, change: Change, known: Known) -> list[Node]:
    """Say what a value comes of: the result it was made from, that one's own arguments, and what was there before."""
    found = value_lines(change.value) if is_long(change.value) else []
    setter = _setter(change, known)
    if setter is not None:
        row, attempt = setter
        found += [
            Node(
                "template", place, words=text, inside=partial(_inputs, row, attempt, place, text, change.seq - 1, known)
            )
            for place, text in updates_of(attempt.text, variable.name)
        ]
        found += result_of(attempt)
        found.append(attempt_node(row, attempt, known))
    place = variable.changes.index(change) if change in variable.changes else 0
    if place > 0:
        found.append(change_of(variable, variable.changes[place - 1], known, label="before that"))
    elif variable.is_cut:
        found.append(Node("more", words="older values are not kept"))
    return found


def updates_of(text: JobText, name: str) -> Iterator[tuple[str, str]]:
    """Give the texts of a job by which it may have set a variable."""
    for place, source in text.texts.items():
        target = place.removeprefix("vars_updates.") if place.startswith("vars_updates.") else ""
        if (place == "register" and (source == name or "{" in source)) or (
            target and (target == name or "{" in target)
        ):
            yield place, source


# What an attempt was given


def attempt_node(row: InstanceRow, attempt: AttemptRow, known: Known, *, is_open: bool = False) -> Node:
    """Tell of an attempt in a line, and below it why it ran and what it was given."""
    inside = partial(attempt_inside, row, attempt, known)
    label = f"{row.key}#{attempt.number}"
    return Node("row", label, words=how_it_ended(attempt), key=row.key, inside=inside, is_open=is_open)


def how_it_ended(attempt: AttemptRow) -> str:
    """Say how an attempt ended, in a line."""
    if attempt.state is State.RUNNING:
        return f"runs since {clock(attempt.started_s)}"
    if attempt.failure is not None:
        return f"failed at {clock(attempt.started_s + attempt.duration_s)}: {cause_of(attempt.failure)}"
    words = {State.OK: "ended well", State.SKIPPED: "skipped", State.CANCELLED: "cancelled"}.get(attempt.state, "ended")
    reason = f": {attempt.reason}" if attempt.reason else ""
    return f"{words} at {clock(attempt.started_s + attempt.duration_s)} after {duration(attempt.duration_s)}{reason}"


def attempt_inside(row: InstanceRow, attempt: AttemptRow, known: Known) -> list[Node]:
    """Tell of an attempt: why it ran, by which `when`, for which item, and each argument."""
    from_seq = attempt.reading.seen or attempt.seq - 1
    found = [why_it_ran(row, attempt, known)]
    texts = texts_of(row, attempt, known)
    if row.item is not None:
        found.append(_item(row, attempt, texts, from_seq, known))
    if "when" in texts:
        inside = partial(_inputs, row, attempt, "when", texts["when"], from_seq, known)
        found.append(Node("template", "when", True, texts["when"], inside=inside))
    found += _arguments(row, attempt, texts, from_seq, known)
    for place, text in texts.items():
        if place == "wait" or place.startswith("assert["):
            seq = from_seq if place != "wait" else max(attempt.ended_seq - 1, from_seq) if attempt.ended_seq else _NOW
            inside = partial(_inputs, row, attempt, place, text, seq, known)
            found.append(Node("template", place, words=text, inside=inside, is_open=True))
        elif place == "until" and attempt.ended_seq:
            inside = partial(_inputs, row, attempt, place, text, attempt.ended_seq - 1, known)
            found.append(Node("template", place, words=text, inside=inside))
    return found


_NOW = 1 << 62


def _item(row: InstanceRow, attempt: AttemptRow, texts: dict[str, str], seq: int, known: Known) -> Node:
    lists = {place: text for place, text in texts.items() if place.startswith("with_items")}
    inside = [
        Node("template", place, words=text, inside=partial(_inputs, row, attempt, place, text, seq, known))
        for place, text in lists.items()
    ]
    return Node("argument", "item", row.item, inside=inside)


def texts_of(row: InstanceRow, attempt: AttemptRow, known: Known) -> dict[str, str]:
    """Give the texts that an attempt went by; of an older journal, what can be read in the scenario's copy."""
    if attempt.text.texts or known.source is None:
        return dict(attempt.text.texts)
    if attempt.text.digest != row.job.text.digest:
        return {}
    return {f"arguments.{'.'.join(path)}": text for path, text in known.source.templates(row.job).items()}


def _arguments(row: InstanceRow, attempt: AttemptRow, texts: dict[str, str], seq: int, known: Known) -> list[Node]:
    if attempt.arguments is None:
        if attempt.failure is None and attempt.state is not State.RUNNING:
            return [Node("more", words="its arguments were let go to save memory; the journal has them")]
        return _unsent(row, attempt, texts, seq, known)
    found = []
    for name, value in attempt.arguments.items():
        if name in attempt.reading.edited:
            found.append(Node("argument", name, value, "given by you, for this attempt"))
            continue
        place = f"arguments.{name}"
        own = {at: text for at, text in texts.items() if at == place or at.startswith((f"{place}.", f"{place}["))}
        if list(own) == [place]:
            inside = partial(_inputs, row, attempt, place, own[place], seq, known)
            found.append(Node("argument", name, value, in_short(own[place]), inside=inside, is_open=True))
        elif own:
            nodes = [_template(row, attempt, at, text, seq, known) for at, text in own.items()]
            found.append(Node("argument", name, value, inside=nodes, is_open=True))
        elif not any(at == "wait" or at.startswith("assert[") for at in texts) or name not in ("that", "expression"):
            words = "as written" if texts else ""
            found.append(
                Node("argument", name, value, words, inside=partial(value_lines, value) if is_long(value) else None)
            )
    return found


def _unsent(row: InstanceRow, attempt: AttemptRow, texts: dict[str, str], seq: int, known: Known) -> list[Node]:
    """Tell of the arguments of what could not be expanded."""
    return [
        _template(row, attempt, place, text, seq, known)
        for place, text in texts.items()
        if place.startswith("arguments.")
    ]


def _template(row: InstanceRow, attempt: AttemptRow, place: str, text: str, seq: int, known: Known) -> Node:
    label = place.removeprefix("arguments.")
    value = at_place(attempt.arguments, label) if attempt.arguments is not None else ABSENT
    inside = partial(_inputs, row, attempt, place, text, seq, known)
    return Node("argument", label, value, in_short(text), inside=inside, is_open=True)


def _inputs(row: InstanceRow, attempt: AttemptRow, place: str, text: str, seq: int, known: Known) -> list[Node]:
    """Tell of all that a text reads: variables, the item, the agent, the result."""
    return inputs(row, text, place, attempt.reading, seq, known, attempt=attempt)


def inputs(
    row: InstanceRow,
    text: str,
    place: str,
    reading: Reading,
    seq: int,
    known: Known,
    *,
    attempt: AttemptRow | None = None,
) -> list[Node]:
    """Tell of all that a text of a row reads."""
    used = uses(text, expression=is_expression(place, text))
    found = variables_of(text, place, reading, seq, known)
    if "item" in used.names and row.item is not None and place != "with_items":
        found.append(Node("argument", "item", row.item))
    if "agent" in used.names:
        found.append(Node("argument", "agent.name", row.agent))
    if "res" in used.names and attempt is not None:
        found += result_of(attempt)
    given = attempt.arguments if attempt is not None else None
    value = at_place(given, place.removeprefix("arguments.")) if given is not None else ABSENT
    return found + _whole_text(text, value)


def in_short(text: str) -> str:
    """Give a template as it is, of a long one only what is replaced in it."""
    if "\n" not in text and len(text) <= LONG_TEXT:
        return text
    tags = templates_in(text)
    return "  ".join(tags[:MOST_TAGS]) + ("  ..." if len(tags) > MOST_TAGS else "")


def _whole_text(text: str, value: Value | Absent) -> list[Node]:
    """Show a long template over its lines, and so what came of it."""
    found = []
    if in_short(text) != text:
        found.append(Node("more", "its text", inside=partial(_lines_of, text)))
        if not isinstance(value, Absent):
            found.append(Node("more", "all of it", inside=partial(value_lines, value)))
    return found


def _lines_of(text: str) -> list[Node]:
    return [Node("more", words=line) for line in text.split("\n")[:MOST_VALUE_LINES]]


def is_long(given: Value) -> bool:
    """Whether a value needs more than its line."""
    if isinstance(given, (dict, list)):
        return len(given) > 1 or len(str(given)) > SHOWN_VALUE
    return isinstance(given, str) and ("\n" in given or len(given) > SHOWN_VALUE)


def result_of(attempt: AttemptRow) -> list[Node]:
    """Tell of what an attempt gave."""
    if attempt.result is None:
        return []
    inside = partial(value_lines, attempt.result) if is_long(attempt.result) else None
    return [Node("result", "its result", attempt.result, inside=inside)]


def value_lines(given: Value) -> list[Node]:
    """Write a value over several lines, where one is not enough."""
    lines = block(given)
    shown = [Node("more", words=line) for line in lines[:MOST_VALUE_LINES]]
    if len(lines) > len(shown):
        shown.append(Node("more", words=f"and {plural(len(lines) - len(shown), 'line')} more"))
    return shown


def why_it_ran(row: InstanceRow, attempt: AttemptRow, known: Known) -> Node:
    """Say why there was an attempt."""
    started = f"at {clock(attempt.started_s)}"
    before = next((each for each in reversed((*row.earlier, row.last)) if each and each.number < attempt.number), None)
    by_step = ", let through by your step" if attempt.reading.asked == "StepRequest" else ""
    if attempt.why == "retry" and before is not None:
        failed = f"because attempt {before.number} {how_it_ended(before)}"
        words = f"ran {started}: tried again by itself, {failed}{by_step}"
        return Node("why", words=words, inside=[attempt_node(row, before, known)])
    if attempt.why == "rerun":
        words = f"ran {started}: {_asked(row, attempt, known)}{by_step}"
        return Node("why", words=words, inside=[attempt_node(row, before, known)] if before is not None else [])
    why = "for the first time, as its turn came" if attempt.why == "first" else attempt.why
    return Node("why", words=f"ran {started}: {why}{by_step}")


def _asked(row: InstanceRow, attempt: AttemptRow, known: Known) -> str:
    if attempt.reading.asked == "RerunRequest":
        then = ", with the variables as they were" if attempt.reading.seen else ""
        return f"you had it run again{then}"
    rerun = known.reasons.rerun_of(row.key, attempt.started_s)
    return f"{rerun.words} at {clock(rerun.at_s)}" if rerun is not None else "you had it run again, with others"
