"""What somebody writes who knows Ansible or GitHub Actions is refused in one problem that says what is written here."""

from __future__ import annotations

import pytest
from scenario_family import load, problems

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY
from octogram_tui.scenario import elsewhere
from octogram_tui.scenario.shapes import AGENT, JOB, SCENARIO, STAGE

AGENTS = "agents: [{name: a, transport: local}]\n"
STAGES = "stages: [{name: s, jobs: [{name: j, builtins.shell: 'true'}]}]\n"


def job(body: str) -> str:
    return f"{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body}}}]}}]\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (f"{AGENTS}tasks: [x]\n", "in a scenario; did you mean `stages`?", "the keys of a scenario are"),
        (f"{AGENTS}env: {{A: b}}\n{STAGES}", "unknown key `env` in a scenario", "`env` is an argument of what"),
        (
            f"{AGENTS}stages: [{{name: s, steps: [x]}}]\n",
            "`steps` in a stage; did you mean `jobs`?",
            "the keys of a stage",
        ),
        (f"{AGENTS}stages: [{{name: s, needs: [x], jobs: []}}]\n", "`needs` in a stage", "one after the other"),
        (job("shell: x"), "unknown key `shell` in a job; did you mean `builtins.shell`?", "the keys of a job"),
        (job("run: x"), "unknown key `run` in a job; did you mean `builtins.shell`?", "the keys of a job"),
        (job("assert: {that: true}"), "in a job; did you mean `builtins.assert`?", "the keys of a job"),
        (job("loop: [1], builtins.shell: x"), "in a job; did you mean `with_items`?", "the keys of a job"),
        (
            job("continue-on-error: true, builtins.shell: x"),
            "unknown key `continue-on-error`",
            "`on_failure: continue`",
        ),
        (job("builtins.shell: {cmd: x}"), "unknown key `cmd`; did you mean `script`?", "the keys are script"),
        (job("copy: {src: x, remote_path: z}"), "`src`; did you mean `local_path`?", "the keys are local_path"),
        (job("on_failure: ignore, builtins.shell: x"), "not the text `ignore`; did you mean `continue`?", ""),
        (job("builtins.shell: '{{ inventory_hostname }}'"), "here; did you mean `agent.name`?", "the names here are"),
        (job("always: true, builtins.shell: x"), "unknown key `always` in a job: it is one of a stage", "beside the"),
        (
            f"{AGENTS}stages: [{{name: s, with_items: 1..2, jobs: []}}]\n",
            "in a stage: it is one of a job",
            "those jobs",
        ),
        (job("when: vars.a = 1, builtins.shell: x"), "a comparison is written `==`", ""),
        (f"agents: hosts.ini\n{STAGES}", "`agents` must be a list, or say where one is", "`agents: {from: FILE}`"),
        (
            f"agents: {{a: {{transport: local}}}}\n{STAGES}",
            "`agents` must be a list, not a map",
            "begin each agent",
        ),
        (f"{AGENTS}vars: [{{a: 1}}]\n{STAGES}", "`vars` must be a map of keys, not a list", "without a dash"),
        (f"{AGENTS}stages: [build]\n", "must be a map of keys, not the text `build`", "write `name: build`, and its"),
    ],
)
def test_habits_of_other_tools(text: str, message: str, hint: str) -> None:
    (found,) = (problem for problem in problems(text) if not problem.is_warning)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("items", "hint"),
    [
        ("1...5", "a range is written `1..5`"),
        ("1 .. 5", "a range is written `1..5`"),
        ("1-5", "a range is written `1..5`"),
        ("{1..5}", "a range is written `1..5`"),
        ("range(5)", "'{{ range(5) | list }}'"),
        ("vars.l", "'{{ vars.l }}'"),
        *(
            (items, "")
            for items in ("1..5", "5..1", "-3", "v1-2", "a..e", "2024-01-02", "{{ vars.l }}", "varsity", "0x1f")
        ),
    ],
)
def test_a_text_that_looks_like_several_items(items: str, hint: str) -> None:
    found = load("vars: {l: [1]}\n" + job(f"with_items: '{items}', builtins.shell: x")).warnings
    assert len(found) == bool(hint)
    assert all(hint in problem.hint for problem in found)


def test_what_is_said_to_be_meant_exists() -> None:
    load_all()
    shapes = {"a scenario": SCENARIO, "a stage": STAGE, "a job": {*JOB, *REGISTRY}, "an agent": AGENT}
    for what, shape in shapes.items():
        for foreign, ours in elsewhere._NAMES[what].items():
            assert ours in shape, foreign
            assert foreign not in shape
            assert foreign not in elsewhere._INSTEAD[what]
        assert not set(elsewhere._INSTEAD[what]) & set(shape)
