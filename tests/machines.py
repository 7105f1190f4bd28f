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
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import quote

from fixtures_program import ROOT, wait_for
from fixtures_ssh import SSHD, new_key
from machine import NETS, OWN, SYSTEM_PATH, Machine

CHECKOUT = Path(os.environ.get("OCTOGRAM_RIG_CHECKOUT", ROOT))
"""Whose program is tried: another checkout's, to see which tests an older state fails."""

PLACES: Mapping[str, tuple[int, Sequence[str]]] = {
    "orchestrator": (2, ["lan", "outside"]),
    "gate": (10, ["lan", "inner"]),
    "alice": (11, ["lan", "inner", "outside"]),
    "bob": (12, ["lan", "inner", "outside"]),
    "carol": (13, ["lan", "inner", "outside"]),
    "dave": (14, ["inner"]),
}
NEEDS = ("ip", "ss", "unshare", "nsenter", "mount", "python3")
NEW_SPACES = ("unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
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
    few = "mount -t tmpfs tmpfs /run; ip link add lan type bridge; ip address add fd77::1/64 dev lan"
    tried = subprocess.run([*NEW_SPACES, "sh", "-ec", few], capture_output=True, text=True, check=False)
    return tried.stderr.strip()


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
            machine = everyone[name] = Machine(name, directory / name, number, nets, kept, switch=switch)
            _furnish(machine)
            waiting.append((machine, _process_one(machine, _script(machine), stack)))
        _wait_up(switch, first)
        for machine, process in waiting:
            _wait_up(machine, process)
            cables += _cables(machine)
        switch.net(*cables)
        for _, process in waiting:
            assert process.stdin is not None
            process.stdin.write("the cables are there\n")
            process.stdin.flush()
        for machine in everyone.values():
            wait_for(machine.serves_ssh, 20)
            machine.makers = set(machine.processes())
        orchestrator = everyone["orchestrator"]
        orchestrator.more_environment = {"PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}"}
        orchestrator.more_environment["PYTHONPATH"] = f"{CHECKOUT}:{CHECKOUT / 'agentd'}"
        yield everyone


def _process_one(machine: Machine, script: Iterable[str], stack: ExitStack) -> subprocess.Popen[str]:
    """Start a machine, which ends with the standard input that we hold."""
    process = subprocess.Popen(
        [*NEW_SPACES, "sh", "-ec", "\n".join(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": SYSTEM_PATH},
    )

    def end() -> None:
        process.communicate(timeout=60)

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
        *(
            f"[ ! -e /etc/{name} ] || mount --bind {quote(str(machine.directory / name))} /etc/{name}"
            for name in ("hosts", "resolv.conf")
        ),
        "mount -t tmpfs tmpfs /run",
        "mkdir -m 755 /run/sshd",
        *inside,
        "mount -o remount,bind,ro /",  # those that play here are root, and everything else is everybody's
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
        end = machine.cable(net)
        yield f"link add {end} type veth peer name {net} netns {machine.pid}"
        yield f"link set {end} master {net} up"
        if net == "outside" and machine.name != "orchestrator":
            yield f"link set {end} type bridge_slave isolated on"


def _kept() -> list[Path]:
    """List what the program is made of, where the orchestrator's own directories would hide it."""
    parts = {CHECKOUT.resolve(), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), ROOT}
    hidden = [path for path in parts if path.is_relative_to("/root") or path.is_relative_to("/tmp")]
    return [path for path in hidden if not any(path != other and path.is_relative_to(other) for other in hidden)]
