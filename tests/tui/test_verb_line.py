"""The line that types a verb: every verb is in the palette, and reaches the run from there."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.command import CommandPalette
from textual.widgets import OptionList

from octogram_tui.engine import stimuli
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.verbs import TABLE, VERBS, Evaluate
from octogram_tui.tui.screens.verb_line import VerbLine, begun


@pytest.mark.parametrize(("has_control", "width"), [(True, 80), (False, 200)])
async def test_the_palette_has_every_verb_that_can_be_asked(has_control: bool, width: int) -> None:
    app = console(StillSource(fleet_events(60), has_control=has_control))
    async with app.run_test(size=(width, 24)) as pilot:
        await settled(pilot)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette) and app.screen.query_one(OptionList).options)
        shown = [str(option.prompt) for option in app.screen.query_one(OptionList).options]
        names = {line.split()[1] for line in shown if line.startswith("Ask: ")}
        never = "take_control" if has_control else "watch"
        wanted = {verb.name for verb in TABLE if has_control or not verb.needs_control} - {never}
        assert names == wanted - ({"watch"} if not has_control else set())


def test_the_line_begins_with_what_the_row_tells() -> None:
    from octogram_tui.projection.board import Board

    board = Board()
    for event in fleet_events(60):
        board.apply(event)
    row = next(iter(board.failures.values()))
    assert shlex.split(begun(VERBS["skip"], row)) == ["skip", str(row.key)]
    assert shlex.split(begun(VERBS["break"], row)) == ["break", str(row.key)]
    assert shlex.split(begun(VERBS["break"], row.job)) == ["break", row.job.full_name]
    assert shlex.split(begun(VERBS["back"], row)) == ["back", row.stage.name]
    assert begun(VERBS["skip"], row.stage) == begun(VERBS["skip"], None) == "skip "
    assert begun(VERBS["pause"], None) == "pause "
    assert begun(VERBS["reload"], None) == "reload"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("break '@n_*' condition='vars.level > 5'", stimuli.BreakRequest("@n_*", condition="vars.level > 5")),
        (
            "set_arguments 'a b/c@d' arguments='{\"x\": 1}'",
            stimuli.SetArgumentsRequest(InstanceId("a b", "c", "d"), {"x": 1}),
        ),
        ("remove_break 0", stimuli.RemoveBreakRequest(0)),
    ],
)
async def test_what_is_typed_is_asked(typed: str, sent: Any) -> None:
    source = StillSource(fleet_events(5))
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.run_action("ask_verb", app.run_screen)
        await until(pilot, lambda: isinstance(app.screen, VerbLine))
        assert isinstance(app.screen, VerbLine)
        app.screen.line.type_in(typed)
        await pilot.press("enter")
        await until(pilot, lambda: source.sent)
        assert source.sent == [sent]


async def test_what_is_wrong_is_said_and_what_is_told_is_shown() -> None:
    source = StillSource(fleet_events(5))
    source.answers[Evaluate] = {"problem": "", "value": [1, 2]}
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await app.run_action("ask_verb", app.run_screen)
        await until(pilot, lambda: isinstance(app.screen, VerbLine))
        line = app.screen
        assert isinstance(line, VerbLine)
        assert "foresee_set" in screen_text(app, on_top=True)
        await pilot.press(*"eval", "tab")
        assert line.line.value == "evaluate "
        await pilot.press("enter")
        await pilot.pause()
        assert "evaluate needs `expression`" in screen_text(app, on_top=True)
        line.line.type_in("'vars.x")
        await pilot.press("enter")
        await pilot.pause()
        assert "quote a name that holds spaces" in screen_text(app, on_top=True)
        assert app.screen is line
        await pilot.press("'", "enter")
        await until(pilot, lambda: source.asked)
        assert source.asked == [Evaluate("vars.x")]
        await until(pilot, lambda: app.screen is not line and app.screen is not app.run_screen)
        assert "1," in screen_text(app, on_top=True)
        await pilot.press("escape")
        assert app.screen_stack == [app.run_screen]
        assert not source.sent
