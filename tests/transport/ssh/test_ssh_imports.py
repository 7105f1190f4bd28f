"""The SSH library stays behind one door, and runs that need none of it never load it."""

from __future__ import annotations

import ast
import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import octogram_tui
from octogram_tui.transport.ssh import libraries
from octogram_tui.transport.ssh.channel import remote_command

SHELLS = ["sh", "bash", "dash", "zsh", "fish", "tcsh", "busybox"]
WORDS = [
    "",
    "a b",
    "it's",
    'say "x"',
    "$HOME",
    "`id`",
    "!!",
    "a!b",
    "back\\slash",
    "\\'",
    "*",
    "~",
    "#",
    "é",
    "{a,b}",
    "-n",
    "&&",
    "%d",
    "trailing\\",
    "\\n",
    "''",
    "(x)",
    "a;b",
    "^a^b",
    "[z]",
    "|",
    "<",
    "\t",
]


def test_only_one_package_imports_the_library() -> None:
    root = Path(octogram_tui.__file__).parent
    importers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "asyncssh" for name in names):
                importers.add(path.parent.relative_to(root).as_posix())
    assert importers == {"transport/ssh"}


def test_agents_of_this_machine_do_not_load_it() -> None:
    code = (
        "import sys; from octogram_tui.transport.pool import Transports; import octogram_tui.transport.preflight\n"
        "from octogram_tui.model.scenario import AgentSpec\n"
        "Transports(force_local=True).transport_for(AgentSpec('a', 'far'))\n"
        "sys.exit('asyncssh' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.fault(25)
def test_quoting_in_real_shells(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on this machine")
    argv = [sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", *WORDS]
    words = [program, "sh", "-c"] if shell == "busybox" else [program, "-c"]
    ran = subprocess.run([*words, remote_command(argv)], check=True, capture_output=True, text=True)
    assert ran.stdout == ascii(WORDS) + "\n"


def test_the_library_is_imported_without_another_process() -> None:
    program = (
        "import ctypes.util, sys\n"
        "before, started = ctypes.util.find_library, []\n"
        "watched = ('subprocess.Popen', 'os.posix_spawn', 'os.fork', 'os.exec')\n"
        "sys.addaudithook(lambda event, _: started.append(event) if event in watched else None)\n"
        "import octogram_tui.transport.ssh\n"
        "assert 'asyncssh' in sys.modules and ctypes.util.find_library is before\n"
        "print(started)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if libraries.CACHE.exists() and "LD_LIBRARY_PATH" not in os.environ:
        assert ended.stdout.strip() == "[]"


def test_a_library_is_found_in_the_cache_of_the_linker_as_elsewhere() -> None:
    names = ["none-of-that-name", "c", "m", "z"]
    cache = b"".join(f"/lib/{found}\0".encode() for name in names if (found := ctypes.util.find_library(name)))
    find = libraries.find_by_cache(b"\0" + cache, lambda _: "slowly")
    assert [find(name) for name in names] == [ctypes.util.find_library(name) for name in names]
    assert libraries.find_by_cache(b"\0libnot-loadable.so.1\0", lambda _: "slowly")("not-loadable") == "slowly"
