"""Everything that is written can be read: the colours of each cell as a terminal shows it, in every theme."""

import os
from collections.abc import Iterator

import pytest
from terminal_screen import Terminal, contrast

from octogram_tui.tui import theme

pytestmark = pytest.mark.terminal

THEMES = theme.names() if "OCTOGRAM_EVERY_THEME" in os.environ else ["light", "terminal"]
"""What a terminal makes of colours that are given as such, and as its own. `make random` takes the others too, whose
colours are computed in memory each time."""
LEAST = 3.0
"""What WCAG asks of large text and of signs: also for what is meant to stand back."""
TOUR = (  # keys, what stands on the screen then, and what does not any more
    ("2", "Services", ""),
    ("l", "Agents  1 deploy binaries", ""),
    ("3", "Wrap", ""),
    ("/", "find in the log", ""),
    ("head\r", "", "find in the log"),
    ("4", "ghostnet", ""),
    ("e", "Set a variable", ""),
    ("\x1b", "", "Set a variable"),
    ("3", "", "ghostnet"),
    ("1", "deploy binaries", ""),
    ("gr", "Rerun 8 instances", ""),
    ("\x1b", "", "Rerun 8"),
    ("?", "When something fails", ""),
    ("\x1b", "", "When something fails"),
    (":", "find a command", ""),
    ("\x1b", "", "find a command"),
    ("q", "Leave the run?", ""),
)


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    given = dict(request.param)
    arguments = ["--agents", "4", "--speed", "60"]
    arguments += ["--theme", given.pop("theme")] if "theme" in given else []
    terminal = Terminal(*arguments, size=given.pop("size", (120, 40)), **given)
    yield terminal
    terminal.close()


def illegible(terminal: Terminal) -> list[str]:
    cells = terminal.cells()
    assert len(cells) > 100
    bad = {}
    for cell in cells:
        ratio = contrast(cell.ink, cell.ground)
        if ratio < LEAST:
            bad[cell.ink, cell.ground] = f"{ratio:.2f} {cell.ink} on {cell.ground}, row {cell.row}: {cell.text!r}"
    return list(bad.values())


def tour(terminal: Terminal) -> list[str]:
    terminal.until("PAUSED failure")
    bad = illegible(terminal)
    for keys, seen, gone in TOUR:
        terminal.press(keys, seen, gone=gone)
        bad += [f"after {keys!r}: {text}" for text in illegible(terminal)]
    return bad


@pytest.mark.parametrize(
    "terminal",
    [{"NO_COLOR": "1"}, {"NO_COLOR": "1", "TERM": "xterm"}],
    ids=["truecolour", "sixteen"],
    indirect=True,
)
def test_without_colour_all_is_in_the_terminal_s_own(terminal: Terminal) -> None:
    assert "\n".join(tour(terminal)) == ""
    terminal.until("deploy binaries")  # what a dialog does not cover stays
    assert {(cell.ink, cell.ground) for cell in terminal.cells()} <= {("e5e5e5", "000000"), ("000000", "e5e5e5")}


@pytest.mark.parametrize("terminal", [{"theme": name} for name in THEMES], ids=THEMES, indirect=True)
def test_every_cell_of_every_theme_can_be_read(terminal: Terminal) -> None:
    assert "\n".join(tour(terminal)) == ""
