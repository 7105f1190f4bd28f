"""Answers what consoles ask and the engine never hears of: logs of agents, and the scenario's file as it stands."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from octogram_tui.engine.foreseeing import Foreseen, foresee_edit, foresee_set
from octogram_tui.engine.looking import expected, look
from octogram_tui.engine.machine import Engine
from octogram_tui.errors import TemplateError
from octogram_tui.runtime.verbs import (
    CheckFile,
    Evaluate,
    Expected,
    ForeseeFile,
    ForeseeSet,
    LogQuery,
    LookAtFile,
    Whereabouts,
)
from octogram_tui.runtime.watch import ScenarioFiles, in_a_line
from octogram_tui.runtime.whereabouts import Guide
from octogram_tui.template.analysis import uses

Question = LogQuery | LookAtFile | CheckFile | Evaluate | ForeseeSet | ForeseeFile | Expected | Whereabouts
"""What is answered to who asks, after a while, and is no event by itself."""


class Desk:
    """One for a run. files: None for a run whose scenario is not read again.

    aside: looks at the engine while nothing moves it.
    """

    def __init__(
        self,
        read_log: Callable[[LogQuery], Awaitable[dict[str, Any]]],
        files: ScenarioFiles | None,
        engine: Engine,
        aside: Callable[[Callable[[], dict[str, Any]]], Awaitable[dict[str, Any]]],
        guide: Guide | None = None,
    ) -> None:
        self._read_log = read_log
        self._files = files
        self._engine = engine
        self._aside = aside
        self._guide = guide

    async def answer(self, question: Question) -> dict[str, Any]:
        """Give {problem} or what was asked for.

        Of a file {said, problems}, of a log {lines, size_bytes, trouble}, of an expression {value}, of a change what
        consequences.py gives, of a next attempt {arguments, templates}, of whereabouts what those do.
        """
        if isinstance(question, LogQuery):
            return await self._read_log(question)
        if isinstance(question, Evaluate):
            uses(question.expression, expression=True)  # whether it may last is known from now on
            return await self._aside(lambda: self._evaluate(question))
        if isinstance(question, Expected):
            return await self._aside(lambda: self._expected(question))
        if isinstance(question, ForeseeSet):
            return await self._aside(lambda: self._foresee_set(question))
        if isinstance(question, Whereabouts):
            if self._guide is None:
                return {"problem": "this run has no agents"}
            return await self._guide.tell(question.instance)
        if self._files is None:
            return {"problem": "this run does not read its scenario again: it has no console of its own"}
        if isinstance(question, ForeseeFile):
            return await self._foresee_file(self._files)
        if isinstance(question, LookAtFile):
            return {"problem": "", "led_to": [], "said": [await self._files.take()]}
        problems, said = await self._files.check()
        return {"problem": "", "led_to": [], "said": [said], "problems": [list(problem) for problem in problems]}

    def _evaluate(self, question: Evaluate) -> dict[str, Any]:
        try:
            value = look(self._engine, question.expression, question.instance, question.agent)
            json.dumps(value, allow_nan=False).encode()
        except TemplateError as error:
            return {"problem": f"{error.message}; {error.hint}" if error.hint else error.message}
        except (ValueError, RecursionError):
            return {"problem": "the value cannot be written as JSON: it holds what is no number, or is too deep"}
        return {"problem": "", "led_to": [], "value": value}

    def _expected(self, question: Expected) -> dict[str, Any]:
        try:
            arguments, templates = expected(self._engine, question.instance)
        except TemplateError as error:
            return {"problem": f"{error.message}; {error.hint}" if error.hint else error.message}
        return {"problem": "", "led_to": [], "arguments": arguments, "templates": templates}

    async def _foresee_file(self, files: ScenarioFiles) -> dict[str, Any]:
        new, problems = await files.read()
        if new is None:
            return {
                "problem": f"the file is refused: {in_a_line(problems)}",
                "problems": [list(each) for each in problems],
            }
        return await self._aside(lambda: _answered(foresee_edit(self._engine, new)))

    def _foresee_set(self, question: ForeseeSet) -> dict[str, Any]:
        found = foresee_set(self._engine, question.name, question.value, is_removed=question.remove)
        return _answered(found)


def _answered(seen: Foreseen) -> dict[str, Any]:
    from octogram_tui.runtime.consequences import as_answer  # which no run is asked for that has no console

    return {"problem": "", "led_to": [], **as_answer(seen)}
