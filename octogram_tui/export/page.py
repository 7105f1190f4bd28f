"""A run as one page: it opens offline, fetches nothing, runs nothing that jobs wrote, and needs no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from octogram_tui import __version__
from octogram_tui.export import environment
from octogram_tui.export.account import Account
from octogram_tui.export.bounds import CLUSTERS, MIB, SOURCE_CHARACTERS, VARIABLES, Bounds
from octogram_tui.export.choice import chosen
from octogram_tui.export.cluster_view import cluster_view
from octogram_tui.export.entries import Entries, written_of
from octogram_tui.export.markup import shown
from octogram_tui.export.matrix import matrix_of
from octogram_tui.export.picture import picture_of
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.standing import verdict_of
from octogram_tui.export.variable_view import variable_views
from octogram_tui.model.scenario import lines_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.value_text import plural, stamp
from octogram_tui.report.phrases import duration
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS

FILES = Path(__file__).parent / "page"
MARK = '<meta name="generator" content="octogram-tui export">'
"""By this a page is known to be ours."""
PIECE_CHARACTERS = 64 * 1024


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


@cache
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
    clusters = [cluster_view(account, cluster, numbers) for cluster in summary.clusters.all[:CLUSTERS]]
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
        "is_by_end": _is_by_end(list(board.agents)),
        "picture": picture_of(account),
        "slowest": [(slow, numbers.get(board.instances[slow.instance], 0)) for slow in summary.slowest
                    if slow.instance in board.instances],
        "entries": entries,
        "row_count": len(board.instances),
        "states": [state for state in State if any(row.state is state for row in numbers)],
        "processes": [
            (who, what, written_of(account.outputs.of((who, what)))) for who, what in account.outputs.processes
        ],
        "variables": variable_views(account),
        "variables_left_out": max(0, len(account.variables.by_name) - VARIABLES),
        "deeds": account.deeds,
        "breakpoints": [each for each in account.breakpoints.listed if each.by != "run"],
        "facts": environment.facts_of(account, run),
        "loads": _loads(account),
        "source": source,
        "why_no_source": why_no_source,
        "files": environment.source_files(account, run),
        "journal": environment.hidden(run, str(run.journal.absolute())),
        "bounds": bounds,
        "log_mib": f"{bounds.log_bytes / MIB:g}",
    }  # fmt: skip


def _is_by_end(names: Sequence[str]) -> bool:
    """Whether names are told apart by their ends: where there is no room for all of one, its beginning is left out."""
    return _alike(names) > _alike([name[::-1] for name in names])


def _alike(names: Sequence[str]) -> int:
    """Say how long a beginning all of them have in common."""
    both = zip(min(names, default=""), max(names, default=""), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))


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
    lines = lines_of(text.removeprefix("\ufeff"))
    return lines if lines[-1] else lines[:-1], ""
