"""A real daemon on this machine, spoken to over pipes as the orchestrator does: the one client of all tests.

Knows the wire and nothing of what is tested. `DaemonClient` is for coroutines; `argv_of` and `greeting` are what a test
needs that speaks to a daemon byte by byte.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from octogram_agentd import PROTOCOL
from octogram_agentd.wire.lines import LineFramer, encode
from octogram_tui.resources import agentd_dir

CHECKOUT = str(agentd_dir().parent)
WAIT_S = 60.0
START = (
    "import sys;sys.path.insert(0,sys.argv[1]);from octogram_agentd.__main__ import main;sys.exit(main(sys.argv[2:]))"
)


def argv_of(python: str, *words: str) -> list[str]:
    """Give the command that runs the daemon's program from the checkout."""
    return [python, "-ISXutf8", "-B", "-c", START, CHECKOUT, *words]


def greeting(run: str, agent: str, **more: Any) -> dict[str, Any]:
    """Give the fields of a hello, as an orchestrator fills them for an agent on its own machine."""
    return {
        "proto": list(PROTOCOL),
        "run": run,
        "agent": agent,
        "epoch": 1,
        "lease_s": 60,
        "rx": 0,
        "address": "127.0.0.1",
        "env": {},
        "procedures": [],
        "keep": False,
        "bind": "127.0.0.1",
        **more,
    }


class DaemonClient:
    """One daemon. Arguments are given as the orchestrator expands them: URIs as {owned: ...} or {remote: ...}."""

    run_name = "run"
    agent_name = "agent"

    def __init__(self, root: Path, python: str = sys.executable) -> None:
        self.root = root
        self.home = root  # until the daemon says where it is
        self.printed: list[tuple[str, str]] = []  # attempt or process, line
        self.told: list[dict[str, Any]] = []  # every announcement of a service, in order
        self.progress: list[str] = []
        self.changed = asyncio.Condition()
        self._python = python
        self._ends: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._sequence = 0
        self._welcome: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._stopped: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def greet(self, **hello: Any) -> None:
        """Start the daemon and say hello."""
        names = ("--run", self.run_name, "--agent", self.agent_name)
        self._process = await asyncio.create_subprocess_exec(
            *argv_of(self._python, "attach", *names, "--root", str(self.root), "--parent-watch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=1 << 20,
        )
        self._reader = asyncio.create_task(self._read())
        self.send("hello", **greeting(self.run_name, self.agent_name, **hello))
        self._reader.add_done_callback(lambda _task: self._welcome.cancel())  # when it ends without a greeting
        welcome = await asyncio.wait_for(self._welcome, WAIT_S)
        self.home = Path(welcome["home"])

    def begin(self, attempt: str, procedure: str, arguments: dict[str, Any], **more: Any) -> asyncio.Future[Any]:
        """Begin an attempt; gives what will be the `finished` message."""
        end: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._ends[attempt] = end
        self.send("run", id=attempt, procedure=procedure, args=arguments, **more)
        return end

    def cancel(self, attempt: str) -> None:
        """Cancel an attempt."""
        self.send("cancel", id=attempt, reason="test")

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds of what the daemon has said."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(lambda: bool(holds())), WAIT_S)

    async def end(self, *, keep: bool) -> dict[str, Any]:
        """Stop the daemon; gives what it says last."""
        self.send("stop", grace_s=5, keep=keep)
        stopped = await asyncio.wait_for(self._stopped, WAIT_S)
        await asyncio.wait_for(self._process.wait(), WAIT_S)
        await self._reader
        assert self._process.stdin is not None
        self._process.stdin.close()
        return stopped

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message, numbered where it has to be."""
        if kind in ("run", "cancel", "stop"):
            self._sequence += 1
            fields["seq"] = self._sequence
        assert self._process.stdin is not None
        self._process.stdin.write(encode({"t": kind, **fields}))

    async def _read(self) -> None:
        assert self._process.stdout is not None
        framer = LineFramer()
        while data := await self._process.stdout.read(1 << 16):
            async with self.changed:
                for message in framer.feed(data):
                    self._take(message)
                self.changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["t"]
        if "seq" in message and kind != "ack":
            self.send("ack", seq=message["seq"])
        if kind == "welcome":
            self._welcome.set_result(message)
        elif kind == "finished":
            end = self._ends[message["id"]]
            if not end.done():  # whoever waited may have lost patience
                end.set_result(message)
        elif kind == "service":
            self.told.append(message)
        elif kind == "progress":
            self.progress.append(message["text"])
        elif kind == "stopped":
            self._stopped.set_result(message)
        elif kind == "output":
            self.printed += [(message["id"] or message.get("process", ""), line) for line in message["lines"]]
            self.send("credit", bytes=message.get("bytes", 0))
