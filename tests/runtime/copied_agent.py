"""A home directory that files are copied to, by processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from octogram_agentd.processes import origin
from octogram_tui.runtime.files import copy_to
from octogram_tui.transport.base import Channel, Receiver
from octogram_tui.transport.local import LocalTransport


class Piped:
    """A way to an agent that may be anywhere, so that all bytes have to go through it; `channels` opened so far."""

    def __init__(self, inner: LocalTransport) -> None:
        self.description = "a pipe"
        self.host = ""
        self.channels: list[Channel] = []
        self.sent_bytes = 0
        self._inner = inner

    async def reach(self) -> str:
        return "fake"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> Channel:
        channel: Any = await self._inner.open(argv, receiver, bulk=bulk)
        write = channel.write

        def counted(data: bytes) -> None:
            self.sent_bytes += len(data)
            write(data)

        channel.write = counted
        self.channels.append(channel)
        return self.channels[-1]

    async def close(self) -> None:
        await self._inner.close()


class Agent:
    """A home directory, and the way to it."""

    def __init__(self, place: Path, python: str = sys.executable, is_far: bool = False) -> None:
        self.root = place / "root"
        self.home = self.root / "home"
        self.home.mkdir(parents=True, mode=0o700)
        self.transport: Any = Piped(LocalTransport("a")) if is_far else LocalTransport("a")
        self._python = python

    def argv_for(self, subcommand: str) -> list[str]:
        return [self._python, *origin.argv("parcels.transfer", subcommand)[1:]]

    async def copy(self, local: Path | str, remote: str, job: str = "", **more: Any) -> dict[str, Any]:
        return await copy_to(self.transport, self.argv_for, local, remote, home=str(self.home), job=job, **more)

    def names(self) -> list[str]:
        return sorted(str(p.relative_to(self.home)) for p in self.home.rglob("*"))
