"""Arguments -> which command -> exit code. Imports each command only when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from octogram_tui import __version__, garbage, streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit code. Without `argv` the process is there for nothing else."""
    if argv is not None:
        return _main(list(argv))
    garbage.put_off()
    try:
        return _main(sys.argv[1:])
    finally:
        _hear_no_interrupt()
        garbage.leave()


def _hear_no_interrupt() -> None:
    """The process only leaves from here on: a Ctrl-C that comes late must not change how it has ended.

    While the interpreter takes itself down nobody catches one: it would end by the signal, whatever it has said.
    """
    if "signal" not in sys.modules:  # it has begun nothing that could be interrupted
        return
    import signal

    while True:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return
        except KeyboardInterrupt:
            pass  # it came right before


def _main(arguments: list[str]) -> int:
    streams.prepare()
    os.umask(os.umask(0o077) & 0o077)  # what is ours is for us to use, whatever the umask says of it
    try:
        return streams.finish(_run(arguments))
    except KeyboardInterrupt:  # while a slow reader was waited for
        return 130


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["--version"]:
        if arguments[1:] == ["--json"]:
            import json

            print(json.dumps({"version": __version__, "python": sys.version.split()[0]}))
        else:
            print(f"octogram-tui {__version__}")
        return 0
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:  # what Python makes of a Ctrl-C while a class is being made
        if isinstance(error.__cause__, KeyboardInterrupt):
            return 130
        if "can't start new thread" in str(error):
            return _no_threads()
        raise
    except SystemExit as end:  # of a parser that has printed its help
        return end.code if isinstance(end.code, int) else 0


def _no_threads() -> int:
    from octogram_tui.commands.complaint import complain
    from octogram_tui.errors import NoThread

    return complain(
        NoThread(
            "this machine makes no thread for us any more",
            hint="this user, or what this runs in, may have no more processes: see `ulimit -u`, a container's limit",
        )
    )


def _dispatch(arguments: list[str]) -> int:
    from octogram_tui.errors import OctogramError

    try:
        _see_surroundings()
        if not arguments and sys.stdin.isatty() and sys.stdout.isatty():
            from octogram_tui.commands.welcome import main as welcome

            return welcome()
        from octogram_tui.commands.dispatch import dispatch

        return dispatch(arguments or ["help"])
    except OctogramError as error:
        from octogram_tui.commands.complaint import complain

        return complain(error)


def _see_surroundings() -> None:
    """See to what every command takes for granted: an empty HOME is none, and there is a working directory."""
    from octogram_tui.errors import UsageError

    if os.environ.get("HOME") == "":  # `~` would be the root of the file system
        del os.environ["HOME"]
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(
            f"the working directory cannot be told: {error.strerror}", hint="it was removed? change to another one"
        ) from None
