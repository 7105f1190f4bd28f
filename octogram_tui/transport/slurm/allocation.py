"""One allocation of Slurm for a run: asked for, waited for, renewed, watched, ended.

Whatever happens to us, it ends: it has a time limit, and the script in it ends it when nobody renews it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any

from octogram_tui.errors import ConnectFailed, ExitCode, TransportError
from octogram_tui.transport.answer import Answer
from octogram_tui.transport.base import Channel, Transport
from octogram_tui.transport.slurm import queue
from octogram_tui.transport.slurm.commands import Commands
from octogram_tui.transport.slurm.ending import END_S, FORCED_END_S, GENTLE_S, end_job
from octogram_tui.transport.slurm.queue import Node, Standing
from octogram_tui.transport.slurm.request import sbatch_argv
from octogram_tui.transport.slurm.spread import Spread
from octogram_tui.transport.slurm.terms import MISSING, AllocationState, Terms, Told, refused
from octogram_tui.transport.slurm.waiting import Waiting
from octogram_tui.transport.slurm.watching import Watch, minutes, told_s

RECENT_S = 1.0  # a look is good for so long
INSIDE = "SLURM_JOB_ID"


def outer_job(commands: Commands) -> str:
    """Give the job in which this program was started; empty when it was not, or Slurm is asked elsewhere."""
    job = os.environ.get(INSIDE, "") if commands.is_here else ""
    return job if job.isascii() and job.isdigit() else ""


class Allocation:
    """The one of a run. way: to the machine with Slurm's programs; None: this one."""

    def __init__(self, terms: Terms, way: Transport | None) -> None:
        self.commands = Commands(way, terms.hides)
        self.job = ""
        self.is_ours = True  # and not the one that we were started in
        self._terms = terms
        self._spread: Spread | None = None
        self._names: tuple[str, ...] = ()  # of its nodes
        self._part = ""  # of a heterogeneous job
        self._why_gone: TransportError | None = None
        self._granting: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[bool] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._keeper: Channel | None = None
        self._is_asked = False
        self._is_over = False
        self._looked_s = 0.0
        self._trouble: TransportError | None = None  # what came last between us and its end
        self._watch: Watch | None = None

    @property
    def is_granted(self) -> bool:
        """Whether there are nodes."""
        return self._spread is not None

    def known_node(self, agent: str) -> Node | None:
        """Give an agent's node, where there is one already."""
        return None if self._spread is None else self._spread.node_of(agent)

    async def node_of(self, agent: str) -> Node:
        """Wait for the allocation, and give an agent's node. Raises TransportError: refused, cancelled, lost."""
        await self.granted()
        assert self._spread is not None
        return self._spread.node_of(agent)

    async def granted(self) -> None:
        """Wait until there are nodes, and see that there still are. Raises TransportError."""
        if self._why_gone is not None:
            raise self._why_gone
        if self._spread is None:
            if self._granting is None or self._granting.done():
                self._granting = asyncio.create_task(self._grant(), name="allocation of Slurm")
                self._granting.add_done_callback(lambda task: task.cancelled() or task.exception())
            try:
                await asyncio.shield(self._granting)
            except TransportError as error:
                if not error.is_retryable:
                    self._why_gone = error
                raise
        if time.monotonic() - self._looked_s > RECENT_S and not self._is_over:
            if self._looking is None or self._looking.done():  # many may come at once, and one asks for all
                self._looking = asyncio.create_task(self._look(), name="look at the allocation")
                self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.shield(self._looking)
        if self._why_gone is not None:
            raise self._why_gone

    def step(self, node: Node, name: str, *, unbuffered: bool = False) -> list[str]:
        """Give the words before a command that run it on a node, beside whatever runs there."""
        return [
            "srun",
            f"--jobid={self.job}",
            *([f"--het-group={self._part}"] if self._part else []),
            f"--nodelist={node.name}",
            "--nodes=1",
            "--ntasks=1",
            "--overlap",
            f"--job-name={name}",
            "--mpi=none",
            "--cpu-bind=none",  # a site may bind each task to a processor: all agents of a node to its first one
            *_gpu_words(node),
            "--chdir=/",
            "--quiet",
            *(["--unbuffered"] if unbuffered else []),
        ]

    async def adopt(self) -> bool:
        """Take the allocation that a run has, if it has one; False when there is none. Raises TransportError."""
        job = await self._find()
        if not job:
            return False
        self.job = job
        standing = await queue.standing_of(self.commands, job)
        if standing.state != "RUNNING":
            return False
        await self._take_nodes(standing)
        return True

    # -- the way to it --------------------------------------------------------------------------------------------

    async def _grant(self) -> None:
        terms = self._terms
        outer = outer_job(self.commands)
        if outer:
            self.job, self.is_ours = outer, False
        else:
            terms.tell(Told("asked", message="an allocation is asked of Slurm"))
            there = await self._find() if terms.is_again or terms.is_begun else ""
            self.job = there or await self._submit()
            self._is_asked = True
            await self._keep_no_place()
        standing = await Waiting(self.commands, self.job, self._tell, self._gone).wait()
        self._looked_s = time.monotonic()
        await self._take_nodes(standing)
        self._tell("granted", self._describe(standing), nodes=self._names, left_s=told_s(standing.left_s))
        assert self._watch is not None
        self._watching = asyncio.create_task(
            self._watch.run(self._look, terms.lease_s), name="watch over the allocation"
        )

    async def _find(self) -> str:
        return await queue.find(self.commands, self._terms.run)

    async def _submit(self) -> str:
        terms = self._terms
        if terms.is_begun:
            raise refused(
                "slurm: the allocation of the run is over, and its agents ended with it",
                "begin a new run: what ended well can be left out with --from",
                "slurm.over",
                ExitCode.UNREACHABLE,
            )
        self._is_asked = True
        words = sbatch_argv(terms.spec, len(terms.names), terms.run, terms.lease_s)
        try:
            said = await self.commands.run(*words)
        except TransportError as error:
            self._is_asked = error.code != MISSING
            raise
        job = said.lines[-1].partition(";")[0] if said.lines else ""
        if said.status != 0 or not (job.isascii() and job.isdigit()):
            self._is_asked = said.is_unknown  # then nobody knows whether the controller has it
            raise refused(
                f"slurm: no allocation: {said.why}", "see `slurm` in the scenario; octogram-tui doctor", "slurm.refused"
            )
        return job

    async def _keep_no_place(self) -> None:
        """Have the job leave the queue with this process, if it still waits there then.

        Elsewhere nobody would tell a connection that is cut from a process that is gone: there it leaves the queue when
        it is its turn, and nobody renews it.
        """
        if not self.commands.is_here:
            return
        script = 'read -r line; exec scancel --quiet --state=PENDING "$1"'
        with contextlib.suppress(TransportError):
            self._keeper = await self.commands.open(["sh", "-c", script, "sh", self.job], Answer())

    def _tell(self, state: AllocationState, message: str, **more: Any) -> None:
        self._terms.tell(Told(state, self.job, f"Slurm's job {self.job} {message}", **more))

    async def _take_nodes(self, standing: Standing) -> None:
        nodes, there = await queue.places_of(self.commands, self.job, standing.nodes)
        self._names = tuple(node.name for node in nodes)
        self._part = standing.part
        time_s = self._terms.spec.time_s
        self._watch = Watch(
            self.commands, self.job, self._names, standing.nodes, time_s, self._tell, renews=self.is_ours
        )
        wanted = set(self._terms.names)
        self._spread = Spread(nodes, self._terms.names, {k: v for k, v in there.items() if k in wanted})

    def _describe(self, standing: Standing) -> str:
        count = len(self._names)
        where = f"{count} node{'' if count == 1 else 's'}: {standing.nodes}"
        left = "" if standing.left_s == float("inf") else f", for {minutes(standing.left_s)}"
        whose = "" if self.is_ours else "; the program was started in it"
        return f"has {where}{left}{whose}"

    # -- while it is there ----------------------------------------------------------------------------------------

    async def _look(self) -> bool:
        """See whether it is gone, and tell of what is new. Raises TransportError when nobody says."""
        assert self._watch is not None
        standing = await queue.standing_of(self.commands, self.job)
        self._looked_s = time.monotonic()
        if await self._watch.see(standing) and not self._is_over:
            await self._tell_loss()
        return self._why_gone is not None

    async def _tell_loss(self) -> None:
        """Tell that it is gone, if it was there and nobody has told: what ran in it has failed by that."""
        if self._why_gone is None and self.is_granted:
            self._why_gone = await self._gone()
            self._tell("lost", f"is lost: {self._why_gone.message.partition(' is over: ')[2]}")

    async def _gone(self) -> ConnectFailed:
        how = await queue.end_of(self.commands, self.job)
        return refused(
            f"slurm: job {self.job} is over: {how}",
            "see what Slurm says of it: scontrol show job, sacct"
            if self.is_ours
            else f"the program was started in it: unset {INSIDE} to have one asked for",
            "slurm.lost",
            ExitCode.UNREACHABLE,
        )

    # -- the end --------------------------------------------------------------------------------------------------

    async def end(self, *, force: bool = False) -> str:
        """End it, and see that it has ended. Gives why that is not known; empty when it is. Bounded; never raises."""
        try:
            async with asyncio.timeout(FORCED_END_S if force else END_S):
                return await self._end(force)
        except TimeoutError:
            why = f": {self._trouble.message}" if self._trouble is not None else ""
            return f"slurm: job {self.job or '(its number is not known)'} did not end in time{why}"
        except TransportError as error:
            return error.message
        finally:
            self._is_over = True

    async def _end(self, force: bool) -> str:
        self._is_over = True
        granting = self._granting
        if granting is not None and not granting.done() and not self.job:
            await asyncio.wait([granting], timeout=GENTLE_S)  # it may be asking just now
        for task in (self._watching, granting):
            if task is not None:
                task.cancel()
        if not self.is_ours:
            return ""
        if not self.job:
            if not self._is_asked and not self._terms.is_begun:
                return ""
            self.job = await self._find()
            if not self.job:
                return ""
        await end_job(self.commands, self.job, self._tell_loss, self._note, force=force)
        return ""

    def _note(self, trouble: TransportError) -> None:
        self._trouble = trouble

    async def close(self) -> None:
        """Let go of it; one that is ours and was not ended is cancelled. Bounded; never raises."""
        if self.is_ours and self._is_asked and not self._is_over:
            await self.end(force=True)
        for task in (self._watching, self._granting, self._looking):
            if task is not None:
                task.cancel()
        if self._keeper is not None:
            self._keeper.write_eof()
        await self.commands.close()


def _gpu_words(node: Node) -> list[str]:
    """A step that does not say how many wants as many of one node as the whole allocation has."""
    if not node.gpus:
        return []
    return ["--gres=none"] if node.gpus == "0" else [f"--gpus={node.gpus}"]
