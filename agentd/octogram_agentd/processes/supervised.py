"""Processes with a name: kept running, watched, stopped as whole trees."""

from __future__ import annotations

import time

from octogram_agentd import signals
from octogram_agentd.cuts import beginning
from octogram_agentd.kernel import Bell, Future
from octogram_agentd.procedures.context import Process
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.processes.logs import UNFINISHED_S, LineCutter, LiveLines, Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AsyncIterator, Callable, Dict, List, Mapping, Optional, Sequence

    from octogram_agentd.kernel import Kernel
    from octogram_agentd.processes.children import Child, Processes

RESTART_DELAY_S = 0.5  # doubled each time, up to the next
LONGEST_RESTART_DELAY_S = 30.0
LAST_LINES = 10  # of the log, in a reason


def signal_number(name: str) -> int:
    """Give a signal's number: `TERM`, `SIGTERM`. Raises ProcedureFailed kind `argument`."""
    number = signals.number(name)
    if number is None:
        raise ProcedureFailed("there is no signal %s" % name, kind="argument", hint="use TERM, INT, HUP, QUIT ...")
    return number


class Supervised(Process):
    """One named process of this agent; a restart keeps the name, the log and the object."""

    def __init__(
        self,
        kernel: Kernel,
        processes: Processes,
        name: str,
        log: Log,
        *,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        stdin: Optional[bytes],
        owner: str,
        stop_signal: str,
        stop_grace_s: float,
        restart: str,
        stop_order: int,
        on_lines: Callable[[Supervised, str, List[str]], None],
        on_state: Callable[[Supervised, bool], None],
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        self.attempt = ""
        self.stop_order = stop_order
        self.stop_grace_s = stop_grace_s
        self.exit_code: Optional[int] = None
        self.is_running = False
        self.is_over = False  # has ended and will not be restarted, and all of its output is there
        self.ends = 0  # how often it has ended
        self.last_exit_code: Optional[int] = None  # the status with which it ended last
        self.changed = Bell(kernel)
        self._stop_signal = signal_number(stop_signal)
        self._restart = restart
        self._kernel = kernel
        self._processes = processes
        self._how: Dict[str, Any] = {"cwd": cwd, "env": env, "stdin": stdin, "owner": owner}
        self._on_lines = on_lines
        self._on_state = on_state
        self._lines = {stream: LiveLines(kernel, self._passing_on(stream)) for stream in ("stdout", "stderr")}
        self._is_stopping = False
        self._is_empty = False
        self._over = Future(kernel)
        self._child = self._launch()
        self._watcher = kernel.spawn(self._watch(), "process %s" % name)

    def _launch(self) -> Child:
        child = self._processes.start(self.argv, sink=self._take, **self._how)
        self.pid = child.pid
        self.is_running = True
        self.exit_code = None
        return child

    def _relaunch(self) -> bool:
        if self._is_stopping:
            return False
        try:
            self._child = self._launch()
        except ProcedureFailed as error:
            self._take("stderr", ("cannot be restarted: %s\n" % error).encode("utf-8", "replace"))
            return False
        return True

    def _take(self, stream: str, data: bytes) -> None:
        if data:
            self.log.write(data)
        self._lines[stream].feed(data)
        self.changed.ring()

    def _passing_on(self, stream: str) -> Callable[[bytes, List[str]], None]:
        def pass_on(_data: bytes, lines: List[str]) -> None:
            if lines:
                self._on_lines(self, stream, lines)

        return pass_on

    async def _watch(self) -> None:
        delay_s = RESTART_DELAY_S
        while True:
            self.exit_code = self.last_exit_code = await self._child.ended
            self.is_running = False
            self.ends += 1
            self.changed.ring()
            await self._child.drained
            if not self._is_restarted():
                break
            self._on_state(self, False)
            try:
                await self._processes.end(self._child, self._stop_signal, self.stop_grace_s)
            except OSError as error:  # nobody knows what is left of it
                self._take("stderr", ("cannot be restarted: %s\n" % error).encode("utf-8", "replace"))
                break
            await self._kernel.sleep(delay_s)
            delay_s = min(2 * delay_s, LONGEST_RESTART_DELAY_S)
            if not self._relaunch():
                break
            self._on_state(self, True)
        self.is_over = True
        self.log.close()
        self._on_state(self, False)
        self._over.set()
        self.changed.ring()

    def _is_restarted(self) -> bool:
        return self._restart == "on_failure" and self.exit_code != 0 and not self._is_stopping

    @property
    def has_ended(self) -> bool:
        """Whether it does not run, and will not be started again."""
        return self.is_over or not (self.is_running or self._is_restarted())

    @property
    def is_gone(self) -> bool:
        """Whether its whole tree was seen empty."""
        return self.is_over and self._is_empty

    def reason(self) -> str:
        """Say how it ended: exit status and last lines."""
        lines = self.tail(LAST_LINES)
        how = (
            "%s is running" % self.name
            if self.exit_code is None
            else ("%s ended with exit status %d" % (self.name, self.exit_code))
        )
        return "\n".join([how] + [beginning(line, 500) for line in lines])

    def tail(self, lines: int = 20) -> List[str]:
        """Give the last lines of its output, stdout and stderr as they came."""
        return self.log.last_lines(lines)

    async def turn(self) -> None:
        """Let others do something."""
        await self._kernel.sleep(0)

    async def wait(self) -> int:
        """Wait for the leader's exit status."""
        return int(await self._child.ended)

    def new_lines(self, *, with_unfinished: bool = False) -> AsyncIterator[str]:
        """Give each line of output from the process's first one on; ends when the process does.

        with_unfinished: also what is there of a line that takes long to end, and then all of it again.
        """
        return _ProcessLines(self, with_unfinished)

    async def stop(self, grace_s: Optional[float] = None) -> List[Dict[str, Any]]:
        """Stop the whole tree; what could not be ended."""
        if self.is_gone:
            return []
        self._is_stopping = True
        remaining = await self._processes.end(
            self._child, self._stop_signal, self.stop_grace_s if grace_s is None else grace_s
        )
        if not remaining:
            self._is_empty = True
            await self._child.ended
            await self._settled()
        return remaining

    async def _settled(self) -> None:
        """Wait for the watcher, briefly: it may be in a pause before a restart, which will not take place."""
        future = Future(self._kernel)
        self._over.then(future.set)
        timer = self._kernel.later(0.2, future.set)
        await future
        timer.cancel()


class _ProcessLines:
    """Reads a process's log from its beginning, then follows it."""

    def __init__(self, process: Supervised, with_unfinished: bool) -> None:
        self._with_unfinished = with_unfinished
        self._since_s = 0.0  # when the unfinished line began, or was given last
        self._given = b""
        self._process = process
        self._offset = 0
        self._cutter = LineCutter()
        self._lines: List[str] = []
        self._is_at_end = False

    def __aiter__(self) -> _ProcessLines:
        return self

    async def __anext__(self) -> str:
        while not self._lines:
            if self._is_at_end:
                raise StopAsyncIteration
            data, self._offset, gap = self._process.log.read(self._offset)
            if data:
                await self._process.turn()  # of a long log, or one that never ends, others have their turns too
            if gap:
                self._lines.append("[%d bytes of the log were dropped here]" % gap)
            if data:
                had_rest = bool(self._cutter.rest)
                self._lines += self._cutter.feed(data)
                if self._lines or not had_rest:
                    self._since_s, self._given = time.monotonic(), b""
            elif self._process.is_over:
                self._is_at_end = True
                self._lines += self._cutter.close()
            else:
                await self._wait()
        return self._lines.pop(0)

    async def _wait(self) -> None:
        """Wait for more; of an unfinished line no longer than until it is to be given."""
        rest = self._cutter.rest
        if not self._with_unfinished or rest == self._given:
            await self._process.changed.wait()
            return
        left_s = self._since_s + UNFINISHED_S - time.monotonic()
        if left_s > 0:
            await self._process.changed.wait(left_s)
        else:
            self._since_s, self._given = time.monotonic(), rest
            self._lines.append(rest.decode("utf-8", "replace"))
