"""A real daemon on this machine, asked over its channel to run procedures: what the orchestrator does, in short."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from octogram_agentd import PROTOCOL
from octogram_agentd.procedures import find
from octogram_agentd.wire import LineFramer, encode

REPOSITORY = Path(__file__).parents[2]
STAND_INS = REPOSITORY / "sample_scenarios" / "stand_ins" / "octez.py"
WAIT_S = 60.0


class Failed(Exception):
    """An attempt that did not end well; `error` is what the daemon said."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('message')} {error}")
        self.error = error
        self.message = str(error["message"])
        self.hint = str(error.get("hint", ""))


class Agent:
    """One daemon. Arguments are given as the orchestrator expands them: URIs as {owned: ...} or {remote: ...}."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root  # until the daemon says where it is
        self.services: dict[tuple[str, str], dict[str, Any]] = {}
        self.lines: list[str] = []
        self.progress: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._attempts: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()
        self._ready = asyncio.Event()
        self._stopped = asyncio.Event()
        self._remaining: list[Any] = []
        self._number = 0
        self._seen = 0

    async def open(self, env: dict[str, str] | None = None, *, bind: str = "127.0.0.1") -> None:
        """Start the daemon and greet it; `bind` is what its servers are to listen on."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "octogram_agentd",
            "attach",
            "--run",
            "test",
            "--agent",
            "alice",
            "--root",
            str(self.root),
            "--parent-watch",
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())
        self._send(
            {
                "t": "hello",
                "proto": list(PROTOCOL),
                "run": "test",
                "agent": "alice",
                "epoch": 1,
                "lease_s": 60,
                "rx": 0,
                "address": "127.0.0.1",
                "env": env or {},
                "procedures": [],
                "keep": True,
                "bind": bind,
            }
        )
        await asyncio.wait_for(self._ready.wait(), WAIT_S)

    async def close(self) -> None:
        """Stop everything; nothing is left afterwards."""
        assert self._process is not None
        assert self._reader is not None
        self._number += 1
        self._send({"t": "stop", "seq": self._number, "grace_s": 5.0, "keep": True})
        await asyncio.wait_for(self._stopped.wait(), WAIT_S)
        await asyncio.wait_for(self._reader, WAIT_S)
        await self._process.wait()
        assert self._remaining == []

    async def run(self, procedure: str, arguments: dict[str, Any] | None = None, **more: Any) -> Any:
        """Run a procedure to its end and give its result. Raises Failed."""
        job = self.start(procedure, {**(arguments or {}), **more})
        try:
            return await asyncio.wait_for(job, WAIT_S)
        except TimeoutError:
            raise AssertionError(f"{procedure} takes too long: {self.progress[-3:]} {self.lines[-40:]}") from None

    def start(self, procedure: str, arguments: dict[str, Any]) -> asyncio.Task[Any]:
        """Begin a procedure; the names of arguments are checked as a scenario's are."""
        unknown = set(arguments) - set(find(procedure).fields)
        assert not unknown, f"{procedure} has no {unknown}"
        self._number += 1
        name = f"stage/{procedure}@alice#{self._number}"
        ended = self._attempts[name] = asyncio.get_running_loop().create_future()
        self._send({"t": "run", "seq": self._number, "id": name, "procedure": procedure, "args": arguments})

        async def finish() -> Any:
            message = await ended
            if message["state"] != "ok":
                raise Failed(message["error"])
            return message["result"]

        return asyncio.ensure_future(finish())

    async def service(self, kind: str, name: str, state: str) -> dict[str, Any]:
        """Wait until a service is in a state."""
        async with self._changed:
            await asyncio.wait_for(
                self._changed.wait_for(lambda: self.services.get((kind, name), {}).get("state") == state), WAIT_S
            )
        return self.services[kind, name]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(encode(message))

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        framer = LineFramer()
        while data := await self._process.stdout.read(65536):
            for message in framer.feed(data):
                await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        if "seq" in message and message["t"] != "ack":
            self._send({"t": "ack", "seq": message["seq"]})
        kind = message["t"]
        if kind == "welcome":
            self.home = Path(message["home"])
            self._ready.set()
        elif kind == "output":
            self.lines += message["lines"]
            self._send({"t": "credit", "bytes": message.get("bytes", 0)})
        elif kind == "progress":
            self.progress.append(message["text"])
        elif kind == "service":
            async with self._changed:
                self.services[message["kind"], message["name"]] = message
                self._changed.notify_all()
        elif kind == "finished":
            waiting = self._attempts[message["id"]]
            if not waiting.done():  # whoever waited may have lost patience
                waiting.set_result(message)
        elif kind == "stopped":
            self._remaining = message["remaining"]
            self._stopped.set()


def install(directory: Path, release: str) -> None:
    """Put a release's stand-ins into a directory."""
    subprocess.run(
        [sys.executable, str(STAND_INS), "install", str(directory), "--release", release, "--python", sys.executable],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def base_parameters(protocol: str, release: str) -> str:
    """Give parameters of a protocol to start from, as a JSON text."""
    done = subprocess.run(
        [sys.executable, str(STAND_INS), "parameters", protocol, "--release", release],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def is_alive(pid: int) -> bool:
    """Tell whether a process is there."""
    return os.path.exists(f"/proc/{pid}")
