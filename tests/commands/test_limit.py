"""`--limit`: which agents are left, and what is said of values and labels that no agent has."""

from __future__ import annotations

import pytest

from octogram_tui.commands.limit import limited
from octogram_tui.errors import UsageError
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec, Labels, Scenario

AGENTS: dict[str, Labels] = {
    "w": {"group": ["all", "web"], "kubernetes.io/role": "node"},
    "d": {"group": ["all", "db"]},
    "alone": {},
}
SCENARIO = Scenario("s.yml", (), tuple(AgentSpec(AgentName(n), "", labels=of) for n, of in AGENTS.items()))


@pytest.mark.parametrize(
    ("wanted", "left", "doubted"),
    [
        ("group=web", "w", ""),
        ("group=", None, "leaves no agent"),
        ("group=web, db", "w d", ""),
        ("group=!db", "w alone", ""),
        ("group=!dbb", "w d alone", "`group: dbb`; did you mean `db`?"),
        ("group=web,wbe", "w", "`group: wbe`; did you mean `web`?"),
        ("group=wbe", None, "leaves no agent"),
        ("grup=!db", None, "no agent has the label `grup`; did you mean `group`?"),
        ("kubernetes.io/role=node", "w", ""),
        ("^[wd]$", "w d", ""),
        ("x", None, "leaves no agent"),
        ("(", None, "not a regular expression"),
    ],
)
def test_what_is_misspelt_never_means_everybody(wanted: str, left: str | None, doubted: str) -> None:
    if left is None:
        with pytest.raises(UsageError) as caught:
            limited(SCENARIO, wanted)
        assert doubted in caught.value.message
        return
    scenario, doubts = limited(SCENARIO, wanted)
    assert [agent.name for agent in scenario.agents] == left.split()
    assert [doubted in doubt.message and doubt.is_warning for doubt in doubts] == ([True] if doubted else [])
