"""The console as a process of its own: it opens, it may go away, the run stays, and `attach` finds it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from fixtures_program import ROOT, Place, Terminal, wait_for

pytestmark = pytest.mark.terminal

SLOW = """
agents: [{name: a, transport: local}]
stages:
  - name: wait
    jobs:
      - name: for a file
        builtins.wait_for: {file: go, timeout: 60}
  - name: end
    jobs: [{name: last, builtins.command: echo done}]
"""


@pytest.fixture
def console(place: Place) -> Iterator[Terminal]:
    """Open a console in a real terminal of 100x30."""
    path = place.write("slow.yml", SLOW)
    child = place.open(str(path))
    yield child
    child.close(force=True)
    place.kill_everything()


def let_go(place: Place) -> None:
    """Let the run go on, once its agent is there: its row is drawn before that."""
    wait_for(lambda: list(place.home.glob(".octogram/runs/*/a/home")), describe=lambda: "no agent")
    next(iter(place.home.glob(".octogram/runs/*/a/home"))).joinpath("go").write_text("")


@pytest.mark.fault(58)
def test_a_closed_terminal_leaves_the_run_and_attach_finds_it(place: Place, console: Terminal) -> None:
    console.expect("for a file")
    console.hang_up()
    assert place.last_run()["state"] == "running"
    follower = place.start("attach", "last", "--headless")
    assert follower.stdout is not None
    assert follower.stdout.readline(), "else it may come when all is over, and there is nothing to follow"
    let_go(place)
    wait_for(lambda: '"stages_done"' in journal(place).read_text())
    again = place.open("attach")
    again.expect("DONE")
    again.send("q")
    again.expect("Leave the run")
    again.send("s")
    again.expect("ended with exit code 0")
    again.expect(pexpect.EOF)
    again.close()
    assert again.exitstatus == 0
    out, _ = follower.communicate(timeout=60)
    assert "OK after" in out
    assert place.last_run()["exit_code"] == 0
    place.wait_clean()


@pytest.mark.fault(63)
def test_the_console_may_be_killed(place: Place, console: Terminal) -> None:
    console.expect("for a file")
    console.kill(signal.SIGKILL)
    console.wait()
    assert place.last_run()["state"] == "running"
    let_go(place)
    wait_for(lambda: '"stages_done"' in journal(place).read_text())


@pytest.mark.fault(62)
def test_a_terminal_that_can_only_print_has_no_console(place: Place) -> None:
    place.extra["TERM"] = "dumb"
    child = place.open(str(place.write("s.yml", SLOW.replace("wait_for: {file: go, timeout: 60}", "command: 'true'"))))
    child.expect("OK after")
    assert "\x1b" not in str(child.before)
    child.expect(pexpect.EOF)


def test_detaching_says_how_to_come_back(place: Place, console: Terminal) -> None:
    console.expect("for a file")
    console.send("q")
    console.expect("Leave the run")
    console.send("d")
    console.expect(r"octogram-tui attach \S+")
    console.expect(pexpect.EOF)
    console.close()
    assert console.exitstatus == 0
    assert place.last_run()["state"] == "running"


def test_stopping_ends_the_run_and_restores_the_terminal(place: Place, console: Terminal) -> None:
    console.expect("for a file")
    console.send("q")
    console.expect("Leave the run")
    console.send("s")
    console.expect_exact("\x1b[?1049l")
    console.expect(pexpect.EOF)
    console.close()
    assert place.last_run()["state"] == "finished"
    place.wait_clean()


def opened(place: Place, *arguments: str) -> Terminal:
    """Start the program in a terminal of 100x30."""
    return place.open(*arguments)


def test_a_scenario_that_is_wrong_is_shown_mended_and_run(place: Place) -> None:
    path = place.write("bad.yml", SLOW.replace("echo done", "echo done, colour: red"))
    child = opened(place, str(path))
    child.expect("1 error")
    path.write_text(SLOW)
    child.expect("for a file")
    let_go(place)
    child.expect("DONE")
    child.send("q")
    child.expect("Leave the run")
    child.send("s")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert len(place.run("runs").stdout.splitlines()) == 1


def test_a_scenario_that_is_left_as_it_is_says_what_is_wrong_and_leaves_no_run(place: Place) -> None:
    path = place.write("bad.yml", "stages: [{name: s, jbos: []}]\n")
    child = opened(place, str(path))
    child.expect("cannot run yet")
    child.send("q")
    child.expect_exact("\x1b[?1049l")
    child.expect("error: .*jobs")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
    assert place.run("runs").stdout.startswith("no runs yet")


ELSEWHERE = SLOW.replace("transport: local", "transport: command, command: [env]")


def test_a_run_elsewhere_shows_its_machines_and_begins_with_a_key(place: Place) -> None:
    child = opened(place, str(place.write("slow.yml", ELSEWHERE)))
    child.expect("1 machine can be used")
    assert not list(place.home.glob(".octogram/runs/*"))
    child.send("p")
    child.expect("Held before the first stage")
    child.send("q")
    child.expect("Leave the run")
    child.send("s")
    child.expect(pexpect.EOF)
    place.wait_clean()


def test_a_run_elsewhere_that_is_not_wanted_leaves_nothing(place: Place) -> None:
    child = opened(place, str(place.write("slow.yml", ELSEWHERE)))
    child.expect("before the run")
    child.send("q")
    child.expect("the run was not begun")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert place.run("runs").stdout.startswith("no runs yet")
    place.wait_clean()


@pytest.mark.parametrize("asked", ["option", "setting"])
def test_who_wants_no_look_at_the_machines_gets_none(place: Place, asked: str) -> None:
    path = str(place.write("slow.yml", ELSEWHERE))
    if asked == "setting":
        place.extra["OCTOGRAM_PREFLIGHT"] = "0"
    child = opened(place, path, *(["--no-preflight"] if asked == "option" else []))
    child.expect("for a file")
    child.close(force=True)
    place.kill_everything()


def test_the_program_alone_welcomes_runs_what_is_chosen_and_comes_back(place: Place) -> None:
    place.write("one.yml", SLOW.replace("wait_for: {file: go, timeout: 60}", "command: echo hello"))
    child = opened(place)
    child.expect("2 stages, 1 agent")
    child.send("\r")
    child.expect("DONE")
    child.send("q")
    child.expect("Leave the run")
    child.send("s")
    child.expect("one.yml: exit code 0")
    child.expect("finished ok")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    place.wait_clean()


def test_the_program_alone_writes_a_scenario_to_begin_with(place: Place) -> None:
    child = opened(place)
    child.expect("none in this directory")
    child.send("N")
    child.expect("wrote scenario.yml")
    child.expect("3 stages, 2 agents")
    child.send("q")
    child.expect(pexpect.EOF)
    assert (place.home / "scenario.yml").is_file()


def test_a_run_that_waits_for_nobody_stops_after_its_linger(place: Place) -> None:
    path = place.write("held.yml", SLOW)
    process = place.start(str(path), "--headless", "--paused", "--linger", "1")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 11, out
    place.wait_clean()


def test_the_quickstart_in_the_console(place: Place) -> None:
    child = place.open(str(ROOT / "sample_scenarios" / "quickstart.yml"), size=(80, 24))
    child.expect("DONE")
    child.send("q")
    child.expect("Leave the run")
    child.send("s")
    child.expect("ended with exit code 0")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    place.wait_clean()


def journal(place: Place) -> Path:
    """Find the journal of the only run."""
    return next(iter(place.home.glob(".local/state/octogram-tui/runs/*/journal.jsonl")))


def test_what_is_written_for_programs_is_written_beside_a_console_too(place: Place) -> None:
    path = place.write("slow.yml", SLOW)
    child = place.open(str(path), "--metrics", "run.prom", "--events", "e.jsonl", "--junit", "j.xml")
    child.expect("for a file")
    assert "octogram_run_exit_code" not in (place.home / "run.prom").read_text()
    let_go(place)
    child.expect("DONE")
    child.send("q")
    child.expect("Leave the run")
    child.send("s")
    child.expect(pexpect.EOF)
    child.close()
    place.wait_clean()
    assert "octogram_run_exit_code 0.0" in (place.home / "run.prom").read_text()
    assert '"run_finished"' in (place.home / "e.jsonl").read_text()
    assert "for a file" in (place.home / "j.xml").read_text()


SOLD_OUT = """\
# the shop's own file
agents: [{name: shop, transport: local}]
vars:
  stock: 0   # sold out
stages:
  - name: market
    jobs:
      - {name: look, builtins.command: 'echo {{ vars.stock }}'}
      - {name: sell, builtins.shell: 'test {{ vars.stock }} -gt 0'}
"""


def test_a_value_that_worked_is_written_into_the_file_and_the_run_goes_on(place: Place) -> None:
    path = place.write("shop.yml", SOLD_OUT)
    child = place.open(str(path))
    child.until("PAUSED failure")
    child.press("e", "Set a variable")
    # What ends it is ctrl+s, which some terminals keep for themselves; what ended well would be stale by it.
    child.press("\t5\x13", "becomes 5")
    assert path.read_text() == SOLD_OUT, "nothing is written before that is agreed to"
    child.press("y", "is written")
    child.when(lambda: path.read_text() == SOLD_OUT.replace("stock: 0 ", "stock: 5 "))
    child.when(lambda: '"scenario_reloaded"' in journal(place).read_text())
    child.send("r")
    child.when(lambda: journal(place).read_text().count('"job_finished"') == 3)
    child.press(" ", "DONE")
    child.close(force=True)
    place.kill_everything()
    events = [json.loads(line) for line in journal(place).read_text().splitlines()]
    changed = [(event["value"], event["by"]) for event in events if event["type"] == "variable_changed"]
    assert changed == [(5, "operator")], "what the file says now was known before it was read"
    assert not {event["type"] for event in events} & {"warning_given", "request_refused", "scenario_rejected"}


MOMENTS = {
    "the directory of the run": ".local/state/octogram-tui/runs/*/",
    "the log of its process": ".local/state/octogram-tui/runs/*/host.log",
    "its journal": ".local/state/octogram-tui/runs/*/journal.jsonl",
    "its first agent": ".octogram/runs/*/a/home",
}


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("the directory of the run", signal.SIGINT),
        ("the log of its process", signal.SIGTERM),
        ("its journal", signal.SIGINT),
        ("its first agent", signal.SIGINT),
    ],
)
def test_a_signal_while_a_console_starts_leaves_no_run_without_a_word(
    place: Place, console: Terminal, moment: str, number: signal.Signals
) -> None:
    wait_for(lambda: list(place.home.glob(MOMENTS[moment])))
    console.kill(number)
    seen = console.expect([pexpect.EOF, "Stop the run", "goes on"])
    if seen == 1:
        console.send("s")
        console.expect([r"ended with exit code \d+", "was stopped"])
    if seen:
        console.expect(pexpect.EOF)
    console.close()
    runs = [json.loads(line) for line in place.run("runs", "--json").stdout.splitlines()]
    if seen == 2:
        assert [run["state"] for run in runs] == ["running"]
        assert console.exitstatus == 0
        return
    assert console.exitstatus == 128 + number, console.before
    assert [run["state"] for run in runs if run["state"] != "finished"] == []
    directories = place.home.glob(".local/state/octogram-tui/runs/*/")
    assert sorted(path.name for path in directories) == [run["run"] for run in runs]
    place.wait_clean()
