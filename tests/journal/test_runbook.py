"""The list of runs: what each is at, read from the end of its journal, whatever else lies in the directory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.journal import archive
from octogram_tui.journal.runbook import Page, RunBook, RunEntry, wanted_first
from octogram_tui.journal.standing import standing_of
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.model.ids import InstanceId

START = datetime(2026, 11, 23, 3, 14, 9, tzinfo=UTC)
ONE, TWO = InstanceId("s", "j", "a"), InstanceId("s", "j", "b")

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make a run with these events; its writer lives on where it is to go on."""
    writers: list[JournalWriter] = []

    def make_run(*events: ev.Event, goes_on: bool = False) -> Path:
        started = START + timedelta(hours=len(writers))
        run, directory = archive.create(tmp_path, "s.yml", started)
        archive.write_info(directory, archive.RunInfo(run, "/x/s.yml", 1, started.isoformat()))
        writer = JournalWriter(directory / archive.JOURNAL, run=run, version="0")
        writers.append(writer)
        for number, event in enumerate(events, 1):
            event.seq, event.at_s = number, float(number)
            writer.append([event])
        if not goes_on:
            writer.close()
        return directory

    yield make_run
    for writer in writers:
        writer.close()


def only(directory: Path) -> RunEntry:
    (entry,) = RunBook(directory.parent).read().entries
    return entry


def failed(instance: InstanceId, **more: Any) -> ev.JobFinished:
    return ev.JobFinished(instance=instance, attempt=1, state="failed", **more)


@pytest.mark.parametrize(
    ("events", "says", "wants", "failures"),
    [
        ([], "running", False, 0),
        ([ev.RunPaused(reason="start")], "paused before its start", True, 0),
        ([failed(ONE), ev.RunPaused(reason="failure")], "paused at a failure", True, 1),
        ([failed(ONE), failed(TWO), ev.RunPaused(), ev.RunResumed()], "running", False, 2),
        ([failed(ONE, will_retry=True), failed(TWO, is_tolerated=True)], "running", False, 0),
        ([failed(ONE), ev.JobStarted(instance=ONE, attempt=2, why="rerun")], "running", False, 0),
        ([ev.RunPaused(), ev.RunResumed(mode="step")], "paused", True, 0),
        ([ev.ConfirmationAsked(stage="wipe")], "asks before stage wipe", True, 0),
        ([ev.ConfirmationAsked(stage="wipe"), ev.ConfirmationGiven(stage="wipe")], "running", False, 0),
        ([ev.StagesDone(exit_code=0)], "done, its agents are up", False, 0),
        ([ev.RunPaused(), ev.StopRequested(by="operator")], "stopping", False, 0),
    ],
)
def test_a_run_that_goes_on_says_what_it_waits_for(
    make: Make, events: Sequence[ev.Event], says: str, wants: bool, failures: int
) -> None:
    entry = only(make(ev.RunStarted(run="r", scenario="s"), *events, goes_on=True))
    assert (entry.use, entry.says, entry.wants_operator, entry.failures) == ("attach", says, wants, failures)


def test_a_run_that_crashed_waits_for_nobody_and_says_what_stood_failed(make: Make) -> None:
    entry = only(make(ev.RunStarted(run="r", scenario="s"), failed(ONE), ev.RunPaused(reason="failure")))
    assert (entry.use, entry.state, entry.says, entry.failures) == ("replay", "crashed", "crashed", 1)
    assert not entry.wants_operator
    assert entry.lasted_s(START) == 3.0


def test_the_newest_is_first_and_who_waits_before_all(make: Make) -> None:
    make(ev.RunPaused(reason="failure"), goes_on=True)
    make(ev.RunFinished(exit_code=0, duration_s=5.0, counts={"ok": 2}))
    make(ev.RunFinished(exit_code=1, counts={"ok": 1, "failed": 2}))
    directory = make(ev.WarningGiven(message="m"), goes_on=True)
    page = RunBook(directory.parent).read()
    words = [entry.says for entry in page.entries]
    assert words == ["running", "finished, exit 1", "finished ok", "paused at a failure"]
    assert [entry.failures for entry in page.entries] == [0, 2, 0, 0]
    assert next(wanted_first(page)).says == "paused at a failure"
    assert len(page.live) == 2


@pytest.mark.parametrize(("passed_s", "lasted_s"), [(90.0, 92.0), (0.0, 2.0), (-3600.0, 2.0)])
def test_a_run_has_lasted_by_its_own_clock_whatever_was_set_or_stood_still_before(
    make: Make, passed_s: float, lasted_s: float
) -> None:
    directory = make(ev.RunTakenUp(number=1), ev.WarningGiven(message="m"), goes_on=True)
    told = START + timedelta(days=400)  # its process was gone until then, or the clock was set
    os.utime(directory / archive.JOURNAL, (told.timestamp(), told.timestamp()))
    assert only(directory).lasted_s(told + timedelta(seconds=passed_s)) == lasted_s


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"run": 5}', "[" * 100_000, "\udcff", '{"run": "r", "scenario": "s", "pid": 1}'],
)
def test_a_damaged_run_is_a_line_and_hides_no_other(make: Make, text: str) -> None:
    good, bad = make(ev.WarningGiven(message="m")), make(ev.WarningGiven(message="m"))
    (bad / archive.INFO).write_bytes(text.encode(errors="surrogateescape"))
    page = RunBook(good.parent).read()
    assert [entry.run.directory for entry in page.entries] == [good]
    (line,) = page.damaged
    assert line.startswith(f"{bad / archive.INFO} is damaged: ")


def test_what_is_no_run_is_passed_over(make: Make) -> None:
    good = make(ev.WarningGiven(message="m"))
    (good.parent / "being-made").mkdir()
    (good.parent / "gone").symlink_to(good.parent / "nowhere")
    (good.parent / "a-file").write_text("")
    assert RunBook(good.parent).read().damaged == ()
    assert RunBook(good.parent / "none").read() == Page()


def test_a_journal_whose_end_is_no_end_is_damage(make: Make) -> None:
    bad = make(ev.RunFinished(exit_code=0))
    journal = bad / archive.JOURNAL
    text = journal.read_text().splitlines()
    record = {**json.loads(text[-1]), "exit_code": "all is well"}
    journal.write_text("\n".join([*text[:-1], json.dumps(record), ""]))
    assert "does not say how the run ended" in RunBook(bad.parent).read().damaged[0]


def test_a_long_journal_is_read_from_its_end_only(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octogram_tui.journal.standing.TAIL_BYTES", 300)
    outputs = [ev.JobOutput(agent="a", lines=["x" * 80]) for _ in range(20)]
    directory = make(failed(ONE), *outputs, ev.RunPaused(), goes_on=True)
    assert standing_of(directory / archive.JOURNAL)[:3] == ("paused", "operator", 0)


def test_files_of_runs_that_have_ended_are_read_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(ev.RunFinished(exit_code=0))
    directory = make(ev.WarningGiven(message="m"))
    book = RunBook(directory.parent)
    before = book.read()
    monkeypatch.setattr(archive, "load", lambda _: pytest.fail("it was read again"))
    assert book.read() == before
