"""The run that is debugged, or the journal of one: what is known of it, and the one way of asking something of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from octogram_tui.dap.messages import RequestFailed
from octogram_tui.engine.events import Event
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe
from octogram_tui.runtime.verbs import Asked, Evaluate
from octogram_tui.tui.event_feed import EventSource, SharedSource
from octogram_tui.tui.here import value_here
from octogram_tui.tui.model import Model

CONTROL_LOOKS = 100
CONTROL_LOOK_S = 0.02


class LaunchWanted(NamedTuple):
    """A run as the client wants it. options: as on the command line; cwd: where its paths begin."""

    program: str
    options: tuple[str, ...]
    cwd: str
    environment: dict[str, str | None]
    keeps_alive: bool
    holds_failures: bool


class Opened(NamedTuple):
    """What there is to debug.

    scenario: the file; pid: of the run's process, 0 when there is none; seen: the number of the latest event so far
    """

    source: EventSource
    model: Model
    run: str
    scenario: str
    pid: int = 0
    seen: int = 0
    says: str = ""


class Opener(Protocol):
    """What opens runs: it knows the command line, and where runs are kept. Each raises OctogramError."""

    async def launch(self, wanted: LaunchWanted) -> Opened:
        """Begin a run, which holds before its first job."""
        ...

    async def attach(self, run: str, *, only_watches: bool) -> Opened:
        """Join a run that goes on."""
        ...

    async def replay(self, run: str) -> Opened:
        """Open a journal."""
        ...


@runtime_checkable
class AskedSource(Protocol):
    """A source that answers each request to whoever asked."""

    async def answer(self, question: Asked) -> dict[str, Any]:
        """Give {problem}, or what came of it."""
        ...


@runtime_checkable
class ControlledSource(Protocol):
    """A source that tells when control of the run has changed hands."""

    control_changed: Callable[[], None]


class Debuggee:
    """One run. owns: we began it, so that it ends with us."""

    def __init__(self, opened: Opened, *, owns: bool) -> None:
        self.opened = opened
        self.model = opened.model
        self.source = opened.source
        self.owns = owns
        self.is_replay = opened.model.is_replay
        self.is_read = asyncio.Event()  # of a replay: all of it
        self._asking = asyncio.Lock()
        self._came = asyncio.Event()

    @property
    def board(self) -> Board:
        """The state of the run, whatever moment is looked at."""
        return self.model.head.board

    @property
    def board_values(self) -> dict[str, Any]:
        """The variables of the run as they are now, whatever moment is looked at."""
        return self.model.head.variables.values

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked of it any more."""
        return self.is_replay or not self.source.is_connected or self.board.phase is Phase.FINISHED

    @property
    def has_control(self) -> bool:
        """Whether we may act on it."""
        return self.source.has_control

    def is_scenario(self, path: str) -> bool:
        """Whether a file is the scenario of the run."""
        mine = self.opened.scenario
        if path == mine:
            return True
        return bool(path) and os.path.realpath(path) == os.path.realpath(mine)

    def file_text(self) -> str | None:
        """Read the scenario's file as it is now, and as the run read it; None where there is none."""
        try:
            with open(self.opened.scenario, "rb") as file:
                return file.read(64 << 20).decode("utf-8-sig", "replace")
        except OSError:
            return None

    @property
    def is_as_in_file(self) -> bool:
        """Whether the file is what the run goes by; so it is where there is no copy to hold it against."""
        text = self.model.source.text
        return not text or self.file_text() == text

    # What comes

    async def events(self) -> AsyncIterator[list[Event]]:
        """Fold what the run states, and give it, in batches."""
        async for batch in self.source.events():
            self.model.apply(batch)
            self.came()
            yield batch
        if self.board.phase is not Phase.FINISHED:
            self.model.lose()
        self.is_read.set()
        self.came()

    def came(self) -> None:
        """Let those look who wait for something of the run."""
        self._came.set()

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until something is so; False when nothing more comes."""
        while not condition():
            if not self.source.is_connected:
                return condition()
            self._came.clear()
            await self._came.wait()
        return True

    # What is asked

    async def ask(self, asked: Asked) -> dict[str, Any]:
        """Ask, and wait until what came of it is known here too. Raises RequestFailed when it is refused."""
        if self.is_replay:
            raise RequestFailed("this is a replay: nothing can be changed in it", is_shown=True)
        if self.is_over or not isinstance(self.source, AskedSource):
            raise RequestFailed("the run is over")
        async with self._asking:
            answer = await self.source.answer(asked)
        if answer.get("problem"):
            raise RequestFailed(safe(answer["problem"]), is_shown=True)
        seq = int(answer.get("up_to") or 0)
        await self.until(lambda: self.board.seq >= seq)
        return answer

    async def value(self, expression: str, row: InstanceId | None = None, agent: str = "") -> Any:
        """Give an expression's value, as a row or an agent sees it. Raises RequestFailed."""
        model = self.model
        if self.is_over or model.is_back:
            subject = model.board.instances.get(row) if row is not None else None
            answer = value_here(model, expression, subject or model.board.agents.get(agent))
            if answer["problem"]:
                raise RequestFailed(safe(answer["problem"]))
        else:
            answer = await self.ask(Evaluate(expression, row, "" if row is not None else agent))
        return answer["value"]

    def on_control(self, changed: Callable[[], None]) -> None:
        """Have something called when another console takes control, or lets go of it: that is no event."""
        if isinstance(self.source, ControlledSource):
            self.source.control_changed = changed

    async def take_control(self, *, wanted: bool = True) -> None:
        """Become who may act on it, or leave that to others."""
        if isinstance(self.source, SharedSource) and not self.is_over:
            if wanted:
                self.source.take_control()
            else:
                self.source.only_watch()
            for _ in range(CONTROL_LOOKS):  # it may be refused, of which nobody tells
                if self.has_control is wanted:
                    return
                await asyncio.sleep(CONTROL_LOOK_S)
