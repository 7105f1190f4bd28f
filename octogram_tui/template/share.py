"""How much a template may look through in the process that asks for it; what needs more is evaluated apart (bound.py).

What is evaluated here consists of operations that each take time and memory as what they look through, and they are as
many as the template is long (cheap.py): so counting what is looked through bounds it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from octogram_tui.template.scope import VisibleVariables

SHARE = 200_000
AN_ELEMENT = 8
A_CALL = 4
A_TURN = 20
_SCALARS = frozenset((int, float, bool, type(None)))


class Larger(Exception):
    """What a template looks through is more than is done here: not a failure, it is evaluated apart."""


class Share:
    """What is left of it to the evaluation under way: a character is one, a number or a place in a list is more."""

    __slots__ = ("is_lifted", "left")

    def __init__(self) -> None:
        self.is_lifted = False  # in a process that is bounded itself
        self.left = SHARE

    def start(self) -> None:
        """Begin an evaluation."""
        self.left = SHARE

    def weigh(self, value: Any) -> Any:
        """Count what an operation has to look through, and hand it on. Raises Larger."""
        kind = type(value)
        if kind is str:
            self.left -= len(value)
            if self.left < 0 and not self.is_lifted:
                raise Larger
            return value
        if kind in _SCALARS or self.is_lifted:
            return value
        if isinstance(value, str):
            self.take(len(value))
        elif kind is list or kind is dict or kind is tuple:
            self._weigh_all(value)
        elif kind is VisibleVariables or hasattr(value, "__iter__"):
            raise Larger
        return value

    def turns(self, values: Iterable[Any]) -> Iterable[Any]:
        """Count the turns of a loop as it takes them."""
        if self.is_lifted:
            return values
        return _SizedTurns(self, values) if hasattr(values, "__len__") else _Turns(self, values)

    def take(self, size: int) -> None:
        """Count. Raises Larger."""
        self.left -= size
        if self.left < 0 and not self.is_lifted:
            raise Larger

    def _weigh_all(self, value: Any) -> None:
        left = self.left
        ahead = [value]
        while ahead:
            each = ahead.pop()
            kind = type(each)
            if isinstance(each, str):
                left -= len(each)
            elif kind is list or kind is tuple:
                left -= len(each) * AN_ELEMENT
                if left >= 0:
                    ahead.extend(each)
            elif kind is dict:
                left -= len(each) * AN_ELEMENT
                if left >= 0:
                    ahead.extend(each)
                    ahead.extend(each.values())
            elif kind not in _SCALARS:
                raise Larger
            if left < 0:
                raise Larger
        self.left = left


class _Turns:
    """What a loop goes through."""

    __slots__ = ("_share", "_values")

    def __init__(self, share: Share, values: Iterable[Any]) -> None:
        self._share = share
        self._values = values

    def __iter__(self) -> Iterator[Any]:
        share = self._share
        for value in self._values:
            share.left -= A_TURN
            if share.left < 0:
                raise Larger
            yield value


class _SizedTurns(_Turns):
    """The same for what has a length, so that `loop.length` needs no copy."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._values)  # type: ignore[arg-type]


OF_THIS_PROCESS = Share()
