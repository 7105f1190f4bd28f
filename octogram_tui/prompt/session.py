"""One sitting at the prompt: events are told as they come, lines are done one after the other, until it is left."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from octogram_tui.cuts import beginning, quoted
from octogram_tui.engine.stimuli import (
    BreakRequest,
    GoRequest,
    RemoveBreakRequest,
    RerunAllRequest,
    RerunRequest,
    StepRequest,
    StopRequest,
    SwitchBreakRequest,
    UntilRequest,
)
from octogram_tui.errors import ExitCode, UsageError
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.text import safe
from octogram_tui.prompt.helping import help_on
from octogram_tui.prompt.lines import Lines
from octogram_tui.prompt.looks import TOLD, line_to_edit
from octogram_tui.prompt.moments import go
from octogram_tui.prompt.outlet import Outlet
from octogram_tui.prompt.rows import find_row
from octogram_tui.prompt.signals import Signals
from octogram_tui.prompt.telling import Teller
from octogram_tui.prompt.values import evaluated
from octogram_tui.prompt.words import Look, read
from octogram_tui.runtime.answers import told
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.verbs import Asked, Evaluate, LogQuery, OnlyWatch, TakeControl, verb_of
from octogram_tui.tui.event_feed import EventSource, SharedSource
from octogram_tui.tui.model import Model
from octogram_tui.tui.outcome import ConsoleOutcome

MOVES = (StepRequest, GoRequest, UntilRequest, RerunRequest, RerunAllRequest)
"""What a script waits for: its next line is for when nothing moves any more."""
AGAIN = ("s", "step", "n", "next", "o", "out", "earlier", "later", ",", ".")
"""What an empty line does once more."""
WHILE_BACK = (BreakRequest, SwitchBreakRequest, RemoveBreakRequest, StopRequest, LogQuery)
"""What is asked while one looks back too: it is about what comes, or about nothing of then."""
CONTROL_LOOKS = 100
CONTROL_LOOK_S = 0.02


@runtime_checkable
class AskedSource(Protocol):
    """A source that answers each request to whoever asked."""

    async def answer(self, question: Asked) -> dict[str, Any]:
        """Give {problem}, or what came of it."""
        ...


class LendsTerminal(Protocol):
    """Gives the terminal to a command until that ends."""

    async def __call__(self, row: str) -> str:
        """Open a shell for a row; gives what is to be said of it."""
        ...


class Session:
    """Reads and answers. The run is another process, and goes on whatever happens here.

    owns: we started the run; when the lines of a script end, nobody answers it any more: it is let go on, and what
    would wait for somebody ends it, as it does headless. A run of others is only followed then.
    """

    def __init__(
        self,
        source: EventSource,
        model: Model,
        lines: Lines,
        outlet: Outlet,
        teller: Teller,
        *,
        owns: bool,
        lend: LendsTerminal | None = None,
        edit: Callable[[int], Awaitable[str]] | None = None,
        at: str = "",
    ) -> None:
        self._source = source
        self._model = model
        self._lines = lines
        self._outlet = outlet
        self._teller = teller
        self._owns = owns and not model.is_replay
        self._lend = lend
        self._editor = edit  # opens the scenario at a line
        self._at = at  # the moment that is told first, of a replay
        self._scope = ""
        self._again = ""
        self._interrupts = 0
        self._is_unattended = False
        self._is_stopping = False
        self._has_said_over = False
        self._is_lent = False  # the terminal, to a shell
        self._came = asyncio.Event()  # something of the run
        self._left: asyncio.Future[ConsoleOutcome] = asyncio.get_running_loop().create_future()

    async def run(self, earlier: tuple[int, ...] = ()) -> ConsoleOutcome:
        """Stay until it is left, or there is nothing more to come."""
        hearing = asyncio.create_task(self._hear())
        typing = asyncio.create_task(self._type())
        try:
            with Signals(self._signalled) as signals:
                for number in earlier[:1]:
                    signals.came(number)
                return await self._left
        finally:
            for task in (hearing, typing):
                task.cancel()
            await asyncio.wait([hearing, typing])
            self._lines.close()
            if self._board.phase is Phase.FINISHED or self._model.is_replay:
                self._teller.close()

    @property
    def _board(self) -> Board:
        """How the run stands, whatever moment is looked at."""
        return self._model.head.board

    def _leave(self, outcome: ConsoleOutcome) -> None:
        if not self._left.done():
            self._left.set_result(outcome)

    # What is heard

    async def _hear(self) -> None:
        try:
            async for batch in self._source.events():
                self._model.apply(batch)
                self._teller.tell(batch)
                self._tell_refusals()
                self._came.set()
                self._see_to_it()
                if self._outlet.is_broken:
                    self._leave(ConsoleOutcome("detached", None))
        except Exception as error:
            self._leave_with(error)
            return
        if self._board.phase is not Phase.FINISHED:
            self._model.lose()
            self._teller.tell_needs()
            if not self._model.is_replay:
                self._leave(ConsoleOutcome("lost", None))
        self._came.set()
        self._see_to_it()

    def _leave_with(self, error: Exception) -> None:
        if not self._left.done():
            self._left.set_exception(error)

    def _tell_refusals(self) -> None:
        refusals, self._source.refusals[:] = list(self._source.refusals), []
        self._outlet.say(*(f"refused: {safe(each)}" for each in refusals))

    def _see_to_it(self) -> None:
        """Leave when all is over, and see to a run that nobody answers any more."""
        board = self._board
        if board.phase is Phase.FINISHED:
            if self._is_stopping or self._is_unattended:
                self._leave(ConsoleOutcome("finished", board.exit_code))
            elif self._lines.is_typed and not self._has_said_over and not self._model.is_replay:
                self._has_said_over = True
                self._outlet.say(f"the run has finished with exit code {board.exit_code}; `quit` leaves")
            return
        if not (self._is_unattended and self._owns) or board.phase is Phase.STOPPING or not self._is_still:
            return
        if board.phase is Phase.DONE:
            self._stop(board.done_exit_code)
        elif board.undecided:
            self._outlet.say("nobody is there to see to the failure: the run ends")
            self._stop(int(ExitCode.JOB_FAILED))
        elif board.confirmations:
            self._outlet.say("nobody is there to confirm it: the run ends")
            self._stop(int(ExitCode.HELD))
        else:
            self._source.send(GoRequest())

    @property
    def _is_still(self) -> bool:
        """Whether nothing moves until somebody acts."""
        board = self._board
        if board.phase >= Phase.DONE or not self._source.is_connected:
            return board.phase is not Phase.STOPPING or not self._source.is_connected
        moves = board.tally[State.RUNNING] or board.tally[State.RETRYING]
        return not moves and bool(board.is_paused or len(board.queue) or board.confirmations)

    @property
    def _has_begun(self) -> bool:
        """Whether lines are taken: at once where they are typed, else when there are rows to speak of."""
        board = self._board
        if self._at and self._source.is_connected:
            return False
        if not self._source.is_connected or (self._lines.is_typed and board.seq):
            return True
        return board.phase > Phase.STARTING and (not board.is_paused or self._is_still)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._came.clear()
            await self._came.wait()

    # What is typed

    async def _type(self) -> None:
        try:
            await self._until(lambda: self._has_begun)
            if self._at:
                await self._do(f"at {self._at}")
            while True:
                line = await self._lines.next(self._outlet)
                if line is None:
                    break
                self._interrupts = 0
                if not self._lines.is_typed and line.strip():
                    self._outlet.say(f"> {safe(line)}")
                await self._do(line)
        except Exception as error:
            self._leave_with(error)
            return
        if self._lines.is_typed or self._model.is_replay or self._board.phase is Phase.FINISHED:
            board = self._board
            is_over = board.phase is Phase.FINISHED and not self._model.is_replay
            self._leave(ConsoleOutcome("finished", board.exit_code) if is_over else ConsoleOutcome("detached", None))
            return
        self._is_unattended = True
        self._see_to_it()

    async def _do(self, line: str) -> None:
        """Do a line, and answer it."""
        line = line.strip() or (self._again if self._lines.is_typed else "")
        if not line or line.startswith("#"):
            return
        self._again = line if line.partition(" ")[0] in AGAIN else ""
        try:
            wanted = read(line, self._model, scope=self._scope)
            if isinstance(wanted, Look):
                await self._look(wanted)
            else:
                await self._ask(wanted)
        except UsageError as error:
            self._outlet.say(safe(error.message), *([f"hint: {safe(error.hint)}"] if error.hint else []))

    async def _look(self, look: Look) -> None:
        match look.name:
            case "quit":
                await self._quit(look.words)
            case "help":
                self._outlet.say(*help_on(look.words))
            case "wait":
                await self._until(lambda: self._is_still)
                self._outlet.say("nothing moves")
            case "scope":
                self._choose_scope(look.words)
            case "shell":
                await self._shell(look.words)
            case "edit":
                await self._edit(look.words)
            case "info" if "breakpoints".startswith(look.words[0] if look.words else "-"):
                self._outlet.say(*self._teller.list_breakpoints())
            case "at" | "earlier" | "later":
                self._outlet.say(*go(look.name, look.words, self._model))
            case name if name in TOLD:
                self._outlet.say(*TOLD[name](look.words, self._model))
            case name:
                raise UsageError(f"{name} cannot be told here")

    def _choose_scope(self, words: tuple[str, ...]) -> None:
        if words:
            name = words[0].removeprefix("@")
            if name not in ("all", "*") and name not in self._board.agents:
                raise UsageError(f"there is no agent {quoted(name, 40)}", hint="scope all")
            self._scope = "" if name in ("all", "*") else name
        self._outlet.say(f"steps are for {self._scope or 'the whole run'}")

    async def _shell(self, words: tuple[str, ...]) -> None:
        if self._lend is None or not self._lines.is_typed:
            raise UsageError("a shell needs a terminal, and a run that goes on")
        await self._lent(self._lend(find_row(" ".join(words), self._model).full_name))

    async def _edit(self, words: tuple[str, ...]) -> None:
        if self._editor is None or not self._lines.is_typed:
            raise UsageError("an editor needs a terminal, and a run that goes on")
        await self._lent(self._editor(line_to_edit(words, self._model)))

    async def _lent(self, ending: Awaitable[str]) -> None:
        """Leave the terminal to what was begun until that ends."""
        self._outlet.lend()
        self._is_lent = True
        try:
            said = await ending
        finally:
            self._is_lent = False
            self._outlet.take_back()
        self._outlet.say(*([said] if said else []))

    async def _ask(self, asked: Asked) -> None:
        source, verb = self._source, verb_of(asked)
        if isinstance(asked, Evaluate) and (self._model.is_back or not source.is_connected):
            self._outlet.say(*evaluated(asked, self._model))
            return
        if self._model.is_back and not self._model.is_replay and not isinstance(asked, WHILE_BACK):
            raise UsageError("you look back: what acts on the run is for now", hint="now")
        if self._model.is_replay or not source.is_connected:
            raise UsageError("this is a replay: nothing can be changed" if self._model.is_replay else "the run is over")
        if isinstance(asked, (TakeControl, OnlyWatch)):
            if isinstance(source, SharedSource):
                wanted = isinstance(asked, TakeControl)
                source.take_control() if wanted else source.only_watch()
                await self._control_is(wanted)
                holder = "this prompt" if source.has_control else "another console, or nobody,"
                self._outlet.say(f"{verb.name}: {holder} holds control")
            return
        if isinstance(asked, StopRequest):
            self._is_stopping = True
        if not isinstance(source, AskedSource):
            raise UsageError("nothing can be asked of this")
        answer = await source.answer(asked)
        if answer.get("problem"):
            self._outlet.say(f"{verb.name}: refused: {safe(answer['problem'])}")
            return
        if isinstance(asked, LogQuery):
            self._outlet.say(*(f"| {safe(each)}" for each in answer["lines"]))
        elif isinstance(asked, Question) and not answer.get("said"):
            self._outlet.say(*told(answer))
        elif answer.get("said"):
            first, *more = told(answer)
            self._outlet.say(f"{verb.name}: {first}", *more)
        else:
            self._outlet.say(f"{verb.name}: ok")
        await self._until(lambda: self._board.seq >= int(answer.get("up_to") or 0) or not source.is_connected)
        if isinstance(asked, MOVES) and not self._lines.is_typed:
            await self._until(lambda: self._is_still)

    async def _control_is(self, wanted: bool) -> None:
        """Wait a moment for whoever gives control; that is no event."""
        for _ in range(CONTROL_LOOKS):
            if self._source.has_control is wanted:
                return
            await asyncio.sleep(CONTROL_LOOK_S)

    # Leaving

    async def _quit(self, words: tuple[str, ...]) -> None:
        board = self._board
        how = words[0] if words else ""
        if how not in ("", "detach", "stop"):
            raise UsageError(f"quit {beginning(how, 40)}: leave how?", hint="quit detach, or quit stop")
        if board.phase is Phase.FINISHED or self._model.is_replay:
            over = ConsoleOutcome("finished", board.exit_code)
            self._leave(ConsoleOutcome("detached", None) if self._model.is_replay else over)
        elif how == "detach" or (not how and not self._source.has_control):
            self._leave(ConsoleOutcome("detached", None))
        elif how == "stop":
            code = board.done_exit_code if board.phase is Phase.DONE else int(ExitCode.INTERRUPTED)
            self._stop(int(ExitCode.JOB_FAILED) if board.failures else code)
            await self._until(lambda: board.phase is Phase.FINISHED or not self._source.is_connected)
        else:
            self._outlet.say("the run goes on: `quit detach` leaves it so, `quit stop` ends it")

    def _stop(self, exit_code: int, *, force: bool = False) -> None:
        self._is_stopping = True
        self._source.send(StopRequest("operator", exit_code, force=force))

    def _signalled(self, number: int) -> None:
        """Take a signal: Ctrl-C says what can be done, and again ends the run; others leave it to itself."""
        if self._is_lent and number in (signal.SIGINT, signal.SIGQUIT):
            return  # it was the shell's, which is begun or ended just now
        if number != signal.SIGINT:
            self._leave(ConsoleOutcome("detached", None))
            return
        board = self._board
        self._interrupts += 1
        if board.phase is Phase.FINISHED or self._model.is_replay or not self._source.has_control:
            self._leave(ConsoleOutcome("detached", None))
        elif self._interrupts == 1 and self._lines.is_typed and board.phase is not Phase.STOPPING:
            self._outlet.say("Ctrl-C: `pause` holds the run, `quit detach` leaves it; Ctrl-C again ends it")
        else:
            code = ExitCode.JOB_FAILED if board.failures else ExitCode.INTERRUPTED
            self._stop(int(code), force=self._is_stopping or board.phase is Phase.STOPPING)
