"""What a procedure sees of this agent: the Context of procedures/context.py made real, for one attempt."""

from __future__ import annotations

import os
import time

from octogram_agentd import signals
from octogram_agentd.cuts import beginning
from octogram_agentd.jobs.announced import MOST_WORD
from octogram_agentd.jobs.capture import Capture, detail_of
from octogram_agentd.kernel import Future
from octogram_agentd.procedures.context import CommandResult, Context
from octogram_agentd.procedures.values import ProcedureFailed, checked_timeout
from octogram_agentd.processes.filenames import fitting
from octogram_agentd.processes.logs import LineCutter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Any,
        AsyncIterator,
        Awaitable,
        Callable,
        Dict,
        List,
        Mapping,
        Optional,
        Sequence,
        Tuple,
        TypeVar,
        Union,
    )

    from octogram_agentd.jobs.agent import Agent
    from octogram_agentd.jobs.attempt import Attempt
    from octogram_agentd.network.endpoint import Endpoint
    from octogram_agentd.procedures.context import Process, Response
    from octogram_agentd.procedures.values import Uri
    from octogram_agentd.processes.supervised import Supervised

    T = TypeVar("T")

PROGRESS_S = 0.1  # between two lines of progress
COMMAND_GRACE_S = 5.0  # between TERM and KILL when a command is cancelled


class AgentContext(Context):
    """One attempt's context made real: what it promises is done here or handed to the agent."""

    def __init__(self, agent: Agent, attempt: Attempt) -> None:
        self.agent = agent.name
        self.attempt = attempt.name
        self.address = agent.address
        self.home = agent.home
        self.root = agent.root
        self.bind = agent.host_to_bind()
        self.mark = attempt.mark
        self._agent = agent
        self._record = attempt
        self._kernel = agent.kernel

    def path(self, path: str) -> str:
        """Give the absolute path of one relative to home."""
        if "\0" in path:
            raise ProcedureFailed("%r holds a NUL character, which no path can" % path, kind="path")
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
        record = self._record
        count = len(record.temporaries)
        path = os.path.join(directory, fitting("%s-%d-" % (record.owner, count), os.path.basename(name)))
        record.temporaries.append(path)
        return path

    def fresh_port(self) -> int:
        """Give a TCP port that is free now."""
        return self._agent.fresh_port()

    def state(self, make: Callable[[], T]) -> T:
        """Give what this kind of procedure keeps on this agent."""
        kept: T = self._agent.state(make)
        return kept

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
        limit_s = None if timeout_s is None else checked_timeout(timeout_s)
        capture = Capture(self._kernel, self.print_lines if log else None, tail_bytes)
        started_s = time.monotonic()
        self._record.has_started = True
        processes = self._agent.processes
        child = processes.start(
            argv,
            cwd=self.home if cwd is None else self.path(cwd),
            env=self._environment(env),
            stdin=stdin,
            sink=capture.take,
            owner=self._record.owner,
        )
        try:
            is_late = False
            if limit_s is None:
                await child.drained
            else:
                outcome = Future(self._kernel)
                child.drained.then(outcome.set)
                timer = self._kernel.later(limit_s, outcome.set)
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
        capture.program = argv[0].rpartition("/")[2]
        if is_late:
            raise ProcedureFailed(
                "%s took longer than %s s" % (argv[0], timeout_s), kind="timeout", **detail_of(result)
            )
        if check and result.exit_code != 0:
            raise ProcedureFailed(
                "%s ended with exit status %d" % (argv[0], result.exit_code), kind="exit", **detail_of(result)
            )
        return result

    async def all_of(self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int) -> List[Any]:
        """Run parts of the attempt, so many at a time."""
        from octogram_agentd.jobs.parts import run_parts

        return await run_parts(self._kernel, self.attempt, parts, at_once)

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
        from octogram_agentd.processes.supervised import Supervised

        agent = self._agent
        old = agent.supervised.get(name)
        if old is not None:
            await self._ended(old, None)
        self._record.has_started = True
        process = Supervised(
            self._kernel,
            agent.processes,
            name,
            agent.log("process", name),
            argv=argv,
            cwd=self.home if cwd is None else self.path(cwd),
            env=self._environment(env),
            stdin=stdin,
            owner=self._record.owner,
            stop_signal=stop_signal,
            stop_grace_s=stop_grace_s,
            restart=restart,
            stop_order=stop_order,
            on_lines=self._process_lines,
            on_state=agent.services.process_changed,
        )
        process.attempt = self.attempt
        agent.supervised.pop(name, None)  # so that the order of the dictionary is the order of the starts
        agent.supervised[name] = process
        return process

    def process(self, name: str) -> Optional[Process]:
        """Give the supervised process of that name."""
        return self._agent.supervised.get(name)

    async def stop(self, name: str, *, grace_s: Optional[float] = None) -> Optional[int]:
        """Stop a supervised process."""
        process = self._agent.supervised.get(name)
        if process is None:
            raise ProcedureFailed(
                "this agent never started a process named %s" % name,
                kind="missing",
                hint="it started: %s" % (", ".join(self._agent.supervised) or "none"),
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
        answer: Optional[Callable[[], Awaitable[bool]]] = None,
        timeout_s: float = 60.0,
        waiting_for: str = "",
    ) -> str:
        """Wait until one of the given signs is seen."""
        from octogram_agentd.jobs import signs
        from octogram_agentd.network.endpoint import Endpoint
        from octogram_agentd.processes.supervised import Supervised

        assert isinstance(process, Supervised)
        wanted: Dict[str, signs.Sign] = {}
        if log is not None:
            wanted["log"] = signs.LogSign(self._kernel, log, process.name, lambda: process)
        if port is not None:
            wanted["port"] = signs.PortSign(self._kernel, Endpoint("", port), self.bind, for_others=True)
        if file is not None:
            wanted["file"] = signs.FileSign(self.path(file))
        if http is not None:
            url = http
            wanted["http"] = signs.HttpSign(self, lambda: url)
        if answer is not None:
            wanted["answer"] = signs.AnswerSign(answer, waiting_for)
        if not wanted:
            raise ProcedureFailed("no sign of readiness is given", kind="argument", hint="give log, port, http or file")
        kinds = list(wanted)
        number = await signs.wait(
            self,
            self._kernel,
            list(wanted.values()),
            timeout_s=timeout_s,
            process=process,
            waiting_for=waiting_for,
        )
        kind = kinds[number]
        given = {"port": port, "file": file, "http": http}
        return "%s %s" % (kind, given.get(kind) or wanted[kind].last)

    async def wait_for(
        self,
        *,
        port: Optional[Endpoint] = None,
        http: Optional[Callable[[], str]] = None,
        file: Optional[str] = None,
        log: Optional[Tuple[str, str]] = None,
        timeout_s: float = 60.0,
        every_s: float = 1.0,
    ) -> Tuple[str, List[Optional[str]]]:
        """Wait until the sign is seen."""
        from octogram_agentd.jobs import signs

        if port is not None:
            sign: signs.Sign = signs.PortSign(self._kernel, port, self.bind)
        elif http is not None:
            sign = signs.HttpSign(self, http)
        elif file is not None:
            sign = signs.FileSign(self.path(file))
        else:
            assert log is not None
            name = log[0]
            sign = signs.LogSign(self._kernel, log[1], name, lambda: self._agent.supervised.get(name))
        await signs.wait(self, self._kernel, [sign], timeout_s=timeout_s, every_s=every_s)
        return sign.last, sign.groups

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
        from octogram_agentd.network import web

        limit_s = checked_timeout(timeout_s)
        return await web.request(self._kernel, method, url, dict(headers or {}), body, limit_s, max_bytes)

    def http_lines(self, url: str, *, headers: Optional[Mapping[str, str]] = None) -> AsyncIterator[str]:
        """Read an endless HTTP answer line by line."""
        from octogram_agentd.network import web

        return web.HttpLines(self._kernel, url, dict(headers or {}))

    async def fetch(self, uri: Uri, *, name: str = "", executable: bool = False) -> str:
        """Give the local path of a file argument."""
        if uri.remote is None:
            return self.path(uri.owned or "")
        from octogram_agentd.network.download import download

        return await download(self, uri.remote, name, executable, is_direct=uri.path is not None)

    def announce(
        self, kind: str, name: str, ports: Mapping[str, int], *, process: Optional[Process] = None, key: str = ""
    ) -> None:
        """Tell everyone of a service."""
        self._agent.services.announce(self.attempt, kind, name, dict(ports), process, key)

    def service(self, kind: str, name: str) -> Dict[str, int]:
        """Give the ports of a service of this agent."""
        return self._agent.services.ports(kind, name)

    def log(self, text: Union[str, bytes], *, stream: str = "log") -> None:
        """Send log lines of our own."""
        data = text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text)
        cutter = LineCutter()
        self.print_lines(beginning(stream, MOST_WORD), data + b"\n", cutter.feed(data) + cutter.close())

    def progress(self, text: str) -> None:
        """Say how far the attempt is; of what is said in quick succession only the last is told."""
        record = self._record
        record.progress = _line(text)
        if record.progress_timer is None:
            self._tell_progress()

    def _tell_progress(self) -> None:
        record = self._record
        record.progress_timer = None
        if record.progress and not record.is_over:
            self._agent.post.say({"t": "progress", "id": self.attempt, "text": record.progress})
            record.progress = ""
            record.progress_timer = self._agent.kernel.later(PROGRESS_S, self._tell_progress)

    def print_lines(self, stream: str, data: bytes, lines: List[str], program: str = "") -> None:
        """Keep output in the attempt's log, and send it; of an attempt that is over, in the program's name."""
        if data and not self._record.is_over:
            if self._record.output is None:
                self._record.output = self._agent.log("attempt", self._record.owner)
            self._record.output.write(data)
        if lines:
            is_over = self._record.is_over
            self._agent.post.lines(("", program, stream) if is_over else (self.attempt, "", stream), lines)

    def _process_lines(self, process: Supervised, stream: str, lines: List[str]) -> None:
        """Send log lines of a process that this attempt started: in its name as long as it is under way."""
        self._agent.post.lines(("" if self._record.is_over else self.attempt, process.name, stream), lines)

    def _environment(self, env: Optional[Mapping[str, str]]) -> Mapping[str, str]:
        of_attempt = self._record.env
        if not env and not of_attempt:
            return self._agent.env
        merged = dict(self._agent.env)
        merged.update(of_attempt)
        merged.update(env or {})
        return merged


def _line(text: str) -> str:
    """Make a line of what a procedure says; a name of a file that is no text would not get through."""
    return beginning(text.split("\n", 1)[0], 1000).encode("utf-8", "replace").decode()
