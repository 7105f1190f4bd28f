"""Secrets in a scenario: where they come from is read, values in the clear are refused, what exposes one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from octogram_tui.errors import ScenarioError
from octogram_tui.model.scenario import SecretSpec
from octogram_tui.scenario.foresight import plan
from octogram_tui.scenario.load import Loaded, load_scenario

HEAD = "agents: [{name: a, transport: local}]\n"
USES = "stages: [{name: s, jobs: [{name: j, builtins.http: 'http://h/{{ vars.token }}'}]}]\n"


def load(text: str, secrets: Mapping[str, SecretSpec] | None = None, **more: Any) -> Loaded:
    files = {"/d/s.yml": HEAD + text, "/d/v.yml": "token: plain\n"}
    return load_scenario("/d/s.yml", read_file=files.__getitem__, secrets=secrets, **more)


def problems(text: str, **more: Any) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        load(text, **more)
    return [f"{each.line}:{each.column} {each.message}" for each in refused.value.problems]


def test_sources_are_read_and_values_are_masks() -> None:
    text = (
        "secrets:\n"
        "  token: {env: T}\n"
        "  b: {file: ~/b}\n"
        "  c: {command: [pass, show]}\n"
        "  d: {keyring: site/me}\n"
        "  e: {keyring: [site, me]}\n"
        "  f: 'command:pass f'\n"
        "  g:\n"
    )
    scenario = load(text + USES).scenario
    assert {name: (spec.kind, spec.words) for name, spec in scenario.secrets.items()} == {
        "token": ("env", ("T",)),
        "b": ("file", ("~/b",)),
        "c": ("command", ("pass", "show")),
        "d": ("keyring", ("site", "me")),
        "e": ("keyring", ("site", "me")),
        "f": ("command", ("pass f",)),
        "g": ("", ()),
    }
    assert scenario.secrets["token"].directory == "/d"
    assert str(scenario.secrets["token"].mark) == "/d/s.yml:3:3"
    assert scenario.variables["token"] == "(secret token)"


def test_a_value_does_not_stand_in_the_scenario_and_is_not_repeated() -> None:
    found = problems("secrets: {token: hunter22}\n" + USES)
    assert found == ["2:18 the value of the secret `token` is not to stand here"]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("{env: A, file: b}", "takes exactly one of env, file, command, keyring"),
        ("{}", "takes exactly one of"),
        ("{value: x}", "unknown key `value`"),
        ("[a]", "must be a map, not a list"),
        ("{env: [A, B]}", "`env` takes one text"),
        ("{keyring: site}", "`keyring` takes a service and a user"),
    ],
)
def test_what_is_no_source_is_refused(secret: str, said: str) -> None:
    assert any(said in each for each in problems(f"secrets: {{token: {secret}}}\n{USES}"))


def test_a_name_is_one_that_a_mask_can_have() -> None:
    assert "`a-b` cannot be the name of a secret" in problems("secrets: {a-b: {env: A}, token: {env: B}}\n" + USES)[0]


def test_a_secret_has_no_value_elsewhere() -> None:
    text = "secrets: {token: {env: T}}\n"
    assert problems(text + "vars: {token: plain}\n" + USES) == [
        "2:11 `token` is a secret, and has a value in `vars` too"
    ]
    assert problems(text + USES, variable_files=["/d/v.yml"]) == [
        "2:11 `token` is a secret, and has a value in /d/v.yml too"
    ]
    [said] = problems(text + USES, variables={"token": "x"})
    assert "everybody on this machine sees what stands on a command line" in said


def test_the_command_line_makes_a_secret_of_a_variable_and_wins_over_the_scenario() -> None:
    given = {"token": SecretSpec("env", ("OTHER",))}
    for text in ("vars: {token: plain}\n", "secrets: {token: {file: t}}\n", ""):
        scenario = load(text + USES, given).scenario
        assert scenario.secrets == given
        assert scenario.variables["token"] == "(secret token)"
        assert scenario.origins == ({} if "secrets" in text else {"token": "command line"})
    assert "no template uses `tokn`" in load("vars: {token: p}\n" + USES, {"tokn": SecretSpec()}).warnings[0].message


JOBS = "secrets: {token: {env: T}}\nstages: [{name: s, jobs: [{name: j, %s}]}]\n"


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("builtins.shell: 'curl -u {{ vars.token }}'", "can read the arguments of a process"),
        ("builtins.command: [curl, '{{ vars.token }}']", "can read the arguments of a process"),
        ("builtins.start_process: {argv: 'x {{ vars.token }}'}", "can read the arguments of a process"),
        ("builtins.write_file: {path: p, content: '{{ vars.token }}', mode: '0644'}", "others on the agent's machine"),
        ("builtins.write_file: {path: p, content: '{{ vars.token }}', mode: '0600'}", ""),
        ("builtins.write_file: {path: p, content: '{{ vars.token }}'}", ""),
        ("builtins.shell: {script: 'curl $T', env: {T: '{{ vars.token }}'}}", ""),
        ("builtins.shell: {script: 'cat', stdin: '{{ vars.token }}'}", ""),
    ],
)
def test_what_would_show_it_to_others_is_told(job: str, said: str) -> None:
    warnings = [each.message for each in load(JOBS % job).warnings]
    if said:
        assert [said in each for each in warnings] == [True]
    else:
        assert warnings == []


@pytest.mark.parametrize(
    ("variable", "is_told"),
    [
        ("db_password: correct horse", True),
        ("API_KEY: abcdefgh", True),
        ("token: short", False),
        ("token_count: correct horse", False),
        ("password: ''", False),
        ("token: 12345678", False),
    ],
)
def test_a_password_among_the_plain_variables_is_told(variable: str, is_told: bool) -> None:
    text = f"vars: {{{variable}}}\nstages: [{{name: s, jobs: [{{name: j, builtins.sleep: 1}}]}}]\n"
    told = [each for each in load(text).warnings if "will stand in the journal" in each.message]
    assert bool(told) == is_told


def test_a_plan_shows_the_templates_of_secrets_as_they_are_written() -> None:
    text = "secrets: {token: {env: T}}\nvars: {host: h}\n"
    ask = "{name: j, builtins.http: 'http://{{ vars.host }}/{{ vars.token }}'}"
    jobs = f"{ask}, {{name: k, builtins.shell: 'echo {{{{ vars.host }}}}'}}"
    rows = list(plan(load(f"{text}stages: [{{name: s, jobs: [{jobs}]}}]\n").scenario))
    assert rows[0].arguments["url"] == "http://{{ vars.host }}/{{ vars.token }}"
    assert rows[1].arguments["script"] == "echo h"


@pytest.mark.parametrize("source", ["{env: ''}", "{file: ['']}", "{command: []}"])
def test_a_source_that_says_nothing_is_refused(source: str) -> None:
    found = problems(f"secrets: {{token: {source}}}\nstages: []\n")
    assert any("` is empty" in each for each in found), found
