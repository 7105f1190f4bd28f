"""A run in a line: for the welcome, for the list to choose from, and for the pane of runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.cells import cell_len

from octogram_tui.journal.runbook import Page, RunEntry
from octogram_tui.projection.row_states import State
from octogram_tui.tui.entry.choices import Choice
from octogram_tui.tui.format import LOOKS, Look, duration
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

SAYS_CELLS = 21
NAME_CELLS = 22
_CRASHED = Look("⊘", "/", "crashed", "lost")
_DONE = Look("∎", "-", "done", "ok")


def look_of(entry: RunEntry) -> Look:
    """Give sign and colour of a run's state."""
    if entry.run.state == "running":
        if entry.state == "done":
            return _DONE
        is_failing = entry.standing.reason == "failure" and entry.wants_operator
        return LOOKS[State.FAILED if is_failing else State.HELD if entry.wants_operator else State.RUNNING]
    if entry.run.exit_code is None or entry.damage:
        return _CRASHED
    return LOOKS[State.FAILED if entry.run.exit_code else State.OK]


def ago(then: datetime | None, now: datetime) -> str:
    """Say how long ago something was, in one unit: `3 min ago`; the day when it was long ago."""
    if then is None:
        return ""
    seconds = (now - then).total_seconds()
    if seconds < 0:
        return then.astimezone().strftime("%d %b %H:%M")  # clocks jump
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600:.0f} h ago"
    if seconds < 7 * 86_400:
        return f"{seconds // 86_400:.0f} d ago"
    return then.astimezone().strftime("%d %b %Y" if (now - then).days > 300 else "%d %b")


def run_pieces(entry: RunEntry, brush: Brush, now_s: float, width: int) -> tuple[Piece, ...]:
    """Draw a run: sign, how it stands, when, how long, what failed, its scenario, and its name where there is room."""
    now = datetime.fromtimestamp(now_s, UTC)
    look = look_of(entry)
    line: list[Piece] = [
        (f"   {brush.sign(look)} ", look.style if look.style != "lost" else "failed"),
        (fit(brush.text(entry.says), SAYS_CELLS), look.style if entry.wants_operator else ""),
        (fit(f" {ago(entry.started, now)}", 12), "dim"),
        (fit(duration(entry.lasted_s(now)), 7, right=True), "time"),
        (fit(f"  {brush.pick('✗', 'x')}{entry.failures}" if entry.failures else "", 7), "failed"),
    ]
    room = width - sum(cell_len(text) for text, _ in line) - 1
    scenario = brush.text(entry.run.info.scenario.rpartition("/")[2])
    name = brush.text(entry.run.id)
    if room > NAME_CELLS + cell_len(name):
        line += [(fit(scenario, room - cell_len(name) - 2) + "  ", ""), (name, "faint")]
    else:
        line.append((fit(scenario, max(0, room)), ""))
    return tuple(line)


def damage_rows(page: Page, runs_dir: Path, brush: Brush, width: int) -> list[Choice]:
    """Say which runs cannot be shown, and why."""
    sign = (f"   {brush.pick('✗', 'x')} ", "failed")
    said = [brush.text(line.removeprefix(f"{runs_dir}/")) for line in page.damaged]
    return [Choice("", (sign, (fit(text, width - 6).rstrip(), ""))) for text in said]


def forget_question(brush: Brush, entry: RunEntry) -> Question:
    """Ask whether a run is to be deleted."""
    lines = [f"{entry.run.id}: {entry.says}. Its journal and what it collected are deleted, on this machine only."]
    return Question(brush, "Delete this run?", lines, [Answer("d", "delete it", "yes")])
