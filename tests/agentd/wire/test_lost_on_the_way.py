"""Connections that are lost amid log lines: each line comes once, or is counted among those that were left out."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from octogram_agentd.wire import backlog as waits
from octogram_agentd.wire import lines as wire
from octogram_agentd.wire.outbox import Outbox
from octogram_agentd.wire.spool import Spool

ROOM = 1 << 30


def test_a_count_that_got_lost_is_told_again() -> None:
    outbox = Outbox()
    outbox.attach(0)
    outbox.output(("a", "", "stdout"), ["x"] * 3)
    outbox.give_up_output()
    outbox.take(ROOM)  # to where nobody reads it
    outbox.detach()
    outbox.attach(0, 0)
    assert [(m["lines"], m["dropped"]) for m in map(wire.decode, outbox.take(ROOM).splitlines())] == [([], 3)]


def test_the_other_part_of_a_message_that_had_to_be_cut_is_sent_again() -> None:
    outbox = Outbox()
    outbox.attach(0)
    outbox.output(("a", "", "stdout"), ["\0" * 60_000])
    first, *others = [wire.decode(line) for line in outbox.take(ROOM).splitlines()]
    outbox.detach()
    outbox.attach(0, first["bytes"])
    assert others
    assert others == [wire.decode(line) for line in outbox.take(ROOM).splitlines()]


def test_what_the_disk_does_not_take_is_told_of_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(str(tmp_path / "tmp" / "output"), free=0)
    waiting = waits.Backlog(spool)
    source = ("a", "", "stdout")
    waiting.add(source, [f"{n} {'x' * 90}" for n in range(2000)])
    waiting.settle(source, 1 << 15)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "store", lambda *_: None)  # as with a quota that is used up
        waiting.add(source, [f"{n} {'x' * 90}" for n in range(2000, 4000)])
        waiting.settle(source, 1 << 15)
    place = gap = 0
    while waiting.sources:
        for message in (wire.decode(line) for _, line in waiting.give(source, 1 << 15)):
            place, gap = place + message.get("dropped", 0), gap or message.get("gap", 0)
            for line in message["lines"]:
                assert line.startswith(f"{place} ")
                place += 1
    assert place == 4000
    assert waiting.left_out(gap, 0)["lines"][0].startswith("0 ")  # what was stored can be asked for


@pytest.mark.parametrize("seed", range(8))
def test_each_line_comes_once_or_is_counted(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(waits, "KEPT_BYTES", 2000)
    monkeypatch.setattr(waits, "KEPT_SOURCES", chance.choice([3, 256]))
    now_s = 0.0
    spool = Spool(str(tmp_path / "tmp" / "output"), segment_bytes=3000, most=4, free=0)
    outbox = Outbox(spool, lambda: now_s)
    written = dict.fromkeys("abcde", 0)
    came: dict[str, list[int | str]] = {name: [] for name in written}
    taken = uncredited = 0

    def receive(data: bytes) -> None:
        nonlocal taken, uncredited
        for message in map(wire.decode, data.splitlines()):
            came[message["id"]] += [message.get("dropped", 0), *message["lines"]]
            taken, uncredited = taken + message["bytes"], uncredited + message["bytes"]

    outbox.attach(0, 0)
    is_attached = True
    for _ in range(300):
        now_s += chance.random() / 2
        match chance.choice("wwwwwrrcca"):
            case "w":
                name = chance.choice(list(written))
                count = chance.randint(1, 30)
                lines = [f"{written[name] + n} {'x' * chance.choice([1, 900])}" for n in range(count)]
                written[name] += count
                if outbox.output((name, "", "stdout"), lines):
                    outbox.settle((name, "", "stdout"))
            case "r":
                receive(outbox.take(chance.choice([100, 5000, ROOM])))
            case "c" if is_attached:
                outbox.credit(uncredited, chance.choice([0, 2000, 1 << 16]))
                uncredited = 0
            case "a":
                if is_attached:
                    outbox.take(chance.choice([1, 5000]))  # to where nobody reads it
                    outbox.detach()
                else:
                    outbox.attach(0, taken)
                    uncredited = 0
                is_attached = not is_attached
    outbox.detach()
    outbox.attach(0, taken)
    outbox.give_up_output()
    receive(outbox.take(ROOM))

    for name, parts in came.items():
        place = 0
        for part in parts:
            if isinstance(part, int):
                place += part
            else:
                assert part.startswith(f"{place} ")
                place += 1
        assert place == written[name]
