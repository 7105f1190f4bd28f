"""Which actions make sense now: by how the run stands, who holds control, and the pane that has the keys."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.projection.row_states import Phase, State
from octogram_tui.runtime.verbs import OnlyWatch, TakeControl, Verb
from octogram_tui.tui.keymap import Action
from octogram_tui.tui.model import Model


class Standing(NamedTuple):
    """How this console stands to the run.

    has_rivals  whether other consoles may hold control of it
    is_answered whether the run's host answers what is no event
    """

    pane: str
    is_read_only: bool = False
    has_control: bool = True
    has_rivals: bool = False
    is_answered: bool = False


def is_possible(action: Action, model: Model, standing: Standing) -> bool:
    """Whether an action would do something; what is not possible is not offered."""
    board = model.board
    if action.needs_control and standing.is_read_only and action.name != "stop":
        return False
    if action.where not in ("", "list", standing.pane):
        return False
    is_over = model.is_replay or board.phase in (Phase.STOPPING, Phase.FINISHED)
    if action.group == "Time":
        return model.time.history is not None and (action.name != "now" or model.is_back)
    match action.name:
        case "pause or go" | "hold agent" | "hold mode":
            return not is_over and board.phase is not Phase.DONE
        case "continue" | "step over" | "step into" | "step out" | "run until here":
            return not is_over and board.phase is not Phase.DONE
        case "clear breakpoints" | "switch breakpoints":
            return not is_over and bool(board.stops.breakpoints.by_number)
        case name if name.startswith("break ") or name in ("breakpoint", "log point"):
            return not is_over
        case "scope" | "scope agent":
            return not model.is_replay and len(board.agents) > 1
        case "scope filter":
            return not model.is_replay and model.outline.is_narrowed
        case "scope all":
            return not model.scope.is_all
        case "compare":
            return bool(board.instances)
        case "first failure":
            return bool(len(board.all_failures) or len(board.agent_clusters))
        case "failed only":
            return bool(board.failures or model.outline.failed_only or len(board.agent_clusters))
        case "rerun failed":
            return not is_over and bool(board.undecided)
        case "rerun stale":
            return not is_over and bool(board.tally[State.STALE])
        case "skip":
            return not is_over and bool(board.undecided or board.tally[State.HELD])
        case "rerun" | "rerun menu" | "edit" | "edit variable":
            return not is_over
        case (
            "rerun item" | "rerun job" | "rerun agent" | "rerun stage" | "rerun from here" | "rerun with inputs of then"
        ):
            return not is_over and board.phase in (Phase.RUNNING, Phase.DONE)
        case "back to stage":
            return not is_over and board.current_stage is not None
        case "unset variable":
            return not is_over and bool(model.variables.values)
        case "edit arguments":
            return not is_over and bool(board.undecided or board.tally[State.HELD])
        case "keep":
            return not (model.is_replay or standing.is_read_only) and bool(model.by_hand.offer())
        case "changed variables":
            return bool(board.seq)
        case "evaluate" | "add watch":
            return standing.is_answered and not is_over
        case "remove watch":
            return bool(model.watches.items)
        case "skip the lesson":
            return model.lesson is not None and not model.lesson.is_skipped
        case "ask" | "shell":
            return standing.is_answered and board.phase is not Phase.FINISHED and not model.is_replay
        case "take control":
            return standing.has_rivals and not standing.has_control and not model.is_replay
        case "only watch":
            return standing.has_rivals and standing.has_control and not model.is_replay
        case "edit scenario" | "more of the log":
            return not model.is_replay
        case "reload now" | "check scenario" | "what an edit changes":
            return standing.is_answered and not is_over
        case "take edit":
            return not is_over and board.waiting_edit is not None
        case "last edit":
            return bool(board.changes or board.problems)
        case "revert scenario":
            return not is_over and bool(model.source.text)
        case "save variables":
            return bool(model.variables.values)
        case "service log":
            return standing.is_answered and not is_over and bool(board.services)
        case "doctor":
            return not model.is_replay
        case "replay":
            return board.phase is Phase.FINISHED and not model.is_replay and model.runs is not None
        case "delete run" | "compare runs":
            return model.runs is not None
    return True


def is_askable(verb: Verb, model: Model, standing: Standing) -> bool:
    """Whether a verb can be asked of the run as it stands; what it answers then is its own matter."""
    if model.is_replay or not standing.is_answered or model.board.phase is Phase.FINISHED:
        return False
    if verb.request is TakeControl:
        return standing.has_rivals and not standing.has_control
    if verb.request is OnlyWatch:
        return standing.has_rivals and standing.has_control
    return not (verb.needs_control and standing.is_read_only)
