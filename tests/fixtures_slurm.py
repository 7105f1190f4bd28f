"""A real Slurm on this machine: a controller and three nodes, n1 to n3, in a directory of its own. Needs root.

All nodes share the machine's files and its address. It is up within a second, once for each process of the tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ports import free_port

NODES = ("n1", "n2", "n3")
START_S = 60.0
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge/sock
CredType=cred/munge
SlurmctldPort={port}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool_%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd_%n.pid
SlurmctldLogFile={directory}/log/slurmctld
SlurmdLogFile={directory}/log/slurmd_%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=10000
ReturnToService=2
MpiDefault=none
GresTypes=gpu
KillWait=5
MinJobAge=300
{nodes}
PartitionName=main Nodes=n[1-3] Default=YES MaxTime=120 State=UP
PartitionName=small Nodes=n1 MaxTime=5 MaxNodes=1 State=UP
"""


@dataclass
class Cluster:
    """A running one; `conf` is what SLURM_CONF has to name."""

    directory: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def conf(self) -> str:
        """The configuration that its programs read."""
        return str(self.directory / "slurm.conf")

    def run(self, *words: str) -> str:
        """Run one of its programs; gives what it printed."""
        environment = {**os.environ, "SLURM_CONF": self.conf}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def queue(self) -> list[str]:
        """List the jobs that are not over: number, name, state."""
        return [line.strip() for line in self.run("squeue", "--noheader", "--format=%A %j %T").splitlines()]

    def steps(self) -> dict[str, str]:
        """Tell the node of each step, by its name."""
        lines = self.run("squeue", "--steps", "--noheader", "--format=%j %N").splitlines()
        return dict(line.split() for line in lines if not line.startswith("batch "))

    def occupy(self, *options: str) -> str:
        """Take nodes away with a job of nobody's; gives its number."""
        script = "--wrap=exec sleep 600"
        job = self.run("sbatch", "--parsable", "--chdir=/", "--output=/dev/null", *options, script).strip()
        end_s = time.monotonic() + START_S
        while f"{job} wrap RUNNING" not in self.queue():
            assert time.monotonic() < end_s, self.queue()
            time.sleep(0.05)
        return job

    def wait_empty(self, within_s: float = 60.0) -> None:
        """Wait until nothing is in the queue. Fails with what is."""
        end_s = time.monotonic() + within_s
        while left := self.queue():
            assert time.monotonic() < end_s, f"in the queue: {left}"
            time.sleep(0.05)

    def start(self, name: str, *words: str) -> None:
        """Start a daemon of it."""
        with open(self.directory / "log" / f"{name}.out", "wb") as out:
            self.processes[name] = subprocess.Popen(
                words,
                env={"PATH": _PATH, "SLURM_CONF": self.conf},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def await_(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for a daemon. Fails with the end of its log."""
        end_s = time.monotonic() + START_S
        while not condition():
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in (self.directory / "log").iterdir())
            assert not dead, f"{what} did not come up; ended: {dead}\n{logs}"
            assert time.monotonic() < end_s, f"{what} did not come up\n{logs}"
            time.sleep(0.02)

    def stop(self) -> None:
        """End all of it, the nodes first."""
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def missing() -> str:
    """Say what is not here of what a cluster needs; empty when all is."""
    if os.geteuid() != 0:
        return "a cluster of Slurm needs root"
    found = [program for program in PROGRAMS if shutil.which(program, path=_PATH) is None]
    return f"no {found[0]} on this machine" if found else ""


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Cluster]:
    lack = missing()
    if lack:
        pytest.skip(lack)
    directory = Path(tempfile.mkdtemp(prefix="octogram-slurm-"))
    cluster = Cluster(directory)
    try:
        _bring_up(cluster)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _bring_up(cluster: Cluster) -> None:
    directory = cluster.directory
    for name in ("munge", "state", "log", *(f"spool_{node}" for node in NODES)):
        (directory / name).mkdir()
    (directory / "munge").chmod(0o700)
    key = directory / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    ports = [free_port() for _ in range(1 + len(NODES))]
    lines = [
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=1000 Gres=gpu:2"
        for node, port in zip(NODES, ports[1:], strict=True)
    ]
    Path(cluster.conf).write_text(
        CONFIGURATION.format(directory=directory, host=host, port=ports[0], nodes="\n".join(lines))
    )
    gpus = [directory / f"gpu{number}" for number in range(2)]  # to Slurm, any file is one
    for gpu in gpus:
        gpu.touch()
    (directory / "gres.conf").write_text("".join(f"Name=gpu File={gpu}\n" for gpu in gpus))
    munge = f"{directory}/munge"
    cluster.start(
        "munged",
        "munged",
        "--force",
        "--foreground",
        f"--key-file={key}",
        f"--socket={munge}/sock",
        f"--pid-file={munge}/pid",
        f"--seed-file={munge}/seed",
        f"--log-file={directory}/log/munged",
    )
    cluster.await_("munged", lambda: os.path.exists(f"{munge}/sock"))
    cluster.start("slurmctld", "slurmctld", "-D", "-i")
    for node in NODES:
        cluster.start(f"slurmd_{node}", "slurmd", "-D", "-N", node)

    def is_up() -> bool:
        with contextlib.suppress(AssertionError):
            idle = cluster.run("sinfo", "--noheader", "--Node", "--partition=main", "--states=idle", "--format=%N")
            return idle.split() == list(NODES)
        return False

    cluster.await_("Slurm", is_up)


@pytest.fixture
def slurm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Give a cluster with nothing in its queue, to this process and what it starts; what a test leaves fails it."""
    assert request.node.get_closest_marker("slurm"), "this needs a real Slurm: mark it with pytest.mark.slurm"
    cluster: Cluster = request.getfixturevalue("_cluster")
    monkeypatch.setenv("SLURM_CONF", cluster.conf)
    for name in [name for name in os.environ if name.startswith("SLURM_") and name != "SLURM_CONF"]:
        monkeypatch.delenv(name)
    yield cluster
    try:
        cluster.wait_empty()
    finally:
        for line in cluster.queue():
            cluster.run("scancel", line.split()[0])
        cluster.wait_empty(60.0)
        for node in NODES:
            with contextlib.suppress(AssertionError):
                cluster.run("scontrol", "update", f"nodename={node}", "state=resume")
