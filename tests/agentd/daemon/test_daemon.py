"""The daemon over its channel: greetings, attempts, reattachment, lease, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from agent_harness import Connection, Place, cmdline, is_alive, marked, until
from daemon_client import CHECKOUT, argv_of

from octogram_agentd.wire import lines as wire

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


def test_a_stopped_process_is_ended(place: Place) -> None:
    connection = place.connect()
    pid = connection.ok("own.start", process="frozen", argv=["sleep", "600"])["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert connection.ok("own.stop", process="frozen") == {"exit_code": 128 + signal.SIGTERM}
    assert connection.stop() == []


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
        connection.ok("own.start", process=name, argv=["sh", "-c", script, name], order=order, ready="up")
    assert connection.stop() == []
    assert log.read_text().split() == ["baker", "node", "last"]


def test_a_grandchild_that_holds_the_output_does_not_hold_the_result(place: Place) -> None:
    connection = place.connect()
    result = connection.ok("own.command", argv=["sh", "-c", "sleep 600 & echo done"])
    assert result["stdout"] == "done\n"
    assert len(marked(place.mark())) == 1  # it stays a member until the end of the run
    mark = place.mark()
    assert connection.stop() == []
    assert marked(mark) == []


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


def test_says_that_the_working_directory_is_missing(place: Place) -> None:
    connection = place.connect()
    error = connection.fails("own.command", argv=["true"], cwd="nowhere")
    assert error["kind"] == "not_started"
    assert "working directory" in error["message"]
    assert connection.ok("own.command", argv=["true"])["exit_code"] == 0
    connection.stop()


def test_failures_say_what_happened(place: Place) -> None:
    connection = place.connect()
    error = connection.fails("own.command", argv=["sh", "-c", "echo why >&2; exit 3"])
    assert error["kind"] == "exit"
    assert error["detail"]["exit_code"] == 3
    assert error["detail"]["last_lines"] == ["why"]
    assert connection.ok("own.command", argv=["sh", "-c", "kill -9 $$"], check=False)["exit_code"] == 137
    error = connection.fails("own.command", argv=["sleep", "600"], limit_s=0.1)
    assert error["kind"] == "timeout"
    error = connection.fails("own.value", expression="1/0")
    assert error["kind"] == "bug"
    assert "ZeroDivisionError" in error["detail"]["traceback"]
    assert connection.fails("own.nothing")["kind"] == "unknown_procedure"
    assert connection.fails("own.value", expression="float('nan')")["kind"] == "bug"
    assert connection.fails("own.value", expression="object()")["kind"] == "bug"
    assert connection.fails("own.value", expression="'x' * 200000")["kind"] == "result_too_large"
    deep = "__import__('functools').reduce(lambda inner, _: [inner], range(40), 0)"
    assert connection.fails("own.value", expression=deep)["kind"] == "result_too_large"
    assert connection.ok("own.value", expression=r"'a\udc80'") == "a?"
    assert connection.ok("own.value", expression="__import__('os').path.exists('/')") is True
    connection.stop()


def test_a_timeout_ends_what_the_attempt_started(place: Place) -> None:
    connection = place.connect()
    mark = place.mark()
    argv = ["sh", "-c", "sleep 600 & wait"]
    connection.send("run", id="slow", procedure="own.command", args={"argv": argv}, timeout_s=0.3)
    finished = connection.expect("finished", id="slow")
    assert (finished["state"], finished["error"]["kind"]) == ("failed", "timeout")
    assert marked(mark) == []
    connection.stop()


def test_cancelling_ends_what_the_attempt_started(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.start", process="other", argv=["sleep", "600"])
    connection.send(
        "run",
        id="x",
        procedure="own.start",
        args={"process": "mine", "argv": ["sh", "-c", "echo begun; sleep 600 & wait"], "ready": "never"},
    )
    assert connection.printed(1, id="x") == ["begun"]
    connection.send("cancel", id="x", reason="enough")
    finished = connection.expect("finished", id="x")
    assert (finished["state"], finished["error"]["message"]) == ("cancelled", "enough")
    assert len(marked(place.mark())) == 1
    connection.send("cancel", id="unknown", reason="")
    connection.stop()


def test_what_is_cancelled_with_its_run_is_answered(place: Place) -> None:
    connection = place.connect()
    assert connection.bridge.stdin is not None
    connection.bridge.stdin.write(
        b"".join(
            wire.encode(message)
            for message in (
                {"t": "run", "seq": 1, "id": "a", "procedure": "own.command", "args": {"argv": ["touch", "begun"]}},
                {"t": "run", "seq": 2, "id": "b", "procedure": "own.sleep", "args": {}},
                {"t": "cancel", "seq": 3, "id": "a", "reason": "never mind"},
                {"t": "stop", "seq": 4, "grace_s": 1, "keep": True},
            )
        )
    )
    connection.bridge.stdin.flush()
    assert connection.expect("finished", id="a")["error"]["message"] == "never mind"
    assert connection.expect("finished", id="b")["state"] == "cancelled"
    connection.send("ack", seq=connection.expect("stopped")["seq"])
    connection.drain()
    assert not (place.root / "home" / "begun").exists()


def test_a_known_attempt_is_answered_not_executed(place: Place) -> None:
    connection = place.connect()
    log = place.base / "oracle"
    argv = ["sh", "-c", f"echo once >> {log}"]
    first = connection.do("own.command", name="a#1", argv=argv)
    second = connection.do("own.command", name="a#1", argv=argv)
    assert log.read_text() == "once\n"
    assert second["seq"] == first["seq"] + 1
    assert {**second, "seq": 0} == {**first, "seq": 0}
    connection.stop()


def test_reattaching_replays_what_was_not_seen(place: Place) -> None:
    first = place.connect()
    done = first.do("own.noop", name="seen#1")
    gate = place.base / "gate"
    script = f"until test -e {gate}; do sleep 0.01; done; echo through"
    first.send("run", id="pending#1", procedure="own.command", args={"argv": ["sh", "-c", script]})
    first.send("run", id="unseen#1", procedure="own.noop", args={})
    first.expect("finished", id="unseen#1")  # it arrived, but let it not have been taken
    first.close()
    gate.touch()
    second = place.attach()
    welcome = second.hello(epoch=2, rx=done["seq"])
    assert welcome["rx"] == 3
    assert second.expect("finished", id="unseen#1")["seq"] == done["seq"] + 1
    assert second.expect("finished", id="pending#1")["result"]["stdout"] == "through\n"
    second.send("run", id="seen#1", procedure="own.noop", args={}, seq=1)  # the same number again: dropped
    assert second.ok("own.value", expression="'here'") == "here"
    assert [m for m in second.received if m["t"] == "finished"] == []
    second.stop()


def test_a_new_connection_takes_over_and_a_stale_one_is_refused(place: Place) -> None:
    first = place.connect(epoch=2)
    stale = place.attach()
    stale.send("hello", proto=[1, 0], run="run", agent="agent", epoch=1, rx=0, lease_s=60)
    assert stale.expect("reject")["code"] == "epoch_stale"
    stale.drain()
    for fields, code in (({"proto": [2, 0]}, "proto"), ({"run": "another"}, "wrong_run")):
        stranger = place.attach()
        stranger.send("hello", **{"proto": [1, 0], "run": "run", "agent": "agent", "epoch": 3, "rx": 0, **fields})
        assert stranger.expect("reject")["code"] == code
        stranger.drain()
        stranger.close()
    second = place.connect(epoch=3)
    first.drain()
    first.close()
    stale.close()
    second.stop()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"nonsense\n",
        b"\xff\xfe\n",
        b"[" * 5000 + b"\n",
        b'{"t":"run"}\n',
        b'{"t":"run","seq":7,"id":"a"}\n',
        b'{"t":"run","seq":"1"}\n',
    ],
)
def test_a_hostile_line_ends_the_connection_not_the_daemon(place: Place, line: bytes) -> None:
    connection = place.connect()
    assert connection.bridge.stdin is not None
    connection.bridge.stdin.write(line)
    connection.bridge.stdin.flush()
    connection.drain()
    connection.close()
    second = place.connect(epoch=2)
    second.ok("own.noop")
    second.stop()


def test_unknown_messages_are_ignored_up_to_a_bound(place: Place) -> None:
    connection = place.connect()
    for _ in range(50):
        connection.send("news", seq=99)
    connection.ok("own.noop")
    for _ in range(51):
        connection.send("news")
    connection.drain()
    connection.close()
    place.connect(epoch=2).stop()


def test_the_bridge_may_die(place: Place) -> None:
    first = place.connect()
    pid = first.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    first.bridge.kill()
    first.drain()  # the daemon lets go of the channel
    first.close()
    second = place.attach()
    assert second.hello(epoch=2, rx=1)["pid"] in place.daemons
    assert is_alive(pid)
    second.stop()
    assert not is_alive(pid)


def test_the_lease_ends_everything(everywhere: Place) -> None:
    connection = everywhere.connect(lease_s=0.5)
    mark = everywhere.mark()
    connection.ok("own.start", process="p", argv=["sleep", "600"])
    daemon = next(iter(everywhere.daemons))
    connection.close()
    until(lambda: not is_alive(daemon), "the daemon ends by itself")
    assert marked(mark) == []
    assert not everywhere.root.exists()


def test_signs_of_life_renew_the_lease(place: Place) -> None:
    connection = place.connect(lease_s=1.0)
    for number in range(20):
        connection.send("hb", n=number)
        connection.ok("own.await", expression="context.sleep(0.1)")
    connection.stop()


def test_watching_the_parent(place: Place) -> None:
    script = "import subprocess,sys;subprocess.Popen(sys.argv[1:]);sys.stdin.read()"
    words = argv_of(
        place.python, "attach", "--run", "run", "--agent", "agent", "--root", str(place.base), "--parent-watch"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, *words], stdin=subprocess.PIPE)
    assert parent.stdin is not None
    until(lambda: (place.root / "sock").exists(), "the daemon is there")
    parent.kill()
    parent.wait()
    parent.stdin.close()
    until(lambda: not place.root.exists(), "the daemon has left")


def test_keep_keeps_the_home_directory(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.command", argv=["touch", "kept"])
    connection.ok("own.value", expression="open(context.temporary('x'), 'w').close()")
    connection.stop(keep=True)
    assert (place.root / "home" / "kept").exists()
    assert sorted(path.name for path in place.root.iterdir()) == ["agentd.log", "home", "log"]


def test_removal_follows_no_links(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    connection = place.connect()
    connection.ok("own.command", argv=["ln", "-s", str(outside), "link"])
    connection.ok("own.command", argv=["sh", "-c", "mkdir -p a/b; touch a/b/c; chmod 0 a/b"])
    connection.stop()
    assert (outside / "precious").exists()
    assert not place.root.exists()


def test_what_a_killed_daemon_left_is_swept_by_the_next(place: Place) -> None:
    connection = place.connect()
    pid = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    os.kill(next(iter(place.daemons)), signal.SIGKILL)
    connection.drain()
    connection.close()
    assert is_alive(pid)
    second = place.connect(epoch=2)
    until(lambda: not is_alive(pid), "the orphan is swept")
    second.stop()


def test_two_bridges_at_once_meet_one_daemon(place: Place) -> None:
    connections = [place.attach() for _ in range(4)]
    pids = []
    for epoch, connection in enumerate(connections, 1):
        pids.append(connection.hello(epoch=epoch)["pid"])
    assert len(set(pids)) == 1
    connections[-1].stop()


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


def test_an_agent_imports_little_before_its_first_job(everywhere: Place) -> None:
    script = (
        "import sys;sys.path.insert(0,sys.argv[1]);from octogram_agentd import kernel;"
        "from octogram_agentd.daemon import attach,daemon,home;"
        "print(*sorted(m for m in sys.modules))"
    )
    argv = [everywhere.python, "-IS", "-c", script, CHECKOUT]
    asked = subprocess.run(argv, capture_output=True, text=True, check=True)
    loaded = set(asked.stdout.split())
    heavy = {
        "asyncio",
        "subprocess",
        "typing",
        "threading",
        "dataclasses",
        "logging",
        "json",
        "re",
        "enum",
        "selectors",
        "socket",
        "ctypes",
        "collections",
        "functools",
        "hashlib",
        "ssl",
        "tempfile",
        "traceback",
        "signal",
    }
    assert loaded & heavy == set()


def test_stray_prints_do_not_reach_the_channel(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.value", expression="print('stray') or __import__('os').write(1, b'more\\n')")
    connection.ok("own.noop")
    connection.stop()


def test_the_long_way_to_the_socket(tmp_path: Path) -> None:
    place = Place(tmp_path / ("d" * 150), sys.executable)
    try:
        first = place.connect()
        first.close()
        second = place.connect(epoch=2)
        second.stop()
    finally:
        place.clean()


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Place(tmp_path / "file", sys.executable)
    connection = place.attach()
    assert connection.drain() == []
    connection.close()
    assert connection.bridge.returncode == 73


def test_the_daemon_has_nothing_of_its_starter(place: Place) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    argv = argv_of(place.python, "attach", "--run", "run", "--agent", "agent", "--root", str(place.base))
    bridge = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[write])
    connection = Connection(["true"])
    connection.close()
    connection.bridge = bridge
    welcome = connection.hello()
    place.daemons.add(welcome["pid"])
    os.close(write)
    assert os.getsid(welcome["pid"]) == welcome["pid"]
    assert b"attach" in cmdline(welcome["pid"])
    bridge.kill()
    bridge.wait()
    assert os.read(read, 1) == b""  # nobody else holds it
    os.close(read)
    connection.drain()
    connection.close()


# -- time


@pytest.mark.parametrize("timeout_s", [0, 0.0, -1, -0.001])
def test_an_attempt_without_time_has_failed(place: Place, timeout_s: float) -> None:
    connection = place.connect()
    connection.send("run", id="none", procedure="own.noop", args={}, timeout_s=timeout_s)
    finished = connection.expect("finished", id="none")
    assert (finished["state"], finished["error"]["kind"]) == ("failed", "argument")
    assert "leaves no time" in finished["error"]["message"]
    connection.stop()


def test_an_attempt_whose_time_is_up_before_it_begins_is_late_not_cancelled(place: Place) -> None:
    connection = place.connect()
    for number in range(20):
        connection.send("run", id=f"a{number}", procedure="own.sleep", args={}, timeout_s=1e-9)
    for number in range(20):
        finished = connection.expect("finished", id=f"a{number}")
        assert (finished["state"], finished["error"]["kind"]) == ("failed", "timeout")
    connection.stop()


def test_an_attempt_that_nobody_asked_to_cancel_has_failed(place: Place) -> None:
    connection = place.connect()
    connection.send("run", id="long", procedure="own.sleep", args={})
    connection.ok("own.noop")
    os.kill(next(iter(place.daemons)), 15)  # not by the orchestrator
    finished = connection.expect("finished", id="long")
    assert (finished["state"], finished["error"]["kind"]) == ("failed", "stopped")
    connection.send("run", id="late", procedure="own.noop", args={})
    connection.expect("stopped")
    connection.drain()
    connection.close()


def test_what_the_orchestrator_stops_is_cancelled(place: Place) -> None:
    connection = place.connect()
    connection.send("run", id="long", procedure="own.sleep", args={})
    connection.ok("own.noop")
    connection.send("stop", grace_s=1)
    finished = connection.expect("finished", id="long")
    assert (finished["state"], finished["error"]["message"]) == ("cancelled", "the agent was stopped")
    connection.expect("stopped")
    connection.drain()
    connection.close()


@pytest.mark.parametrize("call", ["http('GET', 'http://127.0.0.1:1/', timeout_s=0)", "command(['true'], timeout_s=0)"])
def test_a_step_without_time_is_refused(place: Place, call: str) -> None:
    connection = place.connect()
    error = connection.fails("own.await", expression=f"context.{call}")
    assert (error["kind"], "leaves no time" in error["message"]) == ("argument", True)
    connection.stop()


# -- procedures of the user's own

STATEFUL = """
from octogram_agentd.procedures.base import Procedure

class Count:
    def __init__(self):
        self.number = 0

class CountUp(Procedure):
    procedure = "own.count_up"
    async def run(self, context):
        count = context.state(Count)
        count.number += 1
        return count.number
"""


def test_a_procedure_keeps_what_it_knows_even_when_its_file_is_loaded_again(place: Place) -> None:
    files = [{"path": "count.py", "source": STATEFUL}]
    first = place.connect(procedures=files)
    assert [first.ok("own.count_up"), first.ok("own.count_up")] == [1, 2]
    second = place.attach()
    second.hello(epoch=2, rx=2, procedures=files)
    assert second.ok("own.count_up") == 3
    second.stop()


def test_a_file_written_for_the_old_package_gets_a_clear_word(place: Place) -> None:
    source = "from agentd.procedures.base import Procedure\n"
    connection = place.connect(procedures=[{"path": "old.py", "source": source}])
    error = connection.fails("own.old")
    assert error["kind"] == "unknown_procedure"
    assert "old.py" in error["hint"]
    assert "write `from octogram_agentd.procedures.base import ...`" in error["hint"]
    connection.stop()
