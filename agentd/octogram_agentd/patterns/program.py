"""Tree of a regular expression -> instructions that a search follows."""

from __future__ import annotations

from octogram_agentd.patterns.syntax import Parser, PatternFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional

    from octogram_agentd.patterns.syntax import Node

MAX_PROGRAM = 5000

CHAR, SPLIT, SAVE, WHERE, MATCH = range(5)
"""A character that passes a test; two ways, the better one first; a place to remember; a place to be at; the end."""


class Program:
    """Instructions: what each does, with what, and which follows. `literal` is in every text in which it is found."""

    def __init__(self, source: str) -> None:
        self.operations: List[int] = []
        self.operands: List[Any] = []
        parser = Parser(source)
        tree = parser.whole()
        self.groups = parser.groups
        self.literal = _literal(tree)
        self._cost = 0
        self._emit_node(tree)
        self._emit(MATCH, None)

    def _emit(self, operation: int, operand: Any) -> int:
        if len(self.operations) >= MAX_PROGRAM:
            raise PatternFault("it is too large", hint="repeat less, or less often")
        self.operations.append(operation)
        self.operands.append(operand)
        return len(self.operations) - 1

    def _emit_node(self, node: Node) -> None:
        self._cost += 1  # of what emits nothing too: nothing may be repeated without end
        if self._cost > 4 * MAX_PROGRAM:
            raise PatternFault("it is too large", hint="repeat less, or less often")
        kind = node[0]
        if kind in ("letter", "test"):
            self._emit(CHAR, node[2] if kind == "letter" else node[1])
        elif kind == "where":
            self._emit(WHERE, node[1])
        elif kind == "all":
            for part in node[1]:
                self._emit_node(part)
        elif kind == "group":
            self._emit(SAVE, 2 * node[1])
            self._emit_node(node[2])
            self._emit(SAVE, 2 * node[1] + 1)
        elif kind == "any":
            self._emit_any(node[1])
        else:
            self._emit_repeat(*node[1:])

    def _emit_any(self, branches: List[Node]) -> None:
        jumps = []
        for branch in branches[:-1]:
            split = self._emit(SPLIT, None)
            self._emit_node(branch)
            jumps.append(self._emit(SPLIT, None))
            self.operands[split] = (split + 1, len(self.operations))
        self._emit_node(branches[-1])
        for jump in jumps:
            self.operands[jump] = (len(self.operations),)

    def _emit_repeat(self, node: Node, least: int, most: Optional[int], is_lazy: bool) -> None:
        for _ in range(least):
            self._emit_node(node)
        splits = []
        if most is None:
            splits.append(self._emit(SPLIT, None))
            self._emit_node(node)
            self._emit(SPLIT, (splits[0],))
        else:
            for _ in range(most - least):
                splits.append(self._emit(SPLIT, None))
                self._emit_node(node)
        end = len(self.operations)
        for split in splits:
            self.operands[split] = (end, split + 1) if is_lazy else (split + 1, end)


def _literal(tree: Node) -> str:
    """Give the longest text that stands in every match, as far as that is plain to see."""
    best = run = ""
    for part in tree[1] if tree[0] == "all" else [tree]:
        run = run + part[1] if part[0] == "letter" and part[1] else ""
        best = max(best, run, key=len)
    return best
