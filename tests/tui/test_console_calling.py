"""It calls when it needs somebody: title, bell and notification; and it copies, through whatever is in between."""

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from console_app import StillSource, console, settled
from terminal_screen import Terminal

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.tui import calling, clipboard
from octogram_tui.tui.app import ConsoleApp

ABOUT: dict[str, Any] = {"instance": InstanceId("s", "j", "a")}
START = ev.RunStarted(
    seq=1, run="r", scenario="s", plan=[{"stage": "s", "jobs": [{"job": "j"}]}], agents=[{"agent": "a"}]
)


def board_of(*events: ev.Event) -> Board:
    board = Board()
    for event in (START, *events):
        board.apply(event)
    return board


FAILED = (ev.JobStarted(seq=2, **ABOUT), ev.JobFinished(seq=3, **ABOUT, state="failed"))
PAUSED = ev.RunPaused(seq=4, reason="failure")


def test_each_state_that_needs_somebody_is_called_for_once_and_again_when_it_comes_again() -> None:
    board = board_of()
    caller = calling.Caller()
    assert caller.fresh(board, now_s=0.0, is_lost=False) is None
    for event in (*FAILED, PAUSED):
        board.apply(event)
    assert caller.fresh(board, now_s=0.0, is_lost=False) == ("failure", "paused: 1 failed")
    assert caller.fresh(board, now_s=0.0, is_lost=False) is None
    board.apply(ev.RunResumed(seq=5))
    assert caller.fresh(board, now_s=0.0, is_lost=False) is None
    board.apply(ev.RunPaused(seq=6, reason="failure"))
    assert caller.fresh(board, now_s=0.0, is_lost=False) is not None
    board.apply(ev.AgentLost(seq=7, agent="a", message="gone"))
    assert caller.fresh(board, now_s=0.0, is_lost=False) == ("agent a", "agent a is lost")
    board.apply(ev.RunFinished(seq=8, exit_code=7))
    assert caller.fresh(board, now_s=0.0, is_lost=False) == ("finished", "finished, exit code 7")
    assert caller.fresh(board, now_s=0.0, is_lost=True) is None


def test_nobody_is_called_for_what_has_long_been_so_nor_for_a_pause_of_one_s_own() -> None:
    board = board_of(*FAILED, PAUSED)
    caller = calling.Caller()
    assert caller.fresh(board, now_s=600.0, is_lost=False) is None
    assert caller.fresh(board, now_s=0.0, is_lost=False) is None
    assert list(calling.calls(board_of(ev.RunPaused(seq=2, reason="operator")), is_lost=False)) == []
    assert [call.key for call in calling.calls(board_of(), is_lost=True)] == ["lost"]


def test_what_stands_in_a_title_or_a_notification_is_safe_and_short() -> None:
    assert calling.title("✗", "PAUSED failure", "dir/fleet.yml", 3, 6) == "✗ PAUSED failure fleet 3/6"
    assert calling.title("", "WAITING", "f.yaml", 0, 0) == "WAITING f"
    evil = calling.title("", "RUNNING", "a\x1b\\\x07\x9c" + "数" * 200 + ".yml", 0, 0)
    assert not set(evil) & set("\x1b\x07\x9c")
    assert len(evil) <= calling.MOST_CELLS
    assert calling.sounds("off", "x", in_tmux=False) == ""
    assert calling.sounds("bell", "x\x1b", in_tmux=True) == "\a"
    assert calling.sounds("osc9", "x\x07y", in_tmux=False) == "\x1b]9;x␇y\x1b\\"
    assert calling.sounds("osc9", "x", in_tmux=True) == "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\\a"


def test_a_copy_is_said_with_its_size_and_one_that_no_clipboard_takes_is_not_made() -> None:
    assert clipboard.osc52("é") == f"\x1b]52;c;{base64.b64encode('é'.encode()).decode()}\x1b\\"
    assert clipboard.said_of("x") == "copied"
    assert clipboard.said_of("x\ny\n") == "copied 2 lines"
    assert clipboard.said_of("x" * 80_000 + "\n" + "y") == "copied 2 lines (80 KB; some terminals take 75 at most)"
    assert clipboard.is_too_long("é" * 600_000)
    assert not clipboard.is_too_long("e" * 600_000)


async def test_tmux_that_is_not_there_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert await clipboard.by_tmux("x") is False


async def test_a_replay_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(ConsoleApp, "call_for_somebody", lambda _, text: called.append(text))
    for replay, expected in ((True, []), (False, ["fleet.yml: finished, all is well"])):
        app = console(StillSource([START, ev.RunFinished(seq=2, exit_code=0)]), replay=replay)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("3")
            assert called == expected


class Raw(Terminal):
    """Keeps what was written, too."""

    written = ""

    @property
    def bells(self) -> int:
        """How often it rang: the library ends what it says of the pointer with the same character."""
        return self.written.replace("\x1b]22;default\a", "").count("\a")

    def take(self, text: str) -> None:
        self.written += text
        super().take(text)


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Raw]:
    environment = {"TMUX": "", **getattr(request, "param", {})}
    terminal = Raw("--agents", "3", "--speed", "20", **environment)
    with contextlib.closing(terminal):
        yield terminal


@pytest.mark.terminal
@pytest.mark.parametrize("terminal", [{"OCTOGRAM_NOTIFY": "osc9"}], indirect=True)
def test_the_title_follows_the_run_and_a_failure_is_called_for_once(terminal: Raw) -> None:
    terminal.until("PAUSED failure")
    terminal.when(lambda: terminal.screen.title.startswith("✗ PAUSED failure fleet"), "the title")
    terminal.press("?", "where you are")
    terminal.press("\x1b", "PAUSED failure", gone="where you are")
    assert terminal.written.count("\x1b]9;fleet.yml: paused: ") == 1
    assert terminal.written.count(calling.PUSH_TITLE) == 1
    assert terminal.bells == 0
    terminal.press("q", "Leave the run?")
    terminal.press("d", "detached")
    assert terminal.written.count(calling.POP_TITLE) == 1


@pytest.mark.terminal
@pytest.mark.parametrize("terminal", [{"OCTOGRAM_TITLE": "no"}], indirect=True)
def test_it_rings_unless_somebody_looks_and_has_no_title_where_none_is_wanted(terminal: Raw) -> None:
    terminal.until("PAUSED failure")
    terminal.when(lambda: terminal.bells == 1, "the bell")
    assert calling.PUSH_TITLE not in terminal.written
    terminal.child.send("\x1b[I")  # the terminal has the focus now
    terminal.press("R", "ASKS")
    assert terminal.bells == 1


@pytest.mark.terminal
def test_what_the_mouse_selects_is_copied_by_ctrl_c_which_asks_nothing_then(terminal: Raw) -> None:
    terminal.until("PAUSED failure")
    terminal.press("3", "attempt 2, retry")
    terminal.until("connecting to")
    row = next(number for number, line in enumerate(terminal.screen.display) if "connecting to" in line) + 1
    ground = terminal.screen.buffer[row - 1][10].bg
    terminal.child.send(f"\x1b[<0;1;{row}M\x1b[<32;40;{row}M\x1b[<0;40;{row}m")
    # Ctrl-C is a signal: it would come before clicks that are not read yet.
    terminal.when(lambda: terminal.screen.buffer[row - 1][10].bg != ground, "what is selected")
    terminal.press("\x03", "copied")
    sent = terminal.written.rpartition("\x1b]52;c;")[2].partition("\x1b\\")[0]
    assert "connecting to" in base64.b64decode(sent).decode()
    assert "Stop the run?" not in terminal.text()
