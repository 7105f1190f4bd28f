"""How a session begins, as the client wants it: what is opened of what it says, and how that is debugged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.dap.debuggee import LaunchWanted, Opened, Opener
from octogram_tui.dap.debugging import Manner
from octogram_tui.dap.messages import Arguments, RequestFailed, is_takeable
from octogram_tui.dap.moving import Steps
from octogram_tui.dap.positions import Positions
from octogram_tui.dap.telling import problem_output
from octogram_tui.errors import ScenarioError
from octogram_tui.projection.text import safe

ALL = 1 << 62


async def launched(
    opener: Opener, asked: Arguments, positions: Positions, emit: Callable[[str, dict[str, Any]], None]
) -> tuple[Opened, Manner]:
    """Begin a run, which holds before its first job. Raises RequestFailed and OctogramError, all problems told."""
    is_debugged = not asked.flag("noDebug")
    wanted = LaunchWanted(
        program=asked.path("program"),
        options=tuple(asked.system_texts("args")),
        cwd=asked.path("cwd", ""),
        environment=_environment(asked.object("env")),
        keeps_alive=asked.flag("keepAlive"),
        holds_failures=is_debugged,
    )
    manner = Manner(
        stops_on_entry=asked.flag("stopOnEntry") and is_debugged,
        steps=_steps(asked),
        stops=is_debugged,
        holds_alone=_chosen(asked, "holdMode", ("all", "alone")) == "alone",
    )
    try:
        return await opener.launch(wanted), manner
    except ScenarioError as error:
        for problem in error.problems:
            emit("output", problem_output(problem, positions))
        raise


async def replayed(opener: Opener, asked: Arguments) -> tuple[Opened, Manner]:
    """Open a journal. Raises RequestFailed and OctogramError."""
    manner = Manner(stops_on_entry=asked.flag("stopOnEntry", default=True), seen=ALL)
    return await opener.replay(asked.path("replay")), manner


async def joined(opener: Opener, asked: Arguments) -> tuple[Opened, Manner]:
    """Join a run that goes on. Raises RequestFailed and OctogramError."""
    only_watches, takes_control = asked.flag("readOnly"), asked.flag("takeControl")
    steps = _steps(asked)
    opened = await opener.attach(asked.system_text("run", "last"), only_watches=only_watches)
    return opened, Manner(
        steps=steps, seen=opened.seen, only_watches=only_watches, takes_control=takes_control and not only_watches
    )


def _steps(asked: Arguments) -> Steps:
    return "all" if _chosen(asked, "steps", ("agent", "all")) == "all" else "agent"


def _environment(given: Arguments) -> dict[str, str | None]:
    for name, value in given.given.items():
        if value is not None and not isinstance(value, str):
            raise RequestFailed(f"`env` gives {safe(name, limit=60)} what is no text")
        if not name or "=" in name or not is_takeable(f"{name}{value}"):
            raise RequestFailed(
                f"`env` has {quoted(name, 60)}, of which no variable can be made: a name without `=`, and no NUL"
            )
    return given.given


def _chosen(asked: Arguments, name: str, words: tuple[str, ...]) -> str:
    word = asked.text(name, words[0])
    if word not in words:
        raise RequestFailed(f"`{name}` is one of {', '.join(words)}, not {safe(word, limit=40)}")
    return word
