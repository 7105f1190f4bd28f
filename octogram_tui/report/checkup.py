"""What `doctor` found, for people: a line for a machine that is well, a block for any other, a sum at the end."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from octogram_tui.projection.text import safe
from octogram_tui.transport.preflight import Check

WIDTH = 80
_ORDER = ("ok", "warn", "fail")
_KEPT = "\N{NO-BREAK SPACE}"  # stands for the blanks of a command, which is not broken over lines


def lines_of(rows: Sequence[Check]) -> Iterator[str]:
    """Give the lines."""
    for row in rows:
        if not row.machine:
            yield from _head(row.state, row.check, row.detail)
            yield from _wrapped(row.hint if row.state != "ok" else "", 6)
    machines: dict[str, list[Check]] = {}
    for row in rows:
        if row.machine:
            machines.setdefault(row.machine, []).append(row)
    for place, found in machines.items():
        state = max((row.state for row in found), key=_ORDER.index)
        agents = list(dict.fromkeys(name for row in found for name in row.agents))
        beside = _some(agents, WIDTH - len(f"{state:4}  {place}  "))
        if len(f"{state:4}  {place}  {beside}") <= WIDTH:
            yield from _head(state, place, beside)
        else:
            yield from _head(state, place, "")
            yield from _wrapped(_some(agents, WIDTH - 6), 6)
        for row in dict.fromkeys(row._replace(agents=()) for row in found if row.state != "ok"):
            yield from _wrapped(f"{row.state}: {row.check}: {row.detail}".removesuffix(": "), 6)
            yield from _wrapped(row.hint, 8)
    if machines:
        yield _sum(machines)


def _head(state: str, what: str, more: str) -> Iterator[str]:
    yield f"{state:4}  {safe(what)}  {safe(more)}".rstrip()


def _wrapped(text: str, indent: int) -> Iterator[str]:
    margin = " " * indent
    kept = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", _KEPT), safe(text))
    for line in textwrap.wrap(kept, WIDTH - indent, break_long_words=False, break_on_hyphens=False):
        yield margin + line.replace(_KEPT, " ")


def _some(names: list[str], width: int) -> str:
    """Name as many as there is room for."""
    shown = names[:1]
    for name in names[1:]:
        left = len(names) - len(shown) - 1
        if len(", ".join([*shown, name])) + (len(f" and {left} more") if left else 0) > width:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def _sum(machines: dict[str, list[Check]]) -> str:
    """Count the machines, and the faults by kind."""
    bad = {place: [row for row in found if row.state == "fail"] for place, found in machines.items()}
    kinds = Counter(check for found in bad.values() for check in {row.check for row in found})
    count = sum(bool(found) for found in bad.values())
    word = "machine" if len(machines) == 1 else "machines"
    if not count:
        return f"{len(machines)} {word}, and nothing that keeps a run from starting"
    listed = ", ".join(f"{number} {check}" for check, number in kinds.most_common())
    return f"{count} of {len(machines)} {word} cannot be used as the scenario wants: {listed}"
