"""What is sent in which order, what is kept, what is dropped."""

from __future__ import annotations

from typing import Any

import pytest

from octogram_agentd.wire import lines as wire
from octogram_agentd.wire.backlog import KEPT_BYTES, KEPT_SOURCES, LITTLE_CHARACTERS
from octogram_agentd.wire.lines import encode
from octogram_agentd.wire.outbox import Outbox
from octogram_agentd.wire.pace import LEAST_BYTES

ROOM = 1 << 30
MUCH = 1 << 20


def messages(data: bytes) -> list[dict[str, Any]]:
    return wire.LineFramer().feed(data)


def test_numbered_messages_are_kept_until_acknowledged() -> None:
    outbox = Outbox()
    for number in range(5):
        outbox.post_line(encode({"t": "finished", "id": str(number)}))
    assert outbox.take(ROOM) == b""
    outbox.attach(seen=0)
    assert [m["seq"] for m in messages(outbox.take(ROOM))] == [1, 2, 3, 4, 5]
    outbox.acknowledged(2)
    outbox.detach()
    outbox.post_line(encode({"t": "finished", "id": "5"}))
    outbox.attach(seen=3)
    assert [m["seq"] for m in messages(outbox.take(ROOM))] == [4, 5, 6]
    outbox.acknowledged(6)
    assert outbox.unacknowledged == 0


def test_results_go_before_log_lines() -> None:
    outbox = Outbox()
    outbox.attach(0)
    outbox.output(("a", "", "stdout"), ["x" * 1000] * 100)
    outbox.post_line(encode({"t": "finished", "id": "a"}))
    assert [m["t"] for m in messages(outbox.take(ROOM))][:2] == ["finished", "output"]


def test_few_last_lines_go_before_their_result() -> None:
    outbox = Outbox()
    outbox.attach(0)
    outbox.output(("a", "", "stdout"), ["last"])
    outbox.output(("b", "", "stdout"), ["other"])
    outbox.flush_output("a")
    outbox.post_line(encode({"t": "finished", "id": "a"}))
    sent = [(m["t"], m["id"]) for m in messages(outbox.take(ROOM))]
    assert sent == [("output", "a"), ("finished", "a"), ("output", "b")]


def test_output_stays_within_the_credit_and_what_is_dropped_is_counted() -> None:
    outbox = Outbox()
    outbox.attach(0)
    total = 5000
    got = []
    for number in range(total):
        outbox.output(("a", "p", "stdout"), [f"{number:05d} " + "x" * 100])
        outbox.settle(("a", "p", "stdout"))
        got += messages(outbox.take(ROOM))
    size_bytes = sum(m["bytes"] for m in got)
    assert LEAST_BYTES <= size_bytes < LEAST_BYTES + LITTLE_CHARACTERS
    taken = sum(len(m["lines"]) for m in got)
    assert [m for m in got if m.get("dropped")] == []
    rest = []
    while outbox.backlog.sources:
        outbox.credit(outbox.printed_bytes - outbox.taken_bytes)
        rest += messages(outbox.take(ROOM))
    assert rest[0]["dropped"] + sum(len(m["lines"]) for m in rest) == total - taken
    assert rest[-1]["lines"][-1].startswith(f"{total - 1:05d}")
    assert sum(m["bytes"] for m in rest) <= 2 * KEPT_BYTES + 1000
    assert all(m["process"] == "p" for m in rest)


def test_room_limits_output_but_not_results() -> None:
    outbox = Outbox()
    outbox.attach(0, -1, MUCH)
    outbox.output(("a", "", "stdout"), ["x" * 10000] * 10)
    outbox.post_line(encode({"t": "finished", "id": "b"}))
    assert [m["t"] for m in messages(outbox.take(0))] == ["finished"]
    assert sum(len(m["lines"]) for m in messages(outbox.take(1))) == 3
    assert sum(len(m["lines"]) for m in messages(outbox.take(ROOM))) == 7


def test_many_sources_are_bounded() -> None:
    outbox = Outbox()
    for number in range(10 * KEPT_SOURCES):
        outbox.output((str(number), "", "stdout"), ["line"])
    outbox.attach(0)
    got = messages(outbox.take(ROOM))
    assert len(got) <= 4 * KEPT_SOURCES
    assert got[-1]["lines"] == ["line"]


def test_lines_that_escapes_make_long_are_split() -> None:
    outbox = Outbox()
    outbox.attach(0, -1, MUCH)
    line = "\ufffd" * 64 * 1024
    outbox.output(("a", "", "stdout"), [line, "next"])
    data = outbox.take(ROOM)
    assert all(len(piece) <= wire.MAX_LINE_BYTES for piece in data.splitlines())
    assert "".join(text for m in messages(data) for text in m["lines"]) == line + "next"


@pytest.mark.fault(1, 12)
def test_lines_under_way_at_a_cut_are_sent_again_and_no_others() -> None:
    outbox = Outbox()
    outbox.attach(0)
    sent = []
    for number in range(5):
        outbox.output(("a", "", "stdout"), [f"line {number}"])
        sent += messages(outbox.take(ROOM))
    taken = sum(m["bytes"] for m in sent[:2])
    outbox.credit(sent[0]["bytes"])
    outbox.detach()
    outbox.output(("a", "", "stdout"), ["line 5"])
    outbox.attach(0, taken)
    again = messages(outbox.take(ROOM))
    assert [line for m in again for line in m["lines"]] == [f"line {number}" for number in range(2, 6)]
    for message in again[:2]:
        outbox.credit(message["bytes"])
    outbox.detach()
    outbox.attach(0, taken + sum(m["bytes"] for m in again[:2]))
    assert [m["lines"] for m in messages(outbox.take(ROOM))] == [["line 4"], ["line 5"]]
    outbox.detach()
    outbox.attach(0)  # somebody who does not know what came before
    assert messages(outbox.take(ROOM)) == []
