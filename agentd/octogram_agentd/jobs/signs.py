"""The signs that somebody waits for: a port, an HTTP answer, a file, a line of a log, a daemon's own answer.

One loop looks at them, for `ready` of a process, `builtins.wait_for` and the daemons of Octez alike. How long it looks
means the same everywhere: at most `timeout_s`, which has to be more than nothing; a job's own `timeout` ends the whole
attempt when that is shorter. (An expression is looked at by the orchestrator, where the variables are.)
"""

from __future__ import annotations

import os
import time

from octogram_agentd.network.endpoint import Endpoint, host_to_reach
from octogram_agentd.network.probe import is_listening, numbers_of
from octogram_agentd.procedures.values import ProcedureFailed, checked_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Awaitable, Callable, List, Optional, Sequence

    from octogram_agentd.kernel import Kernel, Task
    from octogram_agentd.patterns.search import Match
    from octogram_agentd.procedures.context import Context
    from octogram_agentd.processes.supervised import Supervised

SHORTEST_PAUSE_S = 0.02
LOOK_S = 5.0  # how long one look may take
WATCHED_LOOK_S = 2.0  # the same where a process may end meanwhile
SAY_EVERY_S = 1.0
LAST_LINES = 20


class Sign:
    """Something to look for. `last` says what was there instead when it was looked at last."""

    last = "it was not looked at"
    groups: List[Optional[str]] = []
    """What a regular expression captured."""

    async def look(self, look_s: float) -> Optional[str]:
        """Give what is seen, or None. `look_s` is how long that may take."""
        raise NotImplementedError

    def close(self) -> None:
        """Look no more."""


class PortSign(Sign):
    """Something accepts connections. Without a host: on this machine, where servers listen or on loopback."""

    def __init__(self, kernel: Kernel, where: Endpoint, bind: str) -> None:
        self._kernel = kernel
        self._where = where
        self._bind = bind

    async def look(self, look_s: float) -> Optional[str]:
        """Try to connect."""
        host, port = self._where.host, self._where.port
        addresses = list(dict.fromkeys([host_to_reach(self._bind), "127.0.0.1", "::1"]))
        if host:
            try:
                addresses = await self._kernel.in_thread(numbers_of, host)
            except OSError as error:
                self.last = "%s: %s" % (host, error.strerror)
                return None
        for address in addresses:
            if await is_listening(self._kernel, address, port, look_s):
                return str(Endpoint(host or address, port))
        self.last = "nothing accepts connections on port %d of %s" % (port, host or "this machine")
        return None


class HttpSign(Sign):
    """A URL is answered with a status below 400. It may be found out late, as that of a service to come."""

    def __init__(self, context: Context, url: Callable[[], str]) -> None:
        self._context = context
        self._url = url

    async def look(self, look_s: float) -> Optional[str]:
        """Ask."""
        try:
            url = self._url()
            response = await self._context.http("GET", url, timeout_s=look_s)
        except ProcedureFailed as error:
            self.last = error.message
            return None
        self.last = "%d %s" % (response.status, url)
        return self.last if response.status < 400 else None


class FileSign(Sign):
    """A file or directory exists."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.last = "%s does not exist" % path

    async def look(self, look_s: float) -> Optional[str]:
        """See whether it is there."""
        return self._path if os.path.exists(self._path) else None


class LogSign(Sign):
    """A line of a process's output, from its first one on, holds a pattern. The process may still be to come."""

    def __init__(self, kernel: Kernel, pattern: str, name: str, find: Callable[[], Optional[Supervised]]) -> None:
        from octogram_agentd.patterns.search import Pattern
        from octogram_agentd.patterns.syntax import PatternFault

        try:
            self._pattern = Pattern(pattern)
        except PatternFault as fault:
            raise ProcedureFailed(
                "not a regular expression: %s: %s" % (pattern, fault), kind="argument", hint=fault.hint
            ) from None
        self._kernel = kernel
        self._find = find
        self._found: List[str] = []
        self._reader: Optional[Task] = None
        self.process: Optional[Supervised] = None
        self.last = "no process named %s has been started" % name

    async def look(self, look_s: float) -> Optional[str]:
        """See what the reader has found; of a process that has ended it has then read everything."""
        process = self._find()
        if process is not self.process:
            self.close()
            self.process = process
            if process is not None:
                self.last = "no line of %s matches %s" % (process.name, self._pattern.source)
                self._reader = self._kernel.spawn(self._search(process), "readiness")
                await self._kernel.sleep(0)
        if process is not None and not self._found and not process.is_running and self._reader is not None:
            await self._reader
            if not self._found:
                raise ended(process)
        return self._found[0] if self._found else None

    async def _search(self, process: Supervised) -> None:
        async for line in process.new_lines():
            match = await self._find_in(line)
            if match is not None:
                self.groups = match.groups
                self._found.append(line[:1000])
                process.changed.ring()
                return

    async def _find_in(self, line: str) -> Optional[Match]:
        """Search a line, and let others have their turns meanwhile."""
        search = self._pattern.finding(line)
        while True:
            try:
                next(search)
            except StopIteration as stop:
                found: Optional[Match] = stop.value
                return found
            await self._kernel.sleep(0)

    def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()


class AnswerSign(Sign):
    """A procedure's own question is answered with yes."""

    def __init__(self, ask: Callable[[], Awaitable[bool]], what: str) -> None:
        self._ask = ask
        self._what = what
        self.last = "no answer that says so"

    async def look(self, look_s: float) -> Optional[str]:
        """Ask."""
        return self._what if await self._ask() else None


async def wait(
    context: Context,
    kernel: Kernel,
    signs: Sequence[Sign],
    *,
    timeout_s: float,
    every_s: float = 0.5,
    process: Optional[Supervised] = None,
    waiting_for: str = "",
) -> int:
    """Wait until one of the signs is seen, and give its place in the list; the sign's `last` is what was seen.

    process      one that has to go on running meanwhile
    waiting_for  what to say from time to time
    Raises ProcedureFailed: kind `exit` as soon as the process has ended, `timeout` with what was there instead.
    """
    began_s = time.monotonic()
    deadline_s = began_s + checked_timeout(timeout_s)
    say_s = began_s + SAY_EVERY_S
    pause_s = SHORTEST_PAUSE_S
    try:
        while True:
            look_s = WATCHED_LOOK_S if process is not None else LOOK_S
            was_running = process is None or process.is_running
            for number, sign in enumerate(signs):
                seen = await sign.look(max(0.1, min(look_s, deadline_s - time.monotonic())))
                if seen is not None:
                    sign.last = seen
                    return number
            if process is not None and not was_running:
                raise ended(process)
            now_s = time.monotonic()
            left_s = deadline_s - now_s
            if left_s <= 0:
                raise _not_seen(process, signs, timeout_s)
            if waiting_for and now_s >= say_s:
                say_s = now_s + SAY_EVERY_S
                context.progress("%.0f s: waiting for %s" % (now_s - began_s, waiting_for))
            watched = process or next((sign.process for sign in signs if isinstance(sign, LogSign)), None)
            if watched is not None:
                await watched.changed.wait(min(pause_s, every_s, left_s))
            else:
                await kernel.sleep(min(pause_s, every_s, left_s))
            pause_s *= 1.5
    finally:
        for sign in signs:
            sign.close()


def _not_seen(process: Optional[Supervised], signs: Sequence[Sign], timeout_s: float) -> ProcedureFailed:
    last = "; ".join(sign.last for sign in signs)
    if process is None:
        return ProcedureFailed("not seen within %g s: %s" % (timeout_s, last), kind="timeout", waited_s=timeout_s)
    return ProcedureFailed(
        "%s was not ready within %g s: %s" % (process.name, timeout_s, last),
        kind="timeout",
        exit_code=process.exit_code,
        last_lines=process.tail(LAST_LINES),
    )


def ended(process: Supervised) -> ProcedureFailed:
    """Say that a process has ended before what was waited for was seen."""
    return ProcedureFailed(
        "%s ended with exit status %s before it was ready" % (process.name, process.exit_code),
        kind="exit",
        exit_code=process.exit_code,
        last_lines=process.tail(LAST_LINES),
    )
