"""What a procedure sees of the agent that runs it: processes, files, HTTP, services, log and progress.

The daemon has an event loop of its own (octogram_agentd/kernel.py), so `await` here never means asyncio.
"""

from __future__ import annotations

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

    from octogram_agentd.kernel import Future
    from octogram_agentd.network.endpoint import Endpoint
    from octogram_agentd.procedures.values import Uri

    T = TypeVar("T")


class CommandResult:
    """What a finished program left: exit status (128 + n when signal n ended it), the tails of its output."""

    __slots__ = ("argv", "duration_s", "exit_code", "stderr", "stdout")

    def __init__(self, argv: List[str], exit_code: int, stdout: str, stderr: str, duration_s: float) -> None:
        self.argv = argv
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.duration_s = duration_s


class Response:
    """An HTTP answer, whatever its status."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """Read the body as JSON. Raises ValueError."""
        import json

        return json.loads(self.body)


class Process:
    """A supervised process: its own session, its whole tree counted as it, output in a bounded log."""

    name: str
    pid: int
    is_running: bool  # the leader has not exited
    exit_code: Optional[int]  # of the leader; 128 + n for signal n

    def tail(self, lines: int = 20) -> List[str]:
        """Give the last lines of its output, stdout and stderr as they came."""
        raise NotImplementedError

    async def wait(self) -> int:
        """Wait for the leader's exit status."""
        raise NotImplementedError

    def new_lines(self) -> AsyncIterator[str]:
        """Give each line of output from the process's first one on; ends when the process does."""
        raise NotImplementedError


class Context:
    """One attempt's view of its agent. Everything that it starts ends with the run at the latest."""

    agent: str  # the agent's name
    attempt: str  # the attempt's name
    address: str  # how other agents reach this one
    home: str  # absolute; what relative paths and processes start from
    root: str  # the agent's private directory (0700), parent of home, data and logs
    mark: str = ""  # what stands before `port.` in the arguments where a port is meant
    bind: str  # the host that servers bind, as `socket.bind` takes it (IPv6 without brackets)

    def to_bind(self, port: int) -> Endpoint:
        """Give what a server of this agent is told to listen on: `str()` of it is `127.0.0.1:80`, or `[::]:80`."""
        from octogram_agentd.network.endpoint import Endpoint

        return Endpoint(self.bind, port)

    def to_reach(self, port: int) -> Endpoint:
        """Give where this agent reaches such a server itself."""
        from octogram_agentd.network.endpoint import Endpoint, host_to_reach

        return Endpoint(host_to_reach(self.bind), port)

    def for_others(self, port: int) -> Endpoint:
        """Give where the other agents reach it."""
        from octogram_agentd.network.endpoint import Endpoint

        return Endpoint(self.address, port)

    def path(self, path: str) -> str:
        """Give the absolute path of one relative to home (an absolute one is left alone; `~` is not special)."""
        raise NotImplementedError

    def inner_path(self, path: str) -> str:
        """The same, but refuses (ProcedureFailed, kind `path`) what is absolute or leads out of home."""
        raise NotImplementedError

    def data_dir(self, name: str) -> str:
        """Give ROOT/data/NAME, made with mode 0700 when missing: the default data directory of a daemon."""
        raise NotImplementedError

    def temporary(self, name: str = "") -> str:
        """Give the path of a new file in ROOT/tmp (0700) whose name ends with `name`; removed with the attempt."""
        raise NotImplementedError

    def fresh_port(self) -> int:
        """Give a TCP port that is free now and was not given out before by this daemon."""
        raise NotImplementedError

    def state(self, make: Callable[[], T]) -> T:
        """Give what a kind of procedure keeps on this agent as long as its daemon lives; made by `make` at first.

        `make` is a class (or function) of the procedure's own module: its name is what the state is found by.
        """
        raise NotImplementedError

    def future(self) -> Future:
        """Give something that one attempt awaits and another sets."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait; ends early only by cancellation."""
        raise NotImplementedError

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
        """Run a program to its end. `log`: send its output as log lines.

        Raises ProcedureFailed: kind `not_started` (missing, not executable, wrong architecture: errno and a hint
        in the detail), `exit` when `check` and the status is not 0 (detail: exit_code, argv, last lines), `timeout`.
        """
        raise NotImplementedError

    async def all_of(self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int) -> List[Any]:
        """Run parts of an attempt, so many at a time; gives what they return, in order.

        Raises what the first one to fail raised, once those that had begun have ended; the rest does not begin.
        """
        raise NotImplementedError

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
        """Start a supervised process; one of the same name is stopped first, its whole tree.

        restart: never, or on_failure. stop_order: at the end of the run lower ones are stopped, and their trees
        seen empty, before higher ones get a signal (bakers 0, nodes 10).
        Raises ProcedureFailed kind `not_started`.
        """
        raise NotImplementedError

    def process(self, name: str) -> Optional[Process]:
        """Give the supervised process of that name, running or ended."""
        raise NotImplementedError

    async def stop(self, name: str, *, grace_s: Optional[float] = None) -> Optional[int]:
        """Stop a supervised process: signal, grace, KILL; until its whole tree is empty. Its exit status.

        Raises ProcedureFailed kind `missing` when this agent never started one of that name.
        """
        raise NotImplementedError

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
        """Wait until one of the given signs is seen (the first wins); says which.

        log: a regular expression, searched in each line. answer: a question of one's own. waiting_for: what to say
        from time to time. Raises ProcedureFailed: kind `exit` as soon as the process ends (with its last lines),
        `timeout`, `argument` for a timeout of zero or less.
        """
        raise NotImplementedError

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
        """Wait until something is there, whoever made it: exactly one sign; gives what was seen, and groups of `log`.

        http: gives the URL, and may raise ProcedureFailed as long as there is none. log: the name of a process, which
        may be still to come, and a regular expression. every_s: the longest pause between two looks.
        Raises ProcedureFailed as `wait_ready` does.
        """
        raise NotImplementedError

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
        """Make an HTTP request. Raises ProcedureFailed kind `http` when no answer came (never for a status)."""
        raise NotImplementedError

    def http_lines(self, url: str, *, headers: Optional[Mapping[str, str]] = None) -> AsyncIterator[str]:
        """Read an endless HTTP answer line by line; ends when the server closes. Raises as `http` does."""
        raise NotImplementedError

    async def fetch(self, uri: Uri, *, name: str = "", executable: bool = False) -> str:
        """Give the local path of a file argument.

        An owned one is its path, unchecked. A remote one is downloaded once per URL and agent, also when several
        attempts ask at the same time. Raises ProcedureFailed kind `download`.
        """
        raise NotImplementedError

    def announce(
        self, kind: str, name: str, ports: Mapping[str, int], *, process: Optional[Process] = None, key: str = ""
    ) -> None:
        """Tell everyone of a service. With `process` it is down, with the reason, when that ends.

        key: what the run makes tickets of (network/tickets.py), for the URLs of a file server.
        """
        raise NotImplementedError

    def service(self, kind: str, name: str) -> Dict[str, int]:
        """Give the ports of a service of this agent.

        Raises ProcedureFailed kind `service`: nobody started it (lists those there are), or it is down and why.
        """
        raise NotImplementedError

    def log(self, text: Union[str, bytes], *, stream: str = "log") -> None:
        """Send log lines of our own."""
        raise NotImplementedError

    def progress(self, text: str) -> None:
        """Say how far the attempt is; replaces what was said before."""
        raise NotImplementedError
