"""Opening a console: onto a run whose host it starts, onto one that goes on, or onto a journal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.journal import archive

if TYPE_CHECKING:
    from octogram_tui.commands.run import RunWanted
    from octogram_tui.settings import Settings

HOST_START_S = 20.0
HOST_LOG = "host.log"


class HostFailed(OctogramError):
    """The run's host process did not come up."""

    exit_code = ExitCode.IO


class HostLost(OctogramError):
    """The run's host process ended while a console looked on."""

    exit_code = ExitCode.IO


def open_console(request: RunWanted, run: str, run_dir: Path) -> int:
    """Start the run's host and open the console onto it; gives the run's exit code, or 0 when detached."""
    socket = archive.socket_path(run, run_dir, request.settings.runtime_dir)
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
    import octogram_tui.tui.app  # noqa: F401  # while the host starts, so that neither waits for the other

    ready, _, _ = select.select([read_fd], [], [], HOST_START_S)
    with open(read_fd, encoding="utf-8") as pipe:
        answer = pipe.readline() if ready else ""
    if not answer:
        text = (run_dir / HOST_LOG).read_text(errors="replace").strip()
        raise HostFailed(
            f"the run's process did not start: {text.splitlines()[-1] if text else 'no reason given'}",
            hint=f"its log: {run_dir / HOST_LOG}",
        )
    # The host is not ours to wait for: it may outlive us, and the system collects it then.
    process.returncode = 0
    said, exit_code = itemgetter("said", "exit_code")(json.loads(answer))
    if said:
        print(said, file=sys.stderr)
    if exit_code is not None:
        process.wait()
        _forget(request.settings.runs_dir / run, run_dir)
        return int(exit_code)
    args = request.args
    return attach(archive.load(run_dir), request.settings, theme=args.theme, ascii_only=args.ascii)


def _forget(entry: Path, run_dir: Path) -> None:
    """Remove what was made for a run that never began; a directory that the user named stays."""
    with contextlib.suppress(OSError):
        (run_dir / HOST_LOG).unlink()
        if entry.is_symlink():
            entry.unlink()
        else:
            entry.rmdir()


def attach(
    run: archive.KnownRun,
    settings: Settings,
    *,
    theme: str | None = None,
    ascii_only: bool = False,
    read_only: bool = False,
) -> int:
    """Open a console onto a run that goes on; gives its exit code once it ended, 0 when detached."""
    from octogram_tui.runtime.client import Client
    from octogram_tui.tui.app import run_console

    async def session() -> int:
        client = await Client.connect(run.info.socket, only_watch=read_only)
        try:
            outcome = await run_console(
                client, settings, scenario_path=run.info.scenario, ascii=ascii_only, theme=theme, read_only=read_only
            )
        finally:
            await client.close()
        if outcome.kind == "lost":
            raise HostLost(
                f"the process of run {run.id} went away: its agents stop by themselves, within a minute",
                hint=f"what it did last: octogram-tui replay {run.id}",
            )
        if outcome.exit_code is None:
            print(f"detached; the run goes on. Come back with: octogram-tui attach {run.id}")
            return 0
        print(f"run {run.id} ended with exit code {outcome.exit_code}; look at it again: octogram-tui replay {run.id}")
        return outcome.exit_code

    return asyncio.run(session())
