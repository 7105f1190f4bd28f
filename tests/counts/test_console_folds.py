"""What an event, a row and a look at a log take of the console: calls and bytes, never seconds."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType

from octogram_tui.engine import events as ev
from octogram_tui.journal import codec, line_reader
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection import freezing
from octogram_tui.projection.folds import Folds
from octogram_tui.projection.log_view import LogView, Scope
from octogram_tui.projection.rows import AttemptRow, InstanceRow
from octogram_tui.tui.model import Model

AGENTS, JOBS = 100, 6
CALLS = {"job_started": 37, "job_output": 15, "job_finished": 27}
"""Of functions of ours for one event that is the first of its instance, or not: a tenth or so over what there are."""
BYTES_A_ROW = 2_000
"""What a finished instance leaves that wrote one line: its row, its attempt, arguments and result, and its log."""


def told(jobs: int = JOBS) -> Iterator[ev.Event]:
    """A run in which all agents do the same jobs, with one line of output each."""
    names = [f"node_{number}" for number in range(AGENTS)]
    yield ev.RunStarted(
        run="r",
        scenario="s",
        plan=[{"stage": "s", "jobs": [{"job": f"job {n}"} for n in range(jobs)]}],
        agents=[{"agent": name} for name in names],
    )
    yield ev.StageStarted(stage="s", agents=names)
    for job in range(jobs):
        for name in names:
            about = InstanceId("s", f"job {job}", name)
            yield ev.JobStarted(instance=about, arguments={"argv": ["work", name]})
            yield ev.JobOutput(instance=about, agent=name, lines=[f"did {job} on {name}, and found nothing"])
            yield ev.JobFinished(instance=about, state="ok", duration_s=0.5, result={"exit_code": 0})


def as_it_comes(jobs: int = JOBS) -> list[bytes]:
    lines = []
    for seq, event in enumerate(told(jobs), 1):
        event.seq, event.at_s = seq, seq / 100
        lines.append(codec.encode(event).rstrip())
    return lines


def calls_of(work: Callable[[], object]) -> int:
    """Count the functions of ours that are called."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        found["calls"] += event == "call" and "octogram_tui" in frame.f_code.co_filename

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found["calls"]


def test_an_event_is_read_and_folded_in_few_calls() -> None:
    model = Model(clock=lambda: 0.0)
    lines = as_it_comes()
    events = [codec.from_dict(record) for record in codec.load_each(lines[:-300])]
    model.apply(events)
    last = codec.load_each(lines[-300:])
    for kind, most in CALLS.items():
        records = [record for record in last if record["type"] == kind]
        found = calls_of(lambda records=records: model.apply([codec.from_dict(record) for record in records]))  # type: ignore[misc]
        assert found / len(records) <= most, f"{kind}: {found / len(records)}"
        assert found / len(records) > most / 2, f"{kind}: lower the ceiling, it is {found / len(records)}"


def test_a_finished_instance_leaves_little() -> None:
    lines = as_it_comes(10)
    model = Model(clock=lambda: 0.0)
    half = len(lines) // 2
    model.apply([codec.from_dict(record) for record in codec.load_each(lines[:half])])
    rows = len(model.head.board.instances)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        model.apply([codec.from_dict(record) for record in codec.load_each(lines[half:])])
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    each = (after - before) / (len(model.head.board.instances) - rows)
    assert each <= BYTES_A_ROW, f"{each} bytes a row"


def test_the_log_of_a_stage_opens_without_a_look_at_its_lines() -> None:
    counts = []
    for jobs in (2, 10):
        model = Model(clock=lambda: 0.0)
        model.apply([codec.from_dict(record) for record in codec.load_each(as_it_comes(jobs))])
        counts.append(calls_of(lambda model=model: LogView(model.time.log, Scope(stage="s"))))  # type: ignore[misc]
        assert len(LogView(model.time.log, Scope(stage="s")).lines) == AGENTS * jobs
        assert len(LogView(model.time.log, Scope(stage="s", job="job 1")).lines) == AGENTS
    assert counts[1] - counts[0] <= 8 * 8, "some calls a job, and none a line"


def test_rows_are_copied_and_made_again_some_at_a_time_and_as_they_were() -> None:
    folds = Folds()
    for seq, event in enumerate(told(15), 1):
        event.seq, event.at_s = seq, seq / 100
        folds.apply(event)
    again = ev.JobStarted(instance=InstanceId("s", "job 3", "node_7"), attempt=2, why="rerun", seq=9_999, at_s=99.0)
    folds.apply(again)
    rows = list(folds.board.instances.values())
    assert len(rows) > 2 * freezing.PIECE_ROWS
    pieces = folds.thawing(folds.frozen())
    most = max(calls_of(lambda: next(pieces, None)) for _ in range(12))
    assert most <= 15 * freezing.PIECE_ROWS, "between two turns no more than two pieces"
    copy = folds.thawed(folds.frozen())
    assert list(copy.board.instances) == list(folds.board.instances)
    for old, new in zip(rows, copy.board.instances.values(), strict=True):
        same = [name for name in InstanceRow.__slots__ if name not in ("parent", "last", "earlier")]
        assert [getattr(new, name) for name in same] == [getattr(old, name) for name in same]
        assert new.parent is copy.board.jobs[old.parent.key]
        for one, other in zip((old.last, *old.earlier), (new.last, *new.earlier), strict=True):
            assert one is not None
            assert other is not None
            assert [getattr(other, name) for name in AttemptRow.__slots__] == [
                getattr(one, name) for name in AttemptRow.__slots__
            ]
    for key, job in folds.board.jobs.items():
        mine = copy.board.jobs[key]
        assert [row.key for row in mine.children] == [row.key for row in job.children]
        assert {s: list(there) for s, there in mine.members.items()} == {s: list(t) for s, t in job.members.items()}
    for name, agent in folds.board.agents.items():
        assert [row.key for row in copy.board.agents[name].instances] == [row.key for row in agent.instances]
        assert copy.board.agents[name].current is copy.board.instances[agent.current.key]  # type: ignore[union-attr]
    assert len(copy.board._detailed) == len(folds.board._detailed)


def test_a_copy_is_given_up_where_the_run_goes_on_meanwhile() -> None:
    folds = Folds()
    for event in told(12):
        folds.apply(event)
    pieces = freezing.freezing(folds)
    next(pieces)
    folds.apply(ev.StageFinished(stage="s", state="ok", seq=1))
    try:
        list(pieces)
    except freezing.MovedOn:
        return
    raise AssertionError("half of it would be of another moment")


def test_what_reads_records_of_one_kind_is_written_out_and_reads_the_same() -> None:
    for line in as_it_comes(1)[:5]:
        record = codec.load(line)
        seen = [codec.from_dict(record) for _ in range(line_reader.OFTEN + 2)]
        assert all(event == seen[0] for event in seen)
        assert type(seen[-1]) is type(seen[0])
        for name in ("attempt", "duration_s"):
            if name in record:
                for wrong in ("1", None, float("nan"), 1 << 70, True):
                    try:
                        codec.from_dict({**record, name: wrong})
                    except ValueError:
                        continue
                    raise AssertionError(f"{name} was taken for {wrong}")
