"""`octogram-tui dap`: a debug adapter, for editors."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

from octogram_tui.commands.options import CommandParser, any_port, parse
from octogram_tui.errors import AttachRefused, ExitCode, OctogramError, Problem, ScenarioError, UsageError
from octogram_tui.settings import load

if TYPE_CHECKING:
    from octogram_tui.commands.invocation import RunWanted
    from octogram_tui.commands.launch import Launch
    from octogram_tui.dap.debuggee import LaunchWanted, Opened
    from octogram_tui.journal.archive import KnownRun

EPILOG = """An editor starts it, and speaks the Debug Adapter Protocol with it over standard input and output; with
--port it speaks with every client that comes to that port of this machine. What can be asked is told in
docs/debug-adapter.md.
"""


class NotBegun(OctogramError):
    """A run that was to be launched did not begin."""

    exit_code = ExitCode.IO


def main(argv: Sequence[str]) -> int:
    """Speak with a client until it leaves, or with all that come until a signal; gives 0."""
    parser = CommandParser("dap", "Debug runs from an editor, by the Debug Adapter Protocol.", epilog=EPILOG)
    parser.add_argument(
        "--port", type=any_port, metavar="PORT", help="listen on this port of 127.0.0.1 (0: any free one)"
    )
    args = parse(parser, argv)
    if args.port is not None:
        from octogram_agentd.network.endpoint import LOOPBACK, Endpoint
        from octogram_tui.dap.port import serve

        def told(port: int) -> None:
            print(f"a debug adapter listens on {Endpoint(LOOPBACK, port)}; Ctrl-C ends it", flush=True)

        asyncio.run(serve(args.port, [sys.executable, "-m", "octogram_tui", "dap"], told))
        return 0
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("dap is started by an editor, and speaks with it", hint="--port lets them come by themselves")
    asyncio.run(_speak())
    return 0


async def _speak() -> None:
    from octogram_tui.dap.session import Session
    from octogram_tui.dap.standard import open_streams

    reader, writer = await open_streams()
    session = Session(reader, writer, Runs(os.environ))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, session.leave)
    await session.run()
    with suppress(OSError):
        writer.close()


class Runs:
    """Opens runs as the command line does. surroundings: the environment that a run begins with."""

    def __init__(self, surroundings: Mapping[str, str]) -> None:
        self._surroundings = surroundings

    async def launch(self, wanted: LaunchWanted) -> Opened:
        """Begin a run, which holds before its first job. Raises OctogramError; ScenarioError with all problems."""
        from octogram_tui.commands.again import KEEP_OR_FAIL
        from octogram_tui.commands.launch import HOST_LOG, HostFailed, Launch
        from octogram_tui.commands.run import make_run
        from octogram_tui.journal import archive

        _go_about(wanted, self._surroundings)
        options = ["--paused", "--no-preflight", "--no-kept-breaks"]
        given = {word.partition("=")[0] for word in wanted.options}
        if not {"--keep-alive", "--no-keep-alive"} & given:
            options.append("--keep-alive" if wanted.keeps_alive else "--no-keep-alive")
        if not {"--on-failure", *KEEP_OR_FAIL} & given:
            options += ["--on-failure", "pause" if wanted.holds_failures else "abort"]
        request = _read([os.path.abspath(wanted.program), *options, *wanted.options])
        if request.args.dry_run:
            raise UsageError("--dry-run runs nothing: there is nothing to debug")
        run, run_dir = make_run(request)
        entry = request.settings.runs_dir / run
        launch = Launch.start(
            run, run_dir, archive.socket_path(run, run_dir, request.settings.runtime_dir), request.argv
        )
        has_begun = False
        try:
            answer = await _first_word(launch)
            has_begun = answer.get("exit_code") is None
            if not has_begun:
                problems = [Problem(*each) for each in answer.get("problems") or ()]
                if problems:
                    raise ScenarioError(problems)
                raise NotBegun(str(answer["said"]).removeprefix("octogram-tui: "))
            opened = await _joined(archive.load(run_dir))
        except BaseException as error:  # nobody debugs it now, so that it is to end, as by Ctrl-C
            launch.process.terminate()
            await asyncio.to_thread(launch.process.wait)
            if not has_begun and not isinstance(error, HostFailed):  # which tells of its log
                archive.forget_unbegun(entry, run_dir, HOST_LOG)
            raise
        finally:
            launch.hang_up()
        launch.process.returncode = launch.process.poll() or 0  # it is not ours to wait for: it may outlive us
        return opened._replace(seen=0, says=str(answer.get("said") or ""))

    async def attach(self, run: str, *, only_watches: bool) -> Opened:
        """Join a run that goes on. Raises OctogramError."""
        from octogram_tui.journal import archive

        found = archive.find(load().runs_dir, run)
        if found.state != "running":
            raise AttachRefused(f"run {found.id} is {found.state}", hint=f'look at it with "replay": "{found.id}"')
        return await _joined(found, only_watches=only_watches)

    async def replay(self, run: str) -> Opened:
        """Open the journal of a run, or a file of events. Raises OctogramError."""
        from octogram_tui.commands.replay import Recording, recorded
        from octogram_tui.dap.debuggee import Opened
        from octogram_tui.journal import texts
        from octogram_tui.journal.history import JournalHistory
        from octogram_tui.tui.model import Model

        journal, scenario = recorded(run, load())
        recording = Recording(journal)
        read_text = partial(texts.find, recording.path.parent)
        model = Model(is_replay=True, read_text=read_text, history=JournalHistory(journal))
        return Opened(recording, model, run, scenario)


def _read(argv: Sequence[str]) -> RunWanted:
    """Read the command line of a run. Raises OctogramError."""
    from octogram_tui.commands.run import read_request

    try:
        with redirect_stdout(StringIO()):
            return read_request(argv, opens_console=True)
    except SystemExit:  # how a parser ends once it has printed its help
        raise UsageError("`args` asks for help, or for the version, and runs nothing") from None


def _go_about(wanted: LaunchWanted, surroundings: Mapping[str, str]) -> None:
    """Have the run begin in its directory, with its environment: we are there for one client. Raises UsageError."""
    if wanted.cwd:
        try:
            os.chdir(wanted.cwd)
        except OSError as error:
            raise UsageError(f"`cwd` {wanted.cwd}: {error.strerror}") from None
    for name in [name for name in os.environ if name not in surroundings]:
        del os.environ[name]
    os.environ.update(surroundings)
    for name, value in wanted.environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


async def _first_word(launch: Launch) -> dict[str, Any]:
    """Wait for what the run's process says first. Raises HostFailed when it says nothing."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(launch.fileno(), ready.set)
    try:
        while not launch.is_over:
            await ready.wait()
            ready.clear()
            for record in launch.take():
                return record
    finally:
        loop.remove_reader(launch.fileno())
    raise await asyncio.to_thread(launch.failure)


async def _joined(run: KnownRun, *, only_watches: bool = False) -> Opened:
    from octogram_tui.dap.debuggee import Opened
    from octogram_tui.journal import texts
    from octogram_tui.journal.history import JournalHistory
    from octogram_tui.runtime.client import Client
    from octogram_tui.tui.model import Model

    client = await Client.connect(run.info.socket, only_watch=only_watches)
    history = JournalHistory(run.journal)
    model = Model(read_text=partial(texts.find, run.directory), history=history)
    return Opened(client, model, run.id, run.info.scenario, run.info.pid, history.seq_at(float("inf")))
