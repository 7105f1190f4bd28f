"""What something waits for: the job before it, room, an answer, an agent, a delay, whoever holds it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from octogram_tui.projection.job_text import PLAIN
from octogram_tui.projection.origins import Known, attempt_node, how_it_ended, in_short, inputs
from octogram_tui.projection.row_states import AgentState, Phase, State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Kind
from octogram_tui.projection.stops import AgentHold
from octogram_tui.projection.tree import Node
from octogram_tui.projection.value_text import clock, duration, plural

BUSY = (State.RUNNING, State.RETRYING, State.HELD, State.FAILED, State.LOST, State.PENDING)
"""States of what a lane is not past."""
_SAID = {
    "start": "the run has not been let go yet",
    "operator": "you paused the run",
    "step": "you step: the gate is shut behind each",
    "failure": "something failed, and that holds the run",
    "reload": "the edited scenario has further stages",
    "confirmation": "a stage asks first",
    "back": "the run went back to the beginning of a stage, and waits for you",
}
_AGENTS = {
    AgentState.WAITING: "has not been started yet",
    AgentState.STARTING: "is coming up",
    AgentState.SUSPECT: "is not heard of",
    AgentState.FAILED: "could not be started",
    AgentState.LOST: "is lost",
    AgentState.STOPPED: "has stopped",
    AgentState.UNCLEAN: "has stopped, and left something behind",
}


def agent_nodes(agent: AgentRow | None) -> list[Node]:
    """Say what is wrong with an agent, where something is."""
    if agent is None or agent.state is AgentState.READY:
        return []
    words = f"agent {agent.name} {_AGENTS[agent.state]}"
    inside = [Node("more", words=agent.hint)] if agent.hint else []
    return [Node("bad", words=f"{words}: {agent.message}" if agent.message else words, inside=inside, is_open=True)]


def held(row: InstanceRow, known: Known) -> Node:
    """Say what holds a row, where it stands, and what it will see."""
    event = known.reasons.held.get(row.key)
    reason, point = (event.reason, event.point) if event is not None else ("", "before")
    where = "after its attempt, before what follows it" if point == "after" else "before its attempt"
    if not known.board.is_paused and _alone(row, known) is None and not (event and event.breakpoint):
        words = f"waits for room: {_room(row)}"
        inside = list(_in_flight(row))
    else:
        words = f"held {where}: {_held_by(row, known, reason)}"
        inside = list(_place_in_line(row, known))
        if event is not None and event.breakpoint:
            inside += _breakpoint(row, event.breakpoint, known)
    given = known.reasons.given.get(row.key)
    if given is not None:
        inside += [
            Node("argument", name, value, "given by you, for its next attempt")
            for name, value in given.arguments.items()
        ]
    if point != "after":
        inside += _will_read(row, known)
    elif row.last is not None:
        inside.insert(0, Node("more", words=how_it_ended(row.last)))
    return Node("why", words=words, inside=inside, is_open=True)


def _held_by(row: InstanceRow, known: Known, reason: str) -> str:
    event = known.reasons.held.get(row.key)
    if event is not None and event.breakpoint:
        met = known.reasons.met.get(row.key)
        message = f": {met.message}" if met is not None and met.number == event.breakpoint and met.message else ""
        return f"breakpoint {event.breakpoint}{message}"
    alone = _alone(row, known)
    if alone is not None:
        words = {"operator": "you hold this agent", "failure": "a failure holds this agent"}.get(
            alone.reason, alone.reason
        )
        return f"{words}: {alone.message}" if alone.message else words
    paused = known.reasons.paused
    if paused is not None:
        words = _SAID.get(paused.reason, paused.reason)
        return f"{words}: {paused.message}" if paused.message else words
    return _SAID.get(reason, reason or "the gate is shut")


def _alone(row: InstanceRow, known: Known) -> AgentHold | None:
    """Give what holds the row's agent alone, where something does."""
    hold = known.board.stops.hold_of(row.agent)
    return hold if hold is not None and hold.is_held else None


def _breakpoint(row: InstanceRow, number: int, known: Known) -> list[Node]:
    listed = known.board.stops.breakpoints.by_number.get(number)
    if listed is None:
        return []
    met = known.reasons.met.get(row.key)
    times = f"; met {plural(met.count, 'time')}" if met is not None and met.count else ""
    return [Node("more", words=f"breakpoint {number}: {listed.words}{times}")]


def _place_in_line(row: InstanceRow, known: Known) -> Iterator[Node]:
    for place, each in enumerate(known.board.queue):
        if each is row:
            words = "it is next: a step takes it" if not place else f"{place} before it in line"
            yield Node("more", words=words, key=known.board.queue.head.key if known.board.queue.head else None)
            return


def _will_read(row: InstanceRow, known: Known) -> list[Node]:
    """Tell of what it will read, with the values that it will see as things stand."""
    event = known.reasons.held.get(row.key)
    seq = 0 if event is None else event.seen or event.seq
    seq = max(seq, known.reasons.by_hand_seq)
    found = []
    for place, text in row.job.text.texts.items():
        if place.startswith(("until", "register", "vars_updates.", "with_items")):
            continue
        label = place.removeprefix("arguments.")
        given = known.reasons.given.get(row.key)
        if given is not None and re.split(r"[.\[]", label)[0] in given.arguments:
            continue
        inside = inputs(row, text, place, PLAIN, seq, known)
        found.append(Node("argument", label, words=in_short(text), inside=inside, is_open=True))
    return found


def retrying(row: InstanceRow, known: Known) -> Node:
    """Say until when a retry waits."""
    attempt, text = row.last, row.job.text
    if attempt is None:
        return Node("why", words="waits before it is tried again")
    until_s = attempt.started_s + attempt.duration_s + text.retry_delay_s
    left_s = max(0.0, until_s - known.now_s)
    failures = sum(each.why == "retry" for each in (*row.earlier, attempt))
    of = f", retry {failures + 1} of {text.retries}" if text.retries else ""
    words = f"waits {duration(text.retry_delay_s)} before it is tried again{of}: until {clock(until_s)}"
    words += f", in {duration(left_s)}" if left_s else ""
    return Node("why", words=words, inside=[attempt_node(row, attempt, known)])


def pending(row: InstanceRow, known: Known) -> Node:
    """Say what keeps a row from beginning."""
    board, stage = known.board, row.stage
    if board.phase in (Phase.WAITING, Phase.STARTING):
        nodes = [node for agent in board.agents.values() for node in agent_nodes(agent)]
        words = f"waits for {plural(len(nodes), 'agent')}" if nodes else "waits for the run to begin"
        return Node("why", words=words, inside=nodes, is_open=True)
    if stage.started_s is None:
        return _stage_waits(stage, known)
    blocker = before_in_lane(row)
    if blocker is not None:
        words = f"waits for {blocker.job.name} on {blocker.agent}, which {_does(blocker)}"
        return Node("why", words=words, inside=[Node("row", str(blocker.key), key=blocker.key)])
    if stage.rules.agents_in_order:
        busy = list(_in_flight(row))
        return Node("why", words="waits for its agent's turn: the stage takes one agent after the other", inside=busy)
    return Node("why", words=f"waits for its turn: {_room(row)}", inside=list(_in_flight(row)), is_open=True)


def _stage_waits(stage: Group, known: Known) -> Node:
    board = known.board
    if stage.name in board.confirmations:
        return Node("why", words=f"stage {stage.name} asks before it runs, and waits for your answer")
    current = board.current_stage
    if current is not None and current.final is None:
        done = f"{current.done} of {current.total} done"
        words = f"waits for stage {stage.name} to begin, behind stage {current.name}, {done}"
    else:
        words = f"waits for stage {stage.name} to begin"
    paused = known.reasons.paused
    inside = []
    if paused is not None and board.is_paused:
        said = _SAID.get(paused.reason, paused.reason)
        inside.append(Node("why", words=f"{said}: {paused.message}" if paused.message else said))
    return Node("why", words=words, inside=inside, is_open=True)


def before_in_lane(row: InstanceRow) -> InstanceRow | None:
    """Give what the agent is not past yet, of the jobs before this one: of the same job, the items before it."""
    job, stage = row.job, row.stage
    if row.parent.kind is Kind.AGENT and job.text.in_order:
        for each in row.parent.below():
            if each is row:
                break
            if each.state in BUSY:
                return each
    if not stage.rules.jobs_in_order:
        return None
    for other in stage.children:
        if other is job:
            return None
        if isinstance(other, Group):
            for each in other.below():
                if each.agent == row.agent and each.state in BUSY:
                    return each
    return None


def _does(row: InstanceRow) -> str:
    words = {
        State.RUNNING: "runs",
        State.RETRYING: "waits before it is tried again",
        State.HELD: "is held",
        State.PENDING: "has not begun either",
    }
    return words.get(row.state, "failed")


def _room(row: InstanceRow) -> str:
    most = row.stage.rules.most_at_once
    running = row.stage.tally[State.RUNNING] + row.stage.tally[State.RETRYING]
    return f"max_concurrency is {most}, and {running} run" if most else f"{running} of its stage run"


def _in_flight(row: InstanceRow) -> Iterator[Node]:
    shown = 0
    for job in row.stage.children:
        if isinstance(job, Group):
            for state in (State.RUNNING, State.RETRYING):
                for each in job.members.get(state, {}).values():
                    shown += 1
                    if shown > 10:
                        return
                    yield Node("row", str(each.key), words=_does(each), key=each.key)
