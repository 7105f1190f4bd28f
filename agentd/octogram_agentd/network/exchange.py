"""One exchange with the file server: what is asked for, which file that is, and the head of the answer.

GET and HEAD of files, one range at a time. Never a listing, never what lies outside of the directory, whatever dots or
links lead there, and with a key only what the request has a ticket for: that is looked at before any file is.
"""

from __future__ import annotations

import os
import stat
import time

from octogram_agentd.network.tickets import is_ticket_for, parts_of, taken_off
from octogram_agentd.network.urls import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

MAX_HEAD_BYTES = 16 * 1024
_STATUS = {
    200: "OK",
    206: "Partial Content",
    400: "Bad Request",
    401: "No Ticket For This File In The URL",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}
_SAID = {401: "Write AGENT://PATH in the scenario: what comes of it has the ticket.\n"}


class Refused(Exception):
    """A request that gets no file: the status, and header lines that go with it."""

    def __init__(self, status: int, *headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers

    @property
    def is_whole(self) -> bool:
        """Whether all of the request has been read."""
        return self.status in (401, 403, 404, 416, 500)

    def answer(self, method: str) -> bytes:
        """Give all of the answer."""
        text = "%d %s\n%s" % (self.status, _STATUS[self.status], _SAID.get(self.status, ""))
        lines = ["Content-Type: text/plain", "Content-Length: %d" % len(text), *self.headers]
        return _head(self.status, lines) + (b"" if method == "HEAD" else text.encode("ascii"))


class Request:
    """A request that was read up to its empty line; header names in lower case."""

    def __init__(self, head: bytes) -> None:
        lines = [line.rstrip("\r") for line in head.decode("latin-1").split("\n")]
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Refused(400)
        self.method = words[0]
        self.ticket, self.target = taken_off(_path_of(words[1]))
        self.headers: Dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip().lower()] = value.strip()


class Answer:
    """A file that is to be sent: its descriptor, the head, the first byte and the one after the last."""

    def __init__(self, request: Request, directory: bytes, key: str) -> None:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "Allow: GET, HEAD")
        self.fd = _open(directory, request, key)
        try:
            about = os.fstat(self.fd)
            self.start, self.end = _range(request.headers, about)
            self.status = 206 if "range" in request.headers else 200
            lines = [
                "Content-Type: application/octet-stream",
                "Content-Length: %d" % (self.end - self.start),
                "Accept-Ranges: bytes",
                "Last-Modified: %s" % _http_date(about.st_mtime),
                "ETag: %s" % _tag(about),
            ]
            if self.status == 206:
                lines.append("Content-Range: bytes %d-%d/%d" % (self.start, self.end - 1, about.st_size))
            self.head = _head(self.status, lines)
            if request.method == "HEAD":
                self.end = self.start
        except BaseException:
            os.close(self.fd)
            raise


def _head(status: int, lines: List[str]) -> bytes:
    return "\r\n".join(["HTTP/1.1 %d %s" % (status, _STATUS[status]), "Connection: close", *lines, "", ""]).encode(
        "ascii"
    )


def _path_of(target: str) -> str:
    path = target.partition("#")[0].partition("?")[0]
    if path.startswith(("http://", "https://")):
        path = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
    return path


def _open(directory: bytes, request: Request, key: str) -> int:
    """Open the file that a request names. Raises Refused: 404 for what is not there, 403 for what is not served."""
    path = request.target
    name = unquoted(path.encode("latin-1"))
    if not path.startswith("/") or b"\0" in name:
        raise Refused(400)
    if key and not is_ticket_for(key, name, request.ticket):
        raise Refused(401)
    parts = parts_of(name)
    if b".." in parts:
        raise Refused(403)
    try:
        # Not blocking, so that a named pipe does not hold us.
        fd = os.open(os.path.join(directory, *parts), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise Refused(403) from None
    except (OSError, ValueError):
        raise Refused(404) from None
    try:
        mode = os.fstat(fd).st_mode
        # What was opened, not what was asked for: no link, old or just made, can lead elsewhere.
        opened = os.readlink(b"/proc/self/fd/%d" % fd)
        inside = os.path.join(os.path.realpath(directory), b"")
        if not stat.S_ISREG(mode) or not opened.startswith(inside):
            raise Refused(403)
        if name.endswith(b"/"):
            raise Refused(404)
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
    counts = wanted.startswith("bytes=") and bool(dash) and len(wanted) < 100
    counts = counts and (first + last).isascii() and (first + last).isdigit()  # `isdigit` alone takes `²` too
    if not counts or (condition and condition not in (_tag(about), _http_date(about.st_mtime))):
        headers.pop("range", None)
        return 0, size
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= end:
        raise Refused(416, "Content-Range: bytes */%d" % size)
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
