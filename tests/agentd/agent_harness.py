"""Drives a real daemon over pipes, as an orchestrator would: messages out, messages in, with deadlines."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from daemon_client import argv_of, greeting

from octogram_agentd.wire import lines as wire

DEADLINE_S = 40.0
PROCEDURES = """
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed

class Command(Procedure):
    procedure = "own.command"
    argv = Field("list")
    cwd = Field("str")
    stdin = Field("str")
    env = Field("map")
    limit_s = Field("float")
    check = Field("bool", default=True)
    async def run(self, context):
        r = await context.command(self.argv, cwd=self.cwd, env=self.env, check=self.check, timeout_s=self.limit_s,
                                  stdin=None if self.stdin is None else self.stdin.encode())
        return {"exit_code": r.exit_code, "stdout": r.stdout, "stderr": r.stderr}

class Start(Procedure):
    procedure = "own.start"
    process = Field("str")
    argv = Field("list")
    order = Field("int", default=0)
    grace_s = Field("float", default=5.0)
    restart = Field("str", default="never")
    ready = Field("str")
    async def run(self, context):
        p = await context.start(self.process, self.argv, stop_order=self.order, stop_grace_s=self.grace_s,
                                restart=self.restart)
        context.announce("process", self.process, {"http": 1234}, process=p)
        if self.ready:
            await context.wait_ready(p, log=self.ready, timeout_s=15)
        return {"pid": p.pid}

class Stop(Procedure):
    procedure = "own.stop"
    process = Field("str")
    async def run(self, context):
        return {"exit_code": await context.stop(self.process)}

class Sleep(Procedure):
    procedure = "own.sleep"
    async def run(self, context):
        await context.sleep(3600)

class Noop(Procedure):
    procedure = "own.noop"
    async def run(self, context):
        return None

class Value(Procedure):
    procedure = "own.value"
    expression = Field("str")
    async def run(self, context):
        return eval(self.expression, {"context": context})

class Await(Procedure):
    procedure = "own.await"
    expression = Field("str")
    async def run(self, context):
        return await eval(self.expression, {"context": context})

class Talk(Procedure):
    procedure = "own.talk"
    lines = Field("int")
    async def run(self, context):
        for number in range(self.lines):
            context.log("line %d %s" % (number, "x" * 1000))
        return None

class Follow(Procedure):
    procedure = "own.follow"
    process = Field("str")
    async def run(self, context):
        lines = []
        async for line in context.process(self.process).new_lines():
            lines.append(line)
        return {"count": len(lines), "first": lines[:2], "last": lines[-2:], "gaps": [l for l in lines if l[:1] == "["]}

class Ready(Procedure):
    procedure = "own.ready"
    process = Field("str")
    sign = Field("map")
    async def run(self, context):
        return await context.wait_ready(context.process(self.process), timeout_s=10, **self.sign)
"""


class Connection:
    """One attachment."""

    def __init__(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        self.bridge = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self._framer = wire.LineFramer()
        self.received: list[dict[str, Any]] = []
        self._seq = 0

    def send(self, kind: str, **fields: Any) -> None:
        assert self.bridge.stdin is not None
        if kind in ("run", "recall", "cancel", "stop") and "seq" not in fields:
            self._seq += 1
            fields["seq"] = self._seq
        try:
            self.bridge.stdin.write(wire.encode({"t": kind, **fields}))
            self.bridge.stdin.flush()
        except BrokenPipeError:
            if kind != "ack":  # of its end: a daemon does not wait for that for ever
                raise

    def read(self) -> bool:
        """Take what comes next; False at the end."""
        assert self.bridge.stdout is not None
        ready, _, _ = select.select([self.bridge.stdout], [], [], DEADLINE_S)
        assert ready, f"nothing came for {DEADLINE_S} s; so far: {self.received[-3:]}"
        data = os.read(self.bridge.stdout.fileno(), 65536)
        self.received += self._framer.feed(data)
        return bool(data)

    def expect(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Take the next message of a kind with these fields; others stay."""
        start = 0
        while True:
            for message in self.received[start:]:
                if message["t"] == kind and all(message.get(name) == value for name, value in fields.items()):
                    self.received.remove(message)
                    return message
            start = len(self.received)
            assert self.read(), f"the end came instead of {kind} {fields}; left: {self.received[-5:]}"

    def printed(self, count: int, **fields: Any) -> list[str]:
        """Give so many lines of output, of the messages with these fields."""
        lines: list[str] = []
        while len(lines) < count:
            lines += self.expect("output", **fields)["lines"]
        return lines

    def drain(self) -> list[dict[str, Any]]:
        """Read to the end of file."""
        while self.read():
            pass
        return self.received

    def hello(self, epoch: int = 1, rx: int | None = 0, lease_s: float = 60, **more: Any) -> dict[str, Any]:
        own = {"procedures": [{"path": "own.py", "source": PROCEDURES}], **more}
        self.send("hello", **greeting("run", "agent", epoch=epoch, rx=rx, lease_s=lease_s, **own))
        welcome = self.expect("welcome")
        self._seq = max(self._seq, welcome["rx"])
        return welcome

    def do(self, procedure: str, name: str = "", **args: Any) -> dict[str, Any]:
        """Run an attempt to its end."""
        name = name or f"{procedure}-{self._seq + 1}#1"
        self.send("run", id=name, procedure=procedure, args=args)
        return self.expect("finished", id=name)

    def ok(self, procedure: str, **args: Any) -> Any:
        finished = self.do(procedure, **args)
        assert finished["state"] == "ok", finished
        return finished["result"]

    def fails(self, procedure: str, **args: Any) -> dict[str, Any]:
        finished = self.do(procedure, **args)
        assert finished["state"] == "failed", finished
        error = finished["error"]
        assert isinstance(error, dict)
        return error

    def stop(self, grace_s: float = 5, **more: Any) -> list[dict[str, Any]]:
        """Stop the agent, and give what remains."""
        self.send("stop", grace_s=grace_s, **more)
        stopped = self.expect("stopped")
        self.send("ack", seq=stopped["seq"])
        self.drain()
        self.close()
        remaining = stopped["remaining"]
        assert isinstance(remaining, list)
        return remaining

    def close(self) -> None:
        """Close our ends and wait for the bridge."""
        assert self.bridge.stdin is not None
        assert self.bridge.stdout is not None
        try:
            self.bridge.stdin.close()
        except BrokenPipeError:
            pass
        self.bridge.stdout.close()
        self.bridge.wait(DEADLINE_S)


class Place:
    """A directory for agents, and whatever is running in it."""

    def __init__(self, base: Path, python: str) -> None:
        self.base = base
        self.python = python
        self.connections: list[Connection] = []
        self.daemons: set[int] = set()

    @property
    def root(self) -> Path:
        return self.base / "run" / "agent"

    def attach(self, *words: str, env: dict[str, str] | None = None) -> Connection:
        argv = argv_of(self.python, "attach", "--run", "run", "--agent", "agent", "--root", str(self.base), *words)
        connection = Connection(argv, env)
        self.connections.append(connection)
        return connection

    def connect(self, *words: str, **hello: Any) -> Connection:
        connection = self.attach(*words)
        welcome = connection.hello(**hello)
        self.daemons.add(welcome["pid"])
        return connection

    def mark(self) -> str:
        return f"OCTOGRAM_PROCESS=run/agent/{self.root.stat().st_ino}/"

    def clean(self) -> None:
        """End what a failed test has left."""
        for connection in self.connections:
            if connection.bridge.poll() is None:
                connection.bridge.kill()
            connection.bridge.wait()
            for stream in (connection.bridge.stdin, connection.bridge.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        pass
        for pid in self.daemons:
            if is_alive(pid) and b"agentd" in cmdline(pid):
                os.kill(pid, 15)
                until(lambda pid=pid: not is_alive(pid), "the daemon ends")


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def resident(pid: int) -> int:
    """Give the bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def marked(mark: str) -> list[int]:
    """Give every live process whose environment carries a mark that begins so."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                environ = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in environ and is_alive(int(name)):
                found.append(int(name))
    return found


def until(condition: Any, what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition that nothing announces."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, f"not within {deadline_s} s: {what}"
        time.sleep(0.005)
