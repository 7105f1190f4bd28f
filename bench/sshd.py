"""A private OpenSSH server whose hosts are addresses of the loopback network, for the benchmarks that go over SSH."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("sshd") or "/usr/sbin/sshd"
BURN = """
import time
end = time.process_time() + {login_s}
while time.process_time() < end: pass
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs. config: for ssh, with `Host *`; folder: of its keys; pid: whose children are the logins."""

    port: int
    folder: Path
    config: Path
    pid: int

    @property
    def user(self) -> str:
        """Who logs in."""
        return getpass.getuser()

    @property
    def key(self) -> Path:
        """What the user logs in with."""
        return self.folder / "user"

    @property
    def known_hosts(self) -> Path:
        """The key of all hosts."""
        return self.folder / "known_hosts"


def addresses(count: int) -> list[str]:
    """Give the addresses of so many hosts: 127.0.1.1 and on, all of them this machine."""
    return [f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(count)]


@contextlib.contextmanager
def serving(login_s: float = 0.0, folder: Path | None = None) -> Iterator[Server]:
    """Run a server; each login burns so much CPU first, as a `.bashrc` with pyenv or conda does.

    The home of its logins is an empty directory: what a developer's own start-up files cost would be in every figure.
    folder: where it has its files, which may be there from the last time; a temporary one unless told.
    Raises RuntimeError without sshd.
    """
    if not is_there():
        raise RuntimeError("needs OpenSSH's sshd: apt-get install openssh-server")
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-sshd-")))
        if not (folder / "sshd_config").exists():
            _lay_out(folder, login_s)
        port = int((folder / "sshd_config").read_text().split()[1])
        server = subprocess.Popen(
            [PROGRAM, "-D", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            yield Server(port, folder, folder / "ssh_config", server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def is_there() -> bool:
    """Whether the machine has the program."""
    return os.access(PROGRAM, os.X_OK)


def _lay_out(folder: Path, login_s: float) -> None:
    """Write keys and configurations."""
    home = folder / "home"
    home.mkdir()
    if login_s:
        (folder / "burn.py").write_text(BURN.format(login_s=login_s))
        (home / ".bashrc").write_text(f"{shutil.which('python3')} -IS {folder / 'burn.py'}\n")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 0.0.0.0\nAllowUsers {getpass.getuser()}@127.*\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'user.pub'}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        f"SetEnv HOME={home}\nMaxStartups 1000\nUseDNS no\nSubsystem sftp internal-sftp\n"
    )
    known = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"* {known}\n")
    (folder / "ssh_config").write_text(
        f"Host *\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder / 'user'}\n  IdentityAgent none\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder / 'known_hosts'}\n  LogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)
