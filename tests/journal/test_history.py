"""A run's past, read from its journal at any place."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.errors import JournalError
from octogram_tui.journal import codec
from octogram_tui.journal.history import JournalHistory
from octogram_tui.model.ids import InstanceId

ABOUT = InstanceId("stage", "job", "agent")


def some(lengths: list[int]) -> list[ev.Event]:
    """Events with lines of these lengths, two at a time at one moment."""
    return [
        ev.JobOutput(seq=seq, at_s=seq // 2 / 4, agent="agent", instance=ABOUT, lines=["x" * length])
        for seq, length in enumerate(lengths, 1)
    ]


def written(path: Path, events: list[ev.Event], *, header: bool = True) -> JournalHistory:
    path.write_bytes((codec.header("r", "1") if header else b"") + codec.encode_all(events))
    return JournalHistory(path)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.sampled_from([0, 3, 200, 5_000, 20_000]), min_size=1, max_size=40),
    header=st.booleans(),
    data=st.data(),
)
def test_any_place_is_found_and_any_time(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], header: bool, data: st.DataObject
) -> None:
    events = some(lengths)
    history = written(tmp_path_factory.mktemp("j") / "j", events, header=header)
    seq = data.draw(st.integers(0, len(events) + 1))
    assert [event.seq for event in history.after(seq)] == list(range(seq + 1, len(events) + 1))
    at_s = data.draw(st.sampled_from([-1.0, 0.1, *(event.at_s for event in events), 1e9]))
    assert history.seq_at(at_s) == max((event.seq for event in events if event.at_s <= at_s), default=0)


def test_the_past_ends_where_the_journal_is_damaged_and_a_line_that_is_cut_short_is_none(tmp_path: Path) -> None:
    events = some([500] * 60)
    history = written(tmp_path / "j", events)
    lines = history.path.read_bytes().splitlines(keepends=True)
    lines[31] = b'{"seq":31,"at_s":"\xff broken\n'  # the header is the first
    history.path.write_bytes(b"".join(lines)[:-5])
    assert [event.seq for event in history.after(20)] == list(range(21, 31))
    assert [event.seq for event in history.after(29)] == [30]
    history.path.write_bytes(b"".join(lines[:20])[:-5])
    assert [event.seq for event in history.after(15)] == [16, 17, 18]


def test_it_grows_with_the_journal(tmp_path: Path) -> None:
    events = some([10] * 6)
    history = written(tmp_path / "j", events[:3])
    assert [event.seq for event in history.after(2)] == [3]
    with history.path.open("ab") as file:
        file.write(codec.encode_all(events[3:]))
    assert [event.seq for event in history.after(2)] == [3, 4, 5, 6]


def test_what_an_older_program_wrote_and_what_a_newer_one_did_is_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(
        '{"v":1,"type":"journal","run":"r","program":"octogram-tui 0"}\n'
        '{"seq":1,"at_s":0,"type":"job_started","stage":"a/b","job":"j","agent":"n","key":"a/b/j@n"}\n'
        '{"seq":2,"at_s":1,"type":"told_by_the_future","agent":"n"}\n'
    )
    first, second = JournalHistory(path).after(0)
    assert isinstance(first, ev.JobStarted)
    assert first.instance == InstanceId("a/b", "j", "n")
    assert isinstance(second, codec.UnknownEvent)
    assert JournalHistory(path).seq_at(0.5) == 1


def test_a_journal_that_is_gone_or_empty(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot read the journal"):
        list(JournalHistory(tmp_path / "none").after(0))
    (tmp_path / "empty").touch()
    assert list(JournalHistory(tmp_path / "empty").after(0)) == []
    assert JournalHistory(tmp_path / "empty").seq_at(5) == 0
