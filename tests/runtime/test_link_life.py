"""A link between greeting and end: messages, faults in them, turns, what is sent again, a run taken up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fake_daemon import FAST, Rig

from octogram_agentd.wire.lines import MAX_LINE_BYTES, encode
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    AttemptReport,
    OutputReport,
    ProgressReport,
    ServiceReport,
    StartFailureReport,
)
from octogram_tui.errors import ExitCode, LinkLost
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.trace import LONGEST, Trace, span_id
from octogram_tui.runtime import inbox as inbox_module
from octogram_tui.runtime.terms import Before


@pytest.mark.parametrize("kind", ["agent_lost", "template"])
async def test_kinds_that_the_engine_decides_by_are_not_for_a_procedure_to_say(rig: Rig, kind: str) -> None:
    channel = await rig.up()
    rig.link.run(AttemptId.parse("s/j@one#1"), "own.noop", {}, None)
    await channel.expect("run")
    channel.say("finished", seq=1, id="s/j@one#1", state="failed", error={"kind": kind, "message": "m", "hint": "h"})
    failure = (await rig.report(AttemptReport)).failure
    assert failure == Failure("failed", "m", "h")


async def test_every_report_becomes_a_stimulus(rig: Rig) -> None:
    channel = await rig.up()
    rig.link.run(AttemptId.parse("s/j@one#1"), "own.noop", {"a": 1}, 5.0)
    run = await channel.expect("run")
    assert (run["seq"], run["id"], run["args"], run["timeout_s"]) == (1, "s/j@one#1", {"a": 1}, 5.0)
    channel.say("output", id="s/j@one#1", stream="stderr", lines=["x", "é"], dropped=3, bytes=10)
    channel.say("progress", id="s/j@one#1", text="half")
    channel.say("service", seq=1, id="s/j@one#1", kind="http", name="web", ports={"http": 8080}, state="up", reason="")
    channel.say("finished", seq=2, id="s/j@one#1", state="ok", result={"n": 1}, duration_s=0.5)
    output = await rig.report(OutputReport)
    assert (output.lines, output.stream, output.dropped) == (["x", "é"], "stderr", 3)
    assert (await rig.report(ProgressReport)).text == "half"
    assert (await rig.report(ServiceReport)).ports == {"http": 8080}
    ended = await rig.report(AttemptReport)
    assert (ended.state, ended.result, ended.duration_s) == ("ok", {"n": 1}, 0.5)


async def test_programs_are_told_of_the_trace_where_there_is_room(rig: Rig) -> None:
    """Nothing of a trace may keep a job from being sent, and what an agent's own environment says counts for more."""
    channel = await rig.up()
    trace = Trace("a" * 32, "b" * 16, state="vendor=1", baggage="x" * LONGEST, is_told=True)
    rig.link.settings = replace(rig.link.settings, trace=trace)
    rig.link.spec = replace(rig.link.spec, env={"TRACESTATE": "mine=1"})
    attempt = AttemptId.parse("s/j@one#1")
    rig.link.run(attempt, "own.noop", {"a": 1}, None)
    given = (await channel.expect("run"))["env"]
    assert given == {"TRACEPARENT": f"00-{'a' * 32}-{span_id('run', str(attempt))}-01", "BAGGAGE": trace.baggage}
    rig.link.run(AttemptId.parse("s/j@one#2"), "own.noop", {"a": "y" * (MAX_LINE_BYTES - 500)}, None)
    run = await channel.expect("run")
    assert (run["id"], run["seq"], "env" in run) == ("s/j@one#2", 2, False)
    with pytest.raises(ValueError, match="the limit is"):
        rig.link.run(AttemptId.parse("s/j@one#3"), "own.noop", {"a": "y" * MAX_LINE_BYTES}, None)


@pytest.mark.fault(75)
async def test_duplicates_are_dropped_and_unknown_messages_ignored(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell("s/a@one#1", "s/b@one#1")
    for _ in range(3):
        channel.say("finished", seq=1, id="s/a@one#1", state="ok", result=None, duration_s=0)
    channel.say("weather", text="fine")
    channel.say("finished", seq=2, id="s/b@one#1", state="ok", result=None, duration_s=0)
    assert (await rig.report(AttemptReport)).attempt == AttemptId.parse("s/a@one#1")
    assert (await rig.report(AttemptReport)).attempt == AttemptId.parse("s/b@one#1")
    assert rig.kinds() == ["AgentUpReport"]


async def test_a_message_cut_at_every_byte(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell("s/a@one#1")
    for byte in b'{"t":"finished","seq":1,"id":"s/a@one#1","state":"ok","result":null}\n{"t":"hb","n":1}\n':
        channel.say_bytes(bytes([byte]))
    await rig.report(AttemptReport)


async def test_acknowledgements_are_batched(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "ACK_AFTER_S", 3600.0)
    channel = await rig.up()
    for seq in range(1, inbox_module.ACK_AFTER_MESSAGES + 10):
        channel.say("finished", seq=seq, id=f"s/a{seq}@one#1", state="ok", result=None)
    assert (await channel.expect("ack"))["seq"] == inbox_module.ACK_AFTER_MESSAGES
    assert [m["t"] for m in channel.received] == []


async def test_a_lone_message_is_acknowledged_soon(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "ACK_AFTER_S", 0.001)
    channel = await rig.up()
    channel.say("finished", seq=1, id="s/a@one#1", state="ok", result=None)
    assert (await channel.expect("ack"))["seq"] == 1


async def test_credit_is_returned_in_portions(rig: Rig) -> None:
    channel = await rig.up()
    portion = inbox_module.CREDIT_AFTER_BYTES // 2
    channel.say("output", id="s/a@one#1", lines=["x" * (portion - 4)], bytes=portion)
    channel.say("output", id="s/a@one#1", lines=["x" * (portion - 4)], bytes=portion)
    assert (await channel.expect("credit"))["bytes"] == 2 * portion
    assert [m["t"] for m in channel.received] == []


@pytest.mark.parametrize(
    "message",
    [
        {"t": "finished", "id": ["a"], "state": "ok"},
        {"t": "finished", "id": "s/a@one#1", "state": "excellent"},
        {"t": "finished", "id": "no name", "state": "ok"},
        {"t": "finished", "state": "ok"},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": 10**400},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": "nan"},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": True},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": -1e300},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": 1e300},
        {"t": "finished", "id": "s/a@one#1", "state": "ok", "duration_s": ""},
        {"t": "finished", "seq": True, "id": "s/a@one#1", "state": "ok"},
        {"t": "output", "id": "s/a@one#1", "lines": [], "dropped": 10**300},
        {"t": "hb", "n": 1, "load": {"cpu": 10**400}},
        {"t": "hb", "n": 1, "load": {"processes": 10**400}},
        {"t": "log", "request": 1, "lines": [], "size_bytes": 10**400},
        {"t": "stopped", "seq": 1, "remaining": [{"pid": "7"}]},
        {"t": "stopped", "seq": 1, "remaining": [{"pid": 7, "name": None}]},
        {"t": "stopped", "seq": 1, "remaining": {"pid": 7}},
        {"t": "finished", "id": "s/a@one#1", "state": "failed", "error": "no"},
        {"t": "finished", "id": "s/a@one#1", "state": "failed", "error": {"message": 7}},
        {"t": "finished", "seq": 7, "id": "s/a@one#1", "state": "ok"},
        {"t": "finished", "seq": -1.5, "id": "s/a@one#1", "state": "ok"},
        {"t": "finished", "seq": "1", "id": "s/a@one#1", "state": "ok"},
        {"t": "output", "id": "s/a@one#1", "lines": "text"},
        {"t": "output", "id": "s/a@one#1", "lines": ["x", 1]},
        {"t": "output", "id": "s/a@one#1", "lines": ["\ud800"]},
        {"t": "output", "id": "s/a@one#1", "lines": [], "dropped": -1},
        {"t": "output", "id": "s/a@one#1", "lines": [], "bytes": "many"},
        {"t": "progress", "id": "s/a@one#1", "text": None},
        {"t": "service", "kind": "http", "name": "w", "ports": {"http": 1 << 70}, "state": "up"},
        {"t": "service", "kind": "http", "name": "w", "ports": [], "state": "up"},
        {"t": "service", "kind": {}, "name": "w", "ports": {}, "state": "up"},
        {"t": "ack"},
        {"t": "log", "request": []},
        {"t": "log", "request": 1, "lines": [1]},
        {"t": "stopped", "seq": 1, "remaining": [1]},
    ],
)
@pytest.mark.fault(78, 79)
async def test_what_makes_no_sense_costs_the_connection_and_then_the_agent(rig: Rig, message: dict[str, Any]) -> None:
    channel = await rig.up()
    for _ in range(2):
        channel.say_bytes(encode(message))
        assert channel.is_aborted
        channel, _hello = await rig.back()
        await rig.report(AgentBackReport)
        assert "broke the protocol" in (await rig.report(AgentSilentReport)).message
    channel.say_bytes(b'{"t":"finished","seq":1,"id":"s/a@one#1","state":"ok","duration_s":1e999}\n')
    lost = await rig.report(AgentLossReport)
    assert "broke the protocol" in lost.message
    assert rig.kinds() == ["AgentUpReport"]


@pytest.mark.fault(75)
async def test_a_gap_in_the_numbering_is_asked_for_again(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell("s/a@one#1", "s/b@one#1", "s/c@one#1")
    channel.say("finished", seq=1, id="s/a@one#1", state="ok", result=None)
    channel.say("finished", seq=3, id="s/c@one#1", state="ok", result=None)
    channel, hello = await rig.back()
    assert (hello["epoch"], hello["rx"]) == (2, 1)
    channel.say("finished", seq=2, id="s/b@one#1", state="ok", result=None)
    channel.say("finished", seq=3, id="s/c@one#1", state="ok", result=None)
    assert [str((await rig.report(AttemptReport)).attempt) for _ in range(3)] == ["s/a@one#1", "s/b@one#1", "s/c@one#1"]


async def test_a_boot_waits_for_its_turn_and_so_does_a_connection_that_is_made_again(rig: Rig) -> None:
    rig.turn.clear()
    rig.link.start()
    assert await rig.report(AgentWaitReport) == AgentWaitReport("one", "waits")
    assert rig.transport.opened == 0
    rig.turn.set()
    channel = await rig.channel()
    assert rig.boots == 1
    channel.boot()
    await channel.expect("hello")
    assert rig.boots == 1  # until the daemon has answered
    channel.welcome()
    await rig.report(AgentUpReport)
    await rig.connected()
    assert rig.boots == 0
    assert await rig.report(AgentWaitReport) == AgentWaitReport("one", "")
    rig.turn.clear()
    channel.lose(LinkLost("cut"))
    await rig.report(AgentSilentReport)
    await asyncio.sleep(0.05)
    assert rig.transport.opened == 1
    rig.turn.set()
    await rig.back()
    await rig.report(AgentBackReport)
    assert rig.boots == 0
    assert rig.kinds().count("AgentWaitReport") == 0  # one that was up is told to be suspect, not to wait


async def test_the_clock_of_a_boot_starts_at_its_turn() -> None:
    rig = Rig(replace(FAST, greeting_s=0.2))
    rig.turn.clear()
    rig.link.start()
    await rig.report(AgentWaitReport)
    await asyncio.sleep(0.3)
    assert rig.kinds() == []
    rig.turn.set()
    await rig.report(AgentWaitReport)
    await rig.channel()  # nobody boots there
    assert (await rig.report(StartFailureReport)).code == "boot.timeout"
    assert rig.boots == 0
    await rig.link.close()


async def test_a_stop_ends_the_wait_for_a_turn(rig: Rig) -> None:
    rig.turn.clear()
    rig.link.start()
    await rig.report(AgentWaitReport)
    rig.link.stop(force=True)
    assert (await rig.report(AgentEndReport)).is_clean
    assert rig.transport.opened == 0


@pytest.mark.fault(2, 74)
async def test_what_was_not_acknowledged_is_sent_again(rig: Rig) -> None:
    channel = await rig.up()
    for n in (1, 2, 3, 4):
        rig.link.run(AttemptId.parse(f"s/a{n}@one#1"), "own.noop", {}, None)
    channel.say("ack", seq=1)
    channel.lose(LinkLost("cut"))
    assert (await rig.report(AgentSilentReport)).message == "cut"
    rig.link.run(AttemptId.parse("s/a5@one#1"), "own.noop", {}, None)
    channel, _hello = await rig.back(rx=2)
    await rig.report(AgentBackReport)
    assert [(await channel.expect("run"))["seq"] for _ in range(3)] == [3, 4, 5]
    assert [m["t"] for m in channel.received] == []


async def test_an_acknowledgement_that_a_cut_swallowed_is_given_again(rig: Rig) -> None:
    channel = await rig.up()
    channel.say("finished", seq=1, id="s/a@one#1", state="ok", result=None)
    channel.lose(LinkLost("cut"))
    channel, hello = await rig.back()
    assert hello["rx"] == 1
    assert (await channel.expect("ack"))["seq"] == 1


async def test_credit_for_lines_that_came_with_the_welcome(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell("s/a@one#1")
    channel.lose(LinkLost("cut"))
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    size = inbox_module.CREDIT_AFTER_BYTES
    channel.say_bytes(
        encode({"t": "welcome", "pid": 1, "boot": "b", "rx": 0})
        + encode({"t": "output", "id": "s/a@one#1", "lines": ["x" * (size - 4)], "bytes": size})
    )
    await rig.report(AgentBackReport)
    channel.say("output", id="s/a@one#1", lines=["x"], bytes=5)
    assert (await channel.expect("credit"))["bytes"] == size + 5


@pytest.mark.parametrize("value", [float("nan"), "x" * 300_000, json.loads("[" * 40 + "]" * 40)])
async def test_arguments_that_cannot_be_sent_take_no_number(rig: Rig, value: Any) -> None:
    channel = await rig.up()
    with pytest.raises(ValueError):  # noqa: PT011 - the encoder's own, or ours
        rig.link.run(AttemptId.parse("s/a@one#1"), "own.noop", {"a": value}, None)
    rig.link.run(AttemptId.parse("s/b@one#1"), "own.noop", {}, None)
    assert (await channel.expect("run"))["seq"] == 1


async def test_a_defect_of_ours_gives_the_agent_up(
    rig: Rig, defects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await rig.up()
    rig.transport.failures = [ZeroDivisionError("oops")]
    channel.lose()
    lost = await rig.report(AgentLossReport)
    assert (lost.exit_code, "oops" in lost.message) == (ExitCode.BUG, True)
    assert len(defects) == 1
    defects.clear()


async def test_more_of_a_log(rig: Rig) -> None:
    channel = await rig.up()
    first, second = (asyncio.ensure_future(rig.link.tail(name, 100)) for name in ("p", "q"))
    requests = {(await channel.expect("tail"))["process"]: n for n in (1, 2)}
    assert requests == {"p": 1, "q": 2}
    channel.say("log", request=2, lines=["two"], size_bytes=3)
    assert (await second).lines == ["two"]
    third = asyncio.ensure_future(rig.link.tail("r", 100))
    assert (await channel.expect("tail"))["request"] == 3
    channel.say("log", request=1, lines=["one"], size_bytes=3)
    channel.say("log", request=3, lines=["three"], size_bytes=3)
    assert ((await first).lines, (await third).lines) == (["one"], ["three"])


async def test_a_log_that_does_not_come(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, tail_s=0.01))
    with pytest.raises(LinkLost, match="not connected"):
        await rig.link.tail("p", 1)
    await rig.up()
    with pytest.raises(LinkLost, match="did not answer"):
        await rig.link.tail("p", 1)


async def test_a_run_that_is_taken_up_again_has_nothing_and_is_told_all(rigs: Callable[..., Rig]) -> None:
    rig = rigs(take_up=2, before=Before("born", "/home/one/home"))
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    hello = await channel.expect("hello")
    assert (hello["epoch"], hello["rx"], hello["birth"], hello["token"]) == ((2 << 20) + 1, None, "", "secret")
    known = {"s/a@one#1": "ok", "s/b@one#2": "running", "s/b@two#1": "running"}
    channel.welcome(birth="born", rx=7, tx=4, knows=known)
    up = await rig.report(AgentUpReport)
    assert (up.birth, up.is_same) == ("born", True)
    assert up.knows == (AttemptId.parse("s/a@one#1"), AttemptId.parse("s/b@one#2")), "and nothing of another agent's"
    channel.say("finished", seq=5, id="s/a@one#1", state="ok", result=1)
    assert (await rig.report(AttemptReport)).result == 1
    rig.link.run(AttemptId.parse("s/c@one#1"), "own.noop", {}, None)
    assert (await channel.expect("run"))["seq"] == 8
    channel.lose(LinkLost("cut"))
    _channel, hello = await rig.back(birth="born", rx=8)
    assert (hello["epoch"], hello["rx"], hello["birth"]) == ((2 << 20) + 2, 5, "born")
    await rig.report(AgentBackReport)


async def test_another_daemon_than_before_the_run_was_taken_up_says_so(rigs: Callable[..., Rig]) -> None:
    rig = rigs(take_up=1, before=Before("born", "/home/one/home"))
    await rig.up(birth="another")
    up = next(s for s in rig.stimuli if isinstance(s, AgentUpReport))
    assert (up.birth, up.is_same, up.knows) == ("another", False, ())


async def test_what_follows_a_welcome_at_once_comes_after_it(rigs: Callable[..., Rig]) -> None:
    rig = rigs(take_up=1, before=Before("born", "/home/one/home"))
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    welcome = {"t": "welcome", "pid": 1, "birth": "born", "rx": 3, "tx": 6, "knows": {"s/a@one#1": "ok"}}
    ended = {"t": "finished", "seq": 7, "id": "s/a@one#1", "state": "ok", "result": 5}
    channel.say_bytes(encode(welcome) + encode(ended))
    assert rig.kinds() == ["AgentUpReport", "AttemptReport"]
    assert (await channel.expect("ack"))["seq"] == 7
