"""Whatever raises in the console: a line, a redraw, a file with the traceback, and `q` still leaves."""

import asyncio
import importlib
import inspect
import os
import pkgutil
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual import events
from textual.command import Provider
from textual.geometry import Size
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget

import octogram_tui.tui
from octogram_tui.engine import events as ev
from octogram_tui.projection.board import Board
from octogram_tui.tui import guard
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.faults import AGAIN_S, FILE, Faults
from octogram_tui.tui.guard import GuardedApp
from octogram_tui.tui.key_order import KeyOrderApp
from octogram_tui.tui.screens.run_screen import RunScreen

TRIED = int(os.environ.get("OCTOGRAM_GUARD_TRIES", "6"))
"""So many methods are made to raise; `0` for all that there are."""
TOUR = (
    "2 l enter escape 3 slash x enter 4 e escape 1 j r escape question_mark escape colon escape f z z "
    "B n escape escape equals_sign x enter escape D escape b comma T x enter escape semicolon A H n X C"
)

TURNS = 40
"""So many turns of the loop take a key to the last widget that it concerns, with room."""


class Boom(Exception):
    """What no code expects."""


@pytest.fixture(autouse=True)
def _guarded(_strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedApp, "is_strict", False)


def boom(self: object = None, *_: Any, **__: Any) -> Any:
    raise Boom("it broke [/] \x1b[31m")


def boom_like(method: Any) -> Any:
    """What raises in the way that it is called."""

    async def later(self: object, *_: Any, **__: Any) -> Any:
        boom(self)

    async def one_by_one(self: object, *_: Any, **__: Any) -> Any:
        boom(self)
        yield

    if inspect.isasyncgenfunction(method):
        return one_by_one
    return later if inspect.iscoroutinefunction(method) else boom


def classes() -> Iterator[type]:
    """Every class of the console that takes messages, draws, or finds commands."""
    for module in pkgutil.walk_packages(octogram_tui.tui.__path__, "octogram_tui.tui."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name and issubclass(found, (MessagePump, Provider)):
                yield found


def methods() -> list[tuple[type, str]]:
    """What is made to raise: all that they define but what makes them, the guard and what every key goes through."""
    spared = {"caught", "guarding", "bring_up_to_date", "get_default_screen", "leave", "action_leave", "go_at_once"}
    found = []
    for owner in classes():
        for name, value in vars(owner).items():
            is_plain = inspect.isfunction(value) and not (name.startswith("__") or name in spared)
            if is_plain and owner not in (GuardedApp, KeyOrderApp) and (owner, name) != (RunScreen, "compose"):
                found.append((owner, name))
    return found


def chosen() -> list[tuple[type, str]]:
    everything = methods()
    return everything if not TRIED else random.Random(9).sample(everything, min(TRIED, len(everything)))


def failing_console(tmp_path: Path, source: StillSource | None = None) -> ConsoleApp:
    app = console(source or StillSource(fleet_events(200.0, agents=4)))
    app.write_faults_to(tmp_path)
    return app


async def drawn(pilot: Pilot[ConsoleOutcome]) -> None:
    """Let the app work, and draw a frame. The pilot would wait for every widget: also for one that was never made."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    try:
        pilot.app.screen._on_timer_update()
    except Exception as error:  # as the timer would
        pilot.app._handle_exception(error)


async def leaves(app: ConsoleApp, pilot: Pilot[ConsoleOutcome]) -> None:
    """Close what is open, and go, as somebody does who has seen enough."""
    app.source.has_control = False  # so that `q` does not ask
    for _ in range(20):
        if app.return_value is not None:
            break
        key = "escape" if app.screen is not app.run_screen else "q"
        app.post_message(events.Key(key, None if key == "escape" else key))
        await drawn(pilot)
    else:
        app.post_message(events.Key("ctrl+q", None))
        await drawn(pilot)
    assert app.return_value is not None


@pytest.mark.fault(63)
@pytest.mark.parametrize(("owner", "name"), chosen(), ids=lambda value: getattr(value, "__name__", value))
async def test_whatever_raises_the_console_stays(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = failing_console(tmp_path)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        sound = vars(owner)[name]
        monkeypatch.setattr(owner, name, boom_like(sound))
        app.call_later(app.sync)
        app.post_message(events.Resize(Size(119, 39), Size(119, 39)))
        for key in TOUR.split():
            app.post_message(events.Key(key, key if len(key) == 1 else None))
            await drawn(pilot)
        assert app._exception is None
        assert app.return_value is None
        told = [notice.message for notice in app._notifications]
        if any("Boom" in text for text in told):
            assert "Boom: it broke" in (tmp_path / FILE).read_text()
            assert "locals" not in (tmp_path / FILE).read_text()
        assert not any("IndexError" in text for text in told), "a layout that was cut short is nobody's fault to tell"
        assert len(told) < 12
        await leaves(app, pilot)
        setattr(owner, name, sound)  # what is left is the library's own end, outside of what is guarded


@pytest.mark.fault(63)
@pytest.mark.parametrize("pane", ["plan", "agents", "log", "variables", "detail"])
async def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_go_on(
    pane: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guard, "TRY_AGAIN_S", (1000.0,))
    app = failing_console(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        widget = app.run_screen.panes[pane]
        calls = []

        def painted(*_: object) -> None:
            calls.append(1)
            boom()

        monkeypatch.setattr(widget, "_pieces", painted)
        widget._forget_painted()
        widget.refresh()
        await until(pilot, lambda: widget in app._covered)
        assert "cannot be drawn: Boom" in screen_text(app)
        for _ in range(50):
            app.sync()
            widget.refresh()
            await drawn(pilot)
        assert len(calls) < 4, "it is not tried in every frame"
        assert len(app._notifications) <= 2
        assert app.faults.count < 6
        text = screen_text(app)
        others = {"plan": "deploy binaries", "agents": "Services", "variables": "ghostnet"}
        assert all(word in text for name, word in others.items() if name != pane)
        monkeypatch.undo()
        monkeypatch.setattr(GuardedApp, "is_strict", False)
        app._uncover(widget)
        await until(pilot, lambda: "cannot be drawn" not in screen_text(app))


@pytest.mark.fault(63)
async def test_an_event_that_no_fold_takes_is_left_out_and_those_after_it_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = StillSource(fleet_events(200.0, agents=4))
    app = failing_console(tmp_path, source)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        fold = Board.apply

        def apply(board: Board, event: ev.Event) -> None:
            boom() if event.TYPE == "agent_lost" else fold(board, event)

        monkeypatch.setattr(Board, "apply", apply)
        last = app.model.board.seq
        source.tell(ev.AgentLost(seq=last + 1, agent="node-0"), ev.VariableChanged(seq=last + 2, name="x", value=1))
        source.tell(ev.VariableChanged(seq=last + 3, name="y", value=1))
        await until(pilot, lambda: "y" in app.model.variables.by_name)
        assert "x" in app.model.variables.by_name
        assert "event agent_lost: Boom" in (tmp_path / FILE).read_text().replace("\n", " ")


@pytest.mark.fault(63)
async def test_timers_workers_and_calls_that_raise_are_told_once(tmp_path: Path) -> None:
    app = failing_console(tmp_path)

    async def work() -> None:
        boom()

    async with app.run_test() as pilot:
        await settled(pilot)
        app.set_interval(0.001, boom)
        app.run_worker(work())
        app.call_later(boom)
        await until(pilot, lambda: app.faults.count > 20)
        assert len(app._notifications) <= 3
        assert (tmp_path / FILE).read_text().count("Traceback") <= 3
        await leaves(app, pilot)


async def test_a_source_that_fails_leaves_what_came(tmp_path: Path) -> None:
    class Failing(StillSource):
        async def events(self) -> Any:
            yield self._events
            boom()

    app = failing_console(tmp_path, Failing(fleet_events(6.0)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        await until(pilot, lambda: app.model.is_lost)
        assert "deploy binaries" in screen_text(app)
        await leaves(app, pilot)


async def test_leaving_that_fails_leaves_the_run_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = failing_console(tmp_path)
    async with app.run_test() as pilot:
        await settled(pilot)
        monkeypatch.setattr(ConsoleApp, "open_dialog", boom)
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None)
        assert app.return_value == ConsoleOutcome("detached", None)


def raised(make: Callable[[], object]) -> Exception:
    try:
        make()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


def test_a_fault_is_told_once_and_then_again_after_a_while(tmp_path: Path) -> None:
    now = [0.0]
    (tmp_path / "file").touch()
    faults = Faults([tmp_path / "file" / "no", tmp_path], lambda: now[0])
    told = [faults.add(raised(boom), "plan") for _ in range(100)]
    assert told[0].startswith("plan: Boom: it broke")
    assert str(tmp_path / FILE) in told[0]
    assert not any(told[1:])
    now[0] = AGAIN_S + 1
    assert "101 times" in faults.add(raised(boom), "plan")
    assert (tmp_path / FILE).read_text().count("Traceback") == 1
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_many_faults_at_once_are_not_a_flood(tmp_path: Path) -> None:
    faults = Faults([tmp_path], lambda: 0.0)
    assert sum(bool(faults.add(raised(boom), f"pane {number}")) for number in range(50)) == 3
    assert faults.count == 50


def test_an_exception_that_cannot_be_written_is_still_one_line(tmp_path: Path) -> None:
    class Unsayable(Exception):
        def __str__(self) -> str:
            raise Boom

    def fails() -> None:
        raise Unsayable

    assert Faults([tmp_path]).add(raised(fails), "log").startswith("log: Unsayable")


def test_widgets_are_named(tmp_path: Path) -> None:
    assert len(methods()) > 100
    assert any(issubclass(owner, Widget) for owner, _ in methods())
