"""The scenario's file in an editor, and what an edit comes to: listed by instance before it is in force."""

from __future__ import annotations

from octogram_tui.engine.events import EditWaits
from octogram_tui.engine.stimuli import ReloadModeRequest
from octogram_tui.projection.consequences import Consequences, read_consequences
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe
from octogram_tui.runtime.verbs import ForeseeFile, LookAtFile
from octogram_tui.tui.format import plural
from octogram_tui.tui.model import line_of
from octogram_tui.tui.screens.change_verbs import ChangeVerbs
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.widgets.source_view import SourceView


class EditVerbs(ChangeVerbs):
    """The actions of keymap.py that edit the file. While this console acts, an edit that touches what ran waits."""

    _asked_for_mode = False
    _seen_edit: EditWaits | None = None
    _is_from_here = False  # the editor was opened by this console, which waits for what comes of it

    async def action_edit_scenario(self) -> None:
        """Open the scenario at the row's line; in the source at the line there; after a refused edit at its error."""
        source = self.panes["source"]
        looked_at = source.line if isinstance(source, SourceView) and self.pane == "source" else 0
        problems = self.model.board.problems
        self._is_from_here = True
        if problems and not looked_at:
            first = problems[0]
            await self.app.edit_scenario(int(first.get("line") or 0), str(first.get("file") or ""))
            return
        await self.app.edit_scenario(looked_at or line_of(self.row()))

    def sync(self) -> None:
        """Have edits wait as long as we are there to be asked; take those that touch nothing that ran."""
        super().sync()
        self._choose_mode()
        edit = self.model.head.board.waiting_edit
        if edit is self._seen_edit:
            return
        self._seen_edit = edit
        if edit is None or self.app.is_read_only or self.model.is_replay:
            return
        if not (edit.stale or edit.new or edit.gone):
            self.run_worker(self._take_edit())
        elif self._is_from_here and self.app.screen is self and not self.model.is_back:
            self.action_take_edit()

    def _choose_mode(self) -> None:
        """Ask once, when we hold control, that edits wait."""
        board, app = self.model.head.board, self.app
        if not board.seq or app.is_read_only or board.phase is Phase.FINISHED:
            self._asked_for_mode = False
        elif not self._asked_for_mode:
            self._asked_for_mode = True
            if board.reload_mode != "ask":
                app.source.send(ReloadModeRequest("ask"))

    def leave_edits(self) -> None:
        """Nobody is there to be asked any more: edits are in force at once again, and so is one that waits."""
        if self._asked_for_mode and self.app.source.is_connected and self.app.source.has_control:
            self._asked_for_mode = False
            self.app.source.send(ReloadModeRequest("now"))

    async def _take_edit(self) -> None:
        self._is_from_here = False
        await self.answer_of(LookAtFile())

    def action_take_edit(self) -> None:
        """Say by instance what the edit that waits comes to, and have it in force."""
        if self.model.head.board.waiting_edit is None:
            self.app.notify("no edit waits", severity="warning", markup=False)
        elif self.app.may_act():
            self._is_from_here = False
            self.app.in_turn(self._ask_for_edit())

    async def _ask_for_edit(self) -> None:
        answer = await self.in_time(ForeseeFile())
        if answer.get("problem"):
            self.app.notify(safe(answer["problem"]), severity="warning", markup=False)
            return
        found = read_consequences(answer)
        lines = [*found.changes, *found.lines()]
        again = [*found.stale, *found.failed]
        answers = [Answer("y", "take it in", "yes")]
        if again:
            where = f"{plural(len(again), 'instance')} on {plural(len({key.agent for key in again}), 'agent')}"
            answers.append(Answer("r", f"take it in, and rerun {where}: exactly what it touches", "rerun"))
        answers.append(Answer("e", "edit it further", "edit"))
        asked = Asked("Take in the edit of the file?", lines, answers)

        def ask() -> Asked | None:
            return None if self.app.why_not() or self.model.head.board.waiting_edit is None else asked

        def take(given: str | None) -> None:
            if given == "edit":
                self.run_worker(self.action_edit_scenario())
            elif given:
                self.app.in_turn(self._take_and(found if given == "rerun" else None))

        self.app.open_dialog(Question(self.app.brush, ask=ask), take)

    async def _take_and(self, found: Consequences | None) -> None:
        answer = await self.answer_of(LookAtFile())
        if answer is not None and found is not None:
            self.rerun_exactly(found)

    def action_foresee_file(self) -> None:
        """Say what the file as it stands would come to; where it waits, it can be taken in."""
        if self.model.head.board.waiting_edit is not None and not self.app.is_read_only:
            self.action_take_edit()
        else:
            self.app.in_turn(self._foresee())

    async def _foresee(self) -> None:
        answer = await self.answer_of(ForeseeFile())
        if answer is None:
            return
        found = read_consequences(answer)
        lines = [*found.changes, *found.lines()]
        title = "What the file as it stands would come to"
        self.app.open_dialog(Question(self.app.brush, title, lines or ["nothing: it is what the run goes by"]))
