#!/usr/bin/env python3
"""What a file costs on its way, beside the plainest program that moves as many bytes.

    python bench/files.py [MIB [ROUNDS [PROGRAM]]]

A file of MIB (256) goes to a local agent, beside `cat`; to an agent over SSH and from it, beside `ssh cat`; to eight
agents of one machine, beside eight `scp` at once; and from an agent's file server to an agent, beside a server that is
nothing but os.sendfile and Python's own http.server. What is timed of a run is its job: from its start to its end, or
the last end. Both ends of each way are on this machine, and share its cores; ours hash what they send and what they get
(SHA-256), so what that takes, once, is shown beside it.
Needs sshd, ssh and scp; all files lie in memory where there is /dev/shm.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sshd
from paired import compare, seconds_of, tell

PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
CIPHER = "aes128-gcm@openssh.com"
EIGHT = 8
BARE_SERVER = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    with open(sys.argv[2], "rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
        while at < size:
            at += os.sendfile(connection.fileno(), file.fileno(), at, size - at)
    connection.close()
"""
SINK = """
import socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.sendall(b"GET /%s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % sys.argv[2].encode())
buffer = bytearray(1 << 20)
got = 0
while count := connection.recv_into(buffer):
    got += count
sys.exit(got < int(sys.argv[3]))
"""


class Bench:
    """A file, a place for its copies, and the runs of the program that carry it."""

    def __init__(self, folder: Path, mib: int, program: str) -> None:
        self.folder = folder
        self.program = program
        self.source = folder / "source"
        self.size_bytes = mib << 20
        with self.source.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(1 << 20))
        self._runs = 0

    def seconds_of_job(self, job: str, agents: list[str], stages: list[str], *options: str) -> float:
        """Run a scenario, and give how long its job of that name took on all agents together."""
        self._runs += 1
        scenario, events = self.folder / "scenario.yml", self.folder / f"events-{self._runs}.jsonl"
        scenario.write_text("\n".join(["agents:", *agents, "stages:", *stages]) + "\n")
        command = [self.program, str(scenario), "--headless", "-q", "--events", str(events), *options]
        home = {**os.environ, "HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state")}
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=home, check=True)
        seen = [json.loads(line) for line in events.read_text().splitlines()]
        named = [event for event in seen if event.get("job") == job]
        started = min(event["at_s"] for event in named if event["type"] == "job_started")
        ended = max(event["at_s"] for event in named if event["type"] == "job_finished")
        return float(ended - started)

    def copy(self, agents: list[str], *options: str) -> Callable[[], float]:
        """Give what copies the file to such agents."""
        job = f"{{name: bring, copy: {{local_path: {self.source}, remote_path: there}}}}"
        stages = [f"  - {{name: all, jobs: [{job}]}}"]
        return lambda: self.seconds_of_job("bring", agents, stages, *options)

    def fetch(self, agents: list[str], *options: str) -> Callable[[], float]:
        """Give what brings the file from such an agent to a directory here."""
        job = f"{{name: bring, builtins.fetch: {{remote_path: {self.source}, local_path: {self.folder}/fetched/}}}}"
        stages = [f"  - {{name: all, jobs: [{job}]}}"]
        return lambda: self.seconds_of_job("bring", agents, stages, *options)

    def hash(self) -> float:
        """Read the file and hash it, once."""
        started_s = time.perf_counter()
        with self.source.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        return time.perf_counter() - started_s

    def download(self) -> float:
        """Have one agent download the file from another."""
        agents = [f"  - {{name: {name}, transport: local}}" for name in ("server", "client")]
        bring = f"copy: {{local_path: {self.source}, remote_path: there}}"
        server = f"[{{name: bring, {bring}}}, {{name: serve, builtins.start_http_server: {{}}}}]"
        client = "[{name: load, builtins.prefetch: server://there}]"
        stages = [
            f"  - {{name: one, with_agents: ^server$, jobs: {server}}}",
            f"  - {{name: two, with_agents: ^client$, jobs: {client}}}",
        ]
        return self.seconds_of_job("load", agents, stages)


def shell(folder: Path, command: str) -> Callable[[], float]:
    """Give what runs a command of sh; what it has made in `out` goes before the next."""

    def run() -> float:
        out = folder / "out"
        subprocess.run(["rm", "-rf", str(out)], check=True)
        out.mkdir()
        return seconds_of(["sh", "-c", command])

    return run


@contextmanager
def serving(command: list[str]) -> Iterator[None]:
    """Have a server run that prints a line when it is ready."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(b"open\n")
    server.stdin.close()
    server.stdout.readline()
    try:
        yield
    finally:
        server.kill()
        server.wait()


def compare_servers(bench: Bench, rounds: int) -> None:
    """Read the file from three servers, by the same client."""
    folder, size, port = bench.folder, str(bench.size_bytes), 20000 + os.getpid() % 20000
    ours = [sys.executable, "-ISXutf8", "-c"]
    ours += [
        "import sys;sys.path.insert(0,sys.argv[1]);"
        "from octogram_agentd.network.fileserver import main;main(sys.argv[2:])"
    ]
    ours += [str(agentd_parent()), "127.0.0.1", str(port + 1), str(folder)]
    plain = [sys.executable, "-u", "-m", "http.server", "-b", "127.0.0.1", "-d", str(folder), str(port + 2)]
    bare = [sys.executable, "-c", BARE_SERVER, str(port), str(bench.source)]
    with serving(bare), serving(ours), serving(plain):
        compare(
            f"{bench.size_bytes >> 20} MiB read from a server, and thrown away",
            {
                name: lambda n=n: seconds_of([sys.executable, "-ISc", SINK, str(port + n), "source", size])
                for n, name in enumerate(("os.sendfile and nothing else", "an agent's file server", "http.server"))
            },
            rounds,
        )


def agentd_parent() -> Path:
    """Give where the daemon's package lies."""
    import octogram_agentd

    return Path(octogram_agentd.__file__).parent.parent


def main() -> None:
    """Compare all of it."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    program = sys.argv[3] if len(sys.argv) > 3 else PROGRAM
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        folder = Path(name)
        bench = Bench(folder, mib, program)
        source, out = bench.source, folder / "out"
        local = ["  - {name: a, transport: local}"]
        to_local = compare(
            f"{mib} MiB to a local agent",
            {"cat": shell(folder, f"cat {source} >{out}/there"), "octogram-tui": bench.copy(local)},
            rounds,
        )
        with sshd.serving() as server:
            config = server.config
            quick = f"-F {config} -c {CIPHER} -o KexAlgorithms=curve25519-sha256"
            ssh = f"ssh {quick} -S {folder}/mux"
            subprocess.run(["sh", "-c", f"{ssh} -MNf 127.0.0.1"], check=True)
            eight = "".join(f'scp -q {quick} {source} 127.0.0.1:{out}/{n} & pids="$pids $!"; ' for n in range(EIGHT))
            one = ["  - {name: a, address: 127.0.0.1}"]
            over_ssh = compare(
                f"{mib} MiB over SSH",
                {
                    "ssh cat, over a connection": shell(folder, f"{ssh} 127.0.0.1 'cat >{out}/there' <{source}"),
                    "ssh cat": shell(folder, f"ssh {quick} 127.0.0.1 'cat >{out}/there' <{source}"),
                    "octogram-tui": bench.copy(one, "--ssh-config", str(config)),
                    "SHA-256 of it, once": bench.hash,
                },
                rounds,
            )
            from_ssh = compare(
                f"{mib} MiB from an agent over SSH",
                {
                    "ssh cat, over a connection": shell(folder, f"{ssh} 127.0.0.1 'cat {source}' >{out}/here"),
                    "ssh cat": shell(folder, f"ssh {quick} 127.0.0.1 'cat {source}' >{out}/here"),
                    "octogram-tui": bench.fetch(one, "--ssh-config", str(config)),
                },
                rounds,
            )
            agents = [f"  - {{name: 'a_{{1..{EIGHT}}}', address: 127.0.0.1}}"]
            to_eight = compare(
                f"{mib} MiB to {EIGHT} agents of one machine",
                {
                    f"{EIGHT} scp": shell(folder, f"{eight} for pid in $pids; do wait $pid || exit 1; done"),
                    "octogram-tui": bench.copy(agents, "--ssh-config", str(config)),
                },
                rounds,
            )
            subprocess.run(["sh", "-c", f"{ssh} -O exit 127.0.0.1"], stderr=subprocess.DEVNULL, check=True)
        compare_servers(bench, rounds)
        compare(
            f"{mib} MiB from an agent to another",
            {"cat": shell(folder, f"cat {source} >{out}/there"), "octogram-tui": bench.download},
            rounds,
        )
    print()
    for what, times, than, at_least in (
        ("a file to a local agent, speed to `cat`", to_local, "cat", 0.8),
        ("a file over SSH, speed to `ssh cat`", over_ssh, "ssh cat", 0.95),
        ("a file from an agent over SSH, speed to `ssh cat`", from_ssh, "ssh cat", 0.8),
        ("a file to eight agents of one machine, speed to eight scp", to_eight, f"{EIGHT} scp", 2.5),
    ):
        tell(what, times[than] / times["octogram-tui"], at_least=at_least)


if __name__ == "__main__":
    main()
