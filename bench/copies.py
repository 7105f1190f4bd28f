#!/usr/bin/env python3
"""One file to eight machines, each with an address of its own, beside what else brings it there.

    python bench/copies.py [MIB [ROUNDS]]

MIB (64) go to each of eight addresses of one private sshd: by a `copy`, timed from its start to its end on the last of
them; by eight `scp` at once; by asyncssh, raw through a channel of `cat`; and, once, by Ansible's copy, where that is
installed. All files lie in memory where there is /dev/shm. Needs sshd and scp.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sshd
from latency import events_of
from paired import compare, seconds_of, tell
from peers import ansible_files

HERE = Path(__file__).resolve().parent
HOSTS = 8
CIPHER = ("-c", "aes128-gcm@openssh.com", "-o", "KexAlgorithms=curve25519-sha256")
OURS, SCP, CHANNELS, ANSIBLE = "octogram-tui", f"{HOSTS} scp", "asyncssh, raw channels", "ansible copy (once)"


class Copies:
    """A file, and the ways to bring it to all hosts."""

    def __init__(self, folder: Path, server: sshd.Server, mib: int) -> None:
        self.folder, self.server = folder, server
        self.source, self.out = folder / "source", folder / "out"
        with self.source.open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(1 << 20))
        self._emptied()

    def _emptied(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def ours(self) -> float:
        """Copy by a run of ours."""
        lines = ["agents:"]
        lines += [f"  - {{name: a{n}, address: {address}}}" for n, address in enumerate(sshd.addresses(HOSTS))]
        job = f"{{name: bring, copy: {{local_path: {self.source}, remote_path: there}}}}"
        scenario = self.folder / "scenario.yml"
        scenario.write_text("\n".join([*lines, f"stages: [{{name: s, jobs: [{job}]}}]"]) + "\n")
        events = [event for event in events_of(scenario, self.server, self.folder) if event.get("job") == "bring"]
        started_s: float = min(event["at_s"] for event in events if event["type"] == "job_started")
        ended_s: float = max(event["at_s"] for event in events if event["type"] == "job_finished")
        return ended_s - started_s

    def scp(self) -> float:
        """Copy by a process for each."""
        self._emptied()
        started_s = time.perf_counter()
        command = ["scp", "-q", "-F", str(self.server.config), *CIPHER, str(self.source)]
        running = [
            subprocess.Popen([*command, f"{address}:{self.out}/{n}"], stdin=subprocess.DEVNULL)
            for n, address in enumerate(sshd.addresses(HOSTS))
        ]
        if [process for process in running if process.wait()]:
            raise RuntimeError("scp failed")
        return time.perf_counter() - started_s

    def channels(self) -> float:
        """Copy by asyncssh."""
        self._emptied()
        command = [sys.executable, str(HERE / "contenders" / "channels.py"), str(self.server.folder)]
        command += [str(self.server.port), str(HOSTS), str(self.source), f"{self.out}/"]
        return float(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))

    def ansible(self) -> float:
        """Copy by a playbook; with its start, which takes a second or two of it."""
        self._emptied()
        tasks = f"    - ansible.builtin.copy: {{src: {self.source}, dest: '{self.out}/{{{{ inventory_hostname }}}}'}}\n"
        command, settings = ansible_files(self.server, self.folder, HOSTS, tasks)
        os.environ.update(settings)
        return seconds_of(command)


def main() -> None:
    """Compare."""
    mib, rounds = [int(word) for word in sys.argv[1:]] + [64, 3][len(sys.argv) - 1 :]
    memory = Path("/dev/shm")
    with contextlib.ExitStack() as stack:
        place = memory if os.access(memory, os.W_OK) else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        (folder / "sshd").mkdir()
        server = stack.enter_context(sshd.serving(folder=folder / "sshd"))
        copies = Copies(folder, server, mib)
        title = f"{mib} MiB to {HOSTS} addresses"
        taken_s = compare(title, {CHANNELS: copies.channels, SCP: copies.scp, OURS: copies.ours}, rounds)
        if has_ansible := importlib.util.find_spec("ansible") is not None:
            taken_s[ANSIBLE] = copies.ansible()
            print(f"| {ANSIBLE} | {taken_s[ANSIBLE]:.3f} | | | {taken_s[ANSIBLE] / taken_s[CHANNELS]:.2f} x |")
    print()
    for what, than, at_least in (("raw channels", CHANNELS, 0.85), ("eight scp", SCP, 1.0), ("Ansible", ANSIBLE, 3.5)):
        speed = taken_s[than] / taken_s[OURS] if than in taken_s else None
        why = "" if has_ansible else "ansible is not installed"
        tell(f"a file to eight machines, speed to {what}", speed, at_least=at_least, why=why)


if __name__ == "__main__":
    main()
