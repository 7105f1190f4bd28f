"""Runs whose agents have their nodes of a real Slurm: whatever happens to them, its queue is empty afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import Place, events_of, events_so_far, wait_for
from fixtures_slurm import Cluster
from fixtures_ssh import ServerFactory

pytestmark = pytest.mark.slurm

NINE = """slurm: {nodes: 3, time: 10m}
defaults: {transport: slurm}
agents: [{name: 'w{1..9}'}]
stages:
  - name: meet
    jobs:
      - {name: write, builtins.write_file: {path: '{{ agent.name }}.txt', content: 'of {{ agent.name }}'}}
      - {name: serve, builtins.start_http_server: {}}
  - name: fetch
    with_agents: ['w[1-8]']
    jobs:
      - {name: theirs, builtins.prefetch: 'w9://w9.txt'}
      - {name: read, builtins.command: cat w9.txt}
  - name: stay
    jobs:
      - {name: stay, builtins.shell: 'echo $SLURMD_NODENAME; while [ ! -e GO ]; do sleep 0.05; done'}
"""
WAITS = """slurm: {NODES, time: 10m}
agents: [{name: 'w{1..2}', transport: slurm}]
stages:
  - name: s
    jobs: [{name: j, builtins.shell: 'echo here; while [ ! -e GO ]; do sleep 0.05; done; echo late'}]
"""


class Run:
    """A run in a process of its own, which waits for a file in its last stage."""

    def __init__(self, place: Place, text: str, *arguments: str) -> None:
        self.place = place
        self.go = place.home / "go"
        path = place.write("s.yml", text.replace("GO", str(self.go)))
        self.process = place.start(str(path), "--headless", "--events", "e.jsonl", *arguments)

    def events(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in events_so_far(self.place.home / "e.jsonl") if event["type"] == type_]

    def told(self) -> list[str]:
        """Give what was told of the allocation, by state."""
        return [event["state"] for event in self.events("allocation_changed")]

    def await_jobs(self, name: str, count: int) -> None:
        def have_begun() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            begun = [event for event in self.events("job_output") if event.get("job") == name]
            return len(begun) >= count

        wait_for(have_begun)

    def end(self, *codes: int) -> str:
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode in codes, out
        return str(out)


@pytest.mark.fault(103, 106)
def test_nine_agents_on_three_nodes_while_a_way_is_cut_and_a_node_drained(place: Place, slurm: Cluster) -> None:
    run = Run(place, NINE)
    run.await_jobs("stay", 9)
    steps = slurm.steps()
    assert set(steps) == {f"w{n}" for n in range(1, 10)}
    assert Counter(steps.values()) == {"n1": 3, "n2": 3, "n3": 3}
    said = {event["agent"]: event["lines"][0] for event in run.events("job_output") if event.get("job") == "stay"}
    assert said == steps, "each job runs in the step of its agent"
    cut = next(line.split()[0] for line in place.processes() if " --job-name=w5 " in line)
    os.kill(int(cut), signal.SIGKILL)  # no end of a step, but of the way to it
    wait_for(lambda: [event["agent"] for event in run.events("agent_ready")].count("w5") == 2)
    slurm.run("scontrol", "update", "nodename=n2", "state=drain", "reason=a fan\tbroke")
    wait_for(lambda: "node" in run.told())
    run.go.touch()
    out = run.end(0)
    slurm.wait_empty()
    assert run.told() == [*run.told()[:1], *(["waiting"] * run.told().count("waiting")), "granted", "node", "ended"]
    assert "a node, n2, that is draining: a fan broke" in out
    ready = run.events("agent_ready")
    assert {event["address"] for event in ready} == {"127.0.0.1"}, "as Slurm has the addresses of its nodes"
    read = {event["agent"]: event["lines"] for event in run.events("job_output") if event.get("job") == "read"}
    assert read == {f"w{n}": ["of w9"] for n in range(1, 9)}
    done = slurm.run("scontrol", "show", "job", str(run.events("allocation_changed")[-1]["job"]))
    assert "JobState=COMPLETED" in done, "what ended well is no cancelled job"
    assert not list(place.home.glob(".octogram/runs/*"))


@pytest.mark.fault(110)
@pytest.mark.parametrize("is_running", [False, True])
def test_ctrl_c_gives_back_the_nodes_or_the_place_in_the_queue(place: Place, slurm: Cluster, is_running: bool) -> None:
    other = "" if is_running else slurm.occupy("--nodes=3", "--exclusive", "--time=30")
    run = Run(place, WAITS.replace("NODES", "nodes: 3, tasks: 3"))
    if is_running:
        run.await_jobs("j", 2)
    else:
        wait_for(lambda: any(event.get("reason") for event in run.events("allocation_changed")))
        told = run.events("allocation_changed")[-1]
        assert (told["state"], told["position"]) == ("waiting", 1)
        assert told["message"].startswith(f"Slurm's job {told['job']} waits at place 1 of 1 in partition main: ")
    os.kill(run.process.pid, signal.SIGINT)
    run.end(130)
    assert [line.split()[0] for line in slurm.queue()] == [other][: not is_running]
    if other:
        slurm.run("scancel", other)


@pytest.mark.fault(112)
def test_a_killed_run_goes_on_in_the_same_nodes(place: Place, slurm: Cluster) -> None:
    run = Run(place, WAITS.replace("NODES", "nodes: 2"))
    run.await_jobs("j", 2)
    steps = slurm.steps()
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.communicate()
    assert slurm.steps() == steps, "the agents go on until their lease is over"
    run.go.touch()
    done = place.run("resume", "last", "--events", "r.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    events = events_of((place.home / "r.jsonl").read_text())
    # By what the jobs gave: of what was under way when the run was killed, its journal may not know.
    given = [event["result"]["stdout"] for event in events if event["type"] == "job_finished"]
    begun = Counter(event["key"] for event in events if event["type"] == "job_started")
    assert (given, begun) == (["here\nlate"] * 2, {"s/j@w1": 1, "s/j@w2": 1}), "each job has run once"
    assert not slurm.queue()


@pytest.mark.fault(112)
def test_what_a_killed_run_left_is_ended_by_clean(place: Place, slurm: Cluster) -> None:
    run = Run(place, WAITS.replace("NODES", "nodes: 2"))
    run.await_jobs("j", 2)
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.communicate()
    assert len(slurm.queue()) == 1
    done = place.run("clean", "last", "--yes")
    assert done.returncode == 0, done.stdout
    assert "of the run has the nodes of its agents" in done.stdout
    assert not slurm.queue()


@pytest.mark.fault(111)
def test_a_run_that_is_killed_in_the_queue_leaves_it(place: Place, slurm: Cluster) -> None:
    other = slurm.occupy("--nodes=3", "--exclusive", "--time=30")
    run = Run(place, WAITS.replace("NODES", "nodes: 2"))
    wait_for(lambda: "waiting" in run.told())
    assert len(slurm.queue()) == 2
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.communicate()
    wait_for(lambda: [line.split()[0] for line in slurm.queue()] == [other])
    slurm.run("scancel", other)


@pytest.mark.fault(107)
def test_an_allocation_that_is_lost_loses_its_agents(place: Place, slurm: Cluster) -> None:
    run = Run(place, WAITS.replace("NODES", "nodes: 2"))
    run.await_jobs("j", 2)
    slurm.run("scancel", run.events("allocation_changed")[-1]["job"])
    out = run.end(1, 7, 10)  # Slurm ends the jobs and their agents at once, and either is heard of first
    assert run.told()[-2:] == ["lost", "ended"]
    assert "is lost: it was cancelled" in out
    assert not slurm.queue()
    cleaned = place.run("clean", "last", "--yes")
    assert cleaned.returncode == 0, cleaned.stdout
    assert "Slurm has ended the allocation of the run" in cleaned.stdout


@pytest.mark.fault(106)
def test_a_node_that_fails_is_told_of_and_the_others_go_on(place: Place, slurm: Cluster) -> None:
    run = Run(place, WAITS.replace("NODES", "nodes: 2"))
    run.await_jobs("j", 2)
    slurm.run("scontrol", "update", "nodename=n2", "state=down", "reason=power off")
    wait_for(lambda: "node" in run.told())
    assert "n2" in run.events("allocation_changed")[-1]["message"]
    os.kill(run.process.pid, signal.SIGINT)
    wait_for(lambda: run.events("stop_requested"))
    os.kill(run.process.pid, signal.SIGINT)  # by force: the agent on n2 would be waited for
    run.end(10)


@pytest.mark.fault(114, 115)
def test_a_run_inside_an_allocation_leaves_it_as_it_was(place: Place, slurm: Cluster) -> None:
    other = (
        "--wrap=exec sleep 600",
        "--exclusive",
        "--nodes=1",
        ":",
    )  # of a heterogeneous job, the first part is meant
    job = slurm.occupy(*other, "--exclusive", "--nodes=1", "--time=5")
    (node,) = slurm.run("squeue", "--noheader", f"--jobs={job}", "--format=%A %N").partition(f"{job} ")[2].split()[:1]
    place.extra |= {"SLURM_JOB_ID": job, "SLURM_NTASKS": "7", "SLURM_NNODES": "7", "SLURM_EXCLUSIVE": "1"}
    run = Run(place, WAITS.replace("NODES", "partition: there is none"))
    run.await_jobs("j", 2)
    assert set(slurm.steps().values()) == {node}
    run.go.touch()
    assert f"Slurm's job {job} is left as it was" in run.end(0)
    assert job in [line.split()[0] for line in slurm.queue()]
    slurm.run("scancel", job)


@pytest.mark.fault(113)
def test_what_slurm_never_gives_is_one_line(place: Place, slurm: Cluster) -> None:
    path = place.write("s.yml", WAITS.replace("NODES", "partition: small, nodes: 2"))
    done = place.run(str(path), "--headless")
    assert done.returncode == 6, done.stdout
    failed = [line for line in done.stdout.splitlines() if "could not be started" in line]
    assert "would wait for ever: Partition" in failed[0]
    assert failed[1].endswith("as w1")
    looked = place.run("doctor", str(path), "--json")
    rows = [json.loads(line) for line in looked.stdout.splitlines()]
    assert looked.returncode == 6
    assert {"slurm", "controller"} <= {row["check"] for row in rows}


@pytest.mark.sshd
def test_a_login_node_is_reached_over_ssh(place: Place, slurm: Cluster, openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"SetEnv": f"SLURM_CONF={slurm.conf}"})
    place.extra["SLURM_CONF"] = "/nowhere"
    path = place.write("s.yml", WAITS.replace("NODES", "nodes: 2, login: 127.0.0.1").replace("GO", "/"))
    done = place.run(str(path), "--headless", "--ssh-config", str(server.ssh_config), "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout
    told = [event for event in events_of((place.home / "e.jsonl").read_text()) if event["type"] == "allocation_changed"]
    assert told[-1]["is_confirmed"]
    assert not slurm.queue()


def test_without_slurm_it_is_said_what_is_missing(place: Place, slurm: Cluster, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("env", "sh"):
        found = subprocess.run(["which", program], capture_output=True, text=True, check=True).stdout.strip()
        (programs / program).symlink_to(found)
    place.extra["PATH"] = str(programs)
    path = place.write("s.yml", WAITS.replace("NODES", "nodes: 2"))
    done = place.run(str(path), "--headless")
    assert done.returncode == 6, done.stdout
    assert "there is no program `sbatch` on this machine" in done.stdout
    looked = place.run("doctor", str(path))
    assert looked.returncode == 6
    assert "there is no program `sbatch` on this machine" in looked.stdout
