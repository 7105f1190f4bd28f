"""What is read of Slurm's answers, and which agent gets which node."""

from __future__ import annotations

import math
import os
import subprocess
from pathlib import Path

import pytest

from octogram_tui.model.scenario import SlurmSpec
from octogram_tui.transport.slurm.commands import Said, anywhere, clean
from octogram_tui.transport.slurm.queue import Node, Standing, _count, _gpus
from octogram_tui.transport.slurm.request import guard, sbatch_argv, seconds_of
from octogram_tui.transport.slurm.spread import Spread


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("5:00", 300), ("1:02:03", 3723), ("2-01:00:00", 176400), ("0:00", 0)]
    + [(text, math.inf) for text in ("UNLIMITED", "INVALID", "", "1:x", "-1")],
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(("ids", "count"), [("0-3,8", 5), ("7", 1), ("", 0), ("a-b", 0), ("1-x", 0)])
def test_processors(ids: str, count: int) -> None:
    assert _count(ids) == count


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [("gpu:2(IDX:0-1)", "2"), ("gpu:a100:2(IDX:0,3),gpu:k80:1(IDX:5),nic:1(CNT:1)", "a100:2,k80:1"), ("gpu:3", "3")]
    + [(text, "") for text in ("", "(null)", "nic:1", "gpu:0", "gpu:--x=1", "gpu:2x", "gpu:$(id):1")],
)
def test_gpus(gres: str, gpus: str) -> None:
    assert _gpus(gres) == gpus


def test_agents_go_where_processors_are_and_stay_where_they_are() -> None:
    nodes = [Node("n1", "10.0.0.1", 6), Node("n2", "10.0.0.2", 2), Node("n3", "10.0.0.3", 1)]
    names = [f"a{n}" for n in range(9)]
    spread = Spread(nodes, names, {})
    assert [sum(spread.node_of(name).name == node.name for name in names) for node in nodes] == [6, 2, 1]
    kept = Spread(nodes, names, {"a8": "n3", "a0": "n2", "gone": "n9"})
    assert kept.node_of("a8").name == "n3"
    assert kept.node_of("a0").name == "n2"
    assert kept.node_of("later") == kept.node_of("later")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("sbatch: error: Batch job submission failed: Requested node configuration is not available\n", "Batch job"),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", "Unable to contact"),
        ("allocation failure: Invalid account\n", "Invalid account"),
        ("sbatch: unrecognized option '--x'\nTry \"sbatch --help\" for more information\n", "unrecognized option"),
        ("", "it ended with exit status 1"),
        ("\x1b[31mred\x07 " + "x" * 5000, "[31mred"),
    ],
)
def test_complaints_are_short_and_printable(error: str, why: str) -> None:
    said = Said(1, "", error).why
    assert why in said
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.fault(105)
@pytest.mark.parametrize(
    ("status", "error", "is_unknown"),
    [
        (None, "", True),
        (137, "", True),
        (1, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", True),
        (1, "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received", True),
        (1, "sbatch: error: Batch job submission failed: Invalid partition name specified", False),
        (1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", False),
    ],
)
def test_whether_there_may_be_a_job_all_the_same(status: int | None, error: str, is_unknown: bool) -> None:
    assert Said(status, "", error).is_unknown is is_unknown


@pytest.mark.fault(114)
def test_habits_of_a_user_elsewhere_are_put_aside_there() -> None:
    habits = dict.fromkeys(("SLURM_EXACT", "SQUEUE_FORMAT", "SBATCH_X_1", "SRUN_A"), "x; exit 9")
    kept = {"SLURM_CONF": "/c", "SLURM_JWT": "j", "MYSLURM_A": "m", "PATH": os.environ["PATH"], "TEXT": "a\nSALLOC_B=c"}
    done = subprocess.run(anywhere(["env", "-0"]), env=habits | kept, capture_output=True, text=True, check=True)
    there = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    assert {name: there[name] for name in kept} == kept
    assert not set(habits) & set(there)


@pytest.mark.fault(104)
def test_an_allocation_is_held_while_nobody_can_renew_it(tmp_path: Path) -> None:
    answers, asked = tmp_path / "answers", tmp_path / "asked"
    answers.write_text("0\n1\n0\n1\n0\n0\n9\n")
    (tmp_path / "sleep").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "scontrol").write_text(
        f'#!/bin/sh\n[ "$*" = ping ] || exit 9\nread -r code <{answers}\nsed -i 1d {answers}; echo "$code" >>{asked}\n'
        'exit "$code"\n'
    )
    for program in ("sleep", "scontrol"):
        (tmp_path / program).chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", guard(0.0)], env=path, check=True, timeout=60)
    assert asked.read_text().split() == ["0", "1", "0", "1", "0", "0"], "at the start, and in the middle and at the end"
    answers.write_text("1\n" + "0\n" * 9)
    asked.unlink()
    subprocess.run(["sh", "-c", guard(0.0)], env=path, check=True, timeout=60)
    assert asked.read_text().split() == ["1"], "a node that has never been answered ends it as ever"


def test_names_from_outside_are_one_line() -> None:
    assert clean("a fan\tbroke\n\x1b]0;x\x07") == "a fan broke  ]0;x"


@pytest.mark.parametrize(
    ("reason", "is_never"),
    [("Resources", False), ("Priority", False), ("JobHeldAdmin", False), ("QOSMaxJobsPerUserLimit", False)]
    + [
        (each, True)
        for each in ("PartitionTimeLimit", "PartitionConfig", "InvalidQOS", "QOSMaxWallDurationPerJobLimit")
    ]
    + [("AssocMaxNodePerJobLimit", True), ("AssocGrpCpuLimit", False)],
)
def test_what_is_waited_for_in_vain(reason: str, is_never: bool) -> None:
    assert bool(Standing("PENDING", reason).never) is is_never


def test_what_is_asked_for() -> None:
    spec = SlurmSpec("p", 3, None, 2, "4G", "a100:2", 90.0, "acc", "a&b", ("--qos=high",))
    words = sbatch_argv(spec, 7, "run", 60.0)
    assert words[:3] == ["sbatch", "--parsable", "--job-name=octogram-run"]
    assert {
        *("--partition=p", "--nodes=3", "--ntasks=7", "--ntasks-per-node=3", "--cpus-per-task=2", "--mem=4G"),
        *("--gpus=a100:2", "--time=2", "--account=acc", "--constraint=a&b", "--no-requeue", "--no-kill", "--qos=high"),
    } <= set(words)
    assert words[-1].startswith("--wrap=trap 'left=93' URG; ")
    assert "--ntasks=3" in sbatch_argv(SlurmSpec(nodes=3), 1, "run", 60.0), "a node has one task at least"
    assert "--ntasks=1" in sbatch_argv(SlurmSpec(tasks=1), 100, "run", 60.0)
