"""`--accessible`: the console without a screen, onto a run that goes on, or onto a journal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TextIO, cast

from octogram_tui.journal import archive, texts
from octogram_tui.journal.history import JournalHistory
from octogram_tui.projection.source import ReadText
from octogram_tui.prompt.lines import lines_of
from octogram_tui.prompt.outlet import Outlet
from octogram_tui.prompt.rows import every_row
from octogram_tui.prompt.session import LendsTerminal, Session
from octogram_tui.prompt.telling import Teller
from octogram_tui.prompt.words import ALIASES, LOOKS
from octogram_tui.report.plainlog import Style
from octogram_tui.runtime.client import Client
from octogram_tui.runtime.verbs import VERBS
from octogram_tui.tui import terminal_modes
from octogram_tui.tui.event_feed import EventSource
from octogram_tui.tui.model import Model
from octogram_tui.tui.outcome import ConsoleOutcome

if TYPE_CHECKING:
    from octogram_tui.commands.replay import Recording
    from octogram_tui.settings import Settings

PROMPT = "octogram> "


def attach(
    run: archive.KnownRun,
    settings: Settings,
    *,
    theme: str | None = None,
    ascii_only: bool = False,
    read_only: bool = False,
    earlier: Sequence[int] = (),
    owns: bool = False,
    level: int = 0,
) -> int:
    """Attend to a run; gives its exit code once it ended, 0 when detached. Raises OctogramError.

    earlier: signals that have come before we were there; owns: we started it (prompt/session.py says what that means)
    level: how much is told, as of plain lines
    """
    from octogram_tui.commands.console import told

    async def session() -> ConsoleOutcome:
        client = await Client.connect(run.info.socket, only_watch=read_only)
        try:
            style = _style(settings, ascii_only=ascii_only, level=level)
            read_text = partial(texts.find, run.directory)
            return await _sit(
                client,
                style,
                read_text,
                history=JournalHistory(run.journal),
                owns=owns,
                earlier=earlier,
                lend=partial(_shell, run.id),
                edit=partial(_edit, settings.editor, run.info.scenario),
            )
        finally:
            await client.close()

    return told(run, asyncio.run(session()))


def replay(recording: Recording, settings: Settings, *, ascii_only: bool = False, level: int = 0, at: str = "") -> int:
    """Tell of a run that is over, and answer looks at it; at: the moment that is first. Raises JournalError."""
    style = _style(settings, ascii_only=ascii_only, level=level)
    read_text = partial(texts.find, recording.path.parent)
    asyncio.run(_sit(recording, style, read_text, is_replay=True, history=JournalHistory(recording.path), at=at))
    if recording.failure is not None:
        raise recording.failure
    return 0


async def _sit(
    source: EventSource,
    style: Style,
    read_text: ReadText,
    *,
    owns: bool = False,
    is_replay: bool = False,
    earlier: Sequence[int] = (),
    lend: LendsTerminal | None = None,
    edit: Callable[[int], Awaitable[str]] | None = None,
    history: JournalHistory | None = None,
    at: str = "",
) -> ConsoleOutcome:
    model = Model(is_replay=is_replay, read_text=read_text, history=history)
    lines = lines_of(PROMPT, lambda: _names(model))
    outlet = Outlet(sys.stdout, PROMPT, lines.typed)
    teller = Teller(model, outlet, cast("TextIO", outlet), style)
    session = Session(source, model, lines, outlet, teller, owns=owns, lend=lend, edit=edit, at=at)
    return await session.run(tuple(earlier))


def _names(model: Model) -> list[str]:
    """Give what a word may be completed to."""
    rows = [row.full_name for row in every_row(model)]
    return [*VERBS, *LOOKS, *ALIASES, *model.board.agents, *model.variables.values, *rows]


def _style(settings: Settings, *, ascii_only: bool, level: int) -> Style:
    return Style(level=level, ascii_only=ascii_only or settings.ascii, words=True)


async def _shell(run: str, row: str) -> str:
    """Lend the terminal to a shell for a row; gives what is to be said of it."""
    return await _lent("the shell", [sys.executable, "-m", "octogram_tui", "shell", run, row]) or "back from the shell"


async def _edit(editor: str, scenario: str, line: int) -> str:
    """Lend the terminal to the editor, at a line; gives what is to be said. What the run takes of it, that says."""
    from octogram_tui.tui.lending import editor_command

    try:
        return await _lent("the editor", editor_command(editor, scenario, line))
    except OSError as error:
        return f"the editor cannot be started: {error.strerror}"


async def _lent(what: str, command: list[str]) -> str:
    before = terminal_modes.attributes()
    process = await asyncio.create_subprocess_exec(*command)
    try:
        code = await process.wait()
    finally:
        terminal_modes.give_back(before)  # one that was killed has done neither
    if code < 0:
        return f"{what} was ended by signal {-code}"
    return f"{what} ended with exit status {code}" if code else ""
