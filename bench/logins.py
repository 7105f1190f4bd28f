#!/usr/bin/env python3
"""What it costs here to bring agents up over SSH: alone on their connections, sharing one, and by OpenSSH's client.

    python bench/logins.py [ROUNDS [AGENTS]]

AGENTS (50) come up on as many addresses, and on one machine, where they share connections; CPU is that of our own
process, of whose start nothing is in it. Beside them are as many `ssh` that start a Python which does nothing: with the
key exchange that ssh chooses by itself, and with that of ours. Needs sshd and ssh.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from paired import tell
from sshd import Server, addresses, serving

BOOTS = str(Path(__file__).resolve().with_name("boots.py"))
ANSWER = "import os;os.write(1,b'x\\n');os.read(0,1)"
EQUAL = ("-o", "KexAlgorithms=curve25519-sha256", "-c", "aes128-gcm@openssh.com")
ALONE, SHARED = "octogram-tui, a connection each", "octogram-tui, connections shared"
DEFAULT, ALIKE = "ssh, its own key exchange", "ssh, key exchange and cipher as ours"


def ours(server: Server, way: str, agents: int) -> tuple[float, float]:
    """Give the seconds until all are up, and our CPU meanwhile."""
    command = [sys.executable, BOOTS, "ours", way, str(agents), str(server.folder), str(server.port)]
    up_s, cpu_s, *_ = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return float(up_s), float(cpu_s)


def clients(server: Server, agents: int, *options: str) -> tuple[float, float]:
    """Give the same of one `ssh` for each."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["ssh", "-F", str(server.config), *options]
    started_s = time.perf_counter()
    started = [
        subprocess.Popen(
            [*command, address, f'exec python3 -IS -c "{ANSWER}"'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for address in addresses(agents)
    ]
    for process in started:
        assert process.stdout is not None
        if process.stdout.readline() != b"x\n":
            raise RuntimeError("a bare agent did not answer")
    up_s = time.perf_counter() - started_s
    for process in started:
        process.communicate(b"")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return up_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Compare."""
    rounds, agents = [int(word) for word in sys.argv[1:]] + [3, 50][len(sys.argv) - 1 :]
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as state, serving() as server:
        os.environ["XDG_STATE_HOME"] = state
        sides: dict[str, Callable[[], tuple[float, float]]] = {
            ALONE: lambda: ours(server, "machines", agents),
            SHARED: lambda: ours(server, "machine", agents),
            DEFAULT: lambda: clients(server, agents),
            ALIKE: lambda: clients(server, agents, *EQUAL),
        }
        for way in ("machines", "machine"):
            ours(server, way, 1)  # leaves our program there, as any earlier run does
        for _ in range(rounds):
            for name, side in sides.items():
                found.setdefault(name, []).append(side())
    up_s = {name: statistics.median(up for up, _ in runs) for name, runs in found.items()}
    cpu_ms = {name: statistics.median(cpu for _, cpu in runs) / agents * 1000 for name, runs in found.items()}
    print(f"{agents} agents ready over SSH ({rounds} rounds)\n")
    print("| contender | median s | min | max | ratio | CPU here, ms an agent | ratio |\n|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        ups = [up for up, _ in runs]
        spread = f"{up_s[name]:.2f} | {min(ups):.2f} | {max(ups):.2f} | {up_s[name] / up_s[ALONE]:.2f} x"
        print(f"| {name} | {spread} | {cpu_ms[name]:.2f} | {cpu_ms[name] / cpu_ms[ALONE]:.2f} x |")
    print()
    tell(f"{agents} agents ready, a connection each to shared ones", up_s[ALONE] / up_s[SHARED], at_least=1.7)
    tell("CPU here of an agent's coming up, a connection each", cpu_ms[ALONE], at_most=3.5, unit="ms")
    tell("CPU here of an agent's coming up, connections shared", cpu_ms[SHARED], at_most=1.0, unit="ms")
    tell("CPU here of an agent's coming up, `ssh` to it", cpu_ms[DEFAULT] / cpu_ms[ALONE], at_least=3)
    tell(
        "CPU here of an agent's coming up, `ssh` with its cryptography to it",
        cpu_ms[ALIKE] / cpu_ms[ALONE],
        at_least=1.1,
    )


if __name__ == "__main__":
    main()
