"""Log lines are taken in slices, of all agents in turn; what else an agent says goes past them."""

from __future__ import annotations

import asyncio

from octogram_agentd.wire.lines import encode
from octogram_tui.runtime.intake import MOST_WAITING_BYTES, PART_BYTES, SLICE_BYTES, Intake, Queue
from octogram_tui.runtime.log_share import (
    LEAST_WINDOW_BYTES,
    MOST_WINDOW_BYTES,
    WINDOW_BYTES,
    AgentShare,
    LogShare,
)

OUTPUT = encode({"t": "output", "id": "s/a@one#1", "stream": "stdout", "lines": ["x" * 1000] * 16, "bytes": 16064})
FINISHED = encode({"t": "finished", "seq": 1})
STOPPED = encode({"t": "stopped", "seq": 2})


class Flood:
    """An agent that sends log lines, and how much of them was taken in each turn."""

    def __init__(self, intake: Intake) -> None:
        self.taken: list[bytes] = []
        self.queue = Queue(intake, self.taken.extend)

    def send(self, *lines: bytes) -> None:
        self.taken.extend(self.queue.sift(list(lines)))


async def test_a_hundred_floods_are_taken_in_bounded_slices_and_none_starves() -> None:
    intake = Intake()
    floods = [Flood(intake) for _ in range(100)]
    for flood in floods:
        flood.send(*[OUTPUT] * 12)
    turns, before = 0, sum(len(flood.taken) for flood in floods)
    assert before * len(OUTPUT) <= SLICE_BYTES + 12 * len(OUTPUT)
    while any(flood.queue.size_bytes for flood in floods):
        await asyncio.sleep(0)
        now = sum(len(flood.taken) for flood in floods)
        assert (now - before) * len(OUTPUT) <= SLICE_BYTES + PART_BYTES + len(OUTPUT)
        before = now
        turns += 1
        if turns == 100 * PART_BYTES // SLICE_BYTES + 1:
            assert all(flood.taken for flood in floods), "each had a part before any had much"
    assert all(len(flood.taken) == 12 for flood in floods)


async def test_a_result_goes_past_log_lines_and_the_last_word_does_not() -> None:
    intake = Intake()
    flood, other = Flood(intake), Flood(intake)
    other.send(*[OUTPUT] * (SLICE_BYTES // len(OUTPUT) + 1))
    flood.send(OUTPUT, FINISHED, OUTPUT, STOPPED)
    assert flood.taken == [FINISHED]
    await asyncio.sleep(0)
    assert flood.taken == [FINISHED, OUTPUT, OUTPUT, STOPPED]


async def test_more_than_there_is_credit_for_is_judged_at_once() -> None:
    intake = Intake()
    flood = Flood(intake)
    flood.send(*[OUTPUT] * (SLICE_BYTES // len(OUTPUT) + 1))
    many = MOST_WAITING_BYTES // len(OUTPUT) + 1
    flood.taken.clear()
    flood.send(*[OUTPUT] * many)
    assert len(flood.taken) == many
    flood.send(OUTPUT)
    flood.queue.finish()
    assert len(flood.taken) == many + 1


def test_all_that_print_may_have_as_much_under_way() -> None:
    run = LogShare()
    agents = [AgentShare(run) for _ in range(100)]
    assert agents[0].window_bytes(100.0) == MOST_WINDOW_BYTES
    for _ in range(2):
        shares = [agent.window_bytes(100.5) for agent in agents]
    assert len(set(shares)) == 1
    assert LEAST_WINDOW_BYTES <= shares[0] <= WINDOW_BYTES // 100
    assert agents[0].window_bytes(200.0) == MOST_WINDOW_BYTES, "the others print no more"


def test_little_room_on_the_disk_makes_the_share_small() -> None:
    large, small = LogShare(room_bytes=1 << 40), LogShare(room_bytes=1 << 30)
    assert large.take(512 << 20, 0.0) == (0, False)
    assert small.take(512 << 20, 0.0)[0] > 0
