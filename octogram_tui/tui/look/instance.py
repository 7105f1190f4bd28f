"""What there is to know about one job on one agent: why it failed, what it was given and gave, and its attempts."""

from __future__ import annotations

from octogram_tui.model.failure import Failure
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.clusters import short_names
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, InstanceRow
from octogram_tui.tui.by_hand import lines_of, named
from octogram_tui.tui.format import LOOKS, block, duration, plural, stamp, value
from octogram_tui.tui.look.pieces import Sight, Text, fact, head, hint, section, value_lines
from octogram_tui.tui.model import title_of

LAST_LINES = 8
OTHERS = 6
SHORT_LINES = 4
LEAST_HELD_S = 0.1
"""Less than this is not said to be time in which the run was held."""
WHY = {"first": "", "retry": "tried again by itself", "rerun": "run again by you"}


def look_at_instance(row: InstanceRow, sight: Sight) -> list[Text]:
    """Tell of an instance, most wanted first."""
    brush, attempt = sight.brush, row.last
    lines = head(title_of(row), LOOKS[row.state], brush, duration(row.duration_s(sight.now_s)))
    failure = attempt.failure if attempt is not None else None
    if row.note:
        lines.append([(brush.text(row.note), "dim")])
    if failure is not None:
        lines += _failure(failure, sight) + _alike(row, sight)
    elif row.progress and row.state is State.RUNNING:
        lines.append([(brush.text(row.progress), "")])
    lines += _given(row, sight)
    if not sight.is_short and not sight.has_log:
        lines += _last_lines(row, failure, sight)
    if attempt is not None and attempt.arguments:
        lines += _arguments(row, attempt, sight)
    if attempt is not None and attempt.result not in (None, {}, ""):
        lines += [*section("result"), *value_lines(attempt.result, sight)]
    if attempt is not None and _was_let_go(attempt):
        lines += [[("", "")], [("arguments and result were let go to save memory; the journal has them", "faint")]]
    if row.earlier and attempt is not None:
        lines += section("attempts")
        for each in (attempt, *reversed(row.earlier)):
            lines += _attempt(row, each, sight)
    lines += _facts(row, sight)
    if failure is not None and not sight.is_short:
        rest = {name: entry for name, entry in failure.detail.items() if name != "last_lines"}
        lines += [*section("details of the failure"), *value_lines(rest, sight)] if rest else []
    return lines


def _failure(failure: Failure, sight: Sight) -> list[Text]:
    """Say the cause, and how it ended where that is something else."""
    brush, cause = sight.brush, cause_of(failure)
    lines: list[Text] = [] if sight.is_short else [[("", "")]]
    lines.append([(brush.text(cause.text, limit=4096), "failed")])
    if cause.status:
        lines.append([(brush.text(cause.status), "dim")])
    return [*lines, hint(failure.hint, brush)] if failure.hint else lines


def _given(row: InstanceRow, sight: Sight) -> list[Text]:
    """Say what the operator gave it: for its next attempt, or with what it ended well and the file does not have."""
    brush, by_hand = sight.brush, sight.model.by_hand
    if row.key in sight.model.edited.by_instance:
        lines = section("next attempt, given by you") if not sight.is_short else [[("next attempt", "accent")]]
        return [*lines, *([(f"  {brush.text(each)}", "retrying")] for each in lines_of(by_hand.waiting(row)))]
    if row.state is not State.OK or sight.model.is_replay or row not in by_hand.rows:
        return []
    words = f"it had your {named(by_hand.missing(row))}; {brush.way('keep')} keeps that in the file"
    return [hint(words, brush)]


def _alike(row: InstanceRow, sight: Sight) -> list[Text]:
    """Name the agents that failed of the same cause."""
    cluster = sight.model.board.clusters.holding(row.key)
    others = [each for each in cluster.struck if each is not row] if cluster is not None else []
    if not others:
        return []
    agents = list(dict.fromkeys(each.agent for each in others))
    is_named_once = len({row.agent, *agents}) == len(others) + 1  # else they are items, and names would not tell them
    count = "" if is_named_once else f"{plural(len(others), 'more instance')} of "
    return [[(f"the same on {count}", "dim"), (sight.brush.text(short_names(agents, OTHERS)), "")]]


def _last_lines(row: InstanceRow, failure: Failure | None, sight: Sight) -> list[Text]:
    """Give what it wrote last: as the failure has it, else as it came."""
    brush = sight.brush
    last = failure.detail.get("last_lines") if failure is not None else None
    texts = [str(line) for line in last] if isinstance(last, list) else []
    origins = sight.model.logbook.attempts.get(row.key)
    if not texts and origins:
        texts = [line.text for line in origins[-1].lines[-LAST_LINES:]]
    if failure is not None and len(texts) == 1 and cause_of(failure).text in texts[0]:
        return []  # it was said already
    shown = texts if sight.is_unfolded else texts[-LAST_LINES:]
    bar = f"  {brush.pick('│', '|')} "
    lines: list[Text] = [
        [(bar, "faint"), (brush.line(text), "stderr" if failure is not None else "")] for text in shown
    ]
    return [*section("it wrote last"), *lines] if lines else []


def _arguments(row: InstanceRow, attempt: AttemptRow, sight: Sight) -> list[Text]:
    """Give what it was given, the short before the long; beside a value that came of a template, the template."""
    lines = section("arguments") if not sight.is_short else [[("arguments", "accent")]]
    given = (attempt.arguments or {}).items()
    for name, argument in sorted(given, key=lambda pair: len(block(pair[1])) > SHORT_LINES):
        if isinstance(argument, dict) and argument and not any(_is_long(each) for each in argument.values()):
            lines.append([(f"  {sight.brush.text(name)}:", "")])
            lines += [_argument(row, (name, inner), each, sight) for inner, each in argument.items()]
        elif _is_long(argument):
            lines += value_lines({name: argument}, sight)
        else:
            lines.append(_argument(row, (name,), argument, sight))
    return lines


def _is_long(given: object) -> bool:
    """Whether a value takes more than its line."""
    return len(block({"": given})) > 1


def _argument(row: InstanceRow, path: tuple[str, ...], given: object, sight: Sight) -> Text:
    brush = sight.brush
    template = sight.model.source.templates(row.job).get(path)
    shown = f"{'  ' * len(path)}{brush.text(path[-1])}: {brush.text(value(given))}"
    return [(shown, ""), (f"   {brush.text(template)}" if template else "", "name-4")]


def _was_let_go(attempt: AttemptRow) -> bool:
    return (
        attempt.arguments is None and attempt.result is None and attempt.failure is None and attempt.state is State.OK
    )


def _attempt(row: InstanceRow, attempt: AttemptRow, sight: Sight) -> list[Text]:
    """Say when an attempt ran, how long, why there was one, and how it ended."""
    brush, look = sight.brush, LOOKS[attempt.state]
    why = WHY.get(attempt.why, attempt.why)
    rerun = sight.model.known.reasons.rerun_of(row.key, attempt.started_s) if attempt.why == "rerun" else None
    if rerun is not None and attempt.reading.asked != "RerunRequest":
        why = rerun.words
    lines: list[Text] = [
        [
            (f"  {attempt.number:>2} {brush.sign(look)} {look.word}", look.style),
            (f"  {stamp(attempt.started_s)}  {duration(attempt.duration_s)}".rstrip(), "dim"),
            (f"  {brush.text(why)}" if why else "", ""),
        ]
    ]
    message = str(cause_of(attempt.failure)) if attempt.failure is not None else attempt.reason
    return [*lines, [("       ", ""), (brush.text(message), "dim")]] if message else lines


def _facts(row: InstanceRow, sight: Sight) -> list[Text]:
    brush, attempt = sight.brush, row.last
    lines = [*section("what"), fact("stage", brush.text(row.stage.name))]
    lines.append(fact("procedure", brush.text(row.job.procedure)))
    lines.append(fact("agent", _agent(row, sight)))
    if row.item is not None:
        lines.append(fact("item", brush.text(row.label)))
    if row.job.line:
        lines.append(fact("line", str(row.job.line)))
    if attempt is None:
        return lines
    lines.append(fact("started", stamp(attempt.started_s)))
    took_s = row.duration_s(sight.now_s) or 0.0
    if attempt.state is not State.RUNNING:
        lines.append(fact("ended", stamp(attempt.started_s + took_s)))
    work_s = sum(each.duration_s for each in row.earlier) + took_s
    if row.earlier:
        first_s = row.earlier[0].started_s
        whole_s = attempt.started_s + took_s - first_s
        held_s = whole_s - sight.model.board.standstill.worked(first_s, first_s + whole_s)
        held = f", {duration(held_s)} of them held" if held_s >= LEAST_HELD_S else ""
        lines.append(fact("in all", f"{duration(work_s)} of work in {duration(whole_s)}{held}"))
    return lines


def _agent(row: InstanceRow, sight: Sight) -> str:
    """Name the agent, and where it is."""
    agent = sight.model.board.agents.get(row.agent)
    where = (agent.address or agent.host) if agent is not None else ""
    return sight.brush.text(f"{row.agent}  {where}" if where and where != row.agent else row.agent)
