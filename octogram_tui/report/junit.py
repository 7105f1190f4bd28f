"""`--junit FILE`: what CI services show as tests. A suite is a stage, a case an instance, a retry a flaky rerun.

It is valid by the schema of the strictest of its readers, Jenkins's xUnit plugin, which refuses a file that is not: no
`skipped` of all suites, no properties of a case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from xml.etree import ElementTree as ET

from octogram_tui import filing, streams
from octogram_tui.engine.events import BreakpointMet, Event, RunStarted, StageStarted
from octogram_tui.errors import EXIT_TEXTS, ExitCode, JournalError
from octogram_tui.model.failure import FAILED, NO_REASON, Failure
from octogram_tui.model.ids import AgentName, InstanceId, JobKey, StageKey
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow
from octogram_tui.projection.tails import Tails
from octogram_tui.projection.text import visible
from octogram_tui.report.phrases import case_name

TAIL_LINES = 100
TAIL_BYTES_IN_ALL = 16 * 1024 * 1024

MOST_PROPERTIES = 100

_BAD_AGENTS = {AgentState.FAILED: "agent failed", AgentState.LOST: "agent lost", AgentState.UNCLEAN: "agent not clean"}
_GONE = (AgentState.FAILED, AgentState.LOST, AgentState.UNCLEAN)
_ENDED_BADLY = (State.FAILED, State.LOST)
_UNDER_WAY = (State.RUNNING, State.RETRYING)


class JUnit:
    """Folds the run, and writes the file when it is closed, however the run ended."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._board = Board()
        self._tails = Tails(lines=TAIL_LINES, bytes_in_all=TAIL_BYTES_IN_ALL)
        self._met: dict[str, list[BreakpointMet]] = {}  # by stage
        self._started: RunStarted | None = None
        self._began_s: dict[str, float] = {}

    @classmethod
    def open(cls, path: Path) -> JUnit:
        """Write to a file at the end, and see now that this will be possible. Raises JournalError.

        `-` is the standard output.
        """
        if os.fspath(path) == "-":
            return cls(None)
        try:
            filing.check_writable(path)
        except OSError as error:
            raise JournalError(f"cannot write {path}: {error.strerror}") from error
        return cls(path)

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch of events in."""
        for event in events:
            self._board.apply(event)
            self._tails.apply(event)
            if isinstance(event, BreakpointMet) and event.instance is not None:
                met = self._met.setdefault(event.instance.stage, [])
                if len(met) < MOST_PROPERTIES:
                    met.append(event)
            elif isinstance(event, StageStarted):
                self._began_s.setdefault(event.stage, event.at_s)
            elif isinstance(event, RunStarted):
                self._started = event

    def close(self) -> None:
        """Write the file, whole or not at all; of one that never began, who knows why does. Raises JournalError."""
        if self._started is None:
            return
        root = self.document()
        ET.indent(root)
        data = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        if self._path is None:
            streams.print_bytes(data + b"\n")
            return
        try:
            filing.write_whole(self._path, data)
        except OSError as error:
            raise JournalError(f"cannot write {self._path}: {error.strerror}") from error

    def document(self) -> ET.Element:
        """Give the document as it stands now."""
        board = self._board
        scenario = PurePath(board.scenario).stem
        root = ET.Element("testsuites", name=visible(scenario), time=_seconds(board.worked_s))
        for stage in board.stages:
            cases = [self._case(instance, scenario) for instance in _instances(stage)]
            cases += _never_reached(board, stage, scenario)
            if not cases:
                cases = [_unreached(stage, scenario)]
            root.append(_suite(stage.name, cases, stage.duration_s(board.at_s) or 0.0))
        agents = [_agent_case(agent, scenario) for agent in board.agents.values() if agent.state in _BAD_AGENTS]
        if agents:
            root.append(_suite("agents", agents, 0.0))
        if root.find(".//failure") is None and root.find(".//error") is None:
            root.extend(_run_suites(board, scenario))
        _keep_apart(root)
        for suite in root:
            self._describe(suite)
        for name in ("tests", "failures", "errors"):
            root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
        return root

    def _describe(self, suite: ET.Element) -> None:
        """Say of a suite when and where it ran, of which run it is, and what breakpoints met in it."""
        started, name = self._started, suite.get("name", "")
        if started is None:
            return
        if started.started_wall:
            # Readers of the format want seconds, and no zone: it is UTC.
            at = datetime.fromisoformat(started.started_wall) + timedelta(seconds=self._began_s.get(name, 0.0))
            suite.set("timestamp", at.strftime("%Y-%m-%dT%H:%M:%S"))
        if started.host:
            suite.set("hostname", visible(started.host))
        facts = {"run": started.run, "version": started.version, "scenario": started.scenario}
        facts |= {"digest": started.digest, "commit": started.commit}
        properties = ET.Element("properties")
        for fact, value in facts.items():
            if value:
                _add(properties, "property", name=fact, value=value)
        for met in self._met.get(name, ()):
            where = "" if met.instance is None else case_name(met.instance)
            _add(properties, "property", name=f"breakpoint {met.number}: {where}", value=met.message)
        suite.insert(0, properties)

    def _case(self, instance: InstanceRow, scenario: str) -> ET.Element:
        stage = instance.stage
        name = case_name(instance.key)
        attempts = [*instance.earlier, *([instance.last] if instance.last else ())]
        case = ET.Element(
            "testcase",
            classname=visible(f"{scenario}.{stage.name}"),
            name=visible(name),
            time=_seconds(sum(attempt.duration_s for attempt in attempts)),
        )
        failed = [attempt for attempt in attempts if attempt.state in _ENDED_BADLY]
        if instance.state in _ENDED_BADLY:
            earlier = [attempt for attempt in failed if attempt is not instance.last]
            case.append(self._failure("failure", instance, instance.last))
            case.extend(self._failure("rerunFailure", instance, attempt) for attempt in earlier)
        elif instance.state in (State.OK, State.STALE):
            case.extend(self._failure("flakyFailure", instance, attempt) for attempt in failed)
        elif instance.state is State.TOLERATED:
            # The scenario says that it may fail: shown, and not counted against the run.
            _add(case, "skipped", message=f"failed, and on_failure is continue: {instance.message}")
        else:
            words = "it had not ended when the run did" if instance.state in _UNDER_WAY else "it did not run"
            _add(case, "skipped", message=f"{instance.state.name.lower()}: {instance.message or words}")
        last = self._tail(instance, instance.attempt)
        if last:
            _add(case, "system-out", text=last)
        return case

    def _failure(self, tag: str, instance: InstanceRow, attempt: AttemptRow | None) -> ET.Element:
        failure = (attempt.failure if attempt else None) or Failure(FAILED, instance.note or NO_REASON.message)
        message = failure.message
        lines = [message]
        if failure.hint:
            lines.append(f"hint: {failure.hint}")
        if attempt is not None and attempt is not instance.last:
            lines.append(self._tail(instance, attempt.number))
        text = "\n".join(line for line in lines if line)
        return _element(tag, text=text, message=message, type=failure.kind)

    def _tail(self, instance: InstanceRow, attempt: int) -> str:
        tail = self._tails.of(instance.key, attempt)
        lines = [f"({tail.let_go} lines left out)", *tail.lines] if tail.let_go else tail.lines
        # GitLab and Jenkins take this for the name of a file to be shown with the case: nobody but they may say so.
        return "\n".join(lines).replace("[[ATTACHMENT|", "[ [ATTACHMENT|")


def _keep_apart(root: ET.Element) -> None:
    """Number cases whose names came out alike: readers take them for one."""
    seen: set[tuple[str, str]] = set()
    for case in root.iter("testcase"):
        name, number = case.get("name", ""), 1
        while (case.get("classname", ""), case.get("name", "")) in seen:
            number += 1
            case.set("name", f"{name} #{number}")
        seen.add((case.get("classname", ""), case.get("name", "")))


def _instances(row: Group | InstanceRow) -> Iterator[InstanceRow]:
    if isinstance(row, InstanceRow):
        if row.state is not State.PENDING:
            yield row
        return
    for child in row.children:
        yield from _instances(child)


def _never_reached(board: Board, stage: Group, scenario: str) -> Iterator[ET.Element]:
    """Give a case for each job that an agent of a stage never came to, because it was lost or the stage was ended.

    Jobs that have no instance on an agent although it went on after them had nothing to do there.
    """
    if stage.started_s is None or stage.final in (State.OK, State.SKIPPED):
        return
    jobs = [job for job in stage.children if isinstance(job, Group) and not job.is_gone]
    reached = [{instance.agent for instance in _instances(job)} for job in jobs]
    for name in stage.agents:
        last = max((place for place, agents in enumerate(reached) if name in agents), default=-1)
        agent = board.agents.get(name)
        reason = board.message or "the stage ended before"
        if agent is not None and agent.state in _GONE:
            reason = f"agent {name} was lost: {agent.message}"
        for job in jobs[last + 1 :]:
            instance = InstanceId(StageKey(stage.name), JobKey(job.name), AgentName(name))
            case = _element("testcase", classname=f"{scenario}.{stage.name}", name=case_name(instance), time="0.000")
            _add(case, "skipped", message=f"never reached: {reason}")
            yield case


def _suite(name: str, cases: list[ET.Element], duration_s: float) -> ET.Element:
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    suite = _element("testsuite", name=name, **{key: str(count) for key, count in counts.items()})
    suite.set("time", _seconds(duration_s))
    suite.extend(cases)
    return suite


def _unreached(stage: Group, scenario: str) -> ET.Element:
    case = _element("testcase", classname=f"{scenario}.{stage.name}", name="(stage)", time="0.000")
    if stage.final is None:
        reason = "the run ended before this stage"
    elif stage.final in (State.SKIPPED, State.CANCELLED):
        reason = stage.note or f"{stage.final.name.lower()}"
    else:
        reason = stage.note or "there was nothing to run"
    _add(case, "skipped", message=reason)
    return case


def _agent_case(agent: AgentRow, scenario: str) -> ET.Element:
    case = _element("testcase", classname=f"{scenario}.agents", name=agent.name, time="0.000")
    text = f"{agent.message}\nhint: {agent.hint}" if agent.hint else agent.message
    case.append(_element("error", text=text, message=agent.message, type=_BAD_AGENTS[agent.state]))
    return case


def _run_suites(board: Board, scenario: str) -> Iterator[ET.Element]:
    """Give a suite that says why the run ended badly, when no instance and no agent says so."""
    if board.exit_code == ExitCode.OK:
        return
    if board.exit_code is None:
        kind, message = "unfinished", "the run did not come to its end"
    else:
        kind = f"exit {board.exit_code}"
        known = board.exit_code in ExitCode.__members__.values()
        message = board.message or (EXIT_TEXTS[ExitCode(board.exit_code)] if known else f"exit code {board.exit_code}")
    case = _element("testcase", classname=f"{scenario}.run", name="run", time=_seconds(board.worked_s))
    case.append(_element("error", text=message, message=message, type=kind))
    yield _suite("run", [case], board.at_s)


def _element(tag: str, *, text: str = "", **attributes: str) -> ET.Element:
    element = ET.Element(tag, {name: visible(value) for name, value in attributes.items()})
    if text:
        element.text = visible(text)
    return element


def _add(parent: ET.Element, tag: str, *, text: str = "", **attributes: str) -> None:
    parent.append(_element(tag, text=text, **attributes))


def _seconds(value: float) -> str:
    return f"{value:.3f}"
