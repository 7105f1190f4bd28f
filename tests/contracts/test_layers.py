"""Who may import whom, in the words of pyproject.toml; and that the daemon needs only what Python 3.8 has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAEMON = sorted((ROOT / "agentd").rglob("*.py"))


def test_no_layer_imports_what_is_above_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("path", DAEMON, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_daemon_is_written_for_python_3_8_and_its_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots.add((node.module or "").partition(".")[0])
    newer = {"tomllib"}
    assert roots - {"octogram_agentd"} <= sys.stdlib_module_names - newer


def imported_by(path: Path, modules: dict[str, Path]) -> set[str]:
    """Give which of the daemon's modules a file names in any import: in functions and for types alone, too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & modules.keys()) or {node.module}
    return found & modules.keys()


def test_the_daemons_modules_import_each_other_in_one_direction() -> None:
    root = ROOT / "agentd"
    names = {path: path.relative_to(root).with_suffix("").as_posix().replace("/", ".") for path in DAEMON}
    modules = {name.removesuffix(".__init__"): path for path, name in names.items()}
    below = {name: imported_by(path, modules) - {name} for name, path in modules.items()}
    while below:  # take away what imports nothing that is left, until nothing is left or a circle is
        free = {name for name, imported in below.items() if not imported & below.keys()}
        assert free, f"a circle, or what leads to one: {sorted(below)}"
        below = {name: imported for name, imported in below.items() if name not in free}


CORE = [
    path
    for folder in ("engine", "model", "projection")
    for path in sorted((ROOT / "octogram_tui" / folder).glob("*.py"))
    if path.name != "freezing.py"  # what comes out of a pickle is of no type
]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_says_what_its_values_are(path: Path) -> None:
    """What comes from outside may be `Any`; here it is a Value, or better. Tables of handlers are excepted."""
    lines = [line for line in path.read_text().splitlines() if re.search(r"\bAny\b", line) and "import" not in line]
    assert [line for line in lines if not re.search(r"Callable\[\[(\w+, )?Any\], None\]", line)] == []
