"""Opening a console: onto a run whose host it starts, onto one that goes on, or onto a journal."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from octogram_tui.commands import before
from octogram_tui.commands.complaint import complain
from octogram_tui.commands.demo import lesson_path
from octogram_tui.commands.interrupts import Interrupts
from octogram_tui.commands.launch import HOST_LOG, Launch, last_words, manner_of_death
from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.journal import archive, texts, timings
from octogram_tui.journal.history import JournalHistory
from octogram_tui.projection.estimate import PastRun

if TYPE_CHECKING:
    from octogram_tui.commands.invocation import RunWanted
    from octogram_tui.settings import Settings
    from octogram_tui.tui.app import ConsoleOutcome

MakeRun = Callable[["RunWanted"], tuple[str, Path]]

STOP_LOOK_S = 0.1
ENDING_S = 5.0
"""How long a run whose host has hung up may take to be seen to have ended."""


class HostLost(OctogramError):
    """The run's host process ended while a console looked on."""

    exit_code = ExitCode.IO

    def because(self, reason: str) -> HostLost:
        """Give it with what is known of the reason."""
        return HostLost(f"{self.message}; {reason}" if reason else self.message, hint=self.hint)


class ConnectionLost(OctogramError):
    """The run goes on, and this console hears nothing of it any more."""

    exit_code = ExitCode.RESUME_REFUSED


def open_console(request: RunWanted, make_run: MakeRun, show: Callable[..., int] | None = None) -> int:
    """Make a run, start its host and open the console onto it; gives the run's exit code, or 0 when detached.

    What is wrong with the scenario can be mended before, and its machines are shown, where there are others than this.
    A signal that comes meanwhile ends the run, or is the console's as soon as that is there.
    show: what shows the run in the console's place, called as `attach` is.
    """
    with Interrupts() as interrupts:
        while (exit_code := _open(request, make_run, interrupts, show or attach)) is None:
            pass
        return exit_code


def _open(request: RunWanted, make_run: MakeRun, interrupts: Interrupts, show: Callable[..., int]) -> int | None:
    """Try once; None when the scenario was edited instead, and is to be tried again."""
    run, run_dir = make_run(request)
    entry = request.settings.runs_dir / run
    socket = archive.socket_path(run, run_dir, request.settings.runtime_dir)
    if interrupts.came:
        archive.forget_unbegun(entry, run_dir, HOST_LOG)
        return interrupts.exit_code
    launch = Launch.start(run, run_dir, socket, request.argv)
    decision: str | None = "go"
    try:
        if not request.args.accessible:
            import octogram_tui.tui.app  # noqa: F401  # while the host starts, so that neither waits for the other

        answer = launch.hear(interrupts)
        if "preflight" in answer:
            decision = before.decide(request, launch, int(answer["preflight"]["machines"]))
            answer = launch.hear(interrupts) if decision in ("go", "paused") else {}
    finally:
        launch.hang_up()
    if interrupts.came:
        return _stop(launch.process, run, entry, run_dir, interrupts)
    if decision not in ("go", "paused"):
        launch.process.wait()  # it hears that we hung up
        archive.forget_unbegun(entry, run_dir, HOST_LOG)
        if decision is None:
            print("octogram-tui: the run was not begun", file=sys.stderr)
        return None if decision == before.AGAIN else int(ExitCode.INTERRUPTED)
    said, exit_code, problems = itemgetter("said", "exit_code", "problems")({"problems": (), **answer})
    if exit_code is not None:
        launch.process.wait()
        archive.forget_unbegun(entry, run_dir, HOST_LOG)
        if before.shows_problems(request, problems):
            return None
    if said:
        print(said, file=sys.stderr)
    return _attend(request, launch, run, interrupts, show) if exit_code is None else int(exit_code)


def reopen_console(
    request: RunWanted, run: archive.KnownRun, argv: Sequence[str], show: Callable[..., int] | None = None
) -> int:
    """Start a host that goes on with a run whose process has died, and open the console onto it, as `open_console`."""
    with Interrupts() as interrupts:
        socket = archive.socket_path(run.id, run.directory, request.settings.runtime_dir)
        launch = Launch.start(run.id, run.directory, socket, ["resume", *argv])
        try:
            answer = launch.hear(interrupts)
        finally:
            launch.hang_up()
        if interrupts.came:
            return _stop(launch.process, run.id, request.settings.runs_dir / run.id, run.directory, interrupts)
        if answer.get("said"):
            print(answer["said"], file=sys.stderr)
        if answer.get("exit_code") is not None:
            launch.process.wait()
            return int(answer["exit_code"])
        return _attend(request, launch, run.id, interrupts, show or attach)


def _attend(request: RunWanted, launch: Launch, run: str, interrupts: Interrupts, show: Callable[..., int]) -> int:
    """Open the console onto a run that has begun; gives its exit code, or 0 when detached."""
    args = request.args
    try:
        known = archive.load(launch.run_dir)
        return show(known, request.settings, theme=args.theme, ascii_only=args.ascii, earlier=interrupts.came)
    except HostLost as lost:
        returncode = launch.process.poll()
        manner = manner_of_death(returncode) if returncode is not None and returncode < 0 else ""
        raise lost.because(manner) from None
    except BaseException:
        if archive.load(launch.run_dir).state == "running":
            print(goes_on(run), file=sys.stderr)
        raise
    finally:
        # The host is not ours to wait for: it may outlive us, and the system collects it then.
        launch.process.returncode = launch.process.poll() or 0


def _stop(process: subprocess.Popen[bytes], run: str, entry: Path, run_dir: Path, interrupts: Interrupts) -> int:
    """End a run that has just begun, or has not; a further signal leaves it to its own end. Gives the exit code."""
    asked = len(interrupts.came)
    process.terminate()
    while process.poll() is None:
        interrupts.drain()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_LOOK_S)
        if len(interrupts.came) > asked and process.poll() is None:
            print(f"octogram-tui: run {run} is being stopped, and goes on until it is", file=sys.stderr)
            return interrupts.exit_code
    if archive.forget_unbegun(entry, run_dir, HOST_LOG):
        print("octogram-tui: stopped before the run began", file=sys.stderr)
    else:
        print(f"octogram-tui: run {run} was stopped\nlook at it again: octogram-tui replay {run}", file=sys.stderr)
    return interrupts.exit_code


def goes_on(run: str) -> str:
    """Say that a run goes on without us, and how to come back."""
    return f"octogram-tui: run {run} goes on. Come back with: octogram-tui attach {run}"


def attach(
    run: archive.KnownRun,
    settings: Settings,
    *,
    theme: str | None = None,
    ascii_only: bool = False,
    read_only: bool = False,
    earlier: Sequence[int] = (),
    shows_runs: bool = True,
) -> int:
    """Open a console onto a run that goes on; gives its exit code once it ended, 0 when detached.

    earlier: signals that have come, and may still come, before the console takes them.
    shows_runs: from here one can go to other runs
    """
    from octogram_tui.runtime.client import Client
    from octogram_tui.tui.opening import run_console

    async def session() -> ConsoleOutcome:
        client = await Client.connect(run.info.socket, only_watch=read_only)
        try:
            return await run_console(
                client,
                settings,
                scenario_path=run.info.scenario,
                ascii=ascii_only,
                theme=theme,
                read_only=read_only,
                earlier_signals=earlier,
                parting=goes_on(run.id),
                past=_past_of(run, settings),
                teaches=run.info.scenario == str(lesson_path(settings)),
                read_text=partial(texts.find, run.directory),
                shows_runs=shows_runs,
                run_dir=run.directory,
                history=JournalHistory(run.journal),
            )
        finally:
            await client.close()

    outcome = asyncio.run(session())
    try:
        exit_code = told(run, outcome)
    except OctogramError as error:
        if not outcome.next_run:
            raise
        exit_code = complain(error)
    if outcome.next_run == run.id:  # to be looked at again, which is not before its process has closed the journal
        _wait_for_end(run)
    return open_run(outcome.next_run, settings, read_only=read_only) if outcome.next_run else exit_code


def open_run(name: str, settings: Settings, *, read_only: bool = False) -> int:
    """Open a console onto the run that was chosen in another one, or look at it again; gives the exit code."""
    run = archive.find(settings.runs_dir, name)
    if run.state == "running":
        return attach(run, settings, read_only=read_only)
    from octogram_tui.commands.replay import Recording, show

    return show(Recording(run.journal), settings, run.info.scenario)


def told(run: archive.KnownRun, outcome: ConsoleOutcome) -> int:
    """Say what became of the run; gives its exit code, or 0 when it goes on. Raises OctogramError."""
    exit_code = outcome.exit_code
    if outcome.kind == "lost":
        exit_code = _exit_code_of_lost(run)
    if exit_code is None:
        print(f"detached; the run goes on. Come back with: octogram-tui attach {run.id}")
        return 0
    print(f"run {run.id} ended with exit code {exit_code}\nlook at it again: octogram-tui replay {run.id}")
    return exit_code


def _past_of(run: archive.KnownRun, settings: Settings) -> list[PastRun]:
    """Give what former runs of the scenario left behind."""
    records = timings.of_scenario(settings.runs_dir, run.info.scenario, but=run.id)
    return [past for record in records if (past := PastRun.read(record)) is not None]


def _wait_for_end(run: archive.KnownRun) -> archive.KnownRun:
    """Give a run as it is once its process is gone, or after a while."""
    deadline_s = time.monotonic() + ENDING_S
    while (now := archive.load(run.directory)).state == "running" and time.monotonic() < deadline_s:
        time.sleep(STOP_LOOK_S)
    return now


def _exit_code_of_lost(run: archive.KnownRun) -> int:
    """Give the exit code of a run that hung up: it may have ended before it could say so. Raises OctogramError."""
    now = _wait_for_end(run)
    if now.exit_code is not None:
        return now.exit_code
    if now.state == "running":
        raise ConnectionLost(
            f"the connection to run {run.id} was lost; the run goes on", hint=f"octogram-tui attach {run.id}"
        )
    said = last_words(run.directory)
    raise HostLost(
        f"the process of run {run.id} went away: its agents stop by themselves, within a minute"
        + (f"; it said last: {said}" if said else ""),
        hint=f"go on with it: octogram-tui resume {run.id}; or end what it left, now: octogram-tui clean {run.id}",
    )
