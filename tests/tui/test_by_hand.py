"""What was given by hand: said where it matters, kept in the file when it did well, and not lost without a word."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from test_argument_form import FILE, GIVEN, ROW, TEMPLATES, told
from test_variable_form import shop_events
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.values import Value
from octogram_tui.runtime.verbs import Expected
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.by_hand import named, parts_of
from octogram_tui.tui.screens.dialogs import Question

EDITED: dict[str, Value] = {"env": {"SHOP": "0", "STOCK": "5"}}


def source_of() -> StillSource:
    source = StillSource(shop_events(1, "no reason"))
    source.answers[Expected] = {"problem": "", "arguments": GIVEN, "templates": TEMPLATES}
    return source


def shop(source: StillSource, text: str = FILE, **options: Any) -> ConsoleApp:
    return console(source, read_text=lambda _digest, _is_first: text, **options)


def notices(app: ConsoleApp) -> str:
    return "\n".join(notice.message for notice in app._notifications)


def tried_again(source: StillSource, state: str = "ok") -> None:
    """The row was given other arguments, and its next attempt took them along."""
    arguments: dict[str, Value] = {**GIVEN, **EDITED}
    told(
        source,
        ev.ArgumentsSet(instance=ROW, arguments=EDITED),
        ev.JobStarted(instance=ROW, attempt=2, arguments=arguments, why="rerun", edited=["env"]),
        ev.JobFinished(instance=ROW, attempt=2, state=state),
    )


async def chosen(pilot: Pilot[Any]) -> ConsoleApp:
    app = await settled(pilot)
    await pilot.press("1", "exclamation_mark")
    await pilot.pause()
    return app


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_row_look_and_banner_say_that_the_next_attempt_has_other_arguments(size: tuple[int, int]) -> None:
    source = source_of()
    async with shop(source).run_test(size=size) as pilot:
        app = await chosen(pilot)
        told(source, ev.ArgumentsSet(instance=ROW, arguments=EDITED))
        await until(pilot, lambda: "next with your env" in screen_text(app))
        said = " ".join(screen_text(app).split())
        assert "The next attempt has your env" in said
        told(source, ev.JobStarted(instance=ROW, attempt=2, edited=["env"]))
        await until(pilot, lambda: "your env" not in screen_text(app))


async def test_arguments_that_did_well_are_offered_and_written_as_far_as_they_are_other_ones(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(FILE)
    source = source_of()
    tried_again(source)
    async with shop(source, scenario_path=str(path)).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await until(pilot, lambda: app.model.by_hand.rows)
        assert app.model.by_hand.offer() == "keep arguments"
        await pilot.press("V")
        await until(pilot, lambda: isinstance(app.screen, Question))  # a template gives way to a value
        assert 'env.STOCK: "5" in the place of' in screen_text(app, on_top=True)
        await pilot.press("y")
        await until(pilot, lambda: path.read_text() != FILE)
    assert path.read_text() == FILE.replace('STOCK: "{{ vars.stock_2 }}"', "STOCK: '5'")


async def test_what_the_file_has_and_what_failed_is_not_offered() -> None:
    kept = FILE.replace('"{{ vars.stock_2 }}"', "'5'")
    for text, state in ((kept, "ok"), (FILE, "failed"), ("", "ok")):
        source = source_of()
        tried_again(source, state)
        async with shop(source, text).run_test(size=(80, 24)) as pilot:
            app = await settled(pilot)
            assert app.model.by_hand.offer() == "", (text, state)
            await pilot.press("V")
            await pilot.pause()
            assert app.screen is app.run_screen
            assert "the file has all that was given by hand" in notices(app)


async def test_a_variable_that_was_set_by_hand_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    text = f"vars:\n  stock_2: 0   # few\n{FILE}"
    path.write_text(text)
    source = source_of()
    told(source, ev.VariableChanged(name="stock_2", value=7, by="operator"))
    async with shop(source, text, scenario_path=str(path)).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert app.model.by_hand.offer() == "keep stock_2"
        await pilot.press("V")
        await until(pilot, lambda: path.read_text() != text)
        assert path.read_text() == text.replace("stock_2: 0   #", "stock_2: 7   #")
        told(source, ev.VariableChanged(name="stock_2", value=8, by="market/sell@shop_0"))
        await until(pilot, lambda: not app.model.by_hand.offer())


@pytest.mark.parametrize("key", ["g", "r"])
async def test_a_rerun_that_would_lose_given_arguments_asks_and_gives_them_again(key: str) -> None:
    source = source_of()
    tried_again(source, "failed")
    source.answers[Expected] = {"problem": "", "arguments": {**GIVEN, "env": {"SHOP": "9", "STOCK": "0"}}}
    async with shop(source).run_test(size=(80, 24)) as pilot:
        app = await chosen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "its latest attempt had arguments of yours" in screen_text(app, on_top=True)
        assert source.sent == []
        await pilot.press(key)
        await until(pilot, lambda: source.sent)
        again = [st.SetArgumentsRequest(ROW, {"env": {"SHOP": "9", "STOCK": "5"}})] if key == "g" else []
        assert source.sent == [*again, st.RerunRequest("market", "sell", "shop_0", ROW)], (
            "the rest is the text's of now"
        )


async def test_a_step_at_what_failed_says_which_keys_help() -> None:
    source = source_of()
    async with shop(source).run_test(size=(120, 40)) as pilot:
        app = await chosen(pilot)
        for key in "ns":
            app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: "steps do not pass" in notices(app))
        assert not [each for each in source.sent if isinstance(each, st.StepRequest)]


def test_arguments_are_taken_apart_and_named() -> None:
    parts = parts_of({"a": 1, "b": {"c": 2, "d": 3}, "e": {}})
    assert parts == {("a",): 1, ("b", "c"): 2, ("b", "d"): 3, ("e",): {}}
    assert named(parts) == "a, b.c and 2 more"
