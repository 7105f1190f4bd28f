#!/usr/bin/env python3
"""What the console costs while a large run goes on: in a real pseudo-terminal, attached over a socket.

    python bench/console.py [AGENTS [JOBS [SECONDS]]] [--size 200x60] [--rate 0 --rate 10000] [--lines 50000]

A pretended host sends events of AGENTS agents that do JOBS jobs each: first three quarters of the run as its history,
then the rest, so many a second; at last fifty of the agents print so many lines a second. Each row is one stretch of
SECONDS. The contender is the same screen without an event,
which is what the ratio is to. Between two keys are 0.1 s; from a key to its effect is timed from outside: until the
cursor is seen on another row. A frame is what the console brackets as one update.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import pty
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from paired import tell

STAGES = 10
PRINTS = 20
KEY_S = 0.1
TURN_S = 0.01
LONGEST_S = 60.0
LOST_S = 5.0
BEGINS, ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
MOVE = re.compile(rb"\x1b\[(\d+);(\d+)H")
CORE = os.sysconf("SC_CLK_TCK")


def events(agents: int, jobs: int) -> Iterator[object]:
    """Tell of a run in which all agents do the same jobs, side by side: three events for each."""
    from datetime import UTC, datetime

    from octogram_tui.engine import events as ev
    from octogram_tui.model.ids import InstanceId

    names = [f"node_{number}" for number in range(agents)]
    each = jobs // STAGES
    plan = [
        {
            "stage": f"stage {stage}",
            "jobs": [{"job": f"job {n}", "procedure": "builtins.command"} for n in range(each)],
        }
        for stage in range(STAGES)
    ]
    yield ev.RunStarted(
        run="bench",
        scenario="bench.yml",
        started_wall=datetime.now(UTC).isoformat(),
        plan=plan,
        agents=[{"agent": name, "address": "10.0.0.1", "transport": "ssh"} for name in names],
        variables={"level": 1},
    )
    for name in names:
        yield ev.AgentReady(agent=name, home=f"/run/{name}", host=name, python="3.11", pid=1)
    for stage in range(STAGES):
        yield ev.StageStarted(stage=f"stage {stage}", agents=names)
        for job in range(each):
            keys = [InstanceId(f"stage {stage}", f"job {job}", name) for name in names]
            for place in range(len(keys) + 50):  # fifty at once
                if place < len(keys):
                    yield ev.JobStarted(instance=keys[place], arguments={"argv": ["work", str(place)]})
                    text = f"did {place} of {len(keys)}, and found nothing"
                    yield ev.JobOutput(instance=keys[place], agent=names[place], lines=[text])
                if place >= 50:
                    result = {"exit_code": 0, "stdout": ""}
                    yield ev.JobFinished(instance=keys[place - 50], state="ok", duration_s=0.5, result=result)
        yield ev.StageFinished(stage=f"stage {stage}", state="ok", duration_s=1.0)


def printed(agents: int, lines: int, seconds: float, first_seq: int) -> list[bytes]:
    """Give what fifty agents print: so many lines a second, twenty times a second each tells of some."""
    from octogram_tui.engine import events as ev
    from octogram_tui.journal import codec
    from octogram_tui.model.ids import InstanceId

    names = [f"node_{number}" for number in range(min(50, agents))]
    each = max(1, lines // (PRINTS * len(names)))
    found = []
    for turn in range(int(seconds * PRINTS) + 1):
        for name in names:
            about = InstanceId(f"stage {STAGES - 1}", "job 0", name)
            text = [f"{turn:6} {line:4} GET /index.html 200 of {name}, in {line % 97} ms" for line in range(each)]
            event = ev.JobOutput(instance=about, agent=name, attempt=2, lines=text)
            event.seq, event.at_s = first_seq + len(found), round(100 + turn / PRINTS, 4)
            found.append(codec.encode(event))
    return found


def write_journal(path: Path, agents: int, jobs: int) -> list[bytes]:
    """Write the run, and give its lines."""
    from octogram_tui.journal import codec

    lines = []
    for seq, event in enumerate(events(agents, jobs), 1):
        event.seq, event.at_s = seq, round(seq / 10_000, 4)
        lines.append(codec.encode(event))
    path.write_bytes(b"".join(lines))
    return lines


def open_console(socket: str, journal: str) -> None:
    """Be the console, as `octogram-tui attach` is."""
    from octogram_tui import settings
    from octogram_tui.journal.history import JournalHistory
    from octogram_tui.runtime.client import Client
    from octogram_tui.tui.opening import run_console

    async def session() -> None:
        client = await Client.connect(socket)
        history = JournalHistory(Path(journal))
        await run_console(client, settings.load(), scenario_path="bench.yml", history=history)

    asyncio.run(session())


class Stretch(NamedTuple):
    """What was seen of one stretch of time."""

    name: str
    seconds: float
    cpu_s: float
    frames: int
    size_bytes: int
    keys_s: list[float]
    memory_mib: float

    @property
    def core(self) -> float:
        """How much of a core the console took."""
        return self.cpu_s / self.seconds

    @property
    def p99_s(self) -> float:
        """How long a key took, but for the slowest of a hundred."""
        keys = sorted(self.keys_s) or [float("inf")]
        return keys[min(len(keys) - 1, int(len(keys) * 0.99))]

    def row(self, idle: Stretch) -> str:
        """Give it as a line of the table."""
        keys = [each * 1000 for each in sorted(self.keys_s) or [float("nan")]]
        ratio = self.core / idle.core if idle.core else float("nan")
        return (
            f"| {self.name} | {self.core * 100:.0f} % | {ratio:.1f} x | {self.frames / self.seconds:.1f} | "
            f"{self.cpu_s / max(1, self.frames) * 1000:.1f} | {self.size_bytes / self.seconds / 1000:.0f} | "
            f"{keys[0]:.0f} / {statistics.median(keys):.0f} / {self.p99_s * 1000:.0f} / {keys[-1]:.0f} | "
            f"{self.memory_mib:.0f} |"
        )


class Terminal:
    """A console in a pseudo-terminal. It is told that updates can be bracketed; what it writes is seen."""

    def __init__(self, command: list[str], size: tuple[int, int], environment: dict[str, str]) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(master, False)
        self.master = master
        self.frames = self.size_bytes = 0
        self.first_frame_s: float | None = None
        self.keys_s: list[float] = []
        self._cursor = b""  # how its ground is set
        self._row = 0
        self._pressed_s: float | None = None
        self._is_down = False
        self._rest = b""

    def take(self) -> None:
        """Read what came."""
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self.master, 1 << 20):
                self._see(data)

    def _see(self, data: bytes) -> None:
        self.size_bytes += len(data)
        if b"\x1b[?2026$p" in data:
            os.write(self.master, b"\x1b[?2026;2$y")
        *frames, self._rest = (self._rest + data).split(ENDS)
        for frame in frames:
            self.frames += 1
            if self.first_frame_s is None:
                self.first_frame_s = time.monotonic()
            if self._cursor and self._cursor in frame:
                self._look_for_cursor(frame)
        self._rest = self._rest[-2_000_000:]

    def know_cursor(self, ground: bytes) -> None:
        """Say what only the line under the cursor is drawn with."""
        self._cursor = ground

    def _look_for_cursor(self, frame: bytes) -> None:
        parts = MOVE.split(frame)
        for row, text in zip(parts[1::3], parts[3::3], strict=True):
            if self._cursor in text:
                at = int(row)
                if at != self._row:
                    self._row = at
                    if self._pressed_s is not None:
                        self.keys_s.append(time.monotonic() - self._pressed_s)
                        self._pressed_s = None
                return

    def press(self) -> None:
        """Move the cursor, down and up in turns, unless the key before was not answered yet."""
        if self.waits_s > LOST_S:  # at an edge: there was nowhere to go
            self.keys_s.append(self.waits_s)
            self._pressed_s = None
        if self._pressed_s is None:
            self._pressed_s = time.monotonic()
            os.write(self.master, b"\x1b[A" if self._is_down else b"\x1b[B")
            self._is_down = not self._is_down

    @property
    def waits_s(self) -> float:
        """How long a key has waited for its answer."""
        return 0.0 if self._pressed_s is None else time.monotonic() - self._pressed_s

    def cpu_s(self) -> float:
        """How much CPU the console has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CORE

    def memory_mib(self) -> float:
        """How much memory it has now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024  # type: ignore[index]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


async def watch(terminal: Terminal, name: str, seconds: float, lines: list[bytes], rate: int, send: object) -> Stretch:
    """Let time pass: lines are sent, keys are pressed, what is written is seen."""
    cpu_s, frames, size_bytes, keys = terminal.cpu_s(), terminal.frames, terminal.size_bytes, len(terminal.keys_s)
    began_s = next_key_s = time.monotonic()
    sent = 0
    while (now_s := time.monotonic()) - began_s < seconds:
        due = int((now_s - began_s) * rate)
        if due > sent:
            send(b"".join(lines[sent:due]))  # type: ignore[operator]
            sent = due
        terminal.take()
        if now_s >= next_key_s:
            terminal.press()
            next_key_s = now_s + KEY_S
        await asyncio.sleep(TURN_S / 5)
    took_s = time.monotonic() - began_s
    del lines[:sent]
    return Stretch(
        name,
        took_s,
        terminal.cpu_s() - cpu_s,
        terminal.frames - frames,
        terminal.size_bytes - size_bytes,
        terminal.keys_s[keys:],
        terminal.memory_mib(),
    )


async def measure(
    lines: list[bytes],
    prints: list[bytes],
    journal: Path,
    size: tuple[int, int],
    rates: list[int],
    seconds: float,
    home: Path,
) -> None:
    """Open one console, and print its table."""
    lines, prints = list(lines), list(prints)
    socket = str(home / f"{size[0]}.sock")
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(lambda _, writer: writers.append(writer), socket)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE")},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_RUNTIME_DIR": str(home),
    }
    began_s = time.monotonic()
    command = [sys.executable, __file__, "--console", socket, str(journal)]
    terminal = Terminal(command, size, environment)
    try:
        while not writers:  # noqa: ASYNC110
            await asyncio.sleep(TURN_S)
        writers[0].write(b'{"control": true, "consoles": 1}\n')
        from octogram_tui.tui import theme

        ground = theme.palette(theme.DEFAULT, None).styles["cursor"].bgcolor
        red, green, blue = ground.triplet  # type: ignore[union-attr, misc]
        terminal.know_cursor(f"48;2;{red};{green};{blue}".encode())
        much = len(lines) * 3 // 4
        history = b"".join(lines[:much])
        del lines[:much]
        writers[0].write(history)
        while terminal.first_frame_s is None:
            terminal.take()
            await asyncio.sleep(TURN_S)
        first_s = terminal.first_frame_s - began_s
        os.write(terminal.master, b"\x1b[H")
        # The history is taken in when the console has become as good as idle again.
        terminal.press()
        last, quiet = terminal.cpu_s(), 0
        next_key_s = time.monotonic()
        while quiet < 4 and time.monotonic() - began_s < LONGEST_S:
            for _ in range(25):
                terminal.take()
                if time.monotonic() >= next_key_s:
                    terminal.press()
                    next_key_s = time.monotonic() + KEY_S
                await asyncio.sleep(TURN_S)
            now = terminal.cpu_s()
            quiet = quiet + 1 if now - last < 0.15 and not writers[0].transport.get_write_buffer_size() else 0
            last = now
        taken_s = time.monotonic() - began_s - 1.0
        keys = sorted(terminal.keys_s) or [float("nan")]
        print(f"\n{size[0]}x{size[1]}: first frame after {first_s:.2f} s; a history of {much} events is taken in after")
        print(
            f"{taken_s:.1f} s and {last:.1f} s of CPU; keys meanwhile: median {statistics.median(keys) * 1000:.0f} ms, "
            f"worst {keys[-1] * 1000:.0f} ms\n"
        )
        print(
            "| a second | of a core | ratio | frames/s | ms CPU a frame | kB/s | "
            "key to paint min/median/p99/max ms | MiB |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)
        seen: list[Stretch] = []
        for rate in rates:
            seen.append(await watch(terminal, f"{rate} events", seconds, lines, rate, writers[0].write))
            print(seen[-1].row(seen[0]), flush=True)
            await asyncio.sleep(0.5)
        stretch = seen[-1]
        if prints:
            rate = int(len(prints) / (seconds + 1 / PRINTS))
            count = prints[0].count(b"GET ") * rate
            seen.append(await watch(terminal, f"{count} lines", seconds, prints, rate, writers[0].write))
            print(seen[-1].row(seen[0]), flush=True)
        words = f"console {size[0]}x{size[1]}, {stretch.name} a second"
        print()
        tell(f"{words}: frames a second", round(stretch.frames / stretch.seconds), at_least=30, unit="")
        tell(f"{words}: of a core", stretch.core * 100, at_most=30, unit="%")
        tell(f"{words}: CPU a frame", stretch.cpu_s / max(stretch.frames, 1) * 1000, at_most=5, unit="ms")
        tell(f"{words}: memory", stretch.memory_mib, at_most=150, unit="MiB")
        words = f"console {size[0]}x{size[1]}, keys alone"
        tell(f"{words}: of a core", seen[0].core * 100, at_most=15, unit="%")
        tell(f"{words}: key to paint, median", statistics.median(seen[0].keys_s) * 1000, at_most=20, unit="ms")
        for each in seen[1:]:
            words = f"console {size[0]}x{size[1]}, {each.name} a second"
            tell(f"{words}: key to paint, p99", each.p99_s * 1000, at_most=50, unit="ms")
    finally:
        terminal.close()
        server.close()


def main() -> None:
    """Measure each size, or be the console."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agents", nargs="?", type=int, default=1_000)
    parser.add_argument("jobs", nargs="?", type=int, default=100)
    parser.add_argument("seconds", nargs="?", type=float, default=4.0)
    parser.add_argument("--size", action="append", default=[])
    parser.add_argument("--rate", action="append", type=int, default=[])
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--console", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.console:
        open_console(*options.console)
        return
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder, "journal.jsonl")
        lines = write_journal(journal, options.agents, options.jobs)
        prints = printed(options.agents, options.lines, options.seconds, len(lines) + 1) if options.lines else []
        for size in options.size or ["80x24", "120x40", "200x60"]:
            columns, _, rows = size.partition("x")
            rates = options.rate or [0, 2_000, 10_000]
            asyncio.run(
                measure(lines, prints, journal, (int(columns), int(rows)), rates, options.seconds, Path(folder))
            )


if __name__ == "__main__":
    main()
