"""An allocation of a real Slurm: what ends it, what it is found by, where its agents are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fixtures_program import wait_for
from fixtures_slurm import Cluster

from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.model.scenario import SlurmSpec
from octogram_tui.transport.slurm import Allocation, commands, request, watching
from octogram_tui.transport.slurm.queue import Node
from octogram_tui.transport.slurm.terms import Terms, Told

pytestmark = pytest.mark.slurm
NAMES = tuple(f"a{n}" for n in range(4))


class Rig:
    """Allocations of one test, and what was told of them."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.made: list[Allocation] = []

    def ask(self, spec: SlurmSpec, *, run: str = "r", lease_s: float = 60.0, is_begun: bool = False) -> Allocation:
        terms = Terms(spec, NAMES, run, lease_s, self.told.append, is_begun=is_begun)
        self.made.append(Allocation(terms, None))
        return self.made[-1]

    async def until(self, state: str) -> Told:
        async with asyncio.timeout(60):
            while not (found := [told for told in self.told if told.state == state]):
                await asyncio.sleep(0.02)
        return found[-1]


@pytest.fixture
async def rig(slurm: Cluster) -> AsyncIterator[Rig]:
    found = Rig()
    yield found
    for made in found.made:
        await made.close()


@pytest.mark.fault(112)
async def test_it_outlives_its_lease_while_it_is_renewed_and_no_longer(
    rig: Rig, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "SLACK_S", 4.0)  # a renewal each second, and a command of Slurm may take some
    made = rig.ask(SlurmSpec(nodes=2), lease_s=1.0)
    await made.granted()
    job = made.job
    lasts_s = request.held_s(1.0)
    await asyncio.to_thread(wait_for, lambda: _elapsed_s(slurm) > lasts_s)
    assert made._watching is not None
    made._watching.cancel()
    await asyncio.to_thread(slurm.wait_empty)
    assert "JobState=COMPLETED" in slurm.run("scontrol", "show", "job", job)
    with pytest.raises(TransportError, match=rf"^slurm: job {job} is over: its guard ended$"):
        await asyncio.wait_for(_until_it_is_seen(made), 60)
    assert await made.end() == ""


def _elapsed_s(slurm: Cluster) -> float:
    shown = slurm.run("squeue", "--noheader", "--format=%M").strip()
    assert shown, "it ended although it was renewed"
    return request.seconds_of(shown)


async def _until_it_is_seen(made: Allocation) -> None:
    while True:
        await made.granted()
        await asyncio.sleep(0.1)


@pytest.mark.fault(115)
async def test_it_is_found_again_with_its_agents_where_they_are(rig: Rig, slurm: Cluster) -> None:
    made = rig.ask(SlurmSpec(nodes=3, gpus="4"))
    nodes = [(await made.node_of(name)).name for name in NAMES]
    assert sorted(nodes) == ["n1", "n1", "n2", "n3"]
    said = await made.commands.run(*made.step(await made.node_of("a3"), "a3"), "sh", "-c", "echo $SLURMD_NODENAME")
    assert said.text.strip() == nodes[3]
    assert [(await made.node_of(name)).gpus for name in ("a0", "a1", "a2")] == ["2", "1", "1"]
    assert made.step(Node("n1", "", gpus="0"), "a").count("--gres=none") == 1, "where others of the allocation have any"
    again = rig.ask(SlurmSpec(), is_begun=True)
    assert await again.adopt()
    assert again.job == made.job
    assert [(await again.node_of(name)).name for name in NAMES] == nodes
    assert await again.end() == ""
    assert await made.end() == ""
    over = rig.ask(SlurmSpec(), is_begun=True)
    with pytest.raises(TransportError, match="its agents ended with it") as caught:
        await over.granted()
    assert not caught.value.is_retryable
    assert not await rig.ask(SlurmSpec(), is_begun=True).adopt()


@pytest.mark.fault(113)
@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (SlurmSpec(partition="nowhere"), "no allocation: Batch job submission failed: Invalid partition name"),
        (SlurmSpec(nodes=4), "would wait for ever: Partition"),
        (SlurmSpec(partition="small", time_s=3600), "would wait for ever: Partition"),
        (SlurmSpec(constraint="moon"), "Invalid feature specification"),
        (SlurmSpec(options=("--such-an-option",)), "unrecognized option '--such-an-option'"),
        (SlurmSpec(partition="$(touch /tmp/x); `id`\u202e'\""), "Invalid partition name"),
        (SlurmSpec(gpus="9"), "no allocation: "),
    ],
)
async def test_what_is_never_given_is_said_in_a_line(rig: Rig, slurm: Cluster, spec: SlurmSpec, what: str) -> None:
    made = rig.ask(spec)
    with pytest.raises(TransportError) as caught:
        await asyncio.wait_for(made.granted(), 60)
    assert what in caught.value.message
    assert caught.value.message.startswith("slurm: ")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert not caught.value.is_retryable
    assert await made.end() == ""
    assert not slurm.queue()


@pytest.mark.fault(109)
async def test_its_end_comes_near_and_is_told(rig: Rig, slurm: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "NEAR_SHARE", 2.0)
    made = rig.ask(SlurmSpec(nodes=1, time_s=60))
    await made.granted()
    near = await rig.until("ending")
    assert 0 < near.left_s <= 60
    assert near.message.startswith(f"Slurm's job {made.job} ends in ")
    run, calls = made.commands.run, iter(range(1000))

    async def cut(*words: str) -> commands.Said:
        said = await run(*words)
        if next(calls) % 2 == 0:
            raise LinkLost("slurm: the login node is away for a moment")
        return said

    monkeypatch.setattr(made.commands, "run", cut)
    assert await made.end() == "", "it is tried again as long as there is time"
    monkeypatch.undo()


@pytest.mark.fault(107, 108)
@pytest.mark.parametrize("is_back", [False, True])
async def test_one_that_is_suspended_is_there_and_one_that_is_back_in_the_queue_is_not(
    rig: Rig, slurm: Cluster, is_back: bool
) -> None:
    made = rig.ask(SlurmSpec(nodes=1))
    await made.granted()
    if is_back:
        slurm.run("scontrol", "update", f"jobid={made.job}", "requeue=1")
        slurm.run("scontrol", "requeue", made.job)
        assert "is lost: Slurm has put it back into the queue" in (await rig.until("lost")).message
    else:
        slurm.run("scontrol", "suspend", made.job)
        assert "is suspended: what runs in it stands still" in (await rig.until("node")).message
    assert await made.end(force=True) == ""
    assert [told.state for told in rig.told].count("lost") == is_back
    assert not slurm.queue()


@pytest.mark.fault(114)
async def test_secrets_and_habits_of_the_user_stay_here(
    rig: Rig, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TOKEN": "x", "SBATCH_TIMELIMIT": "1", "SLURM_NTASKS": "9", "PLAIN": "y"}.items():
        monkeypatch.setenv(name, value)
    made = rig.ask(SlurmSpec(nodes=1, time_s=600))
    made = rig.made[-1] = Allocation(made._terms._replace(hides=("TOKEN",)), None)
    words = made.step(await made.node_of("a0"), "a0")
    said = await made.commands.run(*words, "sh", "-c", "echo ${TOKEN-none} ${PLAIN-none} $SLURM_NTASKS")
    assert said.text.split() == ["none", "y", "1"]
    assert "for 10 min" in (await rig.until("granted")).message
    assert await made.end() == ""


@pytest.mark.fault(105)
async def test_a_controller_that_is_not_there_is_named(
    rig: Rig, slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", "/nowhere/slurm.conf")
    monkeypatch.setattr(commands, "ANSWER_S", 0.3)
    made = rig.ask(SlurmSpec())
    with pytest.raises(TransportError, match=r"^slurm: "):
        await made.granted()
    assert "no answer" in await made.end(), "nobody knows whether it has heard of the job"


def test_the_first_of_two_allocations_is_no_other_run_s() -> None:
    one, two = (request.sbatch_argv(replace(SlurmSpec(), nodes=1), 1, run, 60.0) for run in ("a", "b"))
    assert {word for word in one if word.startswith("--job-name")} == {"--job-name=octogram-a"}
    assert {word for word in two if word.startswith("--job-name")} == {"--job-name=octogram-b"}
