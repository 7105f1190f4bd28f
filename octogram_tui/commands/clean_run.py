"""`octogram-tui clean RUN`: ends what a run whose process has died still runs, removes what it left, and proves it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from octogram_tui.commands.clean import Answer, Place, agreed, complain_of, each, names_of, size
from octogram_tui.commands.clean_slurm import CleanedAllocation
from octogram_tui.commands.loading import load_kept
from octogram_tui.errors import AttachRefused, ExitCode, JournalError, RunGoesOn, TransportError
from octogram_tui.journal import archive, left, presence, sources, token
from octogram_tui.journal.hold import held
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.projection.text import safe
from octogram_tui.transport.leftovers import Leftover, Question
from octogram_tui.transport.pool import Transports

LEAVE_S = 10.0
LOOK_S = 0.2
GUARD_S = 3.0  # what guards have to end the rest by themselves
BEYOND = 1000  # take-ups that a journal may have had before it was damaged

NOTHING: Mapping[AgentName, Sequence[str]] = MappingProxyType({})

Found = list[tuple[Place, Answer]]


def clean_run(
    run: archive.KnownRun, runs_dir: Path, transports: Callable[[], Transports], lease_s: float, *, is_sure: bool
) -> int:
    """Show what a run has left, ask, end and remove it. 0 when nothing is known to be left. Raises OctogramError."""
    with _alone(run, runs_dir):
        cleaning = _Cleaning(run, runs_dir, transports(), lease_s)
    return asyncio.run(cleaning.clean(is_sure=is_sure))


@contextmanager
def _alone(run: archive.KnownRun, runs_dir: Path) -> Iterator[None]:
    """Keep a run from going on. Raises AttachRefused when it does, here or where this is a copy of."""
    try:
        with ExitStack() as stack:
            stack.enter_context(held(run.journal))
            known = runs_dir / run.id / archive.JOURNAL
            if known.exists() and not (run.journal.exists() and known.samefile(run.journal)):
                stack.enter_context(held(known))
            with suppress(JournalError):  # it may have gone on since, with another socket
                run = archive.load(run.directory)
            if replace(run, state="running").is_attachable():  # its journal was removed, or this is a copy of it
                raise RunGoesOn("")
            yield
    except RunGoesOn:
        raise AttachRefused(
            f"run {run.id} goes on, or is being cleaned already", hint=f"end it with: octogram-tui ask {run.id} stop"
        ) from None


class _Cleaning:
    """One run, the agents that it had, and the ways to them."""

    def __init__(self, run: archive.KnownRun, runs_dir: Path, transports: Transports, lease_s: float) -> None:
        self._run = run
        self._runs_dir = runs_dir
        self._transports = transports
        self._lease_s = lease_s
        self._told_of: set[AgentName] = set()  # machines that cannot be asked, by their first agents
        self._learn()

    def _learn(self) -> None:
        """Read what is known of the run: it may have gone on since that was read. Raises OctogramError."""
        self._specs: dict[str, AgentSpec] = {}
        self._source = BinarySource()
        in_slurm = None
        for digest in sources.digests(self._run.directory):
            scenario = load_kept(self._run.directory, digest).scenario
            self._source = scenario.binary
            self._specs.update({spec.name: spec for spec in scenario.everybody})
            if any(spec.transport == "slurm" for spec in scenario.everybody):
                in_slurm = scenario
        if not self._specs:
            raise AttachRefused(
                f"what run {self._run.id} was made from was not kept with it: nobody knows its machines",
                hint="octogram-tui clean SCENARIO shows what any run has left there",
            )
        self._allocation = CleanedAllocation(self._transports, in_slurm, self._run.id, self._lease_s)
        self._left = {agent.name: agent for agent in left.agents_named(self._run.journal)}
        self._is_told = left.agents_left(self._run.journal) is not None

    async def clean(self, *, is_sure: bool) -> int:
        """Do all of it; gives the exit code."""
        try:
            with _alone(self._run, self._runs_dir):
                self._learn()
                await self._allocation.find()
                self._allocation.show()
                found = await self._look()
                for place, answer in found:
                    self._show(place, answer)
                if not (self._allocation.is_there or any(self._is_there(answer) for _, answer in found)):
                    return self._verdict(found, [])
                if is_sure:
                    return await self._carry_out()
            if not await asyncio.to_thread(agreed, "end and remove it?"):
                print("nothing was ended or removed")
                return int(ExitCode.NOT_CLEANED)
            with _alone(self._run, self._runs_dir):  # again: nobody was kept from going on with it meanwhile
                self._learn()
                await self._allocation.find()
                return await self._carry_out()
        finally:
            await self._transports.close()

    async def _carry_out(self) -> int:
        found = await self._look(ends=True)
        unclean = await self._end(found)
        removed = await self._remove(found)
        return self._verdict(removed, unclean + await self._allocation.end())

    def _places(self) -> Iterable[Place]:
        places: dict[str, Place] = {}
        for spec in self._specs.values():
            places.setdefault(self._transports.machine_of(spec), Place(spec, [])).agents.append(spec.name)
        return places.values()

    async def _look(self, remove: Mapping[AgentName, Sequence[str]] = NOTHING, *, ends: bool = False) -> Found:
        """Look at every machine, also where the journal says that the files were. remove: paths by the first agent."""
        asked = []
        for place in self._places():
            homes = [self._left[name].home for name in place.agents if name in self._left]
            roots = dict.fromkeys(os.path.dirname(os.path.dirname(home)) for home in homes if home)
            ours = [root for root in roots if os.path.basename(root) == self._run.id]
            paths = remove.get(place.spec.name, ())
            asked.append((place, Question(paths, self._run.id, place.agents, ours, ends)))
        return await each(self._transports, asked)

    async def _remove(self, found: Found) -> Found:
        """Remove what is left; a daemon that has said its last word may take a moment to leave."""
        deadline_s = time.monotonic() + LEAVE_S
        ends_s = time.monotonic() + GUARD_S
        while True:
            paths: Mapping[AgentName, Sequence[str]] = {
                place.spec.name: [one.path for one in self._of_run(answer) if one.kind == "run"]
                for place, answer in found
            }
            found = await self._look(paths, ends=time.monotonic() > ends_s)
            is_left = any(not one.is_gone for _, answer in found for one in self._of_run(answer))
            if not is_left or time.monotonic() > deadline_s:
                return found
            await asyncio.sleep(LOOK_S)

    def _of_run(self, answer: Answer) -> list[Leftover]:
        """Give what of all that was found is this run's."""
        if isinstance(answer, TransportError):
            return []
        kinds = ("process", "unknown")
        mine = (one.kind == "run" and one.path.rpartition("/")[2] == self._run.id for one in answer)
        return [one for one, is_mine in zip(answer, mine, strict=True) if is_mine or one.kind in kinds]

    def _is_there(self, answer: Answer) -> bool:
        return any(one.kind != "unknown" for one in self._of_run(answer))

    def _show(self, place: Place, answer: Answer) -> None:
        if isinstance(answer, TransportError):
            self._told_of.add(place.spec.name)
            complain_of(place, answer)
            return
        ours = [one for one in self._of_run(answer) if one.kind != "process" or not one.is_busy]
        print(f"{names_of(place)}: {'' if ours else 'nothing'}".rstrip())
        for one in ours:
            if one.kind == "process":
                print(f"    process {one.pid}  ({safe(one.path)}, of agent {safe(one.agent)}, whose files are gone)")
            elif one.kind == "unknown":
                print(f"    {safe(one.path)}  (cannot be looked at)")
            else:
                state = ", its agents live" if one.is_busy else ""
                print(f"    {safe(one.path)}  (files of the run, {size(one.size_bytes)}{state})")

    async def _end(self, found: Found) -> list[str]:
        """End the agents that did not say that nothing is left; gives what cannot be said of them."""
        from octogram_tui.runtime.ending import end_agents
        from octogram_tui.runtime.terms import Before, LinkSettings

        settings = LinkSettings(
            run=self._run.id,
            lease_s=self._lease_s,
            source=self._source,
            token=token.find(self._run.directory),
            take_up=left.take_ups(self._run.journal) + (1 if self._is_told else BEYOND),
        )
        specs: list[AgentSpec] = []
        before: dict[str, Before] = {}
        for place, answer in found:
            roots = {one.path: one.is_elsewhere for one in self._of_run(answer) if one.kind == "run"}
            for name in place.agents if roots else ():
                agent = self._left.get(name)
                if agent is not None and roots.get(os.path.dirname(os.path.dirname(agent.home))):
                    before[name] = Before(agent.birth, agent.home)
                if agent is not None or not self._is_told:
                    specs.append(self._specs[name])
        ended = await end_agents(specs, self._transports, settings, before)
        return [f"agent {name}: {safe(why)}" for name, why in ended.items() if why]

    def _unproven(self, place: Place, answer: list[Leftover]) -> list[str]:
        """Say which agents were on another machine than the one that was looked at, or may have been."""
        if place.spec.transport == "slurm" and self._allocation.has_ended_all:
            return []
        here = next((one.path for one in answer if one.kind == "machine"), "")
        hosts = {name: self._left[name].host for name in place.agents if name in self._left}
        return [
            f"agent {name}: it was on {safe(host)}, and this is {safe(here)}: what is left there is not known"
            for name, host in hosts.items()
            if host and host != here
        ]

    def _verdict(self, found: Found, unclean: list[str]) -> int:
        for place, answer in found:
            if isinstance(answer, TransportError):
                if place.spec.name not in self._told_of:
                    complain_of(place, answer)
                unclean.append(f"{names_of(place)}: what is left there is not known")
                continue
            for one in self._of_run(answer):
                if one.kind == "process":
                    unclean.append(f"process {one.pid} ({safe(one.path)}) of agent {safe(one.agent)} is still there")
                elif one.kind == "unknown":
                    unclean.append(f"{safe(one.path)} cannot be looked at: what is left there is not known")
                elif not one.is_gone:
                    unclean.append(f"{safe(one.path)} is still there")
            unclean += self._unproven(place, answer)
        for line in unclean:
            print(line)
        if unclean:
            print(f"run {self._run.id} is not known to be clean")
            return int(ExitCode.NOT_CLEANED)
        archive.remove_socket(Path(self._run.info.socket))
        presence.note_cleaned(self._run.directory, archive.JOURNAL)
        print(f"nothing is left of run {self._run.id}")
        return int(ExitCode.OK)
