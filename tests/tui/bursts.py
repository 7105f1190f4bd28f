"""What comes all at once for an app, and what has come of it when all is done."""

import os
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from unittest.mock import patch

from console_app import until
from random_drive import SIGNS
from textual.app import App
from textual.events import Key, MouseDown, MouseUp, Paste

from octogram_tui.tui import key_order
from octogram_tui.tui.terminal_app import TerminalApp

STEPS = int(os.environ.get("OCTOGRAM_RANDOM_STEPS", "100"))
FIRST = int(os.environ.get("OCTOGRAM_RANDOM_SEED", "0"))
OF_ONE = 20
SEEDS = range(FIRST, FIRST + max(1, STEPS // OF_ONE))
SIZE = (120, 40)
PENDING_WORK = {"dialogs", "moment", "default"}
CHARACTERS = {**SIGNS, "underscore": "_"}


def click(rng: random.Random) -> str:
    return f"click {rng.randrange(SIZE[0])} {rng.randrange(SIZE[1])}"


def come(app: App[Any], keys: Sequence[str]) -> None:
    """Let keys come, clicks and pastes, all at once."""
    for key in keys:
        kind, _, rest = key.partition(" ")
        if kind == "click":
            x, y = map(int, rest.split())
            for event in (MouseDown, MouseUp):
                app.post_message(event(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))
        else:
            typed = Key(key, CHARACTERS.get(key, key if len(key) == 1 else None))
            app.post_message(Paste(rest) if kind == "paste" else typed)


def is_done(app: TerminalApp[Any]) -> bool:
    """Whether the app has done all that was typed, and what that leads to."""
    busy = app._opening is not None or app._early or app.typed.waiting
    return app._exit or not (busy or any(worker.group in PENDING_WORK for worker in app.workers))


async def outcome(
    make: Callable[[], TerminalApp[Any]],
    bursts: Sequence[Sequence[str]],
    tell: Callable[[Any], dict[str, Any]],
    ready: Callable[[Any], Awaitable[object]],
    *,
    is_early: bool = False,
) -> dict[str, Any]:
    """What has come of keys, each burst of which comes at once. is_early: before there is a screen."""
    app = make()
    vars(app)["CLICK_CHAIN_TIME_THRESHOLD"] = -1  # how quickly the second comes, makes no difference
    if is_early:
        come(app, [key for burst in bursts for key in burst])
        bursts = []
    with patch.object(key_order, "FIRST_S", 60.0):  # of a busy machine
        async with app.run_test(size=SIZE) as pilot:
            if not is_early:
                await ready(pilot)
            for burst in bursts or [[]]:
                if app._exit:
                    break
                come(app, burst)
                await until(pilot, lambda: is_done(app))
            await until(pilot, lambda: is_done(app))
            return tell(app)
