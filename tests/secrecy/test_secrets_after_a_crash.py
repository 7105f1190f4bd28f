"""A run with secrets whose process was killed is taken up again: nothing was kept of them, and each is read anew."""

from __future__ import annotations

import os
import signal

import pytest
from fixtures_program import Place, wait_for
from planted import VALUE, found_below, found_in

SCENARIO = """
agents: [{name: a, transport: local}]
secrets: {token: {env: PLANTED}}
vars: {login: ''}
stages:
  - name: one
    jobs:
      - name: look
        builtins.shell: {script: 'printf "me:%s" "$T"', env: {T: '{{ vars.token }}'}}
        register: seen
        vars_updates: {login: '{{ res.stdout }}', length: '{{ res.stdout | length }}'}
      - name: items
        with_items: '{{ [vars.token, "plain"] }}'
        builtins.command: 'true'
  - name: two
    jobs:
      - name: wait
        builtins.shell: {script: 'while [ ! -e go ]; do sleep 0.05; done; test "$L" = "me:$T"',
                         cwd: ., env: {T: '{{ vars.token }}', L: '{{ vars.login }}'}}
  - name: three
    jobs:
      - name: compare
        builtins.shell:
          script: '[ "$L" = "me:$T" ] && [ "$O" = "me:$T" ] && [ "$T" = "$(cat WANTED)" ]'
          env: {T: '{{ vars.token }}', L: '{{ vars.login }}', O: '{{ vars.seen.stdout }}'}
"""


@pytest.fixture
def crashed(place: Place) -> Place:
    """Give a run that was killed amid its second stage."""
    place.extra = {"PLANTED": VALUE}
    text = SCENARIO.replace("-e go", f"-e {place.home}/go").replace("WANTED", f"{place.home}/wanted")
    place.write("s.yml", text)
    process = place.start("s.yml", "--headless", "--events", "e.jsonl")
    events = place.home / "e.jsonl"
    wait_for(lambda: events.exists() and '"key":"two/wait@a"' in events.read_text())
    os.kill(process.pid, signal.SIGKILL)
    out, _ = process.communicate()
    assert found_in(out) == []
    assert found_below(place.home) == {}
    (place.home / "go").touch()
    return place


@pytest.mark.fault(56, 88)
def test_it_goes_on_with_what_it_had(crashed: Place) -> None:
    done = crashed.run("resume", "last")
    assert found_below(crashed.home) == {}
    assert found_in(done.stdout + done.stderr) == []
    (crashed.home / "wanted").write_text(VALUE)
    assert "three/compare@a failed" in done.stdout  # which looks for what was not there yet
    assert "two/wait@a failed" not in done.stdout


@pytest.mark.fault(56, 88)
def test_a_value_that_has_changed_is_used_as_it_is_now_also_in_what_came_of_it(crashed: Place) -> None:
    another = VALUE[::-1]
    crashed.extra = {"OTHER": another}
    (crashed.home / "wanted").write_text(another)
    done = crashed.run("resume", "last", "--secret", "token=env:OTHER")
    assert done.returncode == 0, done.stdout + done.stderr
    assert another not in (crashed.home / "e.jsonl").read_text()


@pytest.mark.fault(56, 88)
def test_a_value_that_cannot_be_had_is_asked_for(crashed: Place) -> None:
    crashed.extra = {}
    done = crashed.run("resume", "last")
    assert done.returncode == 3
    assert "secret `token`: there is no variable PLANTED" in done.stderr
    crashed.extra = {"PLANTED": VALUE}
    crashed.run("resume", "last")
