"""The palette finds an action by the words that people bring along, and puts it first."""

from __future__ import annotations

from typing import Any, cast

from console_app import StillSource, console, fleet_events, settled
from textual.command import Hit

from octogram_tui.engine import events as ev
from octogram_tui.tui.command_palette import ActionProvider
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.other_names import OTHER_NAMES

FIRST = {
    "pause agent": "Hold agent",
    "step over": "Step over",
    "run until": "Run until here",
    "stop and clean": "Stop",
    "break at row": "Breakpoint",
    "break on failure": "Break on failure",
    "break on agent lost": "Break on lost agent",
    "break on stage start": "Break on stage",
    "break on var change": "Break on variable",
    "list breakpoints": "Breakpoints",
    "retry with recorded inputs": "Rerun with inputs of then",
    "set var": "Edit variable",
    "unset var": "Unset variable",
    "diff vars since": "Changed variables",
    "add watch": "Add watch",
    "show rendered args": "Arguments",
    "explain": "Explain",
    "open in editor": "Edit scenario",
    "show reload diff": "Last edit",
    "revert to running version": "Revert scenario",
    "validate": "Check scenario",
    "save vars to file": "Save variables",
    "follow": "Follow",
    "replay from": "Go to moment",
    "attach info": "About",
    "keymap": "Edit keys",
    "finish": "Step out",
    "display": "Add watch",
    "reverse step": "Event back",
}


class _Unread:
    """A journal of which nobody reads: there is one."""

    def after(self, seq: int) -> Any:
        return iter(())

    def seq_at(self, at_s: float) -> int:
        return 0


async def test_words_of_elsewhere_find_the_action_first() -> None:
    events = [*fleet_events(60)]
    changed = ev.ScenarioReloaded(seq=events[-1].seq + 1, changes=["job copy: script"], digest="d")
    app = console(StillSource([*events, changed]), history=_Unread(), read_text=lambda *_: "stages: []")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        provider = ActionProvider(app.run_screen)
        found = {}
        for typed in FIRST:
            hits = [hit async for hit in provider.search(typed)]
            best = max(cast("list[Hit]", hits), key=lambda hit: hit.score, default=None)
            found[typed] = best.text if best is not None else ""
    assert found == FIRST


def test_each_other_name_is_of_one_action_that_there_is() -> None:
    others = [other for names in OTHER_NAMES.values() for other in names]
    names = {action.name for action in ACTIONS}
    assert set(OTHER_NAMES) <= names
    assert len(others) == len(set(others))
    assert not names & set(others)
    assert all(other == other.lower() for other in others)  # how what is typed is looked for
