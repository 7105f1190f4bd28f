"""Reading a large scenario: what one more agent and one more job take; what is read once is right each time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.load import load_scenario

MOST_CALLS_A_JOB = 138.0  # 115
MOST_CALLS_AN_AGENT = 119.0  # 99


def written(folder: Path, agents: int, jobs: list[str]) -> str:
    lines = ["agents:"]
    for number in range(agents):
        lines += [f"  - name: agent_{number}", f"    address: 10.0.1.{number % 250}", "    user: octogram"]
        lines += [f"    port: {2200 + number % 7}"]
    lines += ["vars: {rounds: 3}", "stages:", "  - name: s", "    jobs:", *jobs]
    path = folder / "large.yml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def jobs_of(count: int) -> list[str]:
    lines = []
    for number in range(count):
        lines += [f"      - name: job {number}", "        timeout: 60", "        retries: 2"]
        lines += [f"        builtins.command: [/bin/echo, 'job {number} of {{{{ vars.rounds }}}}']"]
    return lines


def calls_of(work: Callable[[], object]) -> int:
    calls = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_one_more_job_and_one_more_agent_take_few_calls(tmp_path: Path) -> None:
    def calls(agents: int, jobs: int) -> int:
        path = written(tmp_path, agents, jobs_of(jobs))
        load_scenario(path)  # what is found once for all
        return calls_of(lambda: load_scenario(path))

    few = calls(20, 20)
    assert (calls(20, 120) - few) / 100 <= MOST_CALLS_A_JOB
    assert (calls(120, 20) - few) / 100 <= MOST_CALLS_AN_AGENT


WRONG = {
    "a setting": ["timeout: 0", "builtins.command: [/bin/true]"],
    "a setting in words": ["retries: many", "builtins.command: [/bin/true]"],
    "a null": ["timeout: ~", "builtins.command: [/bin/true]"],
    "an unknown argument": ["builtins.command: {argv: [/bin/true], timeuot: 3}"],
    "a missing argument": ["builtins.copy: {local_path: a}"],
    "an argument's value": ["builtins.command: {argv: [/bin/true], expect: none}"],
    "a text": ['builtins.command: {argv: [/bin/true, "a\\0b"]}'],
    "a template": ["builtins.command: [/bin/echo, '{{ vars.nobody }}']"],
    "a broken template": ["builtins.command: [/bin/echo, '{{ vars.']"],
    "an item": ["builtins.command: [/bin/echo, '{{ item }}']"],
    "a respelled number": ["builtins.command: [/bin/echo, 1.10, 0x1f, yes]"],
    "a choice": ["on_failure: never", "builtins.command: [/bin/true]"],
    "two procedures": ["builtins.command: [/bin/true]", "builtins.shell: 'true'"],
    "an unknown key": ["timeuot: 3", "builtins.command: [/bin/true]"],
}


def problems_of(path: str) -> list[Problem]:
    try:
        return list(load_scenario(path).warnings)
    except ScenarioError as error:
        return list(error.problems)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_told_of_every_job_at_its_place(wrong: list[str], tmp_path: Path) -> None:
    right = [*jobs_of(1)]
    job = ["      - name: wrong", *(f"        {line}" for line in wrong)]
    alone = problems_of(written(tmp_path, 1, job))
    assert alone

    def told(problems: list[Problem], first: int) -> list[tuple[Any, ...]]:
        return [
            (p.line - first, p.column, p.message, p.hint, p.is_warning) for p in problems if "named" not in p.message
        ]

    several = problems_of(written(tmp_path, 1, [*right, *job, *right, *job]))
    each = len(right) + len(job)
    expected = told(alone, 0)
    shifted = [(line + at, *rest) for at in (len(right), len(right) + each) for line, *rest in expected]
    assert sorted(told(several, 0)) == sorted(shifted)
