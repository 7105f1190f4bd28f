"""Attempts on a real daemon: what is answered of each, in time or late, failed or cancelled."""

from __future__ import annotations

import os

import pytest
from agent_harness import Place, marked

from octogram_agentd.wire import lines as wire

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


@pytest.mark.fault(33, 55)
@pytest.mark.fault(77)
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
    cannot_say = "type('E', (Exception,), {'__str__': lambda _: 1 / 0})"
    error = connection.fails("own.value", expression=f"(_ for _ in ()).throw({cannot_say})")
    assert (error["kind"], error["message"]) == ("bug", "own.value raised E")
    error = connection.fails("own.value", expression="bytes(1 << 62)")
    assert (error["kind"], error["message"]) == ("limit", "own.value met a limit of the agent's machine: out of memory")
    full = "(_ for _ in ()).throw(OSError(28, 'No space left on device', '/x'))"
    error = connection.fails("own.value", expression=full)
    assert error["message"].endswith("met a limit of the agent's machine: no space left on device: /x")
    assert error["hint"] == ""
    assert connection.fails("own.value", expression="'x' * 200000")["kind"] == "result_too_large"
    deep = "__import__('functools').reduce(lambda inner, _: [inner], range(40), 0)"
    assert connection.fails("own.value", expression=deep)["kind"] == "result_too_large"
    assert connection.ok("own.value", expression=r"'a\udc80'") == "a?"
    assert connection.ok("own.value", expression="__import__('os').path.exists('/')") is True
    connection.stop()


@pytest.mark.fault(55)
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


@pytest.mark.fault(2)
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
