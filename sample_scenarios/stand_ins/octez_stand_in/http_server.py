"""A small HTTP/1.1 server: one thread a connection, and endless streams that need no thread at all."""

from __future__ import annotations

import json
import select
import socket
import threading
import urllib.parse

from . import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    Handler = Callable[["Request"], "Response"]

REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}
REASONS.update({405: "Method Not Allowed", 500: "Internal Server Error"})
IDLE_TIMEOUT_S = 75.0
STREAM_SEND_TIMEOUT_S = 1.0
MAX_BODY_BYTES = 64 << 20


class Request:
    """What was asked."""

    __slots__ = ("body", "headers", "method", "path", "query")

    def __init__(self, method: str, target: str, headers: Dict[str, str], body: bytes) -> None:
        path, _, query = target.partition("?")
        self.method = method
        self.path = urllib.parse.unquote(path)
        self.query: Dict[str, List[str]] = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.headers = headers
        self.body = body

    def argument(self, name: str) -> Optional[str]:
        """Give the first value of a query argument."""
        return self.query[name][0] if name in self.query else None

    def json(self) -> Any:
        """Decode the body. Raises ValueError."""
        return json.loads(self.body.decode("utf-8"))


class Response:
    """What is answered; with `hand_over`, the socket goes to that function once the headers are out, as a stream."""

    __slots__ = ("body", "content_type", "hand_over", "status")

    def __init__(self, status: int, body: bytes = b"", content_type: str = "application/json") -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.hand_over: Optional[Callable[[socket.socket, Callable[[], None]], None]] = None


def as_json(value: object, status: int = 200) -> Response:
    """Answer with a JSON value."""
    return Response(status, json.dumps(value, separators=(",", ":")).encode() + b"\n")


def stream(hand_over: Callable[[socket.socket, Callable[[], None]], None]) -> Response:
    """Answer with a stream of chunks. The function gets the socket, and what to call once it is done with."""
    response = Response(200)
    response.hand_over = hand_over
    return response


def rpc_error(identifier: str, message: str, status: int = 500) -> Response:
    """Answer with an error in the shape that Octez's RPCs use."""
    return as_json([{"kind": "permanent", "id": identifier, "msg": message}], status)


NOT_FOUND = Response(404, b"No service found at this URL\n", "text/plain")
UNAUTHORIZED = Response(401, b"", "text/plain")


def chunk(data: bytes) -> bytes:
    """Frame one piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Hub:
    """The open streams that all receive the same lines. Whoever stops reading is dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: List[tuple[socket.socket, Callable[[], None]]] = []

    def __len__(self) -> int:
        return len(self._members)

    def add(self, connection: socket.socket, when_gone: Callable[[], None], first: bytes) -> None:
        """Send the first line and keep the stream for the next ones."""
        connection.settimeout(STREAM_SEND_TIMEOUT_S)
        with self._lock:
            if _send_line(connection, first):
                self._members.append((connection, when_gone))
                return
        _close(connection, when_gone)

    def publish(self, line: bytes) -> None:
        """Send one line to every stream."""
        self._keep(lambda connection: _is_open(connection) and _send_line(connection, line))

    def reap(self) -> None:
        """Forget the streams whose readers have gone."""
        self._keep(_is_open)

    def _keep(self, still_there: Callable[[socket.socket], bool]) -> None:
        gone: List[tuple[socket.socket, Callable[[], None]]] = []
        with self._lock:
            kept: List[tuple[socket.socket, Callable[[], None]]] = []
            for member in self._members:
                (kept if still_there(member[0]) else gone).append(member)
            self._members = kept
        for connection, when_gone in gone:
            _close(connection, when_gone)


def _send_line(connection: socket.socket, line: bytes) -> bool:
    try:
        connection.sendall(chunk(line))
    except OSError:
        return False
    return True


def _is_open(connection: socket.socket) -> bool:
    try:
        # A socket with a timeout would wait for it in recv: ask first whether there is anything to read.
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        return not waiting.poll(0) or connection.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):
        return False


def _close(connection: socket.socket, when_gone: Callable[[], None]) -> None:
    connection.close()
    when_gone()


class Server:
    """Listens on one address and answers with one function."""

    def __init__(self, host: str, port: int, handler: Handler, max_connections: int | None = None) -> None:
        """Bind at once. Raises addresses.CannotListen."""
        self._handler = handler
        self._listener = addresses.listen(host, port)
        self._slots = threading.BoundedSemaphore(max_connections) if max_connections else None

    def start(self) -> None:
        """Accept connections from now on."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            if self._slots is not None:
                self._slots.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _release(self) -> None:
        if self._slots is not None:
            self._slots.release()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_TIMEOUT_S)
        handed_over = False
        try:
            reader = connection.makefile("rb", buffering=4096)
            with reader:
                while not handed_over:
                    request = _read_request(reader)
                    if request is None:
                        break
                    handed_over = self._answer(connection, request)
                    if request.headers.get("connection", "").lower() == "close":
                        break
        except (OSError, ValueError):
            pass
        finally:
            if not handed_over:
                _close(connection, self._release)

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Send the answer; tells whether the connection now belongs to a stream."""
        response = self._handler(request)
        reason = REASONS.get(response.status, "Unknown")
        head = f"HTTP/1.1 {response.status} {reason}\r\nContent-Type: {response.content_type}\r\n"
        if response.hand_over is None:
            head += f"Content-Length: {len(response.body)}\r\n\r\n"
            connection.sendall(head.encode() + (b"" if request.method == "HEAD" else response.body))
            return False
        connection.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
        response.hand_over(connection, self._release)
        return True


def _read_request(reader: Any) -> Request | None:
    line = reader.readline(65536)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: Dict[str, str] = {}
    while True:
        header = reader.readline(65536)
        if header in (b"\r\n", b"\n", b""):
            break
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _read_chunks(reader)
    else:
        length = int(headers.get("content-length", "0"))
        if length > MAX_BODY_BYTES:
            raise ValueError("body too long")
        body = reader.read(length) if length else b""
    return Request(method, target, headers, body)


def _read_chunks(reader: Any) -> bytes:
    pieces: List[bytes] = []
    while True:
        size = int(reader.readline(1024).split(b";")[0], 16)
        piece = reader.read(size)
        reader.readline(1024)
        if size == 0:
            return b"".join(pieces)
        pieces.append(piece)
