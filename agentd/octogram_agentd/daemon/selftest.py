"""`agentd --selftest`: whether this machine has what the daemon needs. One line for each thing tried."""

from __future__ import annotations

import os
import sys
import tempfile

from octogram_agentd import signals
from octogram_agentd.daemon import door, home
from octogram_agentd.jobs.agent import environment
from octogram_agentd.kernel import Kernel
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.processes.children import Processes
from octogram_agentd.processes.prctl import become_subreaper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Tuple


def main() -> int:
    """Try everything; 0 when all of it works."""
    with tempfile.TemporaryDirectory(prefix="octogram-selftest-") as directory:
        tests: Tuple[Tuple[str, Callable[[str], str]], ...] = (
            ("adopt orphans", _adopt),
            ("start and end a tree", _tree),
            ("socket", _socket),
            ("lock", _lock),
        )
        failures = 0
        for name, test in tests:
            try:
                problem = test(directory)
            except (OSError, ProcedureFailed) as error:
                problem = str(error)
            failures += bool(problem)
            sys.stdout.write("%s: %s\n" % (name, problem or "ok"))
    return 1 if failures else 0


def _adopt(_directory: str) -> str:
    return "" if become_subreaper() else "no prctl: programs that detach are found by their environment only"


def _tree(directory: str) -> str:
    kernel = Kernel()
    processes = Processes(kernel, "selftest/%d/" % os.getpid(), directory)

    async def run() -> str:
        script = "(trap '' TERM; while :; do sleep 1; done) & sleep 60"
        child = processes.start(
            ["sh", "-c", script], cwd=directory, env=environment({}), sink=lambda _stream, _data: None, owner="t"
        )
        remaining = await processes.end(child, signals.TERM, 0.1)
        return ", ".join("%(name)s (%(pid)d) could not be ended" % one for one in remaining)

    return str(kernel.run(run()))


def _socket(directory: str) -> str:
    root = os.path.join(directory, "a-name-that-makes-the-path-longer-than-a-socket-address-holds" * 2)
    os.mkdir(root, 0o700)
    listener = door.listen(root)
    client = door.dial(root)
    problem = "" if door.peer_uid(client) == os.getuid() else "the other end's user is not told"
    client.close()
    listener.close()
    return problem


def _lock(directory: str) -> str:
    first = home.lock(directory)
    second = home.lock(directory)
    return "" if first is not None and second is None else "files cannot be locked"
