"""A run that is asked to stop ends in bounded time, whatever its agents do; and it is not suspended."""

from __future__ import annotations

import signal

import pexpect
import pytest
from fixtures_program import Place, send_signal, wait_for

SLOW = """agents: [{name: a, transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.shell: "touch up; exec sleep 1000"}]}]
"""


def is_up(place: Place) -> bool:
    return bool(list(place.home.glob(".octogram/runs/*/*/home/up")))


@pytest.mark.fault(57, 59)
def test_an_agent_that_answers_nothing_does_not_hold_up_the_end(place: Place) -> None:
    place.extra["OCTOGRAM_STOP_S"] = "1"
    process = place.start(str(place.write("s.yml", SLOW)), "--headless")
    wait_for(lambda: is_up(place))
    stopped = place.daemons()
    send_signal(stopped, signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 10, out
    assert "no confirmation within 4 s" in out
    send_signal(stopped, signal.SIGCONT)
    run = next(iter(place.home.glob(".octogram/runs/*"))).name
    assert place.run("clean", run, "--yes").returncode == 0


@pytest.mark.terminal
@pytest.mark.fault(60)
def test_a_run_in_a_terminal_is_not_suspended(place: Place) -> None:
    terminal = place.open(str(place.write("s.yml", SLOW)), "--headless")
    wait_for(lambda: is_up(place))
    terminal.sendcontrol("z")
    terminal.expect("a run is not suspended")
    terminal.sendcontrol("c")
    terminal.expect("stop")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130


@pytest.mark.terminal
@pytest.mark.fault(59)
def test_three_interrupts_leave_at_once_and_say_what_that_means(place: Place) -> None:
    reports = place.home / "reports.xml"
    terminal = place.open(str(place.write("s.yml", SLOW)), "--json", "--junit", str(reports), size=(200, 40))
    wait_for(lambda: is_up(place))
    stopped = place.daemons()
    send_signal(stopped, signal.SIGSTOP)
    for _ in range(2):
        terminal.sendcontrol("c")
        terminal.expect("stopping")
    terminal.sendcontrol("c")
    terminal.expect("was left at once: its agents end what they run within 80 s")
    terminal.expect('"state": "unfinished"')
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert "the run did not come to its end" in reports.read_text()
    send_signal(stopped, signal.SIGCONT)
    assert place.run("clean", "last", "--yes").returncode == 0
