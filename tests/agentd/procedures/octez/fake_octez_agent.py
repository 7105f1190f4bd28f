"""An agent that only writes down what it is asked: programs answer from a table, daemons are ready at once."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from octogram_agentd.network.ports import FreshPorts
from octogram_agentd.procedures.base import ProcedureFailed, Uri
from octogram_agentd.procedures.context import CommandResult, Context, Process, Response

VERSIONS = {
    (17, 0): "1a2b3c4d (2023-06-08 10:00:00 +0200) (17.0)",
    (18, 0): "1a2b3c4d (2023-09-14 10:00:00 +0200) (18.0)",
    (19, 0): "1a2b3c4d (2024-01-22 10:00:00 +0100) (19.0)",
    (20, 0): "1a2b3c4d (2024-05-02 10:00:00 +0200) (Octez 20.0)",
    (21, 0): "1a2b3c4d (2024-11-13 10:00:00 +0100) (Octez 21.0)",
    (21, 3): "1a2b3c4d (2025-03-03 10:00:00 +0100) (Octez 21.3)",
    (22, 0): "1a2b3c4d (2025-04-10 10:00:00 +0200) (Octez 22.0)",
    (23, 0): "1a2b3c4d (2025-08-21 10:00:00 +0200) (Octez 23.0)",
    (24, 0): "1a2b3c4d (2026-01-15 10:00:00 +0100) (Octez 24.0)",
    (25, 1): "1a2b3c4d (2026-06-30 10:00:00 +0200) (Octez 25.1 (build: 0))",
}

Answer = tuple[int, str, str]  # exit status, stdout, stderr


T = TypeVar("T")


class FakeProcess(Process):
    """A daemon that is what the test makes it."""

    def __init__(self, name: str, argv: Sequence[str], lines: list[str], exit_code: int | None) -> None:
        self.name = name
        self.pid = 1
        self.argv = list(argv)
        self.lines = lines
        self.exit_code = exit_code
        self.is_running = exit_code is None

    def tail(self, lines: int = 20) -> list[str]:
        return self.lines[-lines:]


class FakeAgent(Context):
    """One attempt on an agent of a release. `answers` gives what programs say, by the words of their command."""

    def __init__(self, root: Path, release: tuple[int, int] = (25, 1), attempt: str = "s/j@a#1") -> None:
        self.agent = "a"
        self.attempt = attempt
        self.address = "198.51.100.7"
        self.root = str(root)
        self.home = str(root / "home")
        self.bind = "0.0.0.0"
        self.version = VERSIONS[release]
        self.commands: list[list[str]] = []
        self.versions_asked: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self.started: list[FakeProcess] = []
        self.stopped: list[str] = []
        self.answers: list[tuple[str, Answer | Callable[[list[str]], Answer]]] = []
        self.pages: dict[str, Any] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.heads: list[int] = [1]
        self.services: dict[tuple[str, str], dict[str, int]] = {}
        self.logged: list[str] = []
        self.said: list[str] = []
        self.dies_with: list[str] | None = None
        self._ports = FreshPorts()  # real ones: whether they are free is asked of this machine
        self.states: dict[Any, Any] = {}
        self.options: list[dict[str, Any]] = []
        os.makedirs(self.home, exist_ok=True)

    def program(self, name: str) -> Uri:
        """Put a program into the home directory; unlike any other, since versions are cached by content."""
        path = os.path.join(self.home, name)
        if not os.path.exists(path):
            Path(path).write_text(f"{self.root} {self.version}")
        return Uri(owned=name)

    def file(self, name: str, content: str | bytes) -> Uri:
        """Put a file into the home directory."""
        path = Path(self.home, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Uri(owned=name)

    def inside(self, *parts: str) -> str:
        """Give an absolute path in the home directory."""
        return os.path.join(self.home, *parts)

    def again(self) -> None:
        """Go on as the next attempt of the same instance."""
        head, _, number = self.attempt.rpartition("#")
        self.attempt = f"{head}#{int(number) + 1}"

    # -- what procedures use

    def path(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.home, path))

    def inner_path(self, path: str) -> str:
        if os.path.isabs(path) or path.startswith(".."):
            raise ProcedureFailed(f"{path} leads out of home", kind="path")
        return self.path(path)

    def data_dir(self, name: str) -> str:
        path = os.path.join(self.root, "data", name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def temporary(self, name: str = "") -> str:
        os.makedirs(os.path.join(self.root, "tmp"), exist_ok=True)
        return os.path.join(self.root, "tmp", f"1-{name}")

    def fresh_port(self) -> int:
        return self._ports.fresh()

    def state(self, make: Callable[[], T]) -> T:
        kept: T = self.states.setdefault(make, make())
        return kept

    async def sleep(self, seconds: float) -> None:
        return None

    async def command(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        check: bool = True,
        log: bool = True,
        timeout_s: float | None = None,
        tail_bytes: int = 65536,
    ) -> CommandResult:
        words = list(argv)
        if words[1:] == ["--version"]:
            self.versions_asked.append(words[0])
            return CommandResult(words, 0, self.version + "\n", "", 0.1)
        self.commands.append(words)
        self.environments.append(env or {})
        if "init" in words and "--data-dir" in words:
            self._write_configuration(words)
        for part, answer in self.answers:
            if part in " ".join(words):
                said = answer(words) if callable(answer) else answer
                return CommandResult(words, *said, 0.1)
        return CommandResult(words, 0, "", "", 0.1)

    def _write_configuration(self, words: list[str]) -> None:
        path = Path(words[words.index("--data-dir") + 1], "config.json")
        assert not path.exists(), "the program would refuse to replace its configuration"
        network = words[words.index("--network") + 1] if "--network" in words else None
        # Mainnet is what a configuration without a network is for.
        known = {"network": {"chain_name": "X"} if network == "file.json" else network}
        path.write_text(json.dumps({} if network == "mainnet" else known))

    async def all_of(self, parts: Sequence[Callable[[], Awaitable[Any]]], *, at_once: int) -> list[Any]:
        return [await part() for part in parts]

    async def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        stop_signal: str = "TERM",
        stop_grace_s: float = 10.0,
        restart: str = "never",
        stop_order: int = 0,
    ) -> Process:
        process = FakeProcess(name, argv, self.dies_with or [], None if self.dies_with is None else 1)
        self.options.append({"stop_order": stop_order})
        self.started.append(process)
        return process

    def process(self, name: str) -> Process | None:
        return next((process for process in reversed(self.started) if process.name == name), None)

    async def stop(self, name: str, *, grace_s: float | None = None) -> int | None:
        self.stopped.append(name)
        return 127

    async def wait_ready(
        self,
        process: Process,
        *,
        log: str | None = None,
        port: int | None = None,
        http: str | None = None,
        file: str | None = None,
        answer: Callable[[], Awaitable[bool]] | None = None,
        timeout_s: float = 60.0,
        waiting_for: str = "",
    ) -> str:
        if not process.is_running:
            raise ProcedureFailed("ended", kind="exit")
        return f"log {log}"

    async def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = 30.0,
        max_bytes: int = 16 << 20,
    ) -> Response:
        self.requests.append((method, url, None if body is None else json.loads(body)))
        page = next((page for end, page in self.pages.items() if url.endswith(end)), None)
        if page is None:
            return Response(404, {}, b"")
        if isinstance(page, tuple):
            return Response(page[0], {}, page[1].encode())
        return Response(200, {}, json.dumps(page).encode())

    async def _levels(self) -> AsyncIterator[str]:
        for level in self.heads:
            yield json.dumps({"hash": "BL", "level": level})

    def http_lines(self, url: str, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
        self.requests.append(("GET", url, None))
        return self._levels()

    async def fetch(self, uri: Uri, *, name: str = "", executable: bool = False) -> str:
        return uri.owned or "/downloaded"

    def announce(
        self, kind: str, name: str, ports: Mapping[str, int], *, process: Process | None = None, key: str = ""
    ) -> None:
        assert process is not None
        self.services[kind, name] = dict(ports)

    def service(self, kind: str, name: str) -> dict[str, int]:
        if (kind, name) not in self.services:
            raise ProcedureFailed(f"no {kind} named {name}", kind="service")
        return self.services[kind, name]

    def log(self, text: str | bytes, *, stream: str = "log") -> None:
        self.logged.append(str(text))

    def progress(self, text: str) -> None:
        self.said.append(text)
