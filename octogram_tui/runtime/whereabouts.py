"""Where a shell for an instance begins, with what environment, and how its agent's machine is reached."""

from __future__ import annotations

import asyncio
import posixpath
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from octogram_tui.engine.given import job_of
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.whereabouts import Surroundings, of_arguments, would_have
from octogram_tui.errors import LinkLost
from octogram_tui.journal.attempts import latest_arguments
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.link import Link

Aside = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Looks at the engine while nothing moves it."""


class Reaching(NamedTuple):
    """How the run reaches machines, which a shell has to do in the same way."""

    ssh_config: str | None = None
    accept_new: bool = False
    force_local: bool = False


class Guide:
    """Tells of whereabouts. The run hears nothing of it."""

    def __init__(
        self, engine: Engine, links: Mapping[str, Link], journal: Path, reaching: Reaching, aside: Aside
    ) -> None:
        self._engine = engine
        self._links = links
        self._journal = journal
        self._reaching = reaching
        self._aside = aside

    async def tell(self, id_: InstanceId) -> dict[str, Any]:
        """Give {problem}, or agent, directory, environment, whether that is whole, notes, and the way there."""
        link = self._links.get(id_.agent)
        if link is None:
            return {"problem": f"there is no agent {id_.agent!r}"}
        if not link.home:
            return {"problem": f"agent {id_.agent} is not up: it has no directory yet"}
        way = self._way(link)
        if isinstance(way, str):
            return {"problem": way}
        own, notes = await self._surroundings(id_)
        if own is None:
            return {"problem": f"the scenario has no job {id_.stage}/{id_.job}, and none of that name has run"}
        home, environment, is_whole = link.home, dict(link.spec.env), False
        try:
            home, told = await link.whereabouts()
            environment, is_whole = {**told}, True
        except LinkLost as error:
            notes.append(f"{error.message}: its environment as far as the scenario tells")
        directory = posixpath.join(home, own.cwd) if own.cwd else home
        environment |= {**own.environment, "PWD": directory}
        return {
            "problem": "",
            "agent": id_.agent,
            "directory": directory,
            "environment": environment,
            "is_whole": is_whole,
            "notes": notes,
            "way": way,
        }

    async def _surroundings(self, id_: InstanceId) -> tuple[Surroundings | None, list[str]]:
        """Give what the latest attempt had; of what waits at the gate, what it would have; of what is none, nothing."""
        instance = self._engine.instances.find(id_, "held")
        if instance is None:
            arguments = await asyncio.to_thread(latest_arguments, self._journal, id_)
            if arguments is not None:
                return of_arguments(arguments), []
        if job_of(self._engine.core.scenario, id_) is None:
            return None, []
        found = await self._aside(lambda: would_have(self._engine, id_))
        notes = [] if instance is not None else ["it has not run: as it would begin now"]
        return found, [*notes, *([f"not all can be told: {found.trouble}"] if found.trouble else [])]

    def _way(self, link: Link) -> dict[str, Any] | str:
        """Give the way to an agent's machine; or why nobody but the run has one."""
        spec, reaching = link.spec, self._reaching
        if spec.transport == "slurm" and not reaching.force_local:
            from octogram_tui.transport.slurm import SlurmTransport
            from octogram_tui.transport.slurm.commands import anywhere

            assert isinstance(link.transport, SlurmTransport)
            words = link.transport.wrapper()
            if not words:
                return f"agent {spec.name} has no node yet"
            if where := link.transport.login:
                return f"agent {spec.name}: a shell there is had from {where}: {shlex.join([*words, '--pty', 'sh'])}"
            spec = replace(spec, transport="command", command=tuple(anywhere(words)))
        return {
            "transport": "local" if reaching.force_local else spec.transport,
            "address": spec.address,
            "user": spec.user,
            "port": spec.port,
            "identity": spec.identity,
            "command": list(spec.command),
            "python": spec.python,
            "ssh_config": reaching.ssh_config,
            "accept_new": reaching.accept_new,
        }
