"""Which processes belong to what was started, and how to end them all. Reads /proc; signals nobody by name.

A tree is its leader, whoever descends from it, whoever is in its session, and whoever carries its mark in the
environment. Daemons that detach are found too: the agent adopts them (child subreaper), so all are below the agent.
"""

from __future__ import annotations

import errno
import os
import time

from octogram_agentd import signals
from octogram_agentd.processes.brand import brand_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

    from octogram_agentd.kernel import Bell

    Identity = Tuple[int, int]  # process id, start time in ticks since the machine's start

MARK = "OCTOGRAM_PROCESS"
HIDDEN = "hidden"
GUARD = "octogram-guard"  # how the guard of a daemon is shown
_spared: Set[int] = set()
_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
KILL_TIME_S = 5.0  # how long to go on killing before giving up on what remains
BLIND_S = 0.01  # until the next look when one could not be taken
_BLIND = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # which say nothing of a process, only of whoever looks


class Seen:
    """One process, as /proc showed it."""

    __slots__ = ("name", "parent", "pid", "session", "start", "state", "threads")

    def __init__(self, pid: int, stat: str) -> None:
        name_end = stat.rindex(")")
        fields = stat[name_end + 2 :].split()
        self.pid = pid
        self.name = stat[stat.index("(") + 1 : name_end]
        self.state = fields[0]
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.threads = int(fields[17])
        self.start = int(fields[19])

    @property
    def is_alive(self) -> bool:
        """Whether it runs. Shown as a zombie is also one whose first thread has ended, and others go on."""
        return self.state not in "ZX" or self.threads > 1

    @property
    def identity(self) -> Identity:
        """What tells it from a later process with the same number."""
        return self.pid, self.start


def see(pid: int) -> Optional[Seen]:
    """Look at one process; None when it is gone, or dead and only not reaped yet. Raises OSError when blind."""
    try:
        with open("/proc/%d/stat" % pid, "rb", 0) as file:
            seen = Seen(pid, file.read(4096).decode("utf-8", "replace"))
    except (OSError, ValueError, IndexError) as error:
        _unless_blind(error)
        return None
    return seen if seen.is_alive else None


def _unless_blind(error: Exception) -> None:
    """Raise what only says that nothing can be opened now: taken for a sign it would leave all of them running."""
    if getattr(error, "errno", 0) in _BLIND:
        raise error


def below(root: int) -> Dict[int, Seen]:
    """Give every live process that descends from one, by process id."""
    found: Dict[int, Seen] = {}
    waiting = _children(root)
    if waiting is None:
        return _below_by_parents(root)
    visited: Set[int] = set()
    while waiting:
        pid = waiting.pop()
        if pid in visited:
            continue
        visited.add(pid)
        seen = see(pid) or _hidden(pid)
        if seen is not None:
            found[pid] = seen
        waiting.extend(_children(pid) or ())
    return found


def _hidden(pid: int) -> Optional[Seen]:
    """Give a process that is there although /proc does not show it: another user's, where it hides those (hidepid)."""
    if os.path.exists("/proc/%d" % pid):
        return None  # it has ended, and is not reaped yet
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except OSError:
        return None
    return Seen(pid, "%d (%s) %s 0 0 %d%s" % (pid, HIDDEN, HIDDEN, pid, " 0" * 16))


def _children(pid: int) -> Optional[List[int]]:
    """Give the children of all threads of a process; None when this kernel does not tell."""
    children: List[int] = []
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread), "rb", 0) as file:
                children.extend(int(word) for word in file.read(1 << 20).split())
    except OSError as error:
        _unless_blind(error)
        if error.errno == errno.ENOENT and not os.path.exists("/proc/self/task/%d/children" % os.getpid()):
            return None
    return children


def _below_by_parents(root: int) -> Dict[int, Seen]:
    everyone = all_processes()
    found: Dict[int, Seen] = {}
    grown = True
    while grown:
        grown = False
        for seen in everyone:
            if seen.pid not in found and (seen.parent == root or seen.parent in found):
                found[seen.pid] = seen
                grown = True
    return found


def all_processes() -> List[Seen]:
    """Look at every process of this machine that can be seen."""
    everyone = (see(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [seen for seen in everyone if seen is not None]


def mark_of(pid: int) -> str:
    """Give the mark in a process's environment; empty when it has none, or may not be read."""
    try:
        with open("/proc/%d/environ" % pid, "rb", 0) as file:
            environ = file.read(1 << 20)
    except OSError as error:
        _unless_blind(error)
        return ""
    start = environ.find(MARK.encode() + b"=")
    if start < 0 or (start > 0 and environ[start - 1] != 0):
        return ""
    return environ[start + len(MARK) + 1 :].split(b"\0", 1)[0].decode("utf-8", "replace")


def spare(pid: int) -> None:
    """Count a child of this daemon to nothing that was started: its guard."""
    _spared.add(pid)


def look_below() -> Dict[int, Seen]:
    """Look at all that descends from this daemon."""
    found = below(os.getpid())
    for pid in _spared:
        found.pop(pid, None)
    return found


def look_everywhere() -> Dict[int, Seen]:
    """Look at all but this daemon."""
    return {seen.pid: seen for seen in all_processes() if seen.pid != os.getpid() and seen.pid not in _spared}


class Look:
    """Who was there at one moment, by number, and by what tells whose they are."""

    __slots__ = ("_children", "_marked", "_sessions", "everyone")

    def __init__(self, everyone: Dict[int, Seen]) -> None:
        self.everyone = everyone
        self._sessions: Optional[Dict[int, List[Seen]]] = None
        self._children: Dict[int, List[Seen]] = {}
        self._marked: Optional[Dict[str, List[Seen]]] = None

    def of_session(self, leader: int) -> Sequence[Seen]:
        """Give who is in a session."""
        if self._sessions is None:
            self._sessions = {}
            for seen in self.everyone.values():
                self._sessions.setdefault(seen.session, []).append(seen)
                self._children.setdefault(seen.parent, []).append(seen)
        return self._sessions.get(leader, ())

    def children_of(self, pid: int) -> Sequence[Seen]:
        """Give the children of a process."""
        self.of_session(0)
        return self._children.get(pid, ())

    def marked(self, mark: str) -> Sequence[Seen]:
        """Give who carries a mark, or, if that ends in `/`, one that begins so."""
        if self._marked is None:
            marked: Dict[str, List[Seen]] = {}
            for seen in self.everyone.values():
                carried = mark_of(seen.pid)
                at = carried.find("/")
                while at >= 0:
                    marked.setdefault(carried[: at + 1], []).append(seen)
                    at = carried.find("/", at + 1)
                if carried and not carried.endswith("/"):
                    marked.setdefault(carried, []).append(seen)
            self._marked = marked
        return self._marked.get(mark, ())


class Looks:
    """Looks that all who end something share: a look at thousands costs as much as ending one of them.

    Each gets only such as came after its last one, and what it does upon one is done before anybody takes the next; so
    none is older than what was done by whom it is given to. look: takes one. soon: calls in the next turn.
    """

    def __init__(self, look: Callable[[], Dict[int, Seen]], soon: Callable[[Callable[[], None]], None]) -> None:
        self._look = look
        self._soon = soon
        self._first = 1  # the number of the first that is kept
        self._kept: List[Look] = []

    def after(self, number: int) -> Tuple[int, Look]:
        """Give the first kept look after one of this number, or a new one, with its number."""
        at = max(0, number + 1 - self._first)
        if at >= len(self._kept):
            if not self._kept:
                self._soon(self.forget)
            self._kept.append(Look(self._look()))
            at = len(self._kept) - 1
        return self._first + at, self._kept[at]

    def forget(self) -> None:
        """Whoever looks now has to look again: time has passed, or something was started."""
        self._first += len(self._kept)
        self._kept.clear()


class Tree:
    """The processes of one thing that was started. `leaders` may be empty: then the mark alone decides.

    `mark` ending in `/` means everything whose mark begins so.
    """

    __slots__ = ("_known", "_looks", "_number", "leaders", "mark")

    def __init__(self, mark: str, leaders: Iterable[int] = (), looks: Optional[Looks] = None) -> None:
        self._looks = looks  # None: nobody else looks
        self._number = 0  # of the last look
        self.mark = mark
        self.leaders = frozenset(leaders)
        self._known: Set[Identity] = set()

    def members(self) -> Dict[int, Seen]:
        """Look who is alive of it now. Who was seen in it once stays a member, wherever it goes."""
        look = self._next()
        members: Dict[int, Seen] = {}
        for pid in self.leaders:
            if pid in look.everyone:
                members[pid] = look.everyone[pid]
            members.update((seen.pid, seen) for seen in look.of_session(pid))
        for pid, start in self._known:
            known = look.everyone.get(pid)
            if known is not None and known.start == start:
                members[pid] = known
        members.update((seen.pid, seen) for seen in self._marked(look))
        waiting = list(members)
        while waiting:
            for seen in look.children_of(waiting.pop()):
                if seen.pid not in members:
                    members[seen.pid] = seen
                    waiting.append(seen.pid)
        self._known = {seen.identity for seen in members.values()}
        return members

    def _next(self) -> Look:
        if self._looks is None:
            return Look(self._look())
        self._number, look = self._looks.after(self._number)
        return look

    def _look(self) -> Dict[int, Seen]:
        return look_below()

    def _marked(self, look: Look) -> Iterable[Seen]:
        return look.marked(self.mark)


class Everything(Tree):
    """All that descends from this daemon, whatever it did to hide."""

    def members(self) -> Dict[int, Seen]:
        """Look who is alive."""
        return self._next().everyone


class Stranded(Tree):
    """What earlier daemons of a directory left behind when they were killed: the mark tells them from our own.

    known: who stands on record as theirs, whatever mark they carry now; brands: numbers that all of them have.
    """

    def __init__(self, place: str, ours: str, known: Iterable[Identity] = (), brands: Iterable[int] = ()) -> None:
        super().__init__(place)
        self._ours = ours
        self._brands = frozenset(brands) - {0}
        self._known = set(known)

    def _look(self) -> Dict[int, Seen]:
        return look_everywhere()

    def _marked(self, look: Look) -> Iterable[Seen]:
        return (seen for seen in look.everyone.values() if self._is_theirs(seen.pid))

    def _is_theirs(self, pid: int) -> bool:
        mark = mark_of(pid)
        if mark.startswith(self.mark) and not mark.startswith(self._ours):
            return True
        return bool(self._brands) and brand_of(pid) in self._brands


def staying_in(place: str) -> List[Seen]:
    """Look who else works in a directory, or has a file in it open: perhaps ours, with no mark left to tell."""
    ours = {os.getpid(), os.getppid(), *_spared, *look_below()}
    beginning = os.path.realpath(place) + "/"
    return [seen for seen in all_processes() if seen.pid not in ours and _stays_in(seen.pid, beginning)]


def _stays_in(pid: int, beginning: str) -> bool:
    at = "/proc/%d/" % pid
    try:
        links = [at + "cwd"] + [at + "fd/" + name for name in os.listdir(at + "fd")]
    except OSError:
        return False  # it is gone, or somebody else's
    for link in links:
        try:
            if (os.readlink(link) + "/").startswith(beginning):
                return True
        except OSError:
            pass  # closed meanwhile
    return False


def ticks() -> int:
    """Give the time since the machine's start, as /proc counts it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _TICK_NS


def send(seen: Seen, *numbers: int) -> str:
    """Signal a process if it is still the one that was seen; empty, or why it could not be done.

    Raises OSError when blind: nobody can tell then which one it is.
    """
    if seen.state == HIDDEN:
        return HIDDEN  # nobody could tell it from a later one with its number
    fd = -1
    try:
        try:
            fd = os.pidfd_open(seen.pid)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", 0) == errno.ESRCH:
                return ""
        now = see(seen.pid)
        if now is None or now.start != seen.start:
            return ""
        for number in numbers:
            if fd >= 0 and signals.send_by_descriptor is not None:
                signals.send_by_descriptor(fd, number)
            else:
                os.kill(seen.pid, number)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "EPERM"
    finally:
        if fd >= 0:
            os.close(fd)
    return ""


class Ending:
    """The ladder: a signal to every member, a grace, KILL until two looks find nobody."""

    def __init__(self, tree: Tree, on_change: Bell, clock: Callable[[], float]) -> None:
        self._tree = tree
        self._on_change = on_change  # fires when a child of ours has ended
        self._clock = clock
        self._kill_at_s = 0.0

    def hurry(self, grace_s: float) -> None:
        """Shorten the grace of an ending that is under way."""
        self._kill_at_s = min(self._kill_at_s, self._clock() + grace_s)
        self._on_change.ring()

    async def run(self, stop_signal: int, grace_s: float) -> List[Dict[str, Any]]:
        """End the tree, and give what could not be ended as {pid, name, state}."""
        self._kill_at_s = self._clock() + grace_s
        members = await self._members() or await self._members()
        if not members:
            return []
        if grace_s > 0:
            asked: Set[Identity] = set()
            began = ticks()
            pause_s = 0.004
            while members and self._clock() < self._kill_at_s:
                is_first = not asked
                for seen in members.values():
                    # /proc may leave one out while others end; what a member starts to clean up is not disturbed
                    if seen.identity not in asked and (is_first or seen.start < began):
                        try:
                            send(seen, stop_signal, signals.CONT)
                        except OSError:
                            continue  # it is asked at the next look
                    asked.add(seen.identity)
                await self._on_change.wait(min(pause_s, max(0.001, self._kill_at_s - self._clock())))
                pause_s = min(pause_s * 1.5, 0.1)
                members = await self._members()
        return await self._kill()

    async def _members(self) -> Dict[int, Seen]:
        """Look who is alive of it, as soon as that can be looked at. Raises OSError when it cannot for long."""
        until_s = self._clock() + KILL_TIME_S
        while True:
            try:
                return self._tree.members()
            except OSError:
                if self._clock() > until_s:
                    raise
            await self._on_change.wait(BLIND_S)

    async def _kill(self) -> List[Dict[str, Any]]:
        deadline_s = self._clock() + KILL_TIME_S
        empty = 0
        refused: Dict[int, str] = {}
        members: Dict[int, Seen] = {}
        while self._clock() < deadline_s:
            members = await self._members()
            empty = 0 if members else empty + 1
            if empty == 2:
                return []
            for seen in members.values():
                try:
                    why = send(seen, signals.KILL)
                except OSError:
                    why = ""
                if why:
                    refused[seen.pid] = why
            if members:
                if refused.keys() >= members.keys():
                    break
                await self._on_change.wait(0.002)
        return [
            {"pid": seen.pid, "name": seen.name, "state": refused.get(seen.pid) or seen.state}
            for seen in members.values()
        ]
