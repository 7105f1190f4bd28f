"""Patterns of rows: `stage/job@agent[item]` with parts that may be left out or hold `*`. As text they survive edits.

The text of any instance is a pattern that means it. A backslash takes its meaning from the sign behind it, as in names
(model/ids.py): `\\*` is a star that a name holds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from octogram_tui.cuts import beginning, quoted
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.wildcard import Wildcard

# As the name of an instance, in full, is written: there a stage may hold `@`, and a job `[`.
_FULL = re.compile(r"((?:[^\\/]|\\.)*)/((?:[^\\@]|\\.)*)@((?:[^\\\[#]|\\.)*)(?:\[((?:[^\\\]]|\\.)*)\])?", re.DOTALL)
_SHORT = re.compile(
    r"((?:[^\\/@\[]|\\.)*)(?:/((?:[^\\@\[]|\\.)*))?(?:@((?:[^\\\[#]|\\.)*))?(?:\[((?:[^\\\]]|\\.)*)\])?", re.DOTALL
)
_SIGNS = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)|(\*+)|([^\\*]+)", re.DOTALL)

_ENDS = ("\\/@[*", "\\@[*", "\\[#*", "\\]*")
"""What has a backslash before it in each part."""


class Pattern(NamedTuple):
    """What rows are meant; an empty part means any. The parts are written as in the whole text.

    item: None for any, also for none at all; `*` for any, but one.
    """

    stage: str = ""
    job: str = ""
    agent: str = ""
    item: str | None = None

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read `stage/job@agent[item]`, each part optional. Raises ValueError, in one line."""
        found = _FULL.fullmatch(text) or _SHORT.fullmatch(text)
        if found is None:
            hint = ": a pattern names no attempt" if re.search(r"#[0-9]+$", text) else ""
            raise ValueError(f"not a pattern of rows (stage/job@agent[item]){hint}: {quoted(text, 120)}")
        stage, job, agent = (_any(_canonical(part or "", place)) for place, part in enumerate(found.groups()[:3]))
        return cls(stage, job, agent, None if found[4] is None else _canonical(found[4], 3))

    @classmethod
    def of(cls, stage: str, job: str = "", agent: str = "", item: str | None = None) -> Pattern:
        """Make the pattern that means names as they are, with stars in them or not; an empty one means any."""
        stage, job, agent = (_escaped(name, place) for place, name in enumerate((stage, job, agent)))
        return cls(stage, job, agent, None if item is None else _escaped(item, 3))

    def __str__(self) -> str:
        job = f"/{self.job}" if self.job else ""
        agent = f"@{self.agent}" if self.agent else ""
        item = "" if self.item is None else f"[{self.item}]"
        text = f"{self.stage}{job}{agent}{item}" or "*"
        if not (agent or item) or Pattern.parse(text) == self:
            return text
        return f"{self.stage or '*'}/{self.job or '*'}@{self.agent or '*'}{item}"  # an agent or item like `a/b@c`

    def matches(self, id_: InstanceId) -> bool:
        """Whether an instance is meant."""
        return (
            fits(self.stage, id_.stage)
            and fits(self.job, id_.job)
            and fits(self.agent, id_.agent)
            and (self.item is None or (id_.item is not None and _is_like(self.item, id_.item)))
        )

    def matches_job(self, stage: str, job: str) -> bool:
        """Whether a job is meant, on whatever agents and for whatever items."""
        return fits(self.stage, stage) and fits(self.job, job)

    def matches_stage(self, stage: str) -> bool:
        """Whether a stage is meant, or something in it."""
        return fits(self.stage, stage)

    def matches_agent(self, agent: str) -> bool:
        """Whether an agent is meant, or something on it."""
        return fits(self.agent, agent)

    @property
    def is_of_job(self) -> bool:
        """Whether it says something of jobs or items, so that no stage or agent as a whole is meant."""
        return bool(self.job) or self.item is not None


def fits(text: str, name: str) -> bool:
    """Whether a name fits a part, or another text in which `*` stands for anything; an empty text means any name."""
    return not text or _is_like(text, name)


def _is_like(part: str, name: str) -> bool:
    return _wildcard(part).fits(name)


@lru_cache(4096)
def _wildcard(part: str) -> Wildcard:
    return Wildcard(_pieces(part))


def _pieces(part: str) -> list[str]:
    """Give what stands between the stars. Raises ValueError for a character that does not exist."""
    pieces = [""]
    for code, escaped, stars, plain in _SIGNS.findall(part):
        if stars:
            pieces.append("")
        else:
            pieces[-1] += _character(code) if code else escaped + plain
    return pieces


def _character(code: str) -> str:
    number = int(code, 16)
    if number > 0x10FFFF:
        raise ValueError(f"there is no character \\u{{{beginning(code, 20)}}}")
    return chr(number)


def _any(part: str) -> str:
    return "" if part == "*" else part


def _canonical(part: str, place: int) -> str:
    return "*".join(_escaped(piece, place) for piece in _pieces(part))


def _escaped(text: str, place: int) -> str:
    ends = _ENDS[place]
    return "".join(
        f"\\{sign}" if sign in ends else sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in text
    )
