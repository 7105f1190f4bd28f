"""`agentd attach`: hands this process's standard input and output to the daemon, which it starts where there is none.

The bridge then waits until the daemon lets go. A bridge that dies takes the connection with it, never the daemon.
"""

from __future__ import annotations

import _socket
import gc
import os
import sys
import time

from octogram_agentd.daemon import birth
from octogram_agentd.daemon.door import Door, dial, listen, peer_uid
from octogram_agentd.daemon.home import JOURNAL, Home, HomeUnusable, candidates, forsake, lock, make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, NoReturn, Optional

    from octogram_agentd.daemon.daemon import Daemon
    from octogram_agentd.kernel import Kernel

    Begin = Callable[[str, int, str, str, str, int], _socket.socket]

START_TIME_S = 10.0  # for a daemon that somebody else is starting just now, or that is just leaving
BUSY_S = 0.5  # how long the machine may be busy with the start of a run: what can wait does
AFTER_END_S = 1.0  # how long a bridge may be there when the daemon has let go, once for each version of the program
NO_PROCESS = "no process can be made for the daemon: %s"
EXIT_NO_PLACE = 73
EXIT_NOT_KNOWN = 75


def attach(
    run: str,
    agent: str,
    given_root: str,
    build: str,
    watch_parent: bool,
    compiled: str = "",
    begin: Optional[Begin] = None,
) -> int:
    """Attach to the daemon of a run and agent; gives the exit status when the attachment is over.

    compiled: as what the program is to be kept as code meanwhile, see keeping.py; empty: it is not.
    begin: has a daemon begin where there is none, in a process of its own unless told otherwise.
    """
    os.umask(0o077)
    gc.disable()  # until the daemon is up: nothing of what is being loaded goes away
    parent = os.getppid() if watch_parent else 0
    try:
        roots = candidates(run, agent, given_root)
        for root in roots:
            bridge = connect(root)
            if bridge is not None:
                return _wait(bridge, compiled)
        bridge = _start(roots, run, agent, build, parent, begin or _fork)
    except HomeUnusable as error:
        sys.stderr.write("agentd: %s\n" % error)
        return EXIT_NO_PLACE
    return _wait(bridge, compiled)


def attach_again(run: str, agent: str, home: str, daemon: str, build: str, watch_parent: bool, compiled: str) -> int:
    """Attach to a daemon that was there, by its birth; gives the exit status when the attachment is over.

    Where it certainly has ended, and nobody holds its lock, a new one takes its place and its directory. Elsewhere none
    is ever started: two would be there, and the one that is not seen goes on.
    """
    os.umask(0o077)
    gc.disable()
    parent = os.getppid() if watch_parent else 0
    root = os.path.dirname(home)
    deadline_s = time.monotonic() + START_TIME_S
    try:
        while time.monotonic() < deadline_s:
            bridge = connect(root)
            if bridge is None and birth.has_ended(daemon):
                make(root)
                lock_fd = lock(root)
                if lock_fd is not None:
                    bridge = _fork(root, lock_fd, run, agent, build, parent)
            if bridge is not None:
                return _wait(bridge, compiled)
            time.sleep(0.05)  # its socket may be made again; or what it left is being ended
    except (HomeUnusable, OSError) as error:
        sys.stderr.write("agentd: %s: %s\n" % (root, getattr(error, "strerror", None) or error))
        return EXIT_NO_PLACE
    sys.stderr.write("agentd: the daemon of %s does not answer, and is not known to have ended\n" % root)
    return EXIT_NOT_KNOWN


def connect(root: str) -> Optional[_socket.socket]:
    """Hand our standard input and output to the daemon of a directory; None when there is none."""
    try:
        sock = dial(root)
    except OSError:
        return None
    if peer_uid(sock) != os.getuid():
        sock.close()
        return None
    try:
        rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1))
        sock.sendmsg([b"attach\n"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    except OSError:
        sock.close()
        return None
    return sock


def _wait(bridge: _socket.socket, compiled: str) -> int:
    """Wait until the daemon lets go; our own ends of the channel are closed, so that only the daemon's count."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    if compiled:
        _keep(bridge, compiled)
    try:
        while bridge.recv(64):
            pass
    except OSError:
        pass
    return 0


def outlast() -> None:
    """Wait for the end of the daemon that this process has started, if it did: a scheduler ends a step with its task.

    It is the guard that is waited for, which is there until all that the daemon ran has ended.
    """
    try:
        os.waitpid(-1, 0)
    except OSError:
        pass  # the daemon was there already: its own step holds it


def _keep(bridge: _socket.socket, compiled: str) -> None:
    """Keep the program as code when the run has begun, or, of a short one, when it is over."""
    _is_quiet(bridge, BUSY_S)
    from octogram_agentd.keeping import keep

    over_s: List[float] = []

    def is_wanted() -> bool:
        if not over_s and not _is_quiet(bridge, 0.0):
            over_s.append(time.monotonic() + AFTER_END_S)
        return not over_s or time.monotonic() < over_s[0]

    keep(compiled, is_wanted)


def _is_quiet(bridge: _socket.socket, seconds: float) -> bool:
    """Whether the daemon has not let go after some time."""
    try:
        bridge.settimeout(seconds)
        return bool(bridge.recv(64))
    except (BlockingIOError, TimeoutError, _socket.timeout):
        return True
    except OSError:
        return False
    finally:
        bridge.settimeout(None)


def _start(roots: List[str], run: str, agent: str, build: str, parent: int, begin: Begin) -> _socket.socket:
    """Start the daemon in the first directory that can be used; or attach to one that was started meanwhile.

    Whoever ends us meanwhile waits until there is a daemon to notice: no directory is left with nobody in it.
    """
    from octogram_agentd import signals

    ending = (signals.HUP, signals.INT, signals.TERM)
    problems = []
    for root in roots:
        deadline_s = time.monotonic() + START_TIME_S
        lock_fd = None
        try:
            while time.monotonic() < deadline_s:
                signals.hold_back(ending, True)
                try:
                    make(root)
                    lock_fd = lock(root)
                    if lock_fd is not None:
                        return begin(root, lock_fd, run, agent, build, parent)
                finally:
                    signals.hold_back(ending, False)
                bridge = connect(root)
                if bridge is not None:
                    return bridge
                time.sleep(0.01)  # another bridge is about to start it, or the last one is about to end
            problems.append("%s is locked by a daemon that does not answer" % root)
        except BlockingIOError as error:
            if lock_fd is not None:
                forsake(root)
            raise HomeUnusable(NO_PROCESS % error.strerror) from None
        except OSError as error:
            problems.append("%s: %s" % (root, error.strerror or error))
    raise HomeUnusable("no place for the agent's files: %s" % "; ".join(problems))


def _fork(root: str, lock_fd: int, run: str, agent: str, build: str, parent: int) -> _socket.socket:
    """Have the daemon begin in a process of its own; this one is its bridge."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener = _listen(root)
    if os.fork() == 0:
        ours.close()
        _be(root, lock_fd, listener, [os.dup(0), os.dup(1), theirs.detach()], run, agent, build, parent)
    os.close(lock_fd)
    listener.close()
    theirs.close()
    return ours


def become(root: str, lock_fd: int, run: str, agent: str, build: str, parent: int) -> NoReturn:
    """Be the daemon from here on, in this process: nobody waits for it as for a bridge."""
    _be(root, lock_fd, _listen(root), [os.dup(0), os.dup(1)], run, agent, build, parent)


def _listen(root: str) -> _socket.socket:
    try:
        return listen(root)  # the socket of a daemon that was killed may be there
    except OSError as error:
        raise HomeUnusable("no socket can be made in %s: %s" % (root, error.strerror)) from None


def _be(
    root: str,
    lock_fd: int,
    listener: _socket.socket,
    channel: List[int],
    run: str,
    agent: str,
    build: str,
    parent: int,
) -> NoReturn:
    """Be the daemon, and end with it."""
    status = 70
    try:
        status = _daemon(root, lock_fd, listener, channel, run, agent, build, parent)
    except BaseException as error:
        sys.stderr.write("agentd: %s: %s\n" % (type(error).__name__, error))
        sys.stderr.flush()
    finally:
        os._exit(status)


def _daemon(
    root: str,
    lock_fd: int,
    listener: _socket.socket,
    channel: List[int],
    run: str,
    agent: str,
    build: str,
    parent: int,
) -> int:
    """Be the daemon, and its guard, each in a session of its own."""
    from octogram_agentd import signals

    os.setsid()
    complaints = os.dup(2)  # of whoever waits for us, until it is sure that we are there
    _detach(os.path.join(root, JOURNAL), [*channel, lock_fd, listener.fileno(), complaints])
    for number in (signals.HUP, signals.INT, signals.PIPE, signals.TERM):
        signals.handle(number, signals.IGNORE)
    # Whoever started us may hold back some of them for good: without CHLD no job would ever be seen to end.
    signals.hold_back((signals.HUP, signals.INT, signals.TERM, signals.CHLD, signals.ALRM), False)

    from octogram_agentd.daemon.guard import Post, under_guard

    home = Home(root, lock_fd)
    try:
        tie = under_guard(Post(home, home.mark(run, agent), parent), [*channel, listener.fileno(), complaints])
    except BlockingIOError as error:
        home.never_used()
        os.write(complaints, ("agentd: %s\n" % (NO_PROCESS % error.strerror)).encode())
        return EXIT_NO_PLACE
    os.close(complaints)

    from octogram_agentd.daemon.daemon import Daemon  # not before: the guard needs nothing of it
    from octogram_agentd.kernel import Kernel

    kernel = Kernel()
    daemon = Daemon(kernel, home, tie, run, agent, build)
    daemon.attach(channel)
    door = Door(kernel, root, listener, daemon.attach)
    signals.handle(signals.TERM, lambda _number, _frame: kernel.from_thread(daemon.expire, "SIGTERM"))
    if parent:
        _watch(kernel, daemon, parent)
    gc.freeze()
    gc.enable()
    kernel.run(daemon.serve())
    door.close()
    home.leave(daemon.keep)
    if not daemon.is_guard_to_end:
        daemon.lease.over()
    return 0


def _detach(journal: str, keep: List[int]) -> None:
    """Let go of every descriptor that we inherited; what is printed by mistake goes to a file."""
    found = os.listdir("/proc/self/fd")  # before nobody hears any more that there is no such thing
    null = os.open(os.devnull, os.O_RDONLY)  # what programs inherit that are given nothing to read
    errors = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(null, 0)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    for fd in {*map(int, found), null, errors}:
        if fd > 2 and fd not in keep:
            try:
                os.close(fd)
            except OSError:
                pass  # the one that listed the directory, if it got no other use


def _watch(kernel: Kernel, daemon: Daemon, parent: int) -> None:
    """End when the process that started us has ended."""
    try:
        fd = os.pidfd_open(parent)
    except (AttributeError, OSError):
        if not os.path.exists("/proc/%d" % parent):
            daemon.expire("who started us has ended")
        else:
            kernel.later(1.0, _watch, kernel, daemon, parent)
        return

    def ended() -> None:
        kernel.unwatch(fd)
        daemon.expire("who started us has ended")

    kernel.watch(fd, on_read=ended)
