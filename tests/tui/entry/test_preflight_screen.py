"""What is shown of the machines before a run, and what each key decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from entry_app import entry_app, text_of, until
from pretended_host import Host, machine

from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.preflight import PreflightScreen


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.close()


def preflight(host: Host, expected: int, scenario: str = "dal.yml") -> EntryApp[Any]:
    return entry_app(lambda app: PreflightScreen(app, host=host, scenario=scenario, expected=expected))


@pytest.mark.parametrize(("key", "decision"), [("enter", "go"), ("p", "paused")])
async def test_machines_that_are_well_need_one_key(host: Host, key: str, decision: str) -> None:
    app = preflight(host, 2)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: host.told == ["look"])  # nothing is touched before this is on the screen
        assert "still to be seen" in text_of(app)
        host.say(machine(0), machine(1), {"seen": []})
        await until(pilot, lambda: "2 machines can be used" in text_of(app))
        assert "root@10.0.0.0:22 and 1 more" in text_of(app)
        await pilot.press(key)
    assert app.return_value == decision
    assert host.told == ["look", decision]


async def test_forty_that_refuse_are_a_row_and_starting_is_asked_for_twice(host: Host) -> None:
    app = preflight(host, 41)
    async with app.run_test(size=(80, 24)) as pilot:
        host.say(*(machine(n, fails="refused") for n in range(40)), machine(40), {"seen": []})
        await until(pilot, lambda: "40 of 41 machines cannot be used" in text_of(app))
        shown = text_of(app)
        assert shown.count("connection: refused") == 2  # in the row, and below in full
        assert "do this" in shown
        assert "agents: node_0, node_1" in shown
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert "Start, though 40 machines cannot be used?" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert host.told == ["look"]
        await pilot.press("p", "s")
    assert app.return_value == "paused"


async def test_one_key_accepts_the_keys_that_are_listed_after_a_question(host: Host) -> None:
    app = preflight(host, 3)
    async with app.run_test(size=(120, 30)) as pilot:
        host.say(machine(0, key="ed25519 SHA256:AAA"), machine(1, key="ed25519 SHA256:BBB"), machine(2), {"seen": []})
        await until(pilot, lambda: "New host keys" in text_of(app))
        assert "10.0.0.1  ed25519 SHA256:BBB" in text_of(app)
        assert "a accept 2 new keys" in text_of(app)
        await pilot.press("a")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert "SHA256:AAA" in text_of(app)
        await pilot.press("a")
        await until(pilot, lambda: host.told == ["look", "accept"])
        await until(pilot, lambda: "LOOKING 1 of 3" in text_of(app))
        host.say(machine(0), machine(1), {"trouble": "known_hosts: the disk is full"}, {"seen": []})
        await until(pilot, lambda: "3 machines can be used" in text_of(app))
        assert "the disk is full" in text_of(app)
        assert "New host keys" not in text_of(app)
        await pilot.press("a")
        assert len(app.screen_stack) == 1
        await pilot.press("r")
        assert host.told[-1] == "look"
        await pilot.press("q")
    assert app.return_value is None


async def test_it_can_be_left_while_it_looks(host: Host) -> None:
    app = preflight(host, 2)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+c")
    assert app.return_value is None
    assert host.told == ["look"]


async def test_starting_before_all_were_seen_is_asked_for_twice(host: Host) -> None:
    app = preflight(host, 2)
    async with app.run_test(size=(80, 24)) as pilot:
        host.say(machine(0))
        await until(pilot, lambda: "LOOKING 1 of 2" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Start now, with 1 machine not seen yet?" in text_of(app))
        await pilot.press("s")
    assert app.return_value == "go"


@pytest.mark.parametrize("says_why", [True, False])
async def test_a_process_that_ends_meanwhile_is_heard_by_whoever_comes_next(host: Host, says_why: bool) -> None:
    app = preflight(host, 2)
    last = {"said": "no such file", "exit_code": 3}
    async with app.run_test(size=(80, 24)) as pilot:
        if says_why:
            host.say(machine(0), last)
        else:
            host.hang_up()
        await until(pilot, lambda: app.return_value)
    assert app.return_value == "go"
    assert host.left == ([last] if says_why else [])


async def test_an_edit_begins_anew_and_no_edit_does_not(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = tmp_path / "s.yml"
    scenario.write_text("one")
    app = preflight(host, 1, str(scenario))
    writes = iter([False, True])

    def edited(path: str, line: int, then: Callable[[], None]) -> None:
        if next(writes):
            scenario.write_text("another")
        then()

    monkeypatch.setattr(app, "edit_file", edited)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("E")
        assert app.return_value is None
        await pilot.press("E")
    assert app.return_value == "again"


@pytest.mark.parametrize("size", [(24, 8), (60, 20), (84, 24), (200, 60)])
async def test_it_fits_every_size_and_shows_no_text_raw(host: Host, size: tuple[int, int]) -> None:
    app = preflight(host, 2)
    async with app.run_test(size=size) as pilot:
        host.say(
            machine(0, fails="[b]\x1b[31m" + "名前" * 60, place="[red]\x07"),
            machine(1),
            {"seen": [["", "x", "warn", "y", "z"]]},
        )
        await until(pilot, lambda: "1 of 2" in text_of(app) or size[0] < 40)
        await pilot.press("G", "g")
        assert "\x1b" not in text_of(app)
        assert "\x07" not in text_of(app)
        assert {strip.cell_length for strip in app.screen._compositor.render_strips()} == {size[0]}
