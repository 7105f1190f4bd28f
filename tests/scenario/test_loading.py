"""A scenario's parts, rule by rule: what the original accepts means the same here, and what we add is optional."""

from __future__ import annotations

import gc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from scenario_family import AGENTS, job, job_problems, load, problems

from octogram_tui.errors import ScenarioError
from octogram_tui.model.scenario import Mark, Scenario, Text, VarUpdate
from octogram_tui.scenario.load import load_scenario
from octogram_tui.template.environment import render
from octogram_tui.template.items import expand_items
from octogram_tui.template.scope import make_scope


def scenario(text: str, **options: Any) -> Scenario:
    return load(text, **options).scenario


def warnings(text: str, **options: Any) -> list[str]:
    return [warning.message for warning in load(text, **options).warnings]


def messages(text: str, **options: Any) -> list[str]:
    return [problem.message for problem in problems(text, **options) if not problem.is_warning]


def test_a_data_address_goes_with_the_address_of_the_same_machine() -> None:
    text = "agents: [{name: 'd_{0..4}', address: [h1, h2], data_address: ['10.0.0.{1..2}']}]\nstages: []\n"
    assert [(a.address, a.data_address) for a in scenario(text).agents] == [
        ("h1", "10.0.0.1"),
        ("h2", "10.0.0.2"),
        ("h1", "10.0.0.1"),
        ("h2", "10.0.0.2"),
        ("h1", "10.0.0.1"),
    ]
    text = "agents: [{name: a, transport: local, data_address: 10.0.0.9}, {name: b, address: h}]\nstages: []\n"
    assert [a.address_for_others for a in scenario(text).agents] == ["10.0.0.9", "h"]


def test_the_smallest_scenario() -> None:
    loaded = load("stages: []\n")
    assert loaded.warnings == []
    assert loaded.scenario.stages == ()
    assert loaded.scenario.agents == ()
    assert dict(loaded.scenario.variables) == {}
    assert loaded.scenario.binary.kind == "push"
    assert loaded.scenario.files == ("scenario.yml",)


def test_the_defaults_of_the_original() -> None:
    stage = scenario(AGENTS + "stages: [{name: s, jobs: [{name: j, fake.nothing: {}}]}]\n").stages[0]
    assert stage.with_agents == (Text(".*"),)
    assert (stage.run_agents, stage.run_jobs, stage.ask_confirmation) == ("concurrent", "sequential", False)
    (only,) = stage.jobs
    assert (only.run_items, only.items, only.vars_updates) == ("sequential", None, ())
    assert (only.when, only.until, only.timeout_s, only.retries, only.on_failure) == (None, None, None, 0, None)


def test_json_and_both_yaml_extensions_are_read() -> None:
    for file in ("a.yml", "a.yaml", "dir/a.json"):
        assert scenario('{"stages": []}', file=file).path == file


def test_agents_come_in_byte_order() -> None:
    text = "agents: [{name: b, address: h}, {name: B, address: h}, {name: a-1, address: h}]\nstages: []\n"
    assert [agent.name for agent in scenario(text).agents] == ["B", "a-1", "b"]


def test_an_agent_of_the_original() -> None:
    text = "agents: [{name: a, address: 10.0.0.1, user: me, port: 2222, identity: ~/key}]\nstages: []\n"
    agent = scenario(text).agents[0]
    assert (agent.address, agent.user, agent.port, agent.transport) == ("10.0.0.1", "me", 2222, "ssh")
    assert agent.identity is not None
    assert agent.identity.endswith("/key")
    assert not agent.identity.startswith("~")
    assert agent.mark == Mark("scenario.yml", 1, 10)


def test_a_second_agent_of_a_name_replaces_the_first() -> None:
    text = "agents: [{name: a, address: one}, {name: a, address: two}]\nstages: []\n"
    loaded = load(text)
    assert [agent.address for agent in loaded.scenario.agents] == ["two"]
    assert "agent `a` replaces the one of scenario.yml:1" in loaded.warnings[0].message


def test_ranges_of_agents_spread_over_machines() -> None:
    text = "agents: [{name: 'd_{0..4}', address: [h1, h2]}]\nstages: []\n"
    assert [(a.name, a.address) for a in scenario(text).agents] == [
        ("d_0", "h1"),
        ("d_1", "h2"),
        ("d_2", "h1"),
        ("d_3", "h2"),
        ("d_4", "h1"),
    ]
    text = "agents: [{name: 'r{0..1}n{08..10}', address: 'm{0..5}.lan'}]\nstages: []\n"
    assert [(a.name, a.address) for a in scenario(text).agents] == [
        ("r0n08", "m0.lan"),
        ("r0n09", "m1.lan"),
        ("r0n10", "m2.lan"),
        ("r1n08", "m3.lan"),
        ("r1n09", "m4.lan"),
        ("r1n10", "m5.lan"),
    ]


def test_what_agents_have_in_common() -> None:
    text = (
        "defaults: {user: u, port: '22', transport: command, command: 'docker exec -i {name} --at {address}',"
        " python: python3.9, env: {A: 1, B: x}, labels: {zone: z}}\n"
        "agents:\n  - {name: a, env: {B: w, C: true}, address: h}\n  - {name: b, transport: local, command: [x, 1]}\n"
        "prometheus_agent: {name: p}\nstages: []\n"
    )
    result = scenario(text)
    first, second = result.agents
    assert first.command == ("docker", "exec", "-i", "a", "--at", "h")
    assert (first.user, first.port, first.python) == ("u", 22, "python3.9")
    assert dict(first.env) == {"A": "1", "B": "w", "C": "true"}
    assert dict(second.env) == {"A": "1", "B": "x"}
    assert (second.transport, second.command, second.address) == ("local", ("x", "1"), "")
    assert result.prometheus_agent is not None
    assert result.prometheus_agent.command == ("docker", "exec", "-i", "p", "--at", "")


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("{name: 'a b', address: h}", "`a b` cannot be an agent's name"),
        ("{name: 'ä', address: h}", "`ä` cannot be"),
        ("{name: self, address: h}", "`self` cannot be"),
        ("{name: http, address: h}", "`http` cannot be"),
        ("{name: https, address: h}", "`https` cannot be"),
        ("{name: '', address: h}", "`` cannot be"),
        ("{name: a}", "agent `a` has no address"),
        ("{name: a, address: [h, i], data_address: j}", "agent `a` has 1 `data_address` for 2 `address`"),
        ("{address: h}", "`name` is missing in an agent"),
        ("{name: a, transport: command}", "no `command`"),
        ('{name: a, transport: command, command: "\'"}', "cannot be split into words"),
        (
            "{name: a, transport: shh}",
            "must be `ssh` or `local` or `command` or `slurm`, not the text `shh`; did you mean `ssh`?",
        ),
        ("{name: a, address: h, usr: me}", "unknown key `usr` in an agent; did you mean `user`?"),
        ("{name: a, address: h, port: x}", "`port` takes a whole number"),
        ("{name: a, address: h, port: 0}", "`port` must be at least 1"),
        ("{name: a, address: h, port: 2.5}", "`port` takes a whole number"),
        ("{name: a, address: h, user: [x]}", "`user` takes a text, not a list"),
        ("{name: a, address: h, env: [x]}", "`env` takes a map of names and texts"),
        ("{name: a, address: h, user: null}", "`user` is null"),
        ("{name: a, address: [{}]}", "`address` takes a text or a list of texts, not a map"),
        ("{name: 'a{0..99999}', address: h}", "more than 10000 agents"),
        ("{name: 'a{0..200}{0..200}', address: h}", "more than 10000 agents"),
        ("just a text", "an agent must be a map of keys"),
        ("{name: {{ vars.x }}, address: h}", "a template that stands alone must be quoted"),
    ],
)
def test_agents_that_are_refused(agent: str, message: str) -> None:
    found = messages(f"agents:\n  - {agent}\nstages: []\n")
    assert any(message in each for each in found), found


def test_files_of_agents_and_variables() -> None:
    files = {
        "more.yml": "- {name: b, address: h}\n- {name: a, address: other}\n",
        "even.json": '{"agents": [{"name": "c", "address": "h"}]}',
        "vars.yml": "n: 2\nextra: true\n",
        "last.json": '{"extra": "from json"}',
    }
    text = "vars: {n: 1, m: 1, k: x}\nagents: [{name: a, address: h}]\nstages: []\n"
    loaded = load(
        text,
        files=files,
        agent_files=["more.yml", "even.json"],
        variable_files=["vars.yml", "last.json"],
        variables={"m": [1]},
    )
    assert [(a.name, a.address) for a in loaded.scenario.agents] == [("a", "other"), ("b", "h"), ("c", "h")]
    assert dict(loaded.scenario.variables) == {"n": 2, "m": [1], "k": "x", "extra": "from json"}
    assert loaded.scenario.files == ("scenario.yml", "more.yml", "even.json", "vars.yml", "last.json")
    assert loaded.warnings[0].file == "more.yml"


def test_every_file_is_read_before_anything_is_refused() -> None:
    found = problems(
        "stages: [{name: s, jobs: [{name: j}]}]\n",
        files={"v.yml": "- 1\n"},
        agent_files=["gone.yml"],
        variable_files=["v.yml"],
    )
    assert {problem.file for problem in found} == {"scenario.yml", "gone.yml", "v.yml"}


def test_variables_keep_the_original_reading() -> None:
    text = (
        "vars: {a: 1, b: yes, c: ~, d: x, e: 1.9, f: -1.9, g: 1e3, h: '1.9', i: [1.5, yes], j: {k: 0x1f}}\nstages: []\n"
    )
    loaded = load(text)
    assert dict(loaded.scenario.variables) == {
        "a": 1,
        "b": True,
        "c": None,
        "d": "x",
        "e": 1,
        "f": -1,
        "g": 1000,
        "h": "1.9",
        "i": [1.5, True],
        "j": {"k": 31},
    }
    said = [warning.message for warning in loaded.warnings]
    assert any("1.9 becomes 1" in message for message in said)
    assert any("`yes` is the boolean true" in message for message in said)
    assert "not a number that can be kept" in messages("vars: {a: .inf}\nstages: []\n")[0]


def test_vars_updates() -> None:
    body = (
        "fake.nothing:\n"
        "vars_updates:\n"
        "  plain: '{{ res.port }}'\n"
        "  'key_{{ re[0] }}': text\n"
        "  number: 7\n"
        "  cut: 7.9\n"
        "  flag: no\n"
        "  gone: null\n"
        "  typed: {value: '{{ res.port }}', as: int}\n"
        "  swapped: {as: bool, value: 'true'}\n"
        "  listed: {value: '[1]', as: json}\n"
        "  default: {value: x}\n"
        "  unquoted: {value: 8, as: int}\n"
    )
    updates = {u.name.source: u for u in job(body).scenario.stages[0].jobs[0].vars_updates}
    assert [
        (name, u.value.source if isinstance(u.value, Text) else u.value, u.cast) for name, u in updates.items()
    ] == [
        ("plain", "{{ res.port }}", "kept"),
        ("key_{{ re[0] }}", "text", "kept"),
        ("number", 7, "kept"),
        ("cut", 7, "kept"),
        ("flag", False, "kept"),
        ("gone", None, "kept"),
        ("typed", "{{ res.port }}", "int"),
        ("swapped", "true", "bool"),
        ("listed", "[1]", "json"),
        ("default", "x", "kept"),
        ("unquoted", "8", "int"),
    ]
    assert isinstance(updates["plain"], VarUpdate)


def test_updates_of_a_job_of_the_original_are_texts() -> None:
    body = (
        "builtins.start_http_server:\nvars_updates: {port: '{{ res.port }}', typed: {value: '{{ res.port }}', as: int}}"
    )
    updates = job(body).scenario.stages[0].jobs[0].vars_updates
    assert [update.cast for update in updates] == ["string", "int"]


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ("{a: [1]}", "`a` takes a scalar or {value: TEMPLATE, as: TYPE}, not a list"),
        ("{a: {b: 1}}", "`a` takes a scalar"),
        ("{a: {value: [1], as: int}}", "`value` takes a template"),
        ("{a: {value: x, as: float}}", "`as` must be `string` or `int` or `bool` or `json`"),
        ("{a: {value: x, was: int}}", "unknown key `was` in an update; did you mean `as`?"),
        ("[a]", "`vars_updates` must be a map"),
        ("null", "`vars_updates` is null"),
        ("{a: .inf}", "not a number that can be kept"),
        ("{'{{ x': 1}", "expected"),
        ("{a: '{{ vars.nope }}'}", "no variable `nope` is defined anywhere"),
    ],
)
def test_updates_that_are_refused(update: str, message: str) -> None:
    found = [p.message for p in job_problems(f"fake.nothing: {{}}\nvars_updates: {update}")]
    assert any(message in each for each in found), found


def items_of(definition: str, **variables: Any) -> list[Any]:
    spec = job(f"fake.nothing: {{}}\nwith_items: {definition}", variables="n: 2").scenario.stages[0].jobs[0].items
    assert spec is not None
    return [value for _, value, _ in expand_items(spec, make_scope({"n": 2}, agent="a", captures=["a"]))]


def test_items() -> None:
    assert items_of("5") == [5]
    assert items_of("1..3") == [1, 2, 3]
    assert items_of("[a, 1, true, null, '2..3', 2.9, '{{ vars.n }}']") == ["a", 1, True, None, 2, 3, 2, 2]
    assert items_of("{product: [1..2, [x, z]]}") == [[1, "x"], [1, "z"], [2, "x"], [2, "z"]]
    assert items_of("{product: []}") == [[]]
    assert items_of("[]") == []
    assert items_of("null") == [None]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{a: 1}", "unknown key `a` in `with_items`"),
        ("{product: 1}", "`product` must be a list"),
        ("{product: [1], of: 2}", "unknown key `of`"),
        ("[[1]]", "an item is a scalar, not a list"),
        ("[{a: 1}]", "an item is a scalar, not a map"),
        ("{product: [[[1]]]}", "an item is a scalar"),
        ("'{{ vars.nope }}'", "no variable `nope`"),
        ("'{{ res }}'", "`res` is the result"),
        ("[.inf]", "not a number"),
    ],
)
def test_items_that_are_refused(definition: str, message: str) -> None:
    found = [p.message for p in job_problems(f"fake.nothing: {{}}\nwith_items: {definition}")]
    assert any(message in each for each in found), found


def test_what_a_job_may_have_beside_its_procedure() -> None:
    body = (
        "fake.nothing:\nwhen: vars.n > 1\ntimeout: 1m30s\nretries: '3'\nretry_delay: 5\nuntil: res.ok\n"
        "on_failure: continue\nregister: outcome\ntags: [x, 1]\nrun_items: concurrent\nwith_items: 1..2\n"
    )
    one = job(body, variables="n: 1").scenario.stages[0].jobs[0]
    assert one.when is not None
    assert (one.when.source, one.when.mark.line) == ("vars.n > 1", 8)
    assert one.until is not None
    assert (one.timeout_s, one.retries, one.retry_delay_s) == (90.0, 3, 5.0)
    assert (one.on_failure, one.register, one.tags, one.run_items) == (
        "continue",
        "outcome",
        frozenset(("x", "1")),
        "concurrent",
    )
    always = job("fake.nothing:\nwhen: true\ntags: solo").scenario.stages[0].jobs[0]
    assert always.when == Text("true", Mark("scenario.yml", 8, 15))
    assert always.tags == {"solo"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("fake.nothing:\nretries: -1", "`retries` must be at least 0"),
        ("fake.nothing:\ntimeout: soon", "`timeout` takes a duration"),
        ("fake.nothing:\non_failure: ignore", "`on_failure` must be `abort` or `continue` or `pause`"),
        ("fake.nothing:\nrun_items: parallel", "`run_items` must be `sequential` or `concurrent`"),
        ("fake.nothing:\nrun_items: null", "`run_items` is null"),
        ("fake.nothing:\nwhen: [1]", "`when` takes an expression"),
        ("fake.nothing:\nwhen: null", "`when` is null"),
        ("fake.nothing:\nwhen: '{{ vars.n'", "expected"),
        ("fake.nothing:\nwhen: res.ok", "`res` is the result"),
        ("fake.nothing:\nwhen: vars.nope", "no variable `nope`"),
        ("fake.nothing:\nregister: [a]", "`register` takes a text"),
        ("fake.nothing:\nwith_itms: 1", "unknown key `with_itms` in a job; did you mean `with_items`?"),
        ("fake.nothing:\nzzz: 1", "unknown key `zzz` in a job"),
        ("fake.nothin: {}", "there is no procedure `fake.nothin`; did you mean `fake.nothing`?"),
        ("builtin.shell: x", "there is no procedure `builtin.shell`; did you mean `builtins.shell`?"),
        ("qqq.www: x", "there is no procedure `qqq.www`"),
        ("internals.start_prometheus: {}", "there is no procedure `internals.start_prometheus`"),
        ("cpy: {}", "unknown key `cpy` in a job; did you mean `copy`?"),
        ("fake.nothing: {}\nfake.say: x", "a job does one thing: `fake.say` comes after `fake.nothing`"),
        ("tags: x", "this job does nothing"),
        ("fake.nothing: 3", "`fake.nothing` takes a map of arguments, not the number 3"),
        ("fake.nothing: {a: 1}", "unknown key `a`"),
    ],
)
def test_jobs_that_are_refused(body: str, message: str) -> None:
    found = [p.message for p in job_problems(body, variables="n: 1")]
    assert any(message in each for each in found), found


def test_a_stage_of_ours() -> None:
    text = AGENTS + (
        "vars: {go: true}\n"
        "stages:\n  - name: s\n    with_agents: ['node_(\\d)', a]\n    run_agents: sequential\n"
        "    run_jobs: concurrent\n"
        "    ask_confirmation: yes\n    when: vars.go\n    always: 'true'\n    max_concurrency: 4\n"
        "    tags: t\n    jobs: []\n"
    )
    stage = scenario(text).stages[0]
    assert [t.source for t in stage.with_agents] == ["node_(\\d)", "a"]
    assert (stage.run_agents, stage.run_jobs, stage.ask_confirmation) == ("sequential", "concurrent", True)
    assert stage.when is not None
    assert (stage.always, stage.max_concurrency, stage.tags) == (True, 4, frozenset("t"))


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("{jobs: []}", "`name` is missing in a stage"),
        ("{name: s}", "`jobs` is missing in a stage"),
        ("{name: ' ', jobs: []}", "needs a name that can be read"),
        ("{name: s, jobs: {}}", "`jobs` must be a list"),
        ("{name: s, jobs: null}", "`jobs` is null"),
        ("{name: s, jobs: [{fake.nothing: {}}]}", "`name` is missing in a job"),
        ("{name: s, jobs: [3]}", "a job must be a map"),
        ("{name: s, jobs: [], run_agent: x}", "unknown key `run_agent` in a stage; did you mean `run_agents`?"),
        ("{name: s, jobs: [], ask_confirmation: maybe}", "`ask_confirmation` takes true or false"),
        ("{name: s, jobs: [], ask_confirmation: null}", "`ask_confirmation` is null"),
        ("{name: s, jobs: [], with_agents: '('}", "is not a regular expression"),
        ("{name: s, jobs: [], with_agents: null}", "`with_agents` is null"),
        ("{name: s, jobs: [], with_agents: '{{ re[0] }}'}", "`re` exists only once"),
        ("{name: s, jobs: [], with_agents: '{{ vars.nope }}'}", "no variable `nope`"),
        ("{name: s, jobs: [], when: agent.name}", "`agent` is known in jobs only"),
        ("{name: s, jobs: [], max_concurrency: 0}", "at least 1"),
        ("{name: {{ x }}, jobs: []}", "a template that stands alone must be quoted"),
        ("s", "a stage must be a map"),
    ],
)
def test_stages_that_are_refused(stage: str, message: str) -> None:
    found = messages(f"{AGENTS}stages:\n  - {stage}\n")
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agents: []\n", "`stages` is missing in a scenario"),
        ("stages: {}\n", "`stages` must be a list"),
        ("stages: []\nstage: 1\n", "unknown key `stage` in a scenario; did you mean `stages`?"),
        ("- 1\n", "a scenario is a map of keys, not a list"),
        ("text\n", "a scenario is a map of keys, not the text `text`"),
        ("stages: []\nvars: [1]\n", "`vars` must be a map"),
        ("stages: []\nvars:\n", "`vars` is null"),
        ("stages: []\nagents: {}\n", "`from` is missing in `agents`"),
        ("stages: []\ndefaults: 1\n", "`defaults` must be a map"),
        ("stages: []\ndefaults: {name: x}\n", "unknown key `name` in `defaults`"),
        ("stages: []\nprometheus_agent: {name: a}\n", "has no address"),
        ("stages: []\noctogram_binary: x\n", "`octogram_binary` must be a map"),
        ("stages: []\noctogram_binary: {push: a, pull: b}\n", "exactly one of `push`, `pull` and `installed`"),
        ("stages: []\noctogram_binary: {sha256: x}\n", "exactly one of"),
        ("stages: []\noctogram_binary: {pull: x}\n", "`pull` takes a URL"),
        ("stages: []\noctogram_binary: {pull: 'http://x', sha256: ab}\n", "64 hexadecimal digits"),
        ("stages: []\noctogram_binary: {push: [1]}\n", "`push` takes a text"),
        ("stages: []\noctogram_binary: {pul: x}\n", "unknown key `pul` in `octogram_binary`; did you mean `pull`?"),
    ],
)
def test_scenarios_that_are_refused(text: str, message: str) -> None:
    found = messages(text)
    assert any(message in each for each in found), found


def test_how_the_daemon_gets_there(tmp_path: Path) -> None:
    digest = "a" * 64

    def binary(written: str) -> tuple[str, str, str | None]:
        source = scenario(f"octogram_binary: {written}\nstages: []\n").binary
        return source.kind, source.value, source.sha256

    assert binary("{installed: /opt/agentd}") == ("installed", "/opt/agentd", None)
    assert binary("{pull: 'https://x/octogram.pyz'}") == ("pull", "https://x/octogram.pyz", None)
    assert binary(f"{{pull: 'https://x/octogram', sha256: {digest}}}") == ("pull", "https://x/octogram", digest)
    assert binary("{push: ./agentd}") == ("push", "", None)
    text = "octogram_binary: {push: ./agentd}\nstages: []\n"
    assert warnings(text) == ["`./agentd` is not a bundle of this program; our own daemon is sent instead"]
    with zipfile.ZipFile(tmp_path / "bundle.pyz", "w") as bundle:
        bundle.writestr("octogram_agentd/wire/lines.py", "")
    assert binary(f"{{push: {tmp_path}/bundle.pyz}}") == ("push", f"{tmp_path}/bundle.pyz", None)
    assert "for `pull` only" in warnings(f"octogram_binary: {{installed: x, sha256: {digest}}}\nstages: []\n")[0]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("{push: octogram}", "octogram"),
        ("{push: ./_build/default/src/bin_octogram/octogram_main.exe}", None),
        ("{pull: 'https://storage.example/bucket/octogram'}", "https://storage.example/bucket/octogram"),
        ("{pull: 'http://10.0.0.1:8000/octogram?alt=media'}", "http://10.0.0.1:8000/octogram?alt=media"),
        ("{installed: /root/octogram}", "/root/octogram"),
        ("{installed: octogram}", "octogram"),
        ("{installed: {}}", "octogram"),
        ("{}", "octogram"),
    ],
)
def test_the_program_of_the_original_is_not_ours(written: str, named: str | None) -> None:
    text = f"octogram_binary: {written}\nstages: []\n"
    loaded = scenario(text).binary
    assert (loaded.kind, loaded.value, loaded.sha256) == ("push", "", None)
    [said] = warnings(text)
    assert said.endswith("is the original's program; our own daemon is sent instead")
    assert named is None or said.startswith(f"`{named}` ")


def test_selectors_that_choose_nobody_are_a_warning() -> None:
    text = AGENTS + "stages:\n  - {name: s, with_agents: [nodd_1, x], jobs: []}\n"
    assert warnings(text) == ["stage `s` matches no agent; did you mean `node_1`?"]
    assert warnings(AGENTS + "stages:\n  - {name: s, with_agents: [nodd, a], jobs: []}\n") == []
    assert warnings(AGENTS + "vars: {w: x}\nstages:\n  - {name: s, with_agents: '{{ vars.w }}', jobs: []}\n") == []
    assert "chooses no agent" in warnings(AGENTS + "stages:\n  - {name: s, with_agents: [], jobs: []}\n")[0]
    assert warnings("stages:\n  - {name: s, jobs: []}\n") == ["there are no agents: nothing will run"]


def test_names_that_occur_twice() -> None:
    text = AGENTS + (
        "stages:\n  - {name: s, jobs: [{name: j, fake.nothing: {}}, {name: j, fake.nothing: {}}]}\n"
        "  - {name: s, jobs: []}\n"
    )
    loaded = load(text)
    assert [stage.key for stage in loaded.scenario.stages] == ["s", "s~2"]
    assert [each.key for each in loaded.scenario.stages[0].jobs] == ["j", "j~2"]
    assert len(loaded.warnings) == 2


def test_variables_that_jobs_set_are_known() -> None:
    text = AGENTS + (
        "stages:\n  - name: s\n    jobs:\n"
        "      - {name: a, fake.nothing: {}, register: whole, vars_updates: {one: 1, 'p_{{ re[0] }}': 2}}\n"
        "      - {name: b, fake.say: '{{ vars.one }}{{ vars.whole }}{{ vars.p_x }}{{ vars.none | default(1) }}'}\n"
        "      - {name: c, fake.say: '{{ vars.q_x }}'}\n"
    )
    assert messages(text) == ["no variable `q_x` is defined anywhere"]


def test_variables_of_the_command_line_are_known() -> None:
    text = AGENTS + "stages: [{name: s, jobs: [{name: j, fake.say: '{{ vars.x }}'}]}]\n"
    assert messages(text) == ["no variable `x` is defined anywhere"]
    assert load(text, variables={"x": 1}).warnings == []


def test_digests_follow_what_is_edited() -> None:
    text = (
        AGENTS + "stages:\n  - name: s\n    jobs:\n      - {name: j, fake.say: one}\n      - {name: k, fake.say: two}\n"
    )
    before = scenario(text)
    commented = scenario(text.replace("stages:", "# a comment\nstages:"))
    edited = scenario(text.replace("one", "other"))
    staged = scenario(text.replace("- name: s\n", "- name: s\n    always: true\n"))
    assert before.digest != commented.digest
    assert [j.digest for j in before.stages[0].jobs] == [j.digest for j in commented.stages[0].jobs]
    assert before.stages[0].jobs[0].digest != edited.stages[0].jobs[0].digest
    assert before.stages[0].jobs[1].digest == edited.stages[0].jobs[1].digest
    assert before.stages[0].digest == edited.stages[0].digest
    assert before.stages[0].digest != staged.stages[0].digest
    assert before.digest != scenario(text, variables={"x": 1}).digest
    assert before.digest == scenario(text).digest


def test_aliases_share_what_they_name_and_repeat_no_problem() -> None:
    text = AGENTS + (
        "stages:\n  - name: s\n    jobs:\n"
        "      - &job {name: j, fake.say: '{{ vars.nope }}'}\n      - *job\n      - {<<: *job, name: k}\n"
    )
    found = problems(text)
    assert [p.message for p in found if not p.is_warning] == ["no variable `nope` is defined anywhere"]


def test_errors_come_first_and_all_of_them() -> None:
    text = (
        "agents: [{name: a b, address: h}, {name: yes, address: h}]\n"
        "stages: [{name: s, jobs: [{name: j, zzz: 1}]}]\nx: 1\n"
    )
    found = problems(text)
    kinds = [problem.is_warning for problem in found]
    assert kinds == sorted(kinds)
    errors = [(p.line, p.column) for p in found if not p.is_warning]
    assert errors == sorted(errors)
    assert len(errors) == 3
    assert all(p.source for p in found)


def test_the_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    load("stages: []\n")
    assert gc.isenabled()
    gc.disable()
    try:
        load("stages: []\n")
        assert not gc.isenabled()
    finally:
        gc.enable()


OWN = """
from octogram_agentd.procedures.base import Field, Procedure

class Greet(Procedure):
    procedure = "mine.greet"
    short = "whom"
    whom: "Field[str]" = Field("str", required=True)
"""


def own(source: str, name: str = "mine.py", body: str = "mine.greet: you") -> str:
    return f"procedures: [{name}]\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body}}}]}}]\n"


def test_procedures_beside_the_scenario() -> None:
    loaded = load(own(OWN), file="dir/s.yml", files={"dir/mine.py": OWN})
    assert loaded.scenario.own_procedures[0].names == ("mine.greet",)
    assert loaded.scenario.own_procedures[0].source == OWN
    assert loaded.scenario.files == ("dir/s.yml", "dir/mine.py")
    changed = load(own(OWN), file="dir/s.yml", files={"dir/mine.py": OWN + "# edited\n"})
    assert loaded.scenario.stages[0].jobs[0].digest != changed.scenario.stages[0].jobs[0].digest
    assert loaded.scenario.digest != changed.scenario.digest
    # What one scenario brought along, another one does not know.
    assert "no procedure `mine.greet`" in messages(own(OWN).replace("procedures: [mine.py]\n", ""))[0]


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("gone.py", None, "gone.py: there is no such file"),
        ("mine.txt", "", "`mine.txt` is not a Python file"),
        ("mine.py", "def", "mine.py:1: invalid syntax"),
        ("mine.py", OWN.replace("mine.greet", "builtins.shell"), "whose family is ours"),
        ("mine.py", OWN.replace("mine.greet", "tezos.brandnew"), "whose family is ours"),
    ],
)
def test_own_procedures_that_cannot_be_loaded(name: str, source: str | None, message: str) -> None:
    from octogram_agentd.procedures import find, load_all

    load_all()
    shell = find("builtins.shell")
    files = {} if source is None else {f"./{name}": source}
    found = messages(own("", name, "fake.nothing: {}"), files=files)
    assert any(message in each for each in found), found
    assert find("builtins.shell") is shell


def test_a_file_without_procedures_is_a_warning() -> None:
    assert "defines no procedure" in warnings(own("", body="fake.nothing: {}"), files={"./mine.py": "x = 1\n"})[0]


def test_from_disk(tmp_path: Path) -> None:
    (tmp_path / "s.yml").write_text(
        "procedures: own.py\n" + AGENTS + "stages: [{name: s, jobs: [{name: j, disk.do: {}}]}]\n"
    )
    (tmp_path / "own.py").write_text(OWN.replace("mine.greet", "disk.do").replace("required=True", "default='x'"))
    loaded = load_scenario(str(tmp_path / "s.yml"))
    assert loaded.scenario.directory == str(tmp_path)
    assert loaded.scenario.stages[0].jobs[0].arguments.raw() == {"whom": "x"}
    with pytest.raises(ScenarioError):
        load_scenario(str(tmp_path / "none.yml"))


def test_templates_of_the_original_with_plus_and_braces() -> None:
    one = job("fake.say: '{{ var(\"rollup_\" + re[0]) }}'", variables="rollup_a: sr1").scenario.stages[0].jobs[0]
    scope = make_scope({"rollup_a": "sr1"}, agent="a", captures=["a"])
    assert one.arguments.expand(scope, lambda kind, uri: {})["text"] == "sr1"
    assert render("{{ re[0] + 1 }}", scope) == "a1"


def test_an_item_without_items_is_a_warning() -> None:
    loaded = job("fake.say: '{{ item }}'")
    assert [warning.message for warning in loaded.warnings] == ["this job uses `item` and has no `with_items`"]
    assert job("fake.say: '{{ vars.items }}'", variables="items: 1").warnings == []
    assert job("fake.say: '{{ item }}'\nwith_items: 1").warnings == []


def test_words_that_are_numbers_elsewhere() -> None:
    text = "agents: [{name: 7, address: 1.10}]\nstages: [{name: 2, jobs: []}, {name: 1.10, jobs: []}]\n"
    loaded = load(text)
    assert [agent.name for agent in loaded.scenario.agents] == ["7"]
    assert [stage.name for stage in loaded.scenario.stages] == ["2", "1.1"]
    assert "`1.10` is read as the number 1.1" in loaded.warnings[0].message


def test_files_of_the_wrong_shape() -> None:
    files = {"a.yml": "a: 1\n", "v.yml": "[", "b.yml": "["}
    found = problems("stages: []\n", files=files, agent_files=["a.yml", "b.yml"], variable_files=["v.yml"])
    assert [p.message for p in found if p.file == "a.yml"] == ["`agents` must be a list, not a map"]
    assert {problem.file for problem in found} == {"a.yml", "b.yml", "v.yml"}


@pytest.mark.parametrize("value", ["1", "0", "1.5", "[true]", "{a: 1}"])
@pytest.mark.parametrize("place", ["fake.nothing:\nwhen", "fake.nothing:\nuntil", "fake.everything:\n  expression"])
def test_a_condition_is_written_as_an_expression_or_a_boolean(place: str, value: str) -> None:
    messages = [problem.message for problem in job_problems(f"{place}: {value}")]
    assert any("takes an expression that is true or false, not" in message for message in messages)
    assert job(f"{place}: true") is not None


def test_a_template_that_is_no_condition_must_be_quoted() -> None:
    assert "quoted" in job_problems("fake.nothing:\nwhen: {a: 1}")[0].hint


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("on: 'false'", "is the text 'false'"),
        ("on: 0", "is an integer"),
        ("on: []", "is a list"),
        ("on: false", ""),
        ("on: null", ""),
    ],
)
def test_a_variable_that_cannot_be_a_condition_is_told_when_nothing_sets_it(given: str, says: str) -> None:
    asking = (
        f"vars: {{{given}}}\nagents: [{{name: a, transport: local}}]\n"
        "stages: [{name: s, jobs: [{name: j, fake.nothing: , when: vars.on}]}]\n"
    )
    messages = [warning.message for warning in load(asking).warnings]
    assert [says in message for message in messages] == ([True] if says else [])
    assert load(asking.replace("when: vars.on", "when: vars.on, vars_updates: {on: true}")).warnings == []


TRIES = """vars: {tries: 1}
agents: [{name: a, transport: local}]
stages: [{name: s, jobs: [{name: j, fake.say: '{{ vars.tries }} {{ vars.more | default(2) }}'}]}]
"""


def test_a_variable_of_the_command_line_that_nothing_uses() -> None:
    loaded = load(TRIES, variables={"tires": 3, "more": 4})
    assert [(w.file, w.message) for w in loaded.warnings] == [
        ("--var", "no template uses `tires`; did you mean `tries`?")
    ]
    assert loaded.warnings[0].hint == "the scenario's variables are more, tries"
    assert load(TRIES, variables={"tries": 3, "more": 4}).warnings == []
    # Whoever computes names may mean any of them.
    assert load(TRIES.replace("vars.tries", "vars | tojson"), variables={"tires": 3}).warnings == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stage: []\n", "unknown key `stage` in a scenario; did you mean `stages`?"),
        ("octogram_binary: {pul: x}\n", "unknown key `pul` in `octogram_binary`; did you mean `pull`?"),
        ("defaults: {usr: x}\n", "unknown key `usr` in `defaults`; did you mean `user`?"),
        ("agents: [{name: a, adress: h}]\n", "unknown key `adress` in an agent; did you mean `address`?"),
        ("prometheus_agent: {name: a, lables: {}}\n", "unknown key `lables` in an agent; did you mean `labels`?"),
        ("stages: [{name: s, with_lables: {}, jobs: []}]\n", "in a stage; did you mean `with_labels`?"),
    ],
)
def test_keys_that_do_not_exist_have_one_that_was_meant(text: str, says: str) -> None:
    assert any(says in message for message in messages(text if "stages" in text else text + "stages: []\n"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("fake.nothing:\nregster: r", "unknown key `regster` in a job; did you mean `register`?"),
        ("fake.nothing:\nwith_items: {prodct: [[1]]}", "in `with_items`; did you mean `product`?"),
        ("fake.nothing:\nvars_updates: {a: {value: x, ass: int}}", "in an update; did you mean `as`?"),
        ("fake.nothing:\nvars_updates: {a: {value: x, as: itn}}", "did you mean `int`?"),
        ("fake.everything: {slot: {index: 1, sise: 2}}", "unknown key `slot.sise`; did you mean `size`?"),
        ("fake.everything: {cuont: 2}", "unknown key `cuont`; did you mean `count`?"),
        ("builtins.shell: make\ncwd: x", "unknown key `cwd` in a job: it is an argument of `builtins.shell`"),
        ("builtins.shell: {script: make, retries: 2}", "unknown key `retries`: it is one of the job"),
    ],
)
def test_keys_of_jobs_that_do_not_exist(body: str, says: str) -> None:
    assert any(says in problem.message for problem in job_problems(body))


def test_a_file_of_agents_and_an_expression_have_one_that_was_meant() -> None:
    found = problems("stages: []\n", files={"a.yml": "agent: []\n"}, agent_files=["a.yml"])
    assert "did you mean `agents`?" in found[0].message
    text = "agents: [{name: node_1, transport: local}]\nstages: [{name: s, with_agents: ^nod_1$, jobs: []}]\n"
    assert load(text).warnings[0].message == "stage `s` matches no agent; did you mean `node_1`?"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("builtins.shell: x\nvars_updates: {a: '{{ res.stduot }}'}", "has no `stduot`; did you mean `stdout`?"),
        ("builtins.shell: x\nretries: 1\nuntil: res['exit'] == 0", "has no `exit`; did you mean `exit_code`?"),
        ("builtins.http: 'http://h/'\nvars_updates: {a: '{{ res.json.x }} {{ res.jsn.x | upper }}'}", "has no `jsn`"),
        ("builtins.sleep: 1\nvars_updates: {a: '{{ res.x }}'}", "this job has no result: there is no `res.x`"),
    ],
)
def test_members_of_a_result_that_do_not_exist(body: str, says: str) -> None:
    assert [says in message for message in of_results(body)] == [True]


def test_members_of_a_result_that_may_exist() -> None:
    texts = ["{{ res.stdout }}", "{{ res.x | default(1) }}", "{{ res.items() }} {{ res }}", "{{ res.failed }}"]
    for text in texts:
        assert of_results(f"builtins.shell: x\nvars_updates: {{a: '{text}'}}") == []
    assert of_results("fake.nothing:\nvars_updates: {a: '{{ res.anything }}'}") == []


def of_results(body: str) -> list[str]:
    """Give what is doubtful about results in a job that three agents run."""
    return [warning.message for warning in job(body).warnings if "at the same time" not in warning.message]


ELSEWHERE = """
vars: {z: null, y: 1}
agents: [{name: a, transport: local}]
stages:
  - name: s
    with_agents: '{{ "a" | md5 }}'
    jobs:
      - name: j
        with_items: '{{ range(1, 3) | join }}'
        copy: {local_path: '{{ vars.z | default("x") }}', remote_path: '{{ vars.y | default("x") }}'}
        vars_updates: {v: '{{ 2 ** 3 }}'}
  - name: ours
    jobs:
      - {name: k, with_items: '{{ range(1, 3) | join }}', builtins.command: 'echo {{ range(1, 3) | join }}'}
"""


def test_other_meanings_are_told_of_jobs_of_the_original_only() -> None:
    warnings = load(ELSEWHERE).warnings
    assert [(w.line, w.message.split(" ")[0]) for w in warnings] == [
        (6, "`md5`"),
        (9, "`range(1,"),
        (10, "`vars.z`"),
        (11, "`**`"),
    ]


LITERAL = """
vars: {b: 1, url: 'http://{{ vars.b }}', list: [a, {c: '{{ agent.name }}'}], format: '{{.Names}} {{ .Item }}'}
agents: [{name: a, transport: local, env: {A: '{{ vars.b }}'}, labels: {l: '{{ .x }}'}}]
stages:
  - name: 'stage {{ vars.b }}'
    with_agents: '{{ vars.b }}|a'
    tags: ['{{ vars.b }}']
    jobs: [{name: 'job {{ vars.b }}', fake.nothing: }]
"""


def test_what_looks_like_a_template_where_none_is_expanded() -> None:
    told = [warning.message.split(" ")[0] for warning in load(LITERAL).warnings]
    assert told == ["`vars.url`", "`vars.list.c`", "`A`", "`name`", "`tags`", "`name`"]


def test_labels_of_several_values_are_checked_like_others() -> None:
    agents = "agents:\n- {name: a, transport: local, labels: {group: [web, 7, web], site: lab}}\n"

    def said(choice: str) -> list[str]:
        text = f"{agents}- {{name: b, transport: local}}\nstages: [{{name: s, with_labels: {choice}, jobs: []}}]\n"
        return [warning.message for warning in load(text).warnings]

    assert said("{group: [web, '7']}") == []
    assert said("[{group: web}, {site: '!lab'}, {group: '!7'}]") == ["stage `s` matches no agent"]
    assert said("{group: '!wbe'}") == ["no agent has the label `group: wbe`; did you mean `web`?"]
    assert "no agent has the label `grop`; did you mean `group`?" in said("[{grop: web}]")
    assert "must be a map" in messages(f"{agents}stages: [{{name: s, with_labels: [web], jobs: []}}]\n")[0]
    wrong = "agents: [{name: a, transport: local, labels: {g: [{}]}}]\nstages: []\n"
    assert "takes a text or a list of texts" in messages(wrong)[0]
