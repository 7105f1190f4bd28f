"""Files of other agents and of the web: each URL once per agent, by a child process, so that the daemon never waits."""

from __future__ import annotations

import os

from octogram_agentd.network.endpoint import as_url
from octogram_agentd.network.tickets import without_ticket
from octogram_agentd.network.urls import sendable
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.processes import origin
from octogram_agentd.processes.filenames import fitting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List
    from urllib.request import Request

    from octogram_agentd.procedures.context import Context

MAX_BYTES = 64 << 30
STALL_S = 60.0  # without a byte, after which a download has failed
PIECE_BYTES = 256 * 1024
_SPARE_BYTES = 32 << 20  # of the disk are left to everybody else


class Downloads:
    """What was downloaded to this agent or is being, by URL without its ticket."""

    def __init__(self) -> None:
        self.of: Dict[str, _Download] = {}


class _Download:
    """One URL of one agent: under way, or there."""

    __slots__ = ("path", "waiting")

    def __init__(self) -> None:
        self.path = ""
        self.waiting: List[Any] = []


async def download(
    context: Context, url: str, name: str = "", executable: bool = False, is_direct: bool = False
) -> str:
    """Give the local path of a URL's content, which is downloaded the first time that somebody asks.

    name        what the file is to be called; by default what follows the last `/` of the URL
    executable  whether the file can be run
    is_direct   whether it is another agent's file, past all proxies: those lead to the web, not to the run's machines
    Raises ProcedureFailed kind `download`. A download that failed or was cancelled is tried anew by the next who asks,
    and by those who wait already.
    """
    url = as_url(url)
    kept = context.state(Downloads).of
    shown = without_ticket(url)
    while True:
        found = kept.get(shown)
        if found is not None and found.path and not os.path.exists(found.path):
            found = None  # somebody has moved it away
        if found is None:
            await _lead(context, kept, url, is_direct)
        elif not found.path:
            await _follow(context, found)
        else:
            return _as_asked(found.path, name, executable)


async def _lead(context: Context, kept: Dict[str, _Download], url: str, is_direct: bool) -> None:
    shown = without_ticket(url)
    entry = kept[shown] = _Download()
    directory = os.path.join(context.root, "downloads", _folder(shown))
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = os.path.join(directory, "content")
        program = origin.argv("network.download", path, *(["direct"] if is_direct else []))
        stdin = url.encode("utf-8", "surrogateescape") + b"\n"  # everybody can read a command line
        result = await context.command(program, cwd=context.root, stdin=stdin, check=False, log=False)
        if result.exit_code != 0:
            lines = result.stderr.strip().splitlines() or ["its program ended with status %d" % result.exit_code]
            raise ProcedureFailed("cannot download %s: %s" % (shown, lines[-1]), kind="download", url=shown)
        entry.path = path
    except OSError as error:
        raise ProcedureFailed("cannot download %s: %s" % (shown, error), kind="download", url=shown) from None
    finally:
        if not entry.path:
            del kept[shown]
        for future in entry.waiting:
            future.set()


async def _follow(context: Context, entry: _Download) -> None:
    future = context.future()
    entry.waiting.append(future)
    try:
        await future
    finally:
        entry.waiting.remove(future)


def _folder(url: str) -> str:
    from hashlib import sha256

    return sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _as_asked(path: str, name: str, executable: bool) -> str:
    """Give the content the name and the mode that this caller wants; it is one file under all of its names."""
    if name:
        named = os.path.join(os.path.dirname(path), fitting("named-", name))
        try:
            os.link(path, named)
        except FileExistsError:
            pass
        except OSError:
            named = path  # a file system without hard links: the name was a courtesy
        path = named
    if executable:
        os.chmod(path, 0o755)
    return path


def main(argv: List[str]) -> int:
    """Download to PATH: `download PATH [direct]`, with the URL on standard input.

    One line on standard error says why it failed.
    """
    import sys

    url = os.fsdecode(sys.stdin.buffer.readline()).rstrip("\n")
    try:
        _fetch(url, argv[0], "direct" in argv[1:])
    except _DownloadFailed as error:
        sys.stderr.write("%s\n" % error)
        return 1
    return 0


class _DownloadFailed(Exception):
    """Why a download failed, for people."""


def _fetch(url: str, path: str, is_direct: bool) -> None:
    import http.client
    import urllib.error
    import urllib.request

    partial = path + ".part"
    # A proxy of the environment is honoured on the way to the web, as curl would.
    proxies = {} if is_direct else urllib.request.getproxies()
    try:
        if not url.startswith(("http://", "https://")):
            raise _DownloadFailed("%s is not a scheme that is downloaded" % url.partition(":")[0])
        request = urllib.request.Request(sendable(url), headers={"User-Agent": "octogram"})
        server = request.host
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
        with opener.open(request, timeout=STALL_S) as answer:
            scheme = answer.geturl().partition(":")[0]
            if scheme not in ("http", "https"):
                raise _DownloadFailed("%s is not a scheme that is downloaded" % scheme)
            length = answer.headers.get("Content-Length")
            received = 0
            room = min(MAX_BYTES, _free_bytes(path))
            if length is not None and int(length) > room:
                raise _DownloadFailed("it has %s bytes, and there is room for %d here" % (length, room))
            with open(partial, "wb") as target:
                while True:
                    piece = answer.read(PIECE_BYTES)
                    if not piece:
                        break
                    received += len(piece)
                    if received > room:
                        raise _DownloadFailed("it has more than the %d bytes that there is room for here" % room)
                    target.write(piece)
        if length is not None and received != int(length):
            raise _DownloadFailed("the connection ended after %d of %s bytes" % (received, length))
        os.replace(partial, path)
    except urllib.error.HTTPError as error:
        said = "%sthe server answered %d %s" % (_through(request, server), error.code, error.reason)
        raise _DownloadFailed(said) from None
    except urllib.error.URLError as error:
        raise _DownloadFailed(_through(request, server) + _reason(error.reason)) from None
    except (http.client.HTTPException, ValueError) as error:
        raise _DownloadFailed(str(error) or type(error).__name__) from None
    except OSError as error:
        raise _DownloadFailed(_reason(error)) from None
    finally:
        try:
            os.unlink(partial)
        except OSError:
            pass


def _free_bytes(path: str) -> int:
    status = os.statvfs(os.path.dirname(path))
    return max(0, status.f_bavail * status.f_frsize - _SPARE_BYTES)


def _through(request: Request, server: str) -> str:
    """Name the proxy that was asked instead of the server, where there is one."""
    return "through the proxy %s: " % request.host if request.host != server else ""


def _reason(reason: object) -> str:
    """Say in a few words why there was no answer."""
    import socket

    if isinstance(reason, socket.gaierror):
        return "the name of the server is unknown (%s)" % reason.strerror
    if isinstance(reason, socket.timeout):
        return "no byte came for %d s" % STALL_S
    if isinstance(reason, ConnectionRefusedError):
        return "the server refused the connection: nothing listens there"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return str(reason)
