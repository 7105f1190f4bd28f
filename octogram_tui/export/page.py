"""A run as one page: it opens offline, fetches nothing, runs nothing that jobs wrote, and needs no script to be read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from octogram_tui import __version__
from octogram_tui.export import environment
from octogram_tui.export.account import Account
from octogram_tui.export.bounds import CLUSTER_NAMES, CLUSTERS, MIB, SOURCE_CHARACTERS, VARIABLES, Bounds
from octogram_tui.export.choice import chosen
from octogram_tui.export.entries import NOT_WRITTEN, Entries, Written, written_of
from octogram_tui.export.markup import shown, value_text
from octogram_tui.export.matrix import matrix_of
from octogram_tui.export.outputs import Line, Output
from octogram_tui.export.picture import picture_of
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.standing import verdict_of
from octogram_tui.model.failure import Failure
from octogram_tui.projection.clusters import Cluster
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.run_record import natural
from octogram_tui.projection.summary import FailureNote
from octogram_tui.projection.value_text import plural, stamp, value
from octogram_tui.projection.variables import Change, Variable
from octogram_tui.report.phrases import duration
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS

FILES = Path(__file__).parent / "page"
MARK = '<meta name="generator" content="octogram-tui export">'
"""By this a page is known to be ours."""
PIECE_CHARACTERS = 64 * 1024
TAIL_LINES = 20


class ClusterView(NamedTuple):
    """Failures of one cause. struck: names, and the numbers of their rows on the page, 0 for none."""

    title: str
    text: str
    status: str
    kind: str
    hint: str
    size: int
    struck: list[tuple[str, int]]
    more: int
    line: int
    at: str
    written: Written
    row: int
    is_tolerated: bool


def pages(account: Account, run: Recorded, bounds: Bounds, *, with_source: bool = True) -> Iterator[str]:
    """Write the page in pieces. with_source: the scenario's text is part of it."""
    template = _environment().get_template("page.html")
    waiting: list[str] = []
    size = 0
    for piece in template.generate(_context(account, run, bounds, with_source)):
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE_CHARACTERS:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FILES),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(duration=duration, stamp=stamp, plural=plural, look=LOOKS.get, agent_look=AGENT_LOOKS.get)
    made.filters["style"] = lambda state: state.name.lower()
    return made


def _context(account: Account, run: Recorded, bounds: Bounds, with_source: bool) -> dict[str, Any]:
    board, summary = account.board, account.summary
    numbers = chosen(account, bounds.rows)
    entries = Entries(account, numbers, bounds.log_bytes)
    clusters = [_cluster(account, cluster, numbers) for cluster in summary.clusters.all[:CLUSTERS]]
    source, why_no_source = _source(account, run, with_source)
    style, script = (_file(name) for name in ("page.css", "page.js"))
    tally = [(state, board.tally[state]) for state in State if board.tally[state]]
    finished = account.finished
    return {
        "mark": Markup(MARK),
        "policy": _policy(style, script),
        "css": style,
        "js": script,
        "version": __version__,
        "exported": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "name": Path(board.scenario).stem or "run",
        "board": board,
        "summary": summary,
        "verdict": verdict_of(account, run),
        "damage": run.damage,
        "damage_hint": run.hint,
        "took": duration(finished.duration_s if finished else account.end_s),
        "held": duration(finished.paused_s) if finished and finished.paused_s >= 0.05 else "",
        "tally": tally,
        "tally_sum": sum(count for _, count in tally),
        "failed": [each for each in clusters if not each.is_tolerated],
        "tolerated": [each for each in clusters if each.is_tolerated],
        "clusters_left_out": max(0, len(summary.clusters.all) - CLUSTERS),
        "unclean": summary.unclean,
        "numbers": numbers,
        "matrix": matrix_of(account),
        "picture": picture_of(account),
        "slowest": [(slow, numbers.get(board.instances[slow.instance], 0)) for slow in summary.slowest
                    if slow.instance in board.instances],
        "entries": entries,
        "row_count": len(board.instances),
        "states": [state for state in State if any(row.state is state for row in numbers)],
        "processes": [
            (who, what, written_of(account.outputs.of((who, what)))) for who, what in account.outputs.processes
        ],
        "variables": _variables(account),
        "variables_left_out": max(0, len(account.variables.by_name) - VARIABLES),
        "deeds": account.deeds,
        "breakpoints": [each for each in account.breakpoints.listed if each.by != "run"],
        "facts": environment.facts_of(account, run),
        "loads": _loads(account),
        "source": source,
        "why_no_source": why_no_source,
        "files": environment.source_files(account, run),
        "journal": str(run.journal.absolute()),
        "bounds": bounds,
        "log_mib": f"{bounds.log_bytes / MIB:g}",
    }  # fmt: skip


def _file(name: str) -> Markup:
    """Read one of ours: the only texts of the page that are not escaped."""
    return Markup((FILES / name).read_text("utf-8"))


def _policy(style: str, script: str) -> str:
    """Forbid everything but our own style and our own script, by what they contain."""
    one, other = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{one}'; script-src 'sha256-{other}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _cluster(account: Account, cluster: Cluster[FailureNote], numbers: dict[InstanceRow, int]) -> ClusterView:
    member = cluster.first
    note = member.struck
    struck = [(each.short, _number(account, each, numbers)) for each in cluster.struck[:CLUSTER_NAMES]]
    job = account.board.jobs.get(note.instance[:2]) if note.instance is not None else None
    return ClusterView(
        note.where,
        member.cause.text,
        member.cause.status,
        note.failure.kind,
        note.failure.hint,
        len(cluster),
        struck,
        max(0, len(cluster) - CLUSTER_NAMES),
        job.line if job is not None else 0,
        stamp(note.at_s),
        _last_lines(account, note),
        struck[0][1],
        note.is_tolerated,
    )


def _number(account: Account, note: FailureNote, numbers: dict[InstanceRow, int]) -> int:
    row = account.board.instances.get(note.instance) if note.instance is not None else None
    return numbers.get(row, 0) if row is not None else 0


def _last_lines(account: Account, note: FailureNote) -> Written:
    """Give the end of what the first one wrote, which is what one looks for."""
    if note.instance is None:
        return NOT_WRITTEN
    output = account.outputs.of((note.instance, note.attempt))
    every = [*output.head, *output.tail]
    if not every:
        return _told_lines(note.failure)
    left_out = len(every) + output.left_out - len(every[-TAIL_LINES:])
    return written_of(output._replace(head=[], left_out=left_out, tail=every[-TAIL_LINES:]))


def _told_lines(failure: Failure) -> Written:
    """Give the lines that a failure carries itself."""
    last, traceback = failure.detail.get("last_lines"), failure.detail.get("traceback")
    lines: list[Any] = traceback.splitlines() if isinstance(traceback, str) else last if isinstance(last, list) else []
    told = [Line(0.0, "stderr", str(line)) for line in lines[-TAIL_LINES:]]
    return written_of(Output([], 0, told))


class VariableView(NamedTuple):
    """A variable over time."""

    name: str
    now: str
    first: str
    is_removed: bool
    by: str
    size: int
    changes: list[tuple[str, str, str, int]]
    is_cut: bool
    is_long: bool
    whole: str


def _variables(account: Account) -> list[VariableView]:
    """List them: those first that were changed."""
    every = sorted(account.variables.by_name.values(), key=lambda each: (each.count == 0, natural(each.name)))
    return [_variable(each) for each in every[:VARIABLES]]


def _variable(variable: Variable) -> VariableView:
    now = variable.now
    whole = value_text(now.value)
    short = _short(now)
    changes = [(stamp(change.at_s), change.by or "scenario", _short(change), change.seq) for change in variable.changes]
    return VariableView(
        variable.name,
        short,
        _short(variable.changes[0]),
        now.removed,
        now.by or "scenario",
        variable.count,
        changes,
        variable.is_cut,
        len(short) > 60 or "\n" in whole,
        whole,
    )


def _short(change: Change) -> str:
    return "(removed)" if change.removed else value(change.value)


def _loads(account: Account) -> dict[str, str]:
    """Say for each agent how busy its machine was at most."""
    most: dict[str, tuple[float, float]] = {}
    for event in account.loads:
        cpu, memory = most.get(event.agent, (-1.0, -1.0))
        most[event.agent] = max(cpu, event.cpu), max(memory, event.memory)
    return {
        agent: " ".join(
            [*([f"load {cpu:.2f}"] if cpu >= 0 else []), *([f"memory {memory:.0%}"] if memory >= 0 else [])]
        )
        for agent, (cpu, memory) in most.items()
    }


def _source(account: Account, run: Recorded, with_source: bool) -> tuple[list[str], str]:
    """Give the scenario's lines, or why they are not there."""
    if not with_source:
        return [], "it was left out (--no-scenario)"
    text = environment.first_text(account, run)
    if text is None:
        return [], "there is no copy of it beside the journal"
    if environment.may_hold_secrets(account):
        return [], "it was left out: the value of a secret stands in it"
    if len(text) > SOURCE_CHARACTERS:
        return [], f"it was left out: it has {len(text)} characters"
    return text.removeprefix("\ufeff").splitlines(), ""
