"""`--rerun-failed` of the program itself: what it runs, what it says, what it refuses; and the flags beside it."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
from fixtures_program import Place, wait_for

from octogram_tui.commands.rerun import not_kept
from octogram_tui.model.carried import CarriedUpdate
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value

SCENARIO = """
agents: [{name: a, transport: local}, {name: b, transport: local}]
vars: {level: 1}
secrets: {token: 'env:TOKEN'}
stages:
  - name: build
    jobs:
      - name: make
        builtins.shell: T='{{ vars.token }}'; echo made by {{ agent.name }} $T >> {{ vars.log }}; echo $T
        register: 'made_{{ agent.name }}'
      - {name: lay, builtins.write_file: {path: 'out/{{ agent.name }}/x', content: '{{ vars.level }}'}}
      - {name: lay no more, builtins.write_file: {path: 'other/{{ agent.name }}', content: ''}}
  - name: node
    with_agents: [a]
    jobs: [{name: start, builtins.start_process: {argv: [sleep, '1000'], name: sleeper}}]
  - name: use
    jobs:
      - name: test
        builtins.shell: |
          echo used by {{ agent.name }} {{ vars.made_b.stdout }} >> {{ vars.log }}
          test {{ agent.name }} = a -o -e {{ vars.log }}.fixed
      - {name: get, builtins.fetch: {remote_path: out, local_path: 'got/{{ agent.name }}/'}}
  - {name: late, jobs: [{name: j, builtins.shell: 'echo late {{ agent.name }} >> {{ vars.log }}'}]}
  - {name: leveled, jobs: [{name: j, builtins.shell: 'echo level {{ vars.level }} >> {{ vars.log }}'}]}
"""


def begun(place: Place) -> Path:
    """A place with the scenario, and the file that its jobs write to."""
    log = place.home / "log"
    place.write("s.yml", SCENARIO)
    place.extra["TOKEN"] = "correct-horse-battery"
    return log


def test_only_what_failed_or_never_ran_runs_with_what_it_needs(place: Place) -> None:
    log = begun(place)
    first = place.run("s.yml", "--headless", "--keep-going", "-e", f"log={log}", "-e", "level=2")
    assert first.returncode == 1, first.stdout + first.stderr
    assert sorted(log.read_text().splitlines()) == [
        "late a",
        "level 2",
        "made by a correct-horse-battery",
        "made by b correct-horse-battery",
        "used by a correct-horse-battery",
        "used by b correct-horse-battery",
    ]
    named = re.search(r"^only what failed, again: octogram-tui (s\.yml .* --rerun-failed (\S+))$", first.stdout, re.M)
    assert named, first.stdout
    assert f"-e log={log} -e level=2" in named[1]
    log.unlink()

    planned = place.run("plan", "s.yml", "-e", f"log={log}", "-e", "level=2", "--rerun-failed", named[2])
    assert [line.split()[0] for line in planned.stdout.splitlines() if line.startswith("  ")] == [
        "lay@a",
        "lay@b",
        "start@a",
        "test@b",
        "get@b",
        "j@b",
        "j@b",
    ]
    assert "services end with their run: node/start" in planned.stderr
    assert "since the file `out/a/x` is needed: build/lay\n" in planned.stderr
    assert not log.exists()

    (place.home / "log.fixed").touch()
    second = place.run("--rerun-failed", "last", "--headless")
    assert second.returncode == 0, second.stdout + second.stderr
    assert f"runs what failed or never ran in {named[2]}: 8 rows that went well passed over" in second.stderr
    assert log.read_text().splitlines() == ["used by b correct-horse-battery", "late b", "level 2"]
    assert (place.home / "got/b/out/b/x").read_text() == "2"
    assert "correct-horse-battery" not in second.stdout
    for file in (place.home / ".local/state/octogram-tui/runs").glob("*/*.json*"):
        assert "correct-horse-battery" not in file.read_text(), file

    third = place.run("--rerun-failed", "last")
    assert (third.returncode, third.stdout) == (9, "")
    assert "went well: nothing of it failed" in third.stderr


def test_edits_and_other_values_run_again_and_other_scenarios_are_refused(place: Place) -> None:
    log = begun(place)
    place.run(
        "s.yml", "--headless", "--keep-going", "-e", f"log={log}", "--run-dir", "kept"
    )  # so that a's job ends well
    text = (place.home / "s.yml").read_text()
    place.write("s.yml", text.replace("made by", "built by"))
    planned = place.run("plan", "s.yml", "-e", f"log={log}", "--rerun-failed", "./kept")
    assert "since its text was edited: build/make" in planned.stderr
    assert "since variable made_{{ agent.name }} is set anew: use/test" in planned.stderr
    assert "make@a" in planned.stdout
    assert "test@a" in planned.stdout
    place.write("s.yml", text)
    planned = place.run("s.yml", "--dry-run", "-e", f"log={log}x", "--rerun-failed", "./kept")
    assert "since variable log has another value: build/make" in planned.stderr
    place.write(
        "o.yml", "agents: [{name: a, transport: local}]\nstages: [{name: x, jobs: [{name: y, builtins.sleep: 0}]}]"
    )
    refused = place.run("o.yml", "--headless", "--rerun-failed", "last")
    assert refused.returncode == 9
    assert "none of its jobs is in o.yml" in refused.stderr
    (place.home / "elsewhere").mkdir()
    refused = place.run("--rerun-failed", "last", cwd=place.home / "elsewhere")
    assert refused.returncode == 2
    assert f"was begun in {place.home}" in refused.stderr
    for wrong, code in (("nope", 9), ("./nope", 9), ("", 2)):
        assert place.run("s.yml", "--headless", "--rerun-failed", wrong).returncode == code


def test_what_a_journal_has_only_a_mask_of_is_not_passed_over() -> None:
    values: dict[str, Value] = {
        "whole": {"stdout": "a (secret token as base64) (secretive) ( secret)"},
        "given": "(secret token)",
        "part": [{"x": "(part of secret token)"}],
        "gone": "(secret other)",
        "like one": "( secret token)",
        "like a part": "( part of secret token)",
    }
    rows = {
        InstanceId("s", name, "a"): (CarriedUpdate("token" if name == "given" else "v", value),)
        for name, value in values.items()
    }
    assert {job for _, job in not_kept(rows, {"token", "other"}, {"token"})} == values.keys() - {"whole"}
    assert not_kept(rows, (), {"token"}) == {}  # then it is what it looks like


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("s.yml --keep-going --fail-fast", "not allowed with"),
        ("s.yml --keep-going --on-failure pause", "not allowed with"),
        ("s.yml --retry -1", "not a number of retries"),
        ("s.yml --retry 1e3", "not a number of retries"),
        ("s.yml --stage-timeout 0", "too short"),
        ("--headless", "SCENARIO is missing"),
        ("--rerun-faild last", "did you mean --rerun-failed"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Place, arguments: str, said: str) -> None:
    begun(place)
    done = place.run(*arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_what_is_tried_again_by_default_is_flaky_in_the_report(place: Place) -> None:
    place.write(
        "s.yml",
        """
agents: [{name: a, transport: local}]
stages:
  - name: s
    timeout: 1h
    jobs:
      - {name: flaky, builtins.shell: 'test -e x || { touch x; false; }'}
      - {name: never, builtins.command: 'false', retries: 0, on_failure: continue}
      - {name: no, builtins.assert: {that: 1 == 2}, on_failure: continue}
""",
    )
    done = place.run("s.yml", "--headless", "--retry", "2", "--stage-timeout", "1ms", "--junit", "j.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 retry" in done.stdout
    report = (place.home / "j.xml").read_text()
    assert report.count("<flakyFailure") == 1


def test_a_run_of_the_rest_whose_process_died_goes_on(place: Place) -> None:
    log = begun(place)
    text = (place.home / "s.yml").read_text()
    place.write(
        "s.yml",
        text.replace(
            "level {{ vars.level }} >> {{ vars.log }}",
            "level {{ vars.level }} >> {{ vars.log }}; until test -e {{ vars.log }}.go; do sleep 0.1; done",
        ),
    )
    assert place.run("s.yml", "--headless", "--until", "use", "-e", f"log={log}").returncode == 1
    log.unlink()
    (place.home / "log.fixed").touch()
    more = ("--retry", "1", "--stage-timeout", "1h", "--keep-going")  # what goes on is built again with these
    running = place.start("s.yml", "--headless", "-e", f"log={log}", "--rerun-failed", "last", *more)
    wait_for(lambda: log.exists() and "level" in log.read_text())
    running.send_signal(signal.SIGKILL)
    running.communicate()
    refused = place.run("s.yml", "--headless", "-e", f"log={log}", "--rerun-failed", "last")
    assert refused.returncode == 9
    assert "octogram-tui resume" in refused.stderr
    (place.home / "log.go").touch()
    resumed = place.run("resume", "last", "--headless")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "made by" not in log.read_text()
    journal = json.loads(place.run("runs", "--json").stdout.splitlines()[-1])
    assert journal["exit_code"] == 0
