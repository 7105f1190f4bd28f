"""The one place where secrets are hidden: events before anybody has them, and what a console is told beside them."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from octogram_tui.engine.events import Event, JobOutput
from octogram_tui.engine.stimuli import SetVariableRequest, Stimulus
from octogram_tui.model.failure import Failure
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.driver import Fed
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.vault import Vault

MOST_KEPT = 8 << 20
"""How many signs of outputs are kept to go on with: a secret may be printed in pieces."""

_NUMBERS = frozenset(("seq", "at_s"))
T = TypeVar("T")


class EventMasks:
    """Masks the events of a run."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._ends: OrderedDict[object, str] = OrderedDict()  # of each output, the latest last
        self._kept = 0

    def mask(self, events: list[Event]) -> list[Event]:
        """Give events with masks in them; those that hold nothing are the same ones."""
        if self._masker.is_idle:
            return events
        return [self._masked(event) for event in events]

    def seal(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give an input line of the journal with seals in it; `sealed` tells that there are any."""
        given = record.get("with")
        if given is None or self._masker.is_idle:
            return record
        sealed = self._masker.seal(given)
        return record if sealed is given else {**record, "with": sealed, "sealed": True}

    def unseal(self, line: T) -> T:
        """Give an input line as it was, with each secret as it is now. Raises AttachRefused for one that is not known.

        Anything else is given back: the end of an attempt that an event tells in full holds no secret.
        """
        if isinstance(line, dict) and line.get("sealed"):
            line = {**line, "with": self._masker.unseal(line["with"])}  # type: ignore[assignment]
        return line

    def _masked(self, event: Event) -> Event:
        if not isinstance(event, JobOutput):
            return changed(event, self._masker.mask)
        lines = self._lines(event)
        masked = changed(event, lambda value: value if value is event.lines else self._masker.mask(value))
        if lines == event.lines:
            return masked
        masked = copy.copy(masked)
        masked.lines = lines
        return masked

    def _lines(self, event: JobOutput) -> list[str]:
        source = (event.instance or event.agent, event.attempt, event.process, event.stream)
        known = self._ends.pop(source, "")
        self._kept -= len(known)
        before = "" if event.dropped else known
        lines = self._masker.lines(event.lines, before, is_cut=event.dropped > 0)
        end = self._masker.tail(before, event.lines)
        self._ends[source] = end
        self._kept += len(end)
        while self._kept > MOST_KEPT:
            _, oldest = self._ends.popitem(last=False)
            self._kept -= len(oldest)
        return lines


class Reveals:
    """Stands between the consoles and the run: masks that they send stand for values, and values never reach them."""

    def __init__(
        self,
        vault: Vault,
        submit: Callable[[Stimulus, Fed], None],
        answer: Callable[[Question], Awaitable[dict[str, Any]]],
    ) -> None:
        self._vault = vault
        self._submit = submit
        self._answer = answer

    def submit(self, stimulus: Stimulus, on_fed: Fed) -> None:
        """Hand in what a console asks. Another value of a secret is one too."""
        asked = changed(stimulus, self._vault.masker.reveal)
        if isinstance(asked, SetVariableRequest) and not asked.remove and self._vault.has(asked.name):
            self._vault.learn(asked.name, asked.value if isinstance(asked.value, str) else str(asked.value))
        self._submit(asked, on_fed)

    async def answer(self, question: Question) -> dict[str, Any]:
        """Answer a question."""
        masker = self._vault.masker
        told = await self._answer(changed(question, masker.reveal))
        if masker.is_idle:
            return told
        lines = told.get("lines")
        if isinstance(lines, list):  # of a log, which may begin and end within a secret
            return {**masker.mask({**told, "lines": []}), "lines": masker.lines(lines, is_cut=True)}
        masked: dict[str, Any] = masker.mask(told)
        return masked


def changed(record: T, change: Callable[[Any], Any]) -> T:
    """Give a record with its members changed; the same one where none is."""
    if isinstance(record, tuple):
        return change(record)  # type: ignore[no-any-return]
    new = {}
    for name in _members(type(record)):
        value = getattr(record, name)
        other = _failure(value, change) if isinstance(value, Failure) else change(value)
        if other is not value:
            new[name] = other
    if not new:
        return record
    return replace(record, **new)  # type: ignore[type-var]


def _failure(failure: Failure, change: Callable[[Any], Any]) -> Failure:
    record = failure.as_json()
    other = change(record)
    return failure if other is record else Failure.from_json(other)


_MEMBERS: dict[type, tuple[str, ...]] = {}
"""Of each kind of record the members that may hold a text."""


def _members(kind: type[Any]) -> tuple[str, ...]:
    found = _MEMBERS.get(kind)
    if found is None:
        members = fields(kind) if is_dataclass(kind) else ()
        found = _MEMBERS[kind] = tuple(each.name for each in members if each.name not in _NUMBERS)
    return found
