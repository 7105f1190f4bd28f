"""Patterns of rows: `stage/job@agent[item]` with parts that may be left out or hold `*`. As text they survive edits."""

from __future__ import annotations

import re
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.wildcard import Wildcard

_PARTS = re.compile(
    r"((?:[^\\/@\[]|\\.)*)(?:/((?:[^\\@\[]|\\.)*))?(?:@((?:[^\\\[#]|\\.)*))?(?:\[((?:[^\\\]]|\\.)*)\])?", re.DOTALL
)
_PIECES = re.compile(r"((?:[^\\*]|\\.)*)(\*|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]{1,6})\}|(.))", re.DOTALL)


class Pattern(NamedTuple):
    """What rows are meant; an empty part means any. A backslash takes its meaning from the sign behind it."""

    stage: str = ""
    job: str = ""
    agent: str = ""
    item: str = ""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read `stage/job@agent[item]`, each part optional. Raises ValueError, in one line."""
        found = _PARTS.fullmatch(text)
        if found is None:
            raise ValueError(f"not a pattern of rows (stage/job@agent[item]): {text[:120]!r}")
        return cls(*(part or "" for part in found.groups()))

    def __str__(self) -> str:
        job = f"/{self.job}" if self.job else ""
        agent = f"@{self.agent}" if self.agent else ""
        item = f"[{self.item}]" if self.item else ""
        return f"{self.stage}{job}{agent}{item}" or "*"

    def matches(self, id_: InstanceId) -> bool:
        """Whether an instance is meant."""
        return (
            _fits(self.stage, id_.stage)
            and _fits(self.job, id_.job)
            and _fits(self.agent, id_.agent)
            and (not self.item or _fits(self.item, id_.item or ""))
        )

    def matches_stage(self, stage: str) -> bool:
        """Whether a stage is meant, or something in it."""
        return _fits(self.stage, stage)


def _fits(part: str, name: str) -> bool:
    if not part or part in (name, "*"):
        return True
    if "*" not in part and "\\" not in part:
        return False
    pieces = [_plain(piece) for piece, _ in _PIECES.findall(part)]
    return Wildcard(pieces[:-1] if part and not part.endswith("*") else pieces).fits(name)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[2] if found[1] is None else chr(int(found[1], 16)), text)
