"""What can be done about the scenario's file: have it read now, checked, put back; and the variables written out."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

from octogram_tui.errors import Problem
from octogram_tui.filing import write_whole
from octogram_tui.projection.text import safe
from octogram_tui.runtime.desk import Question as Query
from octogram_tui.runtime.verbs import CheckFile, LookAtFile
from octogram_tui.tui.format import plural
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.screens.pane_screen import PaneScreen


class FileVerbs(PaneScreen):
    """The actions of keymap.py that are about the scenario's file."""

    async def answer_of(self, query: Query) -> dict[str, Any] | None:
        """Ask the run's host; None when there is no answer, and then it was said why."""
        answer = await self.app.enquiries.ask(query)
        if problem := answer.get("problem"):
            self.app.notify(safe(problem), severity="warning", markup=False)
            return None
        return answer

    def action_reload_now(self) -> None:
        """Have the run read the file, and say what came of it."""
        if self.app.may_act():
            self.run_worker(self._reload())

    async def _reload(self) -> None:
        answer = await self.answer_of(LookAtFile())
        if answer is not None:
            self.app.notify(safe("; ".join(answer["said"]), limit=200), markup=False)

    def action_check_scenario(self) -> None:
        """Say what is wrong with the file as it stands; the run goes on by what it has."""
        self.app.in_turn(self._check())

    async def _check(self) -> None:
        answer = await self.answer_of(CheckFile())
        if answer is None:
            return
        problems = [Problem(*entry) for entry in answer.get("problems", [])]
        said = safe("; ".join(answer["said"]), limit=200)
        if not problems:
            self.app.notify(said, markup=False)
            return
        lines = [_problem_line(each.file, each.line, each.message, each.hint) for each in problems]
        self._tell_problems(f"{plural(len(problems), 'problem')} in the file as it stands", lines, problems[0].line)

    def _tell_problems(self, title: str, lines: list[str], line: int) -> None:
        def take(answer: str | None) -> None:
            if answer:
                self.run_worker(self.app.edit_scenario(line))

        self.app.open_dialog(Question(self.app.brush, title, lines, [Answer("e", "edit it there", "edit")]), take)

    def action_show_reload(self) -> None:
        """Say what the last edit changed, or why it was refused."""
        board = self.model.board
        if board.problems:
            lines = [
                _problem_line(entry["file"], entry["line"], entry["message"], entry["hint"]) for entry in board.problems
            ]
            self._tell_problems("The last edit was refused, the old text stays", lines, board.problems[0]["line"])
            return
        changes = board.changes or ["nothing: the text is what it was before"]
        stale = (
            f"{plural(board.reload_stale, 'instance')} stale by it." if board.reload_stale else "Nothing stale by it."
        )
        self.app.open_dialog(Question(self.app.brush, "What the last edit changed", [*changes, stale]))

    # Putting the file back

    def action_revert_scenario(self) -> None:
        """Write the text that the run goes by over the file, after a question; what it was is kept beside it."""
        text, path = self.model.source.text, Path(self.app.scenario_path)
        if not text:
            self.app.notify("no copy of the running text was kept", severity="warning", markup=False)
            return
        if not self.app.may_act():
            return
        try:
            is_same = path.read_bytes() == text.encode("utf-8")
        except OSError:
            is_same = False
        if is_same:
            self.app.notify("the file is what the run goes by", markup=False)
            return
        kept = free_name(path)

        def take(answer: str | None) -> None:
            if answer:
                self.run_worker(self._revert(path, text, kept))

        lines = [f"{path} becomes what it was when the run last read it.", f"As it is now it is kept as {kept.name}."]
        title = "Put the running version back into the file?"
        self.app.open_dialog(Question(self.app.brush, title, lines, [Answer("y", "put it back", "yes")]), take)

    async def _revert(self, path: Path, text: str, kept: Path) -> None:
        try:
            is_kept = await asyncio.to_thread(put_back, path, text, kept)
        except OSError as error:
            said = f"cannot write {error.filename or path}: {error.strerror or error}"
            self.app.notify(safe(said), severity="warning", markup=False)
            return
        said = f"{path.name} is the running version again" + (f"; what it was is in {kept.name}" if is_kept else "")
        self.app.notify(safe(said), markup=False)

    # Variables

    def action_save_variables(self) -> None:
        """Write the variables as they are now to a file that `--variables` reads."""
        from octogram_tui.scenario.edit import variables_text
        from octogram_tui.tui.screens.save_form import SaveForm, file_name

        values = dict(self.model.variables.values)
        name = file_name(f"{Path(self.app.scenario_path).stem}-variables", ".yml")
        title = f"Write {plural(len(values), 'variable')}, as YAML or, with .json, as JSON"
        form = SaveForm(self.app.brush, title, lambda path: variables_text(values, path), name)
        self.app.open_dialog(form, self.tell_written)

    def tell_written(self, path: str | None) -> None:
        """Say where something went."""
        if path:
            self.app.notify(f"written to {safe(path)}", markup=False)


def free_name(path: Path) -> Path:
    """Name a file beside another one that is not there yet."""
    names = [path.with_name(f"{path.name}.before{number}") for number in ("", *map(str, range(2, 1000)))]
    return next((name for name in names if not os.path.lexists(name)), names[-1])


def put_back(path: Path, text: str, kept: Path) -> bool:
    """Copy a file away and give it another text; False where there was none. Nothing is lost. Raises OSError."""
    try:
        with path.open("rb") as old, kept.open("xb") as copy:
            shutil.copyfileobj(old, copy)
    except FileNotFoundError:
        write_whole(path, text.encode("utf-8"))
        return False
    shutil.copystat(path, kept)
    write_whole(path, text.encode("utf-8"))
    return True


def _problem_line(file: str, line: int, message: str, hint: str) -> str:
    place = f"{os.path.basename(file)}:{line}: " if line else ""
    return f"{place}{message}" + (f" ({hint})" if hint else "")
