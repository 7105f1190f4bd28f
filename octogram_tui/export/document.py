"""A run as one document for programs: what its `--json` told, by the same code, and what only the whole of it tells.

Written bit by bit, so that a large one needs no more memory. Its schema: document_schema.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from octogram_tui import __version__
from octogram_tui.export import environment
from octogram_tui.export.account import Account, attempts_of
from octogram_tui.export.choice import in_order
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.standing import verdict_of
from octogram_tui.model.failure import Failure
from octogram_tui.projection.clusters import Cluster
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, Group, InstanceRow
from octogram_tui.projection.summary import FailureNote
from octogram_tui.projection.variables import Change, Variable
from octogram_tui.report.document import Document
from octogram_tui.scenario.report import json_text

FORMAT = "octogram-tui export"

as_json = partial(json_text, compact=True)


def document(account: Account, run: Recorded, report: Document) -> Iterator[str]:
    """Write the document in pieces, an entry of each list a line. report: has heard of the same events."""
    state = verdict_of(account, run).state
    now_s = account.end_s if state == "running" else 0.0
    told = report.document(state, damage=run.damage, now_s=now_s)
    yield f'{{"format":"{FORMAT}"'
    for name, value in {**told, **_more(account, run)}.items():
        if isinstance(value, list):
            yield from _list(name, value)
        else:
            yield f',\n"{name}":{as_json(value)}'
    yield from _list("clusters", (_cluster(report, each) for each in account.summary.clusters.all))
    yield from _list("plan", (_stage(account, each) for each in account.board.stages))
    yield from _list("variable_history", (_variable(each) for each in account.variables.by_name.values()))
    yield from _list("breakpoints", _breakpoints(account))
    yield from _list("deeds", (each._asdict() for each in account.deeds.all))
    yield from _list("instances", (_instance(account, row) for row in in_order(account)))
    yield "\n}\n"


def _list(name: str, entries: Iterable[Any]) -> Iterator[str]:
    yield f',\n"{name}":['
    begin = "\n"
    for entry in entries:
        yield begin + as_json(entry)
        begin = ",\n"
    yield "]"


def _more(account: Account, run: Recorded) -> dict[str, Any]:
    return {
        "exporter": f"octogram-tui {__version__}",
        "origins": account.begun.origins if account.begun is not None else {},
        "journal": environment.hidden(run, str(run.journal.absolute())),
        "environment": {fact.name: fact.value for fact in environment.facts_of(account, run)},
        "deeds_left_out": account.deeds.left_out,
    }


def _cluster(report: Document, cluster: Cluster[FailureNote]) -> dict[str, Any]:
    """Tell of failures that are alike as of the first of them, and name all."""
    first = cluster.first
    struck = [each.agent if each.instance is None else str(each.instance) for each in cluster.struck]
    return {**report.failure(first.struck, len(cluster)), "status": first.cause.status, "struck": struck}


def _stage(account: Account, stage: Group) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "state": _state(stage.state),
        "reason": stage.note,
        "always": stage.always,
        "line": stage.line or None,
        "started_s": stage.started_s,
        "ended_s": stage.ended_s if stage.final is not None else None,
        "duration_s": stage.duration_s(account.end_s),
        "jobs": [
            {
                "job": job.name,
                "procedure": job.procedure,
                "line": job.line or None,
                "state": _state(job.state),
                "rows": {_state(state): job.tally[state] for state in State if job.tally[state]},
            }
            for job in stage.children
            if isinstance(job, Group)
        ],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        **_change(variable.now),
        "changes": [_change(change) for change in variable.changes],
        "is_cut": variable.is_cut,
    }


def _change(change: Change) -> dict[str, Any]:
    told = {"at_s": change.at_s, "by": change.by, "seq": change.seq}
    return {**told, "removed": True} if change.removed else {**told, "value": change.value}


def _breakpoints(account: Account) -> Iterator[dict[str, Any]]:
    for each in account.breakpoints.listed:
        yield {"number": each.number, "words": each.words, "by": each.by, "met": each.count, "standing": each.standing}


def _instance(account: Account, row: InstanceRow) -> dict[str, Any]:
    return {
        "key": str(row.key),
        "stage": row.key.stage,
        "job": row.key.job,
        "agent": row.key.agent,
        "item": row.key.item,
        "state": _state(row.state),
        "message": row.message,
        "attempts": [_attempt(account, row, attempt) for attempt in attempts_of(row)],
    }


def _attempt(account: Account, row: InstanceRow, attempt: AttemptRow) -> dict[str, Any]:
    given = account.given(row.key, attempt.number)
    failure: Failure | None = attempt.failure
    output = account.outputs.of((row.key, attempt.number))
    told: dict[str, Any] = {
        "attempt": attempt.number,
        "why": attempt.why,
        "state": _state(attempt.state),
        "started_s": attempt.started_s,
        "ended_s": account.ended.get((row.key, attempt.number)),
        "duration_s": attempt.duration_s if attempt.ended_seq else None,
        "reason": attempt.reason,
        "procedure": given.procedure,
        "arguments": given.arguments,
        "edited": list(attempt.reading.edited),
        "result": given.result,
        "error": failure.as_json() if failure is not None else None,
        "lines": len(output.head) + output.left_out + len(output.tail),
    }
    return told


def _state(state: State) -> str:
    return state.name.lower()
