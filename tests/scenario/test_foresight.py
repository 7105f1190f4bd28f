"""The plan: every instance that would run, arguments expanded as far as anybody can know beforehand."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from scenario_family import AGENTS, load

from octogram_tui.scenario.foresight import Planned, as_json, as_lines, plan


def planned(stages: str, variables: str = "", **options: Any) -> list[Planned]:
    return list(plan(load(f"vars: {{{variables}}}\n{AGENTS}stages:\n{stages}").scenario, **options))


def test_agents_jobs_and_items_in_order() -> None:
    rows = planned(
        "  - name: s\n    with_agents: 'node_(\\d)'\n    jobs:\n"
        "      - {name: j, with_items: 1..2, fake.say: '{{ agent.name }} {{ re[1] }} {{ item }}'}\n"
        "      - {name: k, fake.nothing: {}}\n"
    )
    assert [(row.key, row.arguments.get("text")) for row in rows] == [
        ("s/j@node_1[1]", "node_1 1 1"),
        ("s/j@node_1[2]", "node_1 1 2"),
        ("s/k@node_1", None),
        ("s/j@node_2[1]", "node_2 2 1"),
        ("s/j@node_2[2]", "node_2 2 2"),
        ("s/k@node_2", None),
    ]
    assert rows[0].item == "1"
    assert rows[2].item is None


def test_what_depends_on_results_stays_a_template() -> None:
    rows = planned(
        "  - name: s\n    with_agents: ^a\n    jobs:\n"
        "      - {name: j, fake.nothing: {}, register: all, vars_updates: {port: '{{ res.p }}', flag: true, gone: null,"
        " 'd_{{ agent.name }}': x}}\n"
        "      - {name: k, with_items: ['{{ vars.port }}', 1], fake.nothing: {}}\n"
        "  - name: t\n    with_agents: ^a\n    jobs:\n"
        "      - name: j\n        fake.everything: {text: '{{ vars.port }}', names: ['{{ vars.flag }}', '{{ "
        "vars.n }}'],"
        " env: {A: '{{ vars.d_a }}', B: '{{ vars.n }}'}, file: 'self://{{ vars.n }}'}\n"
        "      - {name: k, fake.say: '{{ vars.all }}'}\n"
        '      - {name: l, fake.say: \'{{ var("n" ~ "") }}\'}\n'
        "      - {name: m, fake.say: '{{ vars.n + 1 }}'}\n"
        "  - {name: u, with_agents: '{{ vars.port }}', jobs: [{name: j, fake.nothing: {}}]}\n"
        "  - {name: v, with_agents: '^{{ agent_is }}', jobs: []}\n".replace("{{ agent_is }}", "{{ vars.n }}"),
        variables="n: 3, gone: 1",
    )
    by_key = {row.key: row for row in rows}
    assert by_key["s/k@a[{{ vars.port }}]"].note == "items are known when the job starts"
    first = by_key["t/j@a"].arguments
    assert first["text"] == "{{ vars.port }}"
    assert first["names"] == ["true", "3"]
    assert first["env"] == {"A": "{{ vars.d_a }}", "B": "{{ vars.n }}"}
    assert first["file"] == "self://3"
    assert by_key["t/k@a"].arguments["text"] == "{{ vars.all }}"
    assert by_key["t/l@a"].arguments["text"] == '{{ var("n" ~ "") }}'
    assert by_key["t/m@a"].arguments["text"] == "4"
    assert by_key["u/j@?"].agent == ""
    assert "chosen when the stage starts" in by_key["u/j@?"].note


def test_conditions() -> None:
    rows = planned(
        "  - {name: never, when: vars.n > 5, jobs: [{name: j, fake.nothing: {}}]}\n"
        "  - name: s\n    with_agents: ^a\n    when: vars.n == 3\n    jobs:\n"
        "      - {name: j, when: agent.name == 'a', fake.nothing: {}}\n"
        "      - {name: k, when: agent.name == 'b', fake.nothing: {}}\n"
        "      - {name: l, when: 'item > 1', with_items: 1..2, fake.nothing: {}}\n"
        "      - {name: m, fake.nothing: {}, register: out}\n"
        "      - {name: q, when: vars.out.ok, fake.nothing: {}}\n"
        "      - {name: o, when: 're[7]', fake.nothing: {}}\n"
        "  - {name: t, with_agents: ^a, when: vars.out.ok, jobs: [{name: j, fake.nothing: {}}]}\n",
        variables="n: 3",
    )
    assert [(row.key, row.note) for row in rows] == [
        ("s/j@a", ""),
        ("s/l@a[2]", ""),
        ("s/m@a", ""),
        ("s/q@a", "when vars.out.ok"),
        ("s/o@a", "when re[7]"),
        ("t/j@a", "when vars.out.ok"),
    ]


def test_what_would_go_wrong_is_noted() -> None:
    rows = planned(
        "  - name: s\n    with_agents: ^a\n    jobs:\n"
        "      - {name: j, fake.say: '{{ re[5] }}'}\n"
        "      - {name: k, with_items: '0..{{ vars.n }}', fake.nothing: {}}\n"
        "      - {name: l, fake.starts: {argv: ['{{ port.http }}', '{{ vars.n }}'], ports: {http: fresh}}}\n"
        "  - {name: t, with_agents: '{{ vars.bad }}', jobs: [{name: j, fake.nothing: {}}]}\n"
        "  - {name: u, with_agents: '{{ vars.n.x }}', jobs: [{name: j, fake.nothing: {}}]}\n",
        variables="n: 99999999, bad: '('",
    )
    by_key = {row.key: row for row in rows}
    assert "there is no element 5" in by_key["s/j@a"].note
    assert by_key["s/j@a"].arguments["text"] == "{{ re[5] }}"
    assert "at most" in by_key["s/k@a[0..{{ vars.n }}]"].note
    assert by_key["s/l@a"].arguments["argv"] == ["{{ port.http }}", "99999999"]
    assert "agents cannot be told" in by_key["t/j@?"].note
    assert "agents cannot be told" in by_key["u/j@?"].note


def test_choices_of_the_command_line() -> None:
    stages = (
        "  - {name: s, with_agents: ^a, jobs: [{name: j, fake.nothing: {}}, {name: k, fake.nothing: {}}]}\n"
        "  - {name: t, with_agents: ^a, jobs: [{name: j, fake.nothing: {}}]}\n"
    )
    rows = planned(stages, takes_stage=lambda stage: stage.name == "s", takes_job=lambda stage, job: job.name == "k")
    assert [row.key for row in rows] == ["s/k@a"]


def test_updates_that_nothing_can_change_are_foreseen() -> None:
    rows = planned(
        "  - name: s\n    with_agents: ^a\n    jobs:\n"
        "      - {name: j, fake.nothing: {}, vars_updates: {n: 7, text: 'x', off: null}}\n"
        "      - {name: k, fake.nothing: {}, when: vars.n > 1, vars_updates: {n: 8}}\n"
        "      - {name: l, fake.say: '{{ vars.n }}{{ vars.text | default(1) }}'}\n"
        "      - {name: m, fake.say: '{{ vars.off | default(2) }}'}\n"
    )
    assert [row.arguments.get("text") for row in rows] == [None, None, "{{ vars.n }}{{ vars.text | default(1) }}", "2"]


def test_a_plan_is_lazy() -> None:
    scenario = load(
        f"{AGENTS}stages: [{{name: s, jobs: [{{name: j, with_items: {{product: [0..999, 0..999]}}, "
        f"fake.nothing: {{}}}}]}}]\n"
    ).scenario
    assert [row.key for row in islice(plan(scenario), 2)] == ["s/j@a[0,0]", "s/j@a[0,1]"]


def test_forms() -> None:
    rows = planned(
        "  - name: s\n    with_agents: ^a\n    jobs:\n"
        '      - {name: j, fake.everything: {text: "long\\n  text", any: {a: [1]}, literal: \'' + "x" * 200 + "'}}\n"
        "      - {name: k, fake.nothing: {}, when: 're[9]'}\n"
    )
    document = json.loads(as_json(rows))
    assert document["v"] == 1
    assert document["instances"][0]["key"] == "s/j@a"
    assert document["instances"][0]["agent"] == "a"
    lines = list(as_lines(rows))
    assert lines[0] == "stage s"
    assert lines[1].startswith("  j@a   fake.everything   text: long text, literal: xxx")
    assert '…, ratio: 1.5, any: {"a": [1]}' in lines[1]
    assert lines[2] == "  k@a   fake.nothing      (when re[9])"
    assert lines[3] == "2 instances would run"
    assert list(as_lines(rows[:1]))[-1] == "1 instance would run"
    assert list(as_lines([])) == ["0 instances would run"]
