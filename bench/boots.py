#!/usr/bin/env python3
"""How long it takes until agents are up, against as many bare ones: Pythons that load nothing and answer one line.

    python bench/boots.py [ROUNDS [CASE ...]]            tables: on this machine, over SSH to one machine and to many
    python bench/boots.py slow [AGENTS [LOGIN_S [PROGRAM]]]    a whole run whose agents are behind a slow login

A case is WAY:AGENTS, with WAY one of `local`, `machine` (all agents on one) and `machines` (each on its own address).
Bare agents over SSH have ten to a connection, by asyncssh with options made once. LOGIN_S is the CPU that every login
takes before the boot, burnt by a `.bashrc` as pyenv or conda would. Needs sshd (started here, on a port of its own),
and bash as the login shell of whoever runs this.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import getpass
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from paired import tell
from sshd import serving

PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
CASES = ("local:97", "machine:200", "machines:50")
TARGETS = {"local": 1.3, "machine": 1.3, "machines": 1.1}  # the whole time, to that of the bare ones
WAYS = {"local": "local", "machine": "on one machine over SSH", "machines": "each on its own address over SSH"}
A_CONNECTION = 10  # bare agents
HANDSHAKES = 32  # of bare connections, at once
ANSWER = "import os;os.write(1,b'x\\n');os.read(0,1)"


def host(way: str, number: int) -> str:
    """Give the address of an agent."""
    return f"127.0.{number // 250 + 1}.{number % 250 + 1}" if way == "machines" else "127.0.1.1"


# One side of one round, in a process of its own: prints the seconds until all are up, its own CPU meanwhile, the
# seconds until all have ended, and its own CPU in all.


async def ours(way: str, agents: int, folder: Path, _: int) -> list[float]:
    """Bring agents up as a run does, and stop them."""
    from octogram_tui.engine.stimuli import AgentEndReport, AgentUpReport, StartFailureReport, Stimulus
    from octogram_tui.model.scenario import AgentSpec, BinarySource
    from octogram_tui.runtime.link import Link
    from octogram_tui.runtime.starter import Starters
    from octogram_tui.runtime.terms import LinkSettings
    from octogram_tui.transport.pool import Transports

    if way != "local":
        import octogram_tui.transport.ssh  # noqa: F401  # imported late by a run; the bare side has its library too
    transports = Transports(ssh_config=str(folder / "ssh_config"))
    settings = LinkSettings(f"bench{os.getpid()}", 60.0, BinarySource())
    starters = Starters(transports, settings)
    up, ended = asyncio.Semaphore(0), asyncio.Semaphore(0)

    def report(stimulus: Stimulus) -> None:
        if isinstance(stimulus, AgentUpReport):
            up.release()
        elif isinstance(stimulus, AgentEndReport):
            ended.release()
        elif isinstance(stimulus, StartFailureReport):
            sys.exit(stimulus.message)

    def link(number: int) -> Link:
        kind: Any = "local" if way == "local" else "ssh"
        spec = AgentSpec(f"a_{number}", address=host(way, number), transport=kind)
        transport = transports.transport_for(spec)
        return Link(
            spec,
            transport,
            settings,
            report,
            lambda on_wait: transports.boot(spec, transport, on_wait),
            starter=starters.of(spec),
        )

    links = [link(number) for number in range(agents)]
    clock = Clock()
    for each in links:
        each.start()
    for _ in links:
        await up.acquire()
    clock.up()
    for each in links:
        each.stop(force=False)
    for _ in links:
        await ended.acquire()
    clock.ended()
    await asyncio.gather(*(each.close() for each in links))
    await transports.close()
    return clock.seen()


async def bare(way: str, agents: int, folder: Path, port: int) -> list[float]:
    """Start Pythons that say one line, and end when their input does."""
    if way == "local":
        return bare_here(agents)
    import asyncssh

    options = asyncssh.SSHClientConnectionOptions(
        username=getpass.getuser(),
        port=port,
        config=None,
        client_keys=[asyncssh.read_private_key(folder / "user")],
        known_hosts=asyncssh.read_known_hosts(str(folder / "known_hosts")),
        agent_path=None,
        login_timeout=300,
        encryption_algs=["aes128-gcm@openssh.com"],
        compression_algs=None,
    )
    turns = asyncio.Semaphore(HANDSHAKES)
    shared = A_CONNECTION if way == "machine" else 1

    async def connected(first: int) -> asyncssh.SSHClientConnection:
        async with turns:
            connection = await asyncssh.connect(host(way, first), options=options)
        await asyncio.gather(*(answered(connection) for _ in range(min(shared, agents - first))))
        return connection

    async def answered(connection: asyncssh.SSHClientConnection) -> None:
        process = await connection.create_process(f'exec python3 -IS -c "{ANSWER}"', encoding=None)
        if await process.stdout.readline() != b"x\n":
            sys.exit("a bare agent did not answer")

    clock = Clock()
    connections = await asyncio.gather(*(connected(first) for first in range(0, agents, shared)))
    clock.up()
    for connection in connections:
        connection.close()
    for connection in connections:
        await connection.wait_closed()
    clock.ended()
    return clock.seen()


def bare_here(agents: int) -> list[float]:
    """Start them on this machine."""
    clock = Clock()
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    started = [subprocess.Popen([sys.executable, "-IS", "-c", ANSWER], **pipes) for _ in range(agents)]
    for process in started:
        if process.stdout.readline() != b"x\n":
            sys.exit("a bare agent did not answer")
    clock.up()
    for process in started:
        process.stdin.close()
    for process in started:
        process.wait()
    clock.ended()
    return clock.seen()


class Clock:
    """What one side takes."""

    def __init__(self) -> None:
        self._started_s = time.perf_counter(), time.process_time()

    def up(self) -> None:
        """All are up."""
        self._up_s = time.perf_counter(), time.process_time()

    def ended(self) -> None:
        """All have ended."""
        self._ended_s = time.perf_counter()

    def seen(self) -> list[float]:
        """Give the seconds: until all are up, of CPU meanwhile, until all have ended."""
        (at_s, cpu_s), (up_s, up_cpu_s) = self._started_s, self._up_s
        return [up_s - at_s, up_cpu_s - cpu_s, self._ended_s - up_s]


# All sides and rounds.


def measure(side: str, way: str, agents: int, folder: Path) -> list[float]:
    """Run one side; gives what it says, and the CPU of agents and servers.

    folder: of the server's files.
    """
    keep_orphans = 36  # PR_SET_CHILD_SUBREAPER: whoever loses its parent becomes our child
    ctypes.CDLL(None).prctl(keep_orphans, 1, 0, 0, 0)
    with serving(folder=folder) as server:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, __file__, side, way, str(agents), str(server.folder), str(server.port)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    *seen, own_s = json.loads(done.stdout)
    return [*seen, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime - own_s]


def compare(case: str, rounds: int) -> None:
    """Print a table of one case."""
    way, _, number = case.partition(":")
    agents = int(number)
    sides = ("bare", "ours")
    seen: dict[str, list[list[float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as name:
        measure("ours", way, 1, Path(name))  # leaves our program there, as any earlier run does
        for _ in range(rounds):
            for side in sides:
                seen[side].append(measure(side, way, agents, Path(name)))
    bare_s = statistics.median(one[0] for one in seen["bare"])
    print(f"\n{agents} agents, {way} ({rounds} rounds)\n")
    print("| side | up, median s | min | max | ratio | ms an agent | own CPU, ms an agent | theirs | ended, s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for side, rows in seen.items():
        up_s, own_s, ended_s, theirs_s = zip(*rows, strict=True)
        median_s = statistics.median(up_s)
        print(
            f"| {side} | {median_s:.2f} | {min(up_s):.2f} | {max(up_s):.2f} | {median_s / bare_s:.2f} x "
            f"| {median_s / agents * 1000:.1f} | {statistics.median(own_s) / agents * 1000:.2f} "
            f"| {statistics.median(theirs_s) / agents * 1000:.1f} | {statistics.median(ended_s):.2f} |",
            flush=True,
        )
    ratio = statistics.median(one[0] for one in seen["ours"]) / bare_s
    tell(f"{agents} agents ready, {WAYS[way]}, to bare ones", ratio, at_most=TARGETS[way])


def slow(agents: int, login_s: float, program: str) -> None:
    """Make a run of agents on one machine whose login is slow, and print what came of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario = folder / "scenario.yml"
        scenario.write_text(
            f"agents: [{{name: 'a_{{1..{agents}}}', address: 127.0.0.1}}]\n"
            "stages: [{name: all, jobs: [{name: job, builtins.command: ['true']}]}]\n"
        )
        events = folder / "events.jsonl"
        with serving(login_s) as server:
            started_s = time.monotonic()
            command = [program, str(scenario), "--headless", "-q", "--ssh-config", server.config, "--events", events]
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "XDG_STATE_HOME": name},  # nobody's older runs are in its way, or it in theirs
            )
            whole_s = time.monotonic() - started_s
        seen = [json.loads(line) for line in events.read_text().splitlines()]
        first = next(event["at_s"] for event in seen if event["type"] == "agent_starting")
        up = [event["at_s"] - first for event in seen if event["type"] == "agent_ready"]
        failed = [event["message"] for event in seen if event["type"] == "agent_failed"]
        print(
            f"{agents} agents, login {login_s:g} s: {len(up)} up"
            + (f" (first {min(up):.2f} s, last {max(up):.2f} s)" if up else "")
            + f", {len(failed)} failed, the whole run {whole_s:.2f} s, exit code {done.returncode}"
        )
        for message in sorted(set(failed))[:3]:
            print(f"  {message[:200]}")
        tell(f"{agents} agents behind a login of {login_s:g} s, up", len(up), at_least=agents, unit="agents")


def main() -> None:
    """Do what the words say."""
    words = sys.argv[1:]
    if words[:1] in (["ours"], ["bare"]):
        side, way, agents, folder, port = words
        seen = asyncio.run((ours if side == "ours" else bare)(way, int(agents), Path(folder), int(port)))
        print(json.dumps([*seen, time.process_time()]))
    elif words[:1] == ["slow"]:
        agents, login_s, program = words[1:] + ["200", "0.1", PROGRAM][len(words) - 1 :]
        slow(int(agents), float(login_s), program)
    else:
        for case in words[1:] or CASES:
            compare(case, int(words[0]) if words else 3)


if __name__ == "__main__":
    main()
