"""What a run is made from is kept by content: the same scenario can be built again when its files are gone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from octogram_tui.commands.loading import keep, load, load_kept
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import RunNotRestored
from octogram_tui.journal import presence, sources, terms, token
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.selection import Selection
from octogram_tui.model.trace import Trace

SCENARIO = """procedures: [own.py]
vars: {a: 1, b: "é"}
agents: [{name: far, address: 10.0.0.1}]
stages: [{name: s, jobs: [{name: j, own.greet: {whom: "{{ vars.c }}"}}]}]
"""
OWN = """from octogram_agentd.procedures.base import Field, Procedure


class Greet(Procedure):
    procedure = "own.greet"
    whom = Field("str")

    async def run(self, agent):
        return self.whom
"""


@pytest.fixture
def given(tmp_path: Path) -> Any:
    """Write a scenario of four files; give the arguments that name them."""
    (tmp_path / "own.py").write_text(OWN)
    path = tmp_path / "s.yml"
    path.write_text(SCENARIO)
    agents = tmp_path / "agents.yml"
    agents.write_text("[{name: near, address: 10.0.0.2}]")
    variables = tmp_path / "vars.yml"
    variables.write_text("c: [1, 2]")
    return SimpleNamespace(
        scenario=str(path),
        var=["a=5", "d=x y"],
        variables=[str(variables)],
        agents=[str(agents)],
        trust_procedures=False,
        secret=[],
        limit="near",
        local=True,
    )


def test_the_same_scenario_is_built_again_without_its_files(given: Any, tmp_path: Path) -> None:
    loaded = load(given)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    keep(run_dir, given, loaded)
    for name in ("s.yml", "own.py", "agents.yml", "vars.yml"):
        (tmp_path / name).unlink()
    again = load_kept(run_dir, loaded.scenario.digest).scenario
    assert again.digest == loaded.scenario.digest
    assert (again.agents, again.variables, again.origins) == (
        loaded.scenario.agents,
        loaded.scenario.variables,
        loaded.scenario.origins,
    )
    assert [agent.transport for agent in again.agents] == ["local"]
    assert again.variables["a"] == 5
    assert again.own_procedures == loaded.scenario.own_procedures
    assert {path.stat().st_mode & 0o777 for path in (run_dir / sources.DIRECTORY).iterdir()} == {0o600}


def test_an_edit_keeps_its_own_and_shares_what_did_not_change(given: Any, tmp_path: Path) -> None:
    first = load(given)
    keep(tmp_path, given, first)
    count = len(list((tmp_path / sources.DIRECTORY).iterdir()))
    Path(given.scenario).write_text(SCENARIO.replace("a: 1", "a: 2"))
    second = load(given)
    keep(tmp_path, given, second)
    assert len(list((tmp_path / sources.DIRECTORY).iterdir())) == count + 2  # one text, and what names it
    assert load_kept(tmp_path, first.scenario.digest).text == SCENARIO
    assert "a: 2" in load_kept(tmp_path, second.scenario.digest).text


def test_what_was_changed_on_the_disk_is_refused(given: Any, tmp_path: Path) -> None:
    loaded = load(given)
    keep(tmp_path, given, loaded)
    for path in (tmp_path / sources.DIRECTORY).iterdir():
        if path.suffix != ".json" and b"stages" in path.read_bytes():
            path.write_text("stages: []")
    with pytest.raises(RunNotRestored, match="does not contain what its name says"):
        load_kept(tmp_path, loaded.scenario.digest)
    with pytest.raises(RunNotRestored, match="was not kept"):
        load_kept(tmp_path, "f" * 32)


def test_terms_come_back_as_they_were(tmp_path: Path) -> None:
    options = RunOptions(
        "r-1",
        version="1",
        on_failure="pause",
        selection=Selection(only_stages=("a",), tags=frozenset({"x", "y"})),
        timeout_s=7.5,
        breakpoints=((Breakpoint("s/*", "failed", name="exit"), "command line"),),
        trace=Trace("a" * 32, "b" * 16, 0, "vendor=1", "build=7", is_told=True),
    )
    begun = terms.Terms("d1", ("s.yml", "-e", "a=1"), "/somewhere", True, options)
    terms.keep(tmp_path, begun)
    assert terms.find(tmp_path) == begun
    (tmp_path / terms.TERMS).write_text('{"v": 1}')
    with pytest.raises(RunNotRestored, match="is damaged"):
        terms.find(tmp_path)
    (tmp_path / terms.TERMS).unlink()
    with pytest.raises(RunNotRestored, match="is missing"):
        terms.find(tmp_path)


def test_the_token_is_for_its_user_alone(tmp_path: Path) -> None:
    assert token.find(tmp_path) == ""
    made = token.make(tmp_path)
    assert len(made) == 32
    assert token.find(tmp_path) == made
    assert (tmp_path / token.TOKEN).stat().st_mode & 0o777 == 0o600


def test_presence_says_until_when_the_process_lived(tmp_path: Path) -> None:
    assert presence.last_s(tmp_path, "journal.jsonl") == 0
    presence.touch(tmp_path)
    assert presence.last_s(tmp_path, "journal.jsonl") == (tmp_path / presence.ALIVE).stat().st_mtime
