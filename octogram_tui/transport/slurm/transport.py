"""The way to one agent on a node of an allocation: each command is a step there, and its streams are the channel."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from octogram_tui.errors import ConnectFailed, TransportError
from octogram_tui.transport.base import Channel, Receiver
from octogram_tui.transport.local import ProcessChannel
from octogram_tui.transport.slurm.allocation import Allocation
from octogram_tui.transport.slurm.queue import Node
from octogram_tui.transport.slurm.step import Step


class SlurmTransport:
    """An agent's; all of a run share the allocation."""

    def __init__(self, agent: str, allocation: Allocation) -> None:
        self._agent = agent
        self._allocation = allocation
        self._channels: list[Channel] = []

    @property
    def description(self) -> str:
        """The node, once there is one."""
        node = self._allocation.known_node(self._agent)
        return f"node {node.name} of Slurm's job {self._allocation.job}" if node is not None else "a node of Slurm"

    @property
    def host(self) -> str:
        """Where the other nodes reach the node."""
        node = self._allocation.known_node(self._agent)
        return node.address if node is not None else ""

    async def reach(self) -> Hashable:
        """Wait for the allocation; gives the node's name. Raises TransportError."""
        return "slurm", (await self._node()).name

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> Channel:
        """Start a command as a step of its own on the node. Raises TransportError."""
        node = await self._node()
        try:
            step = self._allocation.step(node, self._agent)
            whose = Step(receiver)
            channel = await self._allocation.commands.open([*step, *argv], whose, bulk=bulk)
            whose.channel = channel if isinstance(channel, ProcessChannel) else None
        except TransportError as error:
            raise self._named(error) from error
        self._channels.append(channel)
        return channel

    async def connect(self, place: str, receiver: Receiver) -> Channel:
        """Nothing but commands goes through Slurm. Raises ConnectFailed."""
        raise ConnectFailed(f"agent {self._agent}: no socket is reached through Slurm", code="slurm.socket")

    async def close(self) -> None:
        """Drop every channel."""
        for channel in self._channels:
            channel.abort()
        self._channels.clear()

    @property
    def login(self) -> str:
        """The machine where steps are started; empty: this one."""
        return "" if self._allocation.commands.is_here else self._allocation.commands.where

    def wrapper(self) -> list[str]:
        """Give the words before a command of a person's that run it on the node; nothing before there is one."""
        node = self._allocation.known_node(self._agent)
        return self._allocation.step(node, f"{self._agent}-shell", unbuffered=True) if node is not None else []

    async def _node(self) -> Node:
        try:
            return await self._allocation.node_of(self._agent)
        except TransportError as error:
            raise self._named(error) from error

    def _named(self, error: TransportError) -> TransportError:
        named = type(error)(f"agent {self._agent}: {error.message}", hint=error.hint, code=error.code)
        named.exit_code = error.exit_code
        named.is_retryable = error.is_retryable
        return named
