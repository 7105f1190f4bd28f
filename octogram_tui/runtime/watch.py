"""Edits of the scenario's files become stimuli. The only importer of watchfiles."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from octogram_tui.engine.stimuli import EditReport, Stimulus
from octogram_tui.errors import OctogramError, Problem, ScenarioError
from octogram_tui.model.scenario import Scenario

DEBOUNCE_MS = 200
LOOK_MS = 2000  # how often the files are looked at anyway: for what came before the watch, and what no watch tells
SETTLED_NS = 50_000_000  # what changed later than that before it is read may change again within the same tick
SETTLES_WITHIN = 10  # so often that is waited for; what changes all the time is read all the same

Signature = tuple[tuple[int, int, int] | None, ...]


async def watch_scenario(watched: ScenarioFiles) -> None:
    """Reload after every edit, until cancelled. Directories are watched: editors replace files."""
    while True:
        files = watched.files
        try:
            await _until_changed(files, watched.signature)
        except (OSError, RuntimeError):  # no watches are left on this machine, or the directory is gone: look only
            await asyncio.sleep(LOOK_MS / 1000)
        await watched.look()


async def _until_changed(files: Sequence[str], known: Signature) -> None:
    """Return when the files are not what they were, at the latest when they are to be looked at anyway."""
    from watchfiles import awatch

    paths = {Path(f).absolute() for f in files}
    folders = {str(p.parent) for p in paths if p.parent.is_dir()}
    if not folders:
        raise FileNotFoundError(2, "no directory is left", str(files[0]) if files else "")

    def is_ours(_: object, path: str) -> bool:
        return Path(path).absolute() in paths

    async for _ in awatch(
        *folders,
        watch_filter=is_ours,
        debounce=DEBOUNCE_MS,
        recursive=False,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    ):
        if signature_of(files) != known:
            return


def signature_of(files: Iterable[str]) -> Signature:
    """Tell a state of some files from another without reading them; None for one that is not there."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            status = os.stat(file)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def _is_settled(signature: Signature) -> bool:
    """Whether a change from now on is sure to give another signature."""
    now_ns = time.time_ns()
    return not any(state is not None and 0 <= now_ns - state[0] < SETTLED_NS for state in signature)


class ScenarioFiles:
    """The scenario as it was read last.

    load: reads the scenario anew; runs in a thread. Content decides: a file saved unchanged is no edit.
    in_force: the digest of what the run goes by; an edit may wait.
    """

    def __init__(
        self,
        scenario: Scenario,
        load: Callable[[], Scenario],
        submit: Callable[[Stimulus], None],
        in_force: Callable[[], str],
    ) -> None:
        self.files: Sequence[str] = scenario.files
        self.signature: Signature = ()  # none: it may have been edited since it was read, so it is read once more
        self._digest = scenario.digest
        self._rejected: tuple[Problem, ...] = ()
        self._load = load
        self._submit = submit
        self._in_force = in_force
        self._reading = asyncio.Lock()

    async def look(self) -> None:
        """Read the files if they are not what they were, and tell of what changed."""
        for _ in range(SETTLES_WITHIN):
            found = signature_of(self.files)
            if found == self.signature:
                return
            if _is_settled(found):
                break
            await asyncio.sleep(SETTLED_NS / 1e9)
        await self.take(is_asked=False)

    async def take(self, *, is_asked: bool = True) -> str:
        """Read the files whatever is known of them, tell the run of what changed, and give what came of it.

        is_asked: somebody wants it in force, also where edits wait for that.
        """
        async with self._reading:
            self.signature = signature_of(self.files)
            new, problems = await self._read()
            if new is None:
                if not is_asked and signature_of(self.files) != self.signature:
                    return "the file is being saved"  # half of it was read: the next look tells of what it has become
                self._reject(problems)
                return f"the file is refused: {in_a_line(problems)}"
            known = self._in_force() if is_asked else self._digest
            is_news = new.digest != known or bool(self._rejected)
            if is_news:
                self._digest, self._rejected = new.digest, ()
                self._submit(EditReport(new, is_asked=is_asked))
            if tuple(new.files) != tuple(self.files):
                self.files, self.signature = new.files, ()
            return "the run takes it up" if is_news else "the file is what the run goes by"

    async def check(self) -> tuple[tuple[Problem, ...], str]:
        """Read the files and give what is wrong with them, and how they stand to the run; it hears of nothing."""
        async with self._reading:
            new, problems = await self._read()
            if new is None:
                return problems, in_a_line(problems)
            counts = f"{_count(len(new.stages), 'stage')}, {_count(len(new.agents), 'agent')}, no errors"
            is_same = new.digest == self._in_force()
            return (), f"{counts}; {'it is what the run goes by' if is_same else 'the run does not go by it yet'}"

    async def read(self) -> tuple[Scenario | None, tuple[Problem, ...]]:
        """Read the files and give the scenario, or what is wrong with it; the run hears of nothing."""
        async with self._reading:
            return await self._read()

    async def _read(self) -> tuple[Scenario | None, tuple[Problem, ...]]:
        try:
            return await asyncio.to_thread(self._load), ()
        except ScenarioError as error:
            return None, tuple(error.problems)
        except Exception as error:  # the run goes on with what it has, and the operator hears of it
            message = error.message if isinstance(error, OctogramError) else f"{type(error).__name__}: {error}"
            return None, (Problem(self.files[0] if self.files else "", 0, 0, f"cannot be read again: {message}"),)

    def close(self) -> None:
        """Have a reading that is under way come to its end: a list of agents may be asked for minutes, by a thread."""
        if self._reading.locked():
            from octogram_tui.scenario.inventory import asking

            asking.give_up()

    def _reject(self, problems: tuple[Problem, ...]) -> None:
        if problems != self._rejected:
            self._rejected = problems
            self._submit(EditReport(None, problems))


def in_a_line(problems: Sequence[Problem]) -> str:
    """Say how many problems there are, and the first of them."""
    first = problems[0] if problems else Problem("", 0, 0, "nobody knows why")
    place = f"line {first.line}: " if first.line else ""
    return f"{_count(len(problems), 'problem')}: {place}{first.message}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
