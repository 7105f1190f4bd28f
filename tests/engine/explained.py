"""A run in memory whose events are folded as a console folds them, written and read back as a journal is."""

from __future__ import annotations

from typing import Any

from simulation import Simulation

from octogram_tui.engine.events import Event
from octogram_tui.journal import codec
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import Scenario
from octogram_tui.projection.board import Board
from octogram_tui.projection.explain import Known, explain, explain_lines
from octogram_tui.projection.reasons import Reasons
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.source import ReadText, Source, no_text
from octogram_tui.projection.tree import Node
from octogram_tui.projection.variables import Variables


class Folds:
    """What explanations are made from."""

    def __init__(self, read: ReadText = no_text) -> None:
        self.board = Board()
        self.variables = Variables()
        self.reasons = Reasons(self.board)
        self.source = Source(self.board, read)

    def apply(self, event: Event) -> None:
        """Take one event in, as a journal has it."""
        event = codec.decode(codec.encode(event))
        self.board.apply(event)
        self.variables.apply(event)
        self.source.apply(event)
        self.reasons.apply(event)

    @property
    def known(self) -> Known:
        """All of it."""
        return Known(self.board, self.variables, self.reasons, self.source, self.board.at_s)

    def row(self, name: str) -> InstanceRow:
        """Find a row; those that are sure to come are there too."""
        key = InstanceId.parse(name)
        self.board.reveal(self.board.jobs[key.stage, key.job])
        return self.board.instances[key]

    def lines(self, name: str, depth: int = 0) -> list[str]:
        """Explain a row in plain lines, without the blanks before them."""
        return [line.strip() for line in explain_lines(self.row(name), self.known, depth=depth)]

    def tree(self, name: str) -> list[Node]:
        """Explain a row."""
        return explain(self.row(name), self.known)


class Explained(Simulation):
    """A run as the console starts it, with the folds."""

    def __init__(self, given: Scenario, answer: Any = None, *, read: ReadText = no_text, **options: Any) -> None:
        self.folds = Folds(read)
        super().__init__(given, answer, **{"on_failure": "pause", "keep_alive": True, **options})

    def feed(self, stimulus: Any) -> list[Event]:
        """Fold everything at once."""
        events = super().feed(stimulus)
        for event in events:
            self.folds.apply(event)
        return events


def everything(nodes: list[Node], most: int = 3000) -> list[Node]:
    """Unfold a tree, as far as it is not endless."""
    found: list[Node] = []
    waiting = list(nodes)
    while waiting and len(found) < most:
        node = waiting.pop(0)
        found.append(node)
        waiting += node.children
    return found
