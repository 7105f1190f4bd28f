"""Text of a scenario and of its jobs steers neither a terminal nor a CI system, whatever prints it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fixtures_program import Place

HOSTILE = "\x1b]0;t\x07\x9b31m\u202e\u200b\r\n::error::owned"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
SCENARIO = f"""
vars: {{text: {json.dumps(HOSTILE)}}}
agents: [{{name: a, transport: local, labels: {{site: {json.dumps(HOSTILE)}}}}}]
stages:
  - name: {json.dumps("s" + HOSTILE)}
    with_agents: [a]
    jobs:
      - name: {json.dumps("j" + HOSTILE)}
        with_items: [{json.dumps("i" + HOSTILE)}, "{{{{ vars.text }}}}"]
        builtins.command: [/bin/sh, -c, 'printf "%s\\n" "$0"; printf "%s" "$0" >&2; exit 1', "{{{{ vars.text }}}}"]
        on_failure: continue
"""
WRONG = (
    SCENARIO
    + f"""      - name: {json.dumps("k" + HOSTILE)}
        builtins.command: [echo, {json.dumps("{{ vars.none" + HOSTILE + " }}")}]
"""
)


def is_harmless(text: str) -> bool:
    """Whether nothing in it steers a terminal, and no line a CI system but those that we write."""
    own = re.compile(r"::(error|warning) file=[^:]*::|::group::|::endgroup::|::error::and ")
    commands = [line for line in text.splitlines() if line.startswith(("::", "##")) and not own.match(line)]
    return RAW.search(text) is None and not commands


@pytest.fixture
def written(place: Place) -> Place:
    """Give a home with both scenarios."""
    place.write("good.yml", SCENARIO)
    place.write("wrong.yml", WRONG)
    return place


@pytest.mark.fault(85, 87)
@pytest.mark.parametrize(
    "words",
    [
        ["check", "wrong.yml"],
        ["check", "wrong.yml", "--format", "json"],
        ["check", "wrong.yml", "--format", "github"],
        ["plan", "wrong.yml"],
        ["plan", "good.yml"],
        ["plan", "good.yml", "--json"],
        ["good.yml", "--dry-run"],
    ],
)
def test_what_a_scenario_says_is_printed_so_that_it_is_only_seen(written: Place, words: list[str]) -> None:
    done = written.run(*words)
    assert "owned" in done.stdout + done.stderr
    assert is_harmless(done.stdout + done.stderr)
    if words[-1] == "--json":
        assert HOSTILE in json.loads(done.stdout)["instances"][0]["arguments"]["argv"]


@pytest.mark.fault(85, 87)
def test_reports_of_a_run_hold_nothing_that_steers(written: Place) -> None:
    written.extra["GITHUB_ACTIONS"] = "true"
    done = written.run("good.yml", "--headless", "--junit", "j.xml", "--metrics", "m.txt", "--events", "e.jsonl")
    assert "owned" in done.stdout
    assert is_harmless(done.stdout + done.stderr)
    for name in ("j.xml", "m.txt", "e.jsonl"):
        assert RAW.search(Path(written.home, name).read_text()) is None


SAID = """{{ vars.n }} {% raw %} $(touch owned) `touch owned`; touch owned #' "\\
second line"""
PASSED_ON = """
agents: [{name: a, transport: local}]
vars: {n: expanded}
stages:
  - name: s
    jobs:
      - {name: bring, copy: {local_path: said, remote_path: brought}}
      - {name: say, builtins.command: cat brought, register: said}
      - {name: word, builtins.command: [printf, '%s', '{{ vars.said.stdout }}']}
      - {name: quoted, builtins.shell: "printf %s {{ vars.said.stdout | quote }}"}
      - {name: environment, builtins.shell: {script: 'printf %s "$SAID"', env: {SAID: '{{ vars.said.stdout }}'}}}
      - {name: write, builtins.write_file: {path: written, content: '{{ vars.said.stdout }}'}}
      - {name: read, builtins.command: cat written}
      - {name: item, with_items: ['{{ vars.said.stdout }}'], builtins.command: [printf, '%s', '{{ item }}']}
      - {name: unharmed, builtins.shell: test ! -e owned}
"""


@pytest.mark.fault(82)
def test_what_an_agent_says_is_a_text_however_it_is_passed_on(place: Place) -> None:
    place.write("said", SAID)
    done = place.run(str(place.write("s.yml", PASSED_ON)), "--headless", "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in Path(place.home, "e.jsonl").read_text().splitlines()]
    ends = {event["job"]: event.get("result") for event in events if event["type"] == "job_finished"}
    for job in ("say", "word", "quoted", "environment", "read", "item"):
        assert ends[job]["stdout"] == SAID, job
