"""The run of docs/debugger.md: its scenario in a real engine, on agents that are told in a few lines, without a clock.

The same requests give the same events, so that a picture of them is the same every time.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from octogram_tui.engine import stimuli as st
from octogram_tui.engine.effects import CancelJob, SendJob, StartAgent, StopAgent
from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.values import Value
from octogram_tui.runtime.desk import Desk, Question
from octogram_tui.runtime.feeding import Feeding
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.scenario.load import Loaded, load_scenario

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "sample_scenarios" / "debugger.yml"
STARTED_WALL = "2026-01-05T12:00:00Z"
BREAKPOINT = Breakpoint(pattern="measure/probe@n_1", condition="vars.level > 2")

_STEP_S = 0.05
"""So much time passes with every stimulus."""


class DebuggedRun:
    """Ask it what an operator asks; `events` has what the run has told so far."""

    def __init__(
        self, scenario: Path = SCENARIO, *, breakpoints: tuple[Breakpoint, ...] = (BREAKPOINT,), paused: bool = False
    ) -> None:
        loaded: Loaded = load_scenario(str(scenario))
        if loaded.scenario is None:
            sys.exit(f"{scenario}: wrong")
        options = RunOptions(
            run="20260105-120000-debugger-octo",
            on_failure="pause",
            confirm="ask",
            keep_alive=True,
            start_paused=paused,
            breakpoints=tuple((each, "operator") for each in breakpoints),
        )
        self._engine = Engine(loaded.scenario, options)
        self._waiting: deque[Stimulus] = deque()
        self._answers: dict[str, int] = {}
        self.events: list[Event] = []
        self.at_s = 0.0
        self._feeding = Feeding(self._engine, None)
        self.desk = Desk(_no_log, None, self._engine, self._feeding.aside)

    def begin(self) -> DebuggedRun:
        """Start, and go as far as it goes."""
        return self.ask(st.BeginRequest(STARTED_WALL, host="here"))

    def ask(self, *stimuli: Stimulus) -> DebuggedRun:
        """Let the operator ask, and the agents answer until all of them wait."""
        self._waiting.extend(stimuli)
        while self._waiting:
            self.at_s = round(self.at_s + _STEP_S, 3)
            outcome = self._engine.feed(self._waiting.popleft(), self.at_s)
            self.events += outcome.events
            for effect in outcome.effects:
                self._do(effect)
        return self

    def close(self) -> None:
        """Let go of the thread in which somebody has looked at it."""
        self._feeding.close()

    def _do(self, effect: object) -> None:
        match effect:
            case StartAgent():
                name = effect.agent.name
                self._waiting.append(st.AgentUpReport(name, home=f"/tmp/{name}", host="here", python="3.11.9", pid=471))
            case StopAgent():
                self._waiting.append(st.AgentEndReport(effect.agent))
            case SendJob(attempt=AttemptId() as attempt):
                self._work(effect, attempt)
            case CancelJob():
                self._waiting.append(st.AttemptReport(effect.agent, effect.attempt, "cancelled"))

    def _work(self, sent: SendJob, attempt: AttemptId) -> None:
        jobs: dict[str, Callable[[str, dict[str, Any]], tuple[list[str], int]]] = {
            "probe": self._probe,
            "judge": self._judge,
        }
        environment: Any = sent.arguments.get("env") or {}
        work = jobs.get(attempt.instance.job)
        lines, status = work(sent.agent, environment) if work is not None else ([], 0)
        if lines:
            stream = "stderr" if status else "stdout"
            self._waiting.append(st.OutputReport(sent.agent, attempt, lines, stream=stream))
        result: dict[str, Value] = {
            "exit_code": status,
            "stdout": "".join(f"{line}\n" for line in lines if not status),
            "stderr": "",
        }
        failure = None
        if status:
            detail: dict[str, Value] = {"exit_code": status, "last_lines": [*lines]}
            failure = Failure("exit_status", f"sh ended with exit status {status}", detail=detail)
        state = "failed" if status else "ok"
        self._waiting.append(st.AttemptReport(sent.agent, attempt, state, result, failure, duration_s=0.02))

    def _probe(self, agent: str, environment: dict[str, Any]) -> tuple[list[str], int]:
        file, level = environment.get("FILE", ""), _number(environment.get("LEVEL"))
        if file != "seat.txt":
            return [f"cat: {file}: No such file or directory"], 3
        seat = int(agent.partition("_")[2])
        self._answers[agent] = level * 10
        return [f"seat {seat} answers {level * 10}"], 0

    def _judge(self, agent: str, environment: dict[str, Any]) -> tuple[list[str], int]:
        answer, limit = self._answers.get(agent), _number(environment.get("LIMIT"))
        if answer is None:  # its probe was skipped
            return ["cat: answer.txt: No such file or directory"], 0
        return ([f"{answer} is over the limit of {limit}"], 4) if answer > limit else ([], 0)


class DebuggedSource:
    """That run, to open a console on: each request is done at once."""

    has_control = True
    is_connected = True
    consoles = 1

    def __init__(self, run: DebuggedRun) -> None:
        self.run = run
        self.refusals: list[str] = []
        self._came = asyncio.Event()

    async def events(self) -> AsyncIterator[list[Event]]:
        """Give what was told so far, and then what comes."""
        given = 0
        while True:
            self._came.clear()
            batch, given = self.run.events[given:], len(self.run.events)
            yield batch
            await self._came.wait()

    def send(self, stimulus: Stimulus) -> None:
        """Ask the run."""
        self.run.ask(stimulus)
        self._came.set()

    async def answer(self, question: Question) -> dict[str, Any]:
        """Answer as a run's host does."""
        return await self.run.desk.answer(question)

    async def close(self) -> None:
        """Nothing is open."""


def _number(text: object) -> int:
    """Read a number as a shell does: what is none counts as 0."""
    return int(str(text)) if str(text).isdecimal() else 0


async def _no_log(_: LogQuery) -> dict[str, Any]:
    return {"problem": "nothing more was written"}
