"""What the latest attempt of each instance has read, by its name: all that a finished instance leaves in the engine.

So it is kept by job and agent, and there by item: of an instance only the text of its item and one place in a map are
its own. In the order of the jobs as they came, and within a job on an agent of the instances.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from octogram_tui.model.ids import InstanceId

if TYPE_CHECKING:
    from octogram_tui.engine.readings import Reading

Key = str | int | None
Items = dict[Key, "Reading"]


def _key(item: str | None) -> Key:
    """Give what an item's text is kept as: most are numbers, and a number takes half of its text's memory."""
    if item is None or not (item.isdecimal() and item.isascii()) or (item[0] == "0" and item != "0") or len(item) > 9:
        return item
    return int(item)


class KeptReadings(MutableMapping[InstanceId, "Reading"]):
    """Readings by the names of instances."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], dict[str, Reading | Items]] = {}  # by agent; without items there is one only
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, id_: InstanceId) -> Reading:
        stage, job, agent, item = id_
        found = self._of[stage, job][agent]
        if isinstance(found, dict):
            return found[_key(item)]
        if item is not None:
            raise KeyError(id_)
        return found

    def __contains__(self, id_: object) -> bool:
        return isinstance(id_, InstanceId) and self.get(id_) is not None

    def __setitem__(self, id_: InstanceId, reading: Reading) -> None:
        self.keep(id_, reading)

    def keep(self, id_: InstanceId, reading: Reading) -> bool:
        """Take the latest in; whether it is the first of its name."""
        stage, job, agent, item = id_
        there = self._of.get((stage, job))
        if there is None:
            there = self._of[stage, job] = {}
        found = there.get(agent)
        if isinstance(found, dict):
            key = _key(item)
            is_first = key not in found
            found[key] = reading
        elif item is None:
            is_first = found is None
            there[agent] = reading
        else:
            is_first = True
            there[agent] = {_key(item): reading} if found is None else {None: found, _key(item): reading}
        self._count += is_first
        return is_first

    def __delitem__(self, id_: InstanceId) -> None:
        stage, job, agent, item = id_
        there = self._of[stage, job]
        found = there[agent]
        if isinstance(found, dict):
            del found[_key(item)]
            if not found:
                del there[agent]
        elif item is None:
            del there[agent]
        else:
            raise KeyError(id_)
        self._count -= 1

    def __iter__(self) -> Iterator[InstanceId]:
        for (stage, job), there in self._of.items():
            for agent, found in there.items():
                if isinstance(found, dict):
                    for key in found:
                        yield InstanceId(stage, job, agent, str(key) if type(key) is int else key)  # type: ignore[arg-type]
                else:
                    yield InstanceId(stage, job, agent)
