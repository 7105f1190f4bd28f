"""How a program ends: signals, exit codes, and the ways in which a test may ask it to misbehave."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from . import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable, Dict, List, Optional

EXIT_ERROR = 1
EXIT_UNCAUGHT = 126
EXIT_SIGNAL = 127
EXIT_ABORTED = 255
GRACE_S = 1.0

BEHAVIOUR_VARIABLE = "OCTEZ_STAND_IN_BEHAVIOUR"
RECORD_VARIABLE = "OCTEZ_STAND_IN_RECORD"
BEHAVIOUR_SUFFIX = ".behaviour.json"
KNOBS = {"start_delay_s", "crash_at_level", "crash_exit", "crash_lines", "ignore_term", "stop_delay_s"}


class Failure(Exception):
    """The program cannot go on; the text is for people."""

    def __init__(self, message: str, exit_code: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def record(program: str, words: List[str]) -> None:
    """Note the call, as a JSON line, in the file that a test asked for."""
    path = os.environ.get(RECORD_VARIABLE)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps([program, *words]) + "\n")


class Behaviour:
    """What a test asked for: to be slow, to crash, to be deaf. Nothing by default."""

    def __init__(self, knobs: Dict[str, Any]) -> None:
        unknown = set(knobs) - KNOBS
        if unknown:
            raise Failure(f"stand-in behaviour: unknown {sorted(unknown)[0]}; known: {', '.join(sorted(KNOBS))}")
        self.start_delay_s = float(knobs.get("start_delay_s", 0))
        self.crash_at_level: Optional[int] = knobs.get("crash_at_level")
        self.crash_exit = int(knobs.get("crash_exit", EXIT_UNCAUGHT))
        self.crash_lines: List[str] = list(knobs.get("crash_lines", ["stand-in: crashing, as it was told to"]))
        self.ignore_term = bool(knobs.get("ignore_term", False))
        self.stop_delay_s = float(knobs.get("stop_delay_s", 0))


def read_behaviour(program_path: str, family: str) -> Behaviour:
    """Read the behaviour from the file beside the program (`NAME.behaviour.json`), or else from the environment.

    Either holds an object of knobs, or an object of such objects by program name (`octez-node`).
    """
    text = os.environ.get(BEHAVIOUR_VARIABLE, "")
    try:
        with open(program_path + BEHAVIOUR_SUFFIX, encoding="utf-8") as stream:
            text = stream.read()
    except OSError:
        pass
    if not text:
        return Behaviour({})
    try:
        knobs = json.loads(text)
    except ValueError as error:
        raise Failure(f"stand-in behaviour is not JSON: {error}") from None
    if any(isinstance(value, dict) for value in knobs.values()):
        knobs = knobs.get(family, {})
    return Behaviour(knobs)


class Life:
    """The end of a daemon: the main thread waits here until a signal or a thread at work ends it."""

    def __init__(self, behaviour: Behaviour, log: events.Log) -> None:
        self.behaviour = behaviour
        self._log = log
        self._exit_code: Optional[int] = None
        self._first_signal: Dict[int, float] = {}
        self._cleanups: List[Callable[[], None]] = []
        self._pipe = os.pipe()

    def begin(self) -> None:
        """Take over signals and uncaught errors."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        os.set_blocking(self._pipe[1], False)
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)  # whichever thread the kernel gives it to
        threading.excepthook = lambda info: self._uncaught(info.exc_value)

    def at_end(self, cleanup: Callable[[], None]) -> None:
        """Have this run before the process ends; last in, first run."""
        self._cleanups.append(cleanup)

    def end(self, exit_code: int) -> None:
        """Ask the main thread to end the process; the first one to ask decides the code."""
        if self._exit_code is None:
            self._exit_code = exit_code
            os.write(self._pipe[1], b"x")

    def fail(self, message: str, exit_code: int = EXIT_ERROR) -> None:
        """End with an error text."""
        events.complain(f"Error:\n  {message}")
        self.end(exit_code)

    def reached(self, level: int) -> None:
        """Crash here if told to: last words, then the exit code, without clean-up."""
        if self.behaviour.crash_at_level is not None and level >= self.behaviour.crash_at_level:
            for line in self.behaviour.crash_lines:
                events.complain(line)
            os._exit(self.behaviour.crash_exit)

    def run(self, work: Callable[[], None]) -> None:
        """Do the work in a thread, after the start delay if there is one, and stay until something ends the process."""

        def start() -> None:
            if self.behaviour.start_delay_s:
                events.complain("stand-in: slow to start, as it was told to")
                time.sleep(self.behaviour.start_delay_s)
            work()

        threading.Thread(target=start, daemon=True).start()
        while self._exit_code is None:
            os.read(self._pipe[0], 64)
        self._leave()

    def _on_signal(self, number: int, _frame: Optional[FrameType]) -> None:
        if number == signal.SIGTERM and self.behaviour.ignore_term:
            return
        now = time.monotonic()
        first = self._first_signal.setdefault(number, now)
        if now - first > GRACE_S:
            os._exit(EXIT_ABORTED)
        if first == now:
            self.end(EXIT_SIGNAL)

    def _uncaught(self, error: Optional[BaseException]) -> None:
        if isinstance(error, Failure):
            self.fail(str(error), error.exit_code)
            return
        if error is not None:
            import traceback

            traceback.print_exception(type(error), error, error.__traceback__)
        os._exit(EXIT_UNCAUGHT)

    def _leave(self) -> None:
        code = EXIT_ERROR if self._exit_code is None else self._exit_code
        if code == EXIT_SIGNAL:
            self._log.notice("shutting_down", "triggering a shutdown")
        _sleep_until(time.monotonic() + self.behaviour.stop_delay_s)
        for cleanup in reversed(self._cleanups):
            cleanup()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _sleep_until(deadline: float) -> None:
    while time.monotonic() < deadline:
        time.sleep(max(0.0, deadline - time.monotonic()))
