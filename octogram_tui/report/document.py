"""`--json`: one document about the run on the standard output, when it has ended. Its schema: document_schema.py.

`export --json` begins with the same members, made here too; so `v` is the version of both.

What it says is only ever added to; a member that changes its meaning makes another `v`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from octogram_tui import streams
from octogram_tui.engine import events as ev
from octogram_tui.errors import EXIT_TEXTS, ExitCode, OctogramError, ScenarioError
from octogram_tui.projection.breakpoints import BreakpointList
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.summary import FailureNote, Summary
from octogram_tui.projection.tails import Tails
from octogram_tui.report.closing import MOST_TAILS, NO_REPEATS, Closing, Repeats
from octogram_tui.report.phrases import VERSION
from octogram_tui.report.plainlog import PlainLog, Style
from octogram_tui.scenario.report import json_text

MOST_FAILURES = 1000
TAILS = MOST_TAILS
TAIL_LINES = 20
TAIL_BYTES_IN_ALL = 4 * 1024 * 1024


class Document:
    """Folds the run, and prints when it is closed, however the run ended.

    files, again, rerun, held: as Progress has them.
    """

    def __init__(self, files: Mapping[str, str], repeats: Repeats = NO_REPEATS) -> None:
        self._summary = Summary()
        self._tails = Tails(lines=TAIL_LINES, bytes_in_all=TAIL_BYTES_IN_ALL)
        log = PlainLog(sys.stderr, Style())  # nothing is written there: the words of the closing block are used
        self._closing = Closing(log, self._summary, self._tails, BreakpointList(), files, repeats)
        self._agents: dict[str, dict[str, Any]] = {}
        self._started: ev.RunStarted | None = None
        self._causes: list[int] = []

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in."""
        for event in events:
            self._summary.apply(event)
            self._closing.apply(event)
            self._tails.apply(event)
            if isinstance(event, ev.JobFinished):
                self._closing.let_go(event)
            elif isinstance(event, ev.RunFinished):
                self._causes = list(event.causes)
            elif isinstance(event, ev.RunStarted):
                self._started = event
                for agent in event.agents:
                    self._agent(str(agent.get("agent")), **agent)
            else:
                self._apply_to_agent(event)

    def _apply_to_agent(self, event: ev.Event) -> None:
        match event:
            case ev.AgentStarting():
                self._agent(event.agent, state="starting", message="")
            case ev.AgentWaiting():
                self._agent(event.agent, state="starting", message=event.message)
            case ev.AgentReady():
                told = {"host": event.host, "home": event.home, "python": event.python}
                found = {name: value for name, value in told.items() if value}  # told once, not when it is back
                self._agent(event.agent, state="ready", message="", **found)
            case ev.AgentSuspect():
                self._agent(event.agent, state="suspect", message=event.message)
            case ev.AgentFailed():
                self._agent(event.agent, state="failed", message=event.message, hint=event.hint, code=event.code)
            case ev.AgentLost():
                self._agent(event.agent, state="lost", message=event.message)
            case ev.AgentStopped():
                known = self._agents.get(event.agent, {}).get("state")
                state = "unclean" if not event.is_clean else known if known in ("failed", "lost") else "stopped"
                self._agent(event.agent, state=state, is_clean=event.is_clean)
                if event.message:
                    self._agent(event.agent, message=event.message)

    def _agent(self, name: str, **facts: Any) -> None:
        self._agents.setdefault(name, {"agent": name, "state": "waiting", "message": "", "hint": ""}).update(facts)

    def close(self) -> None:
        """Print the document; of a run that never began, whoever knows why does."""
        if self._started is not None:
            print_document(self.document())

    def repeat(self, repeats: Repeats) -> None:
        """Take in the commands that do the same once more, where they are known only now."""
        self._closing.repeats = repeats

    def document(self, state: str = "", *, damage: str = "", now_s: float = 0.0) -> dict[str, Any]:
        """Give the document as it stands now.

        state: of the run, where more is known of it than its events tell; now_s: since its start, where it goes on
        """
        summary, started, closing = self._summary, self._started, self._closing
        state = closing.state = state or ("unfinished" if summary.exit_code is None else "finished")
        notes = summary.failures
        firsts = {id(cluster.first.struck): len(cluster) for cluster in summary.clusters.all[:TAILS]}
        return {
            "v": VERSION,
            "run": summary.run,
            "scenario": summary.scenario,
            "digest": started.digest if started else "",
            "commit": started.commit if started else "",
            "version": started.version if started else "",
            "host": started.host if started else "",
            "started_wall": summary.started_wall,
            "state": state,
            "damage": damage,
            "outcome": closing.outcome,
            "exit_code": summary.exit_code,
            "meaning": _meaning(summary.exit_code),
            "causes": self._causes,
            "reason": summary.reason,
            "duration_s": round(max(summary.duration_s, now_s), 6),
            "paused_s": round(summary.paused_s, 6),
            "counts": {state: count for state, count in sorted(summary.counts.items()) if count},
            "attempts": summary.attempts,
            "retries": summary.retries,
            "agents": list(self._agents.values()),
            "stages": [
                {"stage": name, "state": state, "duration_s": round(seconds, 6)}
                for name, state, seconds in summary.stages
            ],
            "failures": [self.failure(note, firsts.get(id(note))) for note in notes[:MOST_FAILURES]],
            "failures_left_out": max(0, len(notes) - MOST_FAILURES),
            "unclean": summary.unclean,
            "slowest": [
                {"key": str(slow.instance), "attempt": slow.attempt, "duration_s": round(slow.duration_s, 6)}
                for slow in summary.slowest
            ],
            "warnings": summary.warnings,
            "variables": started.variables if started else {},
            "options": started.options if started else {},
            "files": dict(closing.files),
            "commands": closing.commands,
            "problems": [],
        }

    def failure(self, note: FailureNote, alike: int | None) -> dict[str, Any]:
        """Tell of what failed; alike: how many failed in the same way, where it stands for all of them."""
        failure, instance = note.failure, note.instance
        cause = cause_of(failure)
        found: dict[str, Any] = {
            "key": None if instance is None else str(instance),
            "stage": None if instance is None else instance.stage,
            "job": None if instance is None else instance.job,
            "agent": note.agent,
            "item": None if instance is None else instance.item,
            "attempt": note.attempt,
            "kind": failure.kind,
            "message": failure.message,
            "cause": cause.text,
            "hint": failure.hint,
            "line": self._closing.line(note) or None,
            "at_s": note.at_s,
            "is_tolerated": note.is_tolerated,
        }
        if alike is not None:
            found["alike"] = alike
            found["tail"] = [] if instance is None else self._closing.tail(instance, note.attempt, failure)
        return found


def print_document(document: Mapping[str, Any]) -> None:
    """Print a document, which is all that the standard output has."""
    streams.print_bytes((json_text(document, indent=2) + "\n").encode("utf-8", "replace"))


def not_begun(scenario: str, error: OctogramError, code: int) -> dict[str, Any]:
    """Give the document of a run that could not begin: only what is known then."""
    problems = error.problems if isinstance(error, ScenarioError) else []
    text = streams.hidden
    return {
        **Document({}).document("finished"),
        "scenario": text(scenario),
        "outcome": "failed",
        "exit_code": code,
        "meaning": _meaning(code),
        "causes": [code],
        "reason": text(error.message),
        "problems": [
            {
                "file": text(each.file),
                "line": each.line,
                "column": each.column,
                "message": text(each.message),
                "hint": text(each.hint),
            }
            for each in problems
        ],
    }


def _meaning(code: int | None) -> str:
    return EXIT_TEXTS[ExitCode(code)] if code in set(ExitCode) else ""
