"""The time of the run: a bar for each job, how many ran at once, where it stood still, and what the end waited for."""

from __future__ import annotations

import math
from collections.abc import Hashable

from rich.cells import cell_len
from textual.events import Click
from textual.message import Message

from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, RowKey
from octogram_tui.projection.timeline import JobKey, Mark, Span
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.format import LOOKS, clock, clock_of, duration
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_name
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.sparks import rising
from octogram_tui.tui.widgets.tick_line import tick_line
from octogram_tui.tui.widgets.title_line import PaneMark

NAME_CELLS = 30
TIME_CELLS = 8
TICK_CELLS = 9
AGENT_CELLS = 16
WIDE_CELLS = 90
"""From this width on it is said which agent the end waited for."""
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_LIVE = (State.RUNNING, State.RETRYING, State.FAILED, State.LOST, State.HELD)


class TimelineView(LineView):
    """A row for each stage, and for each job of those that are unfolded; the cursor is a row and a moment."""

    header_lines = 3
    leads = True

    class MomentWanted(Message):
        """The operator wants to go to a time of the run."""

        def __init__(self, at_s: float) -> None:
            super().__init__()
            self.at_s = at_s

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="timeline")
        self.column: int | None = None  # the cell of the bars that is asked about
        self._folds: dict[RowKey, bool] = {}  # what the operator decided
        self._rows: list[Group] = []
        self._foothold = Foothold(model)
        self._longest = 0  # the cells of the longest name
        self._basis: object = None  # what the rows were listed for
        self._critical: dict[JobKey, str] = {}
        self._longest_agent = 0  # the cells of the longest name among them
        self._of_version = -1
        self._whole_s = 1.0  # what the width of the bars stands for

    @property
    def selected(self) -> Group | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def text_of_selected(self) -> str:
        """Give the row's name."""
        return self.selected.full_name if self.selected is not None else ""

    def look_at(self, subject: Subject | None) -> None:
        """Point at what was chosen elsewhere, or at what holds it."""
        row = subject if isinstance(subject, (Group, InstanceRow)) else None
        while row is not None and row not in self._rows:
            row = row.parent
        if isinstance(row, Group) and not self.has_focus:
            index = self._rows.index(row)
            if index != self.cursor:
                self.cursor = index
                self.show_line(self.cursor)
                self.sync()

    def moment_changed(self) -> None:
        """Draw what had run by then, with the cursor on the same row."""
        super().moment_changed()
        here = self._foothold.again(self.selected)
        self._basis, self._of_version = None, -1
        self.sync()
        while isinstance(here, Group) and here not in self._rows:
            here = here.parent
        if isinstance(here, Group):
            self.cursor = self._rows.index(here)
        self._foothold.stand_in(self.selected)

    def count(self) -> int:
        """Say how many rows are unfolded."""
        return len(self._rows)

    def sync(self) -> None:
        """Bring rows and scale up to date."""
        if not self.has_place:
            return
        timeline = self.model.timeline
        stages = [stage for stage in self.model.board.stages if stage.started_s is not None]
        unfolded = self._unfolded(stages)
        basis = (self.model.board.structure_version, len(stages), len(timeline.bars), unfolded)
        if basis != self._basis:
            self._basis = basis
            self._lay_out(stages, unfolded)
        if timeline.version != self._of_version:
            self._of_version = timeline.version
            critical = timeline.critical()
            if critical != self._critical:
                self._critical = critical
                names = map(self.brush.text, set(critical.values()))
                self._longest_agent = max(map(cell_len, names), default=0)
        head = self.model.head.timeline.end_s
        end_s = self._now_s if not self.model.is_back else self.model.head.at_s if head is None else head
        self._whole_s = whole_s(end_s, is_over=(head if self.model.is_back else timeline.end_s) is not None)
        super().sync()

    def _lay_out(self, stages: list[Group], unfolded: set[RowKey]) -> None:
        """List the rows anew; the cursor stays on its own."""
        here, bars = self.selected, self.model.timeline.bars
        self._rows = []
        for stage in stages:
            self._rows.append(stage)
            if stage.key in unfolded:
                jobs = (job for job in stage.children if isinstance(job, Group))
                self._rows += [job for job in jobs if (stage.name, job.name) in bars]
        if here in self._rows:
            self.cursor = self._rows.index(here)
        names = ((cell_len(self.brush.text(row.label)), row.depth) for row in self._rows)
        self._longest = max((cells + 2 * depth for cells, depth in names), default=0)

    def _unfolded(self, stages: list[Group]) -> set[RowKey]:
        """Say which stages show their jobs: as was decided; those where something goes on; of the others the latest."""
        found = {stage.key for stage in stages if self._folds.get(stage.key, stage.state in _LIVE)}
        room = self.visible_lines - len(stages) - sum(len(s.children) for s in stages if s.key in found)
        for stage in reversed(stages):
            if stage.key in found or stage.key in self._folds:
                continue
            room -= len(stage.children)
            if room < 0:
                break
            found.add(stage.key)
        return found

    def open(self) -> bool:
        """Unfold or fold the stage under the cursor; a job is looked into."""
        row = self.selected
        if row is None or row.kind is not Kind.STAGE:
            return False
        index = self._rows.index(row)
        is_open = index + 1 < len(self._rows) and self._rows[index + 1].parent is row
        self._folds[row.key] = not is_open
        self.sync()
        return True

    @property
    def _now_s(self) -> float:
        end_s = self.model.timeline.end_s
        return self.model.now_s if end_s is None else end_s

    def title(self) -> list[Piece]:
        """Say what the time is, and how much runs at once."""
        if not self._rows:
            return []
        bins = self.model.timeline.bins
        return [(f"{clock(self._now_s)}  {bins.now} at once, {max(bins.most)} at most", "")]

    def wanted_lines(self) -> int:
        """As many as it has when all is unfolded, also while it is not seen."""
        stages = [stage for stage in self.model.board.stages if stage.started_s is not None]
        return sum(1 + len(stage.children) for stage in stages) + self.header_lines if stages else 0

    def marks(self) -> list[PaneMark]:
        """Say what the star stands for."""
        return [PaneMark("* the end waited for it", "dim")] if self._critical else []

    # Where things are

    def _name_cells(self, width: int) -> int:
        return min(self._longest, NAME_CELLS, max(8, width // 3))

    def _bar_cells(self, width: int) -> int:
        return max(4, width - self._name_cells(width) - TIME_CELLS - 7 - self._agent_cells(width))

    def _agent_cells(self, width: int) -> int:
        """What it takes to name whom the end waited for, where there is room for that."""
        if width < WIDE_CELLS or not self._critical:
            return 0
        return min(AGENT_CELLS, self._longest_agent) + 2

    def _left(self, width: int) -> int:
        return self._name_cells(width) + 5

    def _moment(self, width: int) -> float | None:
        """The middle of the cell that is asked about."""
        if self.column is None:
            return None
        cells = self._bar_cells(width)
        self.column = max(0, min(self.column, cells - 1))
        return (self.column + 0.5) * self._whole_s / cells

    # Drawing

    def header_key(self) -> Hashable:
        """The scale, how much time went by on it, and what is asked about."""
        timeline = self.model.timeline
        cells = self._bar_cells(self.line_cells)
        now = int(self._now_s * cells / self._whole_s)
        here = (self.model.is_back, self.model.shown.seq if self.model.is_back else 0, self.model.time.ticks.version)
        return (self._whole_s, now, timeline.version, self.column, self._name_cells(self.line_cells), here)

    def paint_header_line(self, y: int, width: int) -> list[Piece]:
        """The scale, below it how many ran at once, and the moments that one may want to go to."""
        if not self._rows:
            return []
        return (self._scale, self._at_once, self._ticks)[y](width)

    def _ticks(self, width: int) -> list[Piece]:
        model = self.model
        here_s = model.shown.at_s if model.is_back else None
        line = tick_line(model.time.ticks, self.brush, self._bar_cells(width), self._whole_s, here_s)
        return [(fit("   moments", self._left(width)), "faint"), *gathered(line)]

    def _scale(self, width: int) -> list[Piece]:
        cells, left = self._bar_cells(width), self._left(width)
        moment = self._moment(width)
        if moment is not None and self.column is not None:
            text = f"{self.brush.pick('│', '|')}{clock_of(moment, self._whole_s)}"
            most = self._most(self.column, cells)
            if moment <= self._now_s:
                text += f"  {most} at once" + ("  paused" if self._is_paused(moment) else "")
            start = min(self.column, max(0, cells - cell_len(text)))
            return [(" " * (left + start), ""), (text, "key")]
        step_s = step_for(self._whole_s * TICK_CELLS / cells)
        line = [" "] * cells
        for number in range(int(self._whole_s / step_s) + 1):
            label = self.brush.pick("╷", "|") + clock_of(number * step_s, self._whole_s)
            at = int(number * step_s * cells / self._whole_s)
            if at + len(label) <= cells:
                line[at : at + len(label)] = label
        return [(" " * left, ""), ("".join(line), "faint")]

    def _most(self, cell: int, cells: int) -> int:
        width_s = self._whole_s / cells
        return self.model.timeline.bins.between(cell * width_s, (cell + 1) * width_s)

    def _at_once(self, width: int) -> list[Piece]:
        cells = self._bar_cells(width)
        now = min(cells, math.ceil(self._now_s * cells / self._whole_s))
        counts = [self._most(cell, cells) for cell in range(now)]
        most = max(counts, default=0)
        line = "".join(rising(count / most if most else 0, ascii_only=self.brush.ascii_only) for count in counts)
        name = fit("   at once", self._left(width))
        return [(name, "faint"), (fit(line, cells), "running"), (fit(f"max {most}", TIME_CELLS + 1, right=True), "dim")]

    def _is_paused(self, at_s: float) -> bool:
        pauses = self.model.timeline.pauses
        return any(start <= at_s <= end for start, end in pauses.closed) or (
            pauses.open_s is not None and pauses.open_s <= at_s <= self._now_s
        )

    def line_key(self, index: int) -> Hashable:
        """What is known of the row's bars, the scale, and how much time went by on it while something moves."""
        row = self._rows[index]
        timeline = self.model.timeline
        cells = self._bar_cells(self.line_cells)
        bar = timeline.bars.get((row.stage.name, row.name))
        bars = timeline.version if row.kind is Kind.STAGE or bar is None else bar.version
        moves = timeline.pauses.open_s is not None or row.tally[State.RUNNING]
        now = int(self._now_s * cells / self._whole_s) if moves else -1
        paused = (len(timeline.pauses.closed), timeline.pauses.open_s)
        own = (
            row.key,
            row.version,
            self._time(row),
            self._is_critical(row),
            self._critical.get((row.stage.name, row.name)),
        )
        return (own, bars, now, paused, self._whole_s, self.column, self._name_cells(self.line_cells))

    def _time(self, row: Group) -> str:
        return duration(row.duration_s(self._now_s))

    def _keys(self, row: Group) -> list[JobKey]:
        if row.kind is Kind.STAGE:
            return [(row.name, _name(job)) for job in row.children]
        return [(row.stage.name, row.name)]

    def _is_critical(self, row: Group) -> bool:
        return any(key in self._critical for key in self._keys(row))

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        return [("nothing has run yet", "dim")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Sign, name, bar and time."""
        row = self._rows[index]
        brush = self.brush
        look = LOOKS[row.state]
        critical = self._is_critical(row)
        name = "  " * row.depth + brush.text(row.label)
        style = look.style if look.style in ("failed", "lost") else "strong" if row.kind is Kind.STAGE else ""
        return [
            (" ", ""),
            (brush.sign(look) + " ", look.style),
            (fit(name, self._name_cells(width)), style),
            ("*" if critical else " ", "changed"),
            (" ", ""),
            *self._bar(row, self._bar_cells(width), critical=critical),
            (fit(self._time(row), TIME_CELLS + 1, right=True), "dim"),
            ("  " + self._waited_for(row) if self._agent_cells(width) else "", "dim"),
        ]

    def _waited_for(self, row: Group) -> str:
        """The agent that the end waited for in a job."""
        name = self.brush.text(self._critical.get((row.stage.name, row.name), ""))
        return fit_name(name, min(AGENT_CELLS, cell_len(name)))

    def _bar(self, row: Group, cells: int, *, critical: bool) -> list[Piece]:
        timeline, brush = self.model.timeline, self.brush
        spans, marks = timeline.span_of(self._keys(row))
        full = brush.pick("▆", "#") if critical else brush.pick("━", "=")
        line: list[Piece] = [(" ", "")] * cells
        for pause in timeline.pauses.all():
            self._fill(line, pause, (brush.pick("░", ":"), "held"))
        for span in spans:
            self._fill(line, span, (full, "running" if span.end_s is None else "ok"))
        for mark in sorted(marks, key=lambda each: each.kind == "failed"):
            at = min(cells - 1, int(mark.at_s * cells / self._whole_s))
            line[at] = self._mark(mark)
        if self.column is not None and 0 <= self.column < cells:
            sign = line[self.column][0]
            line[self.column] = (brush.pick("│", "|") if sign == " " else sign, "key")
        return gathered(line)

    def _fill(self, line: list[Piece], span: Span, piece: Piece) -> None:
        cells = len(line)
        end_s = self._now_s if span.end_s is None else span.end_s
        first = min(cells - 1, int(span.start_s * cells / self._whole_s))
        last = min(cells, max(first + 1, math.ceil(end_s * cells / self._whole_s)))
        line[first:last] = [piece] * (last - first)

    def _mark(self, mark: Mark) -> Piece:
        look = LOOKS[State.FAILED if mark.kind == "failed" else State.RETRYING]
        return self.brush.sign(look), look.style

    # Moving about

    def action_sideways(self, by: int) -> None:
        """Ask about another moment; left of the first, about none."""
        cells = self._bar_cells(self.line_cells)
        now = min(cells - 1, int(self._now_s * cells / self._whole_s))
        self.column = now if self.column is None else self.column + by
        if not 0 <= self.column < cells:
            self.column = None
        self.sync()

    def on_click(self, event: Click) -> None:
        """Choose the row, and in the bars the moment; above them, or twice, go there."""
        cell = event.x - self._left(self.line_cells)
        self.column = cell if 0 <= cell < self._bar_cells(self.line_cells) else None
        is_above = event.y - self.gutter.top < self.header_lines
        at_s = self._moment(self.line_cells)
        if at_s is not None and (is_above or event.chain == 2):
            self.post_message(self.MomentWanted(at_s))
            self.column = None
        super().on_click(event)
        self.sync()


def _name(row: object) -> str:
    return getattr(row, "name", "")


def gathered(line: list[Piece]) -> list[Piece]:
    """Put neighbours of the same style together."""
    found: list[Piece] = []
    for text, style in line:
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return found


def step_for(least_s: float) -> float:
    """Choose the distance of the ticks: the first round one that is long enough."""
    return next((step for step in STEPS_S if step >= least_s), math.ceil(least_s / 86_400) * 86_400)


def whole_s(now_s: float, *, is_over: bool) -> float:
    """Say what the width stands for: all of a run that is over, and a little more than the time of one that goes on.

    A little, so that bars grow into what is blank, and all of them change their scale only now and then.
    """
    if is_over:
        return max(now_s, 0.001)
    step_s = step_for(now_s / 16)
    return max(1.0, step_s * (int(now_s / step_s) + 1))
