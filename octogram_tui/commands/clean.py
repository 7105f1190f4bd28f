"""`octogram-tui clean`: what runs have left on the machines of a scenario, or one of them, shown, and then removed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from octogram_tui.commands.loading import GIVEN, load
from octogram_tui.commands.options import CommandParser, add_scenario_options, add_ssh_options, parse
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import ExitCode, TransportError, UsageError
from octogram_tui.model.scenario import AgentSpec, Scenario
from octogram_tui.projection.text import safe
from octogram_tui.settings import load as load_settings
from octogram_tui.transport.leftovers import Leftover, Question, look
from octogram_tui.transport.pool import Transports

AT_ONCE = 32
WHAT = {"program": "the daemon's program", "run": "files of a run"}


NO_SCENARIO = Scenario("", ())


class Place(NamedTuple):
    """One machine and user: by which agent it is reached, and of which it is."""

    spec: AgentSpec
    agents: list[str]


def main(argv: Sequence[str]) -> int:
    """List what is left, ask, and remove it."""
    parser = CommandParser(
        "clean",
        "Show what runs have left on the machines of a scenario, and remove it once you have said yes. Of a run whose "
        "process has died, end what it still runs too.",
    )
    parser.add_argument(
        "what",
        metavar="RUN|SCENARIO",
        help="a run's name, the beginning of it, or `last`; or the file of a scenario: what any run has left there",
    )
    parser.add_argument(
        "--yes", action="store_true", help="remove without asking; without a terminal nothing else does"
    )
    add_scenario_options(parser)
    add_ssh_options(parser)
    args = parse(parser, argv)
    settings = load_settings()
    is_scenario = args.what.endswith((".yml", ".yaml", ".json")) or os.path.isfile(args.what)
    args.scenario = args.what
    if not is_scenario:
        asked = [f"--{name.replace('_', '-')}" for name in GIVEN[1:] if getattr(args, name)]
        if asked:
            raise UsageError(f"{asked[0]} is for a scenario: what belongs to a run is kept with it")
    scenario = load(args).scenario if is_scenario else NO_SCENARIO
    specs = scenario.everybody

    def transports() -> Transports:
        return Transports(
            ssh_config=args.ssh_config or settings.ssh_config or None,
            accept_new=args.accept_new or settings.host_keys == "accept-new",
            force_local=args.local,
        )

    if not is_scenario:
        from octogram_tui.commands.clean_run import clean_run
        from octogram_tui.journal import archive

        run = archive.find(settings.runs_dir, args.what)
        return clean_run(run, settings.runs_dir, transports, settings.lease_s, is_sure=args.yes)
    ways = transports()
    if any(ways.kind_of(spec) == "slurm" for spec in specs):
        from octogram_tui.commands.clean_slurm import look_without

        look_without(ways, scenario)
    return asyncio.run(_clean(specs, ways, is_sure=args.yes))


async def _clean(specs: Sequence[AgentSpec], transports: Transports, *, is_sure: bool) -> int:
    places: dict[str, Place] = {}
    for spec in specs:
        places.setdefault(transports.machine_of(spec), Place(spec, [])).agents.append(spec.name)
    try:
        found = await each(transports, [(place, Question()) for place in places.values()])
        causes = _show(found)
        _tell_of_busy(found)
        wanted = [(place, Question(paths)) for place, answer in found if (paths := _removable(answer))]
        count = sum(len(question.remove) for _, question in wanted)
        if not count:
            print("there is nothing to remove")
            return exit_code(causes)
        if not (is_sure or await asyncio.to_thread(agreed, f"remove {'it' if count == 1 else f'these {count}'}?")):
            print("nothing was removed")
            return exit_code(causes)
        removed = await each(transports, wanted)
        causes += [ExitCode.NOT_CLEANED for _, answer in removed if not _is_removed(answer)]
        gone = sum(one.is_gone for _, answer in removed if not isinstance(answer, TransportError) for one in answer)
        print(f"removed {gone} of {count}")
        return exit_code(causes)
    finally:
        await transports.close()


Answer = list[Leftover] | TransportError


async def each(transports: Transports, asked: Sequence[tuple[Place, Question]]) -> list[tuple[Place, Answer]]:
    """Ask every machine, some at a time."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def ask(place: Place, question: Question) -> Answer:
        async with limit:
            try:
                return await look(place.spec, transports.transport_for(place.spec), question)
            except TransportError as error:
                return error

    answers = await asyncio.gather(*(ask(place, question) for place, question in asked))
    return [(place, answer) for (place, _), answer in zip(asked, answers, strict=True)]


def _show(found: Sequence[tuple[Place, Answer]]) -> list[int]:
    """List what there is; gives the exit codes of machines that could not be asked."""
    causes = []
    for place, answer in found:
        if isinstance(answer, TransportError):
            complain_of(place, answer)
            causes.append(int(answer.exit_code))
            continue
        print(f"{names_of(place)}: {'' if answer else 'nothing'}".rstrip())
        for one in answer:
            state = ", in use: left alone" if one.is_busy else ""
            print(f"    {safe(one.path)}  ({WHAT.get(one.kind, one.kind)}, {size(one.size_bytes)}{state})")
    return causes


def _tell_of_busy(found: Sequence[tuple[Place, Answer]]) -> None:
    """Say how the runs end that have files in use: they go on, or their process died a moment ago."""
    answers = [one for _, answer in found if not isinstance(answer, TransportError) for one in answer]
    names = dict.fromkeys(one.path.rpartition("/")[2] for one in answers if one.is_busy and one.kind == "run")
    for name in names:
        print(f"run {safe(name)} has agents there: octogram-tui clean {safe(name)} ends it, once its process is gone")


def names_of(place: Place) -> str:
    """Name the agents of a machine, the first few."""
    return ", ".join(place.agents[:4]) + (", ..." if len(place.agents) > 4 else "")


def complain_of(place: Place, error: TransportError) -> None:
    """Say why a machine cannot be asked."""
    print(f"{names_of(place)}: {safe(error.message)}")
    if error.hint:
        print(f"    {safe(error.hint)}")


def _removable(answer: Answer) -> list[str]:
    return [] if isinstance(answer, TransportError) else [one.path for one in answer if not one.is_busy]


def _is_removed(answer: Answer) -> bool:
    return not isinstance(answer, TransportError) and all(one.is_gone or one.is_busy for one in answer)


def agreed(question: str) -> bool:
    """Ask whether something is to be done; without a terminal it is not."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("give --yes to have it removed")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def size(size_bytes: int) -> str:
    """Give a size for people."""
    return f"{size_bytes / 1024:.0f} KiB" if size_bytes < 1 << 20 else f"{size_bytes / (1 << 20):.1f} MiB"
