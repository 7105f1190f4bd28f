"""What several agents of one stage take from each other is said before the run, where it can be seen."""

from __future__ import annotations

import pytest
from scenario_family import load, problems

HEAD = """vars: {which: node_1, out: x}
agents:
  - {name: a, transport: local, labels: {site: lab}}
  - {name: node_1, transport: local, labels: {site: lab, rack: 7}}
  - {name: node_2, transport: local}
stages:
"""


def stage(body: str, keys: str = "") -> str:
    """Give a scenario with one stage of one job."""
    return f"{HEAD}  - name: s\n    with_agents: node\n{keys}    jobs:\n      - {{name: j, {body}}}\n"


SETS = "fake.nothing: {}, "


@pytest.mark.parametrize(
    ("body", "name", "way"),
    [
        ("register: r", "r", "register: 'r_{{ agent.name }}'"),
        ("register: 'r_{{ vars.which }}'", "r_{{ vars.which }}", ""),
        ("vars_updates: {u: '{{ res.x }}'}", "u", "'u_{{ agent.name }}'"),
        ("vars_updates: {u: {value: '{{ agent.name }}', as: string}}", "u", "'u_{{ agent.name }}'"),
        ("with_items: [1], register: r", "r", ""),
        ("when: vars.which == 'a', register: r", "r", ""),
    ],
)
def test_a_variable_that_each_of_several_agents_sets(body: str, name: str, way: str) -> None:
    found = load(stage(SETS + body)).warnings
    assert [warning.message for warning in found] == [f"2 agents set `{name}` at the same time: the last one wins"]
    assert way in found[0].hint
    assert found[0].line == 10
    # Of one agent, or of one after the other, it is what was asked for.
    assert load(stage(SETS + body).replace("with_agents: node", "with_agents: node_1")).warnings == []
    assert load(stage(SETS + body, "    run_agents: sequential\n")).warnings == []


@pytest.mark.parametrize(
    "body",
    [
        "register: 'r_{{ agent.name }}'",
        "register: 'r_{{ re[0] }}'",
        "when: agent.name == 'node_1', register: r",
        "vars_updates: {done: true, n: 1, gone: null, text: same, also: '{{ vars.which }}'}",
        "vars_updates: {'u_{{ agent.name }}': '{{ res.x }}'}",
        "vars_updates: {all: '{{ vars.all | default(\"\") }} {{ agent.name }}'}",
    ],
)
def test_what_no_agent_takes_from_another(body: str) -> None:
    assert load(stage(SETS + body)).warnings == []


def test_agents_that_only_the_run_can_tell_are_not_guessed() -> None:
    text = stage(SETS + "register: r").replace("with_agents: node", "with_agents: '{{ vars.which }}'")
    assert load(text).warnings == []


def test_a_name_that_is_a_template_is_checked_and_counts_as_set() -> None:
    assert "did you mean `agent`" in problems(stage(SETS + "register: 'r_{{ agnt.name }}'"))[0].message
    text = stage(SETS + "register: 'r_{{ agent.name }}'") + "      - {name: k, fake.say: '{{ vars.r_node_1.x }}'}\n"
    assert load(text).warnings == []


@pytest.mark.parametrize(
    "fetch",
    [
        "{remote_path: f, local_path: out}",
        "{remote_path: f, local_path: out/}",
        "{remote_path: f, local_path: .}",
        "{remote_path: 'd/{{ agent.name }}/f', local_path: out/}",
        "{remote_path: '{{ agent.name }}', local_path: out}",
        "{remote_path: f, local_path: '{{ vars.out }}/'}",
    ],
)
@pytest.mark.parametrize("order", ["concurrent", "sequential"])
def test_fetches_into_one_place_are_refused(fetch: str, order: str) -> None:
    found = problems(stage(f"builtins.fetch: {fetch}", f"    run_agents: {order}\n"))
    assert found[0].message.startswith("2 agents would fetch into one place, ")
    assert "{{ agent.name }}/'" in found[0].hint
    assert found[0].source[found[0].column - 1 :].startswith(fetch.rpartition("local_path: ")[2][:3])


@pytest.mark.parametrize(
    "body",
    [
        "builtins.fetch: f",
        "builtins.fetch: {remote_path: f, local_path: 'out/{{ agent.name }}'}",
        "builtins.fetch: {remote_path: f, local_path: 'out/{{ re[0] }}'}",
        "builtins.fetch: {remote_path: 'd/{{ agent.name }}', local_path: out/}",
        "builtins.fetch: {remote_path: f, local_path: /dev/null}",
        "when: agent.name == vars.which, builtins.fetch: {remote_path: f, local_path: out}",
    ],
)
def test_fetches_that_leave_each_other_alone(body: str) -> None:
    assert load(stage(body)).warnings == []


def test_a_stage_may_choose_by_labels() -> None:
    spec = load(stage(SETS + "tags: x", "    with_labels: {site: [lab, '{{ vars.out }}'], rack: 7}\n")).scenario.stages[
        0
    ]
    assert [(c.name, [t.source for t in c.values]) for c in spec.with_labels] == [
        ("site", ["lab", "{{ vars.out }}"]),
        ("rack", ["7"]),
    ]
    text = stage(SETS + "tags: x", "    with_labels: {site: '{{ vars.which }}'}\n")
    assert "is no template" not in str(load(text).warnings)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("{sit: lab}", ["stage `s` matches no agent", "no agent has the label `sit`; did you mean `site`?"]),
        ("{site: lap}", ["stage `s` matches no agent", "no agent has the label `site: lap`; did you mean `lab`?"]),
        ("{rack: [7, 8]}", ["no agent has the label `rack: 8`"]),
    ],
)
def test_labels_that_no_agent_has(labels: str, says: list[str]) -> None:
    found = load(stage(SETS + "tags: x", f"    with_labels: {labels}\n")).warnings
    assert [warning.message for warning in found] == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ agent.nam }}", "`agent` has no `nam`; did you mean `name`?"),
        ("{{ agent.port }}", "`agent` has no `port`"),
        ("{{ agent['nam'] | upper }}", "`agent` has no `nam`"),
        ("{{ agent.labels.sit }}", "no agent has the label `sit`; did you mean `site`?"),
        ("{{ agent.labels['sit'] ~ 1 }}", "no agent has the label `sit`"),
    ],
)
def test_what_agent_has_is_known(text: str, says: str) -> None:
    body = f'fake.say: "{text}"'
    assert says in problems(stage(body))[0].message
    bare = text.strip("{ }")
    assert says in problems(stage(f'fake.nothing: {{}}, when: "{bare} == 1"'))[0].message


def test_a_label_that_some_agent_of_the_stage_lacks() -> None:
    text = stage('fake.say: "{{ agent.labels.rack }} {{ agent.labels.site }}"')
    assert [warning.message for warning in load(text).warnings] == [
        "agent `node_2` takes part in this stage and has no label `rack`",
        "agent `node_2` takes part in this stage and has no label `site`",
    ]
    allowed = stage("fake.say: \"{{ agent.labels.rack | default('-') }} {{ agent.labels }} {{ agent.name }}\"")
    assert load(allowed).warnings == []
    fitting = stage('fake.say: "{{ agent.labels.rack }}"', "    with_labels: {rack: 7}\n")
    assert load(fitting).warnings == []
