"""`agentd start`: has the daemon's program loaded, and forks an agent's daemon for each connection that it gets.

Whoever connects says in one line what to do, as the words of a command line; from then on the connection is the
daemon's. Where to connect is printed in one line. It has no name in any directory: the socket's file is gone as soon as
there is one, and our own descriptor of it leads there. So whatever is killed when, nothing is left behind.
"""

from __future__ import annotations

import _socket
import gc
import os
import select
import sys
import time

from octogram_agentd.daemon.attach import AFTER_END_S, BUSY_S, attach, become
from octogram_agentd.daemon.door import peer_uid
from octogram_agentd.wire.lines import WireError, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

IDLE_S = 300.0  # without a connection: whoever may still come finds another way
ORDER_S = 30.0  # for whoever has connected to say what to do
MOST_ORDER_BYTES = 64 * 1024
WAITING = 1024  # connections that were not accepted yet
BASES = ("/dev/shm", "/tmp", "/var/tmp")
FIRST_NEEDED = (
    "octogram_agentd.daemon.guard",
    "octogram_agentd.daemon.daemon",
    "octogram_agentd.kernel",
    "octogram_agentd.jobs.agent_context",
    "octogram_agentd.open_files",
    "octogram_agentd.procedures.builtin.running",
    "octogram_agentd.processes.launch",
    "octogram_agentd.processes.supervised",
    "fcntl",
    "resource",
    "_ctypes",
)
"""What every daemon needs at once, and what its first job most likely does."""


def start(build: str, compiled: str) -> int:
    """Fork daemons until standard input ends; gives the exit status.

    compiled: as what the program is to be kept as code when nobody comes for a while, see keeping.py; empty: it is not.
    """
    os.umask(0o077)
    for module in FIRST_NEEDED:
        __import__(module)
    try:
        listener, place = _listen()
    except OSError as error:
        sys.stderr.write("agentd: nobody can connect: %s\n" % (error.strerror or error))
        return 1
    os.write(1, encode({"t": "starter", "at": place}))
    gc.collect()
    gc.freeze()  # what is there is shared with all that are forked, as long as nobody touches it
    ready = select.poll()
    for fd in (0, listener.fileno()):
        ready.register(fd, select.POLLIN)
    while True:
        came = ready.poll((BUSY_S if compiled else IDLE_S) * 1000)
        _reap()
        if not came and compiled:
            _keep(listener, compiled)
            compiled = ""
            continue
        if not came or any(fd == 0 for fd, _ in came):
            break
        try:
            _fork(listener, build)
        except OSError:
            pass  # whoever connected is gone already, or no process can be made: it finds another way
    if compiled:
        from octogram_agentd.keeping import keep

        until_s = time.monotonic() + AFTER_END_S
        keep(compiled, lambda: time.monotonic() < until_s)
    return 0


def _listen() -> Tuple[_socket.socket, str]:
    """Listen, and tell where that is for whoever is us. Raises OSError."""
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    for base in (*BASES, os.environ.get("HOME") or "/"):
        directory = "%s/.octogram-%s" % (base, os.urandom(8).hex())
        try:
            os.mkdir(directory, 0o700)
        except OSError:
            continue
        path = directory + "/s"
        try:
            listener.bind(path)
            listener.listen(WAITING)
            fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            return listener, "/proc/%d/fd/%d" % (os.getpid(), fd)
        except OSError:
            pass
        finally:
            if os.path.lexists(path):
                os.unlink(path)
            os.rmdir(directory)
    raise OSError(2, "no directory where a socket can be made")


def _keep(listener: _socket.socket, compiled: str) -> None:
    """Have the program kept as code by a process of its own, which is in nobody's way."""
    us = os.getpid()
    try:
        if os.fork():
            return
    except OSError:
        return  # the next start may do it
    try:
        listener.close()
        from octogram_agentd.keeping import keep

        keep(compiled, lambda: os.getppid() == us)
    finally:
        os._exit(0)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _fork(listener: _socket.socket, build: str) -> None:
    """Leave whoever has connected to a process of its own. Raises OSError."""
    fd, _address = listener._accept()  # type: ignore[attr-defined]
    peer = _socket.socket(fileno=fd)
    if peer_uid(peer) == os.getuid() and os.fork() == 0:
        try:
            listener.close()
            _serve(peer, build)
        finally:
            os._exit(1)
    peer.close()


def _serve(peer: _socket.socket, build: str) -> None:
    """Do what is ordered. Where that cannot be done nothing is said of why: who ordered it tries another way."""
    order = _read_order(peer)
    null = os.open(os.devnull, os.O_RDWR)
    for fd, target in ((peer.fileno(), 0), (peer.fileno(), 1), (null, 2)):
        os.dup2(fd, target)
    peer.close()
    _be_shown_as("agentd", "attach", "--run", str(order["run"]), "--agent", str(order["agent"]))
    os.write(1, ('OCTO %s {"need":false}\n' % order["nonce"]).encode())
    attach(str(order["run"]), str(order["agent"]), "", build, False, begin=become)


def _read_order(peer: _socket.socket) -> Dict[str, Any]:
    """Read a line; nothing follows it before it is answered. Raises OSError and WireError."""
    peer.settimeout(ORDER_S)
    line = b""
    while not line.endswith(b"\n"):
        data = peer.recv(MOST_ORDER_BYTES)
        line += data
        if not data or len(line) > MOST_ORDER_BYTES:
            raise WireError("no order came")
    peer.settimeout(None)
    return decode(line)


def _be_shown_as(*words: str) -> None:
    """Have lists of processes show these words instead of our command line, as far as there is room for them."""
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[45]), int(fields[46])  # where the kernel reads the command line from
        text = "".join(word + "\0" for word in words).encode("utf-8", "replace")[: end - start - 1]
        fd = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        os.pwrite(fd, text.ljust(end - start, b"\0"), start)
        os.close(fd)
    except (OSError, IndexError, ValueError):
        pass
