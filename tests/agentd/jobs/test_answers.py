"""What a daemon keeps of attempts that are over."""

from __future__ import annotations

import hashlib
import itertools
import tracemalloc

import pytest
from agent_harness import Place

from octogram_agentd.jobs import answers as kept
from octogram_agentd.jobs.answers import ACKNOWLEDGED_BYTES, Answers, Names

LINE = b'{"t":"finished","id":"all/a job of some length@agent-17#1","state":"ok","result":{},"duration_s":0.002}\n'


def test_of_what_was_acknowledged_a_daemon_keeps_little_more_than_that_it_was() -> None:
    answers = Answers()
    for number in range(1, 2_001):
        answers.add(f"all/job {number}@agent#1", "ok", LINE, number)
        answers.acknowledged(number - 10)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(2_001, 22_001):
        answers.add(f"all/job {number}@agent#1", "ok", LINE, number)
        answers.acknowledged(number - 10)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / 20_000 < 24
    assert all(f"all/job {number}@agent#1" in answers for number in range(1, 22_001))
    assert "all/job 0@agent#1" not in answers
    assert answers.line("all/job 1@agent#1") is None
    assert answers.line("all/job 22000@agent#1") == LINE
    assert sum(len(LINE) for _ in answers.states()) < ACKNOWLEDGED_BYTES


def test_what_was_not_acknowledged_is_kept() -> None:
    answers = Answers()
    for number in range(1, 3_001):
        answers.add(str(number), "ok", LINE, number)
    answers.acknowledged(5)
    assert [name for name, _ in answers.states()] == [str(number) for number in range(3_000, 5, -1)]


def test_answers_that_nobody_takes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "REMEMBERED_BYTES", 10_000)
    answers = Answers()
    for number in range(1, 101):
        answers.add(str(number), "ok", LINE, number)
    assert answers.line("1") is None
    assert "1" in answers
    assert answers.line("100") == LINE


def test_names_are_told_apart_where_a_hash_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(name: object) -> int:
        return int.from_bytes(hashlib.sha256(str(name).encode()).digest()[:2], "big", signed=True)

    monkeypatch.setattr(kept, "hash", short, raising=False)
    monkeypatch.setattr(kept, "IS_HASH_SHORT", True)
    names = Names()
    for number in range(2_000):
        assert str(number) not in names
        names.add(str(number))
    assert all(str(number) in names for number in range(2_000))


def test_names_that_meet_in_one_place_stay_apart() -> None:
    names = Names()
    for number in range(5_000):
        assert str(number) not in names
        names.add(str(number))
        names.add(str(number))
    assert all(str(number) in names for number in range(5_000))
    assert not any(f"{number}#" in names for number in range(5_000))


def test_an_attempt_whose_answer_was_taken_long_ago_is_not_executed_again(place: Place) -> None:
    connection = place.connect()
    log = place.base / "oracle"
    argv = ["sh", "-c", f"echo once >> {log}"]
    taken = connection.do("own.command", name="first#1", argv=argv)
    large = repr("'" + "x" * (ACKNOWLEDGED_BYTES // 2) + "'")
    for number in itertools.count(taken["seq"] + 1):
        assert connection.do("own.value", expression=large)["seq"] == number
        connection.send("ack", seq=number)
        if number > taken["seq"] + 3:
            break
    again = connection.do("own.command", name="first#1", argv=argv)
    assert (again["state"], again["error"]["kind"]) == ("failed", "forgotten")
    assert log.read_text() == "once\n"
    connection.close()
    second = place.attach()
    assert "first#1" not in second.hello(epoch=2, rx=None)["knows"]
    assert second.do("own.command", name="first#1", argv=argv)["error"]["kind"] == "forgotten"
    assert log.read_text() == "once\n"
    second.stop()
