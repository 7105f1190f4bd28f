"""What an agent may send: about what is its own, as much as it had credit for, no faster than anybody needs."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest
from fake_daemon import FakeChannel, Rig
from hypothesis import given
from hypothesis import strategies as st

from octogram_agentd.wire.lines import OUTPUT_CREDIT_BYTES, LineFramer, encode
from octogram_agentd.wire.outbox import Outbox
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentLossReport,
    AttemptReport,
    OutputReport,
    ProgressReport,
    TroubleReport,
)
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.runtime import conduct, log_share
from octogram_tui.runtime.conduct import (
    CREDIT_SLACK_BYTES,
    MOST_BREACHES,
    MOST_NAMES,
    NAMES_OF_ATTEMPT,
    SERVICES_AT_ONCE,
    Allowance,
    Conduct,
    Quarantine,
)
from octogram_tui.runtime.reading import read_report

OURS, ANOTHERS, NOBODYS = "s/a@one#1", "s/a@two#1", "s/a@one#2"


async def lost(rig: Rig) -> str:
    """Wait until the agent is given up for its conduct; its connection is closed, and nobody comes back to it."""
    report = await rig.report(AgentLossReport)
    assert "put in quarantine" in report.message
    await asyncio.sleep(0)
    assert rig.transport.channels.empty()
    rig.link.stop(force=False)
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "its lease ends what is left" in ended.message
    return report.message


@pytest.mark.fault(76)
@pytest.mark.parametrize("id_", [ANOTHERS, NOBODYS, ":errand@one#1"])
async def test_what_is_not_its_own_to_say_counts_for_nothing(rig: Rig, id_: str) -> None:
    channel = await rig.up()
    rig.tell(OURS)
    channel.say("finished", seq=1, id=id_, state="ok", result=1)
    channel.say("output", id=id_, lines=["FORGED"], bytes=10)
    channel.say("progress", id=id_, text="FORGED")
    channel.say("finished", seq=2, id=OURS, state="ok", result=2)
    assert (await rig.report(AttemptReport)).attempt == AttemptId.parse(OURS)
    assert "not believed" in (await rig.report(TroubleReport)).message
    assert rig.kinds() == ["AgentUpReport"], "it is told once"


@pytest.mark.fault(75, 76)
async def test_an_end_that_is_told_twice_is_told_once(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell(OURS)
    channel.say("finished", seq=1, id=OURS, state="ok", result=1)
    channel.say("finished", seq=2, id=OURS, state="failed", error={"kind": "exit", "message": "m"})
    assert (await rig.report(AttemptReport)).result == 1
    assert rig.kinds() == ["AgentUpReport"]
    channel.say("output", id=OURS, lines=["late"], bytes=8)
    assert (await rig.report(OutputReport)).lines == ["late"]


@pytest.mark.fault(76)
@pytest.mark.parametrize("message", [{"t": "news"}, {"t": "progress", "id": ANOTHERS, "text": "x"}])
async def test_a_hundred_such_messages_are_enough(rig: Rig, message: dict[str, Any]) -> None:
    channel = await rig.up()
    assert await flood(channel, message, 2 * MOST_BREACHES) == MOST_BREACHES
    assert "no right to send" in await lost(rig)


async def flood(channel: FakeChannel, message: dict[str, Any], count: int) -> int:
    """Say something very often; gives how often, until the connection was closed."""
    for said in range(count):
        if channel.is_aborted:
            return said
        channel.say_bytes(encode(message))
        if said % 10 == 0:
            await asyncio.sleep(0)  # log lines are taken in slices, one a turn
    return count


@pytest.mark.fault(76, 99)
@pytest.mark.parametrize(
    ("message", "most"),
    [
        ({"t": "output", "id": OURS, "lines": ["x" * 1000] * 30, "bytes": 0}, 20),
        ({"t": "output", "id": OURS, "lines": [""] * 8000, "bytes": 0}, 20),
        ({"t": "output", "id": OURS, "lines": [], "bytes": 30_000}, 40),
        ({"t": "output", "id": OURS, "lines": []}, 40_000),
        ({"t": "progress", "id": OURS, "text": "x"}, 40_000),
        ({"t": "progress", "id": OURS, "text": "x" * 200_000}, 200),
        ({"t": "hb", "n": 1}, 40_000),
        ({"t": "service", "kind": "http", "name": "w", "ports": {}, "state": "up"}, 40_000),
        ({"t": "finished", "id": OURS, "state": "ok"}, 40_000),
        ({"t": "log", "request": 1, "lines": ["x" * 60_000]}, 400),
        ({"t": "output", "id": OURS, "lines": [], "dropped": 1}, 40_000),
    ],
)
async def test_a_flood_ends_in_quarantine(rig: Rig, message: dict[str, Any], most: int) -> None:
    channel = await rig.up()
    rig.tell(OURS)
    assert await flood(channel, message, most) < most
    told = [s for s in rig.stimuli if isinstance(s, OutputReport)]
    assert sum(len(line) + 4 for s in told for line in s.lines) <= OUTPUT_CREDIT_BYTES + CREDIT_SLACK_BYTES
    await lost(rig)


@pytest.mark.fault(76, 99)
@pytest.mark.parametrize(
    ("message", "field", "most"),
    [
        ({"t": "service", "kind": "http", "ports": {}, "state": "up"}, "name", MOST_NAMES + 100),
        ({"t": "output", "id": "", "lines": ["x"], "bytes": 1}, "process", MOST_NAMES + 100),
        ({"t": "service", "kind": "http", "name": "w", "ports": {}, "state": "down"}, "reason", SERVICES_AT_ONCE + 100),
        (
            {"t": "service", "kind": "http", "name": "w", "ports": {}, "state": "down", "reason": "r" * 200_000},
            "key",
            60,
        ),
    ],
    ids=["services", "processes", "flapping", "large"],
)
async def test_what_never_is_the_same_ends_in_quarantine(
    rig: Rig, message: dict[str, Any], field: str, most: int
) -> None:
    channel = await rig.up()
    rig.tell(OURS)
    for number in range(most):
        if channel.is_aborted:
            break
        if field == "process":
            rig.link.inbox.conduct.begins()  # there is credit again
        channel.say_bytes(encode({**message, field: f"{number}"}))
    else:
        pytest.fail("it goes on")
    await lost(rig)


async def test_quarantine_before_the_agent_is_up(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    assert await flood(channel, {"t": "news"}, 200) == MOST_BREACHES
    assert "put in quarantine" in str(await rig.told(lambda s: hasattr(s, "hint")))


@given(
    sources=st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.text(max_size=30) | st.just("é" * 40_000), max_size=5)),
        max_size=40,
    ),
    credit=st.lists(st.booleans(), max_size=40),
    window_bytes=st.sampled_from([0, 16 << 10, 2 << 20]),
)
def test_an_honest_daemon_never_exceeds_its_credit(
    sources: list[tuple[str, list[str]]], credit: list[bool], window_bytes: int
) -> None:
    """Whatever is printed, and whenever it is taken: what its outbox sends is what its conduct allows."""
    outbox, judge, framer = Outbox(), Conduct(), LineFramer()
    outbox.attach(0)
    judge.begins()
    for (name, lines), back in zip(sources, [*credit, *[False] * len(sources)], strict=False):
        outbox.output((name, "", "stdout"), lines)
        outbox.flush_output(name)
        for message in framer.feed(outbox.take(1 << 20)):
            judge.printed(message["lines"], message["bytes"])
        if back:
            size_bytes = judge.owed_bytes
            judge.grant(size_bytes, window_bytes)
            outbox.credit(size_bytes, window_bytes)


def test_an_allowance_comes_back_with_time() -> None:
    allowance = Allowance(10, 2.0)
    assert allowance.take(10, 100.0) == 0
    assert allowance.take(4, 100.0) == 2.0
    assert allowance.take(1, 102.0) == 0.5
    assert allowance.take(10, 1000.0) == 0


def test_too_many_messages_over_time_are_no_flood() -> None:
    judge = Conduct()
    for second in range(100):
        for _ in range(int(conduct.MESSAGES_PER_S)):
            judge.sent({"t": "hb"}, 100, float(second))
    for _ in range(conduct.MESSAGES_AT_ONCE - 10):
        judge.sent({"t": "hb"}, 100, 200.0)
    with pytest.raises(Quarantine, match="nobody asked for"):
        judge.sent({"t": "hb"}, conduct.BYTES_AT_ONCE, 200.0)


def test_whoever_is_told_to_do_much_may_start_much() -> None:
    judge = Conduct()
    most = 3 * MOST_NAMES
    for number in range(most):
        judge.told(AttemptId.parse(f"s/a@one[{number}]#1"))
    for number in range(most):
        judge.serves(f"process {number}", 200, 0.0)
        judge.serves(f"process {number}", 200, 0.0)
    for number in range(most, MOST_NAMES + NAMES_OF_ATTEMPT * most):
        judge.names(f"process {number}")
    with pytest.raises(Quarantine, match="names of services"):
        judge.names("one more")


@pytest.mark.fault(99)
async def test_progress_is_left_out_beyond_the_journals_share(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_share, "AGENT_AT_ONCE_BYTES", 50_000)
    monkeypatch.setattr(log_share, "AGENT_PER_S_BYTES", 1)
    channel = await rig.up()
    rig.tell(OURS)
    rig.link.inbox._share = log_share.AgentShare(log_share.LogShare())
    for _ in range(40):
        channel.say("progress", id=OURS, text="x" * 10_000)
    told = [s for s in rig.stimuli if isinstance(s, ProgressReport)]
    assert 0 < len(told) < 6
    assert all(len(s.text) == 1000 for s in told)
    channel.say("finished", seq=1, id=OURS, state="ok")
    await rig.report(AttemptReport)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "n" * 5000},
        {"kind": "k" * 300},
        {"state": "sideways"},
        {"ports": {str(number): number + 1 for number in range(101)}},
        {"ports": {"p" * 300: 1}},
        {"t": "output", "lines": [], "stream": "s" * 300},
        {"t": "output", "lines": [], "process": "p" * 5000},
    ],
)
def test_names_that_nobody_gives_break_the_protocol(changes: dict[str, Any]) -> None:
    usual = {"t": "service", "kind": "http", "name": "w", "ports": {}, "state": "up", "id": OURS}
    assert read_report("one", usual) is not None
    with pytest.raises(ValueError, match=r"name of|ports of|cannot be"):
        read_report("one", {**usual, **changes})


@pytest.mark.fault(99)
async def test_credit_is_held_back_beyond_the_journals_share(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_share, "AGENT_AT_ONCE_BYTES", 100_000)
    monkeypatch.setattr(log_share, "AGENT_PER_S_BYTES", 500_000)
    channel = await rig.up()
    rig.tell(OURS)
    await channel.expect("run")
    rig.link.inbox._share = log_share.AgentShare(log_share.LogShare())
    for _ in range(4):
        channel.say("output", id=OURS, lines=["x" * 30_000], bytes=30_004)
    given = [(await channel.expect("credit"))["bytes"] for _ in range(3)]
    assert given == [30_004] * 3, "the first three are within it"
    channel.say("output", id=OURS, lines=["x" * 40_000], bytes=40_004)
    assert [m["t"] for m in channel.received] == [], "what is beyond is paid back later"
    assert (await channel.expect("credit"))["bytes"] == 70_008


@pytest.mark.fault(99)
async def test_a_run_whose_share_is_used_up_takes_no_more(rig: Rig) -> None:
    channel = await rig.up()
    rig.tell(OURS)
    await channel.expect("run")
    rig.link.inbox._share = log_share.AgentShare(log_share.LogShare(50_000))
    channel.say("output", id=OURS, lines=["x" * 60_000], bytes=60_004)
    assert "log lines in this run's journal" in (await rig.report(TroubleReport)).message
    channel.say("output", id=OURS, lines=["x" * 60_000], bytes=60_004)
    assert "TroubleReport" not in rig.kinds(), "it is told once"
    assert [m["t"] for m in channel.received] == []


def test_little_is_kept_of_what_is_over_and_an_agent_may_still_speak_of_it() -> None:
    one = Conduct()
    attempts = [AttemptId(InstanceId("s", "j", "a", str(number)), 1) for number in range(4000)]
    names = [str(attempt) for attempt in attempts]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for attempt, name in zip(attempts, names, strict=True):
            one.told(attempt, name)
            assert one.ends(name)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 24 * len(attempts)
    assert all(map(one.is_its_own, attempts))
    assert not one.ends(names[0])
    assert not one.is_its_own(AttemptId(attempts[0].instance, 2))
