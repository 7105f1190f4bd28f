"""What all attempts of this agent share as long as its daemon lives: its name, its programs, the way to the outside."""

from __future__ import annotations

import os

from octogram_agentd.jobs.announced import AnnouncedServices
from octogram_agentd.processes.logs import Log
from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Protocol, Tuple

    from octogram_agentd.kernel import Kernel
    from octogram_agentd.network.ports import FreshPorts
    from octogram_agentd.processes.children import Processes
    from octogram_agentd.processes.supervised import Supervised

    Message = Dict[str, Any]
    Source = Tuple[str, str, str]  # attempt, process, stream

    class Place(Protocol):
        """Where its files are."""

        root: str

        def path(self, name: str) -> str: ...

        def log_path(self, name: str) -> str: ...

    class Post(Protocol):
        """The way to the orchestrator."""

        def post(self, message: Message) -> None: ...
        def post_line(self, line: bytes) -> int: ...

        def say(self, message: Message) -> None: ...

        def lines(self, source: Source, lines: List[str]) -> None: ...

        def flush_output(self, attempt: str) -> None: ...


class Agent:
    """One agent. Its daemon makes it, and tells it what a greeting says."""

    def __init__(self, kernel: Kernel, name: str, place: Place, processes: Processes, post: Post) -> None:
        self.kernel = kernel
        self.name = name
        self.root = place.root
        self.home = place.path("home")
        self.processes = processes
        self.post = post
        self.services = AnnouncedServices(post.post)
        self.supervised: Dict[str, Supervised] = {}  # in order of start
        self.address = ""
        self.env: Dict[str, str] = environment({})
        self.is_stopping = False
        self.is_asked_to_stop = False  # by the orchestrator
        self._place = place
        self._bind = "127.0.0.1"  # as the last hello says it
        self._host_to_bind = ""  # what that means on this machine, once it was asked for
        self._ports: List[FreshPorts] = []
        self._states: Dict[str, Any] = {}

    def settle(self, address: str, bind: str, env: Mapping[str, str]) -> None:
        """Take what a greeting says of this agent."""
        self.address = address
        self.env = environment(env)
        if bind != self._bind:
            self._bind, self._host_to_bind = bind, ""

    def whereabouts(self, request: Any) -> Dict[str, Any]:
        """Say where programs of this agent begin, and with what environment: the answer to `where`."""
        env = {name: value for name, value in self.env.items() if _is_text(name) and _is_text(value)}
        answer = {"t": "here", "request": request, "home": self.home, "env": env}
        while env and len(encode(answer)) > MAX_LINE_BYTES:  # a shell does without the longest, if it has to
            del env[max(env, key=lambda name: len(env[name]))]
        return answer

    def host_to_bind(self) -> str:
        """Give the host that servers of this agent bind."""
        if not self._host_to_bind:
            from octogram_agentd.network.interfaces import host_here

            self._host_to_bind = host_here(self._bind)
        return self._host_to_bind

    def fresh_port(self) -> int:
        """Give a TCP port that is free now, and none twice."""
        if not self._ports:
            from octogram_agentd.network.ports import FreshPorts

            self._ports.append(FreshPorts())
        return self._ports[0].fresh()

    def log(self, kind: str, name: str) -> Log:
        """Give a new log, of a process or of an attempt."""
        return Log(self._place.log_path("%s-%s" % (kind, name)))

    def state(self, make: Callable[[], Any]) -> Any:
        """Give what a kind of procedure keeps on this agent. By name: a greeting may have loaded its file again."""
        key = "%s.%s" % (make.__module__, getattr(make, "__qualname__", make))
        if key not in self._states:
            self._states[key] = make()
        return self._states[key]


def _is_text(word: str) -> bool:
    """Whether it can be written: the system gives what is no text as halves of surrogate pairs."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def environment(given: Mapping[str, str]) -> Dict[str, str]:
    """Give what every program of this agent gets: the login's own environment, without what is about this daemon."""
    ours = ("OCTOGRAM_", "SSH_CONNECTION", "SSH_CLIENT")
    base = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    base.update(given)
    return base
