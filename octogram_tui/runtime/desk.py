"""Answers what consoles ask and the engine never hears of: logs of agents, and the scenario's file as it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from octogram_tui.runtime.verbs import (
    CheckFile,
    Evaluate,
    ForeseeFile,
    ForeseeSet,
    LogQuery,
    LookAtFile,
    Whereabouts,
)
from octogram_tui.runtime.watch import ScenarioFiles

Question = LogQuery | LookAtFile | CheckFile | Evaluate | ForeseeSet | ForeseeFile | Whereabouts
"""What is answered to who asks, after a while, and is no event by itself."""


class Desk:
    """One for a run. files: None for a run whose scenario is not read again."""

    def __init__(self, read_log: Callable[[LogQuery], Awaitable[dict[str, Any]]], files: ScenarioFiles | None) -> None:
        self._read_log = read_log
        self._files = files

    async def answer(self, question: Question) -> dict[str, Any]:
        """Give {problem} or what was asked for: of a file {said, problems}, of a log {lines, size_bytes, trouble}."""
        if isinstance(question, LogQuery):
            return await self._read_log(question)
        if isinstance(question, (Evaluate, ForeseeSet, ForeseeFile, Whereabouts)):
            return {"problem": "this cannot be asked for yet"}
        if self._files is None:
            return {"problem": "this run does not read its scenario again: it has no console of its own"}
        if isinstance(question, LookAtFile):
            return {"problem": "", "led_to": [], "said": [await self._files.take()]}
        problems, said = await self._files.check()
        return {"problem": "", "led_to": [], "said": [said], "problems": [list(problem) for problem in problems]}
