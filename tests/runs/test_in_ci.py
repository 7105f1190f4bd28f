"""Runs in the surroundings of a CI service: the log is the service's, and a secret's value goes to it or nowhere."""

from __future__ import annotations

import html
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fixtures_program import PROGRAM, Place

from octogram_tui.export import document_schema
from octogram_tui.report.document_schema import json_schema

TOKEN = "sesame-0pen%up"
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\n}\n-----END KEY-----\n"
SCENARIO = """
agents:
  - {name: n_1, transport: local}
secrets:
  token: {env: WANTED_TOKEN}
  key: {env: WANTED_KEY}
  pin: {env: WANTED_PIN}
stages:
  - name: say
    jobs:
      - name: say
        builtins.shell:
          script: |
            echo "as it is: $T"; echo '::error::forged'; echo '##[error]forged'; echo '##teamcity[forged]'
            printf -- '--- forged\\n+++ forged\\n::add-mask::e\\n'
          env: {T: '{{ vars.token }}'}
  - name: fall
    jobs:
      - name: fall
        builtins.shell: {script: "echo '::set-output name=run::forged' >&2; exit 3"}
"""


@pytest.fixture
def step(place: Place) -> Place:
    """Give a place as a step of GitHub Actions has it, with a scenario that prints whatever a service might obey."""
    place.write("s.yml", SCENARIO)
    place.extra = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(place.home),
        "GITHUB_OUTPUT": str(place.home / "outputs"),
        "GITHUB_STEP_SUMMARY": str(place.home / "summary"),
        "WANTED_TOKEN": TOKEN,
        "WANTED_KEY": KEY,
        "WANTED_PIN": "12345",
    }
    return place


def run_step(place: Place, script: str) -> str:
    """Run the script of a step as the service does: a shell whose output is the service's pipe; gives the log."""
    file = place.write("step.sh", script.replace("octogram-tui", shlex.join(PROGRAM)))
    done = subprocess.run(
        ["bash", "-e", str(file)],
        cwd=place.home,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


MASKS = ["::add-mask::sesame-0pen%25up", "::add-mask::MIIEpAIBAAKCAQEA7"]


def test_masks_come_before_all_else_and_what_is_short_is_none(step: Place) -> None:
    lines = run_step(step, "octogram-tui s.yml -v || echo $?").splitlines()
    assert lines[:2] == MASKS, lines
    rest = "\n".join(lines[2:])
    assert TOKEN not in rest
    assert "as it is: (secret token)" in rest
    assert rest.count("::add-mask::") == rest.count("| ::add-mask::e")


@pytest.mark.parametrize(
    "script",
    [
        "octogram-tui s.yml >log 2>&1 || true",
        "octogram-tui s.yml 2>&1 | tee log",
        "(octogram-tui s.yml; true) 2>&1 | tee log",
        "bash -c 'octogram-tui s.yml; true' 2>&1 | tee log",
    ],
)
def test_a_log_of_the_user_never_has_a_value(step: Place, script: str) -> None:
    log = run_step(step, script)
    kept = (step.home / "log").read_text()
    assert "github is not told which texts are secret" in kept
    for text in (log, kept):
        assert "add-mask" not in text.replace("| ::add-mask::e", "")
        assert TOKEN not in text


def test_with_its_own_pipe_left_the_masks_go_there(step: Place) -> None:
    log = run_step(step, "octogram-tui s.yml | tee log")
    assert log.splitlines()[:2] == MASKS
    assert "add-mask" not in (step.home / "log").read_text()


def test_nothing_is_announced_where_no_service_is_wanted(step: Place) -> None:
    log = run_step(step, "octogram-tui s.yml --ci none || true")
    assert "add-mask" not in log
    assert "::group" not in log
    assert not (step.home / "outputs").exists()


def test_a_document_is_all_of_standard_output(step: Place) -> None:
    """It says the same as what is exported and listed of the run, and no more of a value than the log does."""
    step.write("s.yml", SCENARIO.replace("stages:", "vars: {x: y}\nstages:"))
    done = step.run("s.yml", "--json", "-e", f"x={TOKEN}")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    jsonschema.validate(found, json_schema())
    assert (found["outcome"], found["failures"][0]["key"]) == ("failed", "fall/fall@n_1")
    assert found["variables"]["token"] == "(secret token)"
    assert "::group::say on n_1" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert found["commands"]["again"] == "octogram-tui s.yml --json -e x=(secret token)"
    assert TOKEN not in html.unescape((step.home / "summary").read_text())
    exported = json.loads(step.run("export", "last", "--json", "-o", "-").stdout)
    jsonschema.validate(exported, document_schema.json_schema())
    assert exported["commands"]["again"] == "octogram-tui s.yml --json -e 'x=(hidden)'"  # no value is known any more
    assert {name: exported[name] for name in found} == {**found, "commands": exported["commands"]}
    (row,) = map(json.loads, step.run("runs", "--json").stdout.splitlines())
    shared = set(found) & set(row) - {"scenario"}
    assert {name: row[name] for name in shared} == {name: found[name] for name in shared}
    assert {"run", "outcome", "exit_code", "counts", "state", "duration_s"} <= shared
    again = step.run("s.yml", "--json", "--junit", "-")
    assert (again.returncode, again.stdout) == (2, "")
    assert "--junit - and --json cannot share standard output" in again.stderr


@pytest.mark.parametrize("state", ["taken", "no directory"])
def test_a_run_that_cannot_be_made_has_its_reports_too(place: Place, state: str) -> None:
    """Else whoever reads them finds those of an earlier run, or nothing."""
    place.write("s.yml", "agents: [{name: a, transport: local}]\nstages: []\n")
    (place.home / "d").mkdir()
    place.write("d/journal.jsonl", "")
    wrong = {"taken": ["--run-dir", "d", "--junit", "r.xml"], "no directory": ["--junit", "no/where.xml"]}[state]
    done = place.run("s.yml", "--json", *wrong)
    found = json.loads(done.stdout)
    jsonschema.validate(found, json_schema())
    assert (done.returncode, found["outcome"]) == (found["exit_code"], "failed")
    assert found["reason"] in done.stderr
    assert state == "no directory" or f">{found['reason']}</error>" in (place.home / "r.xml").read_text()


def test_a_scenario_that_is_wrong_has_a_document_too(place: Place) -> None:
    place.write("s.yml", "agents: [{name: a}]\nstage: []\n")
    done = place.run("s.yml", "--json", "--junit", "r.xml")
    assert 'type="exit 3"' in (place.home / "r.xml").read_text()
    assert done.returncode == 3
    found = json.loads(done.stdout)
    jsonschema.validate(found, json_schema())
    assert {each["line"] for each in found["problems"]} == {1, 2}
    assert "s.yml:2:1: error" in done.stderr


def test_the_schema_is_printed(place: Place) -> None:
    assert json.loads(place.run("schema", "run-report").stdout) == json_schema()
    assert json.loads(place.run("schema", "run-export").stdout) == document_schema.json_schema()


def test_a_run_knows_the_commit_of_its_scenario(place: Place) -> None:
    place.write("s.yml", SCENARIO.replace("secrets:", "vars:").replace("{env:", "{x:"))
    commit = "0123456789abcdef0123456789abcdef01234567"
    (place.home / ".git" / "refs/heads").mkdir(parents=True)
    (place.home / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (place.home / ".git" / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    assert json.loads(place.run("s.yml", "--json").stdout)["commit"] == commit


@pytest.mark.act
def test_a_runner_of_workflows_obeys_what_it_should_and_nothing_else(step: Place) -> None:
    """The log of a run, its outputs and its summary, read by `act`, which runs workflows of GitHub Actions."""
    log = run_step(step, "octogram-tui s.yml -v --junit r.xml || true")
    (step.home / "log").write_text(log)
    told = act(
        step.home,
        [
            {
                "id": "run",
                "run": f"cat {step.home}/log; cat {step.home}/outputs >>$GITHUB_OUTPUT; "
                f"cat {step.home}/summary >>$GITHUB_STEP_SUMMARY",
            },
            {"run": f"echo 'later {TOKEN}'; echo 'outcome ${{{{ steps.run.outputs.outcome }}}}'"},
            {"run": "echo 'first ${{ steps.run.outputs.first-failure }}'"},
        ],
    )
    commands = [each for each in told if each.get("command")]
    heard = [each["command"] for each in commands]
    groups = ["group", "endgroup"] * 2
    outputs = ["set-output"] * 5
    assert sorted(heard) == sorted(["add-mask", "add-mask", *groups, "error", *outputs, "summary"]), heard
    [error] = [each for each in commands if each["command"] == "error"]
    # It takes the last `::` for the end of the properties, GitHub's runner the first: the whole line is looked at.
    cause = "fall/fall@n_1: ::set-output name=run::forged (sh ended with exit status 3)"
    assert error["raw"].strip() == f"::error file=s.yml,line=19,title=fall::{cause}"
    outputs_by_name = {each["name"]: each["arg"] for each in commands if each["command"] == "set-output"}
    assert (outputs_by_name["outcome"], outputs_by_name["exit-code"], outputs_by_name["failed"]) == ("failed", "1", "1")
    [summary] = [each["content"] for each in commands if each["command"] == "summary"]
    assert "**First failure**" in summary
    printed = [each["msg"].strip() for each in told if each.get("raw_output")]
    assert "later ***" in printed
    assert "outcome failed" in printed
    assert f"first {cause}" in printed
    assert not any(TOKEN in line for line in printed)


def act(home: Path, steps: list[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Run the steps as a job on this machine; gives the lines that `act` writes about it."""
    program = os.path.join(os.path.dirname(sys.executable), "act")
    if not shutil.which(program):
        pytest.skip("there is no act for this machine")
    workflow = {"on": "push", "jobs": {"job": {"runs-on": "here", "steps": steps}}}
    place = home / "repository" / ".github" / "workflows"
    place.mkdir(parents=True)
    (place / "w.yml").write_text(json.dumps(workflow))  # which is YAML too
    done = subprocess.run(
        [program, "push", "--platform", "here=-self-hosted", "--json"],
        cwd=home / "repository",
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
