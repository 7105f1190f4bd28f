"""The guard: the daemon's parent, which ends what the daemon started when the daemon cannot do it any more.

It is forked before the daemon starts anything, and all orphans among its descendants become its children: whatever a
program does to hide, environment and session scrubbed, it is below the guard once the daemon is gone. A daemon that
stands still beyond its lease is killed. Of what is left when it was killed, the directory waits for the lease's end:
somebody may come for it.
"""

from __future__ import annotations

import _socket
import os
import select
import sys
import time

from octogram_agentd import faults, signals
from octogram_agentd.daemon.home import LOCK, unlink
from octogram_agentd.daemon.pact import Pact, lease_clock
from octogram_agentd.processes.filenames import RECORD
from octogram_agentd.processes.membership import GUARD, KILL_TIME_S, Everything, Stranded, see, send, spare
from octogram_agentd.processes.prctl import become_subreaper, take_name
from octogram_agentd.processes.record import leave_word, read_earlier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from octogram_agentd.daemon.home import Home
    from octogram_agentd.processes.membership import Seen, Tree

FIRST_LEASE_S = 60.0  # until a hello says otherwise
SECOND_LOOK_S = 1.0
LOOK_S = 0.1  # how often to look whether somebody has come for the directory
LONGEST_LOOK_S = 5.0
PATIENCE_S = 2.0  # what a daemon has beyond its lease to begin to end by itself; of a short lease a quarter
ENDING_S = 10.0  # the same for each sign of life that it gives while it ends


class Tie:
    """The daemon's end of what ties it to its guard: whichever of the two ends first, the other one sees it."""

    def __init__(self, post: Post, pact: Pact, sock: _socket.socket) -> None:
        self.pact = pact
        self._post = post
        self._sock = sock

    def again(self) -> None:
        """Get a new guard, in place of one that was killed. Raises OSError."""
        self._sock.close()
        self._sock = _relieve(self._post, self.pact)

    def wake(self) -> None:
        """Have the guard look at once what was told; otherwise it sees it when it looks next."""
        try:
            self._sock.send(b"\0", _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL)
        except OSError:
            pass

    def fileno(self) -> int:
        """Give the descriptor that can be read when the guard is gone."""
        return self._sock.fileno()


class Post:
    """What a guard has to know: the directory, the mark of what is started there, who is to be outlived by nothing."""

    def __init__(self, home: Home, mark: str, parent: int) -> None:
        self.home = home
        self.mark = mark
        self.parent = parent
        self.parent_seen = see(parent) if parent else None


def under_guard(post: Post, not_ours: List[int]) -> Tie:
    """Fork. Who returns is the daemon; this process becomes its guard, and closes `not_ours`."""
    pact = Pact(post.home.root)
    pact.tell(lease_clock() + FIRST_LEASE_S + PATIENCE_S)
    ours, theirs = _tied(post.home.lock_fd)
    is_reaper = become_subreaper()
    guard = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.setsid()
        if os.getppid() != guard:
            os._exit(70)
        return Tie(post, pact, theirs)
    try:
        theirs.close()
        for fd in (*not_ours, post.home.lock_fd):
            os.close(fd)
        Guard(post, pact, ours, pid, is_reaper).watch()
    finally:
        os._exit(0)


def _relieve(post: Post, pact: Pact) -> _socket.socket:
    """Fork a guard that is no parent of ours: what we leave is told by its number, and not by being below it."""
    ours, theirs = _tied(post.home.lock_fd)
    daemon = os.getpid()
    pid = os.fork()
    if pid:
        spare(pid)
        ours.close()
        return theirs
    try:
        os.setsid()
        signals.wake_by(-1)
        signals.handle(signals.CHLD, signals.DEFAULT)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in (ours.fileno(), pact.fileno()):
                try:
                    os.close(int(name))
                except OSError:
                    pass  # the one that listed the directory
        Guard(post, pact, ours, daemon, False).watch()
    finally:
        os._exit(0)


def _tied(lock: int) -> Tuple[_socket.socket, _socket.socket]:
    """Give the guard's end and the daemon's.

    The lock is held for the guard by the socket that it was sent to and nobody has read: no process but the daemon is
    seen to have it, and yet it is not free before the guard is done.
    """
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    theirs.sendmsg([b"\0"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, lock.to_bytes(4, sys.byteorder))])
    return ours, theirs


class Guard:
    """One daemon's. Sleeps until the daemon ends, or has to."""

    def __init__(self, post: Post, pact: Pact, tie: _socket.socket, daemon: int, is_reaper: bool) -> None:
        self._post = post
        self._home = post.home
        self._pact = pact
        self._tie = tie
        self._daemon = daemon
        self._daemon_seen = see(daemon)
        self._is_reaper = is_reaper  # whether the daemon's orphans become ours
        self._had_record = os.path.lexists(post.home.path(RECORD))  # of one whose guard was killed with it
        take_name(GUARD)
        signals.handle(signals.TERM, self._pass_on)

    def watch(self) -> None:
        """Wait for the daemon's end; then end what is left of it."""
        self._wait()
        _until_s, _keep, is_over = self._pact.read()
        if is_over:
            return
        faults.hit("agent.guard.tree")
        is_certain, remaining = self._end_tree()
        if remaining or not is_certain:
            leave_word(self._home.root, remaining)
        else:
            unlink(self._home.path(RECORD))  # the next daemon need not look for what is left
        self._take_lock()
        if self._is_abandoned():
            _until_s, keep, _is_over = self._pact.read()
            faults.hit("agent.guard.remove")
            self._home.remove_contents(keep)
            self._home.leave(keep)

    def _pass_on(self, number: int, _frame: object) -> None:
        try:
            os.kill(self._daemon, number)
        except OSError:
            pass

    def _wait(self) -> None:
        """Wait until the daemon has ended. One that lets its time pass without a word is killed."""
        signs = select.epoll()
        signs.register(self._tie.fileno(), select.EPOLLIN | select.EPOLLET)  # nothing is read: each arrival wakes
        fd = _descriptor_of(self._daemon)
        if fd is not None:
            signs.register(fd, select.EPOLLIN)
        is_warned = False
        came: List[Tuple[int, int]] = []
        while True:
            is_word = bool(came) and fd is not None and all(each != fd for each, _events in came)
            if not is_word and self._has_ended():
                return
            left_s = self._pact.read()[0] - lease_clock()
            if left_s > 0:
                is_warned = False
                came = signs.poll(min(left_s, LONGEST_LOOK_S) + 0.001)  # the machine may sleep meanwhile: look again
            elif not is_warned:
                is_warned = True
                came = signs.poll(SECOND_LOOK_S)  # it may have slept as long as we have, with the machine
            else:
                if self._daemon_seen is not None:
                    try:
                        send(self._daemon_seen, signals.KILL)
                    except OSError:
                        pass  # in a moment
                came = signs.poll(LOOK_S)

    def _has_ended(self) -> bool:
        self._reap()
        try:
            now = see(self._daemon)
        except OSError:
            return False  # a machine without a free file: it says nothing of the daemon
        return now is None or self._daemon_seen is None or now.start != self._daemon_seen.start

    def _end_tree(self) -> Tuple[bool, List[Seen]]:
        """Kill whoever is left of the daemon, until two looks find nobody.

        Gives whether everybody could be found, and who could not be ended.
        """
        tree: Tree = Everything("")
        is_certain = not self._had_record
        if not self._is_reaper:
            record = read_earlier(self._home.root)
            if record is not None:
                tree = Stranded(self._post.mark, "none", record.known, record.brands)
                is_certain = 0 not in record.brands
        deadline_s = time.monotonic() + KILL_TIME_S
        empty = 0
        members: Dict[int, Seen] = {}
        while True:
            self._reap()
            try:
                members = tree.members()
                empty = 0 if members else empty + 1
                if empty == 2:
                    return is_certain, []
                for seen in members.values():
                    send(seen, signals.KILL)
            except OSError:
                is_blind = True
            else:
                is_blind = False
            if time.monotonic() > deadline_s:
                return is_certain and not is_blind, list(members.values())
            if members or is_blind:
                time.sleep(0.002)

    def _reap(self) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def _take_lock(self) -> None:
        """Take the lock out of the socket that kept it."""
        _data, ancillary, _flags, _address = self._tie.recvmsg(1, _socket.CMSG_SPACE(4))
        self._home.lock_fd = int.from_bytes(ancillary[0][2][:4], sys.byteorder)
        os.set_inheritable(self._home.lock_fd, False)

    def _is_abandoned(self) -> bool:
        """Wait, without the lock, until the lease is over: True, with the lock, when nobody came for the directory."""
        import fcntl

        lock = self._home.lock_fd
        path = self._home.path(LOCK)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.path.samestat(os.fstat(lock), os.stat(path)):
                    return False
            except OSError:
                return False  # another daemon has it, or it has removed all and left
            if lease_clock() >= self._pact.read()[0] or self._is_orphan():
                return True
            fcntl.flock(lock, fcntl.LOCK_UN)
            time.sleep(LOOK_S)

    def _is_orphan(self) -> bool:
        """Whether who started us, and is to be outlived by nothing, has ended."""
        if not self._post.parent:
            return False
        try:
            before, now = self._post.parent_seen, see(self._post.parent)
        except OSError:
            return False
        return before is None or now is None or now.start != before.start


def _descriptor_of(pid: int) -> Optional[int]:
    """Give what can be read when a process has ended; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
