"""What the operator has done again, or passed over: rows, what failed, what is stale, a stage and all after it."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase, digits

from octogram_tui.engine.stimuli import BackRequest, Inputs, RerunAllRequest, SkipAllRequest, SkipRequest, Stimulus
from octogram_tui.projection.again import Choice, choices
from octogram_tui.projection.bunches import Bunch
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow
from octogram_tui.projection.turning_back import turned_back
from octogram_tui.tui.format import plural, value
from octogram_tui.tui.model import rerun_of, title_of
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.screens.pane_screen import PaneScreen

NEW_ATTEMPTS = "New attempts, with the variables as they are now. "
STAYS = "What was done on the agents stays there."
SHOWN_VARIABLES = 6
INPUTS: dict[Inputs, str] = {
    "now": "with the variables as they are now",
    "then": "with the variables as the latest attempt read them",
}
_PASSABLE = (State.FAILED, State.HELD, State.LOST)


class AgainVerbs(PaneScreen):
    """The actions of keymap.py that have something run again, or go on as if it had."""

    def run_again(self, *stimuli: Stimulus) -> None:
        """Have rows run again: keep_verbs.py, which asks about arguments that were given by hand."""
        raise NotImplementedError

    def action_rerun(self) -> None:
        """Run the row again; many instances only after a question that names their number."""
        row = self.row()
        if row is None:
            self.app.notify("choose a row of the plan first", severity="warning", markup=False)
            return
        bunch = self._bunch()
        if bunch is not None:
            self._rerun_together(bunch)
            return
        stimulus = rerun_of(row)
        if isinstance(row, InstanceRow) or row.total <= 1:
            self.run_again(stimulus)
            return
        if not self.app.may_act():
            return

        def ask() -> Asked | None:
            if row.is_gone or self.app.why_not():
                return None
            agents = len({instance.agent for instance in row.below()})
            title = f"Rerun {plural(row.total, 'instance')} on {plural(agents or len(row.stage.agents), 'agent')}?"
            return Asked(title, [title_of(row), NEW_ATTEMPTS + STAYS], [Answer("r", "rerun them", "yes")])

        self._ask(ask, stimulus)

    def _bunch(self) -> Bunch | None:
        """The many that are one row, when the cursor is on such a row."""
        return self.plan.bunch if self.pane == "plan" else None

    def _rerun_together(self, bunch: Bunch) -> None:
        """Run again what is one row: what failed for one cause, or is stale; of anything else ask what is meant."""
        which = "failed" if bunch.cluster is not None else "stale"
        if which == "stale" and bunch.state is not State.STALE:
            self.action_rerun_menu()
            return
        if not self.app.may_act():
            return
        instances = tuple(each.key for each in _instances(bunch))

        def ask() -> Asked | None:
            left = [key for key in instances if self._is_still(key, which)]
            if not left or self.app.why_not():
                return None
            agents = len({key.agent for key in left})
            title = f"Rerun {plural(len(left), f'{which} instance')} on {plural(agents, 'agent')}?"
            return Asked(title, [bunch.message, NEW_ATTEMPTS + STAYS], [Answer("r", "rerun them", "yes")])

        self._ask(ask, RerunAllRequest(which, instances=instances))

    def _is_still(self, key: object, which: str) -> bool:
        board = self.model.board
        row = board.instances.get(key)  # type: ignore[call-overload]
        return row is not None and (key in board.undecided if which == "failed" else row.state is State.STALE)

    def action_rerun_failed(self) -> None:
        """What failed, again, and go on; several instances only after a question that names their number."""
        rows = list(self.model.board.undecided.values())
        stimulus = RerunAllRequest("failed", go=True)
        if len(rows) <= 1:  # of none the run says so itself
            self.run_again(stimulus)
            return
        if not self.app.may_act():
            return

        def ask() -> Asked | None:
            rows = list(self.model.board.undecided.values())
            if not rows or self.app.why_not():
                return None
            agents = len({row.agent for row in rows})
            title = f"Rerun {plural(len(rows), 'failed instance')} on {plural(agents, 'agent')}, and go on?"
            lines = [NEW_ATTEMPTS + "What ended well stays as it is."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, stimulus)

    def action_rerun_stale(self) -> None:
        """What is stale, again, stage after stage; never without a question, as it may be most of the run."""
        if not self.app.may_act():
            return
        board = self.model.board

        def ask() -> Asked | None:
            rows = [row for stage in board.stages for row in stage.below() if row.state is State.STALE]
            if not rows or self.app.why_not():
                return None
            agents = len({row.agent for row in rows})
            title = f"Rerun {plural(len(rows), 'stale instance')} on {plural(agents, 'agent')}?"
            lines = [NEW_ATTEMPTS + "Stage after stage; what is not stale stays as it is."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, RerunAllRequest("stale"))

    # Choosing what

    def action_rerun_menu(self) -> None:
        """Choose what runs again, with how much of it there is, and with which variables."""
        if not self.app.may_act():
            return
        row = self.row()
        inputs: list[Inputs] = ["now"]

        def found() -> list[Choice]:
            return choices(self.model.board, row, inputs[0])

        def ask() -> Asked | None:
            if self.app.why_not():
                return None
            answers = [Answer(choice.key, said(choice), choice.name) for choice in found()]
            if any(stage.started_s is not None for stage in self.model.board.stages):
                answers.append(Answer("b", "back to the beginning of a stage", "back"))
            title = f"Again: {title_of(row)}" if row is not None else "Again"
            if not answers:
                return Asked(title, ["Nothing of it has run yet."])
            other: Inputs = "then" if inputs[0] == "now" else "now"
            return Asked(title, [f"{_capital(INPUTS[inputs[0]])}; tab: {INPUTS[other]}. {STAYS}"], answers)

        def other_inputs() -> None:
            inputs[0] = "then" if inputs[0] == "now" else "now"

        def take(name: str | None) -> None:
            if name == "back":
                self.action_back_to_stage()
            elif chosen := next((choice for choice in found() if choice.name == name), None):
                self.run_again(chosen.request)

        self.app.open_dialog(Question(self.app.brush, ask=ask, other=other_inputs), take)

    def action_rerun_of(self, name: str, inputs: Inputs = "now") -> None:
        """Run again what a word of the menu means where the cursor is, after a question."""
        if not self.app.may_act():
            return
        row = self.row()

        def found() -> Choice | None:
            words = ("item", "row") if name == "item" else (name,)
            return next((each for each in choices(self.model.board, row, inputs) if each.name in words), None)

        def ask() -> Asked | None:
            choice = found()
            if choice is None or self.app.why_not():
                return None
            where = f"{plural(choice.instances, 'instance')} on {plural(choice.agents, 'agent')}"
            lines = [choice.says, f"New attempts, {INPUTS[inputs]}. {STAYS}"]
            return Asked(f"Rerun {where}?", lines, [Answer("r", "rerun them", "yes")])

        choice = found()
        if choice is None:
            self.app.notify("nothing of it has run here: choose a row that has", severity="warning", markup=False)
        elif choice.instances == 1 and inputs == "now":
            self.run_again(choice.request)
        else:
            self._ask(ask, choice.request)

    # Back to a stage

    def action_back_to_stage(self) -> None:
        """Choose a stage that has begun, to go back to its beginning."""
        if not self.app.may_act():
            return
        keys = digits[1:] + ascii_lowercase

        def begun() -> list[Group]:
            return [
                each for each in reversed(self.model.board.stages) if each.started_s is not None and not each.is_gone
            ]

        def ask() -> Asked | None:
            stages = begun()
            if not stages or self.app.why_not():
                return None
            board, variables = self.model.board, self.model.variables
            answers = []
            for key, stage in zip(keys, stages, strict=False):
                turn = turned_back(board, variables, stage)
                more = f"{plural(len(turn.restored), 'variable')} as then, {plural(len(turn.stale), 'instance')} stale"
                answers.append(Answer(key, f"{stage.name}   {more}", stage.name))
            return Asked("Back to the beginning of which stage?", [STAYS], answers)

        def take(name: str | None) -> None:
            stage = next((each for each in begun() if each.name == name), None)
            if stage is not None:
                self._go_back(stage)

        if not begun():
            self.app.notify("no stage has begun yet", severity="warning", markup=False)
            return
        self.app.open_dialog(Question(self.app.brush, ask=ask), take)

    def _go_back(self, stage: Group) -> None:
        """Say what going back to a stage means, and do it."""

        def ask() -> Asked | None:
            if stage.is_gone or self.app.why_not():
                return None
            turn = turned_back(self.model.board, self.model.variables, stage)
            restored = [
                f"{name}: {_shown(is_now)} becomes {_shown(was)}"
                for name, is_now, was in turn.restored[:SHOWN_VARIABLES]
            ]
            if len(turn.restored) > SHOWN_VARIABLES:
                restored.append(f"and {len(turn.restored) - SHOWN_VARIABLES} more variables")
            agents = plural(len({row.agent for row in turn.stale}), "agent")
            stale = f"{plural(len(turn.stale), 'instance')} on {agents} that ended well will run again."
            lines = [*(restored or ["No variable has changed since."]), stale, STAYS]
            return Asked(f"Back to the beginning of {stage.name}?", lines, [Answer("b", "go back", "yes")])

        self._ask(ask, BackRequest(stage.name))

    def _ask(self, ask: Callable[[], Asked | None], stimulus: Stimulus) -> None:
        """Ask the run for something, after a question that is answered with anything but never mind."""
        question = Question(self.app.brush, ask=ask)
        self.app.open_dialog(question, lambda given: self.run_again(stimulus) if given else None)

    # Passing over

    def action_skip(self) -> None:
        """Go on as if what failed or is held had succeeded: the row, or all in it that the filter shows."""
        bunch, row = self._bunch(), self.row()
        if bunch is not None and bunch.state in _PASSABLE:
            self._skip_together(list(_instances(bunch)), bunch.message)
            return
        if isinstance(row, Group) and not self.plan.is_following:
            takes = self.model.outline.filtered_by.takes
            rows = [each for each in row.below() if each.state in _PASSABLE and takes(each)]
            if rows:
                self._skip_together(rows, title_of(row))
                return
        if not isinstance(row, InstanceRow) or row.state not in _PASSABLE:
            row = self.model.board.first_failure if self.plan.is_following else None
        if row is None:
            said = f"choose a row that failed or is held: {self.app.way('first failure')} goes to the next"
            self.app.notify(said, severity="warning", markup=False)
            return
        self.app.ask(SkipRequest(row.key))

    def _skip_together(self, rows: list[InstanceRow], what: str) -> None:
        """Go on as if all of these had succeeded, after a question with their number."""
        if not self.app.may_act():
            return

        def left(state: State) -> list[InstanceRow]:
            failures = self.model.board.undecided
            if state is State.HELD:
                return [each for each in rows if each.state is State.HELD]
            return [each for each in rows if each.key in failures]

        def ask() -> Asked | None:
            failed, held = left(State.FAILED), left(State.HELD)
            if not (failed or held) or self.app.why_not():
                return None
            agents = plural(len({each.agent for each in (*failed, *held)}), "agent")
            counts = [
                f"{plural(len(each), f'{word} instance')}"
                for word, each in (("failed", failed), ("held", held))
                if each
            ]
            lines = [what, "The run goes on as if they had succeeded."]
            return Asked(f"Skip {' and '.join(counts)} on {agents}?", lines, [Answer("s", "skip them", "yes")])

        def answer(given: str | None) -> None:
            for which, state in (("failed", State.FAILED), ("held", State.HELD)):
                if given and (some := tuple(each.key for each in left(state))):
                    self.app.ask(SkipAllRequest(which, instances=some))

        self.app.open_dialog(Question(self.app.brush, ask=ask), answer)


def said(choice: Choice) -> str:
    """Say of a choice what it is, how much, and where."""
    count = f"{plural(choice.instances, 'instance')} on {plural(choice.agents, 'agent')}"
    busy = f", {choice.under_way} more run right now" if choice.under_way else ""
    return f"{choice.name:<9} {count}{busy}   {choice.says}"


def _instances(bunch: Bunch) -> list[InstanceRow]:
    """Give the instances of rows that are alike."""
    found: list[InstanceRow] = []
    for row in bunch.rows:
        found += [row] if isinstance(row, InstanceRow) else [each for each in row.below() if each.state is bunch.state]
    return found


def _shown(given: object) -> str:
    from octogram_tui.projection.turning_back import ABSENT

    return "none" if given is ABSENT else value(given)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
