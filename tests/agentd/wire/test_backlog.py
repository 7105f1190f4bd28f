"""What waits in the spool, what is left out of it, how it is asked for; and how much is under way on a slow line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from octogram_agentd.wire import backlog as waits
from octogram_agentd.wire import lines as wire
from octogram_agentd.wire.backlog import KEPT_BYTES, Backlog
from octogram_agentd.wire.outbox import Outbox
from octogram_agentd.wire.pace import LEAST_BYTES, MOST_BYTES
from octogram_agentd.wire.spool import Spool

OUT = ("s/a@one#1", "", "stdout")
ERR = ("s/a@one#1", "", "stderr")


def numbered(count: int, start: int = 0) -> list[str]:
    return [f"{number:07d} {'x' * 88}" for number in range(start, start + count)]


def spool(path: Path, **bounds: Any) -> Spool:
    return Spool(str(path / "tmp" / "output"), **{"free": 0, **bounds})


class Line:
    """A way to an orchestrator that takes so many bytes in each step of a simulated time, and what it took."""

    def __init__(self, outbox: Outbox, bytes_a_step: int, step_s: float = 0.05) -> None:
        self.outbox = outbox
        self.now_s = 0.0
        self.under_way: list[bytes] = []
        self.messages: list[dict[str, Any]] = []
        self.most_before_result = 0
        outbox._clock = lambda: self.now_s
        outbox.attach(0)
        self._bytes_a_step = bytes_a_step
        self._left = 0
        self._step_s = step_s

    def step(self) -> None:
        self.now_s += self._step_s
        self.under_way += self.outbox.take(1 << 20).splitlines(keepends=True)
        self._left = min(self._left, 0) + self._bytes_a_step
        taken = 0
        while self.under_way and self._left > 0:
            line = self.under_way.pop(0)
            self._left -= len(line)
            message = wire.decode(line)
            self.messages.append(message)
            taken += message.get("bytes", 0)
        if taken:
            self.outbox.credit(taken, 2 << 20)

    def lines(self) -> list[str]:
        return [line for message in self.messages for line in message.get("lines", ())]

    def dropped(self) -> int:
        return sum(message.get("dropped", 0) for message in self.messages)


def prints(outbox: Outbox, count: int, source: tuple[str, str, str] = OUT, start: int = 0) -> None:
    for begin in range(start, start + count, 500):
        outbox.output(source, numbered(min(500, start + count - begin), begin))
        outbox.settle(source)


def test_a_burst_arrives_whole_on_a_quick_line(tmp_path: Path) -> None:
    outbox = Outbox(spool(tmp_path))
    line = Line(outbox, bytes_a_step=1 << 20)
    prints(outbox, 60_000)
    steps = 0
    while outbox.backlog.sources:
        line.step()
        steps += 1
    assert line.lines() == numbered(60_000)
    assert line.dropped() == 0
    assert steps < 30, "what may be under way has grown to what the line takes"
    assert LEAST_BYTES * 8 < outbox._pace.window_bytes <= MOST_BYTES
    assert sum(path.stat().st_size for path in (tmp_path / "tmp").iterdir()) <= 4 << 20, "what was sent is gone"


def test_on_a_slow_line_a_result_waits_behind_little_and_the_newest_lines_come(tmp_path: Path) -> None:
    outbox = Outbox(spool(tmp_path))
    line = Line(outbox, bytes_a_step=400)  # 8 kB/s
    prints(outbox, 20_000)
    most = 0
    for second in range(40):
        prints(outbox, 100, start=20_000 + 100 * second)
        for _ in range(20):
            line.step()
            most = max(most, sum(map(len, line.under_way)))
    assert most <= 2 * LEAST_BYTES
    outbox.post_line(wire.encode({"t": "finished"}))
    line.step()
    assert [b"finished" in each for each in [*line.under_way, b"finished"]].index(True) <= 2
    outbox.give_up_output()
    while line.under_way or outbox._ready:
        line.step()
    assert len(line.lines()) + line.dropped() == 24_000, "what was left out is counted, to the line"
    assert int(line.lines()[-1][:7]) > 20_000, "who reads along sees what is printed now"


def test_what_was_left_out_is_asked_for_and_is_what_lacks(tmp_path: Path) -> None:
    outbox = Outbox(spool(tmp_path))
    line = Line(outbox, bytes_a_step=20_000)
    prints(outbox, 50_000)
    for _ in range(200):
        line.step()
    outbox.give_up_output()
    while line.under_way or outbox._ready:
        line.step()
    whole: list[str] = []
    asked = 0
    for message in line.messages:
        if message.get("dropped"):
            got: list[str] = []
            following = 0
            while True:
                answer = outbox.backlog.left_out(message["gap"], following, OUT[0])
                asked += 1
                if "error" in answer:
                    break
                assert answer["from"] == following
                assert len(wire.encode(answer)) <= wire.MAX_LINE_BYTES
                got += answer["lines"]
                following = answer["next"]
                if not following:
                    break
            whole += got
        whole += message["lines"]
    assert asked >= 5
    kept_in_memory = 50_000 - len(whole)
    assert whole == numbered(len(whole))
    assert kept_in_memory * 100 <= 2 * KEPT_BYTES, "only what was in memory at the end is nowhere"
    assert "error" in outbox.backlog.left_out(12345, 0)
    gaps = [message["gap"] for message in line.messages if message.get("dropped")]
    refused = [outbox.backlog.left_out(gap, 0, "s/other@a#1")["error"] for gap in gaps]
    assert set(refused) == {f"what was left out there is of {OUT[0]}, and not of s/other@a#1"}


def test_whoever_waits_with_most_is_left_out_first(tmp_path: Path) -> None:
    backlog = Backlog(spool(tmp_path))
    for source, count in ((OUT, 30_000), (ERR, 1_000)):
        for begin in range(0, count, 1000):
            backlog.add(source, numbered(1000, begin))
            backlog.settle(source, 32 << 10)
    before = backlog.sources[ERR].stored_bytes
    for second in range(5):
        backlog.look(0 if second < 1 else 30_000 * second, float(second))
    assert backlog.sources[ERR].stored_bytes == before
    assert backlog.sources[ERR].dropped == 0
    assert backlog.sources[OUT].dropped > 20_000
    assert backlog.stored_bytes <= 300_000


def test_a_full_spool_lets_the_oldest_go_and_counts_them(tmp_path: Path) -> None:
    backlog = Backlog(spool(tmp_path, segment_bytes=200_000, most=4))
    for begin in range(0, 30_000, 1000):
        backlog.add(OUT, numbered(1000, begin))
        backlog.settle(OUT, 32 << 10)
    assert sum(path.stat().st_size for path in (tmp_path / "tmp").iterdir()) < 5 * 200_000
    dropped, lines = 0, []
    while backlog.sources:
        for _, line in backlog.give(OUT, 32 << 10):
            message = wire.decode(line)
            dropped += message.get("dropped", 0)
            lines += message["lines"]
    assert dropped + len(lines) == 30_000
    assert lines == numbered(len(lines), dropped)
    assert len(lines) > 6_000


def test_without_room_on_the_disk_the_newest_stay_in_memory(tmp_path: Path) -> None:
    for kept in (Spool(), spool(tmp_path, free=1 << 60)):
        backlog = Backlog(kept)
        for begin in range(0, 5_000, 1000):
            backlog.add(OUT, numbered(1000, begin))
            backlog.settle(OUT, 32 << 10)
        assert backlog.size_bytes <= KEPT_BYTES
        waiting = backlog.sources[OUT]
        assert waiting.dropped + len(waiting.lines) == 5_000
        assert waiting.lines[-1] == numbered(1, 4_999)[0]
    assert not (tmp_path / "tmp").exists()


def test_sources_of_an_agent_have_their_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "LOOK_S", 1e9)
    outbox = Outbox(spool(tmp_path))
    line = Line(outbox, bytes_a_step=20_000)
    prints(outbox, 20_000)
    prints(outbox, 200, ERR)
    for _ in range(12):
        line.step()
        prints(outbox, 500, start=20_000)
    assert sum(message["stream"] == "stderr" for message in line.messages) >= 2
    assert len([1 for message in line.messages if message["stream"] == "stderr" for _ in message["lines"]]) == 200
