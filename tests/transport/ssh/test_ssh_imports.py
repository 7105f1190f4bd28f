"""The SSH library stays behind one door, and runs that need none of it never load it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import octogram_tui
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
