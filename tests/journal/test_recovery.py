"""A journal is gone on with where it was left: what is torn is kept aside, and what is damaged is refused."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui import faults
from octogram_tui.engine import events as ev
from octogram_tui.errors import DamagedJournal, ExitCode, JournalError, RunGoesOn
from octogram_tui.journal import codec, reader, recovery, seal, writer
from octogram_tui.journal.writer import JournalWriter


def some_events(count: int, first: int = 1) -> list[ev.Event]:
    return [ev.WarningGiven(seq=n, at_s=n / 8, message=f"number {n}") for n in range(first, first + count)]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    written = JournalWriter(tmp_path / "j", run="r", version="0")
    written.append(some_events(3))
    written.close()
    return tmp_path / "j"


def test_it_goes_on_as_if_it_had_never_been_left(journal: Path, tmp_path: Path) -> None:
    again = JournalWriter.go_on(journal)
    assert (again.written_seq, again.synced_seq) == (3, 3)
    again.append(some_events(2, 4))
    again.close()
    assert list(reader.read(journal)) == some_events(5)
    undisturbed = JournalWriter(tmp_path / "k", run="r", version="0")
    undisturbed.append(some_events(5))
    undisturbed.close()
    assert journal.read_bytes() == (tmp_path / "k").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["j", "k"]


@pytest.mark.fault(67)
def test_it_goes_on_wherever_its_last_line_was_cut_and_what_was_cut_is_kept(journal: Path) -> None:
    data = journal.read_bytes()
    last = data.rindex(b"\n", 0, -1) + 1
    for cut in range(last + 1, len(data)):
        journal.write_bytes(data[:cut] + bytes(cut % 2 * 600))  # a block that was not written is read as zeros
        torn = recovery.torn_path(journal)
        again = JournalWriter.go_on(journal)
        assert torn.read_bytes() == data[last:cut] + bytes(cut % 2 * 600)
        assert torn.stat().st_mode & 0o777 == 0o600
        assert again.written_seq == 2
        again.append(some_events(2, 3))
        again.close()
        assert list(reader.read(journal)) == some_events(4)


@pytest.mark.fault(67)
def test_a_crash_amid_cutting_leaves_what_can_be_cut_again(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torn = journal.read_bytes()[:-5]
    journal.write_bytes(torn)
    for place in ("journal.torn.keep", "journal.torn.cut"):

        def crash(name: str, place: str = place) -> None:
            if name == place:
                raise OSError(5, "Input/output error")

        monkeypatch.setattr(faults, "hit", crash)
        with pytest.raises(JournalError, match="cannot cut the torn end off"):
            JournalWriter.go_on(journal)
        assert journal.read_bytes() == torn
    monkeypatch.undo()
    JournalWriter.go_on(journal).close()
    assert list(reader.read(journal)) == some_events(2)


@pytest.mark.fault(68)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_never_gone_on_from(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    whole, _ = seal.sealed([codec.header("r", "0"), *codec.encode_each(some_events(4))], 0)
    at = data.draw(st.integers(0, len(whole) - 2))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    with pytest.raises(JournalError) as caught:
        JournalWriter.go_on(path)
    assert path.read_bytes() == changed, "what is damaged stays as it is"
    assert not recovery.is_sound(path)
    if "newer octogram-tui" not in caught.value.hint:
        assert caught.value.exit_code == ExitCode.RESUME_REFUSED
        assert f"{path}:" in caught.value.message


def test_one_pass_proves_a_whole_journal_and_a_torn_end_is_no_harm(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PIECE_BYTES", 16)
    data = journal.read_bytes()
    last = data.rindex(b"\n", 0, -1) + 1
    for cut in range(len(data)):
        journal.write_bytes(data[:cut])
        assert recovery.is_sound(journal) == (cut > data.index(b"\n")), cut
    journal.write_bytes(data[:last] + bytes(100))
    assert recovery.is_sound(journal)
    assert not recovery.is_sound(journal.with_name("none"))


@pytest.mark.fault(66)
def test_nobody_writes_a_journal_that_has_a_writer(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LOCK_S", 0.05)
    holder = JournalWriter.go_on(journal)
    with pytest.raises(RunGoesOn, match="goes on") as caught:
        JournalWriter.go_on(journal)
    assert caught.value.exit_code == ExitCode.RESUME_REFUSED
    holder.close()
    JournalWriter.go_on(journal).close()


def test_who_lists_the_runs_does_not_keep_a_run_from_going_on(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = os.open(journal, os.O_RDONLY)
    fcntl.flock(listing, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(listing))
    JournalWriter.go_on(journal).close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b'{"v":2,"type":"jour', "not even a whole first line"),
        (b'{"v":1,"type":"journal","run":"r"}\n', "a former version wrote it"),
        (b'{"v":1,"type":"journal","run":"r"}\n{"seq":2,"at_s":0,"type":"x"}\n{"seq":1,"at_s":0,"type":"x"}\n', "j:3:"),
        (b'{"v":9,"type":"journal","run":"r"}\n', "version 9"),
        (b'{"seq":1,"at_s":0,"type":"run_started","v":1,"run":"r","scenario":"s"}\n', "does not begin as a journal"),
        (b"[" * 100_000 + b"\n", "not JSON"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused_with_words(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=complaint):
        JournalWriter.go_on(path)
    assert path.read_bytes() == content
    with pytest.raises(JournalError, match="nothing: No such file"):
        JournalWriter.go_on(tmp_path / "nothing")


def test_damage_of_a_former_versions_journal_is_found_too(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"v":1,"type":"journal","run":"r"}\n' + codec.encode_all(some_events(2)) + b"garbage\n")
    condition = recovery.examine(path)
    assert (condition.lines, condition.last_seq, condition.is_sealed) == (3, 2, False)
    assert condition.damage
    with pytest.raises(DamagedJournal, match="j:4: "):
        JournalWriter.go_on(path)
