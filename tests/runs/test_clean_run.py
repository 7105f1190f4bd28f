"""What a run whose process was killed may have left is told, ended and removed on request, and proven to be gone."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from fixtures_program import Place, send_signal, wait_for

SLEEP = str(20_000_000 + os.getpid())
SCENARIO = f"""agents: [{{name: a, transport: local}}, {{name: b, transport: local}}]
stages: [{{name: s, jobs: [{{name: j, builtins.shell: "touch up; exec sleep {SLEEP}"}}]}}]
"""


def crash(place: Place, *arguments: str) -> str:
    """Kill the process of a run whose jobs are under way; gives the run's name."""
    process = place.start(str(place.write("s.yml", SCENARIO)), "--headless", *arguments)
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home/up"))) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (run,) = (path.name for path in place.home.glob(".octogram/runs/*"))
    return run


def sleepers(place: Place) -> list[str]:
    return [line for line in place.processes() if SLEEP in line]


@pytest.mark.fault(56, 102)
def test_a_killed_run_is_told_of_and_cleaned(place: Place) -> None:
    began = datetime.now(UTC)
    run = crash(place)
    assert len(sleepers(place)) == 2
    told = place.run("runs").stdout
    assert "until " in told
    assert f" it may still run: a on {os.uname().nodename}, b on {os.uname().nodename}" in told
    assert f"octogram-tui clean {run} ends it" in told
    (record,) = (json.loads(line) for line in place.run("runs", "--json").stdout.splitlines())
    assert [agent["agent"] for agent in record["left"]["agents"]] == ["a", "b"]
    until = datetime.fromisoformat(record["left"]["until"])
    assert began + timedelta(seconds=60) < until < datetime.now(UTC) + timedelta(seconds=81)

    others = place.run("clean", str(place.write("s.yml", SCENARIO))).stdout
    assert f"run {run} has agents there: octogram-tui clean {run} ends it, once its process is gone" in others

    asked = place.run("clean", run)
    assert asked.returncode == 10
    assert f"/.octogram/runs/{run}  (files of the run, " in asked.stdout
    assert ", its agents live)" in asked.stdout
    assert asked.stdout.endswith("give --yes to have it removed\nnothing was ended or removed\n")
    assert len(sleepers(place)) == 2

    done = place.run("clean", run, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"nothing is left of run {run}"), done
    assert not place.processes()
    assert not (place.home / ".octogram").exists()
    assert not [path for path in place.home.rglob("*") if path.is_socket()]
    told = place.run("runs").stdout
    assert "nothing is left of it on any machine: it was cleaned" in told
    assert "may still run" not in told
    (record,) = (json.loads(line) for line in place.run("runs", "--json").stdout.splitlines())
    assert record["left"] == {"agents": [], "until": None}
    again = place.run("clean", "last")
    assert (again.returncode, again.stdout) == (0, f"a, b: nothing\nnothing is left of run {run}\n")


def test_daemons_that_were_killed_too_are_ended_by_those_that_take_their_place(place: Place) -> None:
    run = crash(place)
    send_signal(place.daemons(), signal.SIGKILL)
    done = place.run("clean", run, "--yes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"nothing is left of run {run}"), done
    assert not place.processes()
    assert not (place.home / ".octogram").exists()


def test_homes_that_were_kept_go_too(place: Place) -> None:
    path = str(place.write("s.yml", SCENARIO.replace(f"exec sleep {SLEEP}", "true")))
    assert place.run(path, "--headless", "--keep-homes").returncode == 0
    assert len(list(place.home.glob(".octogram/runs/*/*/home/up"))) == 2
    done = place.run("clean", "last", "--yes")
    assert done.returncode == 0, done
    assert not (place.home / ".octogram").exists()


def test_an_agent_that_does_not_take_our_word_leaves_it_unknown(place: Place) -> None:
    run = crash(place)
    token = place.runs_dir / run / "token"
    known = token.read_text()
    token.write_text("f" * 32)
    done = place.run("clean", run, "--yes")
    assert done.returncode == 10, done
    assert "agent a: " in done.stdout
    assert done.stdout.endswith(f"run {run} is not known to be clean\n")
    token.write_text(known)
    assert place.run("clean", run, "--yes").returncode == 0


def test_a_run_that_goes_on_is_not_cleaned_and_options_of_scenarios_are_refused(place: Place) -> None:
    process = place.start(str(place.write("s.yml", SCENARIO)), "--headless")
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home/up"))) == 2)
    refused = place.run("clean", "last", "--yes")
    assert refused.returncode == 9
    assert " goes on" in refused.stderr
    assert len(sleepers(place)) == 2
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert place.run("clean", "last", "--limit", "a").returncode == 2
