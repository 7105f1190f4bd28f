"""Evaluates apart what is not known to be cheap: in a process that ends at bounds of time and memory, whatever it does.

One such process serves a thread, from the first template that needs it. Where an evaluation ended at a bound is no
matter of the template alone, so it is noted for the engine's turn, and can be had once more as it was.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from octogram_tui.errors import TemplateError
from octogram_tui.template import process
from octogram_tui.template.process import AtBound, Process
from octogram_tui.template.requests import Bound, Kind, Request, answered, encode
from octogram_tui.template.scope import missing_variable

STEPS = 256
"""What one feeding of the engine does before it leaves the rest to another: so many instances, lanes or agents are
moved. Whatever there is to do, whoever waits for the loop waits for this much of it."""
MOST_IN_A_TURN = 8
AN_EVALUATION = STEPS // MOST_IN_A_TURN
A_STEP_LOOKS = 500
"""A template that looks through so much (share.py) takes as long as a step."""
AGAIN = 10
"""So many times longer may last what is known to have ended in time, when a turn is gone through again."""


class Turn:
    """One feeding of the engine. ended: which of its evaluations ended at a bound, by their number, and at which.

    known: of a turn that is gone through again, what that was then. left: of its steps; with none left, what can wait
    is for another turn. They count work and no time, so that it ends at the same place when it is gone through again.
    """

    __slots__ = ("count", "ended", "known", "left", "stops")

    def __init__(self, known: Mapping[int, Bound] | None = None) -> None:
        self.known = known
        self.count = 0
        self.ended: dict[int, Bound] = {}
        self.left = STEPS
        self.stops = _needs.stops if _here.stops is None else _here.stops

    def is_unwanted(self) -> bool:
        """Whether the run has been asked to stop since it began, or since it was asked for (`since`)."""
        return self.stops != _needs.stops


class _Here(threading.local):
    """What a thread has of its own."""

    process: Process | None = None
    turn: Turn | None = None
    stops: int | None = None  # how often was given up when what is done in this thread was asked for
    most_s: float | None = None  # what an evaluation may take in this thread, when that is less than usual


class _Needs:
    """Whether this program has met what is evaluated apart, and how often that was to be given up."""

    def __init__(self) -> None:
        self.is_met = False
        self.stops = 0


_here = _Here()
_needs = _Needs()


def expect() -> None:
    """Note that there is a template that is evaluated apart."""
    _needs.is_met = True


def forget() -> None:
    """Know of no such template, as when the program begins: another run in the same process may have none."""
    _needs.is_met = False


def is_expected() -> bool:
    """Whether an evaluation may take long: who must not wait for the engine feeds it apart, too."""
    return _needs.is_met


def begin_turn(known: Mapping[int, Bound] | None = None) -> Turn:
    """Begin a feeding of the engine in this thread."""
    turn = _here.turn = Turn(known)
    return turn


def end_turn() -> dict[int, Bound]:
    """End it, and give which of its evaluations ended at a bound."""
    turn, _here.turn = _here.turn, None
    return {} if turn is None else turn.ended


def looked_through(size: int) -> None:
    """Count an evaluation here by what it has looked through."""
    turn = _here.turn
    if turn is not None:
        turn.left -= size // A_STEP_LOOKS


@contextlib.contextmanager
def glancing(most_s: float = 0.0) -> Iterator[None]:
    """Evaluate in so little time in this thread: a screen waits for it. 0: only what is known to be cheap."""
    before, _here.most_s = _here.most_s, most_s
    try:
        yield
    finally:
        _here.most_s = before


def stops() -> int:
    """Give how often the run has been asked to stop, for `since`."""
    return _needs.stops


@contextlib.contextmanager
def since(stops: int) -> Iterator[None]:
    """Begin turns in this thread for which a stop counts that came after so many: before a busy machine began them."""
    _here.stops = stops
    try:
        yield
    finally:
        _here.stops = None


def give_up() -> None:
    """Have the evaluations of the turns under way end, in whatever thread: the run is to stop."""
    _needs.stops += 1


def evaluate_apart(kind: Kind, text: str, scope: Mapping[str, Any], *, braces: bool = True) -> Any:
    """Evaluate in the other process. Raises TemplateError."""
    if _here.most_s == 0:
        raise TemplateError(f"{_short(text)}: this is not known to be cheap")
    _needs.is_met = True
    turn = _here.turn or Turn()
    number = turn.count
    turn.count += 1
    turn.left -= AN_EVALUATION
    if turn.known is not None and number in turn.known:
        _refuse(turn, number, turn.known[number], text)
    if turn.is_unwanted() and turn is _here.turn:
        _refuse(turn, number, "stopped", text)
    cpu_s = _usual_s() if turn.known is None else process.CPU_S * AGAIN
    request = encode(Request(kind, text, braces, cpu_s, dict(scope)))
    try:
        answer = answered(_ask(request, turn))
    except AtBound as error:
        _refuse(turn, number, error.bound, text)
    if "value" in answer:
        return answer["value"]
    if "missing" in answer:
        what, name = answer["missing"]
        if what == "variable":
            raise missing_variable(name, scope["vars"].values_by_name)
        from octogram_tui.template.environment import missing_name

        raise missing_name(name, scope)
    message, hint, name = answer["error"]
    raise TemplateError(message, hint=hint, name=name)


def _ask(request: bytes, turn: Turn) -> bytes:
    while True:
        if _here.process is None or not _here.process.is_ours:
            _here.process = Process()
        answer = _here.process.ask(request, turn.is_unwanted)
        if answer:
            return answer


def _refuse(turn: Turn, number: int, bound: Bound, text: str) -> NoReturn:
    turn.ended[number] = bound
    if bound == "stopped":
        turn.left = 0
    said = {
        "time": f"this takes more than {_usual_s():g} seconds",
        "memory": f"this takes more than {process.MEMORY_BYTES >> 20} MiB of memory",
        "stopped": "this was given up, since the run is to stop",
        "broken": "this breaks the process that evaluates it",
    }
    hint = "" if bound == "stopped" else "make the template smaller, or do this in a script"
    raise TemplateError(f"{_short(text)}: {said[bound]}", hint=hint)


def _usual_s() -> float:
    return process.CPU_S if _here.most_s is None else _here.most_s


def _short(text: str) -> str:
    from octogram_tui.template.environment import short

    return short(text)
