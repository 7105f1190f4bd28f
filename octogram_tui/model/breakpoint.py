"""Where a run is to stop, or to say something: values, kept outside the scenario, that survive its edits by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

When = Literal["before", "after", "failed", "retried", "skipped", "stage", "variable", "lost"]
"""before, after: an attempt. failed, retried, skipped: an attempt that ended so. stage: a stage, before it begins.
variable: a variable has another value. lost: an agent is given up."""

WHEN: tuple[When, ...] = get_args(When)


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One of them.

    pattern    what rows are meant (model/pattern.py); of `variable` who changed it, of `lost` the agents
    when       at which point
    name       of `variable`: which one; of `failed`: the kind of failure; `*` in it stands for anything, empty: any
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
