#!/usr/bin/env python3
"""What the daemon costs beside the bare pieces: a start, one more trivial job, a stop.

    python bench/daemon.py [JOBS [ROUNDS [CHECKOUT ...]]]

The floor of a start is `python3 -IS` that does nothing; that of a job is a daemon of JSON lines that starts /bin/true
with two pipes, reads both to their ends and waits, and the same as a mere loop. All take turns; what is counted is the
CPU of the processes themselves, as the kernel gives it to the nanosecond, so that a busy machine says little else.
Daemons of other checkouts, whose names are given, are measured beside ours. Where strace is there, it counts the calls
of the system of a job.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from paired import tell

HERE = Path(__file__).resolve().parent.parent
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
BLOCK = 100  # jobs of one contender before the next has its turn
BRINGING_S = 5.0
PR_SET_CHILD_SUBREAPER = 36
BOOT = (
    "import sys;sys.path[:0]=[sys.argv[1],sys.argv[1]+'/agentd'];from octogram_tui.model.scenario import BinarySource;"
    "from octogram_tui.transport.bundle import *;import json;args=json.loads(sys.argv[2]);"
    "open(sys.argv[3],'wb').write(build_bundle().data);"
    "print(json.dumps([boot_argv(BinarySource(),build_bundle(),python=sys.argv[4],nonce='n',args=args),"
    "local_argv(nonce='n',args=args,python=sys.argv[4])]))"
)
FLOOR = """
import os, sys
def spawn():
    out, out_write = os.pipe()
    err, err_write = os.pipe()
    pid = os.posix_spawn("/bin/true", ["/bin/true"], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, out_write, 1), (os.POSIX_SPAWN_DUP2, err_write, 2)])
    os.close(out_write)
    os.close(err_write)
    for fd in out, err:
        while os.read(fd, 65536):
            pass
        os.close(fd)
    os.waitpid(pid, 0)
os.write(1, b"ready\\n")
while os.read(0, 1):
    spawn()
    os.write(1, b"\\n")
"""


def cpu_ms(*pids: int) -> float:
    """Give the CPU that processes have used so far."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e6


def family(pid: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def children_ms(how: int = 0) -> float:
    """Give the CPU of all that has ended below us, orphans included; how: WNOHANG does not wait for more to end."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


class Bare:
    """The loop without any daemon around it."""

    def __init__(self, before: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*before, PYTHON, "-ISXutf8", "-c", FLOOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdout is not None
        os.read(self._process.stdout.fileno(), 64)
        self.pid = list(family(self._process.pid))[-1]

    def job(self) -> None:
        """Run one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.write(self._process.stdin.fileno(), b"\n")
        os.read(self._process.stdout.fileno(), 64)

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class JsonLines(Bare):
    """The daemon without all that ours has: what the whole runs of peers.py are compared to."""

    def __init__(self) -> None:
        program = HERE / "bench" / "contenders" / "bare_agent.py"
        self._process = subprocess.Popen(
            [PYTHON, "-IS", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdout is not None
        os.read(self._process.stdout.fileno(), 64)
        self.pid = self._process.pid

    def job(self) -> None:
        """Run one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.write(self._process.stdin.fileno(), b'{"id": 1, "argv": ["/bin/true"]}\n')
        os.read(self._process.stdout.fileno(), 4096)


class Agent:
    """A daemon, its guard and its bridge, spoken to as the orchestrator does."""

    def __init__(self, argv: list[str], env: dict[str, str], bundle: bytes, before: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*before, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env
        )
        self._rest = b""
        self._sent = self._jobs = self._seen = 0
        if json.loads(self._line().split(None, 2)[2]).get("need"):
            view = memoryview(bundle)
            assert self._process.stdin is not None
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]
            self._line()
        hello = {"proto": [1, 1], "run": "bench", "agent": "a", "epoch": 1, "lease_s": 60, "rx": 0, "env": {}}
        self._send(t="hello", address="127.0.0.1", procedures=[], keep=False, bind="127.0.0.1", **hello)
        self.pid = self._take("welcome")["pid"]
        self.up_ms = cpu_ms(*self.pids) if not before else 0.0

    @property
    def pids(self) -> list[int]:
        """Its processes."""
        return list(family(self._process.pid))

    def job(self) -> None:
        """Run one."""
        self._jobs += 1
        argv = {"argv": ["/bin/true"]}
        self._send(t="run", id=f"all/job {self._jobs}@a#1", procedure="builtins.command", args=argv)
        finished = self._take("finished")
        assert finished["state"] == "ok", finished
        if finished["seq"] - self._seen >= 20:
            self._seen = finished["seq"]
            self._send(t="ack", seq=self._seen)

    def ask_to_stop(self) -> None:
        """Say that it is to end."""
        self._send(t="stop", grace_s=5, keep=False)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        self.ask_to_stop()
        self.ended()

    def ended(self) -> None:
        """Wait for the end."""
        self._send(t="ack", seq=self._take("stopped")["seq"])
        with contextlib.suppress(EOFError):
            while True:
                self._line()
        self._process.wait()

    def _send(self, **message: Any) -> None:
        if message["t"] in ("run", "stop"):
            self._sent += 1
            message["seq"] = self._sent
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), json.dumps(message).encode() + b"\n")

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise EOFError(self._rest)
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _take(self, kind: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self._line())
            if message["t"] == kind:
                return message


class Program:
    """The daemon's program of one checkout, and a machine's home for it."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.name = "the daemon" if checkout == HERE else f"that of {checkout.name}"
        self._home = folder / self.name.replace(" ", "-")
        self._home.mkdir()
        self._count = 0
        args = json.dumps(["attach", "--run", "bench", "--agent", "a"])
        bundle = folder / f"{self._home.name}.pyz"
        made = subprocess.run(
            [sys.executable, "-c", BOOT, checkout, args, bundle, PYTHON], capture_output=True, check=True
        )
        self._boot, self._local = json.loads(made.stdout)
        self._bundle = bundle.read_bytes()

    def bring(self) -> None:
        """Boot once, and give the agent the time to keep the program as code."""
        agent = self.start("boot")
        agent.job()
        deadline_s = time.monotonic() + BRINGING_S
        while time.monotonic() < deadline_s and not list(self._home.rglob("*.code")):
            time.sleep(0.1)
        agent.stop()
        self.start("local").stop()

    def start(self, way: str = "local", before: tuple[str, ...] = ()) -> Agent:
        """Start an agent as over SSH, or as here; each has a directory of its own."""
        self._count += 1
        argv = self._local if way == "local" else self._boot
        root = self._home / f"runs-{self._count}"
        argv = [word.replace("'bench'", f"'bench', '--root', '{root}'") for word in argv]
        env = {**os.environ, "HOME": str(self._home)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        if way == "local":
            return Agent([*argv, "--root", str(root)], env, self._bundle, before)
        env["HOME"] = str(self._home)
        return Agent(argv, env, self._bundle, before)


def table(title: str, unit: str, found: dict[str, list[float]]) -> float:
    """Print medians, and how they compare to the first one; gives the second one's ratio."""
    first = statistics.median(next(iter(found.values())))
    print(f"\n{title}\n\n| contender | median {unit} | min | max | ratio |\n|---|---|---|---|---|")
    for name, values in found.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.3f} | {min(values):.3f} | {max(values):.3f} | {median / first:.2f} x |")
    return statistics.median(list(found.values())[1]) / first


def bare_start() -> float:
    """Give the CPU of an interpreter that does nothing."""
    before = children_ms()
    subprocess.run([PYTHON, "-IS", "-c", "pass"], check=True)
    return children_ms() - before


def starts(programs: list[Program], rounds: int) -> None:
    """Print what a start costs until the daemon has greeted, and all of an agent that runs one job and ends."""
    for program in programs:
        program.bring()
    up: dict[str, list[float]] = {"`python3 -IS`": []}
    whole: dict[str, list[float]] = {"`python3 -IS`": []}
    for _ in range(rounds):
        spent = bare_start()
        for found in (up, whole):
            found["`python3 -IS`"].append(spent)
        for program in programs:
            for way in ("boot", "local"):
                before = children_ms()
                agent = program.start(way)
                agent.job()
                agent.stop()
                up.setdefault(f"{program.name}, {way}", []).append(agent.up_ms)
                whole.setdefault(f"{program.name}, {way}", []).append(children_ms() - before)
    ratio = table(f"From the start to the welcome, all processes of an agent ({rounds} rounds)", "ms CPU", up)
    print()
    tell("an agent's start over SSH, to `python3 -IS`", ratio, at_most=4.2)
    table("An agent from its start to its end, one job", "ms CPU", whole)


def jobs(programs: list[Program], count: int) -> None:
    """Print what one more job costs: of the process alone, and with /bin/true."""
    contenders: dict[str, Bare | Agent] = {
        "bare daemon of JSON lines": JsonLines(),
        **{each.name: each.start() for each in programs},
        "bare loop": Bare(),
    }
    own: dict[str, list[float]] = {name: [] for name in contenders}
    grown: dict[str, int] = {}
    children: dict[str, float] = {}
    for number in range(count // BLOCK + 1):
        for name, contender in contenders.items():
            before = cpu_ms(contender.pid)
            for _ in range(BLOCK):
                contender.job()
            if number:
                own[name].append((cpu_ms(contender.pid) - before) / BLOCK)
            else:
                grown[name], children[name] = private_kib(contender.pid), waited_ms(contender.pid)
    jobs = count // BLOCK * BLOCK
    each_ms = {name: (waited_ms(one.pid) - children[name]) / jobs for name, one in contenders.items()}  # told in ticks
    whole = {name: [value + each_ms[name] for value in values] for name, values in own.items()}
    table(f"One more /bin/true, the process itself ({jobs} jobs in blocks of {BLOCK})", "ms CPU", own)
    ratio = table("One more /bin/true, with the program", "ms CPU", whole)
    print()
    tell("one more job there, to a bare daemon", ratio, at_most=1.2)
    left = {name: (private_kib(one.pid) - grown[name]) * 1024 / count for name, one in contenders.items()}
    print("\nmemory left by a job, bytes:", ", ".join(f"{name} {left[name]:.0f}" for name in left), flush=True)
    for contender in contenders.values():
        contender.stop()


def waited_ms(pid: int) -> float:
    """Give the CPU of the children that a process has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK")


def private_kib(pid: int) -> int:
    """Give the memory that nobody else has."""
    found = re.findall(r"Private_\w+: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    return sum(map(int, found))


def stops(program: Program, agents: int) -> None:
    """Print what it costs to stop many agents of one machine at once."""
    found: dict[str, list[float]] = {}
    for count in (1, agents):
        running = [program.start() for _ in range(count)]
        for one in running:
            one.job()
        before = sum(cpu_ms(*one.pids) for one in running) + children_ms(os.WNOHANG)
        for one in running:
            one.ask_to_stop()
        for one in running:
            one.ended()
        found[f"{count} at once"] = [(children_ms() - before) / count]
    table("Stopping agents of one machine, each", "ms CPU", found)


def calls(programs: list[Program]) -> None:
    """Print how often a job calls the system."""
    if shutil.which("strace") is None:
        return
    few, many = 20, 120
    makers: dict[str, Callable[[tuple[str, ...]], Bare | Agent]] = {"bare loop": Bare}
    for program in programs:
        makers[program.name] = lambda before, program=program: program.start(before=before)
    found = {}
    for name, make in makers.items():
        with tempfile.TemporaryDirectory() as folder:
            counts = []
            for number in (few, many):
                trace = f"{folder}/{number}"
                contender = make(("strace", "-ff", "-qq", "-e", "signal=none", "-o", trace))
                for _ in range(number):
                    contender.job()
                pid = contender.pid
                contender.stop()
                counts.append(len(Path(f"{trace}.{pid}").read_text().splitlines()))
            found[name] = [(counts[1] - counts[0]) / (many - few)]
    table("Calls of the system for one more /bin/true, its own left out", "calls", found)


def main() -> None:
    """Print all of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        programs = [Program(path, Path(folder)) for path in (HERE, *(Path(name).resolve() for name in sys.argv[3:]))]
        starts(programs, rounds)
        jobs(programs, count)
        calls(programs)
        stops(programs[0], 50)


if __name__ == "__main__":
    main()
