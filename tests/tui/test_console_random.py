"""Whatever is pressed, clicked, pasted, resized, reloaded and told, in whatever order: the console stays, and draws."""

import random
from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from textual import events
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.model.entries import ProblemEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleOutcome
from tools.pretended_run import PretendedRun

STEPS = 150
SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (159, 30), (100, 20), (20, 5), (160, 45), (119, 8)]
KEY_NAMES = (
    "1 2 3 4 tab shift+tab enter escape j k h l g G up down left right pageup pagedown home end f z t W N y Y r S n "
    "space exclamation_mark slash question_mark colon e s d q ctrl+c ctrl+s backspace a x 5"
)
KEYS = KEY_NAMES.split()
SIGNS = {"space": " ", "exclamation_mark": "!", "slash": "/", "question_mark": "?", "colon": ":"}
PASTES = ["one", "two\nlines", "é数[bold", "\x1b[2J", ""]
LINES = ["line", "", "数数数数 " * 40, "\x1b[31mred\x1b[0m", "[/]", "x" * 300]


class FleetBehind(StillSource):
    """A source that does as it is told, when time is given to it."""

    def __init__(self, rng: random.Random) -> None:
        self.fleet = PretendedRun(rng.choice([1, 3, 12, 40]), seed=rng.randrange(1000), fails=rng.random() < 0.8)
        self.fleet.begin(paused=rng.random() < 0.3)
        super().__init__(self.fleet.advance(rng.choice([0.0, 2.0, 6.0, 20.0])))
        self.plan: list[StageEntry] = self._events[0].plan  # type: ignore[attr-defined]
        self.seq = 0

    def send(self, stimulus: Stimulus) -> None:
        super().send(stimulus)
        self.fleet.take(stimulus)

    def happens(self, rng: random.Random) -> None:
        """Let something happen."""
        more = self.fleet.advance(self.fleet.now_s + rng.choice([0.1, 1.0, 5.0]))
        at_s = self.fleet.now_s
        agent = rng.choice(self.fleet.names)
        stage = rng.choice(self.plan)["stage"]
        about: dict[str, Any] = {"instance": InstanceId(stage, "j", agent)}
        match rng.randrange(6):
            case 0:
                plan = rng.sample(self.plan, rng.randrange(len(self.plan) + 1))
                plan = [{**entry, "jobs": entry["jobs"][: rng.randrange(3)]} for entry in plan]
                more.append(ev.ScenarioReloaded(at_s=at_s, plan=plan, changes=["edited"]))
            case 1:
                problem: ProblemEntry = {"file": "f", "line": 1, "message": "no", "hint": ""}
                more.append(ev.ScenarioRejected(at_s=at_s, problems=[problem]))
            case 2:
                more.append(ev.AgentLost(at_s=at_s, agent=agent, message="gone"))
            case 3:
                lines = [rng.choice(LINES) for _ in range(rng.choice([1, 50, 3000]))]
                more.append(ev.JobOutput(at_s=at_s, agent=agent, **about, lines=lines, dropped=rng.choice([0, 0, 7])))
            case 4:
                more.append(ev.VariableChanged(at_s=at_s, name=rng.choice(["a", "[/]", "slots"]), value=[1], by="x"))
        for event in more:  # the fleet numbers its own: here all are numbered as they come
            self.seq += 1
            event.seq = 100_000 + self.seq
        if more:
            self.tell(*more)


async def step(pilot: Pilot[ConsoleOutcome], source: FleetBehind, rng: random.Random) -> str:
    """Do something; say what it was."""
    app = pilot.app
    width, height = app.size
    chance = rng.random()
    if chance < 0.07:
        size = rng.choice(SIZES)
        await pilot.resize_terminal(*size)
        return "x".join(map(str, size))
    if chance < 0.14:
        at = rng.randrange(width), rng.randrange(height)
        await pilot.click(offset=at)
        return f"click {at}"
    if chance < 0.16:
        text = rng.choice(PASTES)
        app.post_message(events.Paste(text))
        return f"paste {text!r}"
    if chance < 0.24:
        source.happens(rng)
        await pilot.pause()
        return "event"
    # Some at once, as from a hand that is faster than the screen; and not by `press`, which waits for each.
    keys = rng.choices(KEYS, k=rng.choice([1, 1, 1, 3]))
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else SIGNS.get(key)))
    await pilot.pause()
    return " ".join(keys)


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_ends_the_console(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    source = FleetBehind(rng)
    app = console(source, ascii_only=rng.random() < 0.2, palette=rng.choice(["dark", "light", "no-colour", "terminal"]))
    monkeypatch.setattr(app, "exit", lambda *_, **__: None)  # `q d` is a way to leave: here nobody leaves
    done: list[str] = []
    async with app.run_test(size=rng.choice(SIZES)) as pilot:
        await settled(pilot)
        for _ in range(STEPS):
            done.append(await step(pilot, source, rng))
            assert app._exception is None, f"after {' '.join(done[-12:])}"
        await pilot.press("escape", "escape")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: bool(screen_text(app).strip()))
        assert app.run_screen is not None
        for key, pane in (("1", "plan"), ("2", "agents"), ("3", "log"), ("4", "variables")):
            while app.screen is not app.run_screen:
                await pilot.press("escape")
            await pilot.press(key)
            assert app.run_screen.panes[pane].size.height > 0, f"{pane} is lost"


@pytest.mark.parametrize(
    ("size", "steps"),
    [((120, 40), "2 l 1 2"), ((80, 24), "2 l l 1 200x60 2"), ((200, 60), "2 l l l l l l l 80x24 1 40x12 2 h 200x60")],
)
async def test_a_column_of_the_matrix_is_in_view_after_it_was_hidden(size: tuple[int, int], steps: str) -> None:
    source = FleetBehind(random.Random(1))
    app = console(source)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for name in steps.split():
            if "x" in name:
                width, height = map(int, name.split("x"))
                await pilot.resize_terminal(width, height)
            else:
                await pilot.press(name)
        await pilot.pause()
        assert app.run_screen is not None
        matrix = app.run_screen.matrix
        assert matrix.column in matrix._columns(matrix.size.width)


async def test_wrapped_lines_outlive_a_hidden_pane_a_resize_and_another_row() -> None:
    first, second = InstanceId("s", "j", "a"), InstanceId("s", "j", "b")
    source = StillSource(
        [
            ev.RunStarted(seq=1, run="r", scenario="s", plan=[{"stage": "s", "jobs": [{"job": "j"}]}], agents=[]),
            ev.StageStarted(seq=2, stage="s", agents=["a", "b"]),
            ev.JobStarted(seq=3, instance=first),
            ev.JobOutput(seq=4, agent="a", instance=first, lines=["x" * 500] * 200),
            ev.JobStarted(seq=5, instance=second),
            ev.JobOutput(seq=6, agent="b", instance=second, lines=["short"]),
        ]
    )
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        log = app.run_screen.log_pane
        await pilot.press("1", "G", "3", "W")
        for size in ((200, 60), (40, 12), (80, 24)):
            await pilot.resize_terminal(*size)
        board = app.model.board
        for key in ("s/j@a", "s/j@b", "s/j@a"):
            await pilot.press("4")
            log.look_at(board.instances[InstanceId.parse(key)])
            await pilot.press("3")
            assert ("short" in screen_text(app)) is (key == "s/j@b")
