"""HTTP for procedures: in threads, since names and TLS block. Imported code that blocks is imported there too."""

from __future__ import annotations

import _thread

from octogram_agentd.kernel import Bell
from octogram_agentd.network.tickets import without_ticket
from octogram_agentd.network.urls import sendable
from octogram_agentd.procedures.context import Response
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from octogram_agentd.kernel import Kernel

LINES_AHEAD = 1000  # how many lines a reader may be behind
LINE_BYTES = 1 << 20
QUIET_S = 3600.0  # without a byte, after which an endless answer is given up


def failed(url: str, error: BaseException) -> ProcedureFailed:
    """Say that no answer came."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    shown = without_ticket(url)
    return ProcedureFailed("no answer from %s: %s" % (shown, why), kind="http", url=shown)


async def request(
    kernel: Kernel,
    method: str,
    url: str,
    headers: Dict[str, str],
    body: Optional[bytes],
    timeout_s: float,
    max_bytes: int,
) -> Response:
    """Make one request. Raises ProcedureFailed kind `http`."""

    def work() -> Response:
        connection, target = _connection(url, timeout_s)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read(max_bytes + 1)
            if len(content) > max_bytes:
                raise ValueError("the answer is longer than %d bytes" % max_bytes)
            return Response(answer.status, dict(answer.getheaders()), content)
        finally:
            connection.close()

    finished = kernel.in_thread(_translated, url, work)
    timer = kernel.later(timeout_s + 1, finished.fail, failed(url, TimeoutError("it took more than %g s" % timeout_s)))
    try:
        response = await finished
    finally:
        timer.cancel()
    assert isinstance(response, Response)
    return response


def _translated(url: str, work: Any) -> Any:
    from http.client import HTTPException

    try:
        return work()
    except (OSError, ValueError, HTTPException) as error:
        raise failed(url, error) from None


def _connection(url: str, timeout_s: float) -> Any:
    """Give an unopened connection and what to ask it for. No proxies, no redirections."""
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(sendable(url))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http or https URL")
    kind = HTTPConnection if parts.scheme == "http" else HTTPSConnection
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return kind(parts.hostname, parts.port, timeout=timeout_s), target


class HttpLines:
    """The lines of an answer that does not end, read by a thread that stays at most LINES_AHEAD before its reader."""

    def __init__(self, kernel: Kernel, url: str, headers: Dict[str, str]) -> None:
        self._kernel = kernel
        self._url = url
        self._headers = headers
        self._lines: List[str] = []
        self._arrived = Bell(kernel)
        self._is_started = False
        self._is_over = False
        self._error: Optional[ProcedureFailed] = None
        self._connection: Any = None
        self._gate = _thread.allocate_lock()  # held while the thread has to wait for its reader

    def __aiter__(self) -> HttpLines:
        return self

    async def __anext__(self) -> str:
        if not self._is_started:
            self._is_started = True
            self._kernel.in_thread(self._work).then(self._ended)
        while not self._lines:
            if self._error is not None:
                raise self._error
            if self._is_over:
                raise StopAsyncIteration
            try:
                await self._arrived.wait()
            except BaseException:
                self.close()
                raise
        line = self._lines.pop(0)
        if len(self._lines) < LINES_AHEAD // 2 and self._gate.locked():
            self._gate.release()
        return line

    def close(self) -> None:
        """End the connection, and with it the thread."""
        self._is_over = True
        if self._connection is not None and self._connection.sock is not None:
            try:
                self._connection.sock.shutdown(2)
            except OSError:
                pass
        if self._gate.locked():
            self._gate.release()

    def _work(self) -> None:
        def read() -> None:
            self._connection, target = _connection(self._url, QUIET_S)
            try:
                self._connection.request("GET", target, None, self._headers)
                answer = self._connection.getresponse()
                if answer.status >= 400:
                    raise ValueError("status %d" % answer.status)
                while not self._is_over:
                    line = answer.readline(LINE_BYTES)
                    if not line:
                        return
                    self._kernel.from_thread(self._take, line.rstrip(b"\r\n").decode("utf-8", "replace"))
                    with self._gate:
                        pass
            finally:
                self._connection.close()

        _translated(self._url, read)

    def _take(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= LINES_AHEAD:
            self._gate.acquire(False)
        self._arrived.ring()

    def _ended(self, future: Any) -> None:
        if isinstance(future.error, ProcedureFailed) and not self._is_over:
            self._error = future.error
        self._is_over = True
        self._arrived.ring()
