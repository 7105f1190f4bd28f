"""The views of a run, in one table: what they are called, which key shows each, where each stands, and its pane.

Tabs, keys, help, palette and the arrangement of the screen are all made from it: a new view is a line here and its
pane.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Place = Literal["left", "left-too", "middle", "middle-too", "right", "right-too", "bottom"]
"""Where a view stands among three columns. One stands alone in a place of its own (left, middle, right); those that
share the place below or above it (-too), or the one across all columns (bottom), take turns."""


class View(NamedTuple):
    """One view.

    title     above the pane; `tab` is the shorter word where room is scarce
    key       shows it; empty for what is opened from elsewhere, which has no tab of its own
    pane      its class below tui/widgets, by name: panes need the keys, and the keys this table
    weight    its share of the rows where it stands above or below another that wants as many
    is_above  of two in a column: whether it is the upper one, rather than the column's main view
    """

    name: str
    key: str
    tab: str
    title: str
    place: Place
    pane: str
    help: str
    weight: int = 3
    is_above: bool = False


VIEWS: tuple[View, ...] = (
    View("plan", "1", "Plan", "Plan", "left", "plan_tree.PlanTree", "stages, jobs, agents and items", 5),
    View(
        "agents",
        "2",
        "Agents",
        "Agents",
        "middle-too",
        "agent_matrix.AgentMatrix",
        "the matrix of agents and stages",
        is_above=True,
    ),
    View("log", "3", "Log", "Log", "middle", "output_log.OutputLog", "what the chosen row wrote"),
    View("detail", "", "Look", "Look", "right", "detail.Detail", "arguments, result and error of the chosen row", 4),
    View(
        "variables",
        "4",
        "Vars",
        "Variables",
        "right-too",
        "variable_list.VariableList",
        "the variables, and what changed them when",
    ),
    View(
        "timeline",
        "5",
        "Time",
        "Time",
        "bottom",
        "timeline_view.TimelineView",
        "when what ran, how much at once, and what the end waited for",
    ),
    View(
        "runs",
        "6",
        "Runs",
        "Runs",
        "bottom",
        "run_list.RunList",
        "the runs of this machine, and a way to each",
    ),
    View(
        "source",
        "7",
        "Source",
        "Source",
        "left-too",
        "source_view.SourceView",
        "the scenario as the run knows it, with what goes on at each line",
    ),
)

BY_NAME = {view.name: view for view in VIEWS}


def tabs_for(view: str) -> list[View]:
    """List the views in the order of the tabs and of the tab key; one without a key is the last, while it is shown."""
    return sorted((each for each in VIEWS if each.key or each.name == view), key=lambda each: not each.key)
