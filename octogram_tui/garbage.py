"""When the collector of reference cycles looks through memory: not while what is loaded only grows, nor at the end.

What a start loads lives as long as the process. Looking through it again and again is a tenth of the CPU of a start;
going through it a last time, so that each object's end is orderly, takes longer than all else that an end does.

What a run grows to lives as long as the run, in the main: with 10,000 agents a third of all CPU went into looking
through it again and again, half a second at a time. So what has outlived one thorough look is set aside.
"""

from __future__ import annotations

import gc

_USUAL = gc.get_threshold()
_WHILE_LOADING = 100_000
"""How many objects more than were freed there may be: more than a start makes; who never settles is looked at too."""
_OLDEST = 2
"""The generation whose look is thorough."""
_WHILE_GROWING = (10_000, 0, 0)
"""So much that is new is looked at thoroughly at once: few milliseconds, and no other look before it."""
_TIMES = 4
"""All is looked through again when so many times as much is set aside."""


class _Elders:
    """What has outlived a look is set aside, until it is some times what it was when all was looked through.

    How much it is takes long to count, so it is estimated, and counted when the estimate has reached that.
    """

    def __init__(self) -> None:
        self._estimate = gc.get_freeze_count()
        self._most = _TIMES * self._estimate

    def looked(self, phase: str, info: dict[str, int]) -> None:
        """Hear that the collector begins or ends a look."""
        if info["generation"] != _OLDEST:
            return
        is_at_all = self._estimate > self._most
        if phase == "start":
            if is_at_all and (counted := gc.get_freeze_count()) < self._most / 2:
                self._estimate = counted
            elif is_at_all:
                gc.unfreeze()
            return
        gc.freeze()
        self._estimate += 2 * _WHILE_GROWING[0]
        if is_at_all:
            self._estimate = gc.get_freeze_count()
            self._most = _TIMES * self._estimate


def put_off() -> None:
    """Hardly ever look, until `settle`: the process loads its program."""
    gc.set_threshold(_WHILE_LOADING, *_USUAL[1:])


def settle() -> None:
    """Look as usual from here on, where that was put off, at what comes now: what is there stays."""
    if gc.get_threshold()[0] == _WHILE_LOADING:
        gc.freeze()
        gc.set_threshold(*_USUAL)


def settle_to_grow() -> None:
    """The same for a process that keeps most of what comes: what has outlived a thorough look is set aside."""
    if gc.get_threshold()[0] == _WHILE_LOADING:
        settle()
        gc.callbacks.append(_Elders().looked)
        gc.set_threshold(*_WHILE_GROWING)


def leave() -> None:
    """Never look again: the process ends, and the system takes its memory as a whole. What is open has been closed."""
    gc.disable()
    gc.freeze()
