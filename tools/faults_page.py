"""Makes docs/faults.md: each fault with what comes of it, and the tests that show it, as they are marked."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.fault_rows import BY_HAND, FAULTS, IN_PART, SECTIONS

ROOT = Path(__file__).resolve().parents[1]
SHOWN_TESTS = 4

HEAD = """# What happens when things go wrong

Written by `make docs` from `tools/fault_rows.py` and from the marks of the tests (`pytest.mark.fault`): edit those.

Each row is a fault, what is to come of it and within which bound, and the tests that show it. A change lands only
when all of them pass: `make test` runs them, and `make test-faults`, as root, those with a *; CI runs both.
`pytest -m fault` runs those of the first kind alone.
"""


class Shown(NamedTuple):
    """A test that shows rows."""

    file: str
    name: str
    is_long: bool


def page() -> str:
    """Give the page."""
    tests = marked()
    lines = [HEAD]
    for number in sorted(FAULTS):
        if number in SECTIONS:
            lines += [
                "",
                f"## {SECTIONS[number]}",
                "",
                "| # | fault | what comes of it | bound | shown by |",
                "| --- | --- | --- | --- | --- |",
            ]
        fault = FAULTS[number]
        lines.append(f"| {number} | {fault.what} | {fault.outcome} | {fault.bound} | {_shown(number, tests[number])} |")
    by_hand = [f"- {number}, {FAULTS[number].what}: {BY_HAND[number]}" for number in sorted(BY_HAND)]
    if by_hand:
        lines += ["", "## Not automated", "", *by_hand]
    lines += ["", "## Shown in part", ""]
    lines += [f"- {number}, {FAULTS[number].what}: {IN_PART[number]}" for number in sorted(IN_PART)]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _shown(number: int, tests: list[Shown]) -> str:
    if not tests:
        return "not automated, see below"
    by_file: dict[str, list[Shown]] = defaultdict(list)
    for test in tests:
        by_file[test.file].append(test)
    parts = []
    for file, found in sorted(by_file.items()):
        names = [f"{test.name.removeprefix('test_')}{'*' if test.is_long else ''}" for test in found]
        more = f" and {len(names) - SHOWN_TESTS} more" if len(names) > SHOWN_TESTS else ""
        parts.append(f"[{Path(file).stem}](../{file}): {', '.join(names[:SHOWN_TESTS])}{more}")
    return "; ".join(parts)


def marked() -> dict[int, list[Shown]]:
    """Find the tests of each row, in the order of their files."""
    found: dict[int, list[Shown]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "mark.fault" not in text:
            continue
        file = path.relative_to(ROOT).as_posix()
        tree = ast.parse(text)
        of_all = [mark for node in tree.body for mark in _of_module(node)]
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                marks = [*of_all, *(mark for decorator in node.decorator_list for mark in _marks(decorator))]
                is_long = any(name == "longfault" for name, _ in marks)
                for number in sorted({n for name, numbers in marks if name == "fault" for n in numbers}):
                    found[number].append(Shown(file, node.name, is_long))
    return found


def _of_module(node: ast.stmt) -> Iterator[tuple[str, list[int]]]:
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
        yield from _marks(node.value)


def _marks(node: ast.expr) -> Iterator[tuple[str, list[int]]]:
    """Give the marks within an expression, with the numbers in their call."""
    called: set[ast.expr] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and _is_mark(inner.func):
            called.add(inner.func)
            yield (
                inner.func.attr,
                [arg.value for arg in inner.args if isinstance(arg, ast.Constant) and isinstance(arg.value, int)],
            )
        elif isinstance(inner, ast.Attribute) and _is_mark(inner) and inner not in called:
            yield inner.attr, []


def _is_mark(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
