"""A daemon that lives in the test: a transport whose channels the test speaks into, and a link that talks to it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from octogram_agentd import PROTOCOL
from octogram_agentd.wire.lines import LineFramer, encode
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.model.ids import AgentName, AttemptId
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import NOBODY, Before, Limits, LinkSettings
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.boots import FirstBoot, OnWait

DEADLINE_S = 60.0
FAST = Limits(
    retry_s=0.001,
    longest_retry_s=0.01,
    hurried_retry_s=0.001,
    stop_grace_s=30.0,
    stop_slack_s=30.0,
    stop_reattach_s=30.0,
    stop_boot_s=30.0,
    forced_stop_s=30.0,
    close_s=0.5,
)
"""Tries again at once, and waits for an answer that comes, however long the machine stands still before it."""

HASTY = replace(FAST, stop_grace_s=0.2, stop_slack_s=0.2, stop_reattach_s=0.2, stop_boot_s=0.2, forced_stop_s=0.2)
"""For answers that do not come."""

Kind = TypeVar("Kind")


class FakeChannel:
    """One command on the other side: the test writes its output and reads its input."""

    def __init__(self, nonce: str, receiver: Receiver) -> None:
        self.nonce = nonce
        self.raw = b""
        self.received: list[dict[str, Any]] = []
        self.is_aborted = False
        self.has_eof = False
        self.changed = asyncio.Event()
        self._receiver = receiver
        self._framer: LineFramer | None = None
        self._closed = asyncio.Event()

    # What the program calls.

    def write(self, data: bytes) -> None:
        if self._framer is None:
            self.raw += data
        else:
            self.received += self._framer.feed(data)
        self.changed.set()

    async def drain(self) -> None:
        if self._closed.is_set():
            raise LinkLost("nobody is there")

    def write_eof(self) -> None:
        self.has_eof = True
        self.lose(None)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def abort(self) -> None:
        self.is_aborted = True
        self.lose(None)

    async def wait_closed(self) -> int | None:
        await self._closed.wait()
        return 0

    # What the test does.

    def boot(self, answer: str = '{"need":false}', noise: bytes = b"") -> None:
        """Speak as the boot does; what is written from now on is messages."""
        self._receiver.data_received(noise + f"OCTO {self.nonce} {answer}\n".encode())
        if '"need":false' in answer:
            self.raw = b""
            self._framer = LineFramer()

    def welcome(self, pid: int = 1, rx: int = 0, **more: Any) -> None:
        self.say("welcome", proto=list(PROTOCOL), agent="one", pid=pid, boot="b", home="/home/one", rx=rx, **more)

    def say(self, t: str, /, **fields: Any) -> None:
        self.say_bytes(encode({"t": t, **fields}))

    def say_bytes(self, data: bytes) -> None:
        if not self._closed.is_set():
            self._receiver.data_received(data)

    def complain(self, data: bytes) -> None:
        self._receiver.stderr_received(data)

    def lose(self, error: TransportError | None = None) -> None:
        """End the channel: by itself, or with the way to it."""
        if not self._closed.is_set():
            self._closed.set()
            asyncio.get_running_loop().call_soon(self._receiver.channel_closed, error)

    async def expect(self, kind: str) -> dict[str, Any]:
        """Wait for a message, and take it."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for message in self.received:
                    if message["t"] == kind:
                        self.received.remove(message)
                        return message
                self.changed.clear()
                await self.changed.wait()


class FakeTransport:
    """Gives a FakeChannel for each `open`, or fails as the test wants."""

    description = "the test"
    host = ""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []  # for the next attempts to open, one each
        self.channels: asyncio.Queue[FakeChannel] = asyncio.Queue()
        self.is_closed = False
        self.opened = 0
        self.argv: list[str] = []  # of the latest

    async def reach(self) -> str:
        return "fake"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> FakeChannel:
        self.opened += 1
        self.argv = list(argv)
        if self.failures:
            raise self.failures.pop(0)
        found = re.search(r"OCTO ([0-9a-f]{16})", " ".join(argv))
        assert found is not None
        channel = FakeChannel(found[1], receiver)
        self.channels.put_nowait(channel)
        return channel

    async def connect(self, place: str, receiver: Receiver) -> FakeChannel:
        raise AssertionError("there is nothing to connect to")

    async def close(self) -> None:
        self.is_closed = True


class Rig:
    """A link, what it talks to, and what it reports."""

    def __init__(
        self,
        limits: Limits = FAST,
        *,
        lease_s: float = 60.0,
        take_up: int = 0,
        before: Before = NOBODY,
        deal: Mapping[str, Any] = MappingProxyType({}),
        **spec: Any,
    ) -> None:
        self.transport = FakeTransport()
        self.stimuli: list[Stimulus] = []
        self.turn = asyncio.Event()  # whether it is the link's turn to boot
        self.turn.set()
        self.boots = 0  # how many places it holds for that
        self._changed = asyncio.Event()
        self.link = Link(
            AgentSpec(AgentName("one"), transport="local", **spec),
            self.transport,
            LinkSettings("run", lease_s, BinarySource(), limits=limits, token="secret", take_up=take_up),
            self._take,
            self._alone,
            before=before,
            **deal,
        )

    def _take(self, stimulus: Stimulus) -> None:
        self.stimuli.append(stimulus)
        self._changed.set()

    @contextlib.asynccontextmanager
    async def _alone(self, on_wait: OnWait) -> AsyncIterator[FirstBoot]:
        if not self.turn.is_set():
            on_wait("waits")
            await self.turn.wait()
            on_wait("")
        self.boots += 1
        try:
            yield FirstBoot(is_over=True)
        finally:
            self.boots -= 1

    async def channel(self) -> FakeChannel:
        """Give the next channel that the link opens."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.transport.channels.get()

    async def up(self, **welcome: Any) -> FakeChannel:
        """Bring the agent up."""
        self.link.start()
        channel = await self.channel()
        channel.boot()
        await channel.expect("hello")
        channel.welcome(**welcome)
        await self.told(lambda s: type(s).__name__ == "AgentUpReport")
        await self.connected()
        return channel

    async def connected(self) -> None:
        """Wait until the link has taken up the channel whose daemon has answered."""
        async with asyncio.timeout(DEADLINE_S):
            while not self.link.is_connected:
                await asyncio.sleep(0)

    def tell(self, *attempts: str) -> None:
        """Have attempts executed, which the agent may then speak of."""
        for attempt in attempts:
            self.link.run(AttemptId.parse(attempt), "own.noop", {}, None)

    async def back(self, **welcome: Any) -> tuple[FakeChannel, dict[str, Any]]:
        """Answer the next attachment; gives its channel and its hello."""
        channel = await self.channel()
        channel.boot()
        hello = await channel.expect("hello")
        channel.welcome(**welcome)
        return channel, hello

    async def told(self, condition: Callable[[Stimulus], bool]) -> Stimulus:
        """Wait until something is reported."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for stimulus in self.stimuli:
                    if condition(stimulus):
                        return stimulus
                self._changed.clear()
                await self._changed.wait()

    async def report(self, kind: type[Kind]) -> Kind:
        """Wait for a report of a kind, and take it."""
        found = await self.told(lambda s: isinstance(s, kind))
        self.stimuli.remove(found)
        assert isinstance(found, kind)
        return found

    def kinds(self) -> list[str]:
        return [type(stimulus).__name__ for stimulus in self.stimuli]
