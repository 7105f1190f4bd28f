"""The process that has the daemon's program loaded, and forks a daemon for each connection that it gets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from agent_harness import DEADLINE_S, Place, cmdline, is_alive, until
from daemon_client import argv_of, greeting

from octogram_agentd.daemon.starter import BASES
from octogram_agentd.wire.lines import LineFramer, decode, encode

ENVIRONMENT = {"PATH": os.environ["PATH"], "STARTED": "once"}


class Talk:
    """One connection to a starter, which becomes that of a daemon."""

    def __init__(self, at: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        try:
            self.socket.connect(at)
        except OSError:
            self.socket.close()
            raise
        self._framer = LineFramer()
        self._received: list[dict[str, Any]] = []

    def order(self, agent: str) -> str:
        self.socket.sendall(encode({"t": "attach", "nonce": "n0", "run": "run", "agent": agent}))
        line = b""
        while not line.endswith(b"\n"):
            line += self.socket.recv(1)
            assert line
        return line.decode()

    def expect(self, kind: str) -> dict[str, Any]:
        while True:
            for message in self._received:
                if message["t"] == kind:
                    self._received.remove(message)
                    return message
            data = self.socket.recv(65536)
            assert data, f"the end came instead of {kind}"
            self._received += self._framer.feed(data)

    def hello(self, agent: str) -> dict[str, Any]:
        assert self.order(agent) == 'OCTO n0 {"need":false}\n'
        self.socket.sendall(encode({"t": "hello", **greeting("run", agent)}))
        return self.expect("welcome")

    def run(self, procedure: str, **arguments: Any) -> dict[str, Any]:
        self.socket.sendall(encode({"t": "run", "seq": 1, "id": "a@b#1", "procedure": procedure, "args": arguments}))
        return self.expect("finished")

    def stop(self, seq: int = 1) -> None:
        self.socket.sendall(encode({"t": "stop", "seq": seq, "grace_s": 1}))
        stopped = self.expect("stopped")
        assert stopped["remaining"] == []
        with suppress(ConnectionError):  # it does not wait for that for ever
            self.socket.sendall(encode({"t": "ack", "seq": stopped["seq"]}))
            while self.socket.recv(65536):
                pass


class Starter:
    """One starter, with a home of its own."""

    def __init__(self, home: Path, python: str, before: str = "") -> None:
        home.mkdir()
        self.home = home
        self.process = subprocess.Popen(
            [before + word if word.startswith("import ") else word for word in argv_of(python, "start")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT | {"HOME": str(home)},
            cwd=home,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.at = str(decode(self.process.stdout.readline())["at"])
        self._talks: list[Talk] = []

    def talk(self) -> Talk:
        self._talks.append(Talk(self.at))
        return self._talks[-1]

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        for talk in self._talks:
            talk.socket.close()
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def starter(tmp_path: Path, place: Place) -> Iterator[Starter]:
    made = Starter(tmp_path / "home", place.python)
    yield made
    made.end()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def state_of(pid: int) -> dict[str, object]:
    """What a process has of whoever started it, or of nobody."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    environ = sorted(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    return {
        **{name: status[name].strip() for name in ("Umask", "SigBlk", "SigIgn", "SigCgt")},
        "environ": [one for one in environ if not one.startswith(b"HOME=")],
        "cwd": os.readlink(f"/proc/{pid}/cwd"),
        "is its session's first": os.getsid(pid) == pid,
    }


def open_in(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/fd")


def test_a_forked_daemon_works_under_every_interpreter(everywhere: Place, tmp_path: Path) -> None:
    starter = Starter(tmp_path / "home", everywhere.python)
    talk = starter.talk()
    welcome = talk.hello("a")
    assert welcome["home"] == str(tmp_path / "home/.octogram/runs/run/a/home")
    ended = talk.run("builtins.command", argv=["sh", "-c", "test $STARTED = once"])
    assert ended["state"] == "ok", ended
    talk.stop(2)
    assert starter.end() == 0
    assert not (tmp_path / "home/.octogram/runs/run").exists()


NOTE_IMPORTS = """
import os,sys
def note(event,told,us=os.getpid()):
    if event=="import" and os.getpid()!=us:
        file=os.open(%r,os.O_WRONLY|os.O_APPEND|os.O_CREAT)
        os.write(file,(told[0]+" ").encode())
        os.close(file)
sys.addaudithook(note)
"""


def test_a_forked_daemon_has_all_that_a_first_job_needs(tmp_path: Path, place: Place) -> None:
    notes = tmp_path / "imports"
    starter = Starter(tmp_path / "home", place.python, NOTE_IMPORTS % os.fspath(notes))
    talk = starter.talk()
    talk.hello("a")
    assert talk.run("builtins.command", argv=["true"])["state"] == "ok"
    assert not notes.exists(), notes.read_text()
    talk.stop(2)
    assert starter.end() == 0


def test_a_forked_daemon_is_like_one_that_was_started_by_itself(starter: Starter, place: Place) -> None:
    alone = place.attach(env=ENVIRONMENT | {"HOME": str(starter.home)})
    by_itself = alone.hello(procedures=[])["pid"]
    talk = starter.talk()
    pid = talk.hello("agent")["pid"]
    for one, other in ((pid, by_itself), (parent_of(pid), parent_of(by_itself))):  # the daemons, and their guards
        mine, theirs = state_of(one), state_of(other)
        assert mine == theirs
        assert len(open_in(one)) <= len(open_in(other))
    assert Path(f"/proc/{parent_of(pid)}/comm").read_text() == "octogram-guard\n"
    shown = cmdline(pid).decode().rstrip("\0").split("\0")
    assert shown == ["agentd", "attach", "--run", "run", "--agent", "agent"]
    talk.stop()
    alone.stop()


def test_one_agent_takes_two_processes_and_none_of_them_stays(starter: Starter) -> None:
    talks = [starter.talk() for _ in range(3)]
    daemons = [talk.hello(f"a{number}")["pid"] for number, talk in enumerate(talks)]
    guards = [parent_of(pid) for pid in daemons]
    assert sorted(starter.children()) == sorted(guards)
    assert len(set(guards)) == 3
    for talk in talks:
        talk.stop()
    until(lambda: not any(map(is_alive, [*daemons, *guards])), "all have ended")
    last = starter.talk()
    (guard,) = (parent_of(last.hello("last")["pid"]),)
    assert starter.children() == [guard]  # nobody waits for those who are gone
    last.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_agents_outlive_what_started_them(starter: Starter, how: signal.Signals | None) -> None:
    talk = starter.talk()
    pid = talk.hello("a")["pid"]
    if how is None:
        assert starter.process.stdin is not None
        starter.process.stdin.close()
    else:
        starter.process.send_signal(how)
    starter.process.wait(DEADLINE_S)
    with pytest.raises(OSError, match=r"No such file|Connection refused"):
        starter.talk()
    assert is_alive(pid)
    talk.stop()
    assert not (starter.home / ".octogram/runs/run").exists()


def test_where_it_listens_has_no_name_in_any_directory(starter: Starter) -> None:
    assert starter.at.startswith(f"/proc/{starter.process.pid}/fd/")
    listening = os.readlink(starter.at).removesuffix(" (deleted)")
    assert listening.startswith((*BASES, str(starter.home), tempfile.gettempdir()))
    assert not os.path.lexists(os.path.dirname(listening))


@pytest.mark.parametrize("words", [b"", b"{}\n", b"nonsense\n", b'{"t":"attach"}\n', b"\xff" * 100_000])
def test_who_orders_nothing_that_can_be_done_hears_nothing(starter: Starter, words: bytes) -> None:
    talk = starter.talk()
    talk.socket.sendall(words)
    talk.socket.shutdown(socket.SHUT_WR)
    try:
        assert talk.socket.recv(65536) == b""
    except ConnectionResetError:
        pass
    good = starter.talk()
    good.hello("a")
    good.stop()


def test_who_says_nothing_holds_up_nobody(starter: Starter) -> None:
    for _ in range(5):
        starter.talk()
    talk = starter.talk()
    talk.hello("a")
    talk.stop()


def test_a_daemon_whose_orchestrator_leaves_before_it_greets_ends(starter: Starter) -> None:
    talk = starter.talk()
    talk.order("a")
    root = starter.home / ".octogram/runs/run"
    until(lambda: (root / "a/sock").exists(), "the daemon is there")
    talk.socket.close()
    until(lambda: not root.exists() and not any(map(is_alive, starter.children())), "nothing is left")


def test_an_agent_that_has_a_daemon_gets_the_same_again(starter: Starter) -> None:
    first, again = starter.talk(), starter.talk()
    birth = first.hello("a")["birth"]
    assert again.order("a") == 'OCTO n0 {"need":false}\n'
    again.socket.sendall(encode({"t": "hello", **greeting("run", "a", epoch=2, rx=0)}))
    assert again.expect("welcome")["birth"] == birth
    again.stop()


def test_signals_that_whoever_started_it_holds_back_are_seen_by_a_daemon(tmp_path: Path, place: Place) -> None:
    held = {signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        made = Starter(tmp_path / "home", place.python)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, held)
    try:
        talk = made.talk()
        talk.hello("held")
        assert talk.run("builtins.command", argv=["true"])["state"] == "ok"
        talk.stop(2)
    finally:
        made.end()
