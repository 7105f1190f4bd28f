"""The lines around the panes: status, tabs, banner and keys. Each drops what does not fit, the least wanted first."""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import AttemptRow
from octogram_tui.tui.format import clock, duration, plural
from octogram_tui.tui.keymap import ACTIONS, Action, key_names
from octogram_tui.tui.model import Model, title_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

VIEWS = ("plan", "agents", "log", "variables")
BANNER_LINES = 4
RELOAD_SHOWN_S = 20.0
HINT_CELLS = 20
"""A hint that has less room than this is left out; the inspector has it."""


class Bar(Widget):
    """One or a few lines that are painted anew when they say something else."""

    def __init__(self, model: Model, brush: Brush, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.model = model
        self.brush = brush
        self.lines: list[list[Piece]] = []
        self.over = ""
        self._painted: object = None

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Say what the bar says."""
        raise NotImplementedError

    def sync(self) -> None:
        """Bring it up to date."""
        width = self.size.width or self.app.size.width
        lines = self.compose_lines(width)
        basis = (lines, self.over, width, self.brush.version)
        if basis != self._painted:
            has_other_height = len(lines) != len(self.lines)
            self._painted = basis
            self.lines = lines
            self.refresh(layout=has_other_height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as it has lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        width = self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        return self.brush.strip(self.lines[y], width, over=self.over).apply_style(self.rich_style)


def fitting(parts: list[list[Piece]], width: int) -> list[Piece]:
    """Lay parts side by side as long as they fit."""
    line: list[Piece] = []
    used = 0
    for part in parts:
        cells = sum(cell_len(text) for text, _ in part)
        if used + cells > width:
            break
        line += part
        used += cells
    return line


class StatusBar(Bar):
    """File, state with its reason, stage, jobs, failures, agents, filter, time, and how we are attached."""

    def __init__(self, model: Model, brush: Brush, *, scenario: str) -> None:
        super().__init__(model, brush, id="status")
        self.scenario = scenario
        self.marks: list[str] = []  # ro, replay, lost

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The time stands at the right end, and goes last."""
        board = self.model.board
        end: list[Piece] = [(f" {mark} ", "retrying") for mark in self.marks]
        end.append((f" {clock(self.model.now_s)} ", "strong"))
        room = width - sum(cell_len(text) for text, _ in end)
        state, style = self.state()
        parts: list[list[Piece]] = [
            [(f" {self.brush.text(self.scenario.rpartition('/')[2], limit=28)} ", "strong")],
            [(f" {self.brush.text(state, limit=40)} ", style), (" ", "")],
        ]
        stage = board.current_stage
        if stage is not None:
            parts.append([(" stage ", "dim"), (f"{board.stages.index(stage) + 1}/{len(board.stages)} ", "")])
        elif board.stages:
            parts.append([(f" {plural(len(board.stages), 'stage')} ", "dim")])
        if board.total:
            more = "+" if any(stage.final is None for stage in board.stages) else ""
            parts.append([(" jobs ", "dim"), (f"{board.done}/{board.total}{more} ", "")])
        counts: list[Piece] = []
        if board.failures:
            counts.append((f" {self.brush.pick('✗', 'x')}{len(board.failures)} ", "failed"))
        if board.retry_count:
            counts.append((f" {self.brush.pick('↻', 'r')}{board.retry_count} ", "retrying"))
        if counts:
            parts.append(counts)
        if board.agents:
            up = board.agents_up
            style = "" if up == len(board.agents) or board.phase is not Phase.RUNNING else "retrying"
            parts.append([(" agents ", "dim"), (f"{up}/{len(board.agents)} ", style)])
        if self.model.outline.failed_only:
            parts.append([(" ", ""), (" failed only ", "chip-failed")])
        line = fitting(parts, room)
        used = sum(cell_len(text) for text, _ in line)
        return [[*line, (" " * (room - used), ""), *end]]

    def state(self) -> Piece:
        """Say in a word or two how the run stands, and in which colours."""
        board = self.model.board
        if board.phase is Phase.FINISHED:
            code = board.exit_code or 0
            return (f"FINISHED exit {code}", "chip-failed") if code else ("FINISHED ok", "chip-ok")
        if board.phase is Phase.STOPPING:
            return "STOPPING", "chip-stopping"
        if board.phase is Phase.DONE:
            return ("DONE", "chip-ok") if not board.done_exit_code else ("DONE, failed", "chip-failed")
        if board.confirmations:
            return "ASKS", "chip-held"
        if board.is_paused:
            style = "chip-failed" if board.failures and board.reason == "failure" else "chip-held"
            if board.in_flight:
                return f"PAUSING {board.in_flight} in flight", style
            return f"PAUSED {board.reason}".rstrip(), style
        if board.phase is Phase.RUNNING:
            return "RUNNING", "chip-running"
        return ("STARTING", "chip-starting") if board.phase is Phase.STARTING else ("WAITING", "chip-starting")


class Tabs(Bar):
    """The views that take turns where there is no room for all."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="tabs")
        self.view = "plan"

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Number and name of each, with what there is to see."""
        board = self.model.board
        variables = len(self.model.variables.by_name)
        counts = {
            "agents": f" {board.agents_up}/{len(board.agents)}" if board.agents else "",
            "variables": f" {variables}" if variables else "",
        }
        parts: list[list[Piece]] = []
        for number, view in enumerate(VIEWS, 1):
            name = "vars" if view == "variables" else view
            here = view == self.view
            text = f"{name.capitalize()}{counts.get(view, '')}"
            parts.append([(f" {number} ", "key"), (text, "strong" if here else "dim"), ("  ", "")])
            if here:
                parts[-1] = [(f" {number} {text} ", "chip-running"), (" ", "")]
        if self.view == "detail":
            parts.append([(" Inspector ", "chip-running"), ("  esc back", "faint")])
        return [fitting(parts, width)]

    def on_click(self, event: object) -> None:
        """A tab can be clicked."""
        at = getattr(event, "x", 0)
        for text, _ in self.lines[0] if self.lines else ():
            at -= cell_len(text)
            digit = text.strip()[:1]
            if digit.isdigit():
                chosen = VIEWS[int(digit) - 1]
            if at < 0:
                self.app.call_later(self.screen.run_action, f"view('{chosen}')")
                return


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


class KeyBar(Bar):
    """The keys that do something now, from the table of actions."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="keys")
        self.is_read_only = False
        self.pane = ""

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The most wanted first."""
        is_log = self.pane == "log"
        here = ("", "log") if is_log else ("",)
        actions = [action for action in ACTIONS if action.rank and action.where in here]
        actions.sort(key=lambda action: (action.where != "log", action.rank))
        parts: list[list[Piece]] = [[(" ", "")]]
        for action in actions:
            if self._is_live(action, is_log=is_log):
                word = self._word(action)
                parts.append([(key_names(action)[0], "key"), (f" {word}  ", "dim")])
        return [fitting(parts, width)]

    def _word(self, action: Action) -> str:
        board = self.model.board
        if action.name == "pause or go":
            if board.confirmations:
                return "Answer"
            return "Go" if board.is_paused else "Pause"
        return action.short

    def _is_live(self, action: Action, *, is_log: bool) -> bool:
        board = self.model.board
        if action.needs_control and self.is_read_only:
            return False
        if is_log and action.name == "step":
            return False
        over = board.phase in (Phase.STOPPING, Phase.FINISHED)
        match action.name:
            case "pause or go" | "step":
                return not over and board.phase is not Phase.DONE
            case "first failure" | "failed only":
                return bool(board.failures or self.model.outline.failed_only or board.first_bad_agent)
            case "skip":
                return not over and bool(board.failures or board.tally[State.HELD])
            case "rerun" | "edit variable":
                return not over
        return True
