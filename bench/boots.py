#!/usr/bin/env python3
"""How long it takes until so many agents of one machine are up, over a real sshd on this machine.

    python bench/boots.py [AGENTS [LOGIN_S [PROGRAM]]]

LOGIN_S is the CPU that every login takes before the boot, burnt by a `.bashrc` as pyenv or conda would. Needs sshd, and
bash as the login shell of whoever runs this. Prints how many agents came up, when, and how long the whole run took.
"""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from octogram_tui.transport.knownhosts import written_name

PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
SSHD = "/usr/sbin/sshd"
BURN = """
import time
end = time.process_time() + {login_s}
while time.process_time() < end: pass
"""


def start_sshd(folder: Path, login_s: float) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a server whose logins burn so much CPU; give it, and the client's configuration."""
    home = folder / "home"
    home.mkdir()
    if login_s:
        (folder / "burn.py").write_text(BURN.format(login_s=login_s))
        (home / ".bashrc").write_text(f"{sys.executable} -IS {folder / 'burn.py'}\n")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'user.pub'}\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv HOME={home}\n"
        "Subsystem sftp internal-sftp\n"
    )
    known = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"{written_name('127.0.0.1', port)} {known}\n")
    config = folder / "ssh_config"
    config.write_text(
        f"Host *\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder / 'user'}\n  IdentityAgent none\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder / 'known_hosts'}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = subprocess.Popen(
        [SSHD, "-D", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return server, config


def main() -> None:
    """Run once, and print what came of it."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    login_s = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    program = sys.argv[3] if len(sys.argv) > 3 else PROGRAM
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, config = start_sshd(folder, login_s)
        scenario = folder / "scenario.yml"
        scenario.write_text(
            f"agents: [{{name: 'a_{{1..{agents}}}', address: 127.0.0.1}}]\n"
            "stages: [{name: all, jobs: [{name: job, builtins.command: ['true']}]}]\n"
        )
        events = folder / "events.jsonl"
        started_s = time.monotonic()
        command = [program, str(scenario), "--headless", "-q", "--ssh-config", str(config), "--events", str(events)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        whole_s = time.monotonic() - started_s
        server.send_signal(signal.SIGTERM)
        server.wait()
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


if __name__ == "__main__":
    main()
