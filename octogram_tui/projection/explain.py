"""Why something is as it is: a tree to unfold, from a row back to whoever set what it was given. Pure.

argument <- its template <- the variables in it, as they were seen then <- who set each <- that one's result <- ...
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from heapq import nsmallest
from itertools import islice

from octogram_tui.model.variables import ABSENT
from octogram_tui.projection.origins import (
    Known,
    attempt_inside,
    attempt_node,
    change_of,
    how_it_ended,
    inputs,
    is_expression,
    names_in,
    result_of,
    texts_of,
)
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow, Kind, Row
from octogram_tui.projection.tree import Node, plain_lines
from octogram_tui.projection.value_text import plural
from octogram_tui.projection.variables import Variable
from octogram_tui.projection.waiting import agent_nodes, held, pending, retrying

Subject = Row | AgentRow | Variable
MOST_ROWS = 50
STANDS = "; its lane waits until you run it again or skip it"
_LOUDEST = (State.FAILED, State.LOST, State.HELD, State.RETRYING, State.STALE, State.RUNNING, State.PENDING)

__all__ = ["Known", "explain", "explain_lines"]


def explain(subject: Subject | None, known: Known) -> list[Node]:
    """Give the tree of a row, an agent or a variable."""
    match subject:
        case InstanceRow():
            return _instance(subject, known)
        case Group():
            return _group(subject, known)
        case AgentRow():
            return _agent(subject, known)
        case Variable():
            return history(subject, known)
    return [Node("more", words="nothing is chosen yet")]


def explain_lines(subject: Subject | None, known: Known, *, depth: int = 0) -> list[str]:
    """Write it in plain lines; depth: all of it to that depth, else what is shown at first."""
    return plain_lines(explain(subject, known), depth=depth)


# A row


def _instance(row: InstanceRow, known: Known) -> list[Node]:
    attempt = row.last
    roots = [_state(row, known)]
    if attempt is None:
        return [*roots, *agent_nodes(known.board.agents.get(row.agent))]
    roots += attempt_inside(row, attempt, known)
    roots += result_of(attempt)
    if attempt.ended_seq and (not attempt.text.texts or any(map(_sets, attempt.text.texts))):
        roots.append(Node("result", "what it set", inside=lambda: what_it_set(row, attempt, known)))
    if row.earlier:
        earlier = [attempt_node(row, each, known) for each in reversed(row.earlier)]
        roots.append(Node("attempt", plural(len(earlier), "earlier attempt"), inside=earlier))
    return [*roots, *agent_nodes(known.board.agents.get(row.agent))]


def _state(row: InstanceRow, known: Known) -> Node:
    attempt = row.last
    match row.state:
        case State.HELD:
            return held(row, known)
        case State.PENDING:
            return pending(row, known)
        case State.RETRYING:
            return retrying(row, known)
        case State.STALE:
            reason = row.note or "it would run differently now"
            return Node("bad", words=f"stale: {reason}", inside=lambda: list(what_changed(row, known)), is_open=True)
        case State.SKIPPED:
            return _skipped(row, known)
    if attempt is None:
        return Node("why", words=row.note or "nothing is known of it")
    words = how_it_ended(attempt)
    if row.state is State.FAILED:
        given = known.reasons.given.get(row.key)
        inside = (
            []
            if given is None
            else [
                Node("argument", name, value, "given by you, for its next attempt")
                for name, value in given.arguments.items()
            ]
        )
        stands = STANDS if known.board.is_paused else ""
        return Node("bad", words=words + stands, inside=inside, is_open=True)
    if row.state is State.TOLERATED:
        return Node("bad", words=f"{words}; the run goes on, as its job says (on_failure: continue)")
    if row.state is State.RUNNING and known.board.agents.get(row.agent) is not None:
        return Node("why", words=words)
    return Node("why", words=words)


def _skipped(row: InstanceRow, known: Known) -> Node:
    passed = known.reasons.passed.get(row.key)
    if passed is None:
        return Node(
            "why", words=row.note if row.note.startswith("skipped") else f"skipped: {row.note or 'no reason given'}"
        )
    text = passed.text.texts.get("when", row.note.removeprefix("when: "))
    seq = passed.reading.seen or passed.seq - 1
    inside = inputs(row, text, "when", passed.reading, seq, known)
    return Node("why", words=f"skipped: `when: {text}` does not hold", inside=inside, is_open=True)


def _sets(place: str) -> bool:
    return place == "register" or place.startswith("vars_updates.")


def what_it_set(row: InstanceRow, attempt: AttemptRow, known: Known) -> list[Node]:
    """Tell of the variables that the result of an attempt set."""
    by = str(row.key)
    later = [each.seq for each in (*row.earlier, row.last) if each is not None and each.seq > attempt.seq]
    end = min(later, default=1 << 62)
    found = [
        change_of(variable, change, known)
        for variable in known.variables.by_name.values()
        for change in variable.changes
        if change.by == by and attempt.ended_seq <= change.seq < end
    ]
    return found or [Node("more", words="no variable")]


# Stale


def what_changed(row: InstanceRow, known: Known) -> Iterator[Node]:
    """Tell what would be different now of what a row read: variables from what to what, and its text."""
    attempt = row.last
    passed = known.reasons.passed.get(row.key)
    if attempt is not None and attempt.seq > (passed.seq if passed is not None else 0):
        reading, text, seq = attempt.reading, attempt.text, attempt.reading.seen or attempt.seq - 1
        texts = texts_of(row, attempt, known)
    elif passed is not None:
        reading, text, seq = passed.reading, passed.text, passed.reading.seen or passed.seq - 1
        texts = dict(passed.text.texts)
    else:
        return
    names = {
        name
        for place, source in texts.items()
        for name in names_in(source, expression=is_expression(place, source), reads=reading.reads)
    }
    for name in sorted(names):
        variable = known.variables.by_name.get(name)
        then = variable.at(seq) if variable is not None else None
        if variable is None or variable.now is then or (then is not None and variable.is_forgotten(seq)):
            continue
        was = ABSENT if then is None or then.removed else then.value
        now = variable.now
        if repr(was) == repr(ABSENT if now.removed else now.value):
            continue
        node = change_of(variable, now, known, label=f"{name} is now")
        yield Node("variable", f"{name} was", was, "" if then is not None else "not there", inside=[node], is_open=True)
    if text.digest != row.job.text.digest or text.texts != row.job.text.texts:
        yield from _edited(row, text.texts, known, text.digest, text.line, text.end)


def _edited(row: InstanceRow, then: object, known: Known, digest: str, line: int, end: int) -> Iterator[Node]:
    """Show the lines of its text that were edited; where there is no copy, the templates that were."""
    now = row.job.text
    source = known.source
    before = source.block(digest, line, end) if source is not None else []
    after = source.block(now.digest, now.line, now.end) if source is not None else []
    if before and after:
        if before == after:
            return
        lines = [each for each in unified_diff(before, after, lineterm="", n=0) if each[:2] not in ("--", "++", "@@")]
        yield Node("template", "its text was edited", inside=[Node("more", words=each) for each in lines], is_open=True)
        return
    old = then if isinstance(then, dict) else {}
    for place in sorted({*old, *now.texts}):
        if old.get(place) != now.texts.get(place):
            words = f"{old.get(place, 'nothing')} -> {now.texts.get(place, 'nothing')}"
            yield Node("more", place.removeprefix("arguments."), words=words)


# What is no row


def history(variable: Variable, known: Known) -> list[Node]:
    """Tell of every value that a variable had, the latest first: who set it and when, and what it comes of."""
    found = []
    for change in reversed(variable.changes):
        label = f"{variable.name} is" if change is variable.now else "before that"
        found.append(change_of(variable, change, known, label=label))
    if variable.is_cut:
        found.append(
            Node("more", words=f"older values are not kept; it was set {plural(variable.count, 'time')} in all")
        )
    return found


def _group(row: Group, known: Known) -> list[Node]:
    """Tell of a stage or a job by its rows, the loudest first."""
    roots = []
    if row.note:
        roots.append(Node("why", words=row.note))
    if row.kind is Kind.STAGE and row.rules.when:
        roots.append(Node("template", "when", words=row.rules.when))
    if row.kind is Kind.STAGE and row.started_s is None and row.name in known.board.confirmations:
        roots.append(Node("why", words="it asks before it runs, and waits for your answer"))
    roots += [_row_node(each, known) for each in islice(loudest_first(row), MOST_ROWS)]
    left = sum(row.tally) - MOST_ROWS
    if left > 0:
        roots.append(Node("more", words=f"and {left} more"))
    return roots or [Node("more", words="nothing of it has begun yet")]


def loudest_first(group: Group) -> Iterator[InstanceRow]:
    """Go through the rows of a group without looking at all of them: there may be very many."""
    jobs = [child for child in group.children if isinstance(child, Group)] if group.kind is Kind.STAGE else [group]
    if group.kind is Kind.AGENT:
        jobs = [group.above]
    for state in (*_LOUDEST, *(state for state in State if state not in _LOUDEST)):
        for job in jobs:
            for row in job.members.get(state, {}).values():
                if group.kind is not Kind.AGENT or row.parent is group:
                    yield row


def _row_node(row: InstanceRow, known: Known) -> Node:
    node = _state(row, known)
    words = node.words.removesuffix(STANDS)
    return Node("row", str(row.key), words=words, key=row.key, inside=lambda: _instance(row, known))


def _agent(agent: AgentRow, known: Known) -> list[Node]:
    """Tell of an agent: what is wrong with it, what it does, what it waits with."""
    roots = agent_nodes(agent) or [Node("why", words="it is there, and takes jobs")]
    alone = known.board.stops.hold_of(agent.name)
    if alone is not None and alone.is_held:
        roots.append(Node("why", words=f"held alone: {alone.message or alone.reason}"))
    rows = nsmallest(
        MOST_ROWS, agent.instances, key=lambda row: _LOUDEST.index(row.state) if row.state in _LOUDEST else 99
    )
    return roots + [_row_node(each, known) for each in rows]
