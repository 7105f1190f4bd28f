"""How the rows of a run ended at last, and what each of them changed: what a run that repeats the rest starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from octogram_tui.engine.events import (
    EntryRegistered,
    Event,
    JobFinished,
    JobFresh,
    JobStale,
    JobStarted,
    RunStarted,
    ScenarioReloaded,
    VariableChanged,
)
from octogram_tui.journal import reader
from octogram_tui.model.carried import WENT_WELL, CarriedRows, CarriedUpdate
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.scenario.provisions import Provision, brought, spoken_of


class Outcomes:
    """A fold over the events of one run.

    variables: as it began; digest: of the scenario that was in force at last; by_hand: what an operator has set
    failed: rows whose last attempt failed, and the run did not go on as if nothing were
    brought, spoken: by the keys of stage and job, the services and files that its attempts were to bring, and what they
    spoke of, by what their templates had become
    """

    def __init__(self) -> None:
        self.variables: Mapping[str, Value] = {}
        self.digest = ""
        self.by_hand: set[str] = set()
        self.failed: set[InstanceId] = set()
        self.brought: dict[tuple[str, str], set[Provision]] = {}
        self.spoken: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._well: dict[InstanceId, list[CarriedUpdate]] = {}
        self._names: dict[str, InstanceId] = {}
        self._stale: set[str] = set()

    @classmethod
    def read(cls, journal: Path) -> Outcomes:
        """Read a journal. Raises what `reader.read` does."""
        found = cls()
        found.take(reader.read(journal))
        return found

    def take(self, events: Iterable[Event]) -> None:
        """Take events in."""
        for event in events:
            match event:
                case JobFinished():
                    self._ended(event)
                case JobStarted():
                    self._well.pop(event.instance, None)
                    self.failed.discard(event.instance)
                    key = event.instance.stage, event.instance.job
                    self.brought.setdefault(key, set()).update(brought(event.procedure, event.arguments))
                    self.spoken.setdefault(key, set()).update(spoken_of(event.procedure, event.arguments))
                case VariableChanged() | EntryRegistered():
                    self._changed(event)
                case JobStale():
                    self._stale.update(event.instances)
                case JobFresh():
                    self._stale.difference_update(event.instances)
                case RunStarted():
                    self.variables, self.digest = event.variables, event.digest
                case ScenarioReloaded():
                    self.digest = event.digest

    def _ended(self, event: JobFinished) -> None:
        self._well.pop(event.instance, None)
        self.failed.discard(event.instance)
        self._stale.discard(str(event.instance))
        if _is_well(event):
            self._well[event.instance] = []
            self._names[str(event.instance)] = event.instance
        elif event.state == "failed" and not event.will_retry:
            self.failed.add(event.instance)

    def _changed(self, event: VariableChanged | EntryRegistered) -> None:
        if event.by == "operator":
            self.by_hand.add(event.name)
            return
        updates = self._well.get(self._names[event.by]) if event.by in self._names else None
        if updates is None:
            return
        if isinstance(event, EntryRegistered):
            updates.append(CarriedUpdate(event.name, event.value, event.entry))
        else:
            updates.append(CarriedUpdate(event.name, event.value, is_removed=event.removed))

    def well(self) -> CarriedRows:
        """Give the rows that ended well and are not stale, with what they changed."""
        return {id_: tuple(updates) for id_, updates in self._well.items() if str(id_) not in self._stale}


def _is_well(event: JobFinished) -> bool:
    """Whether a row is done: also one that may fail, or was skipped by hand. What `when` left out is asked anew."""
    if event.state == "skipped":
        return event.reason == "operator" or event.reason.startswith(WENT_WELL)
    return event.state == "ok" or event.is_tolerated
