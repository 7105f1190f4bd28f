"""Whatever lies in the directories of runs: the list is shown, and says what is wrong with which."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui import faults
from octogram_tui.commands import journal as journal_command
from octogram_tui.commands import runs as runs_command
from octogram_tui.commands.complaint import complaint
from octogram_tui.engine import events as ev
from octogram_tui.errors import AttachRefused, JournalError, RunGoesOn, RunNotRestored, UsageError
from octogram_tui.journal import archive, reader, recovery, salvage, terms, timings, token
from octogram_tui.journal.runbook import RunBook
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.settings import load

START = datetime(2026, 11, 23, 3, 14, 9, tzinfo=UTC)


def made(runs_dir: Path, *, finish: bool = True, warnings: int = 5) -> Path:
    run, directory = archive.create(runs_dir, "s.yml", START)
    info = archive.RunInfo(run=run, scenario="/x/s.yml", pid=1, started_wall=START.isoformat(), lease_s=60.0)
    archive.write_info(directory, info)
    writer = JournalWriter(directory / archive.JOURNAL, run=run, version="0")
    writer.append([ev.RunStarted(seq=1, run=run, scenario="s.yml")])
    writer.append([ev.WarningGiven(seq=2 + n, at_s=1.0 + n, message=f"number {n}") for n in range(warnings)])
    if finish:
        writer.append([ev.RunFinished(seq=2 + warnings, at_s=9.0, exit_code=0, duration_s=9.0, counts={"ok": 2})])
    writer.close()
    return directory


def told(main: Any, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return code, out.getvalue(), err.getvalue()


def flip(path: Path, share: float = 0.5) -> int:
    """Change one bit; gives the number of its line."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at] ^= 4
    path.write_bytes(data)
    return bytes(data[:at]).count(b"\n") + 1


def clear() -> Path:
    runs_dir = load().runs_dir
    shutil.rmtree(runs_dir, ignore_errors=True)
    return runs_dir


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["run", "scenario", "pid", "started_wall", "socket", "version", "host", "lease_s", "v", "more"]


def spoil(directory: Path, draw: st.DataObject) -> None:
    """Make of a run's directory what no program of ours does."""
    name = draw.draw(st.sampled_from([archive.INFO, archive.JOURNAL, "alive", "terms.json", "token", "timings.json"]))
    place = directory / name
    kind = draw.draw(st.sampled_from(["bytes", "values", "field", "directory", "loop", "gone", "cut", "flip", "event"]))
    if place.is_dir() or place.is_symlink():
        return
    if kind == "bytes":
        place.write_bytes(draw.draw(st.binary(max_size=200)))
    elif kind == "values":
        place.write_text(json.dumps(draw.draw(VALUES)))
    elif kind == "field" and name == archive.INFO:
        try:
            record = dict(json.loads(place.read_bytes()))
        except (OSError, ValueError, TypeError):  # it was spoilt before
            return
        record[draw.draw(st.sampled_from(NAMES))] = draw.draw(
            VALUES | st.sampled_from([1e300, -1e300, "\ud800", "\x1b[2J"])
        )
        (directory / archive.INFO).write_text(json.dumps(record))
    elif kind in ("directory", "loop", "gone"):
        place.unlink(missing_ok=True)
        if kind == "directory":
            place.mkdir()
        elif kind == "loop":
            place.symlink_to(place.name)
    elif place.is_file() and (data := place.read_bytes()):
        if kind == "cut":
            place.write_bytes(data[: draw.draw(st.integers(0, len(data)))])
        elif kind == "flip":
            flip(place, draw.draw(st.floats(0, 0.999)))
        else:
            with place.open("ab") as file:
                record = {
                    "seq": 99,
                    "at_s": draw.draw(VALUES),
                    "type": draw.draw(st.sampled_from(["run_finished", "x"])),
                }
                file.write(json.dumps({**record, "exit_code": draw.draw(VALUES)}).encode() + b"\n")


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Runs to be copied: one that is left as it is, one that ended, and one that did not."""
    runs_dir = tmp_path_factory.mktemp("patterns")
    return [made(runs_dir), made(runs_dir), made(runs_dir, finish=False)]


@settings(max_examples=100, deadline=None)
@given(draw=st.data())
def test_the_runs_are_listed_whatever_is_in_a_directory(patterns: list[Path], draw: st.DataObject) -> None:
    runs_dir = clear()
    good, bad = (
        Path(shutil.copytree(pattern, runs_dir / pattern.name))
        for pattern in (patterns[0], patterns[draw.draw(st.integers(1, 2))])
    )
    for _ in range(draw.draw(st.integers(1, 2))):
        spoil(bad, draw)
    for words in ((), ("--json",)):
        code, out, _ = told(runs_command.main, *words)
        assert code == 0
        assert good.name in out
        assert "\x1b" not in out
        assert not words or all(json.loads(line) for line in out.splitlines())
    assert [entry.run.id for entry in RunBook(runs_dir).read().entries if entry.run.directory == good] == [good.name]
    with contextlib.suppress(AttachRefused):
        assert archive.find(runs_dir, good.name).directory == good
    assert archive.forget_old(runs_dir, keep_runs=100, keep_days=100.0) == []


@pytest.mark.fault(68)
@pytest.mark.parametrize("finish", [True, False], ids=["finished", "crashed"])
def test_a_run_with_a_damaged_journal_is_named_with_its_line_and_what_helps(finish: bool) -> None:
    runs_dir = clear()
    bad, good = made(runs_dir, finish=finish), made(runs_dir)
    line = flip(bad / archive.JOURNAL)
    code, out, _ = told(runs_command.main)
    assert code == 0
    shown = {row.split()[0]: row.split()[1] for row in out.splitlines() if row.startswith("2026")}
    assert shown == {bad.name: "damaged", good.name: "finished"}
    assert f"its journal is damaged, line {line}: its checksum is wrong" in out
    assert f"octogram-tui journal salvage {bad.name}" in out
    assert "octogram-tui resume" not in out, "what is damaged cannot be gone on with"
    records = [json.loads(row) for row in told(runs_command.main, "--json")[1].splitlines()]
    assert [(record["state"], bool(record["damage"])) for record in records] == [("damaged", True), ("finished", False)]
    (entry,) = [entry for entry in RunBook(runs_dir).read().entries if entry.damage]
    assert (entry.state, entry.says, entry.use) == ("damaged", "journal damaged", "replay")


def test_a_torn_end_is_no_damage_and_neither_is_a_former_version() -> None:
    runs_dir = clear()
    torn, former = made(runs_dir, finish=False), made(runs_dir)
    journal = torn / archive.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-7])
    lines = (former / archive.JOURNAL).read_bytes().splitlines()
    plain = [{k: v for k, v in json.loads(line).items() if k != "crc"} for line in lines]
    plain[0]["v"] = 1
    (former / archive.JOURNAL).write_text("".join(json.dumps(record) + "\n" for record in plain))
    assert [entry.state for entry in RunBook(runs_dir).read().entries] == ["finished", "crashed"]
    code, out, _ = told(journal_command.main, "check")
    assert code == 0
    assert "bytes of one that was being written" in out
    assert "of a former version: without checksums, each one readable" in out


@pytest.mark.fault(68)
def test_check_says_of_each_journal_whether_it_is_sound() -> None:
    runs_dir = clear()
    assert told(journal_command.main, "check")[:2] == (0, f"no runs yet in {runs_dir}\n")
    bad, good = made(runs_dir), made(runs_dir)
    line = flip(bad / archive.JOURNAL)
    code, out, _ = told(journal_command.main, "check", good.name)
    assert (code, out) == (0, f"{good / archive.JOURNAL}: 8 lines, all sound\n")
    for words in ((bad.name,), (str(bad / archive.JOURNAL),), (str(bad),), ()):
        code, out, _ = told(journal_command.main, "check", *words)
        assert code == 9
        assert f"{bad / archive.JOURNAL}: damaged: line {line}: its checksum is wrong; the {line - 1} before it" in out
    (bad / archive.INFO).unlink()
    assert told(journal_command.main, "check", bad.name)[0] == 9, "the journal is there, whatever else is not"


@pytest.mark.fault(68)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 0.999))
def test_what_is_salvaged_is_a_prefix_that_can_be_read_and_gone_on_with(patterns: list[Path], share: float) -> None:
    runs_dir = clear()
    journal = Path(shutil.copytree(patterns[2], runs_dir / patterns[2].name)) / archive.JOURNAL
    events = list(reader.read(journal))
    line = flip(journal, share)
    damaged = journal.read_bytes()
    try:
        damage = recovery.examine(journal).damage
    except JournalError:  # its version was hit: nobody can tell that from a file of a program to come
        code, _, said = told(journal_command.main, "salvage", journal.parent.name)
        assert (line, code, "is written in version" in said) == (1, 74, True)
        assert journal.read_bytes() == damaged
        return
    if not damage:  # the end of the last line was hit: it is torn
        assert salvage.salvage(journal) is None
        assert journal.read_bytes() == damaged
        return
    code, _, _ = told(journal_command.main, "salvage", journal.parent.name)
    if line == 1:
        assert code == 9
        assert journal.read_bytes() == damaged
        return
    assert code == 0
    assert recovery.is_sound(journal)
    assert list(reader.read(journal)) == events[: line - 2]
    assert journal.with_name("journal.jsonl.damaged-1").read_bytes() == damaged
    assert stat_mode(journal) == 0o600
    writer = JournalWriter.go_on(journal)
    writer.append([ev.WarningGiven(seq=50, message="on")])
    writer.close()
    assert len(list(reader.read(journal))) == line - 1
    assert told(journal_command.main, "salvage", journal.parent.name)[1].endswith("nothing of it is damaged\n")


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_crash_amid_salvaging_loses_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = made(clear()) / archive.JOURNAL
    flip(journal)
    damaged = journal.read_bytes()
    for place in ("journal.salvage.keep", "journal.salvage.rename"):

        def fail(name: str, place: str = place) -> None:
            if name == place:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(faults, "hit", fail)
        code, _, err = told(journal_command.main, "salvage", str(journal))
        assert (code, "No space left" in err) == (74, True)
        assert journal.read_bytes() == damaged
        assert not list(journal.parent.glob(".*.part")), "no draft stays"


def test_the_journal_of_a_run_that_goes_on_is_not_salvaged() -> None:
    runs_dir = clear()
    run, directory = archive.create(runs_dir, "s.yml", START)
    writer = JournalWriter(directory / archive.JOURNAL, run=run, version="0")
    with pytest.raises(RunGoesOn):
        salvage.salvage(directory / archive.JOURNAL)
    writer.close()
    assert os.listdir(directory) == [archive.JOURNAL]


@pytest.fixture
def pipe() -> Iterator[Callable[[Path], None]]:
    """Put a pipe in the place of a file, for as long as the test lasts: what looks at its files then would wait."""
    made: list[Path] = []

    def put(place: Path) -> None:
        place.unlink(missing_ok=True)
        os.mkfifo(place)
        made.append(place)

    yield put
    for place in made:
        place.unlink()


def test_a_pipe_in_the_place_of_a_file_of_a_run_is_waited_for_by_nobody(pipe: Callable[[Path], None]) -> None:
    runs_dir = clear()
    names = (archive.INFO, archive.JOURNAL)
    for name in names:
        pipe(made(runs_dir) / name)
    sound = made(runs_dir)
    damaged: list[str] = []
    assert [run.directory for run in archive.listing(runs_dir, damaged)] == [sound]
    assert len(damaged) == len(names)
    assert told(runs_command.main)[0] == 0
    assert timings.of_scenario(runs_dir, "/x/s.yml") == []
    pipe(sound / terms.TERMS)
    pipe(sound / token.TOKEN)
    with pytest.raises(RunNotRestored, match="it is no file"):
        terms.find(sound)
    with pytest.raises(JournalError, match="it is no file"):
        token.find(sound)


@pytest.mark.parametrize("text", ["", "x", '{"a":' * 50_000, "0" * 31, "0" * 33, "G" * 32, "\0" * 32])
def test_what_is_no_token_is_sent_to_nobody(tmp_path: Path, text: str) -> None:
    assert token.find(tmp_path) == ""
    (tmp_path / token.TOKEN).write_text(text)
    with pytest.raises(JournalError, match="is damaged"):
        token.find(tmp_path)


def test_a_record_that_is_nested_too_deeply_is_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / terms.TERMS).write_text("[" * 100_000)
    with pytest.raises(RunNotRestored, match="nested too deeply"):
        terms.find(tmp_path)


@pytest.mark.parametrize("name", ["../../etc", "/", "", ".", "..", "a/b", "\x1b[2J", "a\0", "\ud800", "x" * 200])
@pytest.mark.parametrize("field", ["run", "scenario", "socket"])
def test_a_run_is_not_called_what_leads_elsewhere(tmp_path: Path, name: str, field: str) -> None:
    directory = made(tmp_path)
    record = json.loads((directory / archive.INFO).read_text())
    (directory / archive.INFO).write_text(json.dumps({**record, field: name}))
    if field == "run" or name in ("a\0", "\ud800"):  # the others may be anywhere
        with pytest.raises(archive.DamagedRun, match=f"`{field}` is"):
            archive.load(directory)
    else:
        assert archive.load(directory).state == "finished"


def test_a_complaint_moves_no_terminal() -> None:
    assert "\x1b" not in complaint(UsageError("there is no option --\x1b[2J", hint="\x1b]0;x\x07"))
