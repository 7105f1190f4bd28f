"""What the operator changes: variables, a row's arguments for its next attempt; and what comes of it, said before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from octogram_tui.engine.stimuli import RerunAllRequest, SetArgumentsRequest, SetVariableRequest, Stimulus
from octogram_tui.errors import OctogramError, ScenarioError
from octogram_tui.projection.consequences import Consequences, read_consequences
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.text import safe
from octogram_tui.projection.variables import Variable
from octogram_tui.runtime.desk import Question as Query
from octogram_tui.runtime.verbs import Expected, ForeseeSet
from octogram_tui.tui.format import plural, value
from octogram_tui.tui.model import title_of
from octogram_tui.tui.screens.argument_form import ArgumentForm, Entry, entries_of
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.screens.file_verbs import FileVerbs
from octogram_tui.tui.screens.variable_form import VariableForm

ANSWER_S = 3.0
"""How long one waits to hear what a change would come to; then it is made without that."""
_EDITABLE = (State.FAILED, State.HELD, State.LOST)

Agreed = Callable[[], bool]


class ChangeVerbs(FileVerbs):
    """The actions of keymap.py that change what the run goes by."""

    def action_edit(self) -> None:
        """Edit what one is about: a variable, where one is chosen or the failure is of it; else a row's arguments."""
        row, variables = self._editable(), self.model.variables
        if row is None or self.pane == "variables" or variables.names_some(row) or variables.meant(row) is not None:
            self.action_edit_variable()
        elif self.app.may_act():
            self.app.in_turn(self._open_arguments(row, self._all_alike(row), instead=self.action_edit_variable))

    def action_edit_variable(self) -> None:
        """Set a variable: the chosen one, or the one that a failure is about, where it is only one."""
        self._set_in_form(self._chosen_variable())

    def _chosen_variable(self) -> Variable | None:
        return self.variables.selected if self.pane == "variables" else self.model.variables.meant(self.row())

    def _set_in_form(self, chosen: Variable | None) -> None:
        if not self.app.may_act():
            return
        row = self.row()

        def take(filled: SetVariableRequest | None) -> None:
            if filled is not None:
                self.app.ask(filled)

        form = VariableForm(
            self.app.brush,
            lambda: self.model.variables.likely(row),
            chosen.name if chosen else "",
            write=self._write_variable,
            agree=self.agree,
            why_not=self.app.why_not,
            drafts=self.app.drafts,
            other=self.action_edit_arguments if self._editable() is not None else None,
        )
        self.app.open_dialog(form, take)

    def action_unset_variable(self) -> None:
        """Take a variable away, after a question; where none is chosen, choose it in the form first."""
        chosen = self._chosen_variable()
        if chosen is None or chosen.now.removed:
            self.app.notify(f"choose a variable: {self.app.way('variables')}, then unset it", markup=False)
            return
        if self.app.may_act():
            request = SetVariableRequest(chosen.name, remove=True)
            self.agree(request, lambda: self._sent(request), is_asked=True)

    def _sent(self, request: SetVariableRequest) -> bool:
        self.app.ask(request)
        return True

    def _write_variable(self, name: str, given: Any) -> str:
        """Write a value into the scenario's file, where comments stay; says why it was not written.

        The form sends it to the run as well, before the host looks at the file: what it reads there is known by then.
        """
        from octogram_tui.scenario.edit import change_variable

        return self._written(name, lambda: change_variable(self.app.scenario_path, name, given))

    def _written(self, what: str, write: Callable[[], None]) -> str:
        try:
            write()
        except ScenarioError as error:
            return error.problems[0].message
        except OctogramError as error:
            return error.message
        self.app.notify(f"{safe(what)} is written to {safe(self.app.scenario_path)}", markup=False)
        return ""

    # What comes of it

    def agree(self, request: SetVariableRequest, go: Agreed, *, is_asked: bool = False) -> None:
        """Do what sets a variable, after a question where more than failures is touched by it.

        go: does it, and says whether it did; is_asked: ask whatever comes of it
        """
        self.app.in_turn(self._weigh(request, go, is_asked=is_asked))

    async def _weigh(self, request: SetVariableRequest, go: Agreed, *, is_asked: bool) -> None:
        answer = await self.in_time(ForeseeSet(request.name, request.value, request.remove))
        found = Consequences({}) if answer.get("problem") else read_consequences(answer)
        if not is_asked and not found.wants_a_word:
            go()
            return
        what = "is taken away" if request.remove else f"becomes {value(request.value)}"
        self.ask_with(f"{request.name} {what}?", "set it" if not request.remove else "take it away", found, go)

    async def in_time(self, question: Query) -> dict[str, Any]:
        """Ask the run's host, and do not wait for long: what is typed waits as well."""
        try:
            return await asyncio.wait_for(self.app.enquiries.ask(question), ANSWER_S)
        except TimeoutError:
            return {"problem": "the run does not answer"}

    def ask_with(self, title: str, word: str, found: Consequences, go: Agreed) -> None:
        """Say what comes of a change by instance, do it, and offer to rerun exactly those."""

        def take(given: str | None) -> None:
            if given and go() and given == "rerun":
                self.rerun_exactly(found)

        again = [*found.stale, *found.failed]
        answers = [Answer("y", word, "yes")]
        if again:
            where = f"{plural(len(again), 'instance')} on {plural(len({key.agent for key in again}), 'agent')}"
            answers.append(Answer("r", f"{word}, and rerun {where}: exactly what it touches", "rerun"))
        asked = Asked(title, found.lines() or ["Nothing that ran is stale by it."], answers)
        self.app.open_dialog(Question(self.app.brush, ask=lambda: None if self.app.why_not() else asked), take)

    def rerun_exactly(self, found: Consequences) -> None:
        """Run again what a change made stale, and what failed and is concerned."""
        failed = [RerunAllRequest("failed", instances=found.failed)] if found.failed else []
        stale = [RerunAllRequest("stale", instances=tuple(found.stale))] if found.stale else []
        self.run_again(*failed, *stale)

    def run_again(self, *stimuli: Stimulus) -> None:
        """Have rows run again: keep_verbs.py."""
        raise NotImplementedError

    # Arguments

    def _editable(self) -> InstanceRow | None:
        """The row whose next attempt can be given other arguments: one that is held or failed."""
        row = self.row()
        return row if isinstance(row, InstanceRow) and row.state in _EDITABLE else None

    def _all_alike(self, row: InstanceRow) -> list[InstanceRow]:
        """All that stand in one line with a row, when the cursor is on that line."""
        bunch = self.plan.bunch if self.pane == "plan" else None
        if bunch is None or bunch.first is not row:
            return [row]
        return [each for each in bunch.rows if isinstance(each, InstanceRow)]

    def action_edit_arguments(self) -> None:
        """Give a held or failed row other arguments for its next attempt; of many in one line, all of them."""
        row = self._editable()
        if row is None:
            said = f"choose a row that failed or is held: {self.app.way('first failure')} goes to the next"
            self.app.notify(said, severity="warning", markup=False)
        elif self.app.may_act():
            self.app.in_turn(self._open_arguments(row, self._all_alike(row)))

    async def _open_arguments(
        self, row: InstanceRow, rows: list[InstanceRow], instead: Callable[[], None] | None = None
    ) -> None:
        """Open the form; instead: what is done where nobody knows what the row is given."""
        found = await self._rendered(row)
        if isinstance(found, str):
            self.app.notify(safe(found), severity="warning", markup=False) if instead is None else instead()
            return
        rendered, templates = found
        model = self.model

        def entries() -> list[Entry]:
            return entries_of(rendered, templates, model.edited.of(row.key))

        def send(wanted: dict[str, Any], resets: bool) -> int:
            count = 0
            for each in rows:
                if resets and each.key in model.edited.by_instance:
                    self.app.ask(SetArgumentsRequest(each.key, remove=True))
                    count += 1
                if wanted:
                    self.app.ask(SetArgumentsRequest(each.key, wanted))
                    count += 1
            return count

        many = f" on {plural(len(rows), 'agent')}" if len(rows) > 1 else ""
        title = f"Arguments of {row.job.name}{many}" if many else f"Arguments of {title_of(row)}"
        form = ArgumentForm(
            self.app.brush,
            f"{title}, next attempt",
            entries,
            send=send,
            heard=lambda: (model.edited.answered, model.edited.problem),
            write=lambda values: self._write_arguments(row, values),
            why_not=self.app.why_not,
            other=lambda: self._set_in_form(model.variables.meant(row)),
        )
        self.app.open_dialog(form)

    async def _rendered(self, row: InstanceRow) -> tuple[dict[str, Any], dict[str, Any]] | str:
        """Give what the next attempt is given as the text has it, and templates; else the latest's, or why not."""
        answer = await self.in_time(Expected(row.key))
        if not answer.get("problem"):
            return dict(answer.get("arguments") or {}), dict(answer.get("templates") or {})
        if row.last is not None and row.last.arguments:
            return dict(row.last.arguments), nested(self.model.source.templates(row.job))
        return str(answer["problem"])

    def _write_arguments(self, row: InstanceRow, values: dict[tuple[str, ...], Any]) -> str:
        """Write arguments into the row's job in the scenario's file, where comments stay; says why it did not."""
        from octogram_tui.scenario.edit_arguments import change_arguments

        job, path = row.job, self.app.scenario_path
        names = ", ".join(".".join(each) for each in values)
        return self._written(names, lambda: change_arguments(path, job.stage.name, job.name, job.procedure, values))


def nested(templates: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    """Give templates by the names that lead to them as maps within maps, as far as the form parts them."""
    found: dict[str, Any] = {}
    for path, text in templates.items():
        if len(path) == 1:
            found[path[0]] = text
        elif isinstance(within := found.setdefault(path[0], {}), dict):
            within.setdefault(path[1], text)
    return found
