"""Going about in the run's time at the prompt, as the console's keys do: looks tell what was known then."""

from __future__ import annotations

from octogram_tui.cuts import quoted
from octogram_tui.errors import UsageError
from octogram_tui.projection.telling import told
from octogram_tui.projection.text import safe
from octogram_tui.projection.ticks import TickKind
from octogram_tui.tui.format import clock_of, plural
from octogram_tui.tui.model import Model
from octogram_tui.tui.moment_text import MomentUnknown, moment_of

TICKS: dict[str, tuple[TickKind, ...]] = {
    "stage": ("stage",),
    "failure": ("failure", "loss"),
    "act": ("act", "reload"),
}
"""What `earlier` and `later` can go to, besides events and minutes."""
MINUTE_S = 60.0
HOW = "earlier, earlier 5, earlier stage, failure, act or minute; later likewise; at 90s, at STAGE; now"


def go(name: str, words: tuple[str, ...], model: Model) -> list[str]:
    """Do `at`, `earlier` or `later`, and say which moment that is. Raises UsageError."""
    if name == "at" and not words:
        return moment_lines(model)
    if model.time.history is None:
        raise UsageError("this run has no journal here: only its latest moment can be looked at")
    if name == "at":
        try:
            seq = moment_of(" ".join(words), model)
        except MomentUnknown as error:
            raise UsageError(error.message, hint=error.hint) from None
        model.time.go_to(seq)
    else:
        _go_on(words, -1 if name == "earlier" else 1, model)
    if model.time.trouble:
        said, model.time.trouble = model.time.trouble, ""
        model.time.go_to_head()
        return [safe(said)]
    return moment_lines(model)


def _go_on(words: tuple[str, ...], by: int, model: Model) -> None:
    what = words[0] if words else "1"
    if what.isdecimal() and len(words) < 2:
        model.time.step(by * max(1, int(what)))
    elif what in ("minute", "event") and len(words) < 2:
        model.time.go_by(by * MINUTE_S) if what == "minute" else model.time.step(by)
    elif what not in TICKS or len(words) > 1:
        raise UsageError(f"{quoted(' '.join(words), 40)} is nothing to go by", hint=HOW)
    elif not model.time.go_to_tick(by, *TICKS[what]):
        raise UsageError(f"there is no {what} {'after' if by > 0 else 'before'} this moment")


def moment_lines(model: Model) -> list[str]:
    """Say which moment is looked at, and what happened there."""
    shown, head = model.shown, model.head
    events, _ = model.behind
    where = f"event {shown.seq} of {head.seq}, {clock_of(shown.at_s, head.at_s)} of {clock_of(head.at_s, head.at_s)}"
    if not model.is_back:
        return [f"{where}: {'the end' if model.is_replay else 'now'}"]
    event = model.time.event(shown.seq)
    lines = [f"{where}, {plural(events, 'event')} before {'the end' if model.is_replay else 'now'}"]
    return [*lines, *([f"  {safe(told(event))}"] if event is not None else [])]
