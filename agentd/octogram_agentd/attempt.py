"""One attempt on this agent: the procedure's context made real, and what is left of it afterwards."""

from __future__ import annotations

import os
import time

from octogram_agentd import probes, signals, web
from octogram_agentd.context import CommandResult, Context
from octogram_agentd.kernel import Future
from octogram_agentd.logs import LineCutter, Log
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.supervised import Supervised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Mapping, Optional, Sequence, Union

    from octogram_agentd.context import Process, Response
    from octogram_agentd.daemon import Daemon
    from octogram_agentd.kernel import Task, Timer
    from octogram_agentd.procedures.base import Uri

COMMAND_GRACE_S = 5.0  # between TERM and KILL when a command is cancelled
LAST_LINES = 20  # of the output, in an error's detail
RESULT_CHARACTERS = 80 * 1024  # of one stream as JSON, so that two tails fit into a result


class Attempt(Context):
    """A running attempt. What the Context promises is done here or handed to the daemon."""

    def __init__(self, daemon: Daemon, name: str, number: int) -> None:
        self.agent = daemon.agent
        self.attempt = name
        self.address = daemon.address
        self.home = daemon.home
        self.root = daemon.root
        self.bind = daemon.host_to_bind()
        self.owner = "a%d" % number
        self.started_s = time.monotonic()
        self.task: Optional[Task] = None
        self.timer: Optional[Timer] = None
        self.output: Optional[Log] = None
        self.has_started = False  # any process
        self.is_over = False
        self.end_reason = ""
        self.timeout_s = 0.0
        self._daemon = daemon
        self._kernel = daemon.kernel
        self._temporaries: List[str] = []

    def path(self, path: str) -> str:
        """Give the absolute path of one relative to home."""
        return os.path.normpath(os.path.join(self.home, path))

    def inner_path(self, path: str) -> str:
        """The same, but refuses what is absolute or leads out of home, links included."""
        whole = self.path(path)
        home = os.path.realpath(self.home)
        real = os.path.realpath(whole)
        if os.path.isabs(path) or (real != home and not real.startswith(home + "/")):
            raise ProcedureFailed(
                "%s is not inside the agent's home directory" % path, kind="path", hint="give a path relative to it"
            )
        return whole

    def data_dir(self, name: str) -> str:
        """Give ROOT/data/NAME, made when missing."""
        path = os.path.join(self.root, "data", name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def temporary(self, name: str = "") -> str:
        """Give the path of a new file in ROOT/tmp."""
        directory = os.path.join(self.root, "tmp")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = os.path.join(directory, "%s-%d-%s" % (self.owner, len(self._temporaries), os.path.basename(name)))
        self._temporaries.append(path)
        return path

    def fresh_port(self) -> int:
        """Give a TCP port that is free now."""
        return self._daemon.ports.fresh()

    def future(self) -> Future:
        """Give something to wait for that another task sets."""
        return Future(self._kernel)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._kernel.sleep(seconds)

    async def command(
        self,
        argv: Sequence[str],
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Optional[bytes] = None,
        check: bool = True,
        log: bool = True,
        timeout_s: Optional[float] = None,
        tail_bytes: int = 65536,
    ) -> CommandResult:
        """Run a program to its end."""
        capture = _Capture(self, log, tail_bytes)
        started_s = time.monotonic()
        self.has_started = True
        processes = self._daemon.processes
        child = processes.start(
            argv, cwd=self._directory(cwd), env=self._environment(env), stdin=stdin, sink=capture.take, owner=self.owner
        )
        try:
            is_late = False
            if timeout_s is None:
                await child.drained
            else:
                outcome = Future(self._kernel)
                child.drained.then(outcome.set)
                timer = self._kernel.later(timeout_s, outcome.set)
                try:
                    is_late = await outcome is None
                finally:
                    timer.cancel()
            if is_late:
                await processes.end(child, signals.TERM, COMMAND_GRACE_S)
        except BaseException:
            await processes.end(child, signals.TERM, COMMAND_GRACE_S)
            raise
        result = CommandResult(
            list(argv),
            child.exit_code if child.exit_code is not None else -1,
            capture.text("stdout"),
            capture.text("stderr"),
            time.monotonic() - started_s,
        )
        capture.program = os.path.basename(argv[0])
        if is_late:
            raise ProcedureFailed("%s took longer than %s s" % (argv[0], timeout_s), kind="timeout", **_detail(result))
        if check and result.exit_code != 0:
            raise ProcedureFailed(
                "%s ended with exit status %d" % (argv[0], result.exit_code), kind="exit", **_detail(result)
            )
        return result

    async def all_of(self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int) -> List[Any]:
        """Run parts of the attempt, so many at a time."""
        results: List[Any] = [None] * len(parts)
        errors: List[BaseException] = []
        waiting = list(enumerate(parts))[::-1]

        async def work() -> None:
            while waiting:
                index, part = waiting.pop()
                try:
                    results[index] = await part()
                except BaseException as error:  # also a cancellation: this task ends either way
                    waiting.clear()
                    errors.append(error)

        tasks = [self._kernel.spawn(work(), self.attempt) for _ in range(min(at_once, len(parts)))]
        try:
            for task in tasks:
                await task
        except BaseException:
            waiting.clear()
            for task in tasks:
                task.cancel()
            for task in tasks:  # what they run is ended before the attempt is
                await task
            raise
        if errors:
            raise errors[0]
        return results

    async def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Optional[bytes] = None,
        stop_signal: str = "TERM",
        stop_grace_s: float = 10.0,
        restart: str = "never",
        stop_order: int = 0,
    ) -> Process:
        """Start a supervised process."""
        daemon = self._daemon
        old = daemon.supervised.get(name)
        if old is not None:
            await self._ended(old, None)
        self.has_started = True
        process = Supervised(
            self._kernel,
            daemon.processes,
            name,
            daemon.process_log(name),
            argv=argv,
            cwd=self._directory(cwd),
            env=self._environment(env),
            stdin=stdin,
            owner=self.owner,
            stop_signal=stop_signal,
            stop_grace_s=stop_grace_s,
            restart=restart,
            stop_order=stop_order,
            on_lines=daemon.process_lines,
            on_state=daemon.services.process_changed,
        )
        process.attempt = self.attempt
        daemon.supervised.pop(name, None)  # so that the order of the dictionary is the order of the starts
        daemon.supervised[name] = process
        return process

    def process(self, name: str) -> Optional[Process]:
        """Give the supervised process of that name."""
        return self._daemon.supervised.get(name)

    async def stop(self, name: str, *, grace_s: Optional[float] = None) -> Optional[int]:
        """Stop a supervised process."""
        process = self._daemon.supervised.get(name)
        if process is None:
            raise ProcedureFailed(
                "this agent never started a process named %s" % name,
                kind="missing",
                hint="it started: %s" % (", ".join(self._daemon.supervised) or "none"),
            )
        await self._ended(process, grace_s)
        return process.exit_code

    async def _ended(self, process: Supervised, grace_s: Optional[float]) -> None:
        remaining = await process.stop(grace_s)
        if remaining:
            raise ProcedureFailed(
                "%s could not be ended: %s"
                % (process.name, ", ".join("%(name)s (%(pid)d, %(state)s)" % one for one in remaining)),
                kind="unkillable",
                remaining=remaining,
            )

    async def wait_ready(
        self,
        process: Process,
        *,
        log: Optional[str] = None,
        port: Optional[int] = None,
        http: Optional[str] = None,
        file: Optional[str] = None,
        timeout_s: float = 60.0,
    ) -> str:
        """Wait until one of the given signs is seen."""
        assert isinstance(process, Supervised)
        return await probes.wait_ready(self, process, log, port, http, file, timeout_s)

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Optional[Mapping[str, str]] = None,
        body: Optional[bytes] = None,
        timeout_s: float = 30.0,
        max_bytes: int = 16 << 20,
    ) -> Response:
        """Make an HTTP request."""
        return await web.request(self._kernel, method, url, dict(headers or {}), body, timeout_s, max_bytes)

    def http_lines(self, url: str, *, headers: Optional[Mapping[str, str]] = None) -> AsyncIterator[str]:
        """Read an endless HTTP answer line by line."""
        return web.Lines(self._kernel, url, dict(headers or {}))

    async def fetch(self, uri: Uri, *, name: str = "", executable: bool = False) -> str:
        """Give the local path of a file argument."""
        if uri.remote is None:
            return self.path(uri.owned or "")
        from octogram_agentd.download import download

        return await download(self, uri.remote, name, executable)

    def announce(self, kind: str, name: str, ports: Mapping[str, int], *, process: Optional[Process] = None) -> None:
        """Tell everyone of a service."""
        self._daemon.services.announce(self.attempt, kind, name, dict(ports), process)

    def service(self, kind: str, name: str) -> Dict[str, int]:
        """Give the ports of a service of this agent."""
        return self._daemon.services.ports(kind, name)

    def log(self, text: Union[str, bytes], *, stream: str = "log") -> None:
        """Send log lines of our own."""
        data = text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text)
        cutter = LineCutter()
        self.print_lines(stream, data + b"\n", cutter.feed(data) + cutter.close())

    def progress(self, text: str) -> None:
        """Say how far the attempt is."""
        self._daemon.say({"t": "progress", "id": self.attempt, "text": text[:1000].split("\n")[0]})

    def print_lines(self, stream: str, data: bytes, lines: List[str], program: str = "") -> None:
        """Keep output in the attempt's log, and send it; of an attempt that is over, in the program's name."""
        if data and not self.is_over:
            if self.output is None:
                self.output = self._daemon.attempt_log(self)
            self.output.write(data)
        if lines:
            self._daemon.lines(("", program, stream) if self.is_over else (self.attempt, "", stream), lines)

    def last_lines(self) -> List[str]:
        """Give the end of what it printed."""
        return self.output.last_lines(LAST_LINES) if self.output is not None else []

    def clean(self) -> None:
        """Remove what was promised to be removed with the attempt."""
        for path in self._temporaries:
            try:
                os.unlink(path)
            except OSError:
                pass

    def _directory(self, cwd: Optional[str]) -> str:
        return self.home if cwd is None else self.path(cwd)

    def _environment(self, env: Optional[Mapping[str, str]]) -> Mapping[str, str]:
        if not env:
            return self._daemon.env
        merged = dict(self._daemon.env)
        merged.update(env)
        return merged


class _Capture:
    """Takes a command's output: the tails for its result, lines for the log."""

    __slots__ = ("_attempt", "_cutters", "_limit_bytes", "_log", "_tails", "program")

    def __init__(self, attempt: Attempt, log: bool, limit_bytes: int) -> None:
        self.program = ""
        self._attempt = attempt
        self._log = log
        self._limit_bytes = limit_bytes
        self._tails: Dict[str, bytearray] = {}
        self._cutters: Dict[str, LineCutter] = {}

    def take(self, stream: str, data: bytes) -> None:
        if data:
            tail = self._tails.get(stream)
            if tail is None:
                tail = self._tails[stream] = bytearray()
            tail += data
            if len(tail) > 2 * self._limit_bytes:
                del tail[: -self._limit_bytes]
        if not self._log:
            return
        cutter = self._cutters.get(stream)
        if cutter is None:
            if not data:
                return
            cutter = self._cutters[stream] = LineCutter()
        lines = cutter.feed(data) if data else cutter.close()
        self._attempt.print_lines(stream, data, lines, self.program)

    def text(self, stream: str) -> str:
        tail = self._tails.get(stream)
        if not tail:
            return ""
        text = bytes(tail[-self._limit_bytes :]).decode("utf-8", "replace")
        return text if len(text) < RESULT_CHARACTERS // 12 else _within(text)


def _within(text: str) -> str:
    """Cut the beginning off a text whose escapes would make it too long for a result."""
    from octogram_agentd.wire import encode

    while len(encode({"": text})) > RESULT_CHARACTERS:
        text = text[len(text) // 8 + 1 :]
    return text


def _detail(result: CommandResult) -> Dict[str, Any]:
    lines = (result.stderr.rstrip("\n") or result.stdout.rstrip("\n")).split("\n")[-LAST_LINES:]
    return {
        "exit_code": result.exit_code,
        "argv": [word[:1000] for word in result.argv[:100]],
        "last_lines": [line[-2000:] for line in lines if line],
    }
