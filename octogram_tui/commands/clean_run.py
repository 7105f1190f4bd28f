"""`octogram-tui clean RUN`: ends what a run whose process has died still runs, removes what it left, and proves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from octogram_tui.commands.clean import Answer, Place, agreed, complain_of, each, names_of, size
from octogram_tui.commands.loading import load_kept
from octogram_tui.errors import AttachRefused, ExitCode, TransportError
from octogram_tui.journal import archive, left, presence, sources, token
from octogram_tui.model.scenario import AgentSpec, BinarySource
from octogram_tui.projection.text import safe
from octogram_tui.transport.leftovers import Leftover
from octogram_tui.transport.pool import Transports

LEAVE_S = 10.0
LOOK_S = 0.2


def clean_run(run: archive.KnownRun, transports: Callable[[], Transports], lease_s: float, *, is_sure: bool) -> int:
    """Show what a run has left, ask, end and remove it. 0 when nothing is known to be left. Raises OctogramError."""
    if run.state == "running":
        raise AttachRefused(f"run {run.id} goes on", hint=f"end it with: octogram-tui ask {run.id} stop")
    cleaning = _Cleaning(run, transports(), lease_s)
    return asyncio.run(cleaning.clean(is_sure=is_sure))


class _Cleaning:
    """One run, the agents that it had, and the ways to them."""

    def __init__(self, run: archive.KnownRun, transports: Transports, lease_s: float) -> None:
        self._run = run
        self._transports = transports
        self._lease_s = lease_s
        self._specs: dict[str, AgentSpec] = {}
        self._source = BinarySource()
        for digest in sources.digests(run.directory):
            scenario = load_kept(run.directory, digest).scenario
            self._source = scenario.binary
            self._specs.update({spec.name: spec for spec in scenario.everybody})
        if not self._specs:
            raise AttachRefused(
                f"what run {run.id} was made from was not kept with it: nobody knows its machines",
                hint="octogram-tui clean SCENARIO shows what any run has left there",
            )
        self._unended = {agent.name for agent in left.agents_left(run.journal)}

    async def clean(self, *, is_sure: bool) -> int:
        """Do all of it; gives the exit code."""
        try:
            return await self._clean(is_sure)
        finally:
            await self._transports.close()

    async def _clean(self, is_sure: bool) -> int:
        found = await self._look([(place, ()) for place in self._places()])
        there = [(place, self._of_run(answer)) for place, answer in found if not isinstance(answer, TransportError)]
        unknown = [place for place, answer in found if isinstance(answer, TransportError)]
        for place, answer in found:
            self._show(place, answer)
        wanted = [(place, ours) for place, ours in there if ours]
        if not wanted:
            return self._verdict([], unknown)
        if not (is_sure or await asyncio.to_thread(agreed, "end and remove it?")):
            print("nothing was ended or removed")
            return int(ExitCode.NOT_CLEANED)
        unclean = await self._end([place for place, _ in wanted])
        removed = await self._remove([(place, [one.path for one in ours]) for place, ours in wanted])
        for place, answer in removed:
            if isinstance(answer, TransportError):
                unknown.append(place)
                complain_of(place, answer)
            else:
                unclean += [f"{one.path} is still there" for one in self._of_run(answer) if not one.is_gone]
        return self._verdict(unclean, unknown)

    def _places(self) -> Iterable[Place]:
        places: dict[str, Place] = {}
        for spec in self._specs.values():
            places.setdefault(self._transports.machine_of(spec), Place(spec, [])).agents.append(spec.name)
        return places.values()

    async def _look(self, asked: Sequence[tuple[Place, Sequence[str]]]) -> list[tuple[Place, Answer]]:
        return await each(self._transports, asked)

    async def _remove(self, asked: Sequence[tuple[Place, Sequence[str]]]) -> list[tuple[Place, Answer]]:
        """Remove what is left; a daemon that has said its last word may take a moment to leave."""
        deadline_s = time.monotonic() + LEAVE_S
        while True:
            answers = await self._look(asked)
            is_left = any(not one.is_gone for _, answer in answers for one in self._of_run(answer))
            if not is_left or time.monotonic() > deadline_s:
                return answers
            await asyncio.sleep(LOOK_S)

    def _of_run(self, answer: Answer) -> list[Leftover]:
        """Give what of all that was found is this run's."""
        if isinstance(answer, TransportError):
            return []
        return [one for one in answer if one.kind == "run" and one.path.rpartition("/")[2] == self._run.id]

    def _show(self, place: Place, answer: Answer) -> None:
        if isinstance(answer, TransportError):
            complain_of(place, answer)
            return
        ours = self._of_run(answer)
        print(f"{names_of(place)}: {'' if ours else 'nothing'}".rstrip())
        for one in ours:
            state = ", its agents live" if one.is_busy else ""
            print(f"    {safe(one.path)}  (files of the run, {size(one.size_bytes)}{state})")

    async def _end(self, places: Sequence[Place]) -> list[str]:
        """End the agents that did not say that nothing is left; gives what cannot be said of them."""
        from octogram_tui.runtime.ending import end_agents
        from octogram_tui.runtime.terms import LinkSettings
        from octogram_tui.transport.bundle import build_bundle

        settings = LinkSettings(
            run=self._run.id,
            lease_s=self._lease_s,
            source=self._source,
            bundle=build_bundle(),
            token=token.find(self._run.directory),
            take_up=left.take_ups(self._run.journal) + 1,
        )
        specs = [self._specs[name] for place in places for name in place.agents if name in self._unended]
        ended = await end_agents(specs, self._transports, settings)
        return [f"agent {name}: {safe(why)}" for name, why in ended.items() if why]

    def _verdict(self, unclean: Sequence[str], unknown: Sequence[Place]) -> int:
        for line in unclean:
            print(line)
        for place in unknown:
            print(f"{names_of(place)}: what is left there is not known")
        if unclean or unknown:
            print(f"run {self._run.id} is not known to be clean")
            return int(ExitCode.NOT_CLEANED)
        presence.note_cleaned(self._run.directory)
        print(f"nothing is left of run {self._run.id}")
        return int(ExitCode.OK)
