"""What an agent is at as a stack: item, job and stage, each at its line; below it what else it has under way."""

from __future__ import annotations

from typing import Any, NamedTuple

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.messages import RequestFailed
from octogram_tui.dap.sources import Sources
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row, RowKey
from octogram_tui.projection.text import safe
from octogram_tui.tui.format import LOOKS
from octogram_tui.tui.model import line_of

NAME_CHARACTERS = 200
LOUD = (State.FAILED, State.LOST, State.HELD, State.RETRYING, State.RUNNING)
"""What an agent is at, the most telling first."""
_ENDED_WELL = (State.OK, State.TOLERATED, State.SKIPPED, State.STALE)


class Frame(NamedTuple):
    """A place on an agent's stack, by name: it stays what it is while the run goes on, and at each of its moments."""

    agent: str
    key: RowKey


class Frames:
    """Numbers for frames, which are given once and kept."""

    def __init__(self, debuggee: Debuggee, sources: Sources) -> None:
        self._debuggee = debuggee
        self._sources = sources
        self._numbers: dict[Frame, int] = {}
        self._frames: list[Frame] = []

    def find(self, number: int) -> Frame:
        """Give the frame of a number. Raises RequestFailed."""
        if not 1 <= number <= len(self._frames):
            raise RequestFailed(f"there is no frame {number}")
        return self._frames[number - 1]

    def row(self, frame: Frame) -> Row | None:
        """Give the row that a frame stands for, as it is at the moment that is looked at."""
        return self._debuggee.model.board.row(frame.key)

    def top(self, agent: str) -> InstanceRow | None:
        """Give what an agent is at: what failed, is held or runs, of the stage that runs; else what it did last."""
        board = self._debuggee.model.board
        known = board.agents.get(agent)
        stage = board.current_stage
        if known is None:
            return None
        mine = [row for row in known.instances if row.stage is stage] if stage is not None else []
        for state in LOUD:
            for row in mine:
                if row.state is state:
                    return row
        return next((row for row in reversed(mine) if row.last is not None), known.current)

    def stack(self, agent: str) -> list[Frame]:
        """Give an agent's stack, the innermost first; one frame at least, where the run has a stage."""
        board = self._debuggee.model.board
        top = self.top(agent)
        if top is None:
            stage = board.current_stage or next(iter(board.stages), None)
            return [Frame(agent, stage.key)] if stage is not None else []
        found = self._nest(agent, top)
        for row in board.agents[agent].instances:
            if row is not top and row.stage is top.stage and row.state in LOUD:
                found.append(Frame(agent, row.key))
        return found

    def _nest(self, agent: str, row: InstanceRow) -> list[Frame]:
        keys: list[RowKey] = [row.key]
        if row.parent.kind is Kind.AGENT:
            keys.append(row.parent.key)
        return [Frame(agent, key) for key in (*keys, row.stage.key)]

    def written(self, agent: str, first: int, count: int) -> dict[str, Any]:
        """Write a part of an agent's stack as the protocol has it. count: 0 for all the rest."""
        frames = self.stack(agent)
        until = first + count if count else len(frames)
        top = self.top(agent)
        return {
            "stackFrames": [self._written(frame, top) for frame in frames[first:until]],
            "totalFrames": len(frames),
        }

    def _written(self, frame: Frame, top: InstanceRow | None) -> dict[str, Any]:
        number = self._numbers.get(frame)
        if number is None:
            self._frames.append(frame)
            number = self._numbers[frame] = len(self._frames)
        row = self.row(frame)
        is_beside = isinstance(row, InstanceRow) and row is not top
        told: dict[str, Any] = {
            "id": number,
            "name": "" if row is None else frame_name(row),
            "line": 0,
            "column": 0,
            "canRestart": row is not None and not self._debuggee.is_over and self._may_restart(row),
        }
        line = line_of(row)
        if line:
            told |= {"source": self._sources.written(), "line": self._sources.positions.line_out(line)}
            told["column"] = self._sources.positions.column_out(1)
        if is_beside or top is None:
            told["presentationHint"] = "subtle"
        return told

    def _may_restart(self, row: Row) -> bool:
        """Whether it has run, at least in part."""
        if isinstance(row, InstanceRow):
            return row.last is not None
        return row.started_s is not None


def frame_name(row: Row) -> str:
    """Say what a row is, and how it stands."""
    name = row.name if isinstance(row, Group) else row.job.name
    if isinstance(row, Group) and row.kind is Kind.STAGE:
        name = f"stage {name}"
    elif isinstance(row, Group) and row.kind is Kind.AGENT:
        name = row.above.name
    item = f" [{row.key.item}]" if isinstance(row, InstanceRow) and row.key.item is not None else ""
    again = f", attempt {row.attempt}" if isinstance(row, InstanceRow) and row.attempt > 1 else ""
    word = LOOKS[row.state].word
    return f"{safe(f'{name}{item}', limit=NAME_CHARACTERS)} ({word}{again})"
