"""One machine of the rig, as a test handles it: run something, write a file, see what listens or runs, cut a net."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures_ssh import public_line

NETS = {"lan": ("10.77.0.", "fd77::"), "inner": ("10.78.0.", "fd78::"), "outside": ("203.0.113.", "2001:db8:113::")}
"""The beginnings of a net's addresses; what follows is the machine's number."""

OWN = ("/root", "/tmp", "/etc/ssh")
"""What every machine has for itself; all other files are those of the machine that pretends to be several, to read."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Machine:
    """One machine. What is below /root and /tmp can be read and written from outside, at `path`."""

    name: str
    directory: Path
    number: int = 0
    nets: Sequence[str] = ()
    kept: Sequence[Path] = ()
    pid: int = 0
    switch: Machine | None = None
    makers: set[int] = field(default_factory=set)  # the processes without which it would not be there
    more_environment: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The IPv4 address that the others know."""
        return self.address_in(self.nets[0])

    @property
    def address6(self) -> str:
        """The IPv6 address that the others know."""
        return self.address_in(self.nets[0], version=6)

    def address_in(self, net: str, version: int = 4) -> str:
        """Give an address in one of the nets."""
        assert net in self.nets, f"{self.name} is not in {net}"
        return f"{NETS[net][version == 6]}{self.number}"

    @property
    def addresses(self) -> list[str]:
        """All of them."""
        return [self.address_in(net, version) for net in self.nets for version in (4, 6)]

    def path(self, inside: str) -> Path:
        """Where a file of the machine's /root, /tmp or /etc/ssh is, seen from outside."""
        assert inside.startswith(OWN), f"{inside} is the same for all machines"
        return self.directory / inside.lstrip("/")

    def write(self, inside: str, text: str) -> Path:
        """Write a file, with the directories that it needs."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, inside: str) -> str:
        """Read a file."""
        return self.path(inside).read_text()

    def run(self, argv: Sequence[str], **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a command at /root, to its end. It has to succeed, unless `check=False`."""
        given = {"capture_output": True, "text": True, "timeout": 60.0, "check": True, "stdin": subprocess.DEVNULL}
        return subprocess.run(self._inside(argv), env=self.environment, **{**given, **more})

    @contextmanager
    def start(self, argv: Sequence[str]) -> Iterator[Started]:
        """Start a command at /root; whatever happens to the test, its end is waited for."""
        process = subprocess.Popen(
            self._inside(argv),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started = Started(process)
        try:
            yield started
        except BaseException as error:
            started.signal(signal.SIGKILL)
            error.add_note(f"{' '.join(argv)} had said: {started.end()}")
            raise
        assert process.returncode is not None, "a test waits for the end of what it started"

    def listening(self) -> list[tuple[str, int]]:
        """List what is listened on, but for sshd: the address as `ss` writes it, and the port."""
        lines = self.run(["ss", "-Hlntu"]).stdout.splitlines()
        ends = [line.split()[4].rpartition(":") for line in lines]
        return sorted((address.strip("[]"), int(port)) for address, _, port in ends if port != "22")

    def processes(self) -> dict[int, str]:
        """Map the ids, as seen from outside, of what runs there to the commands, but for what makes the machine."""
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "ns/pid") == space:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    if command and int(entry.name) not in self.makers:
                        found[int(entry.name)] = command
        return found

    def kill(self, beginning: str) -> None:
        """Kill whatever has a command that begins like that."""
        found = [pid for pid, command in self.processes().items() if command.startswith(beginning)]
        assert found, self.processes()
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def unplugged(self, net: str = "lan") -> Iterator[None]:
        """Cut one of its nets off for a while."""
        assert self.switch is not None
        self.switch.net(f"link set {self.cable(net)} down")
        try:
            yield
        finally:
            self.switch.net(f"link set {self.cable(net)} up")

    @contextmanager
    def narrow(self, mtu: int, net: str = "lan") -> Iterator[None]:
        """Have one of its nets drop larger packets to it for a while, and tell nobody: they stay large before that."""
        assert self.switch is not None
        self.switch.net(f"link set {self.cable(net)} mtu {mtu}")
        try:
            yield
        finally:
            self.switch.net(f"link set {self.cable(net)} mtu 1500")

    def cable(self, net: str) -> str:
        """Name the switch's end of its cable: 15 characters are the limit."""
        return f"{self.name[:5]}-{net}"

    def net(self, *commands: str) -> None:
        """Carry commands of `ip` out in its network only."""
        argv = ["nsenter", f"--target={self.pid}", "-n", "ip", "-batch", "-"]
        subprocess.run(argv, input="\n".join(commands), text=True, check=True)

    def reset(self) -> None:
        """End all that runs there, and empty /root and /tmp."""
        while left := self.processes():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        kept = {path.relative_to("/").parts[1] for path in self.kept}
        for top in ("/root", "/tmp"):
            for entry in self.path(top).iterdir():
                if entry.name not in kept:
                    shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    @property
    def host_key(self) -> str:
        """Its public host key, as known_hosts has it."""
        return public_line(self.path("/etc/ssh/host_key"))

    def serves_ssh(self) -> bool:
        """Whether sshd has said so, for both versions of addresses."""
        return self.read("/etc/ssh/log").count("Server listening on") == 2

    @property
    def environment(self) -> dict[str, str]:
        """What commands see of the world."""
        plain = {"HOME": "/root", "USER": "root", "LOGNAME": "root", "PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}
        return {**plain, **self.more_environment}

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "-m", "-u", "-i", "-n", "-p", "--wd", "--", *argv]


class Started:
    """A command that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._output: str | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: to the command itself, which has a parent that takes it into the machine."""
        parent = self._process.pid
        if self._process.poll() is not None:
            return
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            os.kill(int(pid), number)

    def end(self, within_s: float = 60.0) -> str:
        """Wait for its end, and give all that it printed."""
        if self._output is None:
            self._output = self._process.communicate(timeout=within_s)[0]
        return self._output

    @property
    def code(self) -> int:
        """How it has ended."""
        assert self._process.returncode is not None
        return self._process.returncode
