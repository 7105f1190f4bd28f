#!/usr/bin/env python3
"""The figures of a clone, to be compared before and after a change: its code's shape, its start, its CPU per job.

    python bench/figures.py [CLONE [ROUNDS]]

The clone is this one where none is named, and has its environment in `.venv`. Times are the medians and the least of
the rounds: take those of a quiet machine only.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jobs import FEW, MANY, scenario
from paired import cpu_seconds_of, seconds_of

HERE = Path(__file__).resolve().parent.parent
AGENTS = 10


def modules_of(clone: Path) -> dict[str, Path]:
    """Find every module that is shipped, by its name."""
    agent = clone / "agentd" / "octogram_agentd"
    packages = [clone / "octogram_tui", agent if agent.is_dir() else clone / "agentd"]
    found = {}
    for package in packages:
        for path in package.rglob("*.py"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(node: ast.AST, *, late: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Give the imports of a module that happen when it is imported; with `late` those of functions and types too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
            continue
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if late or not (is_for_types or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))):
            yield from imports(child, late=late)


def graph_of(modules: dict[str, Path], *, late: bool) -> dict[str, set[str]]:
    """Say which module imports which."""
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        named: set[str] = set()
        for node in imports(ast.parse(path.read_text()), late=late):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            else:
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                for _ in range(node.level - 1):
                    package = package.rpartition(".")[0]
                base = ".".join(filter(None, (package if node.level else "", node.module)))
                below = {f"{base}.{alias.name}" for alias in node.names}
                named |= below if below <= set(modules) else {base, *below}
        graph[name] = named & set(modules) - {name}
    return graph


def circles_of(graph: dict[str, set[str]]) -> list[list[str]]:
    """Give the groups of modules of which each is reached from every other (Tarjan's way)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            circle = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(circle) > 1:
                circles.append(sorted(circle))

    sys.setrecursionlimit(10_000)
    for name in graph:
        if name not in index:
            visit(name)
    return circles


def shape(clone: Path) -> None:
    """Print what the code looks like."""
    modules = modules_of(clone)
    texts = {name: path.read_text() for name, path in modules.items()}
    lines = {name: len(text.splitlines()) for name, text in texts.items()}
    total = sum(lines.values())
    largest = max(lines, key=lines.__getitem__)
    spoken = [line for text in texts.values() for line in text.splitlines() if not re.match(r"\s*(from|import) ", line)]
    anys = sum(len(re.findall(r"\bAny\b", line)) for line in spoken)
    print(f"modules               {len(modules)}, {total} lines")
    print(f"a module's lines      median {statistics.median(lines.values()):.0f}, largest {lines[largest]} ({largest})")
    print(f"Any                   {anys}, {anys / total * 1000:.1f} per thousand lines")
    for said, late in (("import circles", False), ("with types and late", True)):
        circles = circles_of(graph_of(modules, late=late))
        print(f"{said:21} {len(circles)} {'; '.join(', '.join(circle) for circle in circles)}".rstrip())


def timed(said: str, measure: Callable[[], float], rounds: int, scale: float, unit: str) -> None:
    """Print the median and the least of some rounds."""
    measure()  # warms caches, not counted
    found = sorted(measure() * scale for _ in range(rounds))
    print(f"{said:21} median {statistics.median(found):.1f} {unit}, least {found[0]:.1f} {unit}", flush=True)


def main() -> None:
    """Print all of them."""
    clone = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    shape(clone)
    program = str(clone / ".venv" / "bin" / "octogram-tui")
    quickstart = str(clone / "sample_scenarios" / "quickstart.yml")
    for said, arguments in (
        ("--version", ["--version"]),
        ("check", ["check", quickstart]),
        ("quickstart", [quickstart, "--headless"]),
    ):
        timed(said, lambda arguments=arguments: seconds_of([program, *arguments]), rounds, 1000, "ms")
    with tempfile.TemporaryDirectory() as folder:
        few, many = (scenario(Path(folder), AGENTS, jobs) for jobs in (FEW, MANY))

        def job() -> float:
            spent = [cpu_seconds_of([program, path, "--headless", "-q"]) for path in (few, many)]
            return (spent[1] - spent[0]) / (AGENTS * (MANY - FEW))

        timed("CPU per job", job, rounds, 1000, "ms")


if __name__ == "__main__":
    main()
