"""A run as one document for programs: versioned, and written bit by bit, so that a large one needs no more memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from octogram_tui import __version__
from octogram_tui.export import environment
from octogram_tui.export.account import Account, attempts_of, plain_json
from octogram_tui.export.choice import in_order
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.standing import verdict_of
from octogram_tui.model.failure import Failure
from octogram_tui.projection.clusters import Cluster
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, Group, InstanceRow
from octogram_tui.projection.summary import FailureNote
from octogram_tui.projection.variables import Change, Variable

FORMAT = "octogram-tui run"
VERSION = 1
"""Goes up when a program that reads the document would misread a new one; members may be added without that."""

_LONE = re.compile("[\ud800-\udfff]")


def as_json(value: Any) -> str:
    """Write a value so that every reader of JSON takes it."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    except ValueError:
        text = json.dumps(plain_json(value), ensure_ascii=False, separators=(",", ":"), default=str)
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def document(account: Account, run: Recorded) -> Iterator[str]:
    """Write the document in pieces, an entry of each list a line."""
    yield f'{{"format":"{FORMAT}","version":{VERSION},"program":{as_json(f"octogram-tui {__version__}")}'
    yield f',\n"run":{as_json(_run(account, run))}'
    yield f',\n"outcome":{as_json(_outcome(account, run))}'
    yield from _list("causes", (_cause(account, each) for each in account.summary.clusters.all))
    yield from _list("stages", (_stage(account, each) for each in account.board.stages))
    yield from _list("agents", _agents(account))
    yield from _list("variables", (_variable(each) for each in account.variables.by_name.values()))
    yield from _list("breakpoints", _breakpoints(account))
    yield from _list("deeds", (each._asdict() for each in account.deeds.all))
    yield f',\n"deeds_left_out":{account.deeds.left_out}'
    yield from _list("instances", (_instance(account, row) for row in in_order(account)))
    yield "\n}\n"


def _list(name: str, entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield f',\n"{name}":['
    begin = "\n"
    for entry in entries:
        yield begin + as_json(entry)
        begin = ",\n"
    yield "]"


def _run(account: Account, run: Recorded) -> dict[str, Any]:
    begun, board = account.begun, account.board
    return {
        "run": board.run,
        "scenario": board.scenario,
        "digest": begun.digest if begun is not None else "",
        "started_wall": board.started_wall,
        "host": board.host,
        "version": begun.version if begun is not None else "",
        "options": begun.options if begun is not None else {},
        "origins": begun.origins if begun is not None else {},
        "journal": str(run.journal.absolute()),
        "environment": {fact.name: fact.value for fact in environment.facts_of(account, run)},
    }


def _outcome(account: Account, run: Recorded) -> dict[str, Any]:
    summary, finished = account.summary, account.finished
    verdict = verdict_of(account, run)
    failed = [each for each in summary.clusters.all if not each.first.struck.is_tolerated]
    return {
        "state": verdict.state,
        "is_ok": account.board.exit_code == 0,
        "exit_code": account.board.exit_code,
        "exit_causes": list(finished.causes) if finished is not None else [],
        "text": verdict.text,
        "reason": summary.reason,
        "damage": run.damage,
        "duration_s": summary.duration_s if finished is not None else account.end_s,
        "paused_s": summary.paused_s,
        "counts": {state.name.lower(): account.board.tally[state] for state in State if account.board.tally[state]},
        "attempts": summary.attempts,
        "retries": summary.retries,
        "unclean": summary.unclean,
        "first_failure": failed[0].first.struck.where if failed else None,
    }


def _cause(account: Account, cluster: Cluster[FailureNote]) -> dict[str, Any]:
    note = cluster.first.struck
    job = account.board.jobs.get(note.instance[:2]) if note.instance is not None else None
    return {
        "text": cluster.first.cause.text,
        "status": cluster.first.cause.status,
        "stage": note.instance.stage if note.instance is not None else None,
        "job": note.instance.job if note.instance is not None else None,
        "line": job.line if job is not None else 0,
        "is_tolerated": note.is_tolerated,
        "first": note.where,
        "at_s": note.at_s,
        "error": note.failure.as_json(),
        "count": len(cluster),
        "struck": [each.where for each in cluster.struck],
    }


def _stage(account: Account, stage: Group) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "state": _state(stage.state),
        "reason": stage.note,
        "always": stage.always,
        "line": stage.line,
        "started_s": stage.started_s,
        "ended_s": stage.ended_s if stage.final is not None else None,
        "duration_s": stage.duration_s(account.end_s),
        "jobs": [
            {
                "job": job.name,
                "procedure": job.procedure,
                "line": job.line,
                "state": _state(job.state),
                "counts": {_state(state): job.tally[state] for state in State if job.tally[state]},
            }
            for job in stage.children
            if isinstance(job, Group)
        ],
    }


def _agents(account: Account) -> Iterator[dict[str, Any]]:
    for agent in account.board.agents.values():
        names = ("message", "hint", "address", "transport", "host", "home", "python")
        yield {
            "agent": agent.name,
            "state": agent.state.name.lower(),
            **{name: getattr(agent, name) for name in names},
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
        "item": row.item,
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
