"""Programs that the agent has started: their pipes, their exit, the trees that they become."""

from __future__ import annotations

import errno
import os
import time

from octogram_agentd import faults, signals
from octogram_agentd.kernel import Bell, Future, Kernel
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.processes.brand import brand
from octogram_agentd.processes.membership import (
    GUARD,
    MARK,
    Ending,
    Everything,
    Looks,
    Stranded,
    Tree,
    look_below,
    look_everywhere,
    staying_in,
    ticks,
)
from octogram_agentd.processes.prctl import become_subreaper
from octogram_agentd.processes.record import Record, read_earlier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

    Sink = Callable[[str, bytes], None]  # stream, data; no data: the stream's end

READ_BYTES = 65536
UNPROVEN = "killed together with its guard: what hid from both may be left"
EARLIER_BRANDS = 8  # that are kept; the lowest is the one that says that there was none
MOST_HELD = 8  # the latest programs of whose output we hold the ends that they write to
RESERVED = 8  # of the descriptors, that no program is started with: whoever is to be ended has to be looked at
LEAVING_S = 2.0  # how long the guard of a killed daemon may take to see that another one has come
HELD_PIPE_S = 2.0  # how long a grandchild that holds the output open may keep back the result


class Child:
    """One program: `ended` gives its exit status, `drained` comes when its output is complete too.

    The ends of its output that it writes to may be held here too, until it has ended: that it has closed them, a moment
    before it is gone, would wake us twice for nothing.
    """

    __slots__ = (
        "_held_timer",
        "_kernel",
        "_readers",
        "_sink",
        "_stdin",
        "_stdin_rest",
        "_writers",
        "drained",
        "ended",
        "exit_code",
        "mark",
        "number",
        "pid",
    )

    def __init__(
        self, kernel: Kernel, number: int, pid: int, mark: str, readers: Dict[int, str], writers: List[int], sink: Sink
    ) -> None:
        self.number = number
        self.pid = pid
        self.mark = mark
        self.exit_code: Optional[int] = None
        self.ended = Future(kernel)
        self.drained = Future(kernel)
        self._kernel = kernel
        self._readers = readers
        self._writers = writers
        self._sink = sink
        self._stdin = -1
        self._stdin_rest = b""
        self._held_timer: Any = None
        for fd in readers:
            os.set_blocking(fd, False)
            kernel.watch(fd, lambda fd=fd: self._read(fd))  # type: ignore[misc]

    def let_go(self) -> None:
        """Hold the ends of its output no longer."""
        writers = self._writers
        while writers:
            os.close(writers.pop())

    def feed(self, fd: int, data: bytes) -> None:
        """Write to its standard input, then close it."""
        self._stdin, self._stdin_rest = fd, data
        self._write()

    def _write(self) -> None:
        try:
            while self._stdin_rest:
                self._stdin_rest = self._stdin_rest[os.write(self._stdin, self._stdin_rest) :]
        except BlockingIOError:
            self._kernel.watch(self._stdin, on_write=self._write)
            return
        except OSError:
            pass  # it does not want to read any more
        self._kernel.unwatch(self._stdin)
        os.close(self._stdin)
        self._stdin = -1

    def _read(self, fd: int) -> bool:
        """Take what is there; whether there may be more."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self._sink(self._readers[fd], data)
            return True
        self._kernel.close_watched(fd)
        self._sink(self._readers.pop(fd), b"")
        if not self._readers:
            self._settle()
        return False

    def exited(self, status: int) -> None:
        """Take the wait status of the leader, once."""
        self.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        self.let_go()
        if self._stdin >= 0:
            self._stdin_rest = b""
            self._write()
        for fd in list(self._readers):  # what it wrote last is in the pipe already
            for _ in range(16):
                if not self._read(fd):
                    break
        if not self.drained.is_done:
            self._settle()
        self.ended.set(self.exit_code)

    def _settle(self) -> None:
        if self.exit_code is None or self.drained.is_done:
            return
        if not self._readers:
            if self._held_timer is not None:
                self._held_timer.cancel()
            self.drained.set()
        elif self._held_timer is None:
            self._held_timer = self._kernel.later(HELD_PIPE_S, self.drained.set)


class Processes:
    """All of them. There is one: it reaps every child that this process gets."""

    def __init__(self, kernel: Kernel, place: str, root: str) -> None:
        self._place = place  # what the marks of all daemons of our directory begin with; ends in `/`
        self._root = root
        self._earlier = read_earlier(root)
        self._record = Record(root)
        self.mark = "%s%s/" % (place, os.urandom(4).hex())  # what ours begin with
        self.changed = Bell(kernel)
        self._kernel = kernel
        self._children: Dict[int, Child] = {}
        self._count = 0
        self._is_prepared = False
        self._held: Dict[int, Child] = {}  # the latest
        self._least_scarce = 0  # the first of the descriptors that are reserved
        self._endings: Dict[str, Ending] = {}
        self._longest_grace_s = float("inf")
        self._is_reaper = True
        self._looks = Looks(look_below, kernel.soon)

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        sink: Sink,
        stdin: Optional[bytes] = None,
        owner: str = "",
    ) -> Child:
        """Start a program; `owner` names what its mark is grouped under. Raises ProcedureFailed `not_started`."""
        if not self._is_prepared:
            self._prepare()
        self._count += 1
        mark = "%s%s/%d" % (self.mark, owner, self._count)
        marked = dict(env)
        marked[MARK] = mark
        opened: List[int] = []
        try:
            opened = self._pipes(2 if stdin is None else 3)
            actions = [(os.POSIX_SPAWN_DUP2, opened[1], 1), (os.POSIX_SPAWN_DUP2, opened[3], 2)]
            if stdin is not None:
                actions.append((os.POSIX_SPAWN_DUP2, opened[4], 0))
            pid = self._launch(list(argv), cwd, marked, actions)
        except OSError as error:
            _close(opened)
            raise ProcedureFailed(
                "cannot start %s: no pipe: %s" % (argv[0], error.strerror),
                kind="not_started",
                hint="what runs here has as many files open as it may: see ulimit -n",
                errno=error.errno,
            ) from None
        except BaseException:  # also a number where a text belongs, in a procedure of the user's
            _close(opened)
            raise
        readers = {opened[0]: "stdout", opened[2]: "stderr"}
        child = Child(self._kernel, self._count, pid, mark, readers, [opened[1], opened[3]], sink)
        self._children[pid] = child
        self._held[pid] = child
        if len(self._held) > MOST_HELD:
            self._held.pop(next(iter(self._held))).let_go()
        self._looks.forget()
        if stdin is not None:
            os.close(opened[4])
            os.set_blocking(opened[5], False)
            child.feed(opened[5], stdin)
        return child

    def _pipes(self, count: int) -> List[int]:
        """Open pipes, and hold nobody's output where there are too few descriptors for that. Raises OSError."""
        while True:
            opened: List[int] = []
            try:
                for _ in range(count):
                    opened += os.pipe2(os.O_CLOEXEC)
                if max(opened) < self._least_scarce:
                    return opened
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            except OSError:
                _close(opened)
                if not self._held:
                    raise
                self._let_go()

    def _let_go(self) -> None:
        while self._held:
            self._held.popitem()[1].let_go()

    def _launch(self, argv: List[str], cwd: str, env: Mapping[str, str], actions: List[Tuple[int, int, int]]) -> int:
        """Start a program and put it on record."""
        self._record.prepare()
        faults.hit("agent.spawn.before")
        since = ticks()
        pid = self._program(argv, cwd, env, actions, self._files)
        faults.hit("agent.spawn.after")
        self._record.started(self._count, pid, since)
        return pid

    def prepare(self) -> None:
        """Load what starting a program needs."""
        from octogram_agentd.processes.launch import launch

        self._program = launch

    def _prepare(self) -> None:
        """What only a daemon that starts something needs."""
        from octogram_agentd.open_files import OpenFiles

        self.prepare()
        if not become_subreaper():
            self._is_reaper = False  # orphans are not below us then, and only the mark tells
            self._looks = Looks(look_everywhere, self._kernel.soon)
        earlier = self._earlier
        before = earlier.brands if earlier is not None and earlier.is_of_this_boot else set()
        self._record.brands = [brand(), *sorted(before)[:EARLIER_BRANDS]]
        self._files = OpenFiles()
        self._least_scarce = self._files.most - min(RESERVED, self._files.most // 8)
        self._kernel.on_child_exit(self.reap)
        self._is_prepared = True

    def reap(self) -> None:
        """Take every exit status that there is, of adopted grandchildren too."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                child = self._children.pop(pid, None)
                if child is not None:
                    self._held.pop(pid, None)
                    self._record.ended(child.number)
                    child.exited(status)
        except ChildProcessError:
            pass
        self.changed.ring()

    def tree(self, child: Child) -> Tree:
        """Give what a program has become. Only before its leader is reaped does its number say anything."""
        return Tree(child.mark, (child.pid,), self._looks)

    async def end(self, child: Child, stop_signal: int, grace_s: float) -> List[Dict[str, Any]]:
        """End a program's whole tree; what could not be ended."""
        return await self._end(child.mark, self.tree(child), stop_signal, grace_s)

    async def end_owner(self, owner: str, stop_signal: int, grace_s: float) -> List[Dict[str, Any]]:
        """End all that was started under an owner's name."""
        mark = "%s%s/" % (self.mark, owner)
        leaders = [child.pid for child in self._children.values() if child.mark.startswith(mark)]
        return await self._end(mark, Tree(mark, leaders, self._looks), stop_signal, grace_s)

    async def end_everything(self, stop_signal: int, grace_s: float) -> List[Dict[str, Any]]:
        """End whatever descends from this process."""
        if not self._is_prepared:
            return []
        everything = (Everything if self._is_reaper else Tree)(self.mark, (), self._looks)
        return await self._end("", everything, stop_signal, grace_s)

    @property
    def has_stranded(self) -> bool:
        """Whether an earlier daemon of this directory was killed together with its guard."""
        return self._earlier is not None

    async def end_stranded(self) -> List[Dict[str, Any]]:
        """End what an earlier daemon left behind; what could not be ended, and that there may be more.

        Who has lost its mark and is still at home there may as well be a person's shell: it is told of, and left alone.
        """
        earlier = self._earlier
        if earlier is None or not earlier.is_of_this_boot:
            return []
        stranded = Stranded(self._place, self.mark, earlier.known, earlier.brands)
        remaining = await self._end("stranded", stranded, signals.KILL, 0.0)
        told = {one["pid"] for one in remaining}
        ends_s = time.monotonic() + LEAVING_S
        while True:
            strangers = [seen for seen in staying_in(self._root) if seen.pid not in told]
            if not any(seen.name == GUARD for seen in strangers) or time.monotonic() > ends_s:
                break  # the guard of a daemon that was killed leaves when it sees that somebody has come
            await self.changed.wait(0.02)
        remaining += [{"pid": seen.pid, "name": seen.name, "state": seen.state} for seen in strangers]
        if 0 in earlier.brands:
            remaining.append({"pid": earlier.pid, "name": "agentd", "state": UNPROVEN})
        return remaining

    def kill_what_is_below(self) -> None:
        """Kill every descendant at once: the last resort, when ending them in order has failed."""
        self._let_go()
        try:
            below = look_below()
        except OSError:
            return  # the guard does it when we are gone
        for seen in below.values():
            try:
                os.kill(seen.pid, signals.KILL)
            except OSError:
                pass

    def limit_grace(self, grace_s: float) -> None:
        """Give nothing more than so much grace from now on; shortens what is under way too."""
        self._longest_grace_s = min(self._longest_grace_s, grace_s)
        for ending in self._endings.values():
            ending.hurry(grace_s)

    async def _end(self, name: str, tree: Tree, stop_signal: int, grace_s: float) -> List[Dict[str, Any]]:
        self._let_go()  # to look takes descriptors
        ending = Ending(tree, self.changed, time.monotonic)
        self._endings[name] = ending
        try:
            remaining = await ending.run(stop_signal, min(grace_s, self._longest_grace_s))
        finally:
            if self._endings.get(name) is ending:
                del self._endings[name]
        if self._is_prepared:
            self.reap()  # who was seen dead may not be taken yet, and is gone before that is told
        return remaining


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
