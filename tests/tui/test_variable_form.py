"""The form that sets a variable: names are offered, the value is filled in, and nothing is set that was not meant."""

import random
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import JobEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.scenario.assignments import parse_assignment
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.screens.variable_form import VariableForm
from octogram_tui.tui.typed_text import escaped, pasted_value, written


def shop_events(agents: int = 1, message: str = "stock_2 is 0") -> list[ev.Event]:
    """A run that waits, because shops have nothing to sell."""
    job: JobEntry = {
        "job": "sell",
        "procedure": "builtins.shell",
        "items": False,
        "line": 3,
        "variables": ["price", "stock_*"],
    }
    names = [f"shop_{number}" for number in range(agents)]
    error = {"kind": "exit", "message": message}
    given: dict[str, Value] = {"allowed": True, "price": 12, "stock_1": 7, "stock_2": 0}
    events: list[ev.Event] = [
        ev.RunStarted(
            run="r",
            scenario="s",
            plan=[{"stage": "market", "line": 1, "jobs": [job]}],
            agents=[{"agent": name} for name in names],
            variables=given,
        ),
        ev.StageStarted(stage="market", agents=names),
    ]
    for name in names:
        about: dict[str, Any] = {"instance": InstanceId("market", "sell", name)}
        failed = ev.JobFinished(**about, state="failed", failure=Failure.from_json(error))
        events += [ev.JobStarted(**about), failed]
    events.append(ev.RunPaused(reason="failure"))
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
    await pilot.press("e", "shift+tab")
    assert [offer.name for offer in form(pilot).offers] == ["stock_2", "price", "stock_1", "allowed"]
    return app


async def test_what_the_failure_names_is_offered_first_and_tab_leads_to_its_value() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab")
        assert form(pilot).value_field.text == "0"
        await pilot.press("5", "enter")
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


@pytest.mark.parametrize("agents", [1, 40])
async def test_a_repair_is_five_keys_for_one_agent_and_for_forty(agents: int) -> None:
    source = StillSource(shop_events(agents))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "5", "enter", "R", *(["r"] if agents > 1 else []))
        assert source.sent == [st.SetVariableRequest("stock_2", 5), st.RerunAllRequest("failed", go=True)]


async def test_of_several_variables_that_a_failure_may_be_about_one_is_chosen() -> None:
    source = StillSource(shop_events(message="stock_1 and stock_2 are 0"))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        assert form(pilot).focused is form(pilot).name_field
        await pilot.press("down", "enter", "5", "enter")
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


async def test_a_value_where_a_name_belongs_makes_no_variable_unasked() -> None:
    source = StillSource(shop_events(message="no more"))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "5", "enter", "enter")
        assert source.sent == []
        assert "an empty text for a new variable   enter again: set it so" in says(pilot)


@pytest.mark.parametrize("back", ["shift+tab", "up"])
async def test_from_the_value_one_goes_back_to_all_names(back: str) -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", back)
        assert [offer.name for offer in form(pilot).offers] == ["stock_2", "price", "stock_1", "allowed"]
        assert form(pilot).name_field.value == "stock_2"
        await pilot.press("down", "enter", "5", "enter")
        assert source.sent == [st.SetVariableRequest("price", 5)]


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


@pytest.mark.parametrize("burst", [["5"], ["ctrl+u", "5"], ["shift+tab", "enter", "backspace", "5"]])
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
        assert (form(pilot).name_field.value, form(pilot).value_field.text) == ("stock_1", "7")
        await pilot.press("shift+tab", "down", "up", "enter", "8", "enter")
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
        assert source.sent == []
        assert "a list of 1 for a new variable   enter again" in says(pilot)
        await pilot.press("enter")
        assert source.sent == [st.SetVariableRequest("colour", ["red"])]
        await pilot.press("e", *"many")
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
        assert (form(pilot).name_field.value, form(pilot).value_field.text) == ("amounts", "[10, 20, 50]")


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


@pytest.mark.fault(88)
async def test_another_value_of_a_secret_is_set_and_written_into_no_file(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(SHOP)
    events = shop_events()
    assert isinstance(events[0], ev.RunStarted)
    events[0].variables["stock_2"] = "(secret stock_2)"
    source = StillSource(events)
    async with console(source, scenario_path=str(file)).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", *"typed anew", "ctrl+s")
        assert "not written: it is a secret" in says(pilot)
        assert file.read_text() == SHOP
        await pilot.press("enter")
        assert source.sent == [st.SetVariableRequest("stock_2", "typed anew")]


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
        assert form(pilot).value_field.text == "5"
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


# What is typed is what is shown, and what is shown is what is set

TYPED = ["a", "5", "é", "数", "[", "space", "backspace", "left", "right", "delete", "ctrl+j"]
PASTED = ["two\nlines", "x\r\ny", "tab\there", "\x1b[2J", "\u202egpj.exe", "", "- a\n- b\n", "last line\n"]


class Field:
    """What a field would hold, typed into without haste."""

    def __init__(self, text: str) -> None:
        self.before, self.after, self.is_all = text, "", True

    @property
    def text(self) -> str:
        return self.before + self.after

    def put(self, text: str) -> None:
        if self.is_all:
            self.before, self.after = "", ""
        self.before += text
        self.is_all = False

    def press(self, key: str) -> None:
        if key in ("left", "right"):
            self.is_all = False
        match key:
            case "space":
                self.put(" ")
            case "ctrl+j":
                self.put("\n")
            case "backspace" | "delete" if self.is_all:
                self.put("")
            case "backspace":
                self.before = self.before[:-1]
            case "delete":
                self.after = self.after[1:]
            case "left":
                self.before, self.after = self.before[:-1], self.before[-1:] + self.after
            case "right":
                self.before, self.after = self.before + self.after[:1], self.after[1:]
            case _:
                self.put(key)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_typed_pasted_and_happens_is_shown_and_sent(seed: int) -> None:
    rng = random.Random(seed)
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        field = Field("0")
        pilot.app.post_message(Key("e", "e"))
        pilot.app.post_message(Key("tab", None))
        for number in range(40):
            chance = rng.random()
            if chance < 0.15:
                text = rng.choice(PASTED)
                pilot.app.post_message(Paste(text))
                field.put(pasted_value(text) if field.is_all or not field.text else escaped(text))
            elif chance < 0.2:
                await pilot.resize_terminal(*rng.choice([(80, 24), (40, 12), (120, 40), (30, 8)]))
            elif chance < 0.3:
                changed = ev.VariableChanged(name=rng.choice(["price", "fresh"]), value=number, by="x")
                changed.seq, changed.at_s = 1000 + number, 5.0
                source.tell(changed)
            else:
                key = rng.choice(TYPED)
                character = " " if key == "space" else key if len(key) == 1 else None
                pilot.app.post_message(Key(key, character))
                field.press(key)
        await until(pilot, lambda: isinstance(app.screen, VariableForm) and app.screen.value_field.text == field.text)
        read = form(pilot).read()
        if isinstance(read, tuple):
            await pilot.press("enter", "enter")
            assert source.sent == [st.SetVariableRequest("stock_2", parse_assignment(f"x={field.text}")[1])]
        else:
            await pilot.press("enter", "enter")
            assert (source.sent, form(pilot).value_field.text) == ([], field.text)


async def test_a_value_that_is_typed_stays_when_the_name_changes() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", "5", "5", "shift+tab", *"price", "tab", "5")
        assert form(pilot).value_field.text == "555"
        await pilot.press("enter")
        assert source.sent == [st.SetVariableRequest("price", 555)]


async def test_what_escape_leaves_is_found_again_above_the_value() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("tab", *"48", "escape", "e")
        assert form(pilot).value_field.text == "0"
        await pilot.press("up")
        assert form(pilot).value_field.text == "48"
        await pilot.press("down")
        assert form(pilot).value_field.text == "0"
        await pilot.press("up", "enter")
        assert source.sent == [st.SetVariableRequest("stock_2", 48)]


async def test_earlier_values_stand_above_and_an_edit_can_be_undone() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        earlier: list[Value] = [3, "x", [1, 2]]
        for number, value in enumerate(earlier, 10):
            changed = ev.VariableChanged(name="price", value=value, by="operator")
            changed.seq, changed.at_s = number, 2.0
            source.tell(changed)
        await until(pilot, lambda: app.model.board.seq == 12)
        await pilot.press("e", "shift+tab", *"price", "tab")
        seen = [form(pilot).value_field.text]
        for _ in range(3):
            await pilot.press("up")
            seen.append(form(pilot).value_field.text)
        assert seen == ["[1, 2]", "x", "3", "12"]
        await pilot.press("x", "ctrl+z")
        assert form(pilot).value_field.text == "12"


async def test_a_list_is_not_replaced_by_a_text_unasked() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("4", "e", "ctrl+u", "enter")
        assert source.sent == []
        assert "an empty text, it was a list of 3   enter again: set it so" in says(pilot)
        await pilot.press("x", "enter")  # another text: asked again
        assert source.sent == []
        assert "a text, it was a list of 3   enter again" in says(pilot)
        await pilot.press("enter")
        assert source.sent == [st.SetVariableRequest("amounts", "x")]


async def test_a_pasted_value_has_all_its_lines() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        pilot.app.post_message(Paste("note=first\nsecond\n\nlast"))
        await until(pilot, lambda: "second" in form(pilot).value_field.text)
        assert "a text of 4 lines" in says(pilot)
        await pilot.press("enter", "enter")
        assert source.sent == [st.SetVariableRequest("note", "first\nsecond\n\nlast")]


async def test_what_cannot_be_shown_is_pasted_as_what_is_read_as_the_same() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(*"evil", "tab")
        pilot.app.post_message(Paste("\x1b]0;gone\x07 \u202egpj.exe"))
        await until(pilot, lambda: "gone" in form(pilot).value_field.text)
        assert form(pilot).value_field.text.isascii()
        await pilot.press("enter", "enter")
        assert source.sent == [st.SetVariableRequest("evil", "\x1b]0;gone\x07 \u202egpj.exe")]


async def test_the_form_says_what_changed_and_that_the_run_is_over() -> None:
    source = StillSource(shop_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("e", "tab")
        changed = ev.VariableChanged(seq=10, at_s=2.0, name="stock_2", value=9, by="operator")
        source.tell(changed)
        await until(pilot, lambda: form(pilot).value_field.text == "9")  # nothing was typed yet
        await pilot.press("7")
        source.tell(ev.VariableChanged(seq=11, at_s=2.0, name="stock_2", value=10, by="operator"))
        await until(pilot, lambda: "now 10" in says(pilot))
        assert form(pilot).value_field.text == "7"
        source.tell(ev.RunFinished(seq=12, at_s=3.0, exit_code=0))
        await until(pilot, lambda: "the run is over" in says(pilot))
        await pilot.press("enter")
        assert source.sent == []
        assert isinstance(app.screen, VariableForm)


async def test_what_is_typed_to_find_is_no_command() -> None:
    source = StillSource(shop_events())
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ["slash", *"rSR"]:
            pilot.app.post_message(Key(key, key if len(key) == 1 else "/"))
        await until(pilot, lambda: bool(app.screen.query("#find")))
        await until(pilot, lambda: app.screen.query_one("#find", Input).value == "rSR")
        assert source.sent == []
