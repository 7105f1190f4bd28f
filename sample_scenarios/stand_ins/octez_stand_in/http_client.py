"""The little of an HTTP client that the programs need among themselves: one request, or one stream of lines."""

from __future__ import annotations

import json
import socket

from . import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Iterator, Optional


class Unreachable(Exception):
    """Nobody answers there, or the connection broke."""


class Refused(Exception):
    """The server answered with an error status."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        super().__init__(f"HTTP {status}: {message_of(body)}")


def message_of(body: bytes) -> str:
    """Find the human words in an error answer."""
    try:
        value = json.loads(body.decode("utf-8"))
        return "; ".join(str(error.get("msg") or error.get("id")) for error in value)
    except (ValueError, AttributeError, TypeError):
        return body.decode("utf-8", "replace").strip()


def split_url(url: str) -> tuple[str, int, str]:
    """Cut an http URL into host, port and path. Raises ValueError."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme != "http":
        raise ValueError(f"the stand-ins speak plain http only, not '{url}'")
    authority, slash, path = rest.partition("/")
    if not authority or authority.startswith(":"):
        raise ValueError(f"invalid URL '{url}'")
    host, port = addresses.parse(authority, 80)
    return host, port, slash + path


class Client:
    """Calls one server."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.host, self.port, self.prefix = split_url(self.base_url)

    def get(self, path: str, timeout_s: float = 30.0) -> Any:
        """GET a JSON value. Raises Unreachable or Refused."""
        return self.call("GET", path, None, timeout_s)

    def call(self, method: str, path: str, body: object = None, timeout_s: float = 30.0) -> Any:
        """Send a request with a JSON body, if any, and decode the answer. Raises Unreachable or Refused."""
        connection, reader = self._open(method, path, body, timeout_s)
        try:
            with connection, reader:
                status, headers = _read_head(reader)
                if headers.get("transfer-encoding") == "chunked":
                    data = b"".join(_chunks(reader))
                else:
                    data = reader.read(int(headers.get("content-length", "-1")))
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self.base_url}{path}: {error}") from None
        if not 200 <= status < 300:
            raise Refused(status, data)
        return json.loads(data.decode("utf-8")) if data.strip() else None

    def lines(self, method: str, path: str, body: object = None) -> Iterator[Any]:
        """Follow a stream of JSON lines for as long as it lasts. Raises Unreachable or Refused at the start only."""
        connection, reader = self._open(method, path, body, 30.0)
        with connection, reader:
            try:
                status, headers = _read_head(reader)
                if not 200 <= status < 300:
                    raise Refused(status, reader.read(int(headers.get("content-length", "0"))))
                connection.settimeout(None)
                buffered = b""
                for piece in _chunks(reader):
                    buffered += piece
                    while b"\n" in buffered:
                        line, _, buffered = buffered.partition(b"\n")
                        if line.strip():
                            yield json.loads(line.decode("utf-8"))
            except (OSError, ValueError):
                return

    def _open(self, method: str, path: str, body: object, timeout_s: float) -> tuple[socket.socket, BinaryIO]:
        # A node bound to 0.0.0.0 is often named so by those who call it: the system takes that for loopback.
        data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        head = f"{method} {self.prefix}{path} HTTP/1.1\r\nHost: {addresses.shown(self.host, self.port)}\r\n"
        head += "Connection: close\r\nAccept: application/json\r\n"
        if data:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        connection: Optional[socket.socket] = None
        try:
            connection = socket.create_connection((self.host, self.port), timeout_s)
            connection.sendall(head.encode() + b"\r\n" + data)
            reader: BinaryIO = connection.makefile("rb")
            return connection, reader
        except OSError as error:
            if connection is not None:
                connection.close()
            raise Unreachable(f"{self.base_url}{path}: {error.strerror or error}") from None


def _read_head(reader: BinaryIO) -> tuple[int, dict[str, str]]:
    status_line = reader.readline(65536).split(b" ", 2)
    if len(status_line) < 2:
        raise ValueError("connection closed before the answer")
    headers: dict[str, str] = {}
    while True:
        line = reader.readline(65536)
        if line in (b"\r\n", b"\n", b""):
            return int(status_line[1]), headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip().lower()


def _chunks(reader: BinaryIO) -> Iterator[bytes]:
    while True:
        size_line = reader.readline(1024)
        if not size_line:
            return
        size = int(size_line.split(b";")[0], 16)
        data = reader.read(size)
        reader.readline(16)
        if size == 0:
            return
        yield data
