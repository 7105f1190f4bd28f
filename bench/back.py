"""Back by one event in a long run: at its event 100 and at its last, in turns, and what memory it takes.

`python bench/back.py [EVENTS [ROUNDS]]`: a journal of EVENTS (1,000,000) is pretended, folded as the console does, and
gone about in. The bound is the console's of a key: 50 ms until it is painted, wherever in the run.
"""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from paired import tell

from octogram_tui.commands.replay import Recording
from octogram_tui.engine import events as ev
from octogram_tui.journal import codec, seal
from octogram_tui.journal.history import JournalHistory
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.model import Model

AGENTS = 40
STAGES = 12
JOBS = 5
EARLY = 100


def pretended(count: int) -> Iterator[ev.Event]:
    """Give a run of forty agents, twelve stages and sixty jobs that writes a lot, fails now and then, and is rerun."""
    chance = random.Random(3)
    agents = [f"node_{n}" for n in range(AGENTS)]
    plan = [
        {
            "stage": f"stage {s}",
            "line": s,
            "jobs": [{"job": f"job {j}", "procedure": "builtins.shell"} for j in range(JOBS)],
        }
        for s in range(STAGES)
    ]
    yield ev.RunStarted(
        run="r",
        scenario="s.yml",
        started_wall="2026-01-05T12:00:00+00:00",
        plan=plan,  # type: ignore[arg-type]
        agents=[{"agent": name} for name in agents],
        variables={f"v{n}": n for n in range(30)},
    )
    for name in agents:
        yield ev.AgentReady(agent=name, home=f"/home/{name}")
    lines = max(1, (count - 1_000) // (STAGES * JOBS * AGENTS * 3))
    attempt = 0
    while True:  # each pass is another time through all stages
        attempt += 1
        for s in range(STAGES):
            yield ev.StageStarted(stage=f"stage {s}", agents=agents, rerun=attempt > 1)
            for j in range(JOBS):
                here = [InstanceId(f"stage {s}", f"job {j}", name) for name in agents]
                why = "first" if attempt == 1 else "rerun"
                for each in here:
                    yield ev.JobStarted(
                        instance=each,
                        attempt=attempt,
                        procedure="builtins.shell",
                        why=why,
                        arguments={"script": "run it with " + "x" * 100},
                    )
                for _ in range(lines):
                    for each in here:
                        yield ev.JobOutput(agent=each.agent, instance=each, attempt=attempt, lines=["y" * 60])
                for each in here:
                    failure = Failure("exit", "it failed") if chance.random() < 0.01 else None
                    yield ev.JobFinished(
                        instance=each,
                        attempt=attempt,
                        state="failed" if failure else "ok",
                        failure=failure,
                        result={"status": 0, "stdout": "z" * 100},
                        duration_s=1.0,
                    )
                yield ev.VariableChanged(name=f"v{chance.randrange(30)}", value=attempt, by=str(here[0]))


def write(path: Path, count: int) -> None:
    """Write the journal, sealed as a run's is."""
    with path.open("wb") as file:
        data, crc = seal.sealed([codec.header("r", "bench")], 0)
        file.write(data)
        for seq, event in zip(range(1, count + 1), pretended(count), strict=False):
            event.seq, event.at_s = seq, seq / 500
            data, crc = seal.sealed([codec.encode(event)], crc)
            file.write(data)


def resident_mb() -> float:
    """Say how much memory the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def folded(path: Path, *, goes_back: bool) -> tuple[Model, float, float]:
    """Fold a journal as the console does; the model, the seconds that took and the memory."""
    gc.collect()
    before = resident_mb()
    model = Model(clock=lambda: 0.0, is_replay=True, history=JournalHistory(path) if goes_back else None)
    started_s = time.process_time()
    batch: list[ev.Event] = []
    for event in JournalHistory(path).after(0):
        batch.append(event)
        if len(batch) == 1000:
            model.apply(batch)
            batch = []
    model.apply(batch)
    took_s = time.process_time() - started_s
    gc.collect()
    return model, took_s, resident_mb() - before


def back_from(model: Model, seq: int) -> float:
    """Go to a moment, let it settle as the console does, and time one event back."""
    model.time.go_to(seq)
    model.time.step(-1)
    for _ in model.time.preparing():
        pass
    started_s = time.process_time()
    model.time.step(-1)
    return time.process_time() - started_s


def unprepared_from(model: Model, seq: int) -> float:
    """Time one event back that comes before the next could be made ready."""
    model.time.go_to(seq)
    model.time.step(-1)
    started_s = time.process_time()
    model.time.step(-1)
    return time.process_time() - started_s


async def drawn(path: Path, count: int, rounds: int) -> dict[int, list[float]]:
    """Time one event back from two moments with all that is drawn then, in turns; in milliseconds."""
    source = Recording(path)
    app = ConsoleApp(source, scenario_path="s.yml", replay=True, history=JournalHistory(path))
    app.animation_level = "none"
    found: dict[int, list[float]] = {EARLY: [], count: []}
    async with app.run_test(size=(120, 40)) as pilot:
        while app.model.head.seq < count:
            await pilot.pause(0.05)
            if source.failure is not None:
                raise source.failure
        screen = app.run_screen
        assert screen is not None
        for _ in range(rounds + 1):
            for seq, times in found.items():
                app.model.time.go_to(seq)
                screen.moment_changed()
                screen.action_event(-1)
                await pilot.pause()
                started_s = time.process_time()
                screen.action_event(-1)
                screen._compositor.render_strips()
                times.append((time.process_time() - started_s) * 1e3)
    return {seq: times[1:] for seq, times in found.items()}


def row(name: str, late: list[float], ratios: list[float]) -> None:
    """Print a line of the table."""
    shown = [f(values) for values in (late, ratios) for f in (min, statistics.median, max)]
    print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in shown) + " |")


def main() -> None:
    """Compare."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal.jsonl"
        write(path, count)
        size_mb = path.stat().st_size / 1e6
        plain, plain_s, plain_mb = folded(path, goes_back=False)
        del plain
        model, took_s, took_mb = folded(path, goes_back=True)
        copies = model.time.copies
        print(f"\n{count} events, {size_mb:.0f} MB of journal, {len(model.board.instances)} instances\n")
        print(
            f"folded in {took_s:.1f} s and {took_mb:.0f} MB; without going back {plain_s:.1f} s and {plain_mb:.0f} MB"
        )
        print(f"{len(copies)} copies, {copies.size_bytes / 1e6:.1f} MB\n")
        print("| back by one event | CPU ms at the end: min | median | max | ratio to event 100: min | median | max |")
        print("|---|---|---|---|---|---|---|")
        for name, act in (("in turn", back_from), ("faster than it is made ready", unprepared_from)):
            late, ratios = [], []
            for _ in range(rounds):
                early_s = act(model, EARLY)
                late_s = act(model, count)
                late.append(late_s * 1e3)
                ratios.append(late_s / early_s)
            row(name, late, ratios)
        times = asyncio.run(drawn(path, count, rounds))
        row("with all that is drawn", times[count], [a / b for a, b in zip(times[count], times[EARLY], strict=True)])
        jumps = []
        for _ in range(rounds):
            started_s = time.process_time()
            model.time.go_to(random.randrange(1, count))
            jumps.append((time.process_time() - started_s) * 1e3)
        print(
            f"\nto any moment: min {min(jumps):.0f}, median {statistics.median(jumps):.0f}, max {max(jumps):.0f} CPU ms"
        )
        print(f"memory then: {resident_mb():.0f} MB in all\n")
        words = f"at event {count:,}"
        tell(
            f"back by one event {words}, with all that is drawn", statistics.median(times[count]), at_most=50, unit="ms"
        )


if __name__ == "__main__":
    main()
