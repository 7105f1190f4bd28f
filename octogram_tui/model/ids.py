"""How agents, job instances and attempts are named. The names survive edits of the scenario, reruns and crashes.

Inside the program a name is a value that knows its parts; it becomes text only where it leaves (journal, wire, screen,
command line). The text is printable, stands on one line and is read back exactly, whatever the parts hold:

    stage/job@agent        stage/job@agent[item]        stage/job@agent[item]#2

A backslash stands before a sign that would otherwise end its part, and `\\u{a}` for a character that cannot be shown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, NewType, TypeVar

from octogram_tui.cuts import quoted

AgentName = NewType("AgentName", str)
StageKey = NewType("StageKey", str)
"""A stage's name; the second stage of the same name is `name~2`."""
JobKey = NewType("JobKey", str)
"""A job's name within its stage; the second job of the same name is `name~2`."""


class InstanceId(NamedTuple):
    """One job on one agent for one item. `item` is the item's text as items.py made it unique, None without items."""

    stage: str
    job: str
    agent: str
    item: str | None = None

    def __str__(self) -> str:
        return _instance(*self)

    @classmethod
    def parse(cls, text: str) -> InstanceId:
        """Read what `str` wrote. Raises ValueError for anything else."""
        found = _INSTANCE.fullmatch(text)
        if found is None:
            raise ValueError(
                f"not the name of an instance (stage/job@agent or stage/job@agent[item]): {quoted(text, 120)}"
            )
        if "\\" not in text and text.isprintable():  # as nearly all are: nothing is hidden in it
            return cls(*found.groups())
        item = None if found[4] is None else _plain(found[4])
        return _exact(cls(_plain(found[1]), _plain(found[2]), _plain(found[3]), item), text)


class AttemptId(NamedTuple):
    """One execution of an instance; `number` counts from 1. An agent never executes the same attempt twice."""

    instance: InstanceId
    number: int

    @property
    def agent(self) -> str:
        """The agent that it runs on, and that alone may report about it."""
        return self.instance.agent

    def __str__(self) -> str:
        return f"{_instance(*self.instance)}#{self.number}"

    @classmethod
    def parse(cls, text: str) -> AttemptId:
        """Read what `str` wrote. Raises ValueError for anything else."""
        instance, separator, number = text.rpartition("#")
        if not separator:
            raise ValueError(f"not the name of an attempt (stage/job@agent#number): {quoted(text, 120)}")
        return cls(InstanceId.parse(instance), _number(number))


class ErrandId(NamedTuple):
    """Something that the run itself has an agent do, for no stage: `:purpose@agent#1`. No instance's text begins so."""

    purpose: str
    agent: str
    number: int

    def __str__(self) -> str:
        return f":{_job(self.purpose)}@{_agent(self.agent)}#{self.number}"

    @classmethod
    def parse(cls, text: str) -> ErrandId:
        """Read what `str` wrote. Raises ValueError for anything else."""
        found = _ERRAND.fullmatch(text)
        if found is None:
            raise ValueError(f"not the name of an errand (:purpose@agent#number): {quoted(text, 120)}")
        return _exact(cls(_plain(found[1]), _plain(found[2]), _number(found[3])), text)


Id = TypeVar("Id", InstanceId, ErrandId)

Execution = AttemptId | ErrandId
"""What an agent may be told to do, and report about."""


def parse_execution(text: str) -> Execution:
    """Read the name of an attempt or of an errand. Raises ValueError."""
    return ErrandId.parse(text) if text.startswith(":") else AttemptId.parse(text)


def name_of(stage: str, job: str | None = None, agent: str | None = None) -> str:
    """Name a stage, a job of it, or that job on one agent, as the name of an instance begins."""
    text = _stage(stage)
    if job is not None:
        text += f"/{_job(job)}"
    return text if agent is None else f"{text}@{_agent(agent)}"


def unique_names(names: list[str]) -> list[str]:
    """Give the second, third ... of equal names a suffix `~2`, `~3` ..., in order."""
    taken: set[str] = set()
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0) + 1
        unique = name if count == 1 else f"{name}~{count}"
        while unique in taken:
            count += 1
            unique = f"{name}~{count}"
        seen[name] = count
        taken.add(unique)
        result.append(unique)
    return result


# Each part ends at the first sign of its own that has no backslash before it.
_INSTANCE = re.compile(
    r"(?!:)((?:[^\\/]|\\.)*)/((?:[^\\@]|\\.)*)@((?:[^\\\[#]|\\.)*)(?:\[((?:[^\\\]]|\\.)*)\])?", re.DOTALL
)
_ERRAND = re.compile(r":((?:[^\\@]|\\.)*)@((?:[^\\\[#]|\\.)*)#([0-9]+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)


def _escape(text: str, ends: str) -> str:
    if text.isprintable() and not any(sign in text for sign in ends):
        return text
    return "".join(
        f"\\{sign}" if sign in ends else sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in text
    )


@lru_cache(4096)
def _stage(text: str) -> str:
    escaped = _escape(text, "\\/")
    return f"\\{escaped}" if escaped.startswith(":") else escaped


@lru_cache(4096)
def _job(text: str) -> str:
    return _escape(text, "\\@")


@lru_cache(4096)
def _agent(text: str) -> str:
    return _escape(text, "\\[#")


@lru_cache(4096)
def _item(text: str) -> str:
    return _escape(text, "\\]")


@lru_cache(4096)
def _instance(stage: str, job: str, agent: str, item: str | None) -> str:
    text = f"{_stage(stage)}/{_job(job)}@{_agent(agent)}"
    return text if item is None else f"{text}[{_item(item)}]"


def _plain(text: str) -> str:
    """Take the backslashes out. Raises ValueError for a character that does not exist."""
    if "\\" not in text:
        return text
    try:
        return _ESCAPED.sub(lambda found: found[2] if found[1] is None else chr(int(found[1], 16)), text)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or (text.startswith("0") and text != "0") or len(text) > 18:
        raise ValueError(f"not a number of an attempt: {quoted(text, 40)}")
    return int(text)


def _exact(found: Id, text: str) -> Id:
    """Refuse a second way to write the same name: what is compared as text elsewhere must have one text only."""
    # Without a backslash and with nothing to hide there is no second way.
    if ("\\" in text or not text.isprintable()) and str(found) != text:
        raise ValueError(f"{quoted(text, 120)} is written {quoted(str(found), 120)}")
    return found
