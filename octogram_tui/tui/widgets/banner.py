"""The lines that say what needs the operator, and what to do about it."""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len

from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import AttemptRow
from octogram_tui.tui.format import duration
from octogram_tui.tui.model import Model, title_of
from octogram_tui.tui.widgets.bar import Bar, fitting
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

BANNER_LINES = 4
RELOAD_SHOWN_S = 20.0
HINT_CELLS = 20
"""A hint that has less room than this is left out; the inspector has it."""


class Banner(Bar):
    """What needs the operator, in a line, and what to do about it in another. Empty while all goes well."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="banner")
        self.is_lost = False  # nothing more will come, though the run has not finished
        self.is_read_only = False
        self.dismissed_seq = 0  # the reload that the operator has seen

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Wrap the message, and put the hint below."""
        said = self.say()
        self.over = said.style if said else ""
        if said is None:
            return []
        lines: list[list[Piece]] = []
        sign = f" {said.sign} "
        for number, part in enumerate(wrap(self.brush.text(said.message), max(10, width - 5))[: BANNER_LINES - 2]):
            lines.append([(sign if not number else "   ", "strong"), (part, "strong")])
        keys: list[list[Piece]] = [[("   ", "")]]
        for key, text in said.keys:
            if not self.is_read_only or key in ("enter", "!", "q", "?", "esc"):
                keys.append([(key, "key"), (f" {text}   ", "")])
        line = fitting(keys, width)
        room = width - sum(cell_len(text) for text, _ in line) - 1
        if said.hint and room >= HINT_CELLS:
            line.append((fit(self.brush.text(said.hint), room).rstrip(), ""))
        return [*lines, line] if len(line) > 1 else lines

    def say(self) -> Said | None:
        """Pick what matters most."""
        board = self.model.board
        sign = self.brush.pick
        if self.is_lost and self.model.is_replay:
            return Said(
                "banner-held",
                sign("∎", "-"),
                "The journal ends here: the run never finished, or goes on.",
                (("q", "leave"), ("?", "help")),
            )
        if self.is_lost:
            return Said(
                "banner-failed",
                sign("✗", "x"),
                "The run's host went away: what is shown is the last it said.",
                (("q", "leave"),),
                "the agents stop by themselves when their lease is over",
            )
        if board.phase is Phase.FINISHED:
            return self._finished()
        if board.phase is Phase.STOPPING:
            grace = f", {board.message}" if board.message else ""
            return Said(
                "banner-held",
                sign("∎", "-"),
                f"Stopping (asked by {board.reason}{grace}): agents clean up.",
                (("ctrl+c", "stop without grace"), ("q", "leave it to itself")),
            )
        stage = next(iter(board.confirmations.values()), None)
        if stage is not None:
            return Said(
                "banner-held", "?", f"Stage {stage.name} asks before it runs.", (("space", "answer"), ("q", "leave"))
            )
        if board.problems and board.reload_seq != self.dismissed_seq:
            first = board.problems[0]
            more = f" (and {len(board.problems) - 1} more)" if len(board.problems) > 1 else ""
            where = f"{first.get('file', '')}:{first.get('line', 0)}: "
            return Said(
                "banner-failed",
                sign("✗", "x"),
                f"Edit refused, the old text stays: {where}{first.get('message', '')}{more}",
                (("E", "edit"), ("esc", "close")),
                str(first.get("hint") or ""),
            )
        failure = board.first_failure
        if failure is not None and board.is_paused:
            name = f"{failure.job.name} @ {failure.agent}"
            more = f" (and {len(board.failures) - 1} more)" if len(board.failures) > 1 else ""
            return Said(
                "banner-failed",
                sign("✗", "x"),
                f"{name}: {failure.message or 'failed'}{more}",
                (("enter", "look"), ("r", "rerun"), ("S", "skip"), ("e", "set a variable")),
                _hint_of(failure.last),
            )
        is_fresh = self.model.now_s - board.reload_at_s < RELOAD_SHOWN_S
        if board.changes and is_fresh and board.reload_seq != self.dismissed_seq:
            more = f" (and {len(board.changes) - 1} more)" if len(board.changes) > 1 else ""
            return Said("banner-info", "~", f"Scenario reloaded: {board.changes[0]}{more}", (("esc", "close"),))
        if board.is_paused and not board.in_flight:
            return self._paused()
        if board.phase is Phase.DONE:
            return Said(
                "banner-ok" if not board.done_exit_code else "banner-failed",
                sign("✓", "v"),
                f"All stages are done, after {duration(board.done_at_s)}; the agents are kept alive.",
                (("q", "leave or stop"), ("r", "rerun a row"), ("e", "set a variable")),
            )
        return None

    def _paused(self) -> Said:
        board = self.model.board
        sign = self.brush.pick("∎", "p")
        if board.reason == "start":
            return Said(
                "banner-held",
                sign,
                "Held before the first stage: nothing has run yet.",
                (("space", "go"), ("n", "step"), ("e", "set a variable"), ("?", "help")),
            )
        words = {"operator": "Paused by you", "step": "Stepped", "failure": "The failure was dealt with"}
        held = self.model.held
        before = f": held before {title_of(held)}." if held is not None else "."
        message = words.get(board.reason, f"Paused ({board.reason})") + before
        if board.message and board.reason != "failure":
            message += f" {board.message}"
        return Said("banner-held", sign, message, (("space", "go"), ("n", "step"), ("r", "rerun"), ("?", "help")))

    def _finished(self) -> Said:
        board = self.model.board
        counts = ", ".join(f"{board.tally[state]} {state.name.lower()}" for state in State if board.tally[state])
        took = f"Finished in {duration(board.at_s)}: {counts or 'nothing ran'}."
        reason = f" {board.message[:1].upper()}{board.message[1:].rstrip('.')}." if board.message else ""
        agent = board.first_bad_agent
        if board.exit_code:
            hint = ""
            if agent is not None and not board.failures:
                reason, hint = f" {agent.name}: {agent.message.rstrip('.')}.", agent.hint
            return Said(
                "banner-failed",
                self.brush.pick("✗", "x"),
                f"{took}{reason} Exit code {board.exit_code}.",
                (("!", "what failed"), ("q", "leave")),
                hint,
            )
        return Said("banner-ok", self.brush.pick("✓", "v"), took + reason, (("q", "leave"),))


class Said(NamedTuple):
    """A banner's words: its ground, a sign, the message, keys with what they do, and a hint."""

    style: str
    sign: str
    message: str
    keys: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def _hint_of(attempt: AttemptRow | None) -> str:
    return attempt.failure.hint if attempt is not None and attempt.failure is not None else ""
