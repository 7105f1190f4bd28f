"""Two runs compared, in plain lines for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.variables import ABSENT, Absent
from octogram_tui.projection.clusters import short_names
from octogram_tui.projection.compare_runs import Difference, Lasted, RowDifference, RunComparison
from octogram_tui.projection.run_record import RunRecord
from octogram_tui.projection.side_by_side import align
from octogram_tui.projection.text import safe
from octogram_tui.projection.value_text import block, duration, plural

LISTED_GROUPS = 20
LISTED_TIMES = 8
NAMED_AGENTS = 6
LEAST_S = 0.05
"""Less than this is no difference of durations that people are told."""


def comparison_lines(found: RunComparison, states: Sequence[str]) -> Iterator[str]:
    """Write it. states: how each run stands, where its journal does not say how it ended."""
    yield f"< {_run(found.left, states[0])}"
    yield f"> {_run(found.right, states[1])}"
    if found.left.digest != found.right.digest:
        yield "the scenario's text, or what the command line adds to it, is not the same"
    if found.beginning:
        yield ""
        yield "they began with other variables"
        for difference in found.beginning:
            yield from _difference(difference, found)
    yield ""
    yield from _rows(found)
    yield from _times(found)


def _run(record: RunRecord, state: str) -> str:
    ended = f"exit {record.exit_code}" if record.exit_code is not None else state
    worked = duration(max(0.0, record.duration_s - record.paused_s))
    return f"{safe(record.run)}  {safe(record.scenario)}  {ended}  {worked}  {plural(len(record.rows), 'row')}"


def _rows(found: RunComparison) -> Iterator[str]:
    first = found.first
    if first is None:
        yield "what they did and gave is the same, row by row"
        return
    yield f"they first differ in {safe(first.key)}"
    if first.only:
        yield f"  it is only in {_sign(first)}"
    for difference in first.differences:
        yield from _difference(difference, found)
    rest = found.rows[1:]
    if not rest:
        return
    yield ""
    yield f"so do {plural(len(rest), 'more row')}"
    groups = _grouped(rest)
    for (stage, job, what), keys in groups[:LISTED_GROUPS]:
        agents = list(dict.fromkeys(key.agent for key in keys))
        count = f"{len(keys)} of " if len(keys) > len(agents) else ""
        yield f"  {safe(stage)}/{safe(job)} @ {count}{safe(short_names(agents, NAMED_AGENTS))}: {safe(what)}"
    if len(groups) > LISTED_GROUPS:
        yield f"  and {len(groups) - LISTED_GROUPS} more jobs; --json has all of them"


def _grouped(rows: Sequence[RowDifference]) -> list[tuple[tuple[str, str, str], list[InstanceId]]]:
    """Put rows of one job that differ by the same things into one line."""
    groups: dict[tuple[str, str, str], list[InstanceId]] = {}
    for row in rows:
        what = f"only in {_sign(row)}" if row.only else ", ".join(difference.what for difference in row.differences)
        groups.setdefault((row.key.stage, row.key.job, what), []).append(row.key)
    return list(groups.items())


def _sign(row: RowDifference) -> str:
    return "<" if row.only == "left" else ">"


def _difference(difference: Difference, found: RunComparison) -> Iterator[str]:
    left, right = (
        ["nothing"] if side is ABSENT else [record.plain(line) for line in block(side)]
        for side, record in ((difference.left, found.left), (difference.right, found.right))
    )
    if len(left) == len(right) == 1:
        yield f"  {safe(difference.what)}: < {left[0]}  > {right[0]}"
        return
    yield f"  {safe(difference.what)}:"
    for pair in align(left, right):
        if pair.skipped:
            yield f"      ({plural(pair.skipped, 'line')} more)"
        elif pair.is_same:
            yield f"      {_whole(pair.left)}"
        else:
            if pair.left is not None:
                yield f"    < {_whole(pair.left)}"
            if pair.right is not None:
                yield f"    > {_whole(pair.right)}"


def _whole(spans: Sequence[tuple[str, bool]] | None) -> str:
    return "".join(text for text, _ in spans or ())


def _times(found: RunComparison) -> Iterator[str]:
    slower = [each for each in found.durations if each.by_s >= LEAST_S][:LISTED_TIMES]
    faster = [each for each in reversed(found.durations) if each.by_s <= -LEAST_S][:LISTED_TIMES]
    for title, lasted in (("stages", found.stages), ("slower in >", slower), ("faster in >", faster)):
        if lasted:
            yield ""
            yield title
            width = max(len(safe(each.name)) for each in lasted)
            yield from (f"  {_lasted(each, width)}" for each in lasted)


def _lasted(each: Lasted, width: int) -> str:
    sign = "-" if each.by_s < 0 else "+"
    times = f"  {each.right_s / each.left_s:.2f} times" if each.left_s >= LEAST_S else ""
    by = f"{sign}{duration(abs(each.by_s))}"
    return f"{safe(each.name):{width}}  < {duration(each.left_s):>7}  > {duration(each.right_s):>7}  {by:>8}{times}"


# For programs


def comparison_record(found: RunComparison, states: Sequence[str]) -> dict[str, Any]:
    """Give all of it as a JSON object."""
    return {
        "is_same": found.is_same,
        "left": _run_record(found.left, states[0]),
        "right": _run_record(found.right, states[1]),
        "beginning": [_record(each) for each in found.beginning],
        "first": None if found.first is None else _row_record(found.first),
        "rows": [_row_record(row) for row in found.rows],
        "stages": [each._asdict() for each in found.stages],
        "durations": [{"key": each.name, "left_s": each.left_s, "right_s": each.right_s} for each in found.durations],
    }


def _run_record(record: RunRecord, state: str) -> dict[str, Any]:
    return {
        "run": record.run,
        "scenario": record.scenario,
        "digest": record.digest,
        "state": state,
        "exit_code": record.exit_code,
        "duration_s": record.duration_s,
        "paused_s": record.paused_s,
        "rows": len(record.rows),
    }


def _row_record(row: RowDifference) -> dict[str, Any]:
    key = row.key
    return {
        "key": str(key),
        "stage": key.stage,
        "job": key.job,
        "agent": key.agent,
        "item": key.item,
        "only": row.only,
        "differences": [_record(each) for each in row.differences],
    }


def _record(difference: Difference) -> dict[str, Any]:
    """Give a difference; a side that has nothing is left out."""
    sides = {"left": difference.left, "right": difference.right}
    return {"what": difference.what, **{name: side for name, side in sides.items() if not isinstance(side, Absent)}}
