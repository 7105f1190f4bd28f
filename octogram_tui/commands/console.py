"""Opening a console: onto a run whose host it starts, onto one that goes on, or onto a journal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING

from octogram_tui.commands.interrupts import Interrupts
from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.journal import archive, texts

if TYPE_CHECKING:
    from octogram_tui.commands.run import RunWanted
    from octogram_tui.settings import Settings

SLOW_START_S = 20.0  # after which the user is told what is waited for
STOP_LOOK_S = 0.1
HOST_LOG = "host.log"


class HostFailed(OctogramError):
    """The run's host process did not come up."""

    exit_code = ExitCode.IO


class HostLost(OctogramError):
    """The run's host process ended while a console looked on."""

    exit_code = ExitCode.IO


def open_console(request: RunWanted, make_run: Callable[[RunWanted], tuple[str, Path]]) -> int:
    """Make a run, start its host and open the console onto it; gives the run's exit code, or 0 when detached.

    A signal that comes meanwhile ends the run, or is the console's as soon as that is there.
    """
    with Interrupts() as interrupts:
        run, run_dir = make_run(request)
        entry = request.settings.runs_dir / run
        socket = archive.socket_path(run, run_dir, request.settings.runtime_dir)
        if interrupts.came:
            archive.forget_unbegun(entry, run_dir, HOST_LOG)
            return interrupts.exit_code
        process, read_fd = _start_host(request, run, run_dir, socket)
        import octogram_tui.tui.app  # noqa: F401  # while the host starts, so that neither waits for the other

        with open(read_fd, encoding="utf-8") as pipe:
            answer = pipe.readline() if _is_told(pipe, interrupts) else ""
        if interrupts.came:
            return _stop(process, run, entry, run_dir, interrupts)
        if not answer:
            process.wait()
            text = (run_dir / HOST_LOG).read_text(errors="replace").strip()
            raise HostFailed(
                f"the run's process did not start: {text.splitlines()[-1] if text else 'no reason given'}",
                hint=f"its log: {run_dir / HOST_LOG}",
            )
        said, exit_code = itemgetter("said", "exit_code")(json.loads(answer))
        if said:
            print(said, file=sys.stderr)
        if exit_code is not None:
            process.wait()
            archive.forget_unbegun(entry, run_dir, HOST_LOG)
            return int(exit_code)
        # The host is not ours to wait for: it may outlive us, and the system collects it then.
        process.returncode = 0
        args = request.args
        try:
            known = archive.load(run_dir)
            return attach(known, request.settings, theme=args.theme, ascii_only=args.ascii, earlier=interrupts.came)
        except BaseException:
            if archive.load(run_dir).state == "running":
                print(_goes_on(run), file=sys.stderr)
            raise


def _start_host(request: RunWanted, run: str, run_dir: Path, socket: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the run's process. Gives it, and the descriptor of what it says first."""
    read_fd, write_fd = os.pipe()
    log = os.open(run_dir / HOST_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    # A session of its own: neither Ctrl-C nor the closing of this terminal reaches the run.
    process = subprocess.Popen(
        [sys.executable, "-m", "octogram_tui", "host", run, str(run_dir), str(socket), str(write_fd), *request.argv],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=(write_fd,),
    )
    os.close(write_fd)
    os.close(log)
    return process, read_fd


def _is_told(pipe: IO[str], interrupts: Interrupts) -> bool:
    """Wait until the host has said something, or has ended. False when a signal came first."""
    both = [pipe.fileno(), interrupts.fileno()]
    ready, _, _ = select.select(both, [], [], SLOW_START_S)
    if not ready:
        print("the run's process is still at the scenario; Ctrl-C stops it", file=sys.stderr)
        ready, _, _ = select.select(both, [], [])
    return bool(ready) and not interrupts.came


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
        print(f"octogram-tui: run {run} was stopped; look at it again: octogram-tui replay {run}", file=sys.stderr)
    return interrupts.exit_code


def _goes_on(run: str) -> str:
    return f"octogram-tui: run {run} goes on. Come back with: octogram-tui attach {run}"


def attach(
    run: archive.KnownRun,
    settings: Settings,
    *,
    theme: str | None = None,
    ascii_only: bool = False,
    read_only: bool = False,
    earlier: Sequence[int] = (),
) -> int:
    """Open a console onto a run that goes on; gives its exit code once it ended, 0 when detached.

    earlier: signals that have come, and may still come, before the console takes them.
    """
    from octogram_tui.runtime.client import Client
    from octogram_tui.tui.app import run_console

    async def session() -> int:
        client = await Client.connect(run.info.socket, only_watch=read_only)
        try:
            outcome = await run_console(
                client,
                settings,
                scenario_path=run.info.scenario,
                ascii=ascii_only,
                theme=theme,
                read_only=read_only,
                earlier_signals=earlier,
                parting=_goes_on(run.id),
                read_text=partial(texts.find, run.directory),
            )
        finally:
            await client.close()
        exit_code = outcome.exit_code
        if outcome.kind == "lost":
            exit_code = archive.load(run.directory).exit_code  # it may have ended before it could say so
        if outcome.kind == "lost" and exit_code is None:
            raise HostLost(
                f"the process of run {run.id} went away: its agents stop by themselves, within a minute",
                hint=f"what it did last: octogram-tui replay {run.id}",
            )
        if exit_code is None:
            print(f"detached; the run goes on. Come back with: octogram-tui attach {run.id}")
            return 0
        print(f"run {run.id} ended with exit code {exit_code}; look at it again: octogram-tui replay {run.id}")
        return exit_code

    return asyncio.run(session())
