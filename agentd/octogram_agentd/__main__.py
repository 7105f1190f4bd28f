"""The daemon's command line.

agentd attach --run R --agent A [--root DIR] [--build HASH] [--parent-watch] [--birth NAME --at HOME]
              [--compile BYTES:FILE] [--hold]
agentd start [--build HASH] [--compile BYTES:FILE]    a daemon for whoever connects, until standard input ends
agentd put | get            files, over standard input and output
agentd serve ADDRESS[,ADDRESS] PORT DIRECTORY    with its key, or `open`, on standard input
agentd download PATH        with the URL on standard input
agentd --selftest | --version
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, NoReturn, Optional

ELSEWHERE = {
    "put": "octogram_agentd.parcels.transfer",
    "get": "octogram_agentd.parcels.transfer",
    "serve": "octogram_agentd.network.fileserver",
    "download": "octogram_agentd.network.download",
}
"""Which module does a subcommand."""
USAGE = 2


def run(argv: List[str]) -> NoReturn:
    """Run one subcommand, and end the process with its exit status without taking all apart that was loaded."""
    status = main(argv)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 1  # as the interpreter does it
    os._exit(status)


def main(argv: List[str]) -> int:
    """Run one subcommand and give its exit status."""
    command = argv[0] if argv else ""
    if command == "attach":
        options = _options(argv[1:])
        if options is None or "run" not in options or "agent" not in options:
            return _usage()
        from octogram_agentd.daemon.attach import attach, attach_again

        name, agent, build = options["run"], options["agent"], options.get("build", "")
        how = "parent-watch" in options, options.get("compile", "")
        if "birth" in options:
            status = attach_again(name, agent, options.get("at", ""), options["birth"], build, *how)
        else:
            status = attach(name, agent, options.get("root", ""), build, *how)
        if "hold" in options:
            from octogram_agentd.daemon.attach import outlast

            outlast()
        return status
    if command == "start":
        options = _options(argv[1:])
        if options is None:
            return _usage()
        from octogram_agentd.daemon.starter import start

        return start(options.get("build", ""), options.get("compile", ""))
    if command in ELSEWHERE:
        module = ELSEWHERE[command]
        __import__(module)
        arguments = argv if command in ("put", "get") else argv[1:]  # it wants to see which of the two
        return int(sys.modules[module].main(arguments))
    if command == "--version":
        from octogram_agentd import PROTOCOL, VERSION

        sys.stdout.write("agentd %s, protocol %d.%d, Python %d.%d.%d\n" % (VERSION, *PROTOCOL, *sys.version_info[:3]))
        return 0
    if command == "--selftest":
        from octogram_agentd.daemon.selftest import main as selftest

        return int(selftest())
    return _usage()


def _options(argv: List[str]) -> Optional[Dict[str, str]]:
    options: Dict[str, str] = {}
    words = iter(argv)
    for word in words:
        name = word[2:]
        if word in ("--parent-watch", "--hold"):
            options[name] = "yes"
        elif word in ("--run", "--agent", "--root", "--build", "--birth", "--at", "--compile"):
            value = next(words, None)
            if value is None:
                return None
            options[name] = value
        else:
            return None
    return options


def _usage() -> int:
    sys.stderr.write((__doc__ or "agentd").split("\n", 2)[2])
    return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
