"""The form that sets a variable: names are offered, the value is filled in, and nothing is set that was not meant."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from textual.events import Key
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import JobEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.scenario.assignments import parse_assignment
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.screens.variable_form import VariableForm, written


def shop_events() -> list[ev.Event]:
    """A run that waits, because a shop has nothing to sell."""
    job: JobEntry = {
        "job": "sell",
        "procedure": "builtins.shell",
        "items": False,
        "line": 3,
        "variables": ["price", "stock_*"],
    }
    about: dict[str, Any] = {"instance": InstanceId("market", "sell", "shop")}
    error = {"kind": "exit", "message": "stock_2 is 0"}
    given: dict[str, Value] = {"allowed": True, "price": 12, "stock_1": 7, "stock_2": 0}
    events: list[ev.Event] = [
        ev.RunStarted(
            run="r",
            scenario="s",
            plan=[{"stage": "market", "line": 1, "jobs": [job]}],
            agents=[{"agent": "shop"}],
            variables=given,
        ),
        ev.StageStarted(stage="market", agents=["shop"]),
        ev.JobStarted(**about),
        ev.JobFinished(**about, state="failed", failure=Failure.from_json(error)),
        ev.RunPaused(reason="failure"),
    ]
    for number, event in enumerate(events, 1):
        event.seq, event.at_s = number, number / 10
    return events


def form(pilot: Pilot[Any]) -> VariableForm:
    screen = pilot.app.screen
    assert isinstance(screen, VariableForm)
    return screen


def says(pilot: Pilot[Any]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in form(pilot).says.lines)


async def opened(pilot: Pilot[Any]) -> ConsoleApp:
    app = await settled(pilot)
    await pilot.press("e")
    assert [offer.name for offer in form(pilot).offers] == ["stock_2", "price", "stock_1", "allowed"]
    return app


async def test_what_the_failure_names_is_offered_first_and_tab_leads_to_its_value() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab")
        assert form(pilot).value_field.value == "0"
        await pilot.press("5", "enter")
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


@pytest.mark.parametrize(
    ("burst", "value"),
    [
        (["backspace", "5"], 5),
        (["7", "backspace", "5"], 5),
        (["1", "2", "left", "9"], 192),
        (["3", "home", "4"], 43),
        (["ctrl+u", "6"], 6),
    ],
)
async def test_keys_of_one_burst_are_done_in_their_order(burst: list[str], value: int) -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for key in ["tab", *burst, "enter"]:  # as a terminal hands them over: none waits for what another leads to
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: bool(source.sent))
        assert source.sent == [st.SetVariableRequest("stock_2", value)]


@pytest.mark.parametrize("burst", [["tab", "5"], ["tab", "ctrl+u", "5"], ["enter", "backspace", "5"]])
async def test_what_is_pressed_with_the_key_that_opens_the_form_is_for_the_form(burst: list[str]) -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ["e", *burst, "enter"]:
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: bool(source.sent))
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


@pytest.mark.parametrize("onward", ["tab", "enter"])
async def test_a_name_that_is_typed_leads_to_the_value(onward: str) -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(*"stock_1", onward, "5", "enter")
        assert source.sent == [st.SetVariableRequest("stock_1", 5)]


async def test_a_beginning_is_completed_and_the_arrows_choose() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(*"STO", "down", "tab")
        assert (form(pilot).name_field.value, form(pilot).value_field.value) == ("stock_1", "7")
        await pilot.press("tab", *"x", "backspace", "down", "up", "enter", "8", "enter")
        assert source.sent == [st.SetVariableRequest("stock_1", 8)]


async def test_a_new_name_and_another_type_are_said_before_anything_is_set() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(*"colour", "tab")
        assert "new: the run has no variable colour" in says(pilot)
        await pilot.press(*"[red", "enter")
        assert source.sent == []  # not YAML, and it says so
        assert "not YAML" in says(pilot)
        await pilot.press("]", "enter")
        assert source.sent == [st.SetVariableRequest("colour", ["red"])]
        await pilot.press("e", "tab", *"many")
        assert "a text, it was a number" in says(pilot)
        await pilot.press("escape")
        assert len(source.sent) == 1


async def test_it_works_on_the_smallest_terminal() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        await pilot.press("e", "tab", "5", "enter")
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


async def test_a_variable_that_was_chosen_is_filled_in() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("4", "e")
        assert (form(pilot).name_field.value, form(pilot).value_field.value) == ("amounts", "[10, 20, 50]")


@pytest.mark.parametrize(
    "value",
    ["text", "", " x ", "1", "true", "a: b", "{", '"', "#", "two\nlines", "tab\t", "é", None, 1, 1.5, [1, {"a": "b"}]],
)
def test_what_is_filled_in_is_read_back_as_it_was(value: Any) -> None:
    assert parse_assignment(f"x={written(value)}")[1] == value


SHOP = """\
# the shop's own file
vars:
  stock_2: 0   # sold out
  price: 12
stages: []
"""


async def test_a_value_is_written_into_the_file_where_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(SHOP)
    source = StillSource(shop_events())
    app = console(source, scenario_path=str(file))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab")
        assert "ctrl+s: and write to the file" in says(pilot)
        await pilot.press("5", "ctrl+s")
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]
        assert file.read_text() == SHOP.replace("stock_2: 0 ", "stock_2: 5 ")
        assert not isinstance(app.screen, VariableForm)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not written: there is no such file"),
        ("vars: [", "not written: "),
        ("vars: 5\n", "not written: there is no `vars"),
    ],
)
async def test_what_cannot_be_written_is_said_and_nothing_is_lost(
    content: str | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "shop.yml"
    if content is not None:
        file.write_text(content)
    source = StillSource(shop_events())
    async with console(source, scenario_path=str(file)).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", "5", "ctrl+s")
        assert said in says(pilot)
        assert source.sent == []
        assert form(pilot).value_field.value == "5"
        assert (file.read_text() if file.exists() else None) == content
        await pilot.press("0")
        assert "not written" not in says(pilot)
        await pilot.press("enter")  # set in the run only
        assert source.sent == [st.SetVariableRequest("stock_2", 50)]


async def test_a_text_that_is_no_yaml_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(SHOP)
    source = StillSource(shop_events())
    async with console(source, scenario_path=str(file)).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+s")  # in the name: to the value, as tab does
        await pilot.press(*"[x", "ctrl+s")
        assert "not YAML" in says(pilot)
        assert (source.sent, file.read_text()) == ([], SHOP)
