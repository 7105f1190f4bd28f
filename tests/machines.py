"""Machines made of namespaces: each has addresses, a name, processes, an sshd, /root, /tmp and /etc/ssh of its own.

A machine is a process 1 that waits for the end of its standard input. Its namespaces have no names, so that machines of
several test processes never collide; and when whoever started it is gone, however that went, the input ends, process 1
with it, and so all its processes, mounts, addresses and cables: nothing is ever left that a next run had to remove.

The nets:

    lan      10.77.0.N     fd77::N            everybody but `dave`
    inner    10.78.0.N     fd78::N            everybody but the orchestrator
    outside  203.0.113.N   2001:db8:113::N    the orchestrator reaches alice, bob and carol, who do not reach each
                                              other: a cloud's public addresses, to the private ones of `inner`

So the orchestrator comes to `dave` through `gate` only. No machine knows a name of another.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from fixtures_program import ROOT, wait_for
from fixtures_ssh import SSHD, new_key, public_line

CHECKOUT = Path(os.environ.get("OCTOGRAM_RIG_CHECKOUT", ROOT))
"""Whose program is tried: another checkout's, to see which tests an older state fails."""

NETS = {"lan": ("10.77.0.", "fd77::"), "inner": ("10.78.0.", "fd78::"), "outside": ("203.0.113.", "2001:db8:113::")}
PLACES: Mapping[str, tuple[int, Sequence[str]]] = {
    "orchestrator": (2, ["lan", "outside"]),
    "gate": (10, ["lan", "inner"]),
    "alice": (11, ["lan", "inner", "outside"]),
    "bob": (12, ["lan", "inner", "outside"]),
    "carol": (13, ["lan", "inner", "outside"]),
    "dave": (14, ["inner"]),
}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEEDS = ("ip", "ss", "unshare", "nsenter", "mount", "python3")
OWN = ("/root", "/tmp", "/etc/ssh")
SSHD_CONFIG = """\
HostKey /etc/ssh/host_key
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
LogLevel VERBOSE
"""


def missing() -> str:
    """Say what keeps this machine from pretending to be several, or nothing."""
    if os.geteuid() != 0:
        return "namespaces need root"
    lacks = [name for name in NEEDS if not shutil.which(name, path=SYSTEM_PATH)] + ([] if SSHD else ["sshd"])
    if lacks:
        return f"no {', '.join(lacks)} on this machine"
    tried = subprocess.run(
        ["unshare", "-muinpf", "--mount-proc", "ip", "link", "add", "lan", "type", "bridge"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip()


@dataclass
class Machine:
    """One machine. What is below /root and /tmp can be read and written from outside, at `path`."""

    name: str
    directory: Path
    number: int = 0
    nets: Sequence[str] = ()
    kept: Sequence[Path] = ()
    pid: int = 0
    _environment: dict[str, str] = field(default_factory=dict)
    _makers: set[int] = field(default_factory=set)  # the processes without which it would not be there

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
        lines = self.run(["ss", "-Hltn"]).stdout.splitlines()
        ends = [line.split()[3].rpartition(":") for line in lines]
        return sorted((address.strip("[]"), int(port)) for address, _, port in ends if port != "22")

    def processes(self) -> dict[int, str]:
        """Map the ids, as seen from outside, of what runs there to the commands, but for what makes the machine."""
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "ns/pid") == space:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    if command and int(entry.name) not in self._makers:
                        found[int(entry.name)] = command
        return found

    def kill(self, beginning: str) -> None:
        """Kill whatever has a command that begins like that."""
        found = [pid for pid, command in self.processes().items() if command.startswith(beginning)]
        assert found, self.processes()
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

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

    def serves_ssh(self) -> bool:
        """Whether sshd has said so, for both versions of addresses."""
        return self.read("/etc/ssh/log").count("Server listening on") == 2

    @property
    def environment(self) -> dict[str, str]:
        """What commands see of the world."""
        plain = {"HOME": "/root", "USER": "root", "LOGNAME": "root", "PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}
        return {**plain, **self._environment}

    def _inside(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "-m", "-u", "-i", "-n", "-p", "--wd", "--", *argv]


class Started:
    """A command that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: to the command itself, which has a parent that takes it into the machine."""
        parent = self._process.pid
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            os.kill(int(pid), number)

    def end(self, within_s: float = 30.0) -> str:
        """Wait for its end, and give all that it printed."""
        return self._process.communicate(timeout=within_s)[0]

    @property
    def code(self) -> int:
        """How it has ended."""
        assert self._process.returncode is not None
        return self._process.returncode


@contextmanager
def machines(directory: Path) -> Iterator[dict[str, Machine]]:
    """Bring all machines up, by name, and take them down."""
    everyone = {}
    with ExitStack() as stack:
        switch = Machine("switch", directory)
        cables = [f"link add {net} up type bridge" for net in NETS]
        first = _process_one(switch, ["echo up", "read -r _"], stack)
        waiting = []
        for name, (number, nets) in PLACES.items():
            kept = _kept() if name == "orchestrator" else []
            machine = everyone[name] = Machine(name, directory / name, number, nets, kept)
            _furnish(machine)
            waiting.append((machine, _process_one(machine, _script(machine), stack)))
        _wait_up(switch, first)
        for machine, process in waiting:
            _wait_up(machine, process)
            cables += _cables(machine)
        subprocess.run(
            ["nsenter", f"--target={switch.pid}", "-n", "ip", "-batch", "-"],
            input="\n".join(cables),
            text=True,
            check=True,
        )
        for _, process in waiting:
            assert process.stdin is not None
            process.stdin.write("the cables are there\n")
            process.stdin.flush()
        for machine in everyone.values():
            wait_for(machine.serves_ssh, 20)
            machine._makers = set(machine.processes())
        orchestrator = everyone["orchestrator"]
        orchestrator._environment = {"PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}"}
        orchestrator._environment["PYTHONPATH"] = f"{CHECKOUT}:{CHECKOUT / 'agentd'}"
        yield everyone


def _process_one(machine: Machine, script: Iterable[str], stack: ExitStack) -> subprocess.Popen[str]:
    """Start a machine, which ends with the standard input that we hold."""
    process = subprocess.Popen(
        ["unshare", "-muinpf", "--kill-child", "--mount-proc", "sh", "-ec", "\n".join(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": SYSTEM_PATH},
    )

    def end() -> None:
        process.communicate(timeout=20)

    stack.callback(end)
    return process


def _wait_up(machine: Machine, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != "up\n":
        raise OSError(f"{machine.name} did not come up")
    machine.pid = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


def _script(machine: Machine) -> list[str]:
    """Write what process 1 does: take its places, wait for the cables, serve SSH, and wait for the end of its input."""
    last = sorted(OWN, key=machine.directory.is_relative_to)  # which hides the directory that all come from
    inside = [f"mount --rbind {quote(str(machine.path(own)))} {own}" for own in last]
    return [
        f"hostname {machine.name}",
        *(f"mount --bind -o ro {quote(str(path))} {quote(str(machine.path(str(path))))}" for path in machine.kept),
        *(f"mount --bind {quote(str(machine.directory / name))} /etc/{name}" for name in ("hosts", "resolv.conf")),
        "mount -t tmpfs tmpfs /run",
        "mkdir -m 755 /run/sshd",
        *inside,
        "cd /root",
        "ip link set lo up",
        "echo up",
        "read -r _",
        *(f"ip link set {net} up" for net in machine.nets),
        *(
            f"ip address add {machine.address_in(net, version)}/{length} dev {net} {flags}"
            for net in machine.nets
            for version, length, flags in ((4, 24, ""), (6, 64, "nodad"))
        ),
        f"{SSHD} -D -E /etc/ssh/log &",
        "exec 3<&0",  # what runs in the background would not see it
        "cat <&3 >/dev/null &",
        "wait $!",  # and whoever has lost its parent is collected meanwhile
    ]


def _furnish(machine: Machine) -> None:
    for own in OWN:
        machine.path(own).mkdir(parents=True)
    machine.path("/tmp").chmod(0o1777)
    machine.path("/root").chmod(0o700)
    for path in machine.kept:
        machine.path(str(path)).mkdir(parents=True)
    (machine.directory / "hosts").write_text(f"127.0.0.1 localhost {machine.name}\n::1 localhost\n")
    (machine.directory / "resolv.conf").write_text("")
    new_key(machine.path("/etc/ssh/host_key"))
    machine.write("/etc/ssh/log", "")
    machine.write("/etc/ssh/sshd_config", SSHD_CONFIG)


def _cables(machine: Machine) -> Iterator[str]:
    for net in machine.nets:
        end = f"{machine.name[:5]}-{net}"
        yield f"link add {end} type veth peer name {net} netns {machine.pid}"
        yield f"link set {end} master {net} up"
        if net == "outside" and machine.name != "orchestrator":
            yield f"link set {end} type bridge_slave isolated on"


def _kept() -> list[Path]:
    """List what the program is made of, where the orchestrator's own directories would hide it."""
    parts = {CHECKOUT.resolve(), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), ROOT}
    hidden = [path for path in parts if path.is_relative_to("/root") or path.is_relative_to("/tmp")]
    return [path for path in hidden if not any(path != other and path.is_relative_to(other) for other in hidden)]


def host_key(machine: Machine) -> str:
    """Give a machine's public host key, as known_hosts has it."""
    return public_line(machine.path("/etc/ssh/host_key"))
