"""What the latest attempts gave, for who asks: as much as has its place, and the oldest gives way."""

from __future__ import annotations

from collections import OrderedDict

from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

MOST_RESULTS = 2000
MOST_CHARS = 16 << 20


class KeptResults:
    """By instance, what its latest attempt gave, and what it failed of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[InstanceId, tuple[Value, Failure | None, int]] = OrderedDict()
        self._chars = 0

    def keep(self, id_: InstanceId, result: Value, failure: Failure | None) -> None:
        """Take the latest in."""
        self.drop(id_)
        parts = result.values() if isinstance(result, dict) else (result,)
        chars = sum(len(part) for part in parts if isinstance(part, (str, list, dict)))
        if chars > MOST_CHARS:
            return
        self._kept[id_] = result, failure, chars
        self._chars += chars
        while len(self._kept) > MOST_RESULTS or self._chars > MOST_CHARS:
            _, (_, _, size) = self._kept.popitem(last=False)
            self._chars -= size

    def drop(self, id_: InstanceId) -> None:
        """Forget that of an instance."""
        known = self._kept.pop(id_, None)
        if known is not None:
            self._chars -= known[2]

    def find(self, id_: InstanceId) -> tuple[Value, Failure | None] | None:
        """Give it; None when it gave nothing yet, or that is kept no more."""
        known = self._kept.get(id_)
        return None if known is None else known[:2]
