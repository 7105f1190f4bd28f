"""The views of a run, in one table: what they are called, which key shows each, where each stands, and its pane.

Tabs, keys, help, palette and the arrangement of the screen are all made from it: a new view is a line here and its
pane.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Column = Literal["left", "middle", "right"]


class View(NamedTuple):
    """One view.

    title   above the pane; `tab` is the shorter word where room is scarce
    key     shows it; empty for what is opened from elsewhere, which has no tab of its own
    column  where it stands when there is room for three
    pane    its class below tui/widgets, by name: panes need the keys, and the keys this table
    """

    name: str
    key: str
    tab: str
    title: str
    column: Column
    pane: str
    help: str


VIEWS: tuple[View, ...] = (
    View("plan", "1", "Plan", "Plan", "left", "plan_tree.PlanTree", "stages, jobs, agents and items"),
    View("agents", "2", "Agents", "Agents", "middle", "agent_matrix.AgentMatrix", "the matrix of agents and stages"),
    View("log", "3", "Log", "Log", "middle", "output_log.OutputLog", "what the chosen row wrote"),
    View(
        "detail",
        "",
        "Inspector",
        "Inspector",
        "right",
        "detail.Detail",
        "arguments, result and error of the chosen row",
    ),
    View(
        "variables",
        "4",
        "Vars",
        "Variables",
        "right",
        "variable_list.VariableList",
        "the variables, and what changed them when",
    ),
    View(
        "timeline",
        "5",
        "Time",
        "Time",
        "middle",
        "timeline_view.TimelineView",
        "when what ran, how much at once, and what the end waited for",
    ),
    View(
        "source",
        "7",
        "Source",
        "Source",
        "middle",
        "source_view.SourceView",
        "the scenario as the run knows it, with what goes on at each line",
    ),
)
"""Order is that of the tabs, and of the tab key."""

BY_NAME = {view.name: view for view in VIEWS}
