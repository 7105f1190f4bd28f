"""What is on the terminal after many frames of a part each is what one frame of the whole would draw."""

import os
import random

import pytest
from console_app import console, settled
from drawn_console import DrawnConsole
from random_drive import KINDS, Drive, FleetBehind
from textual import events
from textual.geometry import Size

from octogram_tui.tui import theme
from octogram_tui.tui.screens import save_form

STEPS = int(os.environ.get("OCTOGRAM_RANDOM_STEPS", "60"))
OF_ONE = 60
FIRST = int(os.environ.get("OCTOGRAM_RANDOM_SEED", "0"))
SEEN = [(40, 12), (80, 24), (120, 40), (200, 60)]


class FramesDrive(Drive):
    """A console whose terminal is looked at."""

    kinds = KINDS + " size drag wheel size event event"
    looks = 0
    drawn: DrawnConsole

    async def _do_size(self) -> str:
        size = Size(*self._rng.choice([*SEEN, (self._rng.randrange(20, 251), self._rng.randrange(5, 71))]))
        self.drawn.terminal.resize(*size)
        self.app.post_message(events.Resize(size, size))
        self._is_scrolled = True
        return f"{size.width}x{size.height}"

    async def compare(self) -> None:
        """Look at the terminal, once all that is under way must have been drawn."""
        self.looks += 1
        said = await self.drawn.settled_differences(anew=self.looks % 2 == 0)
        assert not said, "\n".join([self._after, *said[:6]])
        if self._is_settled:
            assert self.app.typed.waiting == 0, f"what is over is waited for {self._after}"

    @property
    def _after(self) -> str:
        return f"after {' | '.join(self.done[-12:])} at {self.app.size}, {self.app.screen}, look {self.looks}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, STEPS // OF_ONE)))
async def test_frames_leave_what_the_whole_screen_would_be(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    source = FleetBehind(rng)
    if rng.random() < 0.25:
        monkeypatch.setenv("NO_COLOR", "1")
    size = rng.choice(SEEN)
    app = console(source, ascii_only=rng.random() < 0.2, palette=rng.choice(theme.names()))
    monkeypatch.setattr(app, "exit", lambda *_, **__: None)
    monkeypatch.setattr(save_form, "write_whole", lambda *_: None)
    monkeypatch.setattr(app, "show_in_pager", lambda *_: app.notify("lent and back"))
    monkeypatch.setattr(app, "lend", lambda *_, **__: app.notify("lent and back"))
    drawn = DrawnConsole(app, size, monkeypatch)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        drive = FramesDrive(pilot, source, rng)
        drive.drawn = drawn
        for number in range(OF_ONE):
            await drive.step()
            if number % 3 == 0:
                await drive.compare()
