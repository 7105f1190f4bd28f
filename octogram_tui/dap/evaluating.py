"""What is typed or pointed at: expressions, the verbs of the operator in the debug console, and what completes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.frames import Frame, Frames
from octogram_tui.dap.handles import Handles, Key, Place, value_of
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.positions import units
from octogram_tui.dap.scopes import Scopes
from octogram_tui.dap.sources import Sources
from octogram_tui.errors import UsageError
from octogram_tui.projection.rows import InstanceRow, Row
from octogram_tui.projection.text import safe
from octogram_tui.prompt.helping import help_on
from octogram_tui.prompt.looks import TOLD
from octogram_tui.prompt.moments import go
from octogram_tui.prompt.rows import every_row
from octogram_tui.prompt.words import ALIASES, LOOKS, Look, read
from octogram_tui.runtime.answers import told
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.verbs import VERBS, Evaluate, LogQuery, OnlyWatch, TakeControl, verb_of

NAMES = frozenset({"vars", "var", "agent", "item", "re", "res"})
"""What an expression may begin with, whatever verb is called so."""
ELSEWHERE = {
    "quit": "the client leaves: disconnect, or terminate",
    "wait": "nothing is waited for here: what stops is told",
    "scope": "steps are for the agent whose thread is chosen",
    "shell": "a shell needs a terminal: octogram-tui shell RUN ROW",
    "edit": "the file is open in your editor",
}
"""What of the prompt means nothing here, and what there is in its place."""
MOST_TARGETS = 200

_PART = re.compile(r"""\.(?P<word>[A-Za-z_]\w*)|\[(?P<index>\d+)\]|\[(?P<q>["'])(?P<key>(?:(?!(?P=q)).)*)(?P=q)\]""")
_LAST_WORD = re.compile(r"[^\s()\[\]{},|+*=<>!~'\"-]*$")


class Evaluating:
    """Answers `evaluate`, `setExpression` and `completions`.

    moment_changed  is called when somebody typed his way to another moment of the run
    """

    def __init__(
        self,
        debuggee: Debuggee,
        frames: Frames,
        scopes: Scopes,
        handles: Handles,
        sources: Sources,
        moment_changed: Callable[[], None],
    ) -> None:
        self._debuggee = debuggee
        self._frames = frames
        self._scopes = scopes
        self._handles = handles
        self._sources = sources
        self._moment_changed = moment_changed

    def _frame(self, asked: Arguments) -> Frame | None:
        return self._frames.find(asked.number("frameId")) if "frameId" in asked else None

    async def evaluate(self, asked: Arguments) -> dict[str, Any]:
        """Give the value of an expression, or what came of a verb."""
        text = asked.text("expression")
        frame = self._frame(asked)
        context = asked.text("context", "")
        if context == "repl" and self.is_verb(text):
            return {"result": "\n".join(await self._typed(text, frame)), "variablesReference": 0}
        row = self._frames.row(frame) if frame is not None else None
        key = row.key if isinstance(row, InstanceRow) else None
        agent = frame.agent if frame is not None else ""
        if context == "hover":
            text = self._pointed_at(text)
        value = await self._debuggee.value(text, key, agent)
        return self._shown(text, value, agent)

    def _pointed_at(self, text: str) -> str:
        """Understand a variable by its bare name: that is what stands under a mouse."""
        bare = text.strip()
        return f"vars.{bare}" if bare in self._debuggee.board_values and bare not in NAMES else text

    def _shown(self, text: str, value: Any, agent: str) -> dict[str, Any]:
        place = Place(value, name=text.strip() if path_of(text) else "") if isinstance(value, (dict, list)) else None
        shown = self._handles.shown(agent, value, place)
        return {"result": shown.pop("value"), **shown}

    async def set_expression(self, asked: Arguments) -> dict[str, Any]:
        """Set a variable, or a part of one, by its expression."""
        path = path_of(asked.text("expression"))
        if not path:
            raise RequestFailed("only a variable can be set: vars.NAME, or a part of it")
        text = asked.text("value")
        new = value_of(text)
        if new is text:  # no JSON: an expression itself
            new = await self._debuggee.value(text, *self._sight(asked))
        return await self._scopes.set_by_name(path, new)

    def _sight(self, asked: Arguments) -> tuple[Any, str]:
        frame = self._frame(asked)
        row = self._frames.row(frame) if frame is not None else None
        return (row.key if isinstance(row, InstanceRow) else None), (frame.agent if frame is not None else "")

    # Verbs

    def is_verb(self, text: str) -> bool:
        """Whether a line begins with a verb, and is no expression."""
        first = text.strip().partition(" ")[0]
        return first not in NAMES and (first in VERBS or first in LOOKS or first in ALIASES)

    async def _typed(self, text: str, frame: Frame | None) -> list[str]:
        model = self._debuggee.model
        try:
            wanted = read(self._here(text, frame), model, scope=frame.agent if frame is not None else "")
            if isinstance(wanted, Look):
                return self._look(wanted)
        except UsageError as error:
            hint = f"; {error.hint}" if error.hint else ""
            raise RequestFailed(safe(f"{error.message}{hint}")) from None
        verb = verb_of(wanted)
        if isinstance(wanted, Evaluate):
            row = self._frames.row(frame) if frame is not None else None
            key = wanted.instance or (row.key if isinstance(row, InstanceRow) else None)
            value = await self._debuggee.value(wanted.expression, key, wanted.agent)
            return told({"value": value})
        if isinstance(wanted, (TakeControl, OnlyWatch)):
            await self._debuggee.take_control(wanted=isinstance(wanted, TakeControl))
            return [f"{verb.name}: this client {'may act' if self._debuggee.has_control else 'only watches'}"]
        answer = await self._debuggee.ask(wanted)
        if isinstance(wanted, LogQuery):
            return [f"| {safe(each)}" for each in answer["lines"]]
        if answer.get("said") or isinstance(wanted, Question):
            return told(answer)
        return [f"{verb.name}: ok"]

    def _here(self, text: str, frame: Frame | None) -> str:
        """Let `.` stand for the row of the frame that is chosen."""
        row = self._frames.row(frame) if frame is not None else None
        words = text.strip().split(" ")
        if row is None or "." not in words[1:] or any(sign in row.full_name for sign in " '\"\\"):
            return text
        return " ".join([words[0], *(row.full_name if word == "." else word for word in words[1:])])

    def _look(self, look: Look) -> list[str]:
        model = self._debuggee.model
        if look.name in ELSEWHERE:
            raise RequestFailed(ELSEWHERE[look.name])
        if look.name == "help":
            return help_on(look.words)
        if look.name in ("at", "earlier", "later"):
            before = model.shown.seq
            lines = go(look.name, look.words, model)
            if model.shown.seq != before:
                self._moment_changed()
            return lines
        if look.name == "info" and look.words and "breakpoints".startswith(look.words[0]):
            listed = model.board.stops.breakpoints.listed
            return [safe(f"{one.number} {one.words}, by {one.by}") for one in listed] or ["there are no breakpoints"]
        return TOLD[look.name](look.words, model)

    # Completions

    async def completions(self, asked: Arguments) -> dict[str, Any]:
        """Give what the word before the cursor may become."""
        positions = self._sources.positions
        lines = asked.text("text").split("\n")
        number = positions.line_in(asked.number("line", positions.line_out(1)))
        line = lines[number - 1] if 1 <= number <= len(lines) else ""
        before = line[: positions.column_in(asked.number("column"), line) - 1]
        found = _LAST_WORD.search(before)
        word = found[0] if found is not None else ""
        is_first = not before[: len(before) - len(word)].strip()
        names = [(each, "keyword") for each in (*VERBS, *LOOKS)] if is_first else []
        names += [(f"vars.{name}", "variable") for name in self._debuggee.board_values]
        names += [(each, "property") for each in ("agent.name", "agent.address", "item", "re", "res")]
        if not is_first:
            model = self._debuggee.model
            rows: list[Row] = every_row(model)
            names += [(name, "value") for name in model.board.agents]
            names += [(row.full_name, "value") for row in rows]
        fitting = [(name, kind) for name, kind in dict.fromkeys(names) if name.startswith(word) and name != word]
        place = {"start": positions.column_out(len(before) - len(word) + 1, before), "length": units(word)}
        return {
            "targets": [
                {"label": safe(name, limit=200), "text": name, "type": kind, **place}
                for name, kind in fitting[:MOST_TARGETS]
            ]
        }


def path_of(expression: str) -> tuple[Key, ...]:
    """Read `vars.name`, and what leads on from there to a part; empty for any other expression."""
    text = expression.strip()
    if not text.startswith("vars"):
        return ()
    path: list[Key] = []
    at = len("vars")
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            return ()
        path.append(int(found["index"]) if found["index"] is not None else found["word"] or found["key"] or "")
        at = found.end()
    return tuple(path) if path and isinstance(path[0], str) else ()
