"""What a job sets a secret to is hidden as the value before it, and the run can be taken up again."""

from __future__ import annotations

import json
import os
import signal

import pytest
from fixtures_program import Place, wait_for

pytestmark = pytest.mark.fault(88)

FRESH = "fresh-session-1234567"
SCENARIO = """
agents: [{name: a, transport: local}]
secrets: {token: {env: PLANTED}, kept: {env: KEPT}}
vars: {login: ''}
stages:
  - name: one
    jobs:
      - name: log in
        builtins.shell: {script: 'printf fresh-; sleep 0.2; printf session-1234567'}
        vars_updates: {token: '{{ res.stdout }}', login: 'me:{{ res.stdout }}'}
      - name: log in again
        builtins.shell: {script: 'printf other-; sleep 0.2; printf session-1234567'}
        register: kept
      - name: tell
        builtins.shell: {script: 'echo "it is $T"', env: {T: '{{ vars.token }}'}}
  - name: two
    jobs:
      - name: wait
        builtins.shell: {script: 'while [ ! -e go ]; do sleep 0.05; done', env: {T: '{{ vars.token }}'}}
  - name: three
    jobs:
      - name: show
        builtins.shell: {script: 'echo "by now $T"', env: {T: '{{ vars.login }}'}}
"""


def in_clear(place: Place, printed: str) -> list[str]:
    """Give what of the values is told somewhere."""
    [journal] = place.runs_dir.glob("*/journal.jsonl")
    texts = (printed, journal.read_text(), (place.home / "e.jsonl").read_text())
    return [value for value in (FRESH, "other-session-1234567") if any(value in text for text in texts)]


@pytest.mark.fault(56)
def test_a_value_that_a_job_sets_is_hidden_and_the_run_is_taken_up_again(place: Place) -> None:
    place.extra = {"PLANTED": "correct horse battery", "KEPT": "it was another"}
    place.write("s.yml", SCENARIO.replace("-e go", f"-e {place.home}/go"))
    process = place.start("s.yml", "--headless", "-v", "--events", "e.jsonl")
    events = place.home / "e.jsonl"
    wait_for(lambda: events.exists() and '"key":"two/wait@a"' in events.read_text())
    os.kill(process.pid, signal.SIGKILL)
    out, _ = process.communicate()
    told = [json.loads(line) for line in events.read_text().splitlines()]
    changed = {event["name"]: event["value"] for event in told if event["type"] == "variable_changed"}
    assert changed["token"] == "(secret token)"
    assert changed["login"] == "me:(secret token)"
    assert changed["kept"]["stdout"] == "(secret kept)"
    assert "it is (secret token)" in [
        line for event in told if event["type"] == "job_output" for line in event["lines"]
    ]
    assert in_clear(place, out) == []
    (place.home / "go").touch()
    done = place.run("resume", "last", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by now me:(secret token)" in done.stdout
    assert in_clear(place, done.stdout) == []  # though its agent tells again what the jobs returned
