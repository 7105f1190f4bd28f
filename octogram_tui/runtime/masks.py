"""The one place where secrets are hidden: events before anybody has them, and what a console is told beside them."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from octogram_tui.engine.events import EntryRegistered, Event, JobOutput, VariableChanged
from octogram_tui.engine.stimuli import SetVariableRequest, Stimulus
from octogram_tui.model.failure import Failure
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.driver import Fed
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.vault import Vault

MOST_KEPT = 8 << 20
"""How many signs of outputs are kept to go on with: a secret may be printed in pieces."""

_FREE = frozenset(("value", "result"))
"""What of a stimulus may be any value of JSON; other numbers of one are those that the engine counts with."""
_WORDS = frozenset(("state", "why", "point", "stream", "mode", "which", "depth", "unit", "code", "kind", "when"))
"""Members of events that have few words of our own: nobody could follow a run whose secret is one of these."""
T = TypeVar("T")


class EventMasks:
    """Masks the events of a run."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._ends: OrderedDict[object, str] = OrderedDict()  # of each output, the latest last
        self._kept = 0

    @property
    def is_idle(self) -> bool:
        """Whether no secret is known."""
        return self._masker.is_idle

    def mask(self, events: list[Event]) -> list[Event]:
        """Give events with masks in them; those that hold nothing are the same ones."""
        if self._masker.is_idle:
            return events
        self.expect(events)
        return [self._masked(event) for event in events]

    def expect(self, events: Iterable[Event]) -> None:
        """Learn what secrets are set to in events that are about to be masked, or that others are before."""
        if self._masker.is_idle:
            return
        for event in events:
            if isinstance(event, VariableChanged) and not event.removed and self._masker.has(event.name):
                self._masker.learn_anew(event.name, event.value)
            elif isinstance(event, EntryRegistered) and self._masker.has(event.name):
                self._masker.learn_anew(event.name, {event.entry: event.value})

    def seal(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give an input line of the journal with seals in it; `sealed` tells that there are any."""
        given = record.get("with")
        if given is None or self._masker.is_idle:
            return record
        counted = {name for name, value in given.items() if isinstance(value, int | float) and name not in _FREE}
        free = {name: value for name, value in given.items() if name not in counted} if counted else given
        sealed = self._masker.seal(free)
        if sealed is free:
            return record
        return {**record, "with": {**sealed, **{name: given[name] for name in counted}}, "sealed": True}

    def unseal(self, line: T) -> T:
        """Give an input line as it was, with each secret as it is now. Raises AttachRefused for one that is not known.

        Anything else is given back: the end of an attempt that an event tells in full holds no secret.
        """
        if isinstance(line, dict) and line.get("sealed"):
            line = {**line, "with": self._masker.unseal(line["with"])}  # type: ignore[assignment]
        return line

    def _masked(self, event: Event) -> Event:
        if not isinstance(event, JobOutput):
            return changed(event, self._masker.mask, self._mask_typed)
        lines = self._lines(event)
        masked = changed(
            event,
            self._masker.mask,
            lambda value: value if value is event.lines else self._mask_typed(value),
        )
        if lines == event.lines:
            return masked
        masked = copy.copy(masked)
        masked.lines = lines
        return masked

    def _mask_typed(self, value: Any) -> Any:
        return self._masker.mask(value, has_free_numbers=False)

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
            counted = masker.mask({**told, "lines": []}, has_free_numbers=False)  # who asked computes with its numbers
            return {**counted, "lines": masker.lines(lines, is_cut=True)}
        masked: dict[str, Any] = masker.mask(told)
        return masked


def changed(record: T, change: Callable[[Any], Any], change_typed: Callable[[Any], Any] | None = None) -> T:
    """Give a record with its members changed; the same one where none is.

    change_typed: for members whose numbers mean what the members say, where that is another way.
    """
    if isinstance(record, tuple):
        return change(record)  # type: ignore[no-any-return]
    new = {}
    for name, is_free in _members(type(record)):
        value = getattr(record, name)
        way = change if is_free or change_typed is None else change_typed
        other = _failure(value, way) if isinstance(value, Failure) else way(value)
        if other is not value:
            new[name] = other
    if not new:
        return record
    return replace(record, **new)  # type: ignore[type-var]


def _failure(failure: Failure, change: Callable[[Any], Any]) -> Failure:
    record = failure.as_json()
    other = change(record)
    return failure if other is record else Failure.from_json(other)


_MEMBERS: dict[type, tuple[tuple[str, bool], ...]] = {}
"""Of each kind of record the members that may hold a text, each with whether it holds any value of JSON."""
_WITHOUT_TEXT = frozenset(("int", "float", "bool", "int | None"))


def _members(kind: type[Any]) -> tuple[tuple[str, bool], ...]:
    found = _MEMBERS.get(kind)
    if found is None:
        members = fields(kind) if is_dataclass(kind) else ()
        own = _WORDS if issubclass(kind, Event) else frozenset()
        found = _MEMBERS[kind] = tuple(
            (each.name, ("Value" in str(each.type) or "Failure" in str(each.type)) and each.name != "options")
            for each in members
            if each.name not in own and str(each.type) not in _WITHOUT_TEXT
        )
    return found
