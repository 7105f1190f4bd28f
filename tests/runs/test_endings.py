"""However a run ends, nothing that it started is left: Ctrl-C once and twice, hang-up, a daemon that is killed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from fixtures_program import Place, send_signal, wait_for

RUNS = ".local/state/octogram-tui/runs"
LONG = """
agents: [{name: 'a_{1..3}', transport: local}]
stages:
  - name: work
    jobs:
      - name: serve
        builtins.start_process: {name: server, argv: [sleep, '1000']}
      - name: detach
        builtins.shell: "setsid sh -c 'sleep 1000 & sleep 1000' & echo detached"
      - name: stubborn
        builtins.shell: "trap '' TERM; touch started; while :; do sleep 0.2; done"
"""


def begin(place: Place, text: str = LONG) -> subprocess.Popen[str]:
    """Start a headless run and wait until its last job runs on all agents."""
    process = place.start(str(place.write("long.yml", text)), "--headless")
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home/started"))) == 3)
    return process


@pytest.mark.fault(59)
def test_one_interrupt_stops_everything_in_order(place: Place) -> None:
    process = begin(place, LONG.replace("trap '' TERM; ", ""))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    place.wait_clean()
    assert not list(place.home.glob(".octogram/runs/*/*"))


@pytest.mark.fault(59)
def test_a_second_interrupt_kills_at_once(place: Place) -> None:
    process = begin(place)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: any("SIGINT" in path.read_text() for path in place.home.glob(f"{RUNS}/*/journal.jsonl")))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    place.wait_clean()


@pytest.mark.fault(57)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_the_run_too(place: Place, number: int, code: int) -> None:
    process = begin(place, LONG.replace("trap '' TERM; ", ""))
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == code, out
    place.wait_clean()


@pytest.mark.terminal
@pytest.mark.fault(58)
def test_a_headless_run_ends_with_its_terminal(place: Place) -> None:
    path = place.write("long.yml", LONG.replace("trap '' TERM; ", ""))
    child = place.open(str(path), "--headless")
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home/started"))) == 3)
    child.hang_up()
    wait_for(lambda: place.last_run()["state"] == "finished")
    assert place.last_run()["exit_code"] == 129
    place.wait_clean()


def test_always_stages_run_after_an_interrupt(place: Place) -> None:
    text = (
        LONG.replace("trap '' TERM; ", "")
        + """
  - name: collect
    always: true
    with_agents: a_1
    jobs: [{name: note, builtins.shell: 'echo collected > note.txt'}, {name: bring, builtins.fetch: note.txt}]
"""
    )
    process = begin(place, text)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert list(place.home.glob(".local/state/octogram-tui/runs/*/artifacts/a_1/note.txt"))


def test_a_killed_daemon_is_noticed_and_told(place: Place) -> None:
    process = begin(place, LONG.replace("trap '' TERM; ", ""))
    daemons = place.daemons("a_2")
    assert daemons
    send_signal(daemons, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (7, 10), out
    assert "a_2" in out
    place.wait_clean()


def test_a_killed_orchestrator_leaves_nothing_beyond_the_lease(place: Place) -> None:
    place.extra["CI"] = "true"
    process = begin(place, LONG.replace("trap '' TERM; ", ""))
    process.kill()
    process.communicate(timeout=60)
    assert place.processes()
    place.wait_clean(90)


def test_the_journal_of_a_killed_run_can_be_read(place: Place, tmp_path: Path) -> None:
    process = begin(place, LONG.replace("trap '' TERM; ", ""))
    process.kill()
    process.communicate(timeout=60)
    run = place.last_run()
    assert run["state"] == "crashed"
    assert "stubborn" in place.run("replay", "last", "-v").stdout
    place.kill_everything()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
@pytest.mark.parametrize("moment", [f"{RUNS}/*/", f"{RUNS}/*/journal.jsonl"], ids=["directory", "journal"])
def test_a_signal_while_a_headless_run_is_made_leaves_nothing(
    place: Place, moment: str, number: signal.Signals
) -> None:
    process = place.start(str(place.write("long.yml", LONG)), "--headless")
    wait_for(lambda: list(place.home.glob(moment)))
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, out
    assert "Traceback" not in out
    place.wait_clean()
    runs = list(place.home.glob(f"{RUNS}/*/"))
    listed = place.run("runs", "--json").stdout.splitlines()
    assert len(runs) == len(listed)
    assert all('"state": "finished"' in line for line in listed)
