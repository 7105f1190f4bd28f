"""A small HTTP server for one directory: what `builtins.start_http_server` starts, as a process of its own.

GET and HEAD of files, one range at a time. Never a listing, never what lies outside of the directory, whatever dots or
links lead there. At most MAX_CONNECTIONS at once (more wait to be accepted), one request each, IDLE_S without progress.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
import time

from octogram_agentd.network import ports
from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.network.urls import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

MAX_CONNECTIONS = 32
IDLE_S = 30.0
MAX_HEAD_BYTES = 16 * 1024
_LINGER_S = 1.0
READY = "serving on port "

_STATUS = {
    200: "OK",
    206: "Partial Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class _NoFile(Exception):
    """A request that gets no file: the status, and header lines that go with it."""

    def __init__(self, status: int, *headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


def main(argv: List[str]) -> int:
    """Serve: `serve ADDRESS PORT DIRECTORY`. Prints one line when it is ready, then one for each request."""
    address, port, directory = argv[0], int(argv[1]), argv[2]
    try:
        listener = listen(address, port)
    except OSError as error:
        who = ports.holder(port)
        why = "it is in use by %s" % who if who else (error.strerror or str(error)).lower()
        sys.stderr.write("cannot serve on %s: %s\n" % (Endpoint(address, port), why))
        return 1
    _say(READY + str(listener.getsockname()[1]))
    serve(listener, os.fsencode(directory))
    return 0


def listen(address: str, port: int) -> socket.socket:
    """Open the listening socket; `::` takes IPv4 in."""
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if address == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener


def serve(listener: socket.socket, directory: bytes) -> None:
    """Answer connections until the process ends."""
    free = threading.BoundedSemaphore(MAX_CONNECTIONS)
    threading.stack_size(256 * 1024)

    def answer(connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(IDLE_S)
                _answer(connection, directory)
        except OSError:
            pass  # the other side went away
        finally:
            free.release()

    while True:
        free.acquire()
        try:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()
        except (OSError, RuntimeError) as error:  # out of descriptors or threads: others end meanwhile
            free.release()
            sys.stderr.write("cannot accept a connection: %s\n" % error)
            time.sleep(0.1)


def _answer(connection: socket.socket, directory: bytes) -> None:
    target, status, sent = "-", 500, 0
    method = "-"
    try:
        method, target, headers = _read_head(connection)
        if method not in ("GET", "HEAD"):
            raise _NoFile(405, "Allow: GET, HEAD")
        fd = _open(directory, target)
        try:
            about = os.fstat(fd)
            start, end = _range(headers, about)
            status = 200 if (start, end) == (0, about.st_size) and "range" not in headers else 206
            lines = [
                "Content-Type: application/octet-stream",
                "Content-Length: %d" % (end - start),
                "Accept-Ranges: bytes",
                "Last-Modified: %s" % _http_date(about.st_mtime),
                "ETag: %s" % _tag(about),
            ]
            if status == 206:
                lines.append("Content-Range: bytes %d-%d/%d" % (start, end - 1, about.st_size))
            _send_head(connection, status, lines)
            if method == "GET":
                sent = _send_file(connection, fd, start, end)
        finally:
            os.close(fd)
    except _NoFile as refusal:
        status = refusal.status
        _refuse(connection, method, refusal)
    finally:
        _say("%s %s %d %d" % (method, ascii(target)[1:-1], status, sent))


def _refuse(connection: socket.socket, method: str, refusal: _NoFile) -> None:
    body = b"" if method == "HEAD" else ("%d %s\n" % (refusal.status, _STATUS[refusal.status])).encode("ascii")
    _send_head(
        connection,
        refusal.status,
        ["Content-Type: text/plain", "Content-Length: %d" % len(body), *refusal.headers],
    )
    connection.sendall(body)
    if refusal.status not in (403, 404, 416):
        # What of the request has not been read would make the system drop the answer as well.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_LINGER_S)
        left_bytes = 16 * MAX_HEAD_BYTES
        while left_bytes > 0:
            data = connection.recv(MAX_HEAD_BYTES)
            if not data:
                break
            left_bytes -= len(data)


def _send_head(connection: socket.socket, status: int, lines: List[str]) -> None:
    head = ["HTTP/1.1 %d %s" % (status, _STATUS[status]), "Connection: close", *lines, "", ""]
    connection.sendall("\r\n".join(head).encode("ascii"))


def _read_head(connection: socket.socket) -> Tuple[str, str, Dict[str, str]]:
    """Read a request up to its empty line; header names in lower case."""
    deadline_s = time.monotonic() + IDLE_S
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        if len(head) > MAX_HEAD_BYTES:
            raise _NoFile(431)
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise _NoFile(408)
        connection.settimeout(left_s)
        try:
            data = connection.recv(MAX_HEAD_BYTES)
        except socket.timeout:
            raise _NoFile(408) from None
        if not data:
            raise OSError("no request")
        head += data
    connection.settimeout(IDLE_S)
    lines = [line.rstrip("\r") for line in head.decode("latin-1").split("\n")]
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _NoFile(400)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers


def _open(directory: bytes, target: str) -> int:
    """Open the file that a request names. Raises _NoFile: 404 for what is not there, 403 for what is not served."""
    path = target.partition("#")[0].partition("?")[0]
    if path.startswith(("http://", "https://")):
        path = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
    name = unquoted(path.encode("latin-1"))
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if not path.startswith("/") or b"\0" in name:
        raise _NoFile(400)
    if b".." in parts:
        raise _NoFile(403)
    try:
        # Not blocking, so that a named pipe does not hold us.
        fd = os.open(os.path.join(directory, *parts), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise _NoFile(403) from None
    except (OSError, ValueError):
        raise _NoFile(404) from None
    try:
        mode = os.fstat(fd).st_mode
        # What was opened, not what was asked for: no link, old or just made, can lead elsewhere.
        opened = os.readlink(b"/proc/self/fd/%d" % fd)
        inside = os.path.join(os.path.realpath(directory), b"")
        if not stat.S_ISREG(mode) or not opened.startswith(inside):
            raise _NoFile(403)
        if name.endswith(b"/"):
            raise _NoFile(404)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _range(headers: Dict[str, str], about: os.stat_result) -> Tuple[int, int]:
    """Give the first byte and the one after the last that are wanted; removes a range that does not count."""
    size = about.st_size
    wanted = headers.get("range", "")
    condition = headers.get("if-range", "")
    first, dash, last = wanted[6:].partition("-")
    counts = wanted.startswith("bytes=") and bool(dash) and (first + last).isdigit()
    if not counts or (condition and condition not in (_tag(about), _http_date(about.st_mtime))):
        headers.pop("range", None)
        return 0, size
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= end:
        raise _NoFile(416, "Content-Range: bytes */%d" % size)
    return start, end


def _tag(about: os.stat_result) -> str:
    return '"%x-%x"' % (about.st_mtime_ns, about.st_size)


def _http_date(at_s: float) -> str:
    parts = time.gmtime(at_s)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[parts.tm_wday]
    month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][parts.tm_mon - 1]
    return "%s, %02d %s %d %02d:%02d:%02d GMT" % (
        day,
        parts.tm_mday,
        month,
        parts.tm_year,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
    )


def _send_file(connection: socket.socket, fd: int, start: int, end: int) -> int:
    with os.fdopen(os.dup(fd), "rb") as file:
        return connection.sendfile(file, start, end - start) if end > start else 0


def _say(text: str) -> None:
    try:
        os.write(1, (text + "\n").encode("ascii", "backslashreplace"))
    except OSError:
        pass  # nobody reads our log any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
