"""What a scenario may ask of Slurm, and every way to get it wrong."""

from __future__ import annotations

import pytest
from scenario_family import load, problems

from octogram_tui.commands.loading import made_local
from octogram_tui.model.scenario import SlurmSpec

AGENTS = "agents: [{name: 'a{1..2}', transport: slurm}]\nstages: []\n"


def messages_of(text: str) -> list[str]:
    return [problem.message for problem in problems(text)]


def test_all_that_can_be_asked() -> None:
    asked = (
        "slurm: {partition: p, nodes: 2, tasks: '4', cpus: 2, memory: 4G, gpus: 'a100:2', time: 1h30m, account: 7, "
        "constraint: 'a&b', options: [--qos=x, --exclusive], login: host, user: me, port: 2222}\n"
    )
    scenario = load(asked + AGENTS).scenario
    options = ("--qos=x", "--exclusive")
    wanted = SlurmSpec("p", 2, 4, 2, "4G", "a100:2", 5400.0, "7", "a&b", options, "host", "me", 2222)
    assert scenario.slurm == wanted
    assert {agent.transport for agent in scenario.agents} == {"slurm"}
    assert scenario.is_remote
    assert not made_local(scenario).is_remote


def test_nothing_need_be_asked() -> None:
    loaded = load(AGENTS)
    assert loaded.scenario.slurm == SlurmSpec(time_s=3600.0)
    assert not loaded.warnings


def test_what_nobody_uses_is_doubtful() -> None:
    (warning,) = load("slurm: {nodes: 2}\nagents: [{name: a, transport: local}]\nstages: []\n").warnings
    assert warning.message == "nothing is asked of Slurm: no agent has `transport: slurm`"


def test_an_agent_of_slurm_has_no_address() -> None:
    (message,) = messages_of("agents: [{name: a, transport: slurm, address: n1}]\nstages: []\n")
    assert "agent `a` has an `address`, and Slurm places it" in message
    shared = "defaults: {address: h}\nagents: [{name: a, transport: slurm}, {name: b}]\nstages: []\n"
    assert [agent.transport for agent in load(shared).scenario.agents] == ["slurm", "ssh"]


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("nodes: 0", "`nodes` must be at least 1", "leave it out"),
        ("nodes: [n1]", "`nodes` takes a whole number", ""),
        ("nodes: 3, tasks: 2", "2 tasks are not enough for 3 nodes", "one task at least"),
        ("time: 0", "`time` must be more than 0", "one hour"),
        ("time: soon", "`time` takes a duration", ""),
        ("time: 400d", "`time` is longer than a year", "2h"),
        ("memory: lots", "`memory` is no amount of memory: `lots`", "4G"),
        ("gpus: 'a100:'", "`gpus` is no number of GPUs: `a100:`", "a100:4"),
        ("partition: ''", "`partition` is empty", "the cluster's own"),
        ('account: "a\\nb"', "`account` holds a control character: `a\\x0ab`", "one line"),
        ('constraint: "a\\0"', "`constraint` holds a control character", "one line"),
        ("partition: " + "x" * 1001, "`partition` has 1001 characters", "at most 1000"),
        ("options: [-p, main]", "`options` takes long options of sbatch, not `-p`", "one word"),
        ("options: --time=5", "`--time` is not for `options`", "write `time`"),
        ("options: [--array=1-9]", "`--array` is not for `options`", "one allocation"),
        ("options: ['--wrap=rm -rf /']", "`--wrap` is not for `options`", "leave it out"),
        ("options: [--arr=1-9]", "`--arr` is not for `options`", "one allocation"),
        ("options: [--clusters=other]", "`--clusters` is not for `options`", "`login`"),
        ("login: root@host", "`login` holds a user", "`user: root`"),
        ("user: me", "`user` is for `login`, which is not there", "name the machine"),
        ("nodez: 3", "unknown key `nodez` in `slurm`; did you mean `nodes`?", "the keys"),
        ("partition: null", "`partition` is null", ""),
    ],
)
def test_what_cannot_be_asked_has_a_way_out(asked: str, message: str, hint: str) -> None:
    found = problems(f"slurm:\n  {{{asked}}}\n{AGENTS}")
    assert any(message in problem.message and hint in problem.hint and problem.line == 2 for problem in found), found
    assert all(problem.message.isprintable() for problem in found)


def test_it_must_be_a_map() -> None:
    assert "`slurm` must be a map of keys" in messages_of(f"slurm: [nodes]\n{AGENTS}")[0]
