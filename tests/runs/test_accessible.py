"""`--accessible` as it is used: through a pipe, at a terminal, onto a run that goes on, and one that is over."""

from __future__ import annotations

import signal
import subprocess

import pytest
from fixtures_program import PROGRAM, Place, Terminal, wait_for

from octogram_tui.commands.run import read_request
from octogram_tui.errors import UsageError

SCENARIO = """
vars: {level: 1}
agents: [{name: a, transport: local}, {name: b, transport: local}]
stages:
  - name: measure
    jobs: [{name: read it, builtins.shell: 'echo "it is {{ vars.level }}"; test {{ vars.level }} -gt 1'}]
  - {name: rest, jobs: [{name: sleep, builtins.command: echo good night}]}
"""


def spoken(place: Place, words: list[str], script: str) -> subprocess.CompletedProcess[str]:
    """Run the program with lines on its standard input."""
    return subprocess.run(
        [*PROGRAM, *words],
        env=place.environment,
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=place.home,
        check=False,
    )


def test_a_script_repairs_a_run_through_a_pipe(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)
    done = spoken(
        place,
        [str(path), "--accessible", "--paused"],
        "where\ngo\nwhere\nshow a\nset level = 2\nretry\nvars\nquit stop\n",
    )
    out = done.stdout
    assert (done.returncode, done.stderr) == (0, ""), out
    assert (
        out.index("* Held before the first stage") < out.index("> where") < out.index("read it, held before the start")
    )
    assert out.index("> go") < out.index("FAIL read it [") < out.rindex("> where") < out.index("> show a")
    assert "| it is 1" in out
    assert out.index("> retry") < out.index("ok sleep [") < out.index("> vars") < out.rindex("level = 2")
    assert out.index("every stage has ended") < out.index("> quit stop")
    assert "\x1b" not in out
    place.wait_clean()
    told = spoken(place, ["replay", "last", "--accessible"], "show measure\nlog 'read it@a'\ngo\n")
    assert told.returncode == 0
    assert "> log 'read it@a'\n| it is 1\n| attempt 2, rerun\n| it is 2\n" in told.stdout
    assert "this is a replay: nothing can be changed" in told.stdout


@pytest.mark.parametrize(
    ("level", "code", "said"), [(1, 1, "nobody is there to see to the failure"), (2, 0, "OK after")]
)
def test_when_a_script_ends_the_run_goes_on_and_its_end_is_told(place: Place, level: int, code: int, said: str) -> None:
    path = place.write("s.yml", SCENARIO)
    done = spoken(place, [str(path), "--accessible", "--paused", "-e", f"level={level}"], "where\n")
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    place.wait_clean()


def test_what_contradicts_it_or_is_wrong_with_the_scenario_is_said(place: Place) -> None:
    path = place.write("s.yml", SCENARIO.replace("stages", "stagse"))
    wrong = spoken(place, [str(path), "--accessible"], "")
    assert wrong.returncode == 3
    assert "stagse" in wrong.stderr
    for words, what in ((["--headless"], "--headless"), (["--events", "-"], "standard output")):
        with pytest.raises(UsageError, match=what):
            read_request([str(path), "--accessible", *words])


def test_others_attend_to_the_same_run_and_leave_it(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)
    host = place.start(str(path), "--headless", "--paused", "--linger", "1h", "--on-failure", "pause")
    wait_for(lambda: any(each.read_text().count("job_held") == 2 for each in place.runs_dir.glob("*/journal.jsonl")))
    left = spoken(place, ["attach", "last", "--accessible"], "s\nskip b\nquit detach\n")
    assert "detached; the run goes on. Come back with: octogram-tui attach" in left.stdout
    assert "FAIL read it [a]" in left.stdout
    watched = spoken(place, ["attach", "last", "--accessible", "--read-only"], "go\nquit\n")
    assert "go: refused: another console holds control of this run" in watched.stdout
    host.send_signal(signal.SIGINT)
    host.communicate(timeout=60)
    assert host.returncode == 130


def expect_held(child: Terminal) -> None:
    """Wait until the first stage has begun and is held, whichever is told first, and for the prompt below that."""
    held, began = "Held before the first stage", "== measure on 2 agents"
    child.expect(f"{held}.*{began}|{began}.*{held}")
    child.expect("octogram> ")


@pytest.mark.terminal
def test_at_a_terminal_lines_are_completed_and_interrupts_answered(place: Place) -> None:
    path = place.write("s.yml", SCENARIO)
    child = place.open(str(path), "--accessible", "--paused")
    expect_held(child)
    child.send("whe\t\r")
    child.expect("2 held")
    child.send("skip half a li")
    child.sendintr()
    child.expect("Ctrl-C: `pause` holds the run")
    child.send("\x15go\r")
    child.expect("FAIL read it")
    child.expect(r"type `retry` \(all 2 again\)")
    child.send("skip a\r")
    child.expect("skip: ok")
    child.send("quit\r")
    child.expect("`quit detach` leaves it so")
    child.send("quit stop\r")
    child.expect("ended with exit code 1")
    child.expect("\n")
    child.wait()
    assert child.exitstatus == 1
    place.wait_clean()


@pytest.mark.terminal
def test_a_terminal_that_can_nothing_is_given_plain_lines(place: Place) -> None:
    place.extra["TERM"] = "dumb"
    path = place.write("s.yml", SCENARIO)
    child = place.open(str(path), "--accessible", "--paused")
    expect_held(child)
    child.send("x a\n")
    child.expect("comes back, what it leaves running stays")
    child.send("kill -9 $$\n")  # a shell that ends so gives the terminal back to nobody
    child.expect("the shell was ended by signal 9")
    child.send("quit detach\n")
    child.expect("detached; the run goes on")
    child.wait()
    assert "\x1b" not in str(child.before)
    place.ask("stop")
    place.wait_clean()
