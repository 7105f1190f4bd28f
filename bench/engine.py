#!/usr/bin/env python3
"""How the engine's costs grow: over agents, instances, registered results, and what one turn of it does at most.

    python bench/engine.py [ROUNDS] [--whole]

Agents live in memory and answer at once. Each figure is CPU of the engine alone, as a ratio to the smallest size of the
same run; sizes take turns within a round. The largest run has 200,000 instances; with --whole it has 1,000,000, and the
largest journal that is taken up again so many events, which takes some minutes. Memory is that of a whole host with its
journal, in a process of its own.
"""

from __future__ import annotations

import contextlib
import gc
import io
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paired import tell

from octogram_tui.engine.effects import ArmTimer, CancelJob, Effect, SendJob, StartAgent, StopAgent
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.stimuli import (
    AgentEndReport,
    AgentUpReport,
    AttemptReport,
    BeginRequest,
    PauseRequest,
    StepRequest,
    Stimulus,
    StopRequest,
    TimerReport,
)
from octogram_tui.journal import codec
from octogram_tui.journal.inputs import record_of
from octogram_tui.journal.restoring import restore
from octogram_tui.model.scenario import Scenario
from octogram_tui.scenario.load import load_scenario

RESULT = {"exit_code": 0, "stdout": "done", "stderr": ""}


class Run:
    """An engine with its agents. seconds: CPU that feeding took, by the type of what was fed."""

    def __init__(self, scenario: Scenario, *, writes: bool = False, keeps: Path | None = None, **options: Any) -> None:
        self.engine = Engine(scenario, RunOptions(run="bench", **options))
        self.waiting: deque[Stimulus] = deque([BeginRequest("2026-01-01T00:00:00Z")])
        self.seconds: dict[type, float] = {}
        self.fed: dict[type, int] = {}
        self.most_events, self.longest_s = 0, 0.0
        self.bytes = 0
        self._writes = writes or keeps is not None
        self._file = keeps.open("wb") if keeps is not None else None

    def close(self) -> None:
        """Be done with the journal's file."""
        if self._file is not None:
            self._file.close()

    def feed(self, stimulus: Stimulus) -> None:
        """Feed one stimulus; what its effects come to waits."""
        engine, kind = self.engine, type(stimulus)
        seq = engine.core.seq
        started_s = time.process_time()
        outcome = engine.feed(stimulus, 1.0)
        took_s = time.process_time() - started_s
        self.seconds[kind] = self.seconds.get(kind, 0.0) + took_s
        self.fed[kind] = self.fed.get(kind, 0) + 1
        self.most_events = max(self.most_events, len(outcome.events))
        self.longest_s = max(self.longest_s, took_s)
        if self._writes:
            record = record_of(stimulus, 1.0, seq, outcome.events)
            lines = codec.encode_turn(outcome.events, [] if record is None else [record])
            self.bytes += sum(map(len, lines))
            if self._file is not None:
                self._file.writelines(lines)
        for effect in outcome.effects:
            answer = answer_to(effect)
            if answer is not None:
                self.waiting.append(answer)

    def go(self, until: Callable[[Stimulus], bool] = lambda _: False) -> Run:
        """Feed what waits, up to something."""
        while self.waiting and not until(self.waiting[0]):
            self.feed(self.waiting.popleft())
        return self

    def each_us(self, kind: type) -> float:
        """Give the microseconds that feeding one of a kind took."""
        return self.seconds[kind] / self.fed[kind] * 1e6


def answer_to(effect: Effect) -> Stimulus | None:
    """Say what an agent in memory, or the clock, answers."""
    match effect:
        case StartAgent():
            return AgentUpReport(effect.agent.name, home="/h", host="m", python="3.11", pid=7, birth=effect.agent.name)
        case SendJob():
            return AttemptReport(effect.agent, effect.attempt, "ok", RESULT, duration_s=0.25)
        case CancelJob():
            return AttemptReport(effect.agent, effect.attempt, "cancelled")
        case StopAgent():
            return AgentEndReport(effect.agent)
        case ArmTimer() if effect.after_s == 0:
            return TimerReport(effect.timer)
    return None


def scenario_of(agents: int, *jobs: str, stage: str = "") -> Scenario:
    """Read a scenario of one stage."""
    lines = [f"agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]", "vars: {word: [x, y], count: 3}", "stages:"]
    lines += [f"  - name: all{stage}", "    jobs:", *(f"      - {{{job}}}" for job in jobs)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yml"
        path.write_text("\n".join(lines) + "\n")
        return load_scenario(str(path)).scenario


PLAIN = "builtins.command: {argv: [/bin/true, --quick]}"
TEMPLATE = "builtins.command: {argv: [echo, '{{ item }}', '{{ agent.name }}', '{{ vars.count }}']}"


def of_items(count: int, command: str = TEMPLATE, more: str = "") -> str:
    """Write a job with so many items."""
    return f"name: items, with_items: [1..{count}], {command}{more}"


# -- tables -----------------------------------------------------------------------------------------------------------


def table(title: str, unit: str, sizes: dict[str, Callable[[], float]], rounds: int, at_most: float = 0.0) -> None:
    """Measure every size in turns, and print it with its ratio to the first, which is that of each round.

    at_most: of the last size's ratio.
    """
    found: dict[str, list[float]] = {name: [] for name in sizes}
    for _ in range(rounds):
        for name, measure in sizes.items():
            gc.collect()
            found[name].append(measure())
    first = next(iter(found.values()))
    print(f"\n{title} ({rounds} rounds)\n")
    print(f"| size | min {unit} | median | max | ratio min | median | max |")
    print("|---|---|---|---|---|---|---|")
    for name, values in found.items():
        ratios = [value / base for value, base in zip(values, first, strict=True)]
        shown = [f(each) for each in (values, ratios) for f in (min, statistics.median, max)]
        print(f"| {name} | " + " | ".join(f"{value:,.2f}" for value in shown) + " |", flush=True)
    if at_most:
        few, many = next(iter(sizes)), list(sizes)[-1]
        print()
        tell(f"{title}: {many} to {few}", statistics.median(ratios), at_most=at_most)


def instance_us(scenario: Scenario) -> float:
    """Give what one instance costs, from its dispatch to its end."""
    run = Run(scenario).go(lambda stimulus: isinstance(stimulus, AgentEndReport))
    turns = (AttemptReport, TimerReport)
    return sum(run.seconds.get(kind, 0.0) for kind in turns) / run.fed[AttemptReport] * 1e6


def up_us(scenario: Scenario) -> float:
    """Give what one agent costs that is started and comes up; but for the last, with which the stage begins."""
    run = Run(scenario)
    run.go(lambda _: run.fed.get(AgentUpReport) == len(scenario.agents) - 1)
    return sum(run.seconds.values()) / len(scenario.agents) * 1e6


def down_us(scenario: Scenario) -> float:
    """Give what one agent costs that is told to stop and does."""
    run = Run(scenario, keep_alive=True).go()
    run.seconds.clear()
    run.feed(StopRequest())
    run.go()
    return sum(run.seconds.values()) / len(scenario.agents) * 1e6


def registered_bytes(scenario: Scenario) -> float:
    """Give the bytes of journal of one instance that registers what it gave."""
    run = Run(scenario, writes=True).go(lambda stimulus: isinstance(stimulus, AttemptReport))
    before = run.bytes
    run.go(lambda stimulus: isinstance(stimulus, AgentEndReport))
    return (run.bytes - before) / run.fed[AttemptReport]


def bytes_left(scenario: Scenario) -> float:
    """Give the bytes that one finished instance leaves in the engine."""
    run = Run(scenario).go(lambda stimulus: isinstance(stimulus, AttemptReport))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run.go(lambda stimulus: isinstance(stimulus, AgentEndReport))
    gc.collect()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return left / run.fed[AttemptReport]


def resumed_us(folder: Path, instances: int) -> float:
    """Give what an event costs that is read and gone through again when a run is taken up; the run has not ended."""
    scenario = scenario_of(10, of_items(instances // 10))
    run = Run(scenario, keeps=folder / "journal.jsonl").go(lambda stimulus: isinstance(stimulus, AgentEndReport))
    run.close()
    started_s = time.process_time()
    with (folder / "journal.jsonl").open("rb") as file:
        restored = restore(map(line_of, file), RunOptions(run="bench"), lambda _: scenario)
    took_s = time.process_time() - started_s
    if restored.engine.core.seq != run.engine.core.seq:
        raise SystemExit("the run is not the one that was written")
    return took_s / run.engine.core.seq * 1e6


def line_of(line: bytes) -> Any:
    """Read a line as `reader.read_lines` does."""
    record = codec.load(line)
    return codec.from_dict(record) if codec.is_event(record) else record


def host_kib(instances: int) -> int:
    """Run so many items in a host with all its parts, and give its memory when the last of them has ended."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "counts"))
    from memory_fleet import MemoryFleet

    from octogram_tui.journal.breakpoints import KeptBreakpoints
    from octogram_tui.report.headless import Output, run_headless
    from octogram_tui.runtime import host

    fleet = MemoryFleet(ack_every=1)
    seen: list[int] = []

    def look() -> None:
        gc.collect()
        seen.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 10)

    fleet.on_stop = look
    vars(host)["Transports"] = fleet.transports
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        folder = Path(name)
        kept = KeptBreakpoints(folder / "breakpoints", "s")
        settings = host.HostSettings(run_dir=folder, socket=folder / "s", lease_s=60.0, kept_breakpoints=kept)
        scenario = scenario_of(10, of_items(instances // 10, PLAIN))
        if run_headless(scenario, RunOptions("run"), settings, Output(level=-1)):
            raise SystemExit("the run failed")
    return seen[0]


def host_memory(few: int, many: int) -> None:
    """Print what finished instances leave in the host."""
    found = {}
    for count in (few, many):
        command = [sys.executable, __file__, "host", str(count)]
        found[count] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    each = (found[many] - found[few]) * 1024 / (many - few)
    print("\nMemory of the host, with its journal and a report (1 round)\n\n| instances | MiB |\n|---|---|")
    for count, kib in found.items():
        print(f"| {count:,} | {kib / 1024:.1f} |")
    print(f"\n{each:.0f} B an instance\n")
    tell("memory of 100,000 finished instances in the host", each * 100_000 / (1 << 20), at_most=12, unit="MiB")


def most_of_a_turn(scenario: Scenario, look: Callable[[Run], float]) -> float:
    """Give the most that one turn did: events, or milliseconds."""
    return look(Run(scenario).go())


def step_us(scenario: Scenario) -> float:
    """Give what one step costs with all agents held."""
    run = Run(scenario, start_paused=True).go()
    run.feed(StepRequest())
    run.seconds.clear()
    run.fed.clear()
    for _ in range(20):
        run.feed(StepRequest())
    return run.each_us(StepRequest)


def stop_us(scenario: Scenario) -> float:
    """Give what stopping costs for each agent of a stage that is under way, or is to come there."""
    run = Run(scenario).go(lambda stimulus: isinstance(stimulus, AttemptReport))
    run.feed(PauseRequest())
    run.seconds.clear()
    run.feed(StopRequest())
    return run.seconds[StopRequest] / len(scenario.agents) * 1e6


def main() -> None:
    """Print all tables."""
    if sys.argv[1:2] == ["host"]:  # in a process of its own
        print(host_kib(int(sys.argv[2])))
        return
    is_whole = "--whole" in sys.argv
    rounds = next((int(word) for word in sys.argv[1:] if word.isdigit()), 2)
    most = 1_000_000 if is_whole else 200_000
    fleets = {n: scenario_of(n, *(f"name: job {j}, {PLAIN}" for j in range(20_000 // n))) for n in (10, 100, 1_000)}
    fleets[10_000] = scenario_of(10_000, f"name: one, {PLAIN}", f"name: two, {PLAIN}")
    table(
        "An instance, over agents",
        "µs",
        {f"{n:,} agents": lambda s=s: instance_us(s) for n, s in fleets.items()},  # type: ignore[misc]
        rounds,
        1.2,
    )
    runs = {n: scenario_of(10, of_items(n // 10)) for n in (1_000, 10_000, most)}
    table(
        "An instance, over instances; templates in its arguments",
        "µs",
        {f"{n:,} instances": lambda s=s: instance_us(s) for n, s in runs.items()},  # type: ignore[misc]
        1 if is_whole else rounds,
        1.2,
    )
    for word, cost in (("coming up", up_us), ("stopping", down_us)):
        table(
            f"An agent, {word}",
            "µs",
            {f"{n:,} agents": lambda n=n, f=cost: f(fleets[n]) for n in (100, 1_000, 10_000)},  # type: ignore[misc]
            rounds,
            1.2,
        )
    kept = {n: scenario_of(1, of_items(n, PLAIN, ", register: out")) for n in (100, 1_000, 10_000)}
    table(
        "The journal of an instance that registers, over items",
        "bytes",
        {f"{n:,} items": lambda s=s: registered_bytes(s) for n, s in kept.items()},  # type: ignore[misc]
        1,
        1.1,
    )
    table(
        "An instance that registers, over items",
        "µs",
        {f"{n:,} items": lambda s=s: instance_us(s) for n, s in kept.items()},  # type: ignore[misc]
        rounds,
    )
    many = {n: scenario_of(10, of_items(n, PLAIN, ", run_items: concurrent")) for n in (100, 1_000, 10_000)}
    for unit, look in (("events", lambda run: run.most_events), ("ms", lambda run: run.longest_s * 1e3)):
        table(
            "The most that one turn did, ten lanes of concurrent items",
            unit,
            {f"{n:,} items": lambda s=s, f=look: most_of_a_turn(s, f) for n, s in many.items()},  # type: ignore[misc]
            1 if unit == "events" else rounds,
        )
    table(
        "The longest turn of all, twenty thousand instances",
        "ms",
        {f"{n:,} agents": lambda s=s: most_of_a_turn(s, lambda run: run.longest_s * 1e3) for n, s in fleets.items()},  # type: ignore[misc]
        rounds,
    )
    with tempfile.TemporaryDirectory() as folder:
        table(
            "An event of a journal that is read and gone through again",
            "µs",
            {
                f"{n:,} events": lambda n=n: resumed_us(Path(folder), n // 2)  # type: ignore[misc]
                for n in (2_000, 20_000, 1_000_000 if is_whole else 100_000)
            },
            1,
            1.2,
        )
    host_memory(10_000, 100_000 if is_whole else 40_000)
    lanes = {
        n: scenario_of(n, f"name: one, {PLAIN}", stage="\n    run_agents: sequential") for n in (100, 1_000, 4_000)
    }
    table(
        "A step, with a lane of each agent held",
        "µs",
        {f"{n:,} agents": lambda s=fleets[n]: step_us(s) for n in (100, 1_000, 10_000)},  # type: ignore[misc]
        rounds,
    )
    table(
        "Stopping a sequential stage, for each agent",
        "µs",
        {f"{n:,} agents": lambda s=s: stop_us(s) for n, s in lanes.items()},  # type: ignore[misc]
        rounds,
    )
    table(
        "What a finished instance leaves",
        "bytes",
        {
            "100,000 items on 10 agents": lambda: bytes_left(scenario_of(10, of_items(10_000))),
            "20,000 jobs on 1,000 agents": lambda: bytes_left(fleets[1_000]),
            "20,000 jobs on 10,000 agents": lambda: bytes_left(fleets[10_000]),
        },
        1,
    )


if __name__ == "__main__":
    main()
