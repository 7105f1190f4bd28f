"""What there is to know about a stage, a job, or a job on one agent: its causes of failure first, then its counts."""

from __future__ import annotations

from octogram_tui.projection.clusters import Cluster, short_names
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind
from octogram_tui.tui.format import LOOKS, duration, plural, stamp
from octogram_tui.tui.look.instance import LEAST_HELD_S
from octogram_tui.tui.look.pieces import Sight, Text, fact, head, section
from octogram_tui.tui.model import title_of

LISTED_CAUSES = 12
NAMED_AGENTS = 6


def look_at_group(row: Group, sight: Sight) -> list[Text]:
    """Tell of a stage or a job."""
    brush = sight.brush
    lines = head(title_of(row), LOOKS[row.state], brush, duration(row.duration_s(sight.now_s)))
    if row.message:
        lines.append([(brush.text(row.message), "dim")])
    lines += _causes(row, sight)
    counts = [(state, row.tally[state]) for state in State if row.tally[state]]
    left = row.total - row.known
    if left:
        counts.insert(0, (State.PENDING, left))
    if counts:
        lines += section("instances")
        lines += [
            [(f"  {brush.sign(LOOKS[state])} ", LOOKS[state].style), (f"{count:>6} ", ""), (LOOKS[state].word, "dim")]
            for state, count in counts
        ]
    return [*lines, *section("what"), *_facts(row, sight)]


def _causes(row: Group, sight: Sight) -> list[Text]:
    """Say each cause once, with how often it came and whom it struck."""
    brush, clusters = sight.brush, sight.model.board.clusters
    jobs = [child for child in row.children if isinstance(child, Group)] if row.kind is Kind.STAGE else [_job(row)]
    found = [cluster for job in jobs for cluster in clusters.at(job.key) if _struck(cluster, row)]
    lines: list[Text] = []
    for cluster in found[:LISTED_CAUSES]:
        struck = _struck(cluster, row)
        count = f"{len(struck)} times: " if len(struck) > 1 else ""
        agents = list(dict.fromkeys(each.agent for each in struck))
        job = f"{struck[0].job.name} @ " if row.kind is Kind.STAGE else "on "
        lines += [
            [("", "")],
            [(count, "strong"), (brush.text(cluster.first.cause, limit=4096), "failed")],
            [(brush.text(f"  {job}{short_names(agents, NAMED_AGENTS)}"), "dim")],
        ]
    if len(found) > LISTED_CAUSES:
        lines.append([(f"and {plural(len(found) - LISTED_CAUSES, 'cause')} more", "dim")])
    return lines


def _struck(cluster: Cluster[InstanceRow], row: Group) -> list[InstanceRow]:
    """Give those of a cluster that belong to a row; all of it, but for a job on one agent."""
    if row.kind is not Kind.AGENT:
        return cluster.struck
    return [each for each in cluster.struck if each.parent is row]


def _job(row: Group) -> Group:
    return row.above if row.kind is Kind.AGENT else row


def _facts(row: Group, sight: Sight) -> list[Text]:
    brush = sight.brush
    lines: list[Text] = []
    if row.kind is not Kind.STAGE:
        lines.append(fact("stage", brush.text(row.stage.name)))
        lines.append(fact("procedure", brush.text(_job(row).procedure)))
    else:
        lines.append(fact("jobs", str(len(row.children))))
        chosen = plural(len(row.agents), "agent") if row.started_s is not None else "not chosen yet"
        lines.append(fact("agents", chosen))
        if row.always:
            lines.append(fact("always", "runs even after a failure"))
    if row.line:
        lines.append(fact("line", str(row.line)))
    if row.started_s is not None:
        lines.append(fact("started", stamp(row.started_s)))
        is_over = row.ended_s is not None and row.done >= row.total and not row.tally[State.RUNNING]
        end_s = row.ended_s if is_over and row.ended_s is not None else sight.now_s
        whole_s = end_s - row.started_s
        held_s = whole_s - row.standstill.worked(row.started_s, end_s)
        if held_s >= LEAST_HELD_S:
            lines.append(fact("in all", f"{duration(whole_s)}, {duration(held_s)} of them held"))
    return lines
