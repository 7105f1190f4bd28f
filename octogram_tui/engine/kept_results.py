"""What the latest attempts gave, for who asks: as much as has its place, and the oldest gives way."""

from __future__ import annotations

from collections import deque

from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

MOST_RESULTS = 2000
MOST_CHARS = 16 << 20


class KeptResults:
    """What attempts gave, and what they failed of, in the order of their ends.

    There is one for every attempt, and hardly anybody asks: taking in is what has to be cheap, and finding is not.
    """

    def __init__(self) -> None:
        self._kept: deque[tuple[InstanceId, Value, Failure | None, int]] = deque()  # how large each is: -1, too large
        self._chars = 0

    def keep(self, id_: InstanceId, result: Value, failure: Failure | None) -> None:
        """Take the latest in."""
        chars = 0
        for part in result.values() if type(result) is dict else (result,):
            if type(part) is str or isinstance(part, (str, list, dict)):
                chars += len(part)
        if chars > MOST_CHARS:
            result, failure, chars = None, None, -1
        self._kept.append((id_, result, failure, chars))
        self._chars += max(0, chars)
        while self._chars > MOST_CHARS or len(self._kept) > MOST_RESULTS:
            self._chars -= max(0, self._kept.popleft()[3])

    def find(self, id_: InstanceId) -> tuple[Value, Failure | None] | None:
        """Give that of an instance's latest attempt; None when it gave nothing yet, or that is kept no more."""
        for known, result, failure, chars in reversed(self._kept):
            if known == id_:
                return (result, failure) if chars >= 0 else None
        return None
