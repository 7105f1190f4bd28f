"""What a run whose process has died may have left, read from its journal and from when it last lived."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from octogram_tui.engine import events as ev
from octogram_tui.journal import left, presence
from octogram_tui.journal.writer import JournalWriter


def test_agents_that_did_not_say_that_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    told: list[ev.Event] = [
        ev.AgentStarting(agent="up"),
        ev.AgentReady(agent="up", host="h1", home="/home/up"),
        ev.AgentReady(agent="up"),  # back after a cut
        ev.AgentStarting(agent="coming"),
        ev.AgentStarting(agent="clean"),
        ev.AgentReady(agent="clean", host="h2", home="/home/clean"),
        ev.AgentStopped(agent="clean"),
        ev.AgentStarting(agent="unclean"),
        ev.AgentStopped(agent="unclean", is_clean=False),
        ev.AgentStarting(agent="failed"),
        ev.AgentFailed(agent="failed", code="net.failed", message="no"),
        ev.JobOutput(agent="up", lines=['"type":"agent_starting"', "x"]),
        ev.RunTakenUp(number=1),
    ]
    for seq, event in enumerate(told, 1):
        event.seq = seq
    writer = JournalWriter(path, run="r", version="1")
    writer.append(told)
    writer.close()
    found = left.agents_left(path)
    assert found == left.agents_named(path)
    assert [(agent.name, agent.says) for agent in found or ()] == [
        ("up", "up on h1"),
        ("coming", "coming"),
        ("unclean", "unclean"),
    ]
    assert left.take_ups(path) == 1
    assert left.take_ups(tmp_path / "none") == 0
    assert left.agents_left(tmp_path / "none") is None
    path.write_bytes(path.read_bytes().replace(b"agent_starting", b"agent_startinG", 1))
    assert left.agents_left(path) is None  # nobody knows which there were
    assert [agent.name for agent in left.agents_named(path)] == ["up", "coming", "unclean"]
    path.write_bytes(b"")
    assert left.agents_left(path) is None


def test_until_when_follows_from_the_last_sign_of_life_and_the_lease(tmp_path: Path) -> None:
    assert left.until(tmp_path, "journal.jsonl", 60.0) is None
    presence.touch(tmp_path)
    os.utime(tmp_path / presence.ALIVE, (1_000_000, 1_000_000))
    assert left.until(tmp_path, "journal.jsonl", 0.0) is None
    assert left.until(tmp_path, "journal.jsonl", 60.0) == datetime.fromtimestamp(1_000_060 + left.ENDING_S, UTC)


def test_what_was_cleaned_is_so_until_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    presence.touch(tmp_path)
    assert presence.cleaned_s(tmp_path, "journal.jsonl") == 0.0
    presence.note_cleaned(tmp_path, "journal.jsonl")
    cleaned_s = presence.cleaned_s(tmp_path, "journal.jsonl")
    assert cleaned_s > 0.0
    os.utime(tmp_path / presence.ALIVE, (cleaned_s + 1.0, cleaned_s + 1.0))
    assert presence.cleaned_s(tmp_path, "journal.jsonl") == 0.0


def test_what_was_cleaned_is_so_whatever_the_clock_is_set_to(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    presence.begin(tmp_path)
    ahead_s = (tmp_path / presence.ALIVE).stat().st_mtime + 86_400.0
    os.utime(tmp_path / presence.ALIVE, (ahead_s, ahead_s))  # and then it was set back
    presence.note_cleaned(tmp_path, "journal.jsonl")
    assert presence.cleaned_s(tmp_path, "journal.jsonl") == ahead_s
    presence.begin(tmp_path)
    assert presence.cleaned_s(tmp_path, "journal.jsonl") == 0.0, "the run goes on, an earlier time of day or not"
