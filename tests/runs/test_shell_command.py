"""A shell where it failed: here, over SSH and through a command; in a terminal, in a script, and where it cannot be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from fixtures_program import PROGRAM, Place, wait_for
from fixtures_ssh import SshServer

from octogram_tui.commands import shell
from octogram_tui.errors import RequestDenied, UsageError
from octogram_tui.runtime.answers import told

SCENARIO = """
agents: [{%s, env: {PLAIN: "it's here", MY_TOKEN: hush}}]
stages:
  - name: one
    jobs:
      - {name: make it, builtins.shell: 'mkdir -p "a b"; echo hi > "a b/f"'}
      - {name: fail, builtins.shell: {script: exit 3, cwd: a b, env: {LEVEL: '{{ 2 + 3 }}'}}}
      - {name: later, builtins.shell: {script: exit 0, cwd: a b, env: {LEVEL: '{{ 2 + 4 }}'}}}
"""
LOOK = 'pwd; cat f; echo "$LEVEL $PLAIN $MY_TOKEN"; exit 4'
HELD = ("--headless", "--on-failure", "pause", "--linger", "1h")


class Held:
    """A run that holds at its failure."""

    def __init__(self, place: Place, agent: str, *options: str) -> None:
        self.place = place
        path = place.write("s.yml", SCENARIO % agent)
        self.process = place.start(str(path), *HELD, *options)
        wait_for(lambda: self.event("run_paused") is not None, describe=lambda: f"{self.journal()[-3:]}")
        self.home = str((self.event("agent_ready") or {})["home"])

    def journal(self) -> list[dict[str, Any]]:
        found = list(self.place.home.glob(".local/state/octogram-tui/runs/*/journal.jsonl"))
        return [json.loads(line) for line in found[0].read_bytes().split(b"\n")[1:-1]] if found else []

    def event(self, kind: str) -> dict[str, Any] | None:
        return next((event for event in self.journal() if event["type"] == kind), None)

    def shell(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, "shell", "last", *words],
            env=self.place.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.place.home,
            check=False,
        )

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)


@pytest.fixture
def here(place: Place) -> Iterator[Held]:
    held = Held(place, "name: n_1, transport: local")
    yield held
    held.end()


@pytest.fixture
def wrapped(place: Place) -> Iterator[Held]:
    held = Held(place, "name: n_1, transport: command, command: [env, WRAPPED=yes]")
    yield held
    held.end()


@pytest.fixture
def over_ssh(place: Place, openssh_server: SshServer) -> Iterator[Held]:
    held = Held(place, "name: n_1, address: 127.0.0.1", "--ssh-config", str(openssh_server.ssh_config))
    yield held
    held.end()


def look_around(held: Held) -> None:
    """Look with a command, as a script does."""
    done = held.shell("one/fail@n_1", "--", "sh", "-c", LOOK)
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout == f"{held.home}/a b\nhi\n5 it's here hush\n"
    assert held.shell("--", "cat", text="typed\n" * 30_000).stdout == "typed\n" * 30_000


def sit_there(held: Held) -> None:
    """Be there in person: keys, the size of the terminal, a Ctrl-C that is the shell's, a job that stays."""
    child: pexpect.spawn = held.place.open("shell", "last", "fail", size=(90, 27))
    child.expect("comes back, what it leaves running stays")
    child.send("PS1='at: '; echo re''ady\r")
    child.expect("ready")
    child.expect("at: ")
    child.send("stty size; tty >/dev/null && echo is a termi''nal\r")
    child.expect("27 90")
    child.expect("is a terminal")
    child.send('echo "$LEVEL in $(basename "$PWD")"\r')
    child.expect("5 in a b")
    child.send("sh -c 'trap \"echo caught $((6 * 7)); exit\" INT; echo begun $((1 + 1)); read x'\r")
    child.expect("begun 2")
    child.sendintr()
    child.expect("caught 42")
    child.send("(sleep 60 </dev/null >/dev/null 2>&1 & echo $! > left) && exit 7\r")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 7
    left = int((Path(held.home) / "a b" / "left").read_text())
    os.kill(left, 0)  # it stays: it is the person's
    os.kill(left, signal.SIGKILL)
    assert held.process.poll() is None


def test_a_command_on_this_machine(here: Held) -> None:
    before = [event["type"] for event in here.journal()]
    look_around(here)
    later = here.shell("later", "--", "sh", "-c", "echo $LEVEL")
    assert later.stdout == "6\n"
    assert "it has not run: as it would begin now" in later.stderr
    refused = here.shell("n_1", "--", "no such program")
    assert (refused.returncode, refused.stdout) == (127, "")
    assert "cannot start no such program" in refused.stderr
    after = [event["type"] for event in here.journal() if event["type"] != "agent_load"]
    assert after == [kind for kind in before if kind != "agent_load"]  # the run has nothing of it


def test_a_command_behind_a_command(wrapped: Held) -> None:
    look_around(wrapped)


@pytest.mark.sshd
def test_a_command_over_ssh(over_ssh: Held) -> None:
    look_around(over_ssh)


@pytest.mark.terminal
def test_a_person_on_this_machine(here: Held) -> None:
    sit_there(here)


@pytest.mark.terminal
def test_a_person_behind_a_command(wrapped: Held) -> None:
    sit_there(wrapped)


@pytest.mark.sshd
@pytest.mark.terminal
def test_a_person_over_ssh(over_ssh: Held) -> None:
    sit_there(over_ssh)


@pytest.mark.sshd
def test_a_machine_that_cannot_be_reached_is_said(over_ssh: Held, openssh_server: SshServer) -> None:
    openssh_server.known_hosts.write_text("")
    refused = over_ssh.shell("fail", "--", "true")
    assert refused.returncode == 5
    assert "n_1" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_daemon_that_is_gone_is_done_without(here: Held) -> None:
    ready = here.event("agent_ready")
    assert ready is not None
    os.kill(int(ready["pid"]), signal.SIGSTOP)
    try:
        done = here.shell("fail", "--", "sh", "-c", 'pwd; echo "$LEVEL $PLAIN"')
    finally:
        os.kill(int(ready["pid"]), signal.SIGCONT)
    assert done.stdout == f"{here.home}/a b\n5 it's here\n"
    assert "did not answer within" in done.stderr


def test_what_cannot_be_is_said(here: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = here.shell("one/fail@n_9")
    assert (refused.returncode, refused.stdout) == (9, "")
    assert "there is no agent 'n_9'" in refused.stderr
    monkeypatch.setenv("XDG_STATE_HOME", str(here.place.home / ".local/state"))
    with pytest.raises(UsageError, match="there is no row 'nowhere'"):
        shell.main(["last", "nowhere"])
    with pytest.raises(RequestDenied, match="the scenario has no job one/fial"):
        shell.main(["last", "one/fial@n_1"])
    answer = here.place.ask("whereabouts", "one/fail@n_1")
    assert answer["environment"]["MY_TOKEN"] == "hush"
    assert "  PLAIN=it's here" in told(answer)
    assert "hush" not in "".join(told(answer))
    shown = here.place.run("ask", "last", "--json", "whereabouts", "one/fail@n_1").stdout
    assert "it's here" in shown
    assert "hush" not in shown


def test_no_shell_of_a_run_that_is_over(place: Place) -> None:
    path = place.write("s.yml", SCENARIO % "name: n_1, transport: local")
    assert place.run(str(path)).returncode == 1
    over = place.run("shell", "last")
    assert over.returncode == 9
    assert "its agents are gone" in over.stderr


@pytest.mark.terminal
def test_from_the_console_and_back(place: Place) -> None:
    path = place.write("s.yml", SCENARIO % "name: n_1, transport: local")
    child = place.open(str(path))
    child.expect("ended with exit status 3")
    child.send("x")
    child.expect("comes back, what it leaves running stays")
    child.send('echo $LEVEL in $(basename "$PWD") && exit 9\r')
    child.expect("5 in a b")
    child.expect("PAUSED")
    child.send("q")
    child.expect("stop")
    child.send("s")
    child.expect(pexpect.EOF)
    child.wait()
    place.wait_clean()
