"""The form of a row's arguments: what was changed is asked of the run, which has the last word; and the file's."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, settled, until
from test_variable_form import shop_events
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.runtime.verbs import Expected
from octogram_tui.tui.screens.argument_form import ArgumentForm, entries_of, together
from octogram_tui.tui.screens.variable_form import VariableForm

ROW = InstanceId("market", "sell", "shop_0")
GIVEN: dict[str, Value] = {"script": "exit 3", "env": {"SHOP": "0", "STOCK": "0"}, "expect": 0}
TEMPLATES = {"env": {"SHOP": "{{ agent.name }}", "STOCK": "{{ vars.stock_2 }}"}}
FILE = """\
stages:
  - name: market
    jobs:
      - name: sell  # who sells
        builtins.shell:
          script: exit 3  # fails
          env: {SHOP: "{{ agent.name }}", STOCK: "{{ vars.stock_2 }}"}  # why
"""


def form(pilot: Pilot[Any]) -> ArgumentForm:
    screen = pilot.app.screen
    assert isinstance(screen, ArgumentForm)
    return screen


def says(pilot: Pilot[Any]) -> str:
    parts = (form(pilot).list, form(pilot).template, form(pilot).says)
    return "\n".join("".join(text for text, _ in line) for part in parts for line in part.lines)


def source_of(agents: int = 1, message: str = "no reason") -> StillSource:
    source = StillSource(shop_events(agents, message))
    source.answers[Expected] = {"problem": "", "arguments": GIVEN, "templates": TEMPLATES}
    return source


def told(source: StillSource, *events: ev.Event) -> None:
    seq = source._events[-1].seq
    for number, event in enumerate(events, 1):
        event.seq, event.at_s = seq + number, 9.0
    source._events = [*source._events, *events]
    source.tell(*events)


async def opened(pilot: Pilot[Any]) -> None:
    await settled(pilot)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, ArgumentForm))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_value_stands_beside_its_template_and_is_given_once_the_run_took_it(size: tuple[int, int]) -> None:
    source = source_of()
    async with console(source).run_test(size=size) as pilot:
        await opened(pilot)
        assert [entry.name for entry in form(pilot).entries] == ["script", "env.SHOP", "env.STOCK", "expect"]
        await pilot.press("tab", "tab")
        assert "env.STOCK" in says(pilot)
        assert "from   {{ vars.stock_2 }}" in says(pilot)
        await pilot.press("5", "enter")
        await pilot.pause()
        assert source.sent == [st.SetArgumentsRequest(ROW, {"env": {"SHOP": "0", "STOCK": "5"}})]
        assert "asking the run" in says(pilot)
        told(source, ev.ArgumentsSet(instance=ROW, arguments={"env": {"SHOP": "0", "STOCK": "5"}}))
        await until(pilot, lambda: pilot.app.screen is pilot.app.run_screen)  # type: ignore[attr-defined]


async def test_what_the_run_says_against_a_value_stands_in_the_form_and_the_text_stays() -> None:
    source = source_of()
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("shift+tab", *"x", "enter")
        await pilot.pause()
        told(source, ev.RequestRefused(request="set arguments", message="`expect` takes a whole number, not a text"))
        await until(pilot, lambda: "takes a whole number" in says(pilot))
        assert form(pilot).value_field.text == "x"
        await pilot.press("backspace", "3", "enter")
        await pilot.pause()
        assert source.sent[-1] == st.SetArgumentsRequest(ROW, {"expect": 3})


async def test_what_was_given_is_marked_and_can_be_the_text_s_again() -> None:
    source = source_of()
    told(source, ev.ArgumentsSet(instance=ROW, arguments={"expect": 3, "script": "true"}))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "given by you" in says(pilot)
        await pilot.press("ctrl+r", "enter")
        await pilot.pause()
        assert source.sent == [st.SetArgumentsRequest(ROW, remove=True), st.SetArgumentsRequest(ROW, {"expect": 3})]
        removed, again = ev.ArgumentsSet(instance=ROW), ev.ArgumentsSet(instance=ROW, arguments={"expect": 3})
        told(source, removed)
        await pilot.pause()
        assert isinstance(pilot.app.screen, ArgumentForm), "one of two answers"
        told(source, again)
        await until(pilot, lambda: not isinstance(pilot.app.screen, ArgumentForm))


async def test_an_attempt_takes_what_it_was_given_along() -> None:
    source = source_of()
    told(source, ev.ArgumentsSet(instance=ROW, arguments={"expect": 3}))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert app.model.edited.of(ROW) == {"expect": 3}
        told(source, ev.JobStarted(instance=ROW, attempt=2, edited=["expect"]))
        await until(pilot, lambda: not app.model.edited.of(ROW))


async def test_it_is_written_into_the_file_part_by_part_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(FILE)
    source = source_of()
    async with console(source, scenario_path=str(path)).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(*"true", "ctrl+s")
        await pilot.pause()
        assert path.read_text() == FILE.replace("script: exit 3  #", "script: 'true'  #")
        assert source.sent == [st.SetArgumentsRequest(ROW, {"script": "true"})]


async def test_what_cannot_be_written_is_said_and_nothing_is_asked(tmp_path: Path) -> None:
    source = source_of()
    async with console(source, scenario_path=str(tmp_path / "gone.yml")).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("x", "ctrl+s")
        assert "not written: there is no such file" in says(pilot)
        assert source.sent == []


async def test_many_that_are_one_row_are_given_it_together() -> None:
    source = source_of(agents=14)
    async with console(source).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("x", "enter")
        await pilot.pause()
        keys = [InstanceId("market", "sell", f"shop_{number}") for number in range(14)]
        assert sorted(map(str, (each.instance for each in source.sent))) == sorted(map(str, keys))  # type: ignore[union-attr]


async def test_a_failure_that_names_a_variable_leads_there_and_one_key_to_the_arguments_and_back() -> None:
    source = source_of(message="stock_2 is 0")
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, VariableForm))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(pilot.app.screen, ArgumentForm))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(pilot.app.screen, VariableForm))
        assert source.sent == []


async def test_where_nobody_knows_the_arguments_a_variable_is_asked_for() -> None:
    async with console(StillSource(shop_events(message="no reason"))).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, VariableForm))


def test_a_part_brings_the_others_of_its_map_along() -> None:
    entries = entries_of(GIVEN, TEMPLATES, {})
    assert together(entries, {"env.STOCK": 5}) == {"env": {"SHOP": "0", "STOCK": 5}}
    assert together(entries, {"expect": 1, "script": "a"}) == {"script": "a", "expect": 1}
    assert together(entries, {}) == {}
