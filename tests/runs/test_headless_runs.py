"""Headless runs from the outside: exit codes, events, reports, and one clear line for everything that is wrong."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fixtures_program import PROGRAM, ROOT, Place, events_of
from ports import free_port

QUICKSTART = str(ROOT / "sample_scenarios" / "quickstart.yml")

ONE_JOB = """
agents: [{{name: a, transport: local}}]
stages:
  - name: s
    jobs:
      - name: j
        {job}
"""


def scenario(place: Place, job: str) -> str:
    """Write a scenario of one job."""
    return str(place.write("one.yml", ONE_JOB.format(job=job)))


def test_the_quickstart_ends_well_and_brings_its_report_home(place: Place) -> None:
    done = place.run(QUICKSTART, "--headless", "--events", "e.jsonl", "--junit", "j.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    events = events_of((place.home / "e.jsonl").read_text())
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "run_started"
    assert events[-1]["type"] == "run_finished"
    assert events[-1]["exit_code"] == 0
    assert {e["type"] for e in events} >= {
        "agent_ready",
        "stage_started",
        "job_started",
        "job_output",
        "job_finished",
        "variable_changed",
        "service_announced",
        "stage_finished",
        "agent_stopped",
    }
    reports = list(place.home.glob(".local/state/octogram-tui/runs/*/artifacts/library/report.txt"))
    assert "the octopus: 3 chapters" in reports[0].read_text()
    cases = ET.parse(place.home / "j.xml").findall(".//testcase")
    assert len(cases) == 27
    assert not (place.home / ".octogram").exists() or not list((place.home / ".octogram").rglob("home"))


@pytest.mark.fault(62)
def test_no_terminal_means_headless_and_ci_too(place: Place) -> None:
    done = place.run(scenario(place, "builtins.command: 'true'"))
    assert done.returncode == 0
    assert "\x1b[?1049h" not in done.stdout
    assert done.stdout.splitlines()[-1]


def test_events_on_standard_output_are_alone_there(place: Place) -> None:
    done = place.run(scenario(place, "builtins.command: 'true'"), "--events", "-")
    assert done.returncode == 0
    assert events_of(done.stdout)[-1]["type"] == "run_finished"
    assert "OK after" in done.stderr


@pytest.mark.fault(61)
def test_a_reader_that_goes_away_does_not_end_the_run(place: Place) -> None:
    command = " ".join(PROGRAM) + f" {scenario(place, 'builtins.shell: sleep 0.3')} --events - 2>/dev/null | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command],
        env=place.environment,
        cwd=place.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout)["type"] == "run_started"
    place.wait_clean()
    assert place.last_run()["exit_code"] == 0


@pytest.mark.parametrize(
    ("job", "code", "said"),
    [
        ("builtins.command: 'false'", 1, "exit status 1"),
        ("builtins.command: nothing-of-that-name", 1, "nothing-of-that-name"),
        ("builtins.command: sleep 60\n        timeout: 0.2", 1, "0.2 s"),
        ("builtins.command: echo {{ vars.nope | upper }}", 3, "nope"),
        ("builtins.http: {url: 'http://127.0.0.1:1/'}", 1, "127.0.0.1"),
        ("copy: {local_path: not-there, remote_path: x}", 1, "not-there"),
        ("builtins.assert: {that: '1 > 2', message: one is small}", 1, "one is small"),
    ],
)
def test_a_job_that_fails_says_why_and_ends_the_run(place: Place, job: str, code: int, said: str) -> None:
    done = place.run(scenario(place, job))
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_time_limit_of_the_run(place: Place) -> None:
    done = place.run(scenario(place, "builtins.command: sleep 60"), "--timeout", "0.5")
    assert done.returncode == 8
    assert place.run(scenario(place, "builtins.sleep: 1"), "--timeout", "soon").returncode == 2


def test_confirmations_without_an_operator(place: Place) -> None:
    path = place.write(
        "c.yml",
        """
agents: [{name: a, transport: local}]
stages:
  - name: careful
    ask_confirmation: true
    jobs: [{name: j, builtins.command: 'true'}]
""",
    )
    assert place.run(str(path)).returncode == 11
    assert place.run(str(path), "--confirm", "yes").returncode == 0
    skipped = place.run(str(path), "--confirm", "no")
    assert skipped.returncode == 0
    assert "not confirmed" in skipped.stdout


def test_an_agent_that_cannot_be_reached(place: Place) -> None:
    port = free_port()
    path = place.write(
        "u.yml",
        f"""
agents: [{{name: far, address: 127.0.0.1, port: {port}, user: nobody}}, {{name: near, transport: local}}]
stages: [{{name: s, jobs: [{{name: j, builtins.command: 'true'}}]}}]
""",
    )
    done = place.run(str(path))
    assert done.returncode == 4, done.stdout
    assert f"127.0.0.1:{port}" in done.stdout + done.stderr


def test_a_command_that_is_no_way_to_a_machine(place: Place) -> None:
    path = place.write(
        "w.yml",
        """
agents: [{name: a, transport: command, command: [sh, -c, 'exit 3']}]
stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]
""",
    )
    done = place.run(str(path))
    assert done.returncode == 6, done.stdout
    assert "agent a" in done.stdout


def test_a_wrapper_command_is_a_way_to_a_machine(place: Place) -> None:
    path = place.write(
        "w.yml",
        """
agents: [{name: a, transport: command, command: [env, X_FROM_WRAPPER=yes]}]
stages: [{name: s, jobs: [{name: j, builtins.shell: 'test "$X_FROM_WRAPPER" = yes'}]}]
""",
    )
    assert place.run(str(path)).returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.yml", "", "empty"),
        ("wrong.txt", "stages: []", ".yml"),
        ("tabs.yml", "stages:\n\t- name: s\n", "tabs.yml:2"),
        ("twice.yml", "stages: []\nstages: []\n", "twice.yml:2"),
        ("typo.yml", "agnets: []\nstages: []\n", "agents"),
        ("binary.yml", "\x00\x01", "binary.yml"),
    ],
)
def test_bad_files_get_one_clear_line_each(place: Place, name: str, text: str, said: str) -> None:
    done = place.run(str(place.write(name, text)))
    assert done.returncode == 3
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_and_a_directory(place: Place) -> None:
    assert place.run("nowhere.yml").returncode == 3
    (place.home / "folder.yml").mkdir()
    done = place.run("folder.yml")
    assert done.returncode == 3
    assert "folder.yml" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["x.yml", "--confirm", "maybe"],
        ["x.yml", "-e", "novalue"],
        ["help", "nothing"],
        ["x.yml", "y.yml"],
    ],
)
def test_a_wrong_command_line(place: Place, arguments: list[str]) -> None:
    place.write("x.yml", "stages: []\n")
    done = place.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("octogram-tui: ")


def test_reports_into_a_link_and_into_a_full_device(place: Place) -> None:
    path = scenario(place, "builtins.command: 'true'")
    full, link = place.home / "full", place.home / "link.prom"
    try:
        os.mknod(full, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    except PermissionError:
        full.symlink_to("/dev/full")
    link.symlink_to("run.prom")
    done = place.run(path, "--junit", str(full), "--metrics", str(link))
    assert done.returncode == 74
    assert f"cannot write {full}: No space left on device" in done.stderr
    assert stat.S_ISCHR(full.stat().st_mode)
    assert link.is_symlink()
    assert "octogram_run_exit_code 0.0" in (place.home / "run.prom").read_text()
    assert not [name for name in os.listdir(place.home) if name.endswith(".part")]


def test_names_that_do_not_exist_on_the_command_line(place: Place) -> None:
    path = scenario(place, "builtins.command: 'true'")
    done = place.run(path, "--from", "S")
    assert (done.returncode, "did you mean 's'" in done.stderr or "stages: s" in done.stderr) == (2, True)
    assert place.run(path, "--limit", "zzz").returncode == 2
    assert place.run(path, "--limit", "[").returncode == 2


def test_a_dry_run_and_a_plan_run_nothing(place: Place) -> None:
    marker = place.home / "ran"
    path = scenario(place, f"builtins.command: touch {marker}")
    for arguments in (["plan", path], [path, "--dry-run"]):
        done = place.run(*arguments)
        assert done.returncode == 0
        assert "j" in done.stdout
    instances = json.loads(place.run("plan", path, "--json").stdout)
    assert instances
    assert not marker.exists()
    assert place.run("runs").stdout.startswith("no runs yet")


def test_runs_replay_and_attach_know_what_ran(place: Place) -> None:
    path = scenario(place, "builtins.command: echo hello")
    place.run(path, "-e", "x=1")
    run = place.last_run()
    assert (run["state"], run["exit_code"]) == ("finished", 0)
    replayed = place.run("replay", "last", "-v")
    assert replayed.returncode == 0
    assert "hello" in replayed.stdout
    refused = place.run("attach", "last")
    assert refused.returncode == 9
    assert f"octogram-tui replay {run['run']}" in refused.stderr
    assert place.run("replay", "nope").returncode == 9


def test_everything_is_kept_private_and_where_the_user_wants_it(place: Place) -> None:
    directory = place.home / "mine"
    place.run(scenario(place, "builtins.command: 'true'"), "--run-dir", str(directory))
    assert (directory / "journal.jsonl").stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    again = place.run(scenario(place, "builtins.command: 'true'"), "--run-dir", str(directory))
    assert again.returncode == 9
    assert "already holds" in again.stderr


def test_variables_and_agents_from_the_command_line_and_files(place: Place) -> None:
    place.write("vars.yml", "who: file\nlevel: 3\n")
    place.write("more.yml", "- {name: extra, transport: local}\n")
    path = place.write(
        "v.yml",
        """
agents: [{name: a, transport: local}]
vars: {who: scenario, level: 1}
stages:
  - name: s
    with_agents: extra
    jobs:
      - name: j
        builtins.assert:
          that: [vars.who == 'line', vars.level == 3, vars.flag == true]
""",
    )
    done = place.run(str(path), "--variables", "vars.yml", "--agents", "more.yml", "-e", "who=line", "-e", "flag=true")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_original_language_runs_unchanged_with_every_agent_here(place: Place) -> None:
    done = place.run(str(ROOT / "sample_scenarios" / "classic.yml"), "--local", cwd=ROOT / "sample_scenarios")
    assert done.returncode == 0, done.stdout + done.stderr


def test_homes_are_kept_when_asked_for(place: Place) -> None:
    done = place.run(scenario(place, "builtins.write_file: {path: kept.txt, content: x}"), "--keep-homes")
    assert done.returncode == 0
    assert [p.name for p in place.home.glob(".octogram/runs/*/a/home/*")] == ["kept.txt"]


def test_the_state_directory_cannot_be_written(place: Place, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    place.extra["XDG_STATE_HOME"] = str(blocked)
    done = place.run(scenario(place, "builtins.command: 'true'"))
    assert done.returncode == 74
    assert "--run-dir" in done.stderr
