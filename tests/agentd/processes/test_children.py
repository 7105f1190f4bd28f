"""Processes of jobs on a real daemon: how they start, and that all of them end, however they hide."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from agent_harness import Place, is_alive, marked, until

FORKER = """\
import os,time
if os.fork()==0:
 os.setsid()
 if os.fork()==0:
  time.sleep(600)
 os._exit(0)
os.wait()
"""


def test_runs_to_the_end_under_every_python(everywhere: Place) -> None:
    connection = everywhere.connect(env={"GREETING": "hello"}, address="10.0.0.1")
    script = "cat; echo $GREETING $MORE; echo oops >&2; pwd"
    result = connection.ok("own.command", argv=["sh", "-c", script], stdin="in\n", env={"MORE": "more"})
    home = str(everywhere.root / "home")
    assert result == {"exit_code": 0, "stdout": f"in\nhello more\n{home}\n", "stderr": "oops\n"}
    assert connection.printed(3, stream="stdout") == ["in", "hello more", home]
    assert connection.ok("own.value", expression="[context.agent, context.address, context.home]") == [
        "agent",
        "10.0.0.1",
        home,
    ]
    mark = everywhere.mark()
    script = "sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo up; exec sleep 600"
    connection.ok("own.start", process="tree", argv=["sh", "-c", script], ready="up", grace_s=0.2)
    assert connection.expect("service")["state"] == "up"
    connection.ok("own.command", argv=[sys.executable, "-c", FORKER])
    assert len(marked(mark)) >= 3
    assert connection.stop() == []
    assert marked(mark) == []
    assert not everywhere.root.exists()


@pytest.mark.fault(43)
def test_kills_what_hides(everywhere: Place) -> None:
    connection = everywhere.connect()
    connection.ok(
        "own.start",
        process="escaper",
        argv=["env", "-i", sys.executable, "-c", FORKER + "print('up',flush=True)\ntime.sleep(600)"],
        ready="up",
    )
    daemon = everywhere.daemons.copy().pop()
    until(lambda: len(descendants(daemon)) >= 2, "the grandchild is there")
    members = descendants(daemon)
    assert connection.stop(grace_s=0.1) == []
    assert [pid for pid in members if is_alive(pid)] == []


def descendants(root: int) -> list[int]:
    found: list[int] = []
    for name in os.listdir("/proc"):
        if name.isdigit() and is_alive(int(name)):
            pid = int(name)
            while pid > 1 and pid != root:
                try:
                    pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
                except OSError:
                    break
            if pid == root and int(name) != root:
                found.append(int(name))
    return found


@pytest.mark.fault(46)
def test_a_stopped_process_is_ended(place: Place) -> None:
    connection = place.connect()
    pid = connection.ok("own.start", process="frozen", argv=["sleep", "600"])["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert connection.ok("own.stop", process="frozen") == {"exit_code": 128 + signal.SIGTERM}
    assert connection.stop() == []


WITHOUT_ITS_FIRST_THREAD = """\
import ctypes,threading,time
threading.Thread(target=time.sleep,args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_one_whose_first_thread_has_ended_is_ended(place: Place) -> None:
    connection = place.connect()
    pid = connection.ok("own.start", process="p", argv=[sys.executable, "-c", WITHOUT_ITS_FIRST_THREAD])["pid"]
    until(lambda: not is_alive(pid), "it is shown as a zombie")
    assert connection.ok("own.stop", process="p") == {"exit_code": 128 + signal.SIGTERM}
    assert not os.path.exists(f"/proc/{pid}")
    assert connection.stop() == []


def test_what_has_ended_is_gone_before_that_is_told(place: Place) -> None:
    connection = place.connect()
    nobody_says_that_it_ended = "setattr(context._agent.kernel, '_on_child', lambda: None)"
    command = "context.command(['sh', '-c', 'echo $$; exec sleep 600'], timeout_s=0.5)"
    connection.ok("own.command", argv=["true"])
    connection.ok("own.value", expression=nobody_says_that_it_ended)
    error = connection.fails("own.await", expression=command)
    assert (error["kind"], error["detail"]["exit_code"]) == ("timeout", 128 + signal.SIGTERM)
    (daemon,) = place.daemons
    children = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    assert [pid for pid in children if not is_alive(int(pid))] == []
    assert connection.stop() == []


@pytest.mark.fault(41, 42)
def test_a_child_that_ignores_term_is_killed_though_its_leader_ended(place: Place) -> None:
    connection = place.connect()
    script = "sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.1; done' & wait"
    connection.ok("own.start", process="pair", argv=["sh", "-c", script], ready="up", grace_s=0.3)
    mark = place.mark()
    connection.ok("own.stop", process="pair")
    assert marked(mark) == []
    connection.stop()


def test_stop_orders_are_kept(place: Place) -> None:
    connection = place.connect()
    log = place.base / "order"
    script = f"trap 'echo $0 >> {log}; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    for name, order in (("node", 10), ("baker", 0), ("last", 20)):
        argv = ["sh", "-c", script, name]
        connection.ok("own.start", process=name, argv=argv, order=order, ready="up", grace_s=30)
    assert connection.stop(grace_s=30) == []
    assert log.read_text().split() == ["baker", "node", "last"]


@pytest.mark.fault(45)
def test_a_grandchild_that_holds_the_output_does_not_hold_the_result(place: Place) -> None:
    connection = place.connect()
    result = connection.ok("own.command", argv=["sh", "-c", "sleep 600 & echo done"])
    assert result["stdout"] == "done\n"
    assert len(marked(place.mark())) == 1  # it stays a member until the end of the run
    mark = place.mark()
    assert connection.stop() == []
    assert marked(mark) == []


@pytest.mark.fault(49)
@pytest.mark.parametrize(
    ("argv", "errno", "part"),
    [
        (["no-such-program"], "ENOENT", "was not found"),
        (["./missing"], "ENOENT", "does not exist"),
        (["./plain"], "EACCES", "chmod +x"),
        (["./directory"], "EACCES", "is a directory"),
        (["./text"], "ENOEXEC", "#!"),
        (["./foreign"], "ENOEXEC", "it is built for"),
        (["./orphan"], "ENOENT", "its interpreter /no/such/interpreter is missing"),
        (["true", "x" * 140000], "E2BIG", "too long"),
        (["true\0"], "EINVAL", "NUL"),
        ([], "EINVAL", "no program"),
    ],
)
def test_says_why_a_program_cannot_start(place: Place, argv: list[str], errno: str, part: str) -> None:
    connection = place.connect()
    home = place.root / "home"
    (home / "plain").write_text("#!/bin/sh\n")
    (home / "directory").mkdir()
    (home / "text").write_text("hello\n")
    machine = 183 if os.uname().machine != "aarch64" else 62
    (home / "foreign").write_bytes(b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + machine.to_bytes(2, "little") + bytes(100))
    (home / "orphan").write_text("#!/no/such/interpreter\n")
    for name in ("text", "foreign", "orphan"):
        (home / name).chmod(0o700)
    error = connection.fails("own.command", argv=argv)
    assert (error["kind"], error["detail"]["errno"]) == ("not_started", errno)
    assert part in error["message"] + error["hint"]
    connection.stop()


@pytest.mark.fault(49)
def test_says_that_the_working_directory_is_missing(place: Place) -> None:
    connection = place.connect()
    error = connection.fails("own.command", argv=["true"], cwd="nowhere")
    assert error["kind"] == "not_started"
    assert "working directory" in error["message"]
    assert connection.ok("own.command", argv=["true"])["exit_code"] == 0
    connection.stop()


def test_service_goes_down_with_its_reason(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.start", process="p", argv=["sh", "-c", "echo last words; sleep 0.2; exit 7"], ready="words")
    assert connection.expect("service", state="up")["ports"] == {"http": 1234}
    down = connection.expect("service", state="down")
    assert "exit status 7" in down["reason"]
    assert "last words" in down["reason"]
    error = connection.fails("own.value", expression="context.service('process', 'p')")
    assert error["kind"] == "service"
    assert "exit status 7" in error["message"]
    assert "p (process)" in connection.fails("own.value", expression="context.service('node', 'x')")["hint"]
    connection.stop()


def test_restart_on_failure(place: Place) -> None:
    connection = place.connect()
    script = "if mkdir once 2>/dev/null; then exit 1; fi; echo second; exec sleep 600"
    connection.ok("own.start", process="p", argv=["sh", "-c", script], restart="on_failure", ready="second")
    states = [connection.expect("service")["state"] for _ in range(3)]
    assert states == ["up", "down", "up"]
    assert connection.stop() == []


def test_readiness_signs(place: Place) -> None:
    connection = place.connect()
    server = (
        "import http.server as h;s=h.HTTPServer(('127.0.0.1',0),h.SimpleHTTPRequestHandler);"
        "open('port','w').write(str(s.server_port));s.serve_forever()"
    )
    connection.ok("own.start", process="web", argv=[sys.executable, "-c", server])
    assert connection.ok("own.ready", process="web", sign={"file": "port"}) == "file port"
    port_file = place.root / "home" / "port"
    until(lambda: port_file.read_text() != "", "the port is written")
    port = int(port_file.read_text())
    assert connection.ok("own.ready", process="web", sign={"port": port}) == f"port {port}"
    url = f"http://127.0.0.1:{port}/"
    assert connection.ok("own.ready", process="web", sign={"http": url}) == f"http {url}"
    connection.ok("own.start", process="brief", argv=["sh", "-c", "echo bye; exit 4"])
    error = connection.fails("own.ready", process="brief", sign={"port": 1})
    assert (error["kind"], error["detail"]["exit_code"], error["detail"]["last_lines"]) == ("exit", 4, ["bye"])
    assert connection.ok("own.ready", process="brief", sign={"log": "b.e"}) == "log bye"
    connection.stop()
