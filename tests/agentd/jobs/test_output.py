"""Output end to end: credit, what is dropped, the tail on request, bounded logs on disk."""

from __future__ import annotations

import sys

import pytest
from agent_harness import Place, resident, until

from octogram_agentd.processes.logs import HEAD_BYTES, SEGMENT_BYTES, SEGMENTS
from octogram_agentd.wire.backlog import LITTLE_CHARACTERS
from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode
from octogram_agentd.wire.pace import LEAST_BYTES

FLOOD = "import sys\nfor n in range(400000): sys.stdout.write('%07d %s\\n' % (n, 'x' * 91))\n"  # 40 MB in lines of 100


@pytest.mark.fault(53)
def test_a_flood_is_bounded_and_its_result_is_not_delayed(place: Place) -> None:
    connection = place.connect()
    (daemon,) = place.daemons
    before_bytes = resident(daemon)
    connection.ok("own.start", process="flood", argv=[sys.executable, "-c", FLOOD])
    connection.expect("service", state="down")
    connection.ok("own.noop")
    got = [message for message in connection.received if message["t"] == "output"]
    connection.received.clear()
    size_bytes = sum(message["bytes"] for message in got)
    assert LEAST_BYTES <= size_bytes < LEAST_BYTES + LITTLE_CHARACTERS
    lines: list[str] = [line for message in got for line in message["lines"]]
    dropped = sum(message.get("dropped", 0) for message in got)
    connection.send("credit", bytes=size_bytes)
    while not lines[-1].startswith("0399999"):
        message = connection.expect("output")
        connection.send("credit", bytes=message["bytes"], window=1 << 20)
        lines += message["lines"]
        dropped += message.get("dropped", 0)
    assert len(lines) + dropped == 400000
    assert resident(daemon) - before_bytes < 16 << 20
    log = place.root / "log"
    assert sum(path.stat().st_size for path in log.iterdir()) <= HEAD_BYTES + SEGMENTS * SEGMENT_BYTES
    connection.send("tail", request="r", process="flood", bytes=1000)
    answer = connection.expect("log", request="r")
    assert answer["size_bytes"] == 40_000_000
    assert [line[:7] for line in answer["lines"]] == [f"{number:07d}" for number in range(399991, 400000)]
    followed = connection.ok("own.follow", process="flood")
    assert [line[:7] for line in followed["first"] + followed["last"]] == ["0000000", "0000001", "0399998", "0399999"]
    assert len(followed["gaps"]) == 1
    assert "bytes of the log were dropped here" in followed["gaps"][0]
    connection.stop()


GIGABYTE = "import os\nfor n in range(10000): os.write(1, (b'x' * 999 + b'\\n') * 100)\n"


@pytest.mark.longfault
@pytest.mark.fault(53)
def test_a_gigabyte_costs_neither_memory_nor_disk(place: Place) -> None:
    connection = place.connect()
    (daemon,) = place.daemons
    before_bytes = resident(daemon)
    assert connection.ok("own.command", argv=[sys.executable, "-c", GIGABYTE])["exit_code"] == 0
    got = [message for message in connection.received if message["t"] == "output"]
    assert sum(len(message["lines"]) + message.get("dropped", 0) for message in got) <= 1_000_000
    assert resident(daemon) - before_bytes < 16 << 20
    assert sum(path.stat().st_size for path in (place.root / "log").iterdir()) <= HEAD_BYTES + SEGMENTS * SEGMENT_BYTES
    connection.stop()


def test_a_command_s_tail_and_log(place: Place) -> None:
    connection = place.connect()
    name = "own.command-1#1"
    result = connection.ok("own.command", argv=[sys.executable, "-c", FLOOD.replace("400000", "3000")])
    assert len(result["stdout"]) == 65536
    assert result["stdout"].endswith("x\n")
    connection.send("tail", request=1, process=name, bytes=250)
    assert [line[:7] for line in connection.expect("log", request=1)["lines"]] == ["0002998", "0002999"]
    connection.send("tail", request=2, process="nothing", bytes=250)
    assert "no log" in connection.expect("log", request=2)["error"]
    connection.stop()


@pytest.mark.fault(54)
def test_the_end_of_a_log_fits_a_line_whatever_its_bytes_are(place: Place) -> None:
    connection = place.connect()
    script = "import os; os.write(1, b'first\\n'); [os.write(1, b'\\xff' * 4095 + b'\\n') for _ in range(32)]"
    connection.ok("own.command", argv=[sys.executable, "-c", script])
    connection.send("tail", request=1, process="own.command-1#1", bytes=65536)
    answer = connection.expect("log", request=1)
    assert len(encode(answer)) <= MAX_LINE_BYTES
    assert answer["size_bytes"] == 6 + 32 * 4096
    assert set(answer["lines"]) == {"\ufffd" * 4095}
    assert len(answer["lines"]) >= 7
    connection.stop()


@pytest.mark.fault(54)
def test_bytes_that_are_no_text(place: Place) -> None:
    connection = place.connect()
    script = "import os;os.write(1,bytes(range(256))*2000)"
    result = connection.ok("own.command", argv=[sys.executable, "-c", script])
    assert "\ufffd" in result["stdout"]
    assert b"".join(path.read_bytes() for path in (place.root / "log").iterdir()) == bytes(range(256)) * 2000
    connection.send("credit", bytes=1 << 20)
    connection.ok("own.command", argv=["printf", "no end"])
    assert connection.printed(1, id="own.command-2#1") == ["no end"]
    connection.stop()


def test_without_a_connection_the_newest_lines_wait(place: Place) -> None:
    first = place.connect()
    gate = place.base / "gate"
    script = f"until test -e {gate}; do sleep 0.01; done; i=0; while test $i -lt 100; do echo line $i; i=$((i+1)); done"
    first.ok("own.start", process="p", argv=["sh", "-c", f"{script}; touch {gate}2; exec sleep 600"])
    first.close()
    gate.touch()
    until((place.base / "gate2").exists, "it has printed")
    second = place.connect(epoch=2, rx=first.received[-1].get("seq", 1) if first.received else 1)
    assert second.printed(100, process="p") == [f"line {number}" for number in range(100)]
    second.stop()


def test_progress_and_own_lines(place: Place) -> None:
    connection = place.connect()
    connection.ok("own.value", expression="context.progress('half way') or context.log('a\\nb', stream='stdout')")
    assert connection.expect("progress")["text"] == "half way"
    assert connection.printed(2) == ["a", "b"]
    connection.stop()


def test_ports_are_not_given_twice(place: Place) -> None:
    connection = place.connect()
    ports = connection.ok("own.value", expression="[context.fresh_port() for _ in range(200)]")
    assert len(set(ports)) == 200
    assert all(1024 < port < 65536 for port in ports)
    connection.stop()


def test_paths_stay_inside(place: Place) -> None:
    connection = place.connect()
    home = str(place.root / "home")
    connection.ok("own.command", argv=["ln", "-s", "/etc", "out"])
    assert connection.ok("own.value", expression="context.inner_path('a/../b')") == f"{home}/b"
    for path in ("../x", "/etc/passwd", "out/passwd", "a/../../x", "a\0b"):
        assert connection.fails("own.value", expression=f"context.inner_path({path!r})")["kind"] == "path"
    assert connection.ok("own.value", expression="context.path('/abs')") == "/abs"
    assert connection.ok("own.value", expression="context.data_dir('node')") == str(place.root / "data" / "node")
    connection.stop()
