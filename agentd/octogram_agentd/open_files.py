"""How many files may be open: for us as many as the system allows, for what we start as many as we were given."""

from __future__ import annotations

import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence, Tuple

    Action = Tuple[int, int, int]

MOST = 65536


class OpenFiles:
    """The limit of this process, which is raised. Of a daemon: its standard input leads nowhere."""

    def __init__(self) -> None:
        self._given = self._ours = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._low: List[int] = []  # held for what a program is started with
        wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        try:
            self._low = [os.dup(0) for _ in range(3)]
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            self._ours = wanted, hard
        except (OSError, ValueError):
            pass  # then it has to do

    @property
    def most(self) -> int:
        """The number of the first descriptor that cannot be had."""
        return 1 << 30 if self._ours[0] == resource.RLIM_INFINITY else self._ours[0]

    def as_given(self, actions: Sequence[Action]) -> AsGiven:
        """Give what is to be entered while a program is started with such actions on its descriptors."""
        return AsGiven(self._given, self._ours, self._low, actions)


class AsGiven:
    """While it is entered the limit is what we were given; gives the actions.

    The C library starts nothing with descriptors that the limit would not let us have: those come by a low one.
    """

    def __init__(
        self, given: Tuple[int, int], ours: Tuple[int, int], low: Sequence[int], actions: Sequence[Action]
    ) -> None:
        self._given = given
        self._ours = ours
        self._low = low
        self._actions = actions
        self._used: List[int] = []

    def __enter__(self) -> Sequence[Action]:
        if self._given == self._ours:
            return self._actions
        actions = []
        for (what, fd, target), low in zip(self._actions, self._low):
            if fd >= self._given[0]:
                os.dup2(fd, low, False)
                self._used.append(low)
                fd = low
            actions.append((what, fd, target))
        resource.setrlimit(resource.RLIMIT_NOFILE, self._given)
        return actions

    def __exit__(self, *_: object) -> None:
        if self._given != self._ours:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._ours)
            for low in self._used:
                os.dup2(0, low, False)  # else nobody would ever see the end of that pipe
