"""Several unknown variables of one text are reported in the same order whenever it is checked."""

from __future__ import annotations

import pytest

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.load import load_scenario

NAMES = "hgfedcba"


def test_unknown_variables_of_one_text_are_reported_by_name() -> None:
    words = " ".join(f"{{{{ vars.{name}{name} }}}}" for name in NAMES)
    text = (
        "agents: [{name: a, transport: local}]\n"
        f"stages: [{{name: s, jobs: [{{name: j, builtins.shell: 'echo {words}'}}]}}]\n"
    )
    with pytest.raises(ScenarioError) as raised:
        load_scenario("s.yml", read_file=lambda path: text)
    told = [problem.message.split("`")[1] for problem in raised.value.problems]
    assert told == sorted(name * 2 for name in NAMES)
