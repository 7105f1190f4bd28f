"""The daemon over its channel: greetings, reattachment, lease, stop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from agent_harness import Connection, Place, cmdline, is_alive, marked, until
from daemon_client import CHECKOUT, argv_of, greeting

from octogram_agentd import PROTOCOL


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


@pytest.mark.fault(36)
def test_a_new_connection_takes_over_and_a_stale_one_is_refused(place: Place) -> None:
    first = place.connect(epoch=2)
    pid = first.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
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
    assert is_alive(pid), "what runs is nobody's who was refused"
    second.stop()


@pytest.mark.fault(37)
def test_another_build_is_understood_or_refused_and_ends_nothing(place: Place) -> None:
    first = place.connect()
    pid = first.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    for proto in ([PROTOCOL[0] + 1, 0], [], None, "1.0"):
        stranger = place.attach()
        stranger.send("hello", **greeting("run", "agent", epoch=9, proto=proto))
        assert stranger.expect("reject")["code"] == "proto"
        stranger.drain()
        stranger.close()
    first.ok("own.noop")
    newer = place.attach()
    newer.hello(epoch=2, rx=2, proto=[PROTOCOL[0], PROTOCOL[1] + 1], weather="fine")
    newer.send("news", text="that it does not know")
    newer.ok("own.noop")
    assert is_alive(pid)
    newer.stop()
    assert not is_alive(pid)
    first.close()


@pytest.mark.fault(37)
def test_what_a_newer_build_says_beside_is_passed_over(place: Place) -> None:
    connection = place.connect(proto=[PROTOCOL[0], 99], weather="fine")
    connection.send("weather", text="fine")
    connection.send("run", id="new#1", procedure="own.noop", args={}, weather="fine")
    assert connection.expect("finished", id="new#1")["state"] == "ok"
    assert connection.stop() == []


def test_who_has_nothing_is_told_all_that_was_not_acknowledged(place: Place) -> None:
    first = place.connect(token="secret")
    first.do("own.noop", name="taken#1")
    first.send("ack", seq=1)
    first.do("own.noop", name="untaken#1")
    first.send("run", id="on#1", procedure="own.sleep", args={})
    first.ok("own.value", expression="'here'")  # so that the acknowledgement has arrived
    first.close()
    second = place.attach()
    welcome = second.hello(epoch=1 << 20, rx=None, token="secret")
    assert (welcome["rx"], welcome["tx"]) == (4, 1)
    known = welcome["knows"]
    assert (known["taken#1"], known["untaken#1"], known["on#1"]) == ("ok", "ok", "running")
    assert [second.expect("finished")["seq"] for _ in range(2)] == [2, 3]
    second.send("cancel", id="on#1")
    assert second.expect("finished", id="on#1")["seq"] == 4
    second.close()
    third = place.attach()  # it was told of a number by another daemon: that one says nothing here
    assert third.hello(epoch=(1 << 20) + 1, rx=3, birth="another", token="secret")["tx"] == 1
    third.close()
    fourth = place.attach()
    assert fourth.hello(epoch=(1 << 20) + 2, rx=3, birth=welcome["birth"], token="secret")["tx"] == 3
    assert fourth.expect("finished")["seq"] == 4
    fourth.stop()


@pytest.mark.fault(36)
@pytest.mark.parametrize("token", ["another", "", None, 7, "\xe9"])
def test_a_greeting_with_another_token_is_refused(place: Place, token: object) -> None:
    first = place.connect(token="secret")
    stranger = place.attach()
    stranger.send("hello", **greeting("run", "agent", epoch=9, token=token))
    assert stranger.expect("reject")["code"] == "token"
    stranger.drain()
    stranger.close()
    first.ok("own.noop")  # and nothing has become of the one that is there
    first.close()
    place.connect(epoch=2, token="secret").stop()


def test_what_is_known_fits_into_a_welcome(place: Place) -> None:
    first = place.connect()
    for number in range(60):
        first.do("own.noop", name=f"{number:02}{chr(0x20AC) * 2000}#1")
    first.close()
    second = place.attach()
    known = second.hello(epoch=2, rx=60)["knows"]
    assert [name[:2] for name in known] == [str(n) for n in range(59, 59 - len(known), -1)]
    assert 10 < len(known) < 60
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


@pytest.mark.fault(35)
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
    first = everywhere.connect()
    mark = everywhere.mark()
    first.ok("own.start", process="p", argv=["sleep", "600"])
    daemon = next(iter(everywhere.daemons))
    connection = everywhere.connect(epoch=2, lease_s=0.5)  # short once all is there, however busy the machine is
    first.close()
    connection.close()
    until(lambda: not is_alive(daemon), "the daemon ends by itself")
    assert marked(mark) == []
    assert not everywhere.root.exists()


@pytest.mark.fault(7)
def test_an_open_channel_on_which_nothing_comes_renews_no_lease(place: Place) -> None:
    first = place.connect()
    mark = place.mark()
    first.ok("own.start", process="p", argv=["sleep", "600"])
    daemon = next(iter(place.daemons))
    connection = place.connect(epoch=2, lease_s=0.5)
    first.close()
    connection.send("ack", seq=connection.expect("stopped")["seq"])
    connection.drain()  # it is the daemon that closes it
    until(lambda: not is_alive(daemon), "the daemon ends by itself")
    assert marked(mark) == []
    connection.close()


RENEWALS_ARE_COUNTED = """[
    [setattr(b, "renewals", 0), setattr(lease, "renew", (lambda renew: lambda self: [
        setattr(b, "renewals", b.renewals + 1), renew(self)])(lease.renew))] and None
    for b in [__import__("builtins")]
    for lease in [__import__("octogram_agentd.daemon.lease", fromlist=["Lease"]).Lease]
]"""


def test_signs_of_life_renew_the_lease(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.value", expression=RENEWALS_ARE_COUNTED)
    before = connection.ok("own.value", expression="__import__('builtins').renewals")
    for number in range(3):
        connection.send("hb", n=number)
    assert connection.ok("own.value", expression="__import__('builtins').renewals") == before + 4, "and this question"
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


def test_a_directory_that_somebody_has_removed_leaves_nothing_and_is_no_defect(place: Place) -> None:
    connection = place.connect()
    pid = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    shutil.rmtree(place.root)
    assert connection.stop() == []
    assert not is_alive(pid)
    assert not place.root.exists()


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


def test_two_bridges_at_once_meet_one_daemon(place: Place) -> None:
    connections = [place.attach() for _ in range(4)]
    pids = []
    for epoch, connection in enumerate(connections, 1):
        pids.append(connection.hello(epoch=epoch)["pid"])
    assert len(set(pids)) == 1
    connections[-1].stop()


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


def test_an_attempt_may_have_an_environment_of_its_own(place: Place) -> None:
    connection = place.connect(env={"A": "agent", "B": "agent"})
    script = 'echo "$A $B $C"'
    for name, env, more, said in (
        ("with#1", {"B": "attempt", "C": 7}, {"C": "procedure"}, "agent attempt procedure"),
        ("with#2", {"B": "attempt", "C": 7}, {}, "agent attempt 7"),
        ("without#1", None, {}, "agent agent"),
        ("odd#1", ["B"], {}, "agent agent"),
    ):
        args = {"script": script, "env": more}
        connection.send("run", id=name, procedure="builtins.shell", args=args, **({} if env is None else {"env": env}))
        assert connection.expect("finished", id=name)["result"]["stdout"].strip() == said
    connection.stop()


def test_a_bridge_that_is_to_hold_is_there_as_long_as_its_daemon(place: Place) -> None:
    words = ("attach", "--run", "run", "--agent", "agent", "--root", str(place.base), "--hold")
    connection = Connection(argv_of(place.python, *words))
    daemon = connection.hello()["pid"]
    place.daemons.add(daemon)
    pid = connection.ok("own.start", process="p", argv=["sleep", "600"])["pid"]
    bridge = connection.bridge
    assert bridge.stdin is not None
    bridge.stdin.close()  # whoever had it is gone
    connection.drain()  # the daemon lets go of the channel
    second = Connection(argv_of(place.python, *words))
    second.hello(epoch=2, rx=1)
    assert bridge.poll() is None, "a scheduler would end the daemon with it"
    second.stop()
    assert not is_alive(pid)
    assert bridge.wait(60) == 0
    assert second.bridge.wait(60) == 0
    assert bridge.stdout is not None
    bridge.stdout.close()
