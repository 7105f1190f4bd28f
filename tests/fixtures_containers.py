"""Real containers, by the podman of this machine, on a root file system that is made of the machine's own programs.

No registry is asked, and no image is there: a directory with links into /usr, which is mounted read-only, is a root
file system with a shell and Python. Podman keeps all that it writes in one directory. It runs in a mount namespace of
its own, in which a machine with cgroups of both versions looks like one with the first alone, as podman wants it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")  # no more than the machine itself may have
PREPARE = "umount /sys/fs/cgroup/unified 2>/dev/null; echo ready; exec sleep 600"
START_S = 60.0


@dataclass
class Podman:
    """The podman of one test. programs: the directory to put before others on the PATH."""

    directory: Path
    programs: Path
    names: list[str] = field(default_factory=list)

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call it, whatever comes of it."""
        return subprocess.run(
            [self.programs / "podman", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )

    def start(self, name: str, *options: str) -> None:
        """Start a container. Raises RuntimeError when there can be none here."""
        root = self.directory / name
        for folder in ("usr", "etc", "proc", "sys", "dev", "run", "root", "tmp"):
            (root / folder).mkdir(parents=True)
        for folder in ("bin", "sbin", "lib", "lib64"):
            (root / folder).symlink_to(f"usr/{folder}")
        (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        where = ("--network=host", "--cgroups=disabled", "--log-driver=none", "--volume=/usr:/usr:ro", f"--name={name}")
        done = self.call("run", "--detach", *where, *LIMITS, *options, "--rootfs", str(root), "sleep", "600")
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        self.names.append(name)

    def processes(self, name: str) -> list[str]:
        """Name the processes of a container, but for its first and what lists them."""
        script = 'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done'
        lines = self.call("exec", name, "sh", "-c", script).stdout.splitlines()
        ours = ("sleep 600", "sh -c for p in")
        return [line for line in lines if line.strip() and not line.startswith(ours)]


@pytest.fixture
def podman(request: pytest.FixtureRequest) -> Iterator[Podman]:
    """Give a podman that has two containers, `server` and `client`."""
    assert request.node.get_closest_marker("containers"), "this needs podman: mark it with pytest.mark.containers"
    real = shutil.which("podman")
    if real is None or os.geteuid() != 0:
        pytest.skip("no podman on this machine" if real is None else "podman is tried by root alone")
    place = Path(tempfile.mkdtemp(prefix="octopod"))  # podman takes no long paths
    programs = place / "bin"
    programs.mkdir()
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", PREPARE], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    store = " ".join(f"--{kind} {place / kind}" for kind in ("root", "runroot", "tmpdir"))
    wrapper = programs / "podman"
    wrapper.write_text(
        f"#!/bin/sh\nexec nsenter --mount=/proc/{holder.pid}/ns/mnt {real} {store} "
        '--storage-driver vfs --cgroup-manager cgroupfs --events-backend none "$@"\n'
    )
    wrapper.chmod(0o755)
    made = Podman(place / "containers", programs)
    try:
        try:
            made.start("server")
            made.start("client")
        except RuntimeError as error:
            pytest.skip(f"podman runs no container here: {error}")
        yield made
    finally:
        if made.names:
            made.call("rm", "--force", "--time", "0", *made.names)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
        shutil.rmtree(place, ignore_errors=True)
