"""The JSON Schema of the document of `--json`, as `octogram-tui schema run-report` prints it.

Members that it does not name may be added: readers leave alone what they do not know.
"""

from __future__ import annotations

from typing import Any

from octogram_tui.report.document import VERSION

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "number", "minimum": 0}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}


def json_schema() -> dict[str, Any]:
    """Give the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The end of a run of octogram-tui",
        **_object(
            {
                "v": {"const": VERSION, "description": "of this schema; it changes when a member changes its meaning"},
                "run": _said("its name; empty where none could begin"),
                "scenario": _said("the file, as it was given"),
                "digest": _said("of the scenario's text, as the run began with it"),
                "commit": _said("what the git repository of that file had checked out; empty without one"),
                "version": _said("of octogram-tui, and so of its agents"),
                "host": _said("the machine that ran it"),
                "started_wall": _said("when it began, RFC 3339, UTC"),
                "outcome": {"enum": ["ok", "failed", "unfinished"]},
                "exit_code": {"type": ["integer", "null"], "description": "null where nobody knows"},
                "meaning": _said("of the exit code"),
                "causes": {
                    "type": "array",
                    "items": {"type": "integer"},
                    "description": "every exit code that applied",
                },
                "reason": _said("why it ended so, in words"),
                "duration_s": {**_SECONDS, "description": "from beginning to end, with what it stood still"},
                "paused_s": {**_SECONDS, "description": "how much of that it stood still, and waited for somebody"},
                "counts": {"type": "object", "additionalProperties": _COUNT, "description": "of instances, by state"},
                "attempts": _COUNT,
                "retries": _COUNT,
                "agents": {"type": "array", "items": _agent()},
                "stages": {
                    "type": "array",
                    "items": _object({"stage": _TEXT, "state": _TEXT, "duration_s": _SECONDS}),
                    "description": "those that ended, in the order in which they did",
                },
                "failures": {
                    "type": "array",
                    "items": _failure(),
                    "description": "what stands failed, in the order in which it did",
                },
                "failures_left_out": {**_COUNT, "description": "how many more there are"},
                "unclean": {
                    "type": "array",
                    "items": _TEXT,
                    "description": "agents that did not confirm that nothing is left",
                },
                "slowest": {
                    "type": "array",
                    "items": _object({"key": _TEXT, "attempt": _COUNT, "duration_s": _SECONDS}),
                },
                "warnings": {"type": "array", "items": _TEXT},
                "variables": {"type": "object", "description": "as the run began; masks stand for secrets"},
                "options": {"type": "object", "description": "what of its options is told by `run_started`"},
                "files": {**_TEXTS, "description": "what was written where"},
                "commands": {**_TEXTS, "description": "what can be typed next, by what for"},
                "problems": {
                    "type": "array",
                    "items": _object(
                        {"file": _TEXT, "line": _COUNT, "column": _COUNT, "message": _TEXT, "hint": _TEXT},
                    ),
                    "description": "of a scenario that cannot be run",
                },
            }
        ),
    }


def _agent() -> dict[str, Any]:
    state = {"enum": ["waiting", "starting", "ready", "failed", "lost", "stopped", "unclean"]}
    known = {"agent": _TEXT, "state": state, "message": _TEXT}
    more = {"address": _TEXT, "transport": _TEXT, "host": _TEXT, "code": _TEXT, "is_clean": {"type": "boolean"}}
    return _object(known, {**more, "python": _said("of the agent's machine")})


def _failure() -> dict[str, Any]:
    known = {
        "key": {**_TEXT_OR_NULL, "description": "stage/job@agent[item]; null where an agent failed"},
        "stage": _TEXT_OR_NULL,
        "job": _TEXT_OR_NULL,
        "agent": _TEXT,
        "item": _TEXT_OR_NULL,
        "attempt": _COUNT,
        "kind": _said("exit, timeout, agent_lost, template, until, assert, ...; of an agent its stable code"),
        "message": _TEXT,
        "cause": _said("the line that tells most of why"),
        "hint": _TEXT,
        "line": {"type": ["integer", "null"], "description": "of the scenario's file, where the job is written"},
        "at_s": {**_SECONDS, "description": "since the run's start"},
        "is_tolerated": {"type": "boolean", "description": "by `on_failure: continue`"},
    }
    more = {
        "alike": {**_COUNT, "description": "it is the first of so many that failed in the same way"},
        "tail": {"type": "array", "items": _TEXT, "description": "the last lines of its output; with `alike` only"},
    }
    return _object(known, more)


def _object(known: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(known), "properties": {**known, **(more or {})}}


def _said(what: str) -> dict[str, Any]:
    return {**_TEXT, "description": what}
