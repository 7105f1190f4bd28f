"""Runs are found by name, known for what they are, and forgotten only when they may be."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.errors import AttachRefused, DirectoryTaken, ExitCode, JournalError
from octogram_tui.journal import archive, claim
from octogram_tui.journal.writer import JournalWriter

START = datetime(2026, 11, 23, 3, 14, 9, tzinfo=UTC)


@pytest.fixture
def writers() -> Iterator[list[JournalWriter]]:
    opened: list[JournalWriter] = []
    yield opened
    for writer in opened:
        writer.close()


def made(
    runs_dir: Path, number: int = 0, *, finish: int | None = 0, scenario: str = "quickstart.yml"
) -> archive.KnownRun:
    started = START + timedelta(hours=number)
    run, directory = archive.create(runs_dir, scenario, started)
    info = archive.RunInfo(run=run, scenario=scenario, pid=1, started_wall=started.isoformat(), version="0")
    archive.write_info(directory, info)
    writer = JournalWriter(directory / archive.JOURNAL, run=run, version="0")
    writer.append([ev.RunStarted(seq=1, run=run, scenario=scenario), ev.WarningGiven(seq=2, at_s=4.5, message="m")])
    if finish is not None:
        writer.append([ev.RunFinished(seq=3, at_s=5.0, exit_code=finish, duration_s=5.0, counts={"ok": 2})])
    writer.close()
    return archive.load(directory)


def test_names_say_when_and_what_and_sort_by_time() -> None:
    assert archive.new_id("/a/b/quick start.yml", START, "x7") == "20261123-031409-quick-start-x7"
    assert archive.new_id("é.yml", START, "x7") == "20261123-031409-scenario-x7"
    assert archive.new_id("a.yml", START) < archive.new_id("a.yml", START + timedelta(seconds=1))


def test_a_directory_is_private(tmp_path: Path) -> None:
    run = made(tmp_path / "runs")
    assert run.directory.stat().st_mode & 0o777 == 0o700
    assert (run.directory / archive.INFO).stat().st_mode & 0o777 == 0o600


def test_a_finished_run_tells_how_it_ended(tmp_path: Path) -> None:
    run = made(tmp_path, finish=1)
    assert (run.state, run.exit_code, run.duration_s, dict(run.counts)) == ("finished", 1, 5.0, {"ok": 2})
    assert not run.is_attachable()


def test_a_run_without_an_end_whose_writer_is_gone_crashed(tmp_path: Path) -> None:
    run = made(tmp_path, finish=None)
    assert (run.state, run.exit_code, run.duration_s) == ("crashed", None, 4.5)


def test_a_run_runs_as_long_as_its_writer_lives(tmp_path: Path, writers: list[JournalWriter]) -> None:
    run, directory = archive.create(tmp_path, "a.yml", START)
    place = str(directory / "control.sock")
    archive.write_info(directory, archive.RunInfo(run=run, scenario="a.yml", pid=1, started_wall="", socket=place))
    assert archive.load(directory).state == "crashed"
    writers.append(JournalWriter(directory / archive.JOURNAL, run=run, version="0"))
    assert archive.load(directory).state == "running"
    assert not archive.load(directory).is_attachable()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        assert archive.load(directory).is_attachable()


def test_runs_are_found_by_name_beginning_and_last(tmp_path: Path) -> None:
    first, second = made(tmp_path, 0), made(tmp_path, 1)
    assert [run.id for run in archive.listing(tmp_path)] == [first.id, second.id]
    assert archive.find(tmp_path, first.id).id == first.id
    assert archive.find(tmp_path, "20261123-04").id == second.id
    assert archive.find(tmp_path, "last").id == second.id
    assert archive.find(tmp_path, str(first.directory)).id == first.id
    with pytest.raises(AttachRefused, match="2 runs begin with"):
        archive.find(tmp_path, "2026")
    with pytest.raises(AttachRefused, match="there is no run 'x'") as caught:
        archive.find(tmp_path, "x")
    assert second.id in caught.value.hint
    with pytest.raises(AttachRefused, match="there are no runs"):
        archive.find(tmp_path / "none", "last")


def test_an_empty_name_is_nobodys(tmp_path: Path) -> None:
    """Every name begins with it: `clean "$RUN"` would end the only run there is."""
    made(tmp_path, 0)
    with pytest.raises(AttachRefused, match="empty"):
        archive.find(tmp_path, "")


def test_what_is_no_run_is_passed_over(tmp_path: Path) -> None:
    run = made(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / archive.INFO).write_text("{}")
    (tmp_path / "file").write_text("")
    assert [found.id for found in archive.listing(tmp_path)] == [run.id]
    with pytest.raises(JournalError, match="damaged"):
        archive.load(tmp_path / "broken")


def test_a_directory_of_the_users_choice_is_linked_and_used_once(tmp_path: Path) -> None:
    run, directory = archive.create(tmp_path / "runs", "a.yml", START, tmp_path / "mine")
    assert directory == tmp_path / "mine"
    archive.write_info(directory, archive.RunInfo(run=run, scenario="a.yml", pid=1, started_wall=START.isoformat()))
    JournalWriter(directory / archive.JOURNAL, run=run, version="0").close()
    assert archive.find(tmp_path / "runs", "last").journal.read_bytes()
    claim.release(directory)
    with pytest.raises(JournalError, match="already holds a run"):
        archive.create(tmp_path / "runs", "a.yml", START, tmp_path / "mine")


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file") as caught:
        archive.create(tmp_path / "file" / "runs", "a.yml", START)
    assert "--run-dir" in caught.value.hint
    with pytest.raises(JournalError, match="cannot write"):
        archive.write_info(tmp_path / "none", archive.RunInfo(run="r", scenario="s", pid=1, started_wall=""))


def test_old_runs_are_forgotten_but_never_the_newest_nor_a_running_one(
    tmp_path: Path, writers: list[JournalWriter]
) -> None:
    old, new = made(tmp_path, 0), made(tmp_path, 1)
    run, directory = archive.create(tmp_path, "a.yml", START)
    archive.write_info(directory, archive.RunInfo(run=run, scenario="a.yml", pid=1, started_wall=START.isoformat()))
    writers.append(JournalWriter(directory / archive.JOURNAL, run=run, version="0"))
    _, mine = archive.create(tmp_path, "b.yml", START, tmp_path / "elsewhere" / "mine")
    archive.write_info(mine, archive.RunInfo(run="linked", scenario="b.yml", pid=1, started_wall=START.isoformat()))
    newest = made(tmp_path, 1)

    assert archive.forget_old(tmp_path, keep_runs=10, keep_days=30) == []
    gone = archive.forget_old(tmp_path, keep_runs=1, keep_days=30)
    assert set(gone) == {old.id, new.id, "linked"}
    assert {found.id for found in archive.listing(tmp_path)} == {newest.id, run}
    assert (mine / archive.INFO).exists()
    assert archive.forget_old(tmp_path, keep_runs=10, keep_days=0) == []


YEAR = timedelta(days=366)


def made_at(runs_dir: Path, *starts: datetime) -> list[str]:
    """Make finished runs when the clock says so."""
    names = []
    for started in starts:
        run, directory = archive.create(runs_dir, "a.yml", started)
        wall = started.isoformat().replace("+00:00", "Z")
        archive.write_info(directory, archive.RunInfo(run=run, scenario="a.yml", pid=1, started_wall=wall))
        JournalWriter(directory / archive.JOURNAL, run=run, version="0").close()
        names.append(run)
    return names


def test_a_run_with_a_wrong_clock_is_the_last_only_until_the_next_one(tmp_path: Path) -> None:
    names = made_at(tmp_path, START, START + 20 * YEAR, START - 20 * YEAR, START + timedelta(minutes=1))
    assert [run.id for run in archive.listing(tmp_path)] == names
    assert archive.find(tmp_path, "last").id == names[-1]


def test_a_clock_that_jumps_deletes_nothing(tmp_path: Path) -> None:
    names = made_at(tmp_path, START, START, START - 20 * YEAR, START + 20 * YEAR, START + 21 * YEAR)
    assert archive.forget_old(tmp_path, keep_runs=10, keep_days=30) == []
    assert [run.id for run in archive.listing(tmp_path)] == names


def test_runs_are_old_after_so_many_days_with_runs(tmp_path: Path) -> None:
    names = made_at(tmp_path, *(START + timedelta(days=day) for day in range(6)))
    assert archive.forget_old(tmp_path, keep_runs=10, keep_days=3) == [names[1], names[0]]
    assert [run.id for run in archive.listing(tmp_path)] == names[2:]
    (tmp_path / ".order").unlink()  # lost: by the clock then
    later = made_at(tmp_path, START)
    assert [run.id for run in archive.listing(tmp_path)] == [*names[2:], *later]


def test_the_socket_is_where_the_system_allows_it(tmp_path: Path) -> None:
    runtime = tmp_path / "rt"
    short = Path("/tmp/x")
    if len(str(runtime)) < 80:
        assert archive.socket_path("r", short, runtime) == runtime / "r.sock"
        assert runtime.stat().st_mode & 0o777 == 0o700
    inside = tmp_path / "d"
    inside.mkdir()
    assert archive.socket_path("r", inside, None) == inside / "control.sock"
    elsewhere = archive.socket_path("r", tmp_path / ("long" * 30), None)
    assert len(str(elsewhere)) < 100
    assert not elsewhere.parent.exists(), "a path that is not used leaves nothing"
    archive.make_socket_place(elsewhere)
    assert elsewhere.parent.stat().st_mode & 0o777 == 0o700
    elsewhere.touch()
    archive.remove_socket(elsewhere)
    assert not elsewhere.parent.exists(), "what was made for the socket alone goes with it"


def test_the_socket_is_where_only_its_user_can_write_and_a_directory_of_the_users_keeps_its_mode(
    tmp_path: Path,
) -> None:
    for mode, is_there in ((0o755, True), (0o775, False), (0o1777, False)):
        tmp_path.chmod(mode)
        place = archive.socket_path("r", tmp_path, None)
        assert (place.parent == tmp_path) == is_there
        archive.make_socket_place(place)
        assert tmp_path.stat().st_mode & 0o7777 == mode
        archive.remove_socket(place)
        assert place.parent.exists() == is_there


@pytest.mark.fault(66)
def test_two_runs_that_are_made_at_once_do_not_share_a_directory(tmp_path: Path) -> None:
    """Neither has a journal yet: what the second would have written first is the first one's."""
    runs, mine = tmp_path / "runs", tmp_path / "mine"
    first, directory = archive.create(runs, "a.yml", START, mine)
    (directory / "token").write_text("of the first")
    with pytest.raises(DirectoryTaken, match="already holds a run") as caught:
        archive.create(runs, "a.yml", START, mine)
    assert caught.value.exit_code == ExitCode.RESUME_REFUSED
    assert [path.name for path in runs.iterdir() if path.name[0] != "."] == [first]
    assert (directory / "token").read_text() == "of the first"
    assert archive.forget_unbegun(runs / first, directory)
    second, _ = archive.create(runs, "a.yml", START, mine)
    (directory / "token").write_text("of the second")
    (runs / first).symlink_to(mine)
    assert archive.forget_unbegun(runs / first, directory), "it hears late that it never began"
    assert (directory / "token").read_text() == "of the second"
    assert [path.name for path in runs.iterdir() if path.name[0] != "."] == [second]
    claim.release(mine)


@pytest.mark.fault(91)
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_what_is_kept_is_for_its_user_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    previous = os.umask(mask)
    try:
        made(tmp_path / "deep" / "state" / "runs")
    finally:
        os.umask(previous)
    modes = {path.relative_to(tmp_path).parts[0]: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"deep": 0o700}
    assert (tmp_path / "deep" / "state" / "runs").stat().st_mode & 0o777 == 0o700


def test_what_was_made_for_a_run_that_never_began_goes_and_nothing_of_the_users(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for named in (None, tmp_path / "mine"):
        run, directory = archive.create(runs, "a.yml", START, named)
        archive.write_info(directory, archive.RunInfo(run=run, scenario="a.yml", pid=1, started_wall=""))
        JournalWriter(directory / archive.JOURNAL, run=run, version="0").close()  # its head is there, and nothing else
        (directory / "scenario.yml").write_text("theirs, perhaps")
        (directory / "host.log").write_text("")
        assert archive.forget_unbegun(runs / run, directory, "host.log")
    assert [path.name for path in runs.iterdir()] == [".order"]
    assert (runs / ".order").read_text() == ""
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["scenario.yml"]
    begun = made(runs)
    assert not archive.forget_unbegun(begun.directory, begun.directory)
    assert archive.find(runs, "last").id == begun.id
