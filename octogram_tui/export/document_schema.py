"""The JSON Schema of the document of `export --json`, as `octogram-tui schema run-export` prints it.

It is that of the run's own document, and what an export adds.
"""

from __future__ import annotations

from typing import Any

from octogram_tui.export.document import FORMAT
from octogram_tui.projection.row_states import State
from octogram_tui.report import document_schema
from octogram_tui.report.document_schema import COUNT, LINE, SECONDS, TEXT, TEXT_OR_NULL, TEXTS, object_of, said

_STATE = {"enum": [state.name.lower() for state in State]}
_SECONDS_OR_NULL = {"type": ["number", "null"], "minimum": 0}


def json_schema() -> dict[str, Any]:
    """Give the schema."""
    report = document_schema.json_schema()
    more = _members()
    return {
        **report,
        "title": "A run of octogram-tui, exported",
        "required": [*report["required"], *more],
        "properties": {**report["properties"], **more},
    }


def _members() -> dict[str, Any]:
    return {
        "format": {"const": FORMAT},
        "exporter": said("the program that wrote it"),
        "origins": {**TEXTS, "description": "where a variable's value came from, where not from the scenario"},
        "journal": said("the file that it was made from"),
        "environment": {**TEXTS, "description": "where and of what the run was made, in words"},
        "clusters": _list(_cluster(), "failures that are alike, told as the first of them is in `failures`"),
        "plan": _list(_stage(), "every stage, in the order of the scenario"),
        "variable_history": _list(_variable(), "the values at the end, and who set which when"),
        "breakpoints": _list(
            object_of({"number": COUNT, "words": TEXT, "by": TEXT, "met": COUNT, "standing": TEXT}),
            "those that were set",
        ),
        "deeds": _list(
            object_of(
                {"at_s": SECONDS, "who": TEXT, "text": TEXT, "level": {"enum": ["information", "warning", "error"]}}
            ),
            "what was done to the run",
        ),
        "deeds_left_out": {**COUNT, "description": "in the midst of `deeds`"},
        "instances": _list(_instance(), "every one, in the order of the plan"),
    }


def _list(entry: dict[str, Any], what: str) -> dict[str, Any]:
    return {"type": "array", "items": entry, "description": what}


def _cluster() -> dict[str, Any]:
    first = document_schema.failure()
    struck = _list(TEXT, "keys of all; names of agents where `key` is null")
    status = said("how its program ended, where it is no part of the cause")
    more = {"status": status, "struck": struck}
    return {
        **first,
        "required": [*first["required"], "alike", "tail", *more],
        "properties": {**first["properties"], **more},
    }


def _stage() -> dict[str, Any]:
    counts = {"type": "object", "additionalProperties": COUNT, "description": "state -> how many instances"}
    job = object_of({"job": TEXT, "procedure": TEXT, "line": LINE, "state": _STATE, "rows": counts})
    times = {"started_s": _SECONDS_OR_NULL, "ended_s": _SECONDS_OR_NULL, "duration_s": _SECONDS_OR_NULL}
    said_of = {"stage": TEXT, "state": _STATE, "reason": TEXT, "always": {"type": "boolean"}, "line": LINE}
    return object_of({**said_of, **times, "jobs": _list(job, "in the order of the scenario")})


def _variable() -> dict[str, Any]:
    known = {"at_s": SECONDS, "by": TEXT, "seq": COUNT}
    more = {"value": {}, "removed": {"const": True}}
    changes = _list(object_of(known, more), "the last of them")
    is_cut = {"type": "boolean", "description": "there were more changes"}
    return object_of({"name": TEXT, **known, "changes": changes, "is_cut": is_cut}, more)


def _instance() -> dict[str, Any]:
    texts = {"key": TEXT, "stage": TEXT, "job": TEXT, "agent": TEXT, "item": TEXT_OR_NULL}
    return object_of({**texts, "state": _STATE, "message": TEXT, "attempts": _list(_attempt(), "the first first")})


def _attempt() -> dict[str, Any]:
    return object_of(
        {
            "attempt": COUNT,
            "why": said("first, retry or rerun"),
            "state": _STATE,
            "started_s": SECONDS,
            "ended_s": _SECONDS_OR_NULL,
            "duration_s": _SECONDS_OR_NULL,
            "reason": TEXT,
            "procedure": TEXT,
            "arguments": {"type": ["object", "null"]},
            "edited": _list(TEXT, "arguments that were given by hand"),
            "result": {},
            "error": {
                "anyOf": [{"type": "null"}, object_of({"kind": TEXT, "message": TEXT}, {"hint": TEXT, "detail": {}})],
                "description": "as in the events",
            },
            "lines": {**COUNT, "description": "of output, which the events have"},
        }
    )
