"""What was given by hand and did well: written into the scenario's file, or given again to what runs again."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, digits
from typing import Any

from octogram_tui.engine.stimuli import RerunAllRequest, RerunRequest, SetArgumentsRequest, Stimulus
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.text import safe
from octogram_tui.runtime.verbs import Expected
from octogram_tui.tui.by_hand import Parts, lines_of
from octogram_tui.tui.format import plural, value
from octogram_tui.tui.model import title_of
from octogram_tui.tui.screens.change_verbs import ChangeVerbs
from octogram_tui.tui.screens.dialogs import Answer, Question

Offered = InstanceRow | str
"""A row whose arguments can be kept, or the name of a variable."""
_KEYS = digits[1:] + ascii_lowercase
_FAILED = (State.FAILED, State.LOST)
SHOWN = 6


class KeepVerbs(ChangeVerbs):
    """The actions of keymap.py that keep what the operator gave."""

    def action_keep(self) -> None:
        """Keep what the cursor is on; where that is nothing of it, what there is, and of several what is chosen."""
        by_hand, row = self.model.by_hand, self.row()
        chosen = self.variables.selected if self.pane == "variables" else None
        offered: list[Offered] = [*by_hand.rows, *by_hand.variables]
        if chosen is not None and chosen.name in by_hand.variables:
            self._keep(chosen.name)
        elif row in by_hand.rows and isinstance(row, InstanceRow):
            self._keep(row)
        elif len(offered) == 1:
            self._keep(offered[0])
        elif offered:
            self._choose_what_to_keep(offered)
        else:
            self.app.notify("the file has all that was given by hand and ended well", markup=False)

    def _choose_what_to_keep(self, offered: Sequence[Offered]) -> None:
        keyed = dict(zip(_KEYS, offered, strict=False))
        answers = [Answer(key, self._said(each), key) for key, each in keyed.items()]
        question = Question(self.app.brush, f"Write what into {safe(self.app.scenario_path)}?", (), answers)
        self.app.open_dialog(question, lambda given: self._keep(keyed[given]) if given in keyed else None)

    def _said(self, each: Offered) -> str:
        if isinstance(each, str):
            return f"{each}: {value(self.model.variables.values.get(each))}"
        return f"{title_of(each)}   {', '.join(lines_of(self.model.by_hand.missing(each)))}"

    def _keep(self, each: Offered) -> None:
        if isinstance(each, str):
            self._tell(self._write_variable(each, self.model.variables.values.get(each)))
        else:
            self.app.in_turn(self._keep_arguments(each))

    async def _keep_arguments(self, row: InstanceRow) -> None:
        """Write the arguments of a row's latest attempt; after a question where a template gives way to a value."""
        answer = await self.in_time(Expected(row.key))
        rendered = None if answer.get("problem") else answer.get("arguments")
        parts = self.model.by_hand.missing(row, rendered)
        replaced = self.model.by_hand.replaced(row, parts)
        if not replaced:
            self._tell(self._write_arguments(row, parts) if parts else "the file has all of it")
            return
        lines = [f"{'.'.join(path)}: {value(parts[path])} in the place of {text}" for path, text in replaced.items()]
        others = {path: each for path, each in parts.items() if path not in replaced}
        answers = [Answer("y", "write them", "all")]
        if others:
            answers.append(Answer("o", f"only the others: {', '.join(lines_of(others))}", "others"))
        lines.append("All agents and items are given these values then.")
        question = Question(self.app.brush, "Write values where templates stand?", lines, answers)

        def take(given: str | None) -> None:
            if given:
                self._tell(self._write_arguments(row, others if given == "others" else parts))

        self.app.open_dialog(question, take)

    def _tell(self, problem: str) -> None:
        if problem:
            self.app.notify(safe(f"not written: {problem}"), severity="warning", markup=False)

    # What runs again

    def run_again(self, *stimuli: Stimulus) -> None:
        """Have rows run again; where that would lose arguments that were given by hand, after a question."""
        had = self._would_lose(stimuli)
        if not had:
            for stimulus in stimuli:
                self.app.ask(stimulus)
            return
        if not self.app.may_act():
            return

        def take(given: str | None) -> None:
            if given == "given":
                self.app.in_turn(self._give_again(had, stimuli))
            elif given:
                for stimulus in stimuli:
                    self.app.ask(stimulus)

        shown = [f"{title_of(row)}   {', '.join(lines_of(self.model.by_hand.missing(row)))}" for row in had[:SHOWN]]
        more = [f"and {plural(len(had) - SHOWN, 'more row')}"] if len(had) > SHOWN else []
        which = "its latest attempt" if len(had) == 1 else f"{len(had)} latest attempts"
        answers = [
            Answer("g", "give that again, and rerun", "given"),
            Answer("r", "rerun with what the text gives", "text"),
        ]
        title = f"Rerun: {which} had arguments of yours"
        self.app.open_dialog(Question(self.app.brush, title, [*shown, *more], answers), take)

    def _would_lose(self, stimuli: Sequence[Stimulus]) -> list[InstanceRow]:
        """Give the rows whose next attempt would be without what their latest one was given by hand."""
        edited, by_hand, board = self.model.edited, self.model.by_hand, self.model.board
        rows = [row for key in edited.taken if (row := board.instances.get(key)) is not None]
        return [
            row
            for row in rows
            if row.key not in edited.by_instance
            and any(_reruns(each, row) for each in stimuli)
            and by_hand.missing(row)
        ]

    async def _give_again(self, rows: Sequence[InstanceRow], stimuli: Sequence[Stimulus]) -> None:
        """Give rows what their latest attempts were given, and all else as the text has it now; and run them."""
        for row in rows:
            parts = self.model.by_hand.missing(row)
            answer = await self.in_time(Expected(row.key))
            self.app.ask(SetArgumentsRequest(row.key, _whole(parts, answer.get("arguments") or {})))
        for stimulus in stimuli:
            self.app.ask(stimulus)


def _reruns(stimulus: Stimulus, row: InstanceRow) -> bool:
    """Whether a request has a row run again."""
    if not isinstance(stimulus, (RerunRequest, RerunAllRequest)):
        return False
    if isinstance(stimulus, RerunAllRequest):
        if stimulus.instances:
            return row.key in stimulus.instances
        if row.state not in (_FAILED if stimulus.which == "failed" else (State.STALE,)):
            return False
    elif stimulus.from_here:
        return stimulus.agent in ("", row.agent)
    elif stimulus.instance is not None:
        return stimulus.instance == row.key
    asked = (stimulus.stage, stimulus.job, stimulus.agent)
    return all(
        wanted in ("", name) for wanted, name in zip(asked, (row.stage.name, row.job.name, row.agent), strict=True)
    )


def _whole(parts: Parts, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments that parts are of, each whole."""
    found: dict[str, Any] = {}
    for (name, *rest), given in parts.items():
        if not rest:
            found[name] = given
            continue
        there = arguments.get(name)
        found.setdefault(name, dict(there) if isinstance(there, dict) else {})[rest[0]] = given
    return found
