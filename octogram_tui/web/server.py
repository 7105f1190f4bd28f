"""Serves the page and what it needs, on loopback, to whoever knows the token, and to nobody else.

A page of a foreign site that the same browser shows can send requests here too, by address or by a name that it made
to mean this machine. So every request has to name a loopback host, to come from our own page, and to carry the token:
it is the first part of every path, which no other page and no other port of this machine learns, as it would a cookie.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import signal
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from textual_serve.download_manager import DownloadManager

from octogram_agentd.network.endpoint import LOOPBACK, Endpoint
from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.web.session import Session

PAGES_MAX = 16
MESSAGE_BYTES = 1_000_000
CELLS_MAX = 1000
STATICS = Path(textual_serve.__file__).parent / "static"
OWN_FILES = Path(__file__).parent / "page"
LEFT_CODE = 1001  # of WebSockets: going away
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' {websocket}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}

UNREADABLE = "what was asked for makes no sense"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotServe(OctogramError):
    """The port cannot be had."""

    exit_code = ExitCode.IO


class BrowserServer:
    """One server, for one run: `argv` is the command of a console on it."""

    def __init__(self, argv: Sequence[str], title: str, *, token: str = "") -> None:
        self.argv = argv
        self.title = title
        self.token = token or secrets.token_urlsafe(24)
        self.port = 0
        self._downloads = DownloadManager()
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._sessions: set[Session] = set()
        self._ending = asyncio.Event()

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{Endpoint(LOOPBACK, self.port)}/{self.token}/"

    async def run(self, port: int, told: Callable[[str], None]) -> None:
        """Serve until a signal comes; `told` is given the address. Leaves no console behind. Raises CannotServe."""
        runner = web.AppRunner(self.app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            loop.add_signal_handler(number, self.end)
        try:
            site = web.TCPSite(runner, LOOPBACK, port)
            try:
                await site.start()
            except OSError as error:
                raise CannotServe(f"cannot listen on port {port} of {LOOPBACK}: {error.strerror}") from error
            self.port = runner.addresses[0][1]
            told(self.url)
            await self._ending.wait()
        finally:
            await runner.cleanup()

    def end(self) -> None:
        """Serve no longer."""
        self._ending.set()

    def app(self) -> web.Application:
        """Say what is answered."""
        server_logger.addFilter(_is_ours)
        app = web.Application(middlewares=[self._checked], client_max_size=MESSAGE_BYTES)
        root = f"/{self.token}"
        app.add_routes(
            [
                web.get(f"{root}/", self._page),
                web.get(f"{root}/ws", self._console),
                web.get(f"{root}/textual.js", self._script),
                web.get(f"{root}/download/{{key}}", self._download),
                web.static(f"{root}/static", STATICS),
                web.static(f"{root}/own", OWN_FILES),
            ]
        )
        app.on_shutdown.append(self._close_pages)
        return app

    # Who may

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            problem = self.refusal(request)
        except Exception:  # whatever a request breaks here, it is none of our page
            problem = UNREADABLE
        if problem:
            raise web.HTTPForbidden(text=f"{problem}\n", headers={"Cache-Control": "no-store"})
        response = await handler(request)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers[name] = value.replace("{websocket}", str(request.url.origin().with_scheme("ws")))
        return response

    def refusal(self, request: web.BaseRequest) -> str:
        """Say why a request is refused; empty for one that is not."""
        if not is_loopback(request.headers.get("Host", "")):
            return "only names of this machine are answered here: 127.0.0.1, localhost or [::1]"
        origin = request.headers.get("Origin")
        if origin is not None and origin != str(request.url.origin()):
            return "only our own page may ask here"
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return "only our own page may ask here"
        given = request.path.partition("/")[2].partition("/")[0]
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode()):
            return "the token is missing or wrong: open the address that `octogram-tui serve` printed"
        return ""

    # What is answered

    async def _page(self, request: web.Request) -> web.Response:
        from html import escape

        text = (OWN_FILES / "page.html").read_text("utf-8")
        text = text.replace("{{websocket}}", escape(str(request.url.with_scheme("ws").with_path(f"/{self.token}/ws"))))
        return web.Response(text=text.replace("{{title}}", escape(self.title)), content_type="text/html")

    async def _script(self, _: web.Request) -> web.Response:
        """Give the library's script, whose downloads have to carry the token too."""
        text = (STATICS / "js" / "textual.js").read_text("utf-8")
        text = text.replace("/download/", f"/{self.token}/download/")
        return web.Response(text=text, content_type="text/javascript")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        try:
            about = await self._downloads.get_download_metadata(key)
        except KeyError:
            raise web.HTTPNotFound(text="there is no such file\n") from None
        response = web.StreamResponse(headers={name: HEADERS[name] for name in HEADERS if "{" not in HEADERS[name]})
        response.content_type = "text/plain" if about.mime_type.startswith("text/") else "application/octet-stream"
        name = "".join(letter for letter in about.file_name if letter.isalnum() or letter in "-_.") or "file"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _console(self, request: web.Request) -> web.StreamResponse:
        if len(self._sockets) >= PAGES_MAX:
            raise web.HTTPServiceUnavailable(text=f"{PAGES_MAX} pages are open already: close one\n")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=MESSAGE_BYTES)
        session = Session(
            self.argv,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=socket.close,
            download_manager=self._downloads,
        )
        self._sockets.add(socket)
        self._sessions.add(session)
        try:
            await socket.prepare(request)
            await session.start(_cells(request.query.get("width"), 80), _cells(request.query.get("height"), 24))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await _deliver(str(message.data), session, socket)
        finally:
            self._sockets.discard(socket)
            try:
                await session.stop()
            finally:  # also when the browser is gone and nobody waits for us: `stop` goes on by itself
                if session.is_over:
                    self._sessions.discard(session)
        return socket

    async def _close_pages(self, _: web.Application) -> None:
        with suppress(Exception):
            await asyncio.gather(*(socket.close(code=LEFT_CODE) for socket in list(self._sockets)))
        for session in list(self._sessions):  # until their consoles have ended, which is sure to come: see Session
            await session.stop()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record of the server's log is for the operator: what is no request at all was answered, and is not."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


async def _deliver(text: str, session: Session, socket: web.WebSocketResponse) -> None:
    """Hand on what the page says; what it does not say in its own words is left alone."""
    try:
        kind, given = (*json.loads(text), None)[:2]
        match kind:
            case "stdin":
                await session.send_bytes(str(given).encode("utf-8", "replace"))
            case "resize":
                await session.set_terminal_size(_cells(_part(given, "width"), 80), _cells(_part(given, "height"), 24))
            case "ping":
                await socket.send_json(["pong", given])
            case "focus":
                await session.focus()
            case "blur":
                await session.blur()
    except (ValueError, TypeError, KeyError):
        return


def _part(given: object, name: str) -> object:
    return given.get(name) if isinstance(given, dict) else None


def _cells(given: object, default: int) -> int:
    try:
        return max(1, min(CELLS_MAX, int(str(given))))
    except ValueError:
        return default


def is_loopback(host: str) -> bool:
    """Say whether a Host header names this machine: nobody else can have its page loaded from such a name."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.netloc != host or parts.username is not None or name == "localhost":
        return name == "localhost" and parts.username is None and parts.netloc == host
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
