"""One pane alone on a screen, with a model that tests feed."""

from collections.abc import Iterable
from typing import Any

from textual.app import App, ComposeResult

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.rows import Row
from octogram_tui.tui import theme as themes
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.line_view import LineView

STARTED = "2026-01-05T12:00:00+00:00"


class PaneApp(App[None]):
    """Shows a pane; `seen` is what stands in it."""

    def __init__(self, pane: type[Any], *, palette: str = "dark", ascii_only: bool = False) -> None:
        super().__init__(css_path=str(themes.stylesheet()))
        self.model = Model(clock=lambda: 0.0)
        self.brush = Brush(themes.palette(palette), ascii_only=ascii_only)
        self.register_theme(self.brush.palette.theme)
        self.theme = palette
        self.animation_level = "none"
        self.pane: Any = pane(self.model, self.brush)
        assert isinstance(self.pane, LineView)
        self._seq = 0

    def compose(self) -> ComposeResult:
        yield self.pane

    def tell(self, *events: ev.Event) -> None:
        for event in events:
            self._seq += 1
            event.seq = self._seq
        self.model.apply(list(events))
        self.pane.sync()

    @property
    def seen(self) -> list[str]:
        """The lines of the pane as they were drawn."""
        return [self.pane.render_line(y).text.rstrip() for y in range(self.pane.size.height)]


def begun(plan: dict[str, list[str]], agents: Iterable[str]) -> list[ev.Event]:
    """A run whose stages have these jobs, all of which run everywhere."""
    stages: list[Any] = [
        {"stage": stage, "line": 1, "jobs": [{"job": job, "procedure": "p", "items": False, "line": 2} for job in jobs]}
        for stage, jobs in plan.items()
    ]
    names = list(agents)
    started = ev.RunStarted(
        run="r",
        scenario="s",
        started_wall=STARTED,
        plan=stages,
        agents=[{"agent": name} for name in names],
        variables={},
    )
    return [started, *(ev.StageStarted(stage=stage, agents=names) for stage in plan)]


def wrote(*lines: str, key: str = "s/j@a", attempt: int = 1, at_s: float = 1.0, **more: Any) -> ev.JobOutput:
    """Output of an instance."""
    instance = InstanceId.parse(key)
    return ev.JobOutput(at_s=at_s, agent=instance.agent, instance=instance, attempt=attempt, lines=list(lines), **more)


def starts(key: str = "s/j@a", attempt: int = 1, why: str = "first", at_s: float = 1.0) -> ev.JobStarted:
    """An attempt begins."""
    return ev.JobStarted(at_s=at_s, instance=InstanceId.parse(key), attempt=attempt, why=why, procedure="p")


def row_of(app: PaneApp, key: str) -> Row:
    """Find a row of the plan by its name."""
    rows: list[Row] = list(app.model.board.stages)
    while rows:
        row = rows.pop()
        if row.full_name == key:
            return row
        rows += row.children
    raise AssertionError(f"there is no row {key}")
