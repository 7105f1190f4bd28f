"""A small HTTP server for one directory: what `builtins.start_http_server` starts, as a process of its own.

What is given out is decided in exchange.py; here is who may wait how long for it. One thread looks after everybody. A
request has to be there within HEAD_S. When all places are taken, whoever has been here longest without a request makes
room for who comes: idle and half-open connections shut nobody out. A file that is sent has to get on, at
SLOWEST_BYTES_S at least. It ends when its daemon does.
"""

from __future__ import annotations

import fcntl
import os
import resource
import selectors
import socket
import struct
import sys
import termios
import time

from octogram_agentd.cuts import beginning
from octogram_agentd.network import ports
from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.network.exchange import MAX_HEAD_BYTES, Answer, Refused, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional

MAX_CONNECTIONS = 512
HEAD_S = 10.0
GRACE_S = 0.5  # in which nobody has to make room: whoever means it has asked by then
STALL_S = 30.0
SLOWEST_BYTES_S = 1024
READY = "serving on port "
OPEN = "open"  # instead of a key: whoever comes gets every file
_LINGER_S = 1.0
_LOOK_S = 1.0  # how often deadlines are looked at
_PARENT_S = 3.0  # how often, with nothing to do, whether our daemon is there
_TURN_BYTES = 1 << 20
_SMALL_BYTES = 32 * 1024
_REFUSALS_TOLD = 20  # in a second; whoever asks without a ticket cannot fill our log


def main(argv: List[str]) -> int:
    """Serve: `serve ADDRESS[,ADDRESS] PORT DIRECTORY`, and on standard input a line: the key, or `open` for none.

    Prints one line when it is ready, then one for each request.
    """
    parent = os.getppid()
    addresses, port, directory = argv[0].split(","), int(argv[1]), argv[2]
    key = sys.stdin.readline().strip()
    if not key:
        sys.stderr.write("a file server needs a key on its standard input, or the word `open`\n")
        return 2
    listeners: List[socket.socket] = []
    for address in addresses:
        try:
            listeners.append(listen(address, port))
        except OSError as error:
            who = ports.holder(port)
            why = "it is in use by %s" % who if who else (error.strerror or str(error)).lower()
            sys.stderr.write("cannot serve on %s: %s\n" % (Endpoint(address, port), why))
            return 1
        port = listeners[0].getsockname()[1]
    _say(READY + str(port))
    os.set_blocking(1, False)  # whoever reads our log cannot hold us
    server = Server(listeners, os.fsencode(directory), "" if key == OPEN else key, _room())
    server.serve(until=lambda: os.getppid() != parent)
    return 0


def listen(address: str, port: int) -> socket.socket:
    """Open a listening socket; `::` takes IPv4 in."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if address == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((address, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener


def _room() -> int:
    """Say how many connections there may be, of which each may hold a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS + 32
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(8, min(MAX_CONNECTIONS, (soft - 32) // 2))


class _Connection:
    """Somebody who is here: asking, being answered, or leaving."""

    __slots__ = (
        "answer",
        "at",
        "deadline_s",
        "got",
        "had",
        "is_leaving",
        "method",
        "out",
        "since_s",
        "socket",
        "status",
        "target",
    )

    def __init__(self, connection: socket.socket, now_s: float) -> None:
        self.socket = connection
        self.since_s = now_s
        self.deadline_s = now_s + HEAD_S
        self.got = b""
        self.out = memoryview(b"")
        self.answer: Optional[Answer] = None
        self.at = 0  # the next byte of the file
        self.had = 0  # how much had arrived when that was last looked at
        self.is_leaving = False
        self.method = self.target = "-"
        self.status = 0

    @property
    def is_asking(self) -> bool:
        return self.status == 0

    def arrived(self) -> int:
        """Say how much the other side has taken of what was sent: what the system still holds is no progress."""
        try:
            held = int.from_bytes(fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        except OSError:
            held = 0
        return (self.at - self.answer.start if self.answer is not None else 0) - held


class Server:
    """The listening sockets and everybody who has come; `room`: how many that may be."""

    def __init__(self, listeners: List[socket.socket], directory: bytes, key: str, room: int) -> None:
        self._listeners = listeners
        self._directory = directory
        self._key = key
        self._room = room
        self._selector = selectors.DefaultSelector()
        self._here: Dict[socket.socket, _Connection] = {}  # in the order in which they came
        self._idle: Dict[socket.socket, _Connection] = {}  # of those the ones without a request, or leaving
        self._is_open = False
        self._shut_until_s = 0.0
        self._refusals = 0

    def serve(self, until: Callable[[], bool]) -> None:
        """Answer everybody, until something has become true."""
        look_s = time.monotonic()
        while not until():
            now_s = time.monotonic()
            self._open_doors(self._has_room(now_s) and now_s >= self._shut_until_s)
            wait_s = _PARENT_S if not self._here else _LOOK_S if self._is_open else GRACE_S
            for key, _ in self._selector.select(wait_s):
                if key.data is None:
                    assert isinstance(key.fileobj, socket.socket)
                    self._accept(key.fileobj)
                elif key.fileobj in self._here:  # else it has made room a moment ago
                    self._move(key.data)
            now_s = time.monotonic()
            if now_s >= look_s:
                look_s = now_s + _LOOK_S
                self._look(now_s)
        for one in list(self._here.values()):
            self._close(one)
        self._selector.close()

    def _has_room(self, now_s: float) -> bool:
        if len(self._here) < self._room:
            return True
        oldest = next(iter(self._idle.values()), None)
        return oldest is not None and now_s - oldest.since_s >= GRACE_S

    def _open_doors(self, is_open: bool) -> None:
        if is_open == self._is_open:
            return
        self._is_open = is_open
        for listener in self._listeners:
            if is_open:
                self._selector.register(listener, selectors.EVENT_READ, None)
            else:
                self._selector.unregister(listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(64):
            now_s = time.monotonic()
            if not self._has_room(now_s):
                return
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                sys.stderr.write("cannot accept a connection: %s\n" % error)
                self._shut_until_s = time.monotonic() + _LOOK_S  # out of descriptors or memory
                return
            if len(self._here) >= self._room:
                self._close(next(iter(self._idle.values())))
            connection.setblocking(False)
            one = _Connection(connection, now_s)
            self._here[connection] = self._idle[connection] = one
            self._selector.register(connection, selectors.EVENT_READ, one)
            self._move(one)  # mostly the request is there already

    def _move(self, one: _Connection) -> None:
        """Take a connection as far as it goes without waiting."""
        try:
            if one.is_leaving:
                if not one.socket.recv(MAX_HEAD_BYTES):
                    self._close(one)
                return
            if one.is_asking:
                self._read(one)
            if not one.is_asking:
                self._send(one)
        except BlockingIOError:
            pass
        except OSError:
            self._close(one)  # the other side went away
        except Exception as error:  # ours: whoever asked for it gets no more, and all others are served
            self._fail(one, error)

    def _fail(self, one: _Connection, error: Exception) -> None:
        """Let go of a connection that we failed at; one that has had no answer yet is told."""
        _say(
            "%s %s failed: %s: %s" % (one.method, ascii(beginning(one.target, 2000))[1:-1], type(error).__name__, error)
        )
        if one.is_asking:
            refusal = Refused(500)
            one.status = refusal.status
            try:
                one.socket.send(refusal.answer(one.method))
            except OSError:
                pass
        self._close(one)

    def _read(self, one: _Connection) -> None:
        data = one.socket.recv(MAX_HEAD_BYTES)
        if not data:
            self._close(one)
            return
        one.got += data
        if b"\r\n\r\n" in one.got or b"\n\n" in one.got:
            self._answer(one)
        elif len(one.got) > MAX_HEAD_BYTES:
            self._refuse(one, Refused(431))

    def _answer(self, one: _Connection) -> None:
        try:
            request = Request(one.got)
            one.method, one.target = request.method, request.target
            one.answer = answer = Answer(request, self._directory, self._key)
        except Refused as refusal:
            self._refuse(one, refusal)
            return
        one.status, one.at, one.out = answer.status, answer.start, memoryview(answer.head)
        if answer.end - answer.start <= _SMALL_BYTES:  # with its head, in one piece
            content = os.pread(answer.fd, answer.end - answer.start, answer.start)
            one.at, one.out = answer.start + len(content), memoryview(answer.head + content)
        one.got = b""
        one.deadline_s = time.monotonic() + STALL_S
        self._idle.pop(one.socket, None)
        self._selector.modify(one.socket, selectors.EVENT_WRITE, one)

    def _refuse(self, one: _Connection, refusal: Refused) -> None:
        one.status, one.out = refusal.status, memoryview(refusal.answer(one.method))
        one.deadline_s = time.monotonic() + _LINGER_S
        if refusal.is_whole:
            one.got = b""
        self._selector.modify(one.socket, selectors.EVENT_WRITE, one)

    def _send(self, one: _Connection) -> None:
        while one.out:
            one.out = one.out[one.socket.send(one.out) :]
        answer = one.answer
        left = _TURN_BYTES
        while answer is not None and one.at < answer.end:
            if left <= 0:
                return  # the others' turn
            count = os.sendfile(one.socket.fileno(), answer.fd, one.at, min(left, answer.end - one.at))
            if count == 0:
                break  # the file has become shorter
            one.at += count
            left -= count
        if one.got:
            # What of the request has not been read would make the system drop the answer as well.
            one.socket.shutdown(socket.SHUT_WR)
            one.is_leaving = True
            self._selector.modify(one.socket, selectors.EVENT_READ, one)
        else:
            self._close(one)

    def _look(self, now_s: float) -> None:
        """Send away who is late."""
        for one in [one for one in self._here.values() if now_s >= one.deadline_s]:
            if one.is_asking:
                self._refuse(one, Refused(408))
                self._move(one)
                continue
            arrived = one.arrived()
            if one.answer is None or arrived - one.had < SLOWEST_BYTES_S * STALL_S:
                self._cut(one)
            else:
                one.had, one.deadline_s = arrived, now_s + STALL_S
        if self._refusals > _REFUSALS_TOLD:
            _say("%d more requests were refused" % (self._refusals - _REFUSALS_TOLD))
        self._refusals = 0

    def _cut(self, one: _Connection) -> None:
        """Close without waiting for what the other side does not take."""
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close(one)

    def _close(self, one: _Connection) -> None:
        if self._here.pop(one.socket, None) is None:
            return
        self._idle.pop(one.socket, None)
        self._selector.unregister(one.socket)
        one.socket.close()
        sent = 0
        if one.answer is not None:
            sent = one.at - one.answer.start
            os.close(one.answer.fd)
        if one.answer is None and one.status:
            self._refusals += 1
        if one.status and (one.answer is not None or self._refusals <= _REFUSALS_TOLD):
            target = beginning(ascii(one.target)[1:-1], 2000)
            _say("%s %s %d %d" % (one.method, target, one.status, sent))


def _say(text: str) -> None:
    try:
        os.write(1, (text + "\n").encode("ascii", "backslashreplace"))
    except OSError:
        pass  # nobody reads our log any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
