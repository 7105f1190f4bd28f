"""That `clean RUN` says that nothing is left proves it, whatever became of the run's files; and it ends no live run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import pytest
from fixtures_program import Place, send_signal, wait_for

SLEEP = str(30_000_000 + os.getpid())
SCENARIO = f"""agents: [{{name: 'n_{{1..2}}', transport: local}}]
stages:
  - name: s
    jobs: [{{name: j, builtins.shell: "env -i setsid sleep {SLEEP} & touch up; exec sleep {SLEEP}"}}]
"""
TRAPS = "trap : TERM; touch up; while :; do sleep 0.1; done"


def start(place: Place, text: str = SCENARIO, *arguments: str) -> subprocess.Popen[str]:
    """Start a run in a directory of our own, and wait until its jobs are under way."""
    path = str(place.write("s.yml", text))
    process = place.start(path, "--headless", "--run-dir", str(place.home / "D"), *arguments)
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home/up"))) == 2)
    if SLEEP in text:
        wait_for(lambda: len(sleepers()) == 4)
    return process


def crash(place: Place, text: str = SCENARIO) -> str:
    """Kill the process of such a run; gives the run's name."""
    process = start(place, text)
    process.kill()
    process.communicate()
    (run,) = (path.name for path in place.home.glob(".octogram/runs/*"))
    return run


def clean(place: Place, what: str = "D/") -> tuple[int, str]:
    done = place.run("clean", what, "--yes")
    return done.returncode, done.stdout + done.stderr


def sleepers() -> list[int]:
    """Give the processes of the jobs, also those that have nothing of ours in their environment."""
    found = subprocess.run(["pgrep", "-f", f"^sleep {SLEEP}"], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in found.split()]


def test_a_run_of_another_home_is_found_where_it_was(place: Place) -> None:
    run = crash(place)
    other = Place(place.home / "other")
    other.home.mkdir()
    code, said = clean(other, f"{place.home}/D/")
    assert (code, said.splitlines()[-1]) == (0, f"nothing is left of run {run}"), said
    assert f"    {place.home}/.octogram/runs/{run}  (files of the run, " in said
    assert not place.processes()
    assert not sleepers()
    assert not (place.home / ".octogram").exists()


@pytest.mark.parametrize("are_daemons_dead", [False, True])
def test_processes_whose_files_are_gone_are_found_and_ended(place: Place, are_daemons_dead: bool) -> None:
    run = crash(place)
    while are_daemons_dead and (pids := place.daemons()):
        send_signal(pids, signal.SIGSTOP)  # so that no guard ends what its daemon left
        send_signal(pids, signal.SIGKILL)
        wait_for(lambda: not place.daemons())
    shutil.rmtree(place.home / ".octogram/runs" / run)
    assert len(sleepers()) == 4
    asked = place.run("clean", "last")
    assert asked.returncode == 10
    assert "(sleep, of agent n_1, whose files are gone)" in asked.stdout
    assert len(sleepers()) == 4
    code, said = clean(place)
    assert (code, said.splitlines()[-1]) == (0, f"nothing is left of run {run}"), said
    assert not sleepers()
    assert not place.processes()


def test_agents_that_were_on_another_machine_are_not_taken_for_gone(place: Place) -> None:
    crash(place)
    assert clean(place)[0] == 0
    (place.home / "D/cleaned").unlink()
    journal = place.home / "D/journal.jsonl"
    here = f'"host":"{os.uname().nodename}"'.encode()
    journal.write_bytes(journal.read_bytes().replace(here, b'"host":"elsewhere"'))
    code, said = clean(place)
    assert code == 10
    assert f"agent n_1: it was on elsewhere, and this is {os.uname().nodename}: what is left there is not known" in said
    assert not (place.home / "D/cleaned").exists()


@pytest.mark.terminal
def test_a_run_that_somebody_went_on_with_while_we_asked_is_left_alone(place: Place) -> None:
    crash(place)
    child = place.open("clean", "last")
    child.expect_exact("end and remove it? [y/N] ")
    resumed = place.start("resume", "last", "--headless")
    wait_for(lambda: json.loads(place.run("runs", "--json").stdout)["state"] == "running")
    child.sendline("y")
    child.expect_exact(" goes on, or is being cleaned already")
    child.wait()
    assert child.exitstatus == 9
    assert len(sleepers()) == 4
    resumed.terminate()
    resumed.communicate()


def test_nobody_goes_on_with_a_run_while_it_is_cleaned(place: Place) -> None:
    crash(place, SCENARIO.replace(f"env -i setsid sleep {SLEEP} & touch up; exec sleep {SLEEP}", TRAPS))
    cleaning = place.start("clean", "last", "--yes")
    wait_for(  # until it holds the journal, or has been quicker than we look
        lambda: cleaning.poll() is not None or json.loads(place.run("runs", "--json").stdout)["state"] == "running"
    )
    resumed = place.run("resume", "last", "--headless")
    said, _ = cleaning.communicate()
    assert cleaning.returncode == 0, said
    assert resumed.returncode in (7, 9), resumed  # refused, or too late
    assert not place.processes()


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_copy_of_a_live_run_is_not_cleaned(place: Place, has_journal: bool) -> None:
    process = start(place)
    shutil.copytree(place.home / "D", place.home / "copy", ignore=shutil.ignore_patterns("*.sock"))
    if not has_journal:
        (place.home / "copy/journal.jsonl").unlink()
    code, said = clean(place, "copy/")
    assert code == 9
    assert " goes on" in said
    assert len(sleepers()) == 4
    process.terminate()
    process.communicate()


@pytest.mark.parametrize("damage", ["empty", "missing", "agents"])
def test_a_journal_that_tells_nothing_does_not_say_that_nothing_is_left(place: Place, damage: str) -> None:
    run = crash(place)
    journal = place.home / "D/journal.jsonl"
    if damage == "missing":
        journal.unlink()
    else:
        text = journal.read_bytes().replace(b'"agent_starting"', b'"agent_s').replace(b'"agent_ready"', b'"agent_r')
        journal.write_bytes(b"" if damage == "empty" else text)
    told = place.run("runs").stdout
    assert "which is not known" in told or "had to end" in told
    assert "nothing was left" not in told
    assert " goes on with it" not in told
    record = json.loads(place.run("runs", "--json").stdout)
    assert record["left"]["agents"] is None
    code, said = clean(place)
    assert (code, said.splitlines()[-1]) == (0, f"nothing is left of run {run}"), said
    assert not place.processes()
    assert not sleepers()


def test_daemons_and_guards_that_stand_still_are_woken_to_end(place: Place) -> None:
    run = crash(place)
    send_signal(place.daemons(), signal.SIGSTOP)
    code, said = clean(place)
    assert (code, said.splitlines()[-1]) == (0, f"nothing is left of run {run}"), said
    assert not place.processes()
    assert not sleepers()
