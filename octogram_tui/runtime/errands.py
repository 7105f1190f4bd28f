"""What the orchestrator itself does for a job: copying files to an agent and fetching them from it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui import filing
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.stimuli import AttemptReport, OutputReport, ProgressReport, Stimulus
from octogram_tui.errors import TransportError
from octogram_tui.model.failure import AGENT_LOST, BUG, CANCELLED, FILES, TIMEOUT, Failure
from octogram_tui.model.ids import AttemptId, Execution
from octogram_tui.runtime import files
from octogram_tui.runtime.claims import Claim, Claims
from octogram_tui.runtime.deliveries import Deliveries
from octogram_tui.runtime.link import Link

PROGRESS_EVERY_S = 1.0

Submit = Callable[[Stimulus], None]


class Errands:
    """The copies and fetches under way. Each ends with AttemptReport, whatever happens.

    scenario_directory: where `local_path` is looked for second; artifacts: where fetched files go by default.
    """

    def __init__(self, scenario_directory: str, artifacts: str) -> None:
        self._scenario_directory = scenario_directory
        self._artifacts = artifacts
        self._tasks: dict[Execution, asyncio.Task[Any]] = {}
        self._claims = Claims()
        self._deliveries = Deliveries()

    def start(self, effect: SendJob, link: Link | None, submit: Submit) -> None:
        """Begin one."""
        started_s = time.monotonic()
        attempt = effect.attempt
        task = asyncio.get_running_loop().create_task(self._do(effect, link, submit), name=f"errand {attempt}")
        self._tasks[attempt] = task

        def ended(task: asyncio.Task[Any]) -> None:
            # Not in the task itself: one that is cancelled before its first step ends without a word.
            self._tasks.pop(attempt, None)
            state, result, failure = _outcome(task, effect.timeout_s)
            duration_s = round(time.monotonic() - started_s, 6)
            submit(AttemptReport(effect.agent, attempt, state, result, failure, duration_s))

        task.add_done_callback(ended)

    def cancel(self, attempt: AttemptId) -> None:
        """End one; nothing of it stays under its final name."""
        task = self._tasks.get(attempt)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End all of them."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=5)

    async def _do(self, effect: SendJob, link: Link | None, submit: Submit) -> Any:
        async with asyncio.timeout(effect.timeout_s):
            return await self._carry(effect, link, submit)

    async def _carry(self, effect: SendJob, link: Link | None, submit: Submit) -> Any:
        if link is None or not link.home:
            raise ProcedureFailed(f"agent {effect.agent} is not connected", kind=AGENT_LOST)
        arguments = effect.arguments
        told_s = 0.0

        def progress(done_bytes: int, total_bytes: int) -> None:
            nonlocal told_s
            now_s = time.monotonic()
            if now_s - told_s >= PROGRESS_EVERY_S:
                told_s = now_s
                submit(ProgressReport(effect.agent, effect.attempt, f"{done_bytes >> 20} of {total_bytes >> 20} MiB"))

        if effect.procedure == "copy":
            assert isinstance(effect.attempt, AttemptId)
            source = files.locate(str(arguments["local_path"]), self._scenario_directory, effect.inside)
            done = await files.copy_to(
                link.transport,
                link.stream_argv,
                source,
                str(arguments["remote_path"]),
                home=link.home,
                job=str(effect.attempt.instance),
                machine=link.machine,
                deliveries=self._deliveries,
                on_progress=progress,
            )
            if done["unchanged"]:
                submit(OutputReport(effect.agent, effect.attempt, [_of_unchanged(done)]))
            return None
        assert isinstance(effect.attempt, AttemptId)
        local_path, remote_path = arguments.get("local_path"), str(arguments["remote_path"])
        target = str(local_path) if local_path else os.path.join(self._artifacts, effect.agent) + "/"
        claim = Claim(effect.attempt.instance, remote_path, bool(local_path))
        if not local_path:
            with contextlib.suppress(OSError):  # said by what cannot be put there
                filing.make_private(Path(target))
        try:
            result = await files.fetch_from(
                link.transport,
                link.stream_argv,
                remote_path,
                target,
                home=link.home,
                is_optional=bool(arguments.get("optional")),
                inside=effect.inside if local_path else self._artifacts,
                is_again=self._claims.has_made(claim, target),
                on_place=lambda place: self._claims.take(claim, target, place),
                on_progress=progress,
            )
        except BaseException:
            self._claims.give_back(claim)
            raise
        said = _of_depth(target, result["local_path"])
        if said:
            submit(OutputReport(effect.agent, effect.attempt, [said]))
        return result


def _of_unchanged(done: dict[str, Any]) -> str:
    """Say that files were there already."""
    if done["files"] == 1:
        return "it was there already, and was not sent again"
    return f"{done['unchanged']} of {done['files']} files were there already, and were not sent again"


def _of_depth(target: str, place: str | None) -> str:
    """Say that a directory went into one that was there: most likely what an earlier run has brought."""
    if place is None or target.endswith(("/", "/.", "/..")) or target in (".", "..") or not os.path.isdir(place):
        return ""
    if os.path.abspath(target) != os.path.dirname(place):
        return ""
    return f"{target} was there already, so this is in {place}; end local_path in `/` to have it there in every run"


def _outcome(task: asyncio.Task[Any], timeout_s: float | None) -> tuple[str, Any, Failure | None]:
    """Give how an errand ended: state, result, failure."""
    if task.cancelled():
        return "cancelled", None, Failure(CANCELLED, "cancelled")
    match task.exception():
        case None:
            return "ok", task.result(), None
        case ProcedureFailed() as problem:
            failure = Failure(problem.kind, problem.message, problem.hint, problem.detail)
        case TransportError() as problem:
            failure = Failure(problem.code, problem.message, problem.hint)
        case TimeoutError():
            failure = Failure(TIMEOUT, f"not done within {timeout_s} s")
        case UnicodeError():
            hint = "run octogram-tui where the locale is a UTF-8 one, as with LC_ALL=C.UTF-8"
            failure = Failure(FILES, "this machine's locale cannot write the file's name", hint)
        case OSError() as problem:
            failure = Failure(FILES, f"{problem.filename}: {problem.strerror}")
        case problem:
            failure = Failure(BUG, f"a defect of octogram-tui: {type(problem).__name__}: {problem}")
    return "failed", None, failure
