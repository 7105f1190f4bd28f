"""The JSON Schema of the document of `--json`, as `octogram-tui schema run-report` prints it.

Members that it does not name may be added: readers leave alone what they do not know.
"""

from __future__ import annotations

from typing import Any

from octogram_tui.report.phrases import VERSION

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
SECONDS = {"type": "number", "minimum": 0}
TEXT_OR_NULL = {"type": ["string", "null"]}
TEXTS = {"type": "object", "additionalProperties": TEXT}
LINE = {"type": ["integer", "null"], "description": "of the scenario's file, where it is written"}


def json_schema() -> dict[str, Any]:
    """Give the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The end of a run of octogram-tui",
        **object_of(
            {
                "v": {"const": VERSION, "description": "of this schema; it changes when a member changes its meaning"},
                "run": said("its name; empty where none could begin"),
                "scenario": said("the file, as it was given"),
                "digest": said("of the scenario's text, as the run began with it"),
                "commit": said("what the git repository of that file had checked out; empty without one"),
                "version": said("of octogram-tui, and so of its agents"),
                "host": said("the machine that ran it"),
                "started_wall": said("when it began, RFC 3339, UTC"),
                "state": {
                    "enum": ["finished", "running", "crashed", "damaged", "unfinished"],
                    "description": "of the run; unfinished: its events end before it, and no more is known",
                },
                "damage": said("what is wrong with its journal, which was read up to there"),
                "outcome": {"enum": ["ok", "failed", "unfinished"], "description": "unfinished: it has no exit code"},
                "exit_code": {"type": ["integer", "null"], "description": "null where nobody knows"},
                "meaning": said("of the exit code"),
                "causes": {
                    "type": "array",
                    "items": {"type": "integer"},
                    "description": "every exit code that applied",
                },
                "reason": said("why it ended so, in words"),
                "duration_s": {**SECONDS, "description": "from beginning to end, with what it stood still"},
                "paused_s": {**SECONDS, "description": "how much of that it stood still, and waited for somebody"},
                "counts": {
                    "type": "object",
                    "additionalProperties": COUNT,
                    "description": "of instances, by how each ended last: ok, failed, tolerated, skipped, cancelled",
                },
                "attempts": COUNT,
                "retries": COUNT,
                "agents": {"type": "array", "items": _agent()},
                "stages": {
                    "type": "array",
                    "items": object_of({"stage": TEXT, "state": TEXT, "duration_s": SECONDS}),
                    "description": "those that ended, in the order in which they did",
                },
                "failures": {
                    "type": "array",
                    "items": failure(),
                    "description": "what stands failed, in the order in which it did",
                },
                "failures_left_out": {**COUNT, "description": "how many more there are"},
                "unclean": {
                    "type": "array",
                    "items": TEXT,
                    "description": "agents that did not confirm that nothing is left",
                },
                "slowest": {
                    "type": "array",
                    "items": object_of({"key": TEXT, "attempt": COUNT, "duration_s": SECONDS}),
                },
                "warnings": {"type": "array", "items": TEXT},
                "variables": {"type": "object", "description": "as the run began; masks stand for secrets"},
                "options": {"type": "object", "description": "what of its options is told by `run_started`"},
                "files": {**TEXTS, "description": "what was written where"},
                "commands": {**TEXTS, "description": "what can be typed next, by what for"},
                "problems": {
                    "type": "array",
                    "items": object_of(
                        {"file": TEXT, "line": COUNT, "column": COUNT, "message": TEXT, "hint": TEXT},
                    ),
                    "description": "of a scenario that cannot be run",
                },
            }
        ),
    }


def _agent() -> dict[str, Any]:
    state = {"enum": ["waiting", "starting", "ready", "suspect", "failed", "lost", "stopped", "unclean"]}
    known = {"agent": TEXT, "state": state, "message": TEXT, "hint": TEXT}
    more = {"address": TEXT, "transport": TEXT, "host": TEXT, "home": TEXT, "code": TEXT}
    return object_of(known, {**more, "is_clean": {"type": "boolean"}, "python": said("of the agent's machine")})


def failure() -> dict[str, Any]:
    """Give the schema of an entry of `failures`."""
    known = {
        "key": {**TEXT_OR_NULL, "description": "stage/job@agent[item]; null where an agent failed"},
        "stage": TEXT_OR_NULL,
        "job": TEXT_OR_NULL,
        "agent": TEXT,
        "item": TEXT_OR_NULL,
        "attempt": COUNT,
        "kind": said("exit, timeout, agent_lost, template, until, assert, ...; of an agent its stable code"),
        "message": TEXT,
        "cause": said("the line that tells most of why"),
        "hint": TEXT,
        "line": LINE,
        "at_s": {**SECONDS, "description": "since the run's start"},
        "is_tolerated": {"type": "boolean", "description": "by `on_failure: continue`"},
    }
    more = {
        "alike": {**COUNT, "description": "it is the first of so many that failed in the same way"},
        "tail": {"type": "array", "items": TEXT, "description": "the last lines of its output; with `alike` only"},
    }
    return object_of(known, more)


def object_of(known: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the schema of an object with members that it has to have, and others that it may have."""
    return {"type": "object", "required": list(known), "properties": {**known, **(more or {})}}


def said(what: str) -> dict[str, Any]:
    """Give the schema of a text, and what it says."""
    return {**TEXT, "description": what}
