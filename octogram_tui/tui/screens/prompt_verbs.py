"""Any verb of the table, typed as at the prompt: what has a better form elsewhere too."""

from __future__ import annotations

import sys
from typing import Any, cast

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow
from octogram_tui.projection.text import safe
from octogram_tui.runtime.answers import told
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.verbs import VERBS, Asked, LogQuery, OnlyWatch, TakeControl, Whereabouts, verb_of
from octogram_tui.tui.event_feed import SharedSource
from octogram_tui.tui.screens.file_verbs import FileVerbs
from octogram_tui.tui.screens.log_screen import LogScreen
from octogram_tui.tui.screens.verb_line import VerbLine, begun


class PromptVerbs(FileVerbs):
    """The actions of keymap.py that type what is asked."""

    def action_ask_verb(self, name: str = "") -> None:
        """Open the line, with a verb and what the row tells of its arguments."""
        text = begun(VERBS[name], self.row()) if name in VERBS else ""
        self.app.open_dialog(VerbLine(self.app.brush, text), self._ask_typed)

    def action_shell(self) -> None:
        """Lend the terminal to a shell where the row's command runs: on its agent, in its directory."""
        row = self.row()
        chosen = row if row is None or isinstance(row, InstanceRow) else _loudest(row)
        if not isinstance(chosen, InstanceRow):
            self.app.notify("choose a row of the plan first", severity="warning", markup=False)
            return
        self.app.in_turn(self._shell(chosen.key))

    async def _shell(self, id_: InstanceId) -> None:
        if await self.answer_of(Whereabouts(id_)) is None:  # it said why
            return
        run = self.model.board.run
        self.app.lend(lambda: [sys.executable, "-m", "octogram_tui", "shell", "--for-console", run, str(id_)])

    def _ask_typed(self, asked: Asked | None) -> None:
        if asked is None:
            return
        source = self.app.source
        if isinstance(asked, (TakeControl, OnlyWatch)):
            if isinstance(source, SharedSource):
                source.take_control() if isinstance(asked, TakeControl) else source.only_watch()
        elif isinstance(asked, Question):
            if not verb_of(asked).needs_control or self.app.may_act():
                self.app.in_turn(self._answer(asked))
        else:
            self.app.ask(asked)

    async def _answer(self, asked: Question) -> None:
        answer = await self.answer_of(asked)
        if answer is None:
            return
        name = verb_of(asked).name
        lines = lines_of(asked, answer)
        if len(lines) == 1:
            self.app.notify(f"{name}: {lines[0]}", markup=False)
        else:
            self.app.open_dialog(LogScreen(self.model, self.app.brush, name, lines))


def _loudest(group: Group) -> InstanceRow | None:
    """Give what somebody most likely means by a row that holds others: what failed, else what is held, else any."""
    rows = list(group.below())
    wanted = (State.FAILED, State.LOST, State.HELD, State.RUNNING)
    return next((row for state in wanted for row in rows if row.state is state), rows[0] if rows else None)


def lines_of(asked: Question, answer: dict[str, Any]) -> list[str]:
    """Give an answer as lines; those of a log as they were written."""
    if isinstance(asked, LogQuery):
        return [*cast("list[str]", answer["lines"]), *([safe(answer["trouble"])] if answer["trouble"] else [])]
    return told(answer)
