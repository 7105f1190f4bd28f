"""The page octogram_tui/STATES.md, made from the tables in engine/states.py: which states there are, and every move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from octogram_tui.engine.states import AGENT_MOVES, BEGUN, IN_FLIGHT, INSTANCE_MOVES, PHASE_MOVES

State = TypeVar("State", bound=str)

_INTRODUCTION = """# States and moves

<!-- Written by `make docs` from octogram_tui/engine/states.py: edit that. -->

Nothing in the engine changes a state but by a move of these tables; any other is a defect, and says so. The instances
that are not done are one table (`engine/instances.py`), whose indexes and counts change with the move and nowhere else.

## A job instance

Begun and not done, so that a sequential job waits for it: {begun}. Counted by `max_concurrency`: {in_flight}.
"""


def page() -> str:
    """Give the text of the page."""
    parts = [_INTRODUCTION.format(begun=_listed(BEGUN), in_flight=_listed(IN_FLIGHT)), _diagram(INSTANCE_MOVES)]
    parts += ["| from | to | because |", "| --- | --- | --- |"]
    parts += [f"| {old} | {new} | {why} |" for old, moves in INSTANCE_MOVES.items() for new, why in moves.items()]
    parts += ["", "## An agent", "", _diagram(AGENT_MOVES), "", "## The run", "", _diagram(PHASE_MOVES)]
    return "\n".join(parts) + "\n"


def _listed(states: Iterable[str]) -> str:
    return ", ".join(state for state in INSTANCE_MOVES if state in set(states))


def _diagram(table: Mapping[State, Iterable[State]]) -> str:
    """Draw the moves in the language that code hosts draw diagrams from."""
    moves = {str(old): [str(new) for new in targets] for old, targets in table.items()}
    names = list(moves)
    arrows = [f"    {old} --> {new}" for old, targets in moves.items() for new in sorted(targets, key=names.index)]
    ends = [f"    {old} --> [*]" for old, targets in moves.items() if not targets]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {names[0]}", *arrows, *ends, "```", ""])
