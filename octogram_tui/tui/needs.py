"""What needs the operator now, in words, the most wanted first: what the banner says. Pure, but for the keys' names."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.clusters import Cluster, short_names
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import AgentRow, InstanceRow
from octogram_tui.projection.text import safe
from octogram_tui.tui.format import duration, plural
from octogram_tui.tui.model import Model, title_of
from octogram_tui.tui.next_words import next_words

RELOAD_SHOWN_S = 20.0
NEXT_SHOWN = 3
SHOWN_PAUSE_S = 0.05

SIGNS = {"held": ("∎", "p"), "failed": ("✗", "x"), "ok": ("✓", "v"), "info": ("~", "~"), "asks": ("?", "?")}


Mark = tuple[str, int]


class Hint(NamedTuple):
    """A key to press: the action of keymap.py, and what it does here."""

    action: str
    words: str


class Need(NamedTuple):
    """One thing that needs the operator.

    kind     of SIGNS: the sign; `ground` names the style below the lines
    message  what is the matter, the cause first; `more` what one may want to know of it, if there is room
    mark     what closing it remembers; None for what cannot be closed
    """

    kind: str
    message: str
    hints: tuple[Hint, ...] = ()
    more: str = ""
    tip: str = ""
    mark: Mark | None = None

    @property
    def ground(self) -> str:
        """The style of the lines."""
        return f"banner-{'held' if self.kind == 'asks' else self.kind}"


def needs_of(model: Model, *, is_lost: bool, closed: set[Mark]) -> list[Need]:
    """Say what needs the operator; nothing while all goes well. What was closed is left out."""
    board = model.board
    if is_lost:
        return [_lost(model)]
    if board.phase is Phase.FINISHED:
        return [_finished(model)]
    if board.phase is Phase.STOPPING:
        grace = f", {board.message}" if board.message else ""
        hints = (Hint("stop", "stop without grace"), Hint("leave", "leave it to itself"))
        return [Need("held", f"Stopping (asked by {board.reason}{grace}): agents clean up.", hints)]
    failing = _failing(model)
    found = [
        _asks(board),
        failing or _paused(model) or _done(model),
        _held_alone(model) if failing or not board.is_paused else None,
        _edit(model),
        _nodes(board),
        _missing(board),
    ]
    return [need for need in found if need is not None and need.mark not in closed]


def _lost(model: Model) -> Need:
    if model.is_replay:
        message = "The journal ends here: the run never finished, or goes on."
        return Need("held", message, (Hint("leave", "leave"), Hint("help", "help")))
    return Need(
        "failed",
        "The run's process is gone: how to go on is said as you leave.",
        (Hint("leave", "leave"),),
        tip="what is shown is the last it said; its agents stop by themselves when their lease is over",
    )


def _nodes(board: Board) -> Need | None:
    """Say where the nodes of a scheduler are that agents wait for, or that they have lost."""
    told = board.allocation
    if told is None or not (told.state in ("lost", "ending") or (told.state == "waiting" and not told.nodes)):
        return None
    hints = (Hint("stop", "give it up"),) if told.state == "waiting" else ()
    return Need("failed" if told.state == "lost" else "info", f"{safe(told.message)}.", hints, mark=("nodes", told.seq))


def _asks(board: Board) -> Need | None:
    stage = next(iter(board.confirmations.values()), None)
    if stage is None:
        return None
    return Need(
        "asks", f"Stage {stage.name} asks before it runs.", (Hint("pause or go", "answer"), Hint("leave", "leave"))
    )


def _kept(model: Model) -> tuple[Hint, ...]:
    """What was given by hand, and can be written into the file."""
    words = "" if model.is_replay else model.by_hand.offer()
    return (Hint("keep", words),) if words else ()


def _failing(model: Model) -> Need | None:
    """What failed, while the run waits for somebody to see to it."""
    board = model.board
    if not board.is_paused or not board.undecided:
        return None
    clusters = _waiting_clusters(board)
    first = clusters[0]
    count = len(board.undecided)
    hints = [
        Hint("rerun failed", "again" if count == 1 else f"all {count} again"),
        Hint("edit", "edit"),
        Hint("skip", "skip"),
        Hint("open", "look"),
    ]
    if len(clusters) > 1:
        hints.insert(0, Hint("first failure", "next"))
    hints += _kept(model)
    last = first.first.struck.last
    tip = last.failure.hint if last is not None and last.failure is not None else ""
    return Need("failed", cause_line(first) + _given_next(model), tuple(hints), _behind(clusters), tip)


def _waiting_clusters(board: Board) -> list[Cluster[InstanceRow]]:
    """Give the causes of what waits for a word: where the run goes on after failures, not of all that stands failed."""
    found = board.clusters.all
    if len(board.undecided) == len(board.failures):
        return found
    return [cluster for cluster in found if any(key in board.undecided for key in cluster.members)]


def _given_next(model: Model) -> str:
    """Say of what failed which next attempts were given arguments."""
    given = [row for key in model.edited.by_instance if (row := model.board.failures.get(key)) is not None]
    if len(given) == 1:
        where = "" if len(model.board.failures) == 1 else f" of {title_of(given[0])}"
        return f". The next attempt{where} has {model.by_hand.waiting_words(given[0])}"
    return f". {len(given)} next attempts have arguments of yours" if given else ""


def cause_line(cluster: Cluster[InstanceRow]) -> str:
    """Say in a line what struck how many."""
    cause = cluster.first.cause
    agents = len({row.agent for row in cluster.struck})
    who = plural(agents, "agent") if len(cluster) > 1 else title_of(cluster.first.struck)
    return f"{who}: {cause.text}"


def _behind(clusters: list[Cluster[InstanceRow]]) -> str:
    first = clusters[0]
    parts = []
    if len(first) > 1:
        names = short_names(list(dict.fromkeys(row.agent for row in first.struck)), NEXT_SHOWN)
        parts.append(f"{first.first.struck.job.name} @ {names}")
    if len(clusters) > 1:
        parts.append(f"and {plural(len(clusters) - 1, 'other cause')}")
    if first.first.cause.status:
        parts.append(first.first.cause.status)
    return "; ".join(parts)


def _paused(model: Model) -> Need | None:
    """Why it stands still, what is under way yet, and what comes next."""
    board = model.board
    if not board.is_paused:
        return None
    hints = [Hint("pause or go", "go"), Hint("step over", "over"), Hint("step into", "into")]
    if board.reason == "start" and not board.in_flight and not board.done:
        hints += [Hint("breakpoint", "break"), Hint("edit", "set a variable"), Hint("help", "help")]
        return Need("held", "Held before the first stage: nothing has run yet.", tuple(hints))
    words = {
        "operator": "Paused by you",
        "step": "Stepped",
        "failure": "The failure was dealt with",
        "back": "Back at a stage's beginning; what was done on the agents stays",
        "start": "Stepped",
    }
    message = f"{words.get(board.reason, f'Paused ({board.reason})')}."
    if board.reason == "breakpoint":
        message = f"{stop_line(board)}."
        hints.append(Hint("breakpoints", "breakpoints"))
    elif board.message and board.reason != "failure":
        message += f" {board.message}"
    if board.in_flight:
        said = {"operator": "Pausing", "step": "Stepping"}.get(board.reason, message.rstrip("."))
        message = f"{said}: {board.in_flight} in flight."
    if board.failures:  # the run goes on after them, and says so nowhere else
        hints.append(Hint("first failure", f"{len(board.failures)} failed"))
    hints += [*_kept(model), Hint("breakpoint", "break"), Hint("rerun", "rerun"), Hint("help", "help")]
    named = board.stops.met.instance if board.reason == "breakpoint" and board.stops.met is not None else None
    return Need("held", f"{message} {queue_line(model, named)}".rstrip(), tuple(hints))


def stop_line(board: Board) -> str:
    """Say which breakpoint stopped the run, with what its condition was made of, and where."""
    met = board.stops.met
    if met is None:
        return board.message or "A breakpoint was met"
    row = board.instances.get(met.instance) if met.instance is not None else None
    where = title_of(row) if row is not None else met.row
    said = met.message if met.message.startswith("breakpoint") else f"breakpoint {met.number}: {met.message}"
    said = f"{said[:1].upper()}{said[1:].rstrip('.')}"
    if not where or where in said:
        return said
    return f"{said} {where}" if said.endswith((": before", ": after")) else f"{said}, at {where}"


def _held_alone(model: Model) -> Need | None:
    """Agents that breakpoints hold, whatever the others do; what failed is told by itself."""
    agents = model.board.stops.agents
    held = [(name, hold) for name, hold in agents.items() if hold.is_held and hold.reason == "breakpoint"]
    if not held:
        return None
    name, hold = held[-1]
    more = f"and {plural(len(held) - 1, 'other agent')}" if len(held) > 1 else ""
    hints = (
        Hint("hold agent", "let the agent go on"),
        Hint("scope", "steps for it"),
        Hint("breakpoints", "breakpoints"),
    )
    return Need("held", f"{name} is held alone: {hold.message}", hints, more)


def queue_line(model: Model, named: InstanceId | None = None) -> str:
    """Say what the gate lets through next, and then: one queue, as it is, of those that steps are for.

    named: what was just said to be held
    """
    rows = model.scope.held()
    if not rows:
        return ""
    given = model.by_hand.waiting_words(rows[0])
    with_given = f" {rows[0].agent} has {given} for it." if given else ""
    words = next_words(rows[:NEXT_SHOWN], len(rows))
    said = f"It is next{words.removeprefix(title_of(rows[0]))}" if rows[0].key == named else f"Next: {words}"
    return f"{said}.{with_given}"


def _done(model: Model) -> Need | None:
    board = model.board
    if board.phase is not Phase.DONE:
        return None
    message = f"All stages are done, after {_lasted(board, board.done_at_s)}; the agents are kept alive."
    hints = [Hint("leave", "leave or stop"), Hint("rerun", "rerun a row"), Hint("edit", "set a variable")]
    hints[1:1] = _kept(model)
    if len(board.all_failures):
        hints.insert(1, Hint("first failure", "what failed" if board.failures else "what had failed"))
    if board.undecided:
        hints.insert(0, Hint("rerun failed", f"{len(board.undecided)} failed again"))
    if board.failures:
        return Need("failed", f"{message} {cause_line(board.clusters.all[0])}", tuple(hints))
    return Need("failed" if board.done_exit_code else "ok", message, tuple(hints))


def _missing(board: Board) -> Need | None:
    """Agents that are not there, while the run goes on without them."""
    clusters = board.agent_clusters.all
    if not clusters:
        return None
    hints = (Hint("first failure", "look"), Hint("back", "close"))
    tip = clusters[0].first.struck.hint
    mark = ("agents", len(board.agent_clusters))
    return Need("failed", missing_line(clusters[0]), hints, _others(clusters), tip, mark)


def missing_line(cluster: Cluster[AgentRow]) -> str:
    """Say which agents are not there, and why."""
    names = [agent.name for agent in cluster.struck]
    who = names[0] if len(names) == 1 else plural(len(names), "agent")
    shown = f" ({short_names(names, NEXT_SHOWN)})" if len(names) > 1 else ""
    return f"{who}: {cluster.first.cause.text}{shown}"


def _others(clusters: list[Cluster[AgentRow]]) -> str:
    return f"and {plural(len(clusters) - 1, 'other cause')}" if len(clusters) > 1 else ""


def _edit(model: Model) -> Need | None:
    """The latest edit of the scenario: refused, or taken up a moment ago."""
    board = model.board
    if board.problems:
        first = board.problems[0]
        more = f" (and {len(board.problems) - 1} more)" if len(board.problems) > 1 else ""
        where = f"{first.get('file', '')}:{first.get('line', 0)}: "
        return Need(
            "failed",
            f"Edit refused, the old text stays: {where}{first.get('message', '')}{more}",
            (Hint("edit scenario", "edit"), Hint("back", "close")),
            tip=str(first.get("hint") or ""),
            mark=("edit", board.reload_seq),
        )
    if board.waiting_edit is not None:
        edit = board.waiting_edit
        counts = ((edit.stale, "stale"), (edit.new, "new"), (edit.gone, "gone"), (edit.failed, "failed concerned"))
        said = ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing that ran is stale by it"
        more = f" (and {len(edit.changes) - 1} more)" if len(edit.changes) > 1 else ""
        hints = (Hint("take edit", "look, and take it in"), Hint("edit scenario", "edit"))
        return Need("asks", f"An edit of the file waits: {edit.changes[0]}{more}; {said}.", hints)
    if board.changes and model.now_s - board.reload_at_s < RELOAD_SHOWN_S:
        more = f" (and {len(board.changes) - 1} more)" if len(board.changes) > 1 else ""
        mark = ("edit", board.reload_seq)
        stale = plural(board.reload_stale, "instance") if board.reload_stale else "nothing"
        message = f"Scenario reloaded: {board.changes[0]}{more}; {stale} stale by it"
        return Need("info", message, (Hint("back", "close"),), mark=mark)
    return None


def _lasted(board: Board, at_s: float) -> str:
    """Say how long the run has worked up to a moment, and for how long it was held, where it was."""
    held_s = board.standstill.before(at_s)
    return duration(at_s - held_s) + (f", and {duration(held_s)} held" if held_s >= SHOWN_PAUSE_S else "")


def _finished(model: Model) -> Need:
    board = model.board
    counts = ", ".join(f"{board.tally[state]} {state.name.lower()}" for state in State if board.tally[state])
    took = f"Finished in {_lasted(board, board.at_s)}: {counts or 'nothing ran'}."
    reason = f" {board.message[:1].upper()}{board.message[1:].rstrip('.')}." if board.message else ""
    leave = (*_kept(model), Hint("leave", "leave"))
    if not board.exit_code:
        looks = (Hint("first failure", "what had failed"),) if len(board.all_failures) else ()
        return Need("ok", took + reason, (*looks, *leave))
    tip = ""
    if board.failures:
        reason = f" {cause_line(board.clusters.all[0]).rstrip('.')}."
    elif board.agent_clusters.all:
        cluster = board.agent_clusters.all[0]
        reason, tip = f" {missing_line(cluster).rstrip('.')}.", cluster.first.struck.hint
    return Need(
        "failed",
        f"{took}{reason} Exit code {board.exit_code}.",
        (Hint("first failure", "what failed"), *leave),
        tip=tip,
    )
