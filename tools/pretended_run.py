"""A run that does not happen: plausible events at a human pace, to live with the console and to test it.

`python -m tools.pretended_run --agents 50` opens the console on it. The same seed gives the same events.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from heapq import heappop, heappush
from typing import Any

from octogram_tui import settings
from octogram_tui.commands.options import with_looks
from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from tools.pretended_plan import ACTS, FAILING_ACT, FAILURE, Act, Work
from tools.pretended_text import pretended_text


class PretendedRun:
    """The simulation: time is given to it, events come out. A failing job holds the run until it is seen to."""

    def __init__(
        self, agents: int = 12, *, seed: int = 1, fails: bool = True, started_wall: str = "", loads: bool = False
    ) -> None:
        self.started_wall = started_wall or "2026-01-05T12:00:00Z"
        self.names = [f"node-{number}" for number in range(agents)]
        self.events: list[ev.Event] = []
        self.is_over = False
        self.now_s = 0.0
        self._random = random.Random(seed)
        self._fails = fails
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._seq = 0
        self._act = -1
        self._lanes = 0  # agents that still work in the stage
        self._is_shut = False
        self._held: deque[Callable[[], None]] = deque()
        self._attempts: dict[InstanceId, int] = {}
        self._failed: dict[InstanceId, tuple[int, Work, str, Any, Callable[[], None]]] = {}
        self._counts: dict[str, int] = {}
        self._has_loads = loads
        self._processes = dict.fromkeys(self.names, 0)  # that outlive their jobs

    def begin(self, *, paused: bool = False) -> None:
        """Start the run."""
        lines = pretended_text().lines
        plan: list[StageEntry] = [
            {
                "stage": act.name,
                "always": act.always,
                "line": lines[act.name,],
                "jobs": [
                    {
                        "job": job.name,
                        "procedure": job.procedure,
                        "items": bool(job.items),
                        "line": lines[act.name, job.name],
                    }
                    for job in act.jobs
                ],
            }
            for act in ACTS
        ]
        agents: list[AgentEntry] = [
            {"agent": name, "address": self._address(n), "transport": "ssh"} for n, name in enumerate(self.names)
        ]
        variables: dict[str, Value] = {
            "network": "ghostnet",
            "slots": 4,
            "level": 0,
            "amounts": [10, 20, 50],
            "proto": "PtParis",
        }
        self._emit(
            ev.RunStarted(
                run="2026-01-05T12-00-00-fleet",
                scenario="fleet.yml",
                started_wall=self.started_wall,
                host="here",
                plan=plan,
                agents=agents,
                variables=variables,
            )
        )
        if paused:
            self._is_shut = True
            self._emit(ev.RunPaused(reason="start"))
        for name in self.names:
            ready = ev.AgentReady(agent=name, home=f"/run/octogram/{name}", host=name, python="3.11.9", pid=4711)
            self._after(self._random.uniform(0.0, 0.2), partial(self._emit, ev.AgentStarting(agent=name)))
            self._after(self._random.uniform(0.4, 1.5), partial(self._emit, ready))
        prometheus = ev.ServiceAnnounced(
            agent=self.names[0], kind="prometheus", name="prometheus", ports={"http": 9090}, address=self._address(0)
        )
        self._after(1.55, partial(self._emit, prometheus))
        self._after(1.6, self._next_act)
        if self._has_loads:
            self._tell_loads(random.Random(7), dict.fromkeys(self.names, 0.2))

    def _tell_loads(self, chance: random.Random, loads: dict[str, float]) -> None:
        """Let the machines say how busy they are, now and then."""
        for name, load in loads.items():
            loads[name] = min(1.6, max(0.02, load + chance.uniform(-0.2, 0.22)))
            told = ev.AgentLoad(agent=name, cpu=round(loads[name], 2), memory=0.4, processes=self._processes[name])
            self._after(chance.uniform(2.0, 3.0), partial(self._emit, told))
        self._after(2.0, lambda: self._tell_loads(chance, loads))

    def _address(self, number: int) -> str:
        return f"10.0.0.{number % 250 + 1}"

    def advance(self, to_s: float) -> list[ev.Event]:
        """Let time pass up to `to_s`; returns what happened."""
        while self._due and self._due[0][0] <= to_s:
            self.now_s, _, action = heappop(self._due)
            action()
        self.now_s = max(self.now_s, to_s) if to_s != float("inf") else self.now_s
        events, self.events = self.events, []
        return events

    def take(self, stimulus: st.Stimulus) -> None:
        """Do as the operator says."""
        match stimulus:
            case st.PauseRequest():
                self._is_shut = True
                self._emit(ev.RunPaused(reason="operator"))
            case st.GoRequest() if self._failed and not self._held:
                first = next(iter(self._failed))
                self._emit(ev.RequestRefused(request="go", message=f"{first} failed: rerun or skip it first"))
            case st.GoRequest():
                self._is_shut = False
                self._emit(ev.RunResumed(mode="go"))
                while self._held and not self._is_shut:
                    self._held.popleft()()
            case st.StepRequest():
                self._is_shut = True
                self._emit(ev.RunResumed(mode="step"))
                if self._held:
                    self._held.popleft()()
            case st.RerunRequest():
                self._rerun(stimulus)
            case st.RerunAllRequest():
                self._rerun_failed(stimulus)
            case st.SkipRequest() if stimulus.instance in self._failed:
                *_, item, after = self._failed.pop(stimulus.instance)
                self._emit(
                    ev.JobFinished(
                        instance=stimulus.instance,
                        item=item,
                        state="skipped",
                        attempt=self._attempts[stimulus.instance],
                        reason="skipped by the operator",
                    )
                )
                after()
            case st.SkipAllRequest():
                for key in stimulus.instances:
                    self.take(st.SkipRequest(key))
            case st.ConfirmRequest():
                self._emit(ev.ConfirmationGiven(stage=stimulus.stage, answer=stimulus.answer))
                self._open_act() if stimulus.answer else self._pass_act("not confirmed")
            case st.SetVariableRequest():
                self._emit(
                    ev.VariableChanged(name=stimulus.name, value=stimulus.value, removed=stimulus.remove, by="operator")
                )
            case st.StopRequest():
                self._emit(ev.StopRequested(by=stimulus.by, force=stimulus.force))
                self._due.clear()
                self._held.clear()
                self._after(0.8, lambda: self._end(stimulus.exit_code))
            case st.ReloadModeRequest():
                pass  # it has no file
            case _:
                self._emit(ev.RequestRefused(request=type(stimulus).__name__, message="the fleet does not do that"))

    def _emit(self, event: ev.Event) -> None:
        self._seq += 1
        event.seq, event.at_s = self._seq, round(self.now_s, 3)
        self.events.append(event)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._due, (self.now_s + seconds, self._count, action))

    def _next_act(self) -> None:
        self._act += 1
        if self._act >= len(ACTS):
            self._emit(ev.StagesDone(exit_code=0))
        elif ACTS[self._act].asks:
            self._emit(ev.ConfirmationAsked(stage=ACTS[self._act].name))
        else:
            self._open_act()

    def _pass_act(self, reason: str) -> None:
        self._emit(ev.StageFinished(stage=ACTS[self._act].name, state="skipped", reason=reason))
        self._next_act()

    def _open_act(self) -> None:
        act = ACTS[self._act]
        agents = [name for number, name in enumerate(self.names) if act.who(number)]
        self._emit(ev.StageStarted(stage=act.name, agents=agents))
        self._lanes = len(agents)
        began_s = self.now_s
        for agent in agents:
            self._run_lane(self._act, agent, self._steps(act), lambda: self._lane_done(began_s))
        if not agents:
            self._lanes = 1
            self._lane_done(began_s)

    def _steps(self, act: Act) -> Iterator[tuple[Work, Any]]:
        for work in act.jobs:
            for item in range(1, work.items + 1) if work.items else (None,):
                yield work, item

    def _lane_done(self, began_s: float) -> None:
        self._lanes -= 1
        if not self._lanes:
            self._emit(
                ev.StageFinished(stage=ACTS[self._act].name, state="ok", duration_s=round(self.now_s - began_s, 3))
            )
            self._after(0.2, self._next_act)

    def _run_lane(self, act: int, agent: str, steps: Iterator[tuple[Work, Any]], done: Callable[[], None]) -> None:
        step = next(steps, None)
        if step is None:
            done()
            return
        work, item = step
        key = InstanceId(ACTS[act].name, work.name, agent, None if item is None else str(item))

        def go() -> None:
            self._start(act, work, agent, key, item, "first", lambda: self._run_lane(act, agent, steps, done))

        if self._is_shut:
            self._emit(ev.JobHeld(instance=key, item=item, reason="pause"))
            self._held.append(go)
        else:
            go()

    def _start(
        self, act: int, work: Work, agent: str, key: InstanceId, item: Any, why: str, after: Callable[[], None]
    ) -> None:
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        about: dict[str, Any] = {"instance": key, "item": item}
        arguments: dict[str, Value] = {
            "argv": [work.name.replace(" ", "-"), "--endpoint", "http://127.0.0.1:8732"],
            "network": "ghostnet",
            "timeout": "30s",
        }
        self._emit(ev.JobStarted(**about, attempt=attempt, procedure=work.procedure, arguments=arguments, why=why))
        seconds = self._random.uniform(*work.seconds)
        for number, line in enumerate(work.lines * 2):
            text = line.replace("{n}", str(self._random.randrange(40, 9000)))
            stream = "stderr" if number % 5 == 4 else "stdout"
            wrote = ev.JobOutput(**about, agent=agent, attempt=attempt, lines=[text], stream=stream)
            self._after(seconds * (number + 1) / (len(work.lines) * 2 + 1), partial(self._emit, wrote))
        is_doomed = self._fails and act == FAILING_ACT and agent == self.names[len(self.names) // 3] and why != "rerun"
        self._after(seconds, lambda: self._finish(act, work, about, attempt, seconds, is_doomed, after))

    def _finish(
        self,
        act: int,
        work: Work,
        about: dict[str, Any],
        attempt: int,
        seconds: float,
        is_doomed: bool,
        after: Callable[[], None],
    ) -> None:
        key, item = about["instance"], about["item"]
        agent = key.agent
        if is_doomed:
            will_retry = attempt == 1
            self._emit(
                ev.JobOutput(
                    **about, agent=agent, attempt=attempt, lines=["error: timeout after 30 s"], stream="stderr"
                )
            )
            self._emit(
                ev.JobFinished(
                    **about,
                    attempt=attempt,
                    state="failed",
                    failure=FAILURE,
                    duration_s=round(seconds, 3),
                    will_retry=will_retry,
                )
            )
            if will_retry:
                self._after(1.0, lambda: self._start(act, work, agent, key, item, "retry", after))
                return
            self._failed[key] = (act, work, agent, item, after)
            self._is_shut = True
            self._emit(ev.RunPaused(reason="failure", message=f"{key}: {FAILURE.message}"))
            return
        result: Value = {"exit_code": 0, "stdout": "ok", "duration_s": round(seconds, 3)}
        self._emit(ev.JobFinished(**about, attempt=attempt, state="ok", result=result, duration_s=round(seconds, 3)))
        self._counts["ok"] = self._counts.get("ok", 0) + 1
        if work.procedure == "builtins.start_process":
            kind = work.name.removeprefix("start ")
            self._processes[agent] += 1
            address = self._address(self.names.index(agent))
            self._emit(ev.ServiceAnnounced(agent=agent, kind=kind, name=agent, ports={"rpc": 8732}, address=address))
        if work.sets and self._random.random() < 0.3:
            value = self._random.randrange(1000)
            self._emit(ev.VariableChanged(name=work.sets, value=value, by=str(key)))
        after()

    def _rerun(self, asked: st.RerunRequest) -> None:
        if asked.instance is not None and asked.instance in self._failed:
            act, work, agent, item, after = self._failed.pop(asked.instance)
            self._start(act, work, agent, asked.instance, item, "rerun", after)
            return
        for key in list(self._attempts):
            is_asked = (
                key.stage == asked.stage
                and asked.instance in (None, key)
                and asked.job in ("", key.job)
                and asked.agent in ("", key.agent)
            )
            for act, entry in enumerate(ACTS):
                for work in entry.jobs if is_asked and entry.name == key.stage else ():
                    if work.name == key.job:
                        item = None if key.item is None else int(key.item)
                        self._start(act, work, key.agent, key, item, "rerun", lambda: None)

    def _rerun_failed(self, asked: st.RerunAllRequest) -> None:
        taken = [key for key in self._failed if not asked.instances or key in asked.instances]
        if not taken:
            self._emit(ev.RequestRefused(request="rerun all", message="nothing stands failed"))
            return
        message = f"{len(taken)} run again"
        self._emit(ev.RerunBegun(which=asked.which, instances=[str(key) for key in taken], message=message))
        for key in taken:
            self._rerun(st.RerunRequest(key.stage, instance=key))
        if asked.go:
            self.take(st.GoRequest())

    def _end(self, exit_code: int) -> None:
        for name in self.names:
            self._emit(ev.AgentStopped(agent=name))
        self._emit(ev.RunFinished(exit_code=exit_code, duration_s=round(self.now_s, 3), counts=self._counts))
        self.is_over = True


class PretendedSource:
    """The run as the console's source of events, in real time (`speed` times faster)."""

    has_control = True
    is_connected = True

    def __init__(self, run: PretendedRun, *, speed: float = 1.0) -> None:
        self._run = run
        self._speed = speed
        self.refusals: list[str] = []

    async def events(self) -> AsyncIterator[list[ev.Event]]:
        """Give what happens, as it happens."""
        began = time.monotonic()
        while not self._run.is_over:
            batch = self._run.advance((time.monotonic() - began) * self._speed)
            if batch:
                yield batch
            await asyncio.sleep(0.02)

    def send(self, stimulus: st.Stimulus) -> None:
        """Let the operator have a say."""
        self._run.take(stimulus)

    async def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    """Open the console on a run that does not happen."""
    from octogram_tui.tui.opening import run_console

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--paused", action="store_true", help="hold before the first stage")
    parser.add_argument("--no-failure", action="store_true")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--keys")
    options = parser.parse_args()
    now = datetime.now(UTC).isoformat()
    run = PretendedRun(options.agents, seed=options.seed, fails=not options.no_failure, started_wall=now, loads=True)
    run.begin(paused=options.paused)
    source = PretendedSource(run, speed=options.speed)

    def read_text(_digest: str, _is_first: bool) -> str:
        return pretended_text().text

    looks = with_looks(settings.load(), options)
    print(asyncio.run(run_console(source, looks, scenario_path="fleet.yml", read_text=read_text)))


if __name__ == "__main__":
    main()
