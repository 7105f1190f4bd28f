"""A real daemon on this machine, asked over its channel to run procedures: what the orchestrator does, in short."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from daemon_client import WAIT_S, DaemonClient

from octogram_agentd.procedures import find

REPOSITORY = Path(__file__).parents[2]
STAND_INS = REPOSITORY / "sample_scenarios" / "stand_ins" / "octez.py"


class Failed(Exception):
    """An attempt that did not end well; `error` is what the daemon said."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error.get('message')} {error}")
        self.error = error
        self.message = str(error["message"])
        self.hint = str(error.get("hint", ""))


class Agent(DaemonClient):
    """One daemon whose procedures are given the arguments that a scenario could give them."""

    run_name = "test"
    agent_name = "alice"
    _count = 0

    @property
    def services(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The last that was told of each service."""
        return {(message["kind"], message["name"]): message for message in self.told}

    @property
    def lines(self) -> list[str]:
        return [line for _, line in self.printed]

    async def open(self, env: dict[str, str] | None = None, *, bind: str = "127.0.0.1") -> None:
        """Start the daemon and greet it; `bind` is what its servers are to listen on."""
        await self.greet(env=env or {}, keep=True, bind=bind)

    async def close(self) -> None:
        """Stop everything; nothing is left afterwards."""
        stopped = await self.end(keep=True)
        assert stopped["remaining"] == []

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
        self._count += 1
        end = self.begin(f"stage/{procedure}@alice#{self._count}", procedure, arguments)

        async def finish() -> Any:
            message = await end
            if message["state"] != "ok":
                raise Failed(message["error"])
            return message["result"]

        return asyncio.ensure_future(finish())

    async def service(self, kind: str, name: str, state: str) -> dict[str, Any]:
        """Wait until a service is in a state."""
        await self.until(lambda: self.services.get((kind, name), {}).get("state") == state)
        return self.services[kind, name]


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
