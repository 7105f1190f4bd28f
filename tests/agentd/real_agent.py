"""Procedures asked of a real daemon, in few words."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from daemon_client import WAIT_S, DaemonClient

from octogram_agentd.network.tickets import with_ticket


class Finished:
    """How an attempt ended."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.state: str = message["state"]
        self.result: Any = message.get("result")
        self.error: dict[str, Any] = message.get("error") or {}

    def __repr__(self) -> str:
        return f"Finished({self.state}, {self.result or self.error})"


class RealAgent(DaemonClient):
    """One daemon. `run` executes a procedure to its end, `start` leaves that to the caller."""

    run_name = "r"
    agent_name = "a"
    _numbers = itertools.count(1)

    @property
    def services(self) -> list[dict[str, Any]]:
        return self.told

    @property
    def lines(self) -> list[tuple[str, str]]:
        return self.printed

    async def attach(self, **hello: Any) -> None:
        """Start the daemon and say hello."""
        self._numbers = itertools.count(1)
        await self.greet(**hello)

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
        end = self.begin(attempt, procedure, arguments)

        async def finish() -> Finished:
            return Finished(await end)

        return attempt, asyncio.ensure_future(finish())

    def url(self, server: dict[str, Any], path: str) -> str:
        """Give the URL of a file that a server of this agent gives out, as the run makes it."""
        key = next(service["key"] for service in reversed(self.told) if service["kind"] == "http")
        return with_ticket(f"http://127.0.0.1:{server['port']}/{path}", key)

    async def seen(self, line: str) -> None:
        """Wait for a line of output that contains a text."""
        await self.until(lambda: any(line in text for _, text in self.printed))

    async def service(self, name: str, state: str) -> dict[str, Any]:
        """Wait for the announcement of a service."""
        await self.until(lambda: any(s["name"] == name and s["state"] == state for s in self.told))
        return [s for s in self.told if s["name"] == name and s["state"] == state][-1]

    async def stop(self) -> dict[str, Any]:
        """Stop the daemon; gives what it says last."""
        return await self.end(keep=False)
