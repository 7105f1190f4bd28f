"""Signals while a run is being made: by an exception, once, and neither within an import nor in what is whole."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from octogram_tui.commands import headless
from octogram_tui.commands.interrupts import Interrupts, raised, whole
from octogram_tui.runtime.shutdown import Signals

MODULE = """
import os, signal
os.kill(os.getpid(), signal.SIGTERM)
done = True
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_once_and_what_was_begun_is_tidied_up(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    tidied = []

    @raised()
    def make() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)
            tidied.append(number)

    with pytest.raises(SystemExit) as ended:
        make()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert ended.value.code == 128 + number
    assert tidied == [number]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("made", [raised, Signals])
def test_a_program_started_by_nohup_outlives_its_terminal(made: Callable[[], AbstractContextManager[object]]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with made():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_IGN, signal.SIG_DFL)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_in_what_is_whole_comes_when_that_is_over() -> None:
    made = []

    @whole
    def make() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        made.append("whole")

    @raised()
    def go_on() -> None:
        make()
        while True:
            signal.pause()

    with pytest.raises(SystemExit) as ended:
        go_on()
    assert made == ["whole"]
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_run_is_made_and_noted_in_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Path]] = []

    def make_run(_invocation: object) -> tuple[str, Path]:
        os.kill(os.getpid(), signal.SIGHUP)
        return "run", tmp_path

    @raised()
    def go_on() -> None:
        headless._make(None, made)  # type: ignore[arg-type]
        while True:
            signal.pause()

    monkeypatch.setattr(headless, "make_run", make_run)
    with pytest.raises(SystemExit):
        go_on()
    assert made == [("run", tmp_path)]


def test_a_signal_within_an_import_comes_when_that_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sends_itself_a_signal.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))

    @raised()
    def load() -> None:
        import sends_itself_a_signal  # type: ignore[import-not-found]  # noqa: F401

        signal.sigtimedwait(set(), 30)

    with pytest.raises(SystemExit) as ended:
        load()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0), "it would end the program in another way"
    assert ended.value.code == 143
    assert sys.modules.pop("sends_itself_a_signal").done


def test_a_console_notes_signals_until_it_can_take_them() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.came == [signal.SIGINT, signal.SIGTERM]
        assert interrupts.exit_code == 130
        assert os.read(interrupts.fileno(), 8) == b"\0\0"
        interrupts.drain()
    assert signal.getsignal(signal.SIGINT) is before
