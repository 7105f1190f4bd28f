"""A real daemon, attached over pipes as the orchestrator would, for tests of procedures."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

from octogram_agentd import wire

CHECKOUT = Path(wire.__file__).parents[1]
WAIT_S = 30.0


class Finished:
    """How an attempt ended."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.state: str = message["state"]
        self.result: Any = message.get("result")
        self.error: dict[str, Any] = message.get("error") or {}

    def __repr__(self) -> str:
        return f"Finished({self.state}, {self.result or self.error})"


class RealAgent:
    """One daemon. `run` executes a procedure to its end, `start` leaves that to the caller."""

    def __init__(self, root: Path, python: str = sys.executable) -> None:
        self.root = root
        self.home = Path()
        self.services: list[dict[str, Any]] = []
        self.lines: list[tuple[str, str]] = []  # attempt or process, line
        self.changed = asyncio.Condition()
        self._python = python
        self._finished: dict[str, asyncio.Future[Finished]] = {}
        self._numbers = itertools.count(1)
        self._sequence = itertools.count(1)
        self._welcome: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._stopped: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def attach(self, **hello: Any) -> None:
        """Start the daemon and say hello."""
        start = (
            f"import sys; sys.path.insert(0, {str(CHECKOUT)!r});"
            " from octogram_agentd.__main__ import main; sys.exit(main(sys.argv[1:]))"
        )
        self._process = await asyncio.create_subprocess_exec(
            self._python,
            "-IS",
            "-B",
            "-c",
            start,
            "attach",
            "--run",
            "r",
            "--agent",
            "a",
            "--root",
            str(self.root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=1 << 20,
        )
        self._reader = asyncio.create_task(self._read())
        self._send(
            {
                "t": "hello",
                "proto": [1, 0],
                "run": "r",
                "agent": "a",
                "epoch": 1,
                "lease_s": 60,
                "rx": 0,
                "address": "127.0.0.1",
                "env": {},
                "procedures": [],
                "keep": False,
                "bind": "127.0.0.1",
                **hello,
            }
        )
        welcome = await asyncio.wait_for(self._welcome, WAIT_S)
        self.home = Path(welcome["home"])

    async def run(self, procedure: str, job: str = "", **arguments: Any) -> Finished:
        """Execute a procedure; attempts of one `job` are reruns of each other."""
        return await asyncio.wait_for(self.start(procedure, job, **arguments)[1], WAIT_S)

    async def ok(self, procedure: str, job: str = "", **arguments: Any) -> Any:
        """Execute a procedure that has to succeed; gives its result."""
        finished = await self.run(procedure, job, **arguments)
        assert finished.state == "ok", finished
        return finished.result

    async def error(self, procedure: str, job: str = "", **arguments: Any) -> dict[str, Any]:
        """Execute a procedure that has to fail; gives its error."""
        finished = await self.run(procedure, job, **arguments)
        assert finished.state == "failed", finished
        return finished.error

    def start(self, procedure: str, job: str = "", **arguments: Any) -> tuple[str, asyncio.Future[Finished]]:
        """Begin to execute a procedure; gives the attempt's name and its end."""
        number = next(self._numbers)
        attempt = f"{job or f's/j{number}@a'}#{number}"
        future: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        self._finished[attempt] = future
        self._send({"t": "run", "seq": next(self._sequence), "id": attempt, "procedure": procedure, "args": arguments})
        return attempt, future

    def cancel(self, attempt: str) -> None:
        """Cancel an attempt."""
        self._send({"t": "cancel", "seq": next(self._sequence), "id": attempt, "reason": "test"})

    async def seen(self, line: str) -> None:
        """Wait for a line of output that contains a text."""
        await self._until(lambda: any(line in text for _, text in self.lines))

    async def service(self, name: str, state: str) -> dict[str, Any]:
        """Wait for the announcement of a service."""
        await self._until(lambda: any(s["name"] == name and s["state"] == state for s in self.services))
        return [s for s in self.services if s["name"] == name and s["state"] == state][-1]

    async def _until(self, holds: Any) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(holds), WAIT_S)

    async def stop(self) -> dict[str, Any]:
        """Stop the daemon; gives what it says last."""
        self._send({"t": "stop", "seq": next(self._sequence), "grace_s": 5, "keep": False})
        stopped = await asyncio.wait_for(self._stopped, WAIT_S)
        self._send({"t": "ack", "seq": stopped["seq"]})
        assert self._process.stdin is not None
        await asyncio.wait_for(self._process.wait(), WAIT_S)
        await self._reader
        self._process.stdin.close()
        return stopped

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(wire.encode(message))

    async def _read(self) -> None:
        assert self._process.stdout is not None
        framer = wire.LineFramer()
        while data := await self._process.stdout.read(1 << 16):
            async with self.changed:
                for message in framer.feed(data):
                    self._take(message)
                self.changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["t"]
        if kind == "welcome":
            self._welcome.set_result(message)
        elif kind == "finished":
            self._finished[message["id"]].set_result(Finished(message))
        elif kind == "service":
            self.services.append(message)
        elif kind == "stopped":
            self._stopped.set_result(message)
        elif kind == "output":
            self.lines += [(message["id"] or message.get("process", ""), line) for line in message["lines"]]
            self._send({"t": "credit", "bytes": message.get("bytes", 0)})
