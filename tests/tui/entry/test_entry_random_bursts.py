"""What is typed before a run, at once or before anything is to be seen, does what it does one after the other."""

import random
from pathlib import Path
from typing import Any

import pytest
from bursts import SEEDS, click, is_done, outcome
from entry_app import add_ended, add_run, entry_app, until

from octogram_tui.engine import events as ev
from octogram_tui.journal.archive import KnownRun
from octogram_tui.tui.entry.chooser import ChooserScreen
from octogram_tui.tui.entry.welcome import WelcomeScreen
from octogram_tui.tui.terminal_app import TerminalApp

OF_LISTS = "j j k g G enter p D d y n escape q up down r N".split()
GOOD = "agents: [{name: 'a_{1..3}', transport: local}]\nstages:\n- {name: s, jobs: []}\n"


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_keys_before_a_run_do_what_they_do_one_after_the_other(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    deleted: list[str] = []

    def forget(_: Path, run: KnownRun) -> str:
        deleted.append(run.id)
        return ""

    monkeypatch.setattr("octogram_tui.journal.archive.forget", forget)
    here, runs = tmp_path / "here", tmp_path / "runs"
    here.mkdir()
    for name in rng.sample(["a.yml", "b.yml", "c.yml"], rng.randrange(4)):
        (here / name).write_text(GOOD)
    for number in range(3):
        add_ended(runs, rng.choice([0, 2]), minutes_ago=10 + number)
    add_run(runs, ev.RunPaused(reason="operator", message=""), minutes_ago=3)
    keys = [rng.choice(OF_LISTS) if rng.random() < 0.85 else click(rng) for _ in range(rng.randrange(1, 7))]
    is_list = rng.random() < 0.3

    def make() -> TerminalApp[Any]:
        if is_list:
            return entry_app(lambda app: ChooserScreen(app, runs_dir=runs, use="replay"))
        return entry_app(lambda app: WelcomeScreen(app, runs_dir=runs, directory=here))

    def tell(app: TerminalApp[Any]) -> dict[str, Any]:
        choices: Any = app.screen_stack[0].query_one("#choices") if app.screen_stack else None
        return {
            "chosen": app.return_value,
            "screen": type(app.screen).__name__,
            "row": None if app._exit else choices.rows[choices.cursor].name,
            "deleted": deleted.copy(),
        }

    async def ready(pilot: Any) -> None:
        await until(pilot, lambda: is_done(pilot.app))

    slowly = await outcome(make, [[key] for key in keys], tell, ready)
    deleted.clear()
    assert await outcome(make, [keys], tell, ready, is_early=rng.random() < 0.5) == slowly, keys
