"""Where lines come from: pipes, slow and long, and what is no text; a terminal that is lent to a shell meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from typing import Any

from prompt_run import Source, failing, sit

from octogram_tui.engine import events as ev
from octogram_tui.prompt.lines import Lines
from octogram_tui.prompt.outlet import Outlet
from octogram_tui.tui.outcome import ConsoleOutcome


async def test_lines_are_read_as_they_come_also_where_reading_does_not_wait() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)  # as some programs leave what they had
    lines, outlet = Lines(reading, is_typed=False), Outlet(io.StringIO(), "")
    first = asyncio.create_task(lines.next(outlet))
    await asyncio.sleep(0)
    assert not first.done()
    os.write(writing, b"whe")
    os.write(writing, b"re\n\xff\n" + b"x" * 30_000)
    assert await first == "where"
    assert await lines.next(outlet) == "\ufffd"
    os.write(writing, b"x" * 30_000)
    os.close(writing)
    assert await lines.next(outlet) == "x" * 60_000  # the last needs no end
    assert await lines.next(outlet) is None
    os.close(reading)


async def test_what_is_pressed_in_a_shell_is_not_for_the_run() -> None:
    source = Source(failing())

    async def lend(row: str) -> str:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGQUIT):
            os.kill(os.getpid(), number)
            for _ in range(5):
                await asyncio.sleep(0)
        return f"back from {row}"

    outcome, told = await sit(source, "x shop_2", "quit detach", is_typed=True, lend=lend)
    assert outcome == ConsoleOutcome("detached", None)
    assert "back from sell/sell one octopus@shop_2" in told
    assert "Ctrl-C" not in told
    assert source.sent == []


async def test_the_editor_opens_at_the_line_that_is_meant() -> None:
    opened: list[int] = []

    async def edit(line: int) -> str:
        opened.append(line)
        return ""

    source = Source(failing())
    lines = ["edit", "edit 7", "edit shop_1", "edit nobody", "quit detach"]
    _, told = await sit(source, *lines, is_typed=True, edit=edit)
    problem: Any = {"file": "s.yml", "line": 3, "column": 1, "message": "no", "hint": ""}
    refused = ev.ScenarioRejected(seq=failing()[-1].seq + 1, problems=[problem])
    assert len(opened) == 3
    assert opened[1] == 7
    assert min(opened) > 0
    await sit(Source([*failing(), refused]), "edit", "quit detach", is_typed=True, edit=edit)
    assert opened[3] == 3
    _, told = await sit(Source(failing()), "edit", "quit detach", is_typed=True)
    assert "an editor needs a terminal, and a run that goes on" in told
