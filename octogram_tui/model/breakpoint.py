"""Where a run is to stop, or to say something: values, kept outside the scenario, that survive its edits by name."""

from __future__ import annotations

import re
from typing import Literal, get_args

from octogram_tui.cuts import quoted
from octogram_tui.dataclass import dataclass

When = Literal["before", "after", "failed", "retried", "skipped", "stage", "variable", "lost"]
"""before, after: an attempt. failed, retried, skipped: an attempt that ended so. stage: a stage, before it begins.
variable: a variable has another value. lost: an agent is given up."""

WHEN: tuple[When, ...] = get_args(When)

KNOWS_RESULT: frozenset[When] = frozenset({"after", "failed", "retried"})
"""Where a condition or a log sees `res`."""

HAS_NAME: frozenset[When] = frozenset({"variable", "failed", "retried"})
"""Where `name` means something."""

_HITS = re.compile(r"(==?|>=?|%)? ?([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One of them.

    pattern    what rows are meant (model/pattern.py); of `variable` who changed it, of `lost` the agents
    when       at which point
    name       of `variable`: which one; of `failed` and `retried`: the kind of failure; `*` in it stands for
               anything, empty: any
    condition  an expression over vars, agent, re, item and res: it stops where that holds
    hits       how often it has to be met: `3` from the third time on, `=3` at the third only, `%3` at every third
    log        a template: what it writes, and then it goes on
    is_once    used once, then removed
    is_on      False: it is kept, and does nothing
    """

    pattern: str = ""
    when: When = "before"
    name: str = ""
    condition: str = ""
    hits: str = ""
    log: str = ""
    is_once: bool = False
    is_on: bool = True

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes it this one among those that are kept: the rest is how it is just now."""
        return self.pattern, self.when, self.name

    @property
    def counted(self) -> tuple[str, ...]:
        """What the number of its hits is of: with anything else of this, it is counted anew."""
        return (*self.place, self.condition, self.hits)


def read_hits(text: str) -> str:
    """Give how often a breakpoint has to be met as it is kept; `>=3`, `>2` and `==3` are understood too.

    Raises ValueError, in one line.
    """
    if not text.strip():
        return ""
    found = _HITS.fullmatch(text.strip())
    count = 0 if found is None else int(found[2]) + (found[1] == ">")
    if found is None or count == 0:
        raise ValueError(
            f"not a number of hits (3 from the third on, =3 then only, %3 each third time): {quoted(text, 40)}"
        )
    sign = {"==": "=", "=": "=", "%": "%"}.get(found[1] or "", "")
    return f"{sign}{count}"


def is_reached(hits: str, count: int) -> bool:
    """Tell whether the `count`th time is one that was asked for; hits: as `read_hits` gives it."""
    if not hits:
        return True
    if hits.startswith("="):
        return count == int(hits[1:])
    if hits.startswith("%"):
        return count % int(hits[1:]) == 0
    return count >= int(hits)
